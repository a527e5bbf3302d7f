"""Sources become blocks of decoded pictures, in order, several threads at once."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt
from PIL import Image

from gannet.data.pictures import MIDDLE, convert_channels, fit_picture, read_picture
from gannet.data.records import Chunk, Chunked, Labels, Picture, Pixels, Record, Source
from gannet.parallel import cores, map_in_order

RECORDS_PER_TASK = 16
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Target:
    """What every picture of a cache is brought to."""

    channels: int
    height: int
    width: int
    fit: str
    group: str = ""
    """A regular expression on names whose first group tells what belongs together; empty: nothing does."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Give (channels, height, width)."""
        return self.channels, self.height, self.width


@dataclass(frozen=True)
class Block:
    """Some decoded pictures: uint8 (n c h w), int64 (n,), bool (n,), uint64 (n,), and what was seen on the way."""

    images: Pixels
    labels: Labels
    is_test: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.uint64]
    sizes: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def decode(source: Source, target: Target) -> Iterator[Block]:
    """Give all pictures of a source, in its order; only a bounded window of them is in memory."""
    if isinstance(source, Chunked):
        return map_in_order(partial(_decode_chunk, target), source.arrays(), _workers())
    return map_in_order(partial(_decode_records, target), _batches(source.records()), _workers())


def _workers() -> int:
    return max(2, min(8, cores()))


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(records, RECORDS_PER_TASK)):
        yield batch


def _decode_chunk(target: Target, chunk: Chunk) -> Block:
    images = chunk.images if chunk.images.ndim == 4 else chunk.images[..., None]
    count, height, width, channels = images.shape
    converted = convert_channels(images, target.channels)
    if (height, width) == (target.height, target.width):
        fitted = np.ascontiguousarray(np.moveaxis(converted, -1, 1))
    else:
        fitted = np.stack([fit_picture(pixels, *target.shape[1:], target.fit) for pixels in converted])
    seen = Counter({f"{width}x{height}": count}), Counter({MODES[channels]: count})
    return Block(fitted, chunk.labels, np.full(count, chunk.split == "test"), np.zeros(count, np.uint64), *seen)


def _decode_records(target: Target, records: list[Record]) -> Block:
    sizes, modes = Counter[str](), Counter[str]()
    images, labels, is_test, groups, skipped = [], [], [], [], []
    for record in records:
        try:
            picture = record.read()
            size, mode = describe(picture)
            images.append(_fitted(picture, target))
        except Exception as error:  # a broken file makes decoders raise anything; the run goes on without it
            skipped.append((record.name, reason(error)))
            continue
        labels.append(record.label)
        is_test.append(record.split == "test")
        groups.append(group_of(record.name, target.group))
        sizes[f"{size[0]}x{size[1]}"] += 1
        modes[mode] += 1
    stacked = np.stack(images) if images else np.empty((0, *target.shape), np.uint8)
    known = np.array(labels, np.int64), np.array(is_test, np.bool_), np.array(groups, np.uint64)
    return Block(stacked, *known, sizes, modes, skipped)


def group_of(name: str, pattern: str) -> int:
    """Give a number for what a picture belongs to by its name, its own where the pattern does not match; 0 without."""
    found = re.search(pattern, name) if pattern else None
    word = name if found is None or found[1] is None else f"group {found[1]}"
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little") if pattern else 0


def _fitted(picture: Picture, target: Target) -> Pixels:
    if isinstance(picture, Image.Image) and target.fit != MIDDLE:
        # JPEG decodes to 1/2, 1/4 or 1/8 in a fraction of the time; twice the side leaves Lanczos its work.
        side = 2 * max(target.height, target.width)
        picture.draft(None, (side, side))
    return fit_picture(read_picture(picture, target.channels), target.height, target.width, target.fit)


def describe(picture: Picture) -> tuple[tuple[int, int], str]:
    """Give ((width, height), mode) of a picture from its header."""
    if isinstance(picture, Image.Image):
        return picture.size, picture.mode
    height, width = picture.shape[:2]
    return (width, height), MODES.get(1 if picture.ndim == 2 else picture.shape[-1], "?")


def reason(error: Exception) -> str:
    """Give one line that tells the user what was wrong."""
    lines = str(error).splitlines()
    return lines[0] if lines and lines[0] else type(error).__name__
