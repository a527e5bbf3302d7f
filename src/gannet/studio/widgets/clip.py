"""Clips: put in by file, and played."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.studio.widgets.file import ask, given

__all__ = ["ask", "given", "show", "shown"]
PLAYED = {".mp4", ".webm"}
LOOKED_AT = {".gif", ".png", ".webp", ".apng"}


def show(label: str, key: str) -> Any:
    """Draw a place in which clips are played."""
    return gr.Gallery(key=key, label=label, columns=2, object_fit="contain", interactive=False, buttons=["fullscreen"])


def shown(before: Sequence[Path], made: Sequence[Path]) -> Any:  # noqa: ARG001
    """Give the clips as the place shows them."""
    return [str(path) for path in made if path.suffix.lower() in PLAYED | LOOKED_AT]
