"""Pictures: put in by file, and looked at side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.studio.widgets import Results, firsts
from gannet.studio.widgets.file import ask, given

__all__ = ["ask", "given", "show", "shown"]


def show(label: str, key: str) -> Any:
    """Draw a place for pictures, as many as there are."""
    return gr.Gallery(key=key, label=label, columns=4, object_fit="contain", interactive=False, buttons=["fullscreen"])


def shown(before: Sequence[Path], results: Results, language: str) -> Any:  # noqa: ARG001
    """Give the pictures as the place shows them."""
    return [str(path) for path in firsts(results)]
