"""A quick look at a source before it is cached."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from gannet.data.decoding import describe, reason
from gannet.data.pictures import GREY_MODES, read_picture
from gannet.data.records import Chunked, Picture, Record, Sampled, Source


@dataclass(frozen=True)
class Survey:
    """What a sample of a source looks like."""

    count_seen: int
    """Readable pictures in the sample."""
    median_side: int
    """Median of min(width, height), in pixels."""
    channels: int
    """1 when every sampled picture is grey, in its pixels if not in its mode; else 3."""
    sizes: dict[str, int]
    modes: dict[str, int]


def fitting_size(median_side: float, largest: int) -> int:
    """The pixels a side to bring pictures to: near their own median, a multiple of 4, from 8 to `largest`."""
    return min(largest, max(8, round(median_side) // 4 * 4))


def survey(source: Source, most: int = 256) -> Survey:
    """Look at up to `most` pictures, spread over the source.

    Headers are enough, but for pictures in a colour mode: they are decoded until one has colour.
    Raises ValueError when none can be read.
    """
    sides: list[int] = []
    sizes, modes = Counter[str](), Counter[str]()
    coloured, first_error = False, ""
    for record in sample(source, most):
        try:
            picture = record.read()
            (width, height), mode = describe(picture)
            coloured = coloured or _has_colour(picture, mode)
        except Exception as error:  # a broken file makes decoders raise anything; the cache will name it
            first_error = first_error or f"{record.name}: {reason(error)}"
            continue
        sides.append(min(width, height))
        sizes[f"{width}x{height}"] += 1
        modes[mode] += 1
    if not sides:
        found = f"no readable picture (first {first_error})" if first_error else "no pictures"
        raise ValueError(f"{source.name} holds {found}; give at least two, and hundreds to learn anything.")
    side = round(statistics.median(sides))
    return Survey(len(sides), side, 3 if coloured else 1, dict(sizes.most_common()), dict(modes.most_common()))


def count_learned(source: Source, most: int) -> int:
    """How many pictures there are but for the source's own test pictures, at most `most`; nothing is read."""
    return sum(1 for _ in islice((record for record in source.records() if record.split != "test"), most))


def sample(source: Source, most: int) -> Iterator[Record]:
    """Give about `most` pictures, spread over the source where that takes no reading."""
    if isinstance(source, Sampled):
        return islice(source.sample(most), most)
    if isinstance(source, Chunked):
        return islice(source.records(), most)
    return iter(_spread(source.records(), most))


def _spread(records: Iterator[Record], most: int) -> list[Record]:
    """Keep every k-th record, doubling k whenever too many are kept: the count need not be known."""
    kept: list[Record] = []
    stride = 1
    for position, record in enumerate(records):
        if position % stride == 0:
            kept.append(record)
        if len(kept) > 2 * most:
            kept, stride = kept[::2], 2 * stride
    count = min(most, len(kept))
    return [kept[index * len(kept) // count] for index in range(count)]


def _has_colour(picture: Picture, mode: str) -> bool:
    if mode in GREY_MODES:
        return False
    if isinstance(picture, Image.Image):
        picture.draft("RGB", (64, 64))  # colour shows at any size
    pixels = read_picture(picture, 3)
    return not bool(np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 1], pixels[..., 2]))
