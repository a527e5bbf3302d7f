"""Places on the page that several tabs have: files to keep, what does the same elsewhere, and the way to stop."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from gannet.studio import work
from gannet.studio.said import Said
from gannet.studio.translation import translate
from gannet.studio.words import direction, say


class ModelField(NamedTuple):
    """A field of models.

    Attributes:
        field: of gradio's.
        names: gives the models that there are.
    """

    field: Any
    names: Callable[[], Iterable[str]]

    def anew(self) -> Any:
        """Let the field offer what there is now; what is chosen stays."""
        return gr.Dropdown(list(self.names()))


def results_field(label: str, name: str) -> Any:
    """Draw a place for files to keep, which is seen once there are some."""
    return gr.File(label=label, file_count="multiple", interactive=False, visible=False, elem_id=name)


def said_field(language: str, render: bool = True) -> Any:
    """Draw a place for what does the same elsewhere, which is seen once something was done."""
    label = say(language, "said")
    return gr.Code(
        label=label, language="shell", interactive=False, lines=2, visible=False, render=render, show_line_numbers=False
    )


def told(said: Said) -> Any:
    """Fill that place."""
    return gr.Code(said.both(), visible=True)


def progress(step: work.Step[Any], language: str) -> str:
    """Say how far work is, as HTML."""
    told = replace(step, words=translate(language, step.words))
    return escape(told.line(say(language, "waiting")))


def listed(lines: Sequence[str], language: str) -> str:
    """Give what is said of results as HTML, of which nothing is markup."""
    known = [(line, translate(language, line)) for line in lines]
    ways = [direction(language) if words != line else "auto" for line, words in known]
    items = "".join(f'<li dir="{way}">{escape(words)}</li>' for way, (_, words) in zip(ways, known, strict=True))
    return f'<ul class="told-lines">{items}</ul>'


def stop_work(request: gr.Request) -> None:
    """Stop what this tab asked for last."""
    work.stop(request.session_hash)
