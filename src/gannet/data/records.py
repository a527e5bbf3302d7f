"""What every source gives: records one by one, or chunks of equal arrays where it can."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Labels: TypeAlias = npt.NDArray[np.int64]

VALUE = "value"
"""What sources call the only part of their samples; a task's fields and a source's parts match by their order."""
LeftOut: TypeAlias = tuple[str, str]
"""The name of what is no sample, and why it is none; that of a folder has a slash at its end."""
CHUNK_BYTES = 4 << 20  # of values in one chunk: large enough that Python's cost per chunk vanishes


@dataclass(frozen=True)
class Record:
    """One sample that is not read yet."""

    name: str
    """How messages call it, such as `cats/3.png` or `train[17]`."""
    fields: Mapping[str, Callable[[], object]]
    """Gives each of its parts, the first that it is known by; may raise any error when a file is broken."""
    label: int = -1
    """Index into the source's classes; -1: none."""
    split: str = ""
    """`train` or `test` when the source says so, else empty."""
    encoded: Callable[[], bytes] | None = None
    """Gives the first part's file as it is, where it has one of its own."""
    group: str = ""
    """What it belongs to, such as a person or a film, where the source knows; no group is on both sides of a split."""
    size: Callable[[], int] | None = None
    """Gives the bytes of its files, or of what it holds of them already; where nothing is said they are few."""

    def read(self) -> object:
        """Read its first part."""
        return next(iter(self.fields.values()))()


@dataclass(frozen=True)
class Chunk:
    """Many samples of one size: `fields` (n, ...) by name, `labels` int64 (n,), -1 without."""

    fields: Mapping[str, Array]
    labels: Labels
    split: str
    start: int
    """Position of the first sample within its split."""

    @property
    def values(self) -> Array:
        """The first of its fields."""
        return next(iter(self.fields.values()))


class Source(Protocol):
    """Anything that gives samples; a source may also be `Chunked`, `Sampled`, `Counted` or `Selective`."""

    @property
    def name(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        ...

    def records(self) -> Iterator[Record]:
        """Give every sample, in an order that is always the same, holding few of them at a time."""
        ...


@runtime_checkable
class Chunked(Protocol):
    """A source of equal arrays, which are cached by the chunk and not one by one."""

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples as `records`, in the same order."""
        ...


@runtime_checkable
class Sampled(Protocol):
    """A source that can show samples from all over it without reading everything between them."""

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        ...


@runtime_checkable
class Counted(Protocol):
    """A source that knows how many samples it has before reading them."""

    def count(self) -> int:
        """Give the number of samples, those that turn out to be unreadable included."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A source beside whose samples lies what is never read."""

    def left_out(self) -> Iterator[LeftOut]:
        """Name what would be samples if it could be read, in an order that is always the same."""
        ...


@runtime_checkable
class Noted(Protocol):
    """A source that reads its samples in a way which is to be said."""

    def notes(self) -> Iterator[str]:
        """Say how they are read, a sentence each."""
        ...


@runtime_checkable
class Unclassed(Protocol):
    """A source that knows why what looks like a class in it is none."""

    def unclassed(self) -> str:
        """Say so, without a full stop; empty where nothing looks so."""
        ...


@runtime_checkable
class Listed(Protocol):
    """A source that knows what its samples are called without reading them, though its records hold what was read."""

    def listed(self) -> Iterator[Record]:
        """Give the same records as `records`, whose parts cannot be read."""
        ...


@runtime_checkable
class Continuous(Protocol):
    """A source whose groups are samples that follow one another, such as the parts of a film: of a long one the end may
    be held out alone."""

    continuous: bool


@runtime_checkable
class Unnamed(Protocol):
    """A source whose samples have no names but their positions; those of one that is `Chunked` never have."""

    unnamed: bool


def has_names(source: Source) -> bool:
    """Tell whether the names of samples say more than their positions."""
    return not isinstance(source, Chunked | Unnamed)


def listed(source: Source) -> Iterator[Record]:
    """Give every sample for its name, label and split alone, reading as little as the source allows."""
    return source.listed() if isinstance(source, Listed) else source.records()


def left_out_of(source: Source) -> tuple[LeftOut, ...]:
    """Give what lies beside the samples of a source and is never read."""
    return tuple(source.left_out()) if isinstance(source, Selective) else ()


def notes_of(source: Source) -> tuple[str, ...]:
    """Give what a source has to say of how its samples are read."""
    return tuple(source.notes()) if isinstance(source, Noted) else ()


def unread(name: str, label: int, split: str) -> Record:
    """Give a record that is listed only."""
    return Record(name, {VALUE: _refuse}, label, split)


def _refuse() -> object:
    raise AssertionError("a record that is only listed cannot be read")


def records_of(chunks: Iterable[Chunk]) -> Iterator[Record]:
    """Give the samples of chunks one by one, named by split and position."""
    for chunk in chunks:
        for offset, label in enumerate(chunk.labels.tolist()):
            fields = {name: partial(_given, values[offset]) for name, values in chunk.fields.items()}
            yield Record(f"{chunk.split or 'images'}[{chunk.start + offset}]", fields, label, chunk.split)


def _given(value: Array) -> Array:
    return value


def digest(parts: Iterable[str]) -> str:
    """Give the hex digest of a sequence of words, for fingerprints."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return state.hexdigest()


def file_stamp(path: Path, name: str) -> str:
    """Give the words that change when a file does: its name, size and time of change in nanoseconds.

    One that went away since it was listed has a stamp as well: reading it will say so.
    """
    try:
        status = path.stat()
    except OSError:
        return f"{name} gone"
    return f"{name} {status.st_size} {status.st_mtime_ns}"


def rows_per_chunk(row_bytes: int) -> int:
    """Give how many rows of this many bytes make one chunk."""
    return max(1, CHUNK_BYTES // max(1, row_bytes))
