"""NumPy's .npz files, streamed member by member and never unpickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gannet.data.records import VALUE, Chunk, Labels, Record, digest, file_stamp, records_of, rows_per_chunk, unread
from gannet.media.pixels import Pixels, refuse_huge_sides

NAMES = {
    "train": (("images", "x", "x_train", "train_images"), ("labels", "y", "y_train", "train_labels")),
    "test": (("x_test", "test_images"), ("y_test", "test_labels")),
}
MOST_CLASSES = 100_000
MOST_BYTES = 4096
"""Of one label: 1,024 letters. A header may claim any number."""


@dataclass(frozen=True)
class _Member:
    """An array in the file: its name, shape and type, read from its header alone."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Part:
    images: _Member
    labels: npt.NDArray[Any] | None
    split: str


class NpzFile:
    """An .npz of pictures (n h w, n h w c or n c h w), with labels and a test split where it names them."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        try:
            self._parts = self._find_parts()
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ValueError(f"{path} is cut short or no .npz file; save it again with numpy.savez.") from error
        self.classes = _class_names([part.labels for part in self._parts if part.labels is not None], path)
        self._range: tuple[float, float] | None = None

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["npz", file_stamp(self._path, "")])

    def count(self) -> int:
        """Give the number of samples."""
        return sum(part.images.shape[0] for part in self._parts)

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        for part in self._parts:
            start = 0
            for values in self._blocks(part.images):
                pixels = self._to_bytes(_channels_last(values))
                labels = self._labels(part)[start : start + len(pixels)]
                yield Chunk({VALUE: pixels}, labels, part.split, start)
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
            shape, fortran, dtype = _read_header(stream, self._path)
        if dtype.hasobject:
            raise ValueError(
                f"{self._path} holds Python objects in {name}, which can run code when opened and is never "
                "done here; "
                "save plain arrays with numpy.savez."
            )
        if fortran and len(shape) > 2:
            raise ValueError(f"{self._path} holds {name} in Fortran order; save numpy.ascontiguousarray of it.")
        return _Member(name, shape, dtype)

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
        if math.prod(labels.shape) != images.shape[0] or kind not in "buiU" or size > MOST_BYTES:
            raise ValueError(
                f"{self._path} holds {labels.name} of {labels.dtype} with shape {labels.shape} for "
                f"{images.shape[0]} "
                "pictures; give one whole number or word for each picture."
            )
        with np.load(self._path, allow_pickle=False) as arrays:
            values: npt.NDArray[Any] = arrays[labels.name.removesuffix(".npy")]
        return values.reshape(-1)

    def _labels(self, part: _Part) -> Labels:
        if part.labels is None:
            return np.full(part.images.shape[0], -1, np.int64)
        if part.labels.dtype.kind == "U":
            return np.searchsorted(np.array(self.classes), part.labels).astype(np.int64)
        return part.labels.astype(np.int64)

    def _blocks(self, member: _Member) -> Iterator[npt.NDArray[Any]]:
        """Read a member's rows a few megabytes at a time."""
        count, *size = member.shape
        row_bytes = math.prod(size) * member.dtype.itemsize
        rows = rows_per_chunk(row_bytes)
        with zipfile.ZipFile(self._path) as archive, archive.open(member.name) as stream:
            _read_header(stream, self._path)
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
        if values.dtype == np.uint8:
            return values
        low, _ = self._extremes()
        if values.dtype.kind == "f":
            offset, factor = (1.0, 127.5) if low < 0 else (0.0, 255.0)
            return np.rint((values + offset) * factor).astype(np.uint8)
        return values.astype(np.uint8) * (255 if values.dtype.kind == "b" else 1)

    def _extremes(self) -> tuple[float, float]:
        """Find the range over the whole file once: one picture cannot tell 0..1 from -1..1."""
        if self._range is None:
            blocks = (values for part in self._parts for values in self._blocks(part.images))
            ends = [(float(values.min()), float(values.max())) for values in blocks if values.size]
            low, high = (float(f([end[i] for end in ends])) for i, f in ((0, np.min), (1, np.max)))
            floating = self._parts[0].images.dtype.kind == "f"
            allowed = (-1.0, 1.0) if floating else (0.0, 255.0)
            if not allowed[0] <= low <= high <= allowed[1]:  # also refuses NaN
                raise ValueError(
                    f"{self._path} holds pictures with values from {low:g} to {high:g}; scale "
                    "floating-point numbers "
                    "to 0..1 or -1..1 and whole numbers to 0..255."
                )
            self._range = low, high
        return self._range


def _first(members: dict[str, _Member], names: tuple[str, ...]) -> _Member | None:
    return next((members[name] for name in names if name in members), None)


def _read_header(stream: IO[bytes], path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except ValueError as error:
        raise ValueError(f"{path} holds something that is no NumPy array; save it again with numpy.savez.") from error
    return shape, fortran, dtype


def _channels_last(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if values.ndim == 4 and values.shape[3] not in (1, 3, 4):
        return np.moveaxis(values, 1, -1)
    return values


def _class_names(labels: list[npt.NDArray[Any]], path: Path) -> tuple[str, ...]:
    if not labels:
        return ()
    values = np.unique(np.concatenate(labels))
    if values.dtype.kind == "U":
        return tuple(str(value) for value in values)
    if len(values) and not -1 <= values[0] <= values[-1] < MOST_CLASSES:
        raise ValueError(
            f"{path} holds labels from {values[0]} to {values[-1]}; number the classes from 0 (at most "
            f"{MOST_CLASSES:,}"
            ") or give their names as text."
        )
    return tuple(str(label) for label in range(int(values[-1]) + 1 if len(values) else 0))
