"""Clips: put in by file, and played beside the parts that they were put together of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.studio.translation import translate
from gannet.studio.widgets import Results
from gannet.studio.widgets.file import ask, given

__all__ = ["SHOWS_PARTS", "ask", "given", "show", "shown"]
SHOWS_PARTS = "beside each other"
"""How further outputs are looked at; without this they are made only where they are asked for."""
PLAYED = {".mp4", ".webm"}
LOOKED_AT = {".gif", ".png", ".webp", ".apng"}


def show(label: str, key: str) -> Any:
    """Draw a place in which clips are played."""
    return gr.Gallery(
        key=key,
        label=label,
        columns=2,
        height="auto",
        object_fit="contain",
        interactive=False,
        buttons=["fullscreen"],
        elem_id="clips",
    )


def shown(before: Sequence[Path], results: Results, language: str) -> Any:  # noqa: ARG001
    """Give the clips, each followed by its parts, which are named where there are any."""
    return [
        (str(path), translate(language, name) if len(files) > 1 else None)
        for files in results
        for name, path in files.items()
        if path.suffix.lower() in PLAYED | LOOKED_AT
    ]
