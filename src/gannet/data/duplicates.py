"""Copies in a data set: exact by digest, near by difference hash, neither by comparing all pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gannet.data.records import rows_per_chunk
from gannet.media.pixels import Pixels

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

HAMMING = 3  # four bands of 16 bits: two hashes that differ in three bits agree in at least one band
BANDS = 4
WINDOW = 64  # neighbours compared within a band, so that no bucket, however large, costs more than its size
PAIRS_EACH = 16  # candidate pairs looked at, per picture: bounds the work on pictures that all look alike
FEWEST_PAIRS = 1_000_000
DIFFERENCE = 0.04 * 255  # mean absolute difference of near copies, in grey levels ...
CONTRAST = 0.05  # ... and relative to the picture's own mean deviation: strokes on black differ little by the level
AREAS = 16  # a side, at most
NOISE = 1.0  # grey levels that an encoder may change in any picture, even a flat one


@dataclass(frozen=True)
class Copies:
    """Groups of indices of pictures that are copies of one another, the largest first."""

    groups: tuple[tuple[int, ...], ...]

    @property
    def surplus(self) -> int:
        """Give how many pictures could go while one of each group stays."""
        return sum(len(group) - 1 for group in self.groups)


def find_exact(digests: Hashes) -> Copies:
    """Group pictures of equal digests (uint64, n)."""
    order = np.argsort(digests, kind="stable")
    bounds = np.flatnonzero(np.diff(digests[order])) + 1
    starts, ends = np.r_[0, bounds], np.r_[bounds, len(order)]
    repeated = ends - starts > 1
    return _largest_first(order[a:b].tolist() for a, b in zip(starts[repeated], ends[repeated], strict=True))


def find_near(images: Pixels, digests: Hashes) -> Copies:
    """Group pictures (uint8, n c h w) that nearly agree; of exact copies only the first counts.

    Two pictures are near copies when their hashes differ in at most three bits and their pixels by little,
    both in grey levels and against their contrast. The time is linear in n, but for a sort. A hash of mostly
    flat pictures is at the mercy of an encoder's noise: recompressed strokes on black may be missed.
    """
    _, first = np.unique(digests, return_index=True)
    kept = np.sort(first).astype(np.int64)
    hashes = hash_pictures(images)[kept]
    parent: dict[int, int] = {}
    for left, right in _candidates(hashes):
        alike = _verify(images, kept[left], kept[right])
        for one, other in zip(kept[left[alike]].tolist(), kept[right[alike]].tolist(), strict=True):
            parent[_root(parent, one)] = _root(parent, other)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in sorted({*parent, *parent.values()}):
        groups[_root(parent, index)].append(index)
    return _largest_first(groups.values())


def hash_pictures(images: Pixels) -> Hashes:
    """Give the 64-bit difference hashes (dHash) of pictures (uint8, n c h w)."""
    count, channels, height, width = images.shape
    down, across = area_weights(height, 8), area_weights(width, 9).T
    hashes = np.empty(count, np.uint64)
    rows = rows_per_chunk(4 * channels * height * width)
    for start in range(0, count, rows):
        grey = images[start : start + rows].mean(axis=1, dtype=np.float32)
        small = down @ (grey @ across)
        bits = np.diff(small, axis=2) > 0.5  # half a grey level: rounding must not decide in flat areas
        hashes[start : start + rows] = np.packbits(bits.reshape(-1, 64), axis=1).view(np.uint64)[:, 0]
    return hashes


def area_weights(length: int, parts: int) -> npt.NDArray[np.float32]:
    """Give the (parts, length) matrix that averages pixels over equal areas, fractions of pixels included."""
    edges = np.linspace(0, length, parts + 1)
    pixel = np.arange(length)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights: npt.NDArray[np.float32] = (np.clip(shared, 0, None) * (parts / length)).astype(np.float32)
    return weights


def _candidates(hashes: Hashes) -> Iterator[tuple[Indices, Indices]]:
    """Give pairs of positions whose hashes differ in at most three bits, nearest in a band's order first."""
    orders = [_band_order(_shuffle_bits(hashes), band) for band in range(BANDS)]
    budget = max(FEWEST_PAIRS, PAIRS_EACH * len(hashes))
    for step in range(1, min(WINDOW, len(hashes) - 1) + 1):
        for keys, order in orders:
            apart = keys[step:] ^ keys[:-step]
            found = np.flatnonzero(apart >> np.uint64(48) == 0)  # the band, rotated to the top, agrees
            found = found[count_bits(apart[found]) <= HAMMING][:budget]
            budget -= len(found)
            if len(found):
                yield order[found], order[found + step]


def _band_order(hashes: Hashes, band: int) -> tuple[Hashes, Indices]:
    turn = np.uint64(16 * band)
    keys = hashes << turn | hashes >> (np.uint64(64) - turn) if band else hashes
    order = np.argsort(keys, kind="stable")
    return keys[order], order


def _shuffle_bits(hashes: Hashes) -> Hashes:
    """Spread each band over the whole picture: the top rows of centred pictures are all the same."""
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1)
    shuffled = np.ascontiguousarray(bits[:, np.random.default_rng(0).permutation(64)])
    return np.packbits(shuffled, axis=1).view(np.uint64)[:, 0]


def count_bits(values: Hashes) -> npt.NDArray[np.uint64]:
    """Count the ones of each number, by halves (NumPy 1 has no function for it)."""
    values = values - ((values >> np.uint64(1)) & np.uint64(0x5555555555555555))
    pairs = np.uint64(0x3333333333333333)
    values = (values & pairs) + ((values >> np.uint64(2)) & pairs)
    values = (values + (values >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    with np.errstate(over="ignore"):
        return values * np.uint64(0x0101010101010101) >> np.uint64(56)


def _verify(images: Pixels, left: Indices, right: Indices) -> npt.NDArray[np.bool_]:
    """Compare the pixels of pairs, averaged over areas, in which an encoder's noise cancels out."""
    height, width = images.shape[2:]
    down, across = area_weights(height, min(height, AREAS)), area_weights(width, min(width, AREAS)).T
    alike = np.empty(len(left), np.bool_)
    rows = rows_per_chunk(4 * int(np.prod(images.shape[1:])))
    for start in range(0, len(left), rows):
        part = slice(start, start + rows)
        pair = (images[side[part]].astype(np.float32) for side in (left, right))
        one, other = ((down @ (pixels @ across)).reshape(len(pixels), -1) for pixels in pair)
        difference = np.abs(one - other).mean(axis=1)
        deviation = np.abs(one - one.mean(axis=1, keepdims=True)).mean(axis=1)
        alike[part] = difference <= np.minimum(DIFFERENCE, np.maximum(NOISE, CONTRAST * deviation))
    return alike


def _root(parent: dict[int, int], index: int) -> int:
    """Find the group of an index, shortening the way there."""
    while (above := parent.setdefault(index, index)) != index:
        parent[index] = parent[above]
        index = above
    return index


def _largest_first(groups: Iterable[Iterable[int]]) -> Copies:
    return Copies(tuple(sorted((tuple(group) for group in groups), key=lambda group: (-len(group), group))))
