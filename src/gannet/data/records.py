"""What every source of pictures gives: records one by one, or chunks of equal arrays where it can."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]
Labels: TypeAlias = npt.NDArray[np.int64]
Picture: TypeAlias = Image.Image | Pixels

CHUNK_BYTES = 4 << 20  # of pixels in one chunk: large enough that Python's cost per chunk vanishes


@dataclass(frozen=True)
class Record:
    """One picture that is not read yet."""

    name: str
    """How messages call it, such as `cats/3.png` or `train[17]`."""
    read: Callable[[], Picture]
    """Gives the picture; may raise any error when the file is broken."""
    label: int = -1
    """Index into the source's classes; -1: none."""
    split: str = ""
    """`train` or `test` when the source says so, else empty."""
    encoded: Callable[[], bytes] | None = None
    """Gives the picture's file as it is, where it has one of its own."""


@dataclass(frozen=True)
class Chunk:
    """Many pictures of one size: `images` uint8 (n h w) or (n h w c), `labels` int64 (n,), -1 without."""

    images: Pixels
    labels: Labels
    split: str
    start: int
    """Position of the first picture within its split."""


class Source(Protocol):
    """Anything that gives pictures; a source may also be `Chunked`, `Sampled` or `Counted`."""

    @property
    def name(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        ...

    def records(self) -> Iterator[Record]:
        """Give every picture, in an order that is always the same, holding few of them at a time."""
        ...


@runtime_checkable
class Chunked(Protocol):
    """A source of equal arrays, which are cached by the chunk and not one by one."""

    def arrays(self) -> Iterator[Chunk]:
        """Give the same pictures as `records`, in the same order."""
        ...


@runtime_checkable
class Sampled(Protocol):
    """A source that can show pictures from all over it without reading everything between them."""

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` pictures, spread over the source."""
        ...


@runtime_checkable
class Counted(Protocol):
    """A source that knows how many pictures it has before reading them."""

    def count(self) -> int:
        """Give the number of pictures, those that turn out to be unreadable included."""
        ...


def records_of(chunks: Iterable[Chunk]) -> Iterator[Record]:
    """Give the pictures of chunks one by one, named by split and position."""
    for chunk in chunks:
        for offset, (pixels, label) in enumerate(zip(chunk.images, chunk.labels.tolist(), strict=True)):
            name = f"{chunk.split or 'images'}[{chunk.start + offset}]"
            yield Record(name, partial(_given, pixels), label, chunk.split)


def _given(pixels: Pixels) -> Picture:
    return pixels


def digest(parts: Iterable[str]) -> str:
    """Give the hex digest of a sequence of words, for fingerprints."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return state.hexdigest()


def file_stamp(path: Path, name: str) -> str:
    """Give the words that change when a file does: its name, size and time of change in nanoseconds."""
    status = path.stat()
    return f"{name} {status.st_size} {status.st_mtime_ns}"


def rows_per_chunk(row_bytes: int) -> int:
    """Give how many rows of this many bytes make one chunk."""
    return max(1, CHUNK_BYTES // max(1, row_bytes))
