"""What the folders around files mean: parts of a sample, splits, then labels."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from gannet.runtime.names import file_ending

SPLITS = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test", "val": "test", "valid": "test", "validation": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How a relative path tells its picture's label and split."""

    folders: tuple[str, ...]
    """Names of the folders that are classes."""
    split_level: int
    """Depth of the folder that names the split; -1: none."""
    label_level: int
    """Depth of the folder that names the label."""
    lone: str = ""
    """The only folder where those of classes would be, beside which others lie loose; no class, and empty: none."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, which can be written down."""
        return tuple(map(in_utf8, self.folders))

    def covers(self, path: str) -> bool:
        """Tell whether a path is a sample's: what lies beside the folders of splits is none."""
        return self.split_level < 0 or _folder(path, self.split_level).lower() in SPLITS

    def place(self, path: str) -> tuple[int, str]:
        """Give the label (-1: none) and the split (empty: none) of a picture that it covers."""
        split = SPLITS[_folder(path, self.split_level).lower()] if self.split_level >= 0 else ""
        return self._index.get(_folder(path, self.label_level), -1), split

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.folders)}


def read_layout(paths: Sequence[str]) -> Layout:
    """Find the layout of pictures from their paths (relative, with slashes).

    A single folder around everything means nothing. Folders called train and test (val, ...) are splits when one of
    each side is there, or nothing else is. The folders below are labels when there are at least two.
    """
    level = 0
    names = _folders(paths, level)
    while len(names) == 1 and names != {""} and not _are_splits(names):
        level += 1
        names = _folders(paths, level)
    split_level = level if _are_splits(names) else -1
    splits = Layout((), split_level, level + 1 if split_level >= 0 else level)
    names = _folders([path for path in paths if splits.covers(path)], splits.label_level)
    labels = names - {""}
    if len(labels) > 1:
        return replace(splits, folders=tuple(sorted(labels, key=_natural)))
    return replace(splits, lone="".join(labels) if "" in names else "")


def _folders(paths: Sequence[str], level: int) -> set[str]:
    """Give the folder names at a depth; the empty name stands for a picture that lies loose there."""
    return {_folder(path, level) for path in paths}


def _folder(path: str, level: int) -> str:
    """Give the name of the folder at a depth that a path leads through; empty: none."""
    parts = path.split("/", level + 1)
    return parts[level] if len(parts) > level + 1 else ""


def _are_splits(names: set[str]) -> bool:
    sides = {SPLITS.get(name.lower(), "") for name in names}
    return sides >= set(SPLITS.values()) or (bool(sides) and "" not in sides)


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sort 2 before 10, as people do."""
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", name)], name


def in_utf8(name: str) -> str:
    """Give a name that can be written down: bytes of it that are no UTF-8 become `%E9` and the like."""
    return re.sub("[\ud800-\udfff]", lambda found: f"%{ord(found[0]) & 0xFF:02X}", name)


def is_hidden(path: str) -> bool:
    """Tell whether a part of the path is hidden, leads upwards, or is what macOS adds to a zip."""
    return any(part.startswith(".") or part in ("", "__MACOSX") for part in path.split("/"))


PAIRS = (("images", "labels"), ("inputs", "targets"), ("images", "masks"))
"""Names of folders whose files of one name belong together, the first part of a sample first."""


def are_pairs(classes: Sequence[str]) -> bool:
    """Tell whether what look like classes are the folders of pairs."""
    return sorted(map(str.lower, classes)) in [sorted(names) for names in PAIRS]


def pair_up(
    paths: Sequence[str], parts: Sequence[tuple[str, Set[str]]]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Find the files that belong together: `train/images/3.jpg` and `train/labels/3.png` become `train/3`.

    Args:
        paths: relative, with slashes.
        parts: of a sample, each with its name, which may be its folder's as well, and the endings of its files.

    Returns:
        the files of every sample in the order of the parts, by the sample's name; and the files that lack one.

    Raises:
        ValueError: no folders are beside each other.
    """
    folders = next((names for names in _foldings(parts) if _there(names, paths)), None)
    if folders is None:
        usual = _foldings(parts)[:-1] or _foldings(parts)
        wanted = ", or ".join(" and ".join(f"{name}/" for name in names) for names in usual)
        raise ValueError(f"give folders {wanted} beside each other, whose files of one name belong together")
    found: dict[str, dict[int, str]] = {}
    for path in sorted(paths):
        for part, (folder, (_, endings)) in enumerate(zip(folders, parts, strict=True)):
            steps = PurePosixPath(path).parts
            if _innermost(steps, folders) == folder and file_ending(path) in endings:
                files = found.setdefault(_without(steps, folder), {})
                if files.setdefault(part, path) != path:
                    found[path] = {part: path}  # Another file of that name has its place.
    whole = {
        name: tuple(files[part] for part in range(len(parts)))
        for name, files in found.items()
        if len(files) == len(parts)
    }
    lonely = tuple(path for name, files in found.items() if name not in whole for path in files.values())
    return whole, lonely


def _foldings(parts: Sequence[tuple[str, Set[str]]]) -> list[tuple[str, ...]]:
    """List the names that the parts' folders may have."""
    own = tuple(name for name, _ in parts)
    return [*(names for names in PAIRS if len(names) == len(parts)), own]


def _there(names: Sequence[str], paths: Sequence[str]) -> bool:
    folders = {step.lower() for path in paths for step in PurePosixPath(path).parts[:-1]}
    return folders.issuperset(names)


def _innermost(steps: Sequence[str], folders: Sequence[str]) -> str:
    """Find which of the folders a file lies in, the innermost; empty: none."""
    return next((step.lower() for step in reversed(steps[:-1]) if step.lower() in folders), "")


def _without(steps: Sequence[str], folder: str) -> str:
    """Give a file's path less the innermost folder that names its part, and less its ending."""
    place = max(index for index, step in enumerate(steps[:-1]) if step.lower() == folder)
    kept = [step for index, step in enumerate(steps) if index != place]
    named = PurePosixPath(*kept).as_posix()
    return named[: len(named) - len(file_ending(named))]
