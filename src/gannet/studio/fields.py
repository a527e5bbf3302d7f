"""The inputs of a model on the page: files, what is drawn over a photograph, a map on an easel, whole folders."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal, TypeAlias

import gradio as gr

from gannet.studio import bounds, drawing, easel
from gannet.studio.translation import translate
from gannet.studio.widgets import widget
from gannet.studio.words import say

Way: TypeAlias = Literal["file", "over", "map", "many"]
MANY = "many"
"""What tells the field of a whole folder from the input that it gives many of."""


@dataclass(frozen=True)
class Field:
    """An input of a model on the page.

    Attributes:
        name: of the input.
        medium: its medium's name.
        component: what is put in.
        way: `file`, `over` where it is drawn over the first input, `map` where it is painted, or `many` where it gives
            any number of the first input, to be used one after the other.
    """

    name: str
    medium: str
    component: Any
    way: Way = "file"

    def given(self, value: Any, first: Sequence[Path]) -> list[Path]:
        """Give what was put in or drawn, as files."""
        if self.way == "map":
            return _written(easel.content(value))
        if self.way == "over":
            return drawing.given_over(self.name, value, first[0]) if first else []
        if self.way == "many":
            return bounds.checked_files(value) if value else []
        return list(widget(self.medium).given(value))

    def held(self, value: Any) -> bytes | Path | None:
        """Give what was put in or painted, without writing a map to a file."""
        if self.way == "map":
            return easel.content(value)
        return next(iter(self.given(value, ())), None)


def _written(content: bytes | None) -> list[Path]:
    if content is None:
        return []
    path = Path(tempfile.mkdtemp(dir=bounds.upload_folder())) / "map.png"
    path.write_bytes(content)
    return [path]


def ask(inputs: Mapping[str, Mapping[str, Any]], paints: easel.Paints | None, language: str) -> list[Field]:
    """Draw the inputs of a model, the first and those that it needs before the rest.

    Args:
        paints: what it paints, where its first input is a map.
    """
    if not inputs:
        return []
    first, *further = inputs.items()
    fields = [_ask(*first, paints, language)]
    if fields[0].way == "map":
        with gr.Accordion(say(language, "easel.more"), open=False):
            fields += [_ask(*one, None, language) for one in further]
    else:
        fields += [_ask(*one, None, language) for one in further]
    with gr.Accordion(say(language, "use.many"), open=False):
        gr.HTML(f'<p class="about">{escape(say(language, "use.many_about"))}</p>')  # Markdown breaks when drawn anew.
        many = gr.File(
            label=say(language, "use.many"), file_count="multiple", type="filepath", height=150, elem_id="use-many"
        )
    _lay_editors(fields)
    return [*fields, Field(fields[0].name, fields[0].medium, many, "many")]


def label_of(name: str, language: str) -> str:
    """Give what the page calls an input or an output."""
    return translate(language, name.replace("_", " "))


def _ask(name: str, about: Mapping[str, Any], paints: easel.Paints | None, language: str) -> Field:
    """Draw an input: what is drawn, or a field for files of its medium."""
    label = label_of(name, language) + ("" if about["required"] else f" ({say(language, 'use.optional')})")
    about = {**about, "about": translate(language, about["about"])}
    if drawing.is_drawn(name):
        return Field(name, about["medium"], drawing.ask_over(name, label, about["about"]), "over")
    if name == easel.MAP and paints:
        return Field(name, about["medium"], easel.draw(label, paints, language), "map")
    return Field(name, about["medium"], widget(about["medium"]).ask(label, about))


def _lay_editors(fields: Sequence[Field]) -> None:
    """Lay the first input under what is drawn over it, as soon as it is there."""
    for field in fields:
        if field.way == "over":
            fields[0].component.change(
                drawing.lay_under,
                fields[0].component,
                field.component,
                api_visibility="private",
                show_progress="hidden",
            )
