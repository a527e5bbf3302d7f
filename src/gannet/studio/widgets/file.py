"""Files of any kind: one in, one out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.studio.bounds import checked_files
from gannet.studio.widgets import Results


def ask(label: str, wanted: Mapping[str, Any]) -> Any:
    """Draw a field that files are put into."""
    return gr.File(label=label, file_count="multiple", type="filepath", height=190, elem_classes=wanted["medium"])


def given(value: Any) -> list[Path]:
    """Give the files that were put into it; none where it is empty."""
    return checked_files(value if isinstance(value, list) else [value]) if value else []


def show(label: str, key: str) -> Any:
    """Draw a place for results: a list of files to fetch."""
    return gr.File(key=key, label=label, file_count="multiple", interactive=False)


def shown(before: Sequence[Path], results: Results, language: str) -> Any:  # noqa: ARG001
    """Give the results as the place shows them."""
    return [str(path) for files in results for path in files.values()] or None
