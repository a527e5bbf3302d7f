"""Places on the page that several tabs have: files to keep, what does the same elsewhere, and the way to stop."""

from typing import Any

import gradio as gr

from gannet.studio import work
from gannet.studio.said import Said
from gannet.studio.words import say


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


def stop_work(request: gr.Request) -> None:
    """Stop what this tab asked for last."""
    work.stop(request.session_hash)
