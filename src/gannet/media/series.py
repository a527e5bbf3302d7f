"""Numbered pictures that follow one another in a folder, and so are one clip."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from gannet.media import image
from gannet.media.films import Series
from gannet.runtime.reading import read_file

NUMBERED = re.compile(r"(.*?)(\d+)", re.DOTALL)
"""The name of a frame without its ending: what all frames of a clip are called, and the number."""


def numbered_series(names: Sequence[str]) -> dict[str, list[str]]:
    """Find the pictures that are frames: those of one folder that are called alike but for a number at the end.

    Returns:
        them in the order of their numbers, by their folder, or where that has several such by folder and name, or by
        the first of them where that is a folder of others.
    """
    found: dict[str, dict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    for path in names:
        named = NUMBERED.fullmatch(PurePosixPath(path).stem)
        if named and PurePosixPath(path).suffix.lower() in image.medium.endings - {".gif"}:
            folder = path.rpartition("/")[0]
            found[folder][named[1]].append((int(named[2]), path))
    series = {}
    for folder, alike in found.items():
        several = {name: [path for _, path in sorted(frames)] for name, frames in alike.items() if len(frames) > 1}
        for name, frames in several.items():
            own = f"{folder}/{name}".strip("/") if len(several) > 1 else folder
            series[frames[0] if own in found and own != folder else own] = frames
    return series


def read_series(folder: Path) -> Series:
    """Take the numbered pictures of a folder for one clip; ValueError where they are none, or several."""
    inside = folder.resolve()
    own = [path for path in folder.iterdir() if path.is_file() and path.resolve().is_relative_to(inside)]
    found = list(numbered_series([path.name for path in own if not path.name.startswith(".")]).values())
    if len(found) != 1:
        several = "several series of them; give each a folder of its own" if found else "none; give a film"
        raise ValueError(f"a folder is a clip where it holds pictures that are numbered, and this one holds {several}")
    readers = tuple(partial(read_file, folder / name, image.medium.check_beginning) for name in found[0])
    return Series(readers, tuple(found[0]))
