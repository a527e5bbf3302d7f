"""Photographs: put in by file, so that every byte stays, and compared with what was made of them by a slider."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image, UnidentifiedImageError

from gannet.runtime.names import whole_stem
from gannet.studio.bounds import checked_files
from gannet.studio.widgets import Results, firsts

SEEN = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"}
"""What browsers show."""


def ask(label: str, wanted: Mapping[str, Any]) -> Any:
    """Draw a field for a photograph."""
    return gr.Image(
        label=f"{label}: {wanted['about']}",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        height=320,
    )


def given(value: Any) -> list[Path]:
    """Give the file that was put into it, as it was; none where it is empty."""
    return checked_files([value]) if value else []


def show(label: str, key: str) -> Any:
    """Draw a place with a slider between before and after."""
    return gr.ImageSlider(key=key, label=label, interactive=False, buttons=["fullscreen"], max_height=640)


def shown(before: Sequence[Path], results: Results, language: str) -> Any:  # noqa: ARG001
    """Give the first photograph and what was made of it, or the latter twice where it was made from nothing."""
    after = next((path for path in firsts(results) if path.suffix.lower() in SEEN), None)
    if after is None:
        return None
    was = next((path for path in before if whole_stem(path) == whole_stem(after)), before[0] if before else None)
    return (_seen(was, after) if was else str(after), str(after))


def _seen(before: Path, after: Path) -> Any:
    """The photograph as large as what was made of it, which a slider lays over it."""
    try:
        with Image.open(before) as small, Image.open(after) as large:
            return small.convert("RGB").resize(large.size, Image.Resampling.NEAREST)
    except (UnidentifiedImageError, OSError, ValueError):
        return str(after)
