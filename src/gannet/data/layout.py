"""What the folders around pictures mean: splits, then labels."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gannet.data.pictures import EXTENSIONS

SPLITS = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test", "val": "test", "valid": "test", "validation": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How a relative path tells its picture's label and split."""

    classes: tuple[str, ...]
    split_level: int
    """Depth of the folder that names the split; -1: none."""
    label_level: int
    """Depth of the folder that names the label."""

    def place(self, path: str) -> tuple[int, str]:
        """Give the label (-1: none) and the split (empty: none) of a picture."""
        parts = path.split("/")
        split = SPLITS[parts[self.split_level].lower()] if self.split_level >= 0 else ""
        labelled = self.classes and len(parts) > self.label_level + 1
        return (self._index[parts[self.label_level]] if labelled else -1), split

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.classes)}


def read_layout(paths: Sequence[str]) -> Layout:
    """Find the layout of pictures from their paths (relative, with slashes).

    A single folder around everything means nothing. Folders called train and test (val, ...) are splits when
    nothing stands beside them. The folders below are labels when there are at least two.
    """
    level = 0
    names = _folders(paths, level)
    while len(names) == 1 and names != {""} and not _are_splits(names):
        level += 1
        names = _folders(paths, level)
    split_level = level if _are_splits(names) else -1
    label_level = level + 1 if split_level >= 0 else level
    labels = _folders(paths, label_level) - {""}
    classes = tuple(sorted(labels, key=_natural)) if len(labels) > 1 else ()
    return Layout(classes, split_level, label_level)


def _folders(paths: Sequence[str], level: int) -> set[str]:
    """Give the folder names at a depth; the empty name stands for a picture that lies loose there."""
    names = set()
    for path in paths:
        parts = path.split("/", level + 1)
        names.add(parts[level] if len(parts) > level + 1 else "")
    return names


def _are_splits(names: set[str]) -> bool:
    return bool(names) and all(name.lower() in SPLITS for name in names)


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sort 2 before 10, as people do."""
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", name)], name


def is_hidden(path: str) -> bool:
    """Tell whether a part of the path is hidden, leads upwards, or is what macOS adds to a zip."""
    return any(part.startswith(".") or part in ("", "__MACOSX") for part in path.split("/"))


def is_picture(path: str) -> bool:
    """Tell by the extension whether a file is meant to be a picture."""
    return PurePosixPath(path).suffix.lower() in EXTENSIONS
