"""Texts: typed or pasted, and shown to be read and copied."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.studio.bounds import LONGEST_WORDS, upload_folder

SHOWN = 200_000
"""Characters of a result that the page shows; the file has all."""


def ask(label: str, wanted: Mapping[str, Any]) -> Any:
    """Draw a field for a text."""
    return gr.Textbox(label=f"{label}: {wanted['about']}", lines=6, max_lines=20, max_length=LONGEST_WORDS)


def given(value: Any) -> list[Path]:
    """Give a file with what was typed; none where it is empty."""
    if not isinstance(value, str) or not value.strip():
        return []
    path = Path(tempfile.mkdtemp(dir=upload_folder())) / "text.txt"
    path.write_text(value[:LONGEST_WORDS], encoding="utf-8")
    return [path]


def show(label: str, key: str) -> Any:
    """Draw a place for a text."""
    return gr.Textbox(key=key, label=label, lines=8, max_lines=30, interactive=False, buttons=["copy"])


def shown(before: Sequence[Path], made: Sequence[Path]) -> Any:  # noqa: ARG001
    """Give the texts, one below the other."""
    return "\n\n".join(path.read_text(encoding="utf-8", errors="replace") for path in made)[:SHOWN]
