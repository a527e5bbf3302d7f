"""Sources that are arrays: MNIST's idx files, and digits stacked as channels."""

from __future__ import annotations

import functools
import gzip
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from gannet.data.records import (
    VALUE,
    Chunk,
    Chunked,
    Labels,
    LeftOut,
    Record,
    Source,
    digest,
    file_stamp,
    left_out_of,
    records_of,
    rows_per_chunk,
)
from gannet.data.sources.embedded import GARMENTS
from gannet.data.sources.folder import MOST_DEFLATED
from gannet.data.sources.labels import ClassTable
from gannet.data.sources.layout import in_utf8
from gannet.media.pixels import Picture, Pixels, read_picture, refuse_huge_sides

IDX_NAME = re.compile(r"(train|t10k)-images[.-]idx3-ubyte(\.gz)?")
IDX_FILE = re.compile(r"(train|t10k)-(images[.-]idx3|labels[.-]idx1)-ubyte(\.gz)?")
IDX_SPLITS = {"train": "train", "t10k": "test"}
KNOWN = {"fashion-mnist": GARMENTS}
"""What the classes of data sets are called whose files hold numbers alone, by the name of the folder."""


@dataclass(frozen=True)
class _IdxPart:
    """The images and labels files of one split, their headers read."""

    images: Path
    split: str
    shape: tuple[int, ...]
    labels: npt.NDArray[np.uint8] | None

    def every_label(self) -> Labels:
        """Give the labels, -1 for each picture where there are none."""
        return np.full(self.shape[0], -1, np.int64) if self.labels is None else self.labels.astype(np.int64)


class IdxFolder:
    """A folder of idx files with MNIST's names, gzipped or not; labels may be missing."""

    def __init__(self, folder: Path, files: Sequence[Path]) -> None:
        self.name = in_utf8(folder.name)
        names = sorted(path.name for path in files if IDX_NAME.fullmatch(path.name))
        by_split = {name.split("-")[0]: name for name in reversed(names)}  # an unpacked file goes before its .gz
        self._parts = [_open_part(folder, by_split[key]) for key in IDX_SPLITS if key in by_split]
        given = (part.labels for part in self._parts if part.labels is not None)
        numbers = ClassTable(chain.from_iterable(np.unique(one).tolist() for one in given), self.name).names
        known = KNOWN.get(folder.resolve().name, ())
        self.classes = known if len(known) == len(numbers) else numbers

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        labels = [digest([part.every_label().tobytes().hex()]) for part in self._parts]
        return digest(["idx", *(file_stamp(part.images, part.images.name) for part in self._parts), *labels])

    def count(self) -> int:
        """Give the number of samples."""
        return sum(part.shape[0] for part in self._parts)

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        for part in self._parts:
            yield from _read_part(part)

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        return _first_of_each(self, most)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())


def _first_of_each(source: Chunked, most: int) -> Iterator[Record]:
    """Arrays all have one size and mode, so the first chunk tells what there is to tell."""
    for chunk in source.arrays():
        fields = {name: values[:most] for name, values in chunk.fields.items()}
        yield from records_of([Chunk(fields, chunk.labels[:most], chunk.split, chunk.start)])
        return


def _open_part(folder: Path, name: str) -> _IdxPart:
    images = folder / name
    with _open_maybe_gzip(images) as stream:
        shape = _read_header(stream, images, 3)
    try:
        refuse_huge_sides(*shape[1:])
    except ValueError as error:
        raise ValueError(f"{images} holds pictures of {shape[1]}x{shape[2]}: {error}.") from None
    if _most_held(images) < 16 + math.prod(shape):
        raise ValueError(_cut_short(images))
    labels = None
    for candidate in (name, name.removesuffix(".gz"), name + ".gz"):
        path = folder / re.sub(r"images(.)idx3", r"labels\1idx1", candidate)
        if path.is_file():
            labels = _read_labels(path)
            break
    if labels is not None and len(labels) != shape[0]:
        raise ValueError(
            f"{images} holds {shape[0]} pictures but {path.name} beside it {len(labels)} labels; "
            "copy the pair again from one place."
        )
    return _IdxPart(images, IDX_SPLITS[name.split("-")[0]], shape, labels)


