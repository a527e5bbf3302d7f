"""A baseline of segmentation that learns nothing: the mean label volume, registered to the scan by a shift."""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from gannet.runtime.later import later

signal = later("scipy.signal")

Values: TypeAlias = npt.NDArray[np.float64]
REACH = 0.25
"""The furthest shift, as a share of a side."""


@dataclass(frozen=True)
class Atlas:
    """The mean of scans that were registered to each other, and how often each id lies at a place.

    Attributes:
        mean: (d, h, w), of no mean and unit deviation.
        shares: (k, d, h, w), from 0 to 1; background is id 0.
    """

    mean: Values
    shares: Values

    @classmethod
    def fit(cls, scans: Values, labels: npt.NDArray[Any], classes: int) -> Self:
        """Average scans (n, d, h, w) and label volumes (n, d, h, w) of ids below `classes`.

        The scans are averaged as they lie, each is registered to that mean, and they are averaged again.
        """
        standard = np.stack([standardized(scan) for scan in scans])
        ids = np.stack([one_hot(volume, classes) for volume in labels])
        first = standardized(standard.mean(0))
        shifts = [best_shift(scan, first) for scan in standard]
        moved = [shifted(scan[None], by)[0] for scan, by in zip(standard, shifts, strict=True)]
        shares = np.mean([background_around(one, by) for one, by in zip(ids, shifts, strict=True)], 0)
        return cls(standardized(np.mean(moved, 0)), shares)

    def __call__(self, scan: Values) -> npt.NDArray[np.int64]:
        """Tell the ids of a scan (d, h, w): what is likeliest at each place once the atlas lies upon it."""
        by = best_shift(self.mean, standardized(scan))
        told: npt.NDArray[np.int64] = background_around(self.shares, by).argmax(0)
        return told


def best_shift(moving: Values, still: Values) -> tuple[int, ...]:
    """Find the shift in voxels, at most a fourth of a side, that makes one volume correlate most with another.

    Args:
        moving, still: (d, h, w) of no mean; what is shifted in counts as the mean.
    """
    backwards = moving[tuple(slice(None, None, -1) for _ in moving.shape)]
    found = signal.fftconvolve(still, backwards, mode="full")
    middle = [side - 1 for side in moving.shape]
    reach = [int(REACH * side) for side in moving.shape]
    near = found[tuple(slice(place - far, place + far + 1) for place, far in zip(middle, reach, strict=True))]
    best = np.unravel_index(near.argmax(), near.shape)
    return tuple(int(place) - far for place, far in zip(best, reach, strict=True))


def shifted(volumes: Values, by: tuple[int, ...]) -> Values:
    """Shift (k, d, h, w) by whole voxels, with zeros from outside."""
    moved = np.zeros_like(volumes)
    into = tuple(slice(max(0, step), side + min(0, step)) for step, side in zip(by, volumes.shape[1:], strict=True))
    out = tuple(slice(max(0, -step), side + min(0, -step)) for step, side in zip(by, volumes.shape[1:], strict=True))
    moved[(slice(None), *into)] = volumes[(slice(None), *out)]
    return moved


def background_around(shares: Values, by: tuple[int, ...]) -> Values:
    """Shift the shares of ids (k, d, h, w); what comes from outside is background."""
    moved = shifted(shares, by)
    moved[0] += 1 - moved.sum(0)
    return moved


def one_hot(labels: npt.NDArray[Any], classes: int) -> Values:
    """Give ids (d, h, w) as (k, d, h, w), 1 where the id is."""
    where: Values = (np.arange(classes)[:, None, None, None] == labels[None]).astype(np.float64)
    return where


def standardized(scan: npt.NDArray[Any]) -> Values:
    """Bring a scan to a mean of 0 and a deviation of 1; an even one to 0."""
    centred: Values = scan.astype(np.float64) - scan.mean()
    deviation = float(centred.std())
    return centred / deviation if deviation > 0 else centred
