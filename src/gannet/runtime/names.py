"""Names of files: those that any disk and archive can hold, and what an ending is."""

import re
from collections.abc import Collection
from pathlib import Path, PurePath

from gannet.runtime.digests import number
from gannet.runtime.wording import legible

LONGEST_NAME = 255
"""Bytes of a name that disks allow."""
PACKED = ".gz"
"""The ending of what gzip packed."""
LIKE_AN_ENDING, LONGER = re.compile(r"\.[a-z]{3,4}"), {".parquet", ".safetensors", ".jp2", ".mp4"}
"""What is taken for the ending of a format: what looks like one, and formats that do not."""


def at_home(path: str | Path) -> Path:
    """Give a path whose `~` stands for a home folder; ValueError, in one sentence, where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"There is no home folder for {path}; name it in full.") from None


def whole_suffix(path: str | PurePath) -> str:
    """Give a file's ending as it is written, with the one before it where gzip packed the file, as in `.nii.gz`."""
    *_, before, last = ("", "", *PurePath(path).suffixes)
    return before + last if last.lower() == PACKED else last


def whole_stem(path: str | PurePath) -> str:
    """Give a file's name less all of its ending."""
    name = PurePath(path).name
    return name[: len(name) - len(whole_suffix(name))]


def file_ending(path: str | PurePath) -> str:
    """Give a file's whole ending in lower case, as media list theirs."""
    return whole_suffix(path).lower()


def format_ending(path: Path, known: Collection[str] = ()) -> str:
    """Give the ending that tells a file's format, in lower case; nothing where a dot begins none, as in `x_s0.3`.

    Three or four letters are taken for one, so that a slip (`grid.pgn`) is told and makes no folder.

    Args:
        known: further endings.
    """
    if (whole := file_ending(path)) in known:
        return whole
    found = path.suffix.lower()
    return found if found in LONGER or LIKE_AN_ENDING.fullmatch(found) else ""


def shortened(stem: str, ending: str = "", room: int = LONGEST_NAME) -> str:
    """Give a file's name that any disk and archive can hold: in UTF-8, and not too long.

    Of one that is too long, what is cut off is told by eight digits.

    Args:
        room: bytes that it may have.
    """
    stem, ending = legible(stem), legible(ending)
    whole = f"{stem}{ending}".encode()
    if len(whole) <= room:
        return f"{stem}{ending}"
    kept = stem.encode()[: max(1, room - len(ending.encode()) - 9)].decode("utf-8", "ignore")
    return f"{kept}-{number(whole) % 16**8:08x}{ending}"