def _open_maybe_gzip(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _most_held(path: Path) -> int:
    """Give the most bytes that a file can hold, unpacked: no header is believed that claims more."""
    return path.stat().st_size * (MOST_DEFLATED if path.suffix == ".gz" else 1)


def _read_header(stream: BinaryIO, path: Path, dimensions: int) -> tuple[int, ...]:
    header = _read_exactly(stream, path, 4 + 4 * dimensions)
    if header[:4] != bytes([0, 0, 8, dimensions]):
        raise ValueError(
            f"{path} begins with {header[:4].hex()}, but an idx file of bytes in {dimensions} dimension(s) "
            "begins "
            f"with 0000080{dimensions}; give the original file, or a folder of pictures."
        )
    return tuple(int(size) for size in np.frombuffer(header, ">u4", offset=4))


def _read_exactly(stream: BinaryIO, path: Path, size: int) -> bytes:
    try:
        content = stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(_cut_short(path)) from error
    if len(content) < size:
        raise ValueError(_cut_short(path))
    return content


def _cut_short(path: Path) -> str:
    return f"{path} is cut short or damaged; copy or download it again."


def _read_labels(path: Path) -> npt.NDArray[np.uint8]:
    with _open_maybe_gzip(path) as stream:
        (count,) = _read_header(stream, path, 1)
        if _most_held(path) < 8 + count:
            raise ValueError(_cut_short(path))
        return np.frombuffer(_read_exactly(stream, path, count), np.uint8)


def _read_part(part: _IdxPart) -> Iterator[Chunk]:
    count, *size = part.shape
    row_bytes = math.prod(size)
    rows, every = rows_per_chunk(row_bytes), part.every_label()
    with _open_maybe_gzip(part.images) as stream:
        stream.read(16)
        for start in range(0, count, rows):
            labels = every[start : start + rows]
            content = _read_exactly(stream, part.images, len(labels) * row_bytes)
            yield Chunk({VALUE: np.frombuffer(content, np.uint8).reshape(-1, *size)}, labels, part.split, start)


STACKED = {"train": 128_000, "test": 26_000}
BASE_BYTES = 1 << 30  # what the base may take in memory; MNIST takes 55 MB


class StackedDigits:
    """Stacked MNIST: three grey digits drawn at random (always the same) as the channels of one picture.

    PacGAN, Lin et al. 2018: 1,000 classes, label 100 a + 10 b + c; 128,000 pictures to train, 26,000 to test.
    """

    classes = tuple(f"{label:03d}" for label in range(1000))

    def __init__(self, base: Source) -> None:
        if len(base.classes) != 10:
            raise ValueError(
                f"{base.name} has {len(base.classes)} classes, but stacking joins three digits of ten "
                "classes; "
                "leave data.stack at 1, or give digits or mnist."
            )
        self._base = base
        self.name = f"{base.name}-stacked"

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["stacked", "1", self._base.fingerprint()])

    def count(self) -> int:
        """Give the number of samples."""
        return sum(STACKED.values())

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        images, labels, _ = self._digits
        rows = rows_per_chunk(3 * images[0].size)
        for split, count in STACKED.items():
            drawn = self._draw(split)
            for start in range(0, count, rows):
                triples = drawn[start : start + rows]
                stacked = np.moveaxis(images[triples], 1, -1)  # n 3 h w -> n h w 3
                yield Chunk({VALUE: stacked}, labels[triples] @ np.array([100, 10, 1]), split, start)

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        return _first_of_each(self, most)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())

    def left_out(self) -> Iterator[LeftOut]:
        """Name what of its base is never read."""
        return iter(left_out_of(self._base))

    def _draw(self, split: str) -> Labels:
        """Draw (count, 3) positions of digits on this side of the base's split."""
        is_test = self._digits[2]
        side = np.flatnonzero(is_test if split == "test" else ~is_test)
        generator = np.random.default_rng([len(split), STACKED[split]])
        return side[generator.integers(0, len(side), (STACKED[split], 3))]

    @functools.cached_property
    def _digits(self) -> tuple[Pixels, Labels, npt.NDArray[np.bool_]]:
        parts: list[tuple[Pixels, Labels, str]] = []
        total = 0
        for images, labels, split in _grey_parts(self._base):
            total += images.nbytes
            first = parts[0][0] if parts else images
            if total > BASE_BYTES or images.shape[1:] != first.shape[1:] or -1 in labels:
                raise ValueError(
                    f"{self.name} cannot be made: the pictures to stack must be labelled, of one size, and "
                    "at most "
                    "1 GiB together; leave data.stack at 1, or give digits or mnist."
                )
            parts.append((images, labels, split))
        images = np.concatenate([part[0] for part in parts])
        is_test = np.repeat([part[2] == "test" for part in parts], [len(part[0]) for part in parts])
        if not 0 < is_test.sum() < len(is_test):  # the base has no split of its own: every tenth, at random
            is_test = np.random.default_rng(0).permutation(len(images)) % 10 == 0
        return images, np.concatenate([part[1] for part in parts]), is_test


def _grey_parts(source: Source) -> Iterator[tuple[Pixels, Labels, str]]:
    if isinstance(source, Chunked):
        for chunk in source.arrays():
            if chunk.values.ndim == 3:
                yield chunk.values, chunk.labels, chunk.split
                continue
            for pixels, label in zip(chunk.values, chunk.labels, strict=True):
                yield read_picture(pixels, 1)[None, ..., 0], np.array([label]), chunk.split
        return
    for record in source.records():
        yield read_picture(cast(Picture, record.read()), 1)[None, ..., 0], np.array([record.label]), record.split
