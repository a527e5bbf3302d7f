"""NumPy's .npz files, streamed member by member and never unpickled."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gannet.data.records import VALUE, Chunk, Labels, Record, digest, file_stamp, records_of, rows_per_chunk, unread
from gannet.data.sources.folder import MOST_DEFLATED
from gannet.data.sources.labels import MOST_LETTERS, ClassTable
from gannet.data.sources.layout import in_utf8
from gannet.data.sources.levels import Levels
from gannet.data.sources.npy import read_header
from gannet.media.arrays import channels_last
from gannet.media.pixels import refuse_huge_sides

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
        self._levels = Levels(str(path), {part.images.dtype for part in self._parts}, self._values)

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes.

        What of it is read in another way than it once was has another, so that no older cache is taken for it.
        """
        blank = ["an empty word is no class"] if self._table.blank else []
        return digest(["npz", file_stamp(self._path, ""), *self._levels.words(), *blank])

    def notes(self) -> Iterator[str]:
        """Say how its numbers are read where that is not plain."""
        return self._levels.notes(self.name)

    def count(self) -> int:
        """Give the number of samples."""
        return sum(part.images.shape[0] for part in self._parts)

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        for part in self._parts:
            start, every = 0, self._labels(part)
            for values in self._blocks(part.images):
                pixels = self._levels.of(values if values.ndim == 3 else channels_last(values))
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
        shape, fortran, dtype = read_header(head, self._path, name)
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

    def _values(self, kinds: str) -> Iterator[npt.NDArray[Any]]:
        """Give the numbers of the pictures whose type is of these kinds."""
        parts = [part for part in self._parts if part.images.dtype.kind in kinds]
        return chain.from_iterable(self._blocks(part.images) for part in parts)


def _first(members: dict[str, _Member], names: tuple[str, ...]) -> _Member | None:
    return next((members[name] for name in names if name in members), None)
