"""NumPy's .npz files, streamed member by member and never unpickled."""

from __future__ import annotations

import functools
import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gannet.data.records import VALUE, Chunk, Labels, Record, digest, file_stamp, records_of, rows_per_chunk, unread
from gannet.data.sources.folder import MOST_DEFLATED
from gannet.data.sources.labels import MOST_LETTERS, ClassTable
from gannet.data.sources.layout import in_utf8
from gannet.media.pixels import Pixels, refuse_huge_sides
from gannet.media.value_range import ValueRange, find_range

NAMES = {
    "train": (("images", "x", "x_train", "train_images"), ("labels", "y", "y_train", "train_labels")),
    "test": (("x_test", "test_images"), ("y_test", "test_labels")),
}
MOST_BYTES = 4 * MOST_LETTERS
"""Of one label. A header may claim any number."""
MOST_HEADER = 64 << 10
"""Bytes of a member that are looked at for its header; NumPy reads none that is over 10,000."""


@dataclass(frozen=True)
class _Member:
    """An array in the file: its name, shape and type, read from its header alone."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    """Bytes before its values."""
    most: int
    """Bytes that it can hold at most."""


@dataclass(frozen=True)
class _Part:
    images: _Member
    given: npt.NDArray[Any] | None
    """Labels as they are in the file."""
    split: str


class NpzFile:
    """An .npz of pictures (n h w, n h w c or n c h w), with labels and a test split where it names them."""

    def __init__(self, path: Path) -> None:
        self.name = in_utf8(path.name)
        self._path = path
        try:
            self._parts = self._find_parts()
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"{path} is cut short or no .npz file; save it again with numpy.savez.") from error
        given = [part.given for part in self._parts if part.given is not None]
        self._table = ClassTable(chain.from_iterable(np.unique(one).tolist() for one in given), str(path))
        self.classes = self._table.names

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes.

        What of it is read in another way than it once was has another, so that no older cache is taken for it.
        """
        read = ["ranges by the bulk"] if self._holding("f") else ["0 and 1"] if self._is_binary else []
        blank = ["an empty word is no class"] if self._table.blank else []
        return digest(["npz", file_stamp(self._path, ""), *read, *blank])

    def notes(self) -> Iterator[str]:
        """Say how its numbers are read where that is not plain."""
        if self._is_binary:
            yield f"{self.name}: its whole numbers are 0 and 1 alone, and are read as black and white."
        ranges = [self._floats] if self._holding("f") else []
        ranges += [self._wholes] if any(part.images.dtype != np.uint8 for part in self._holding("iu")) else []
        yield from (f"{self.name}: {note}." for note in (one.note() for one in ranges) if note)

    def count(self) -> int:
        """Give the number of samples."""
        return sum(part.images.shape[0] for part in self._parts)

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        for part in self._parts:
            start, every = 0, self._labels(part)
            for values in self._blocks(part.images):
                pixels = self._to_bytes(_channels_last(values))
                yield Chunk({VALUE: pixels}, every[start : start + len(pixels)], part.split, start)
                start += len(pixels)

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        for record, _ in zip(self.records(), range(most), strict=False):
            yield record

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())

    def listed(self) -> Iterator[Record]:
        """Read the labels alone."""
        for part in self._parts:
            for row, label in enumerate(self._labels(part).tolist()):
                yield unread(f"{part.split or 'images'}[{row}]", label, part.split)

    def _find_parts(self) -> list[_Part]:
        with zipfile.ZipFile(self._path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            members = {name.removesuffix(".npy").lower(): self._header(archive, name) for name in names}
        found = [(split, _first(members, images), _first(members, labels)) for split, (images, labels) in NAMES.items()]
        if found[0][1] is None:
            found[0] = ("train", self._only_pictures(members), found[0][2])
        has_test = found[1][1] is not None
        parts = []
        for split, images, labels in found:
            if images is not None:
                parts.append(_Part(self._checked(images), self._load(labels, images), split if has_test else ""))
        return parts

    def _header(self, archive: zipfile.ZipFile, name: str) -> _Member:
        with archive.open(name) as stream:
            head = io.BytesIO(stream.read(MOST_HEADER))
        shape, fortran, dtype = _read_header(head, self._path)
        if dtype.hasobject:
            raise ValueError(
                f"{self._path} holds Python objects in {name}, which can run code when opened and is never done here; "
                "save plain arrays with numpy.savez."
            )
        if fortran and len(shape) > 2:
            raise ValueError(f"{self._path} holds {name} in Fortran order; save numpy.ascontiguousarray of it.")
        info, size = archive.getinfo(name), self._path.stat().st_size
        most = min(info.file_size, MOST_DEFLATED * min(info.compress_size, size))
        return _Member(name, shape, dtype, head.tell(), most)

    def _refuse_claims(self, member: _Member) -> None:
        """Believe no header that claims more than the file can hold."""
        claimed = member.start + math.prod(member.shape) * member.dtype.itemsize
        if claimed > member.most:
            raise ValueError(
                f"{self._path} claims {claimed:,} bytes in {member.name}, which it cannot hold; it is cut short or "
                "damaged, so save or copy it again."
            )

    def _only_pictures(self, members: dict[str, _Member]) -> _Member:
        pictures = [member for member in members.values() if len(member.shape) in (3, 4)]
        if len(pictures) != 1:
            held = ", ".join(f"{name} {member.shape}" for name, member in members.items()) or "nothing"
            raise ValueError(
                f"{self._path} holds {held}, in which the pictures are not clear; name the array of pictures "
                "'images' (n h w or n h w c)."
            )
        return pictures[0]

    def _checked(self, member: _Member) -> _Member:
        shape = member.shape
        fine = len(shape) == 3 or (len(shape) == 4 and (shape[3] in (1, 3, 4) or shape[1] in (1, 3, 4)))
        if not fine or 0 in shape[1:] or member.dtype.kind not in "buif":
            raise ValueError(
                f"{self._path} holds {member.name} of {member.dtype} with shape {shape}; pictures are "
                "numbers of shape "
                "(n, height, width) or (n, height, width, channels) with 1, 3 or 4 channels."
            )
        channels_last = len(shape) == 3 or shape[3] in (1, 3, 4)
        self._refuse_huge(member, shape[1:3] if channels_last else shape[2:])
        self._refuse_claims(member)
        return member

    def _refuse_huge(self, member: _Member, sides: tuple[int, ...]) -> None:
        """Its rows are read whole, and a header may claim any size."""
        try:
            refuse_huge_sides(*sides)
        except ValueError as error:
            raise ValueError(f"{self._path} holds {member.name} with shape {member.shape}: {error}.") from None

    def _load(self, labels: _Member | None, images: _Member) -> npt.NDArray[Any] | None:
        if labels is None:
            return None
        kind, size = labels.dtype.kind, labels.dtype.itemsize
        if math.prod(labels.shape) != images.shape[0] or kind not in "buifU" or size > MOST_BYTES:
            raise ValueError(
                f"{self._path} holds {labels.name} of {labels.dtype} with shape {labels.shape} for {images.shape[0]} "
                "pictures; give one whole number or word for each picture."
            )
        self._refuse_claims(labels)
        return np.concatenate([np.empty((0, *labels.shape[1:]), labels.dtype), *self._blocks(labels)]).reshape(-1)

    def _labels(self, part: _Part) -> Labels:
        if part.given is None:
            return np.full(part.images.shape[0], -1, np.int64)
        return self._table.numbers(part.given)

    def _blocks(self, member: _Member) -> Iterator[npt.NDArray[Any]]:
        """Read a member's rows a few megabytes at a time."""
        count, *size = member.shape
        row_bytes = math.prod(size) * member.dtype.itemsize
        rows = rows_per_chunk(row_bytes)
        with zipfile.ZipFile(self._path) as archive, archive.open(member.name) as stream:
            stream.read(member.start)
            for start in range(0, count, rows):
                expected = min(rows, count - start) * row_bytes
                try:
                    content = stream.read(expected)
                except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                    raise ValueError(f"{self._path} is damaged; save or copy it again.") from error
                if len(content) < expected:
                    raise ValueError(f"{self._path} is cut short; save or copy it again.")
                yield np.frombuffer(content, member.dtype).reshape(-1, *size)

    def _to_bytes(self, values: npt.NDArray[Any]) -> Pixels:
        match values.dtype.kind:
            case "b":
                return values.astype(np.uint8) * np.uint8(255)
            case "f":
                return self._floats.to_levels(values)
        if self._is_binary:
            return values.astype(np.uint8) * np.uint8(255)
        return values if values.dtype == np.uint8 else self._wholes.to_levels(values)

    def _holding(self, kinds: str) -> list[_Part]:
        """Give the parts whose pictures are numbers of these kinds."""
        return [part for part in self._parts if part.images.dtype.kind in kinds]

    def _values(self, kinds: str) -> Iterator[npt.NDArray[Any]]:
        return chain.from_iterable(self._blocks(part.images) for part in self._holding(kinds))

    @functools.cached_property
    def _is_binary(self) -> bool:
        """Tell whether whole numbers are 0 and 1 alone, which would be black; looks no further than to another."""
        highest = 0
        for values in self._values("iu"):
            if values.min() < 0 or values.max() > 1:
                return False
            highest = max(highest, int(values.max()))
        return highest == 1

    @functools.cached_property
    def _floats(self) -> ValueRange:
        """Find their range over the whole file once: one picture cannot tell 0..1 from -1..1."""
        return self._found("f", ((0.0, 1.0), (-1.0, 1.0)))

    @functools.cached_property
    def _wholes(self) -> ValueRange:
        return self._found("iu", ((0.0, 255.0),))

    def _found(self, kinds: str, ranges: Sequence[tuple[float, float]]) -> ValueRange:
        try:
            return find_range(self._values(kinds), ranges)
        except ValueError as error:
            raise ValueError(
                f"{self._path} holds pictures with values {error}; scale floating-point numbers to 0..1 or -1..1 and "
                "whole numbers to 0..255."
            ) from None


def _first(members: dict[str, _Member], names: tuple[str, ...]) -> _Member | None:
    return next((members[name] for name in names if name in members), None)


def _read_header(stream: IO[bytes], path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise ValueError(f"{path} holds something that is no NumPy array; save it again with numpy.savez.") from error
    if min(shape, default=0) < 0:
        raise ValueError(f"{path} holds an array of shape {shape}; save it again with numpy.savez.")
    return shape, fortran, dtype


def _channels_last(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if values.ndim == 4 and values.shape[3] not in (1, 3, 4):
        return np.moveaxis(values, 1, -1)
    return values
