"""The media: kinds of values that people keep in files. Nothing outside this room asks what kind of value it holds."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from gannet.media.medium import Field, Medium
from gannet.runtime.plugins import installed
from gannet.schema import nearest

__all__ = ["Field", "Medium", "find_medium", "medium_names"]

NOT_MEDIA = {
    "arrays",
    "attachments",
    "dicom",
    "film_encoding",
    "films",
    "grids",
    "medium",
    "nifti",
    "pages",
    "picture_files",
    "pixels",
    "pyramid",
    "resizing",
    "series",
    "sixteen_bit",
    "slices",
    "tiling",
    "value_range",
    "volumes",
}
"""Modules of this room that hold parts of media."""
FORMER_NAMES = {"beginning": "context"}
"""What media were called when models were saved that are still read."""


@cache
def medium_names() -> dict[str, str]:
    """List the media by name, each with its module: those of this room, and a third party's by entry point."""
    own = {path.stem for path in Path(__file__).parent.glob("[a-z]*.py")} - NOT_MEDIA
    ours = {name.replace("_", "-"): f"gannet.media.{name}" for name in sorted(own)}
    theirs = {name: point.value for name, point in installed("gannet.media").items() if name not in ours}
    return ours | theirs


def find_medium(name: str) -> Medium:
    """Import a medium by its name; ValueError names the nearest when there is none."""
    known, name = medium_names(), FORMER_NAMES.get(name, name)
    if name not in known:
        raise ValueError(f"There is no medium {name!r}; {nearest(name, known)}")
    module: Any = import_module(known[name])
    medium: Medium = module.medium
    return medium
