"""Files that others made, read whole: none that is too large, and nothing that is no file."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO

LARGEST_FILE = 1 << 30
"""Bytes of one encoded value; a zip can claim to unpack to any size, and some files grow while they are read."""
HEAD = 32
"""Bytes, by which what is no such value is told before the rest is read."""
SPECIAL = "it is no regular file but a pipe, a socket or a device, which is never opened"
Check = Callable[[bytes], None]
"""Raises ValueError for the first bytes of what need not be read."""


def any_beginning(head: bytes) -> None:
    """Refuse nothing."""


def read_file(path: Path, check: Check = any_beginning) -> bytes:
    """Read a file whole, so that none stays open behind a value; raises what `open_file` and `read_bounded` do."""
    with open_file(path) as stream:
        return read_bounded(stream, check)


def open_file(path: Path) -> BinaryIO:
    """Open a file to be read; OSError where it cannot be, ValueError for what is none, or holds too many bytes."""
    refuse_huge(_size(path))
    return path.open("rb")


def open_large(path: Path) -> BinaryIO:
    """Open a file that is read in parts, and may be of any size; OSError and ValueError as of `open_file`."""
    _size(path)
    return path.open("rb")


def _size(path: Path) -> int:
    """Give the bytes of a regular file; ValueError for what is none."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):  # Of folders the system tells.
        raise ValueError(SPECIAL)
    return status.st_size


def read_bounded(stream: IO[bytes], check: Check = any_beginning) -> bytes:
    """Read a value whole; ValueError for one that is too large, and for what `check` refuses by its beginning."""
    head = stream.read(HEAD)
    check(head)
    content = head + stream.read(LARGEST_FILE + 1 - len(head))
    refuse_huge(len(content))
    return content


def refuse_huge(size: int) -> None:
    """Raise ValueError for an encoded value of too many bytes."""
    if size > LARGEST_FILE:
        raise ValueError(f"its file of {size:,} bytes is over the limit of {LARGEST_FILE:,}")
