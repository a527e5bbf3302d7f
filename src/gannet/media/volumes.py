"""Volumes as arrays: where their voxels lie, which of them hold something, and how they are brought to another grid."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gannet.provenance.metadata import Facts
from gannet.runtime.later import later

ndimage = later("scipy.ndimage")

Voxels: TypeAlias = npt.NDArray[Any]
Affine: TypeAlias = npt.NDArray[np.float64]
Triple: TypeAlias = tuple[float, float, float]
Sides: TypeAlias = tuple[int, int, int]
DARKEST, BRIGHTEST = 0.5, 99.5
"""Percentiles of a scan's intensities that become black and white: a few voxels of vessels or metal do not count."""
HELD, STRAY = 0.1, 0.01
"""The share of the way from black to white above which a voxel holds something, and the share of those voxels on each
side of an axis that do not tell where the content lies."""
STEP, LARGEST_AUTO_SIDE = 8, 64
"""What chosen sides are multiples of, and voxels a side that are chosen at most."""
ALIKE = 1e-3
"""Relative difference of two spacings that are the same: headers round."""
FEWEST_INSIDE = 0.5
"""The share of the labelled voxels that lies within the scan where a label volume is this scan's."""
MOST_VOXELS, LONGEST = 1 << 27, 4_096
"""Voxels of a volume at most, 512 a side; of one side at most: whole bodies have some 2,000 slices."""


@dataclass(frozen=True)
class Grid:
    """Where the voxels of a volume lie.

    Attributes:
        shape: voxels along each axis.
        affine: (4, 4), from voxels to millimetres to the right, to the front and upwards.
        middle: the voxel around which it is cropped.
    """

    shape: Sides
    affine: Affine
    middle: Triple


@dataclass(frozen=True)
class Volume:
    """A volume whose axes run to the right, to the front and upwards (RAS+).

    Attributes:
        values: float32 (x, y, z); of a label volume whole numbers.
        affine: float64 (4, 4), from voxels to millimetres.
        facts: what its file says of a model that had a hand in it.
        told: what there is to know of its file, a few words each.
        middle: the voxel around which it is cropped; None: the middle of what it holds.
    """

    values: Voxels
    affine: Affine
    facts: Facts = field(default_factory=dict)
    told: tuple[str, ...] = ()
    middle: Triple | None = None

    @property
    def spacing(self) -> Triple:
        """Millimetres from voxel to voxel along each axis."""
        return spacing_of(self.affine)

    @property
    def sides(self) -> Sides:
        """Voxels along each axis."""
        across, deep, high = self.values.shape
        return across, deep, high


@dataclass(frozen=True)
class Fit:
    """How volumes are brought to size.

    Attributes:
        size: voxels along each axis.
        spacing: millimetres from voxel to voxel; None: as each volume has them.
        way: `middle` crops or pads around a voxel, `stretch` brings all of a volume to size.
    """

    size: Sides
    spacing: Triple | None = None
    way: str = "middle"

    def places(self, grid: Grid) -> list[npt.NDArray[np.float64]]:
        """Give, for each axis, the voxels of a grid, and parts of them, that those of the result lie at."""
        sides, size = np.array(grid.shape), np.array(self.size)
        if self.way == "stretch":
            steps = sides / size
            corners = (steps - 1) / 2
        else:
            steps = self._steps(grid)
            first, last = (steps - 1) / 2, sides - (steps + 1) / 2 - steps * (size - 1)
            corners = (np.array(grid.middle) - steps * (size - 1) / 2).clip(first, np.maximum(first, last))
            corners = np.where(last < first, (first + last) / 2, corners)  # No side is padded while another is cropped.
            corners = np.where(steps == 1, np.floor(corners + 0.5), corners)  # What need not be is not interpolated.
        return [corner + step * np.arange(side) for corner, step, side in zip(corners, steps, self.size, strict=True)]

    def _steps(self, grid: Grid) -> npt.NDArray[np.float64]:
        """Give the voxels of a grid from one of the result to the next."""
        if self.spacing is None:
            return np.ones(3)
        steps: npt.NDArray[np.float64] = np.array(self.spacing) / np.array(spacing_of(grid.affine))
        return np.where(abs(steps - 1) < ALIKE, 1.0, steps)


class Look:
    """A look at scans, one by one.

    Args:
        spacing: to which they are resampled; None: they are not.
    """

    def __init__(self, spacing: Triple | None) -> None:
        self.asked = spacing
        self.extents: list[Triple] = []
        self.spacings: list[Triple] = []

    def add(self, volume: Volume) -> None:
        """Look at one more."""
        own = volume.spacing
        across, deep, high = (side * mm for side, mm in zip(volume.sides, own, strict=True))
        self.extents.append((across, deep, high))
        self.spacings.append(own)

    def spacing(self, sides: Sides, fit: str) -> Triple:
        """Give the spacing that volumes like these have once they are of a size: what is asked for, else their median
        one; where they are stretched, what their median extent comes to."""
        if fit == "stretch":
            found = [[mm / side for mm, side in zip(one, sides, strict=True)] for one in self.extents]
        elif self.asked is not None:
            return self.asked
        else:
            found = [list(one) for one in self.spacings]
        across, deep, high = (round(statistics.median(one), 4) for one in zip(*found, strict=True))
        return across, deep, high

    def counts(self) -> npt.NDArray[np.float64]:
        """Give the median of their voxels a side."""
        kinds = self.spacings if self.asked is None else [self.asked] * len(self.extents)
        counts = [np.divide(extent, mm) for extent, mm in zip(self.extents, kinds, strict=True)]
        return np.asarray(np.median(counts, axis=0))

    def roomy(self, sides: Sides) -> float | None:
        """Give the spacing in which most would fit into so many voxels, rounded up; None where they do."""
        if (self.counts() <= np.add(sides, STEP / 2)).all():  # Chosen sides are rounded.
            return None
        exact = float((np.median(self.extents, axis=0) / sides).max())
        return float(np.ceil(exact) if exact > 1 else np.ceil(exact * 10) / 10)

    def size(self) -> Sides:
        """Give the voxels a side near their own, multiples of 8."""
        sides = self.counts() / STEP
        across, deep, high = (STEP * min(LARGEST_AUTO_SIDE // STEP, max(1, int(side + 0.5))) for side in sides.tolist())
        return across, deep, high


def check_sides(sides: Sequence[int]) -> None:
    """Raise ValueError where a volume of so many voxels along each axis is larger than any scan."""
    if max(sides) > LONGEST:
        raise ValueError(f"a side of it has {max(sides):,} voxels, over the limit of {LONGEST:,}")
    if (count := prod(sides)) > MOST_VOXELS:
        raise ValueError(f"it has {count:,} voxels, over the limit of {MOST_VOXELS:,}")


def spacing_of(affine: Affine) -> Triple:
    """Give the millimetres from voxel to voxel along each axis."""
    across, deep, high = np.linalg.norm(affine[:3, :3], axis=0).tolist()
    return across, deep, high


def affine_of(spacing: Sequence[float], sides: Sequence[int]) -> Affine:
    """Give the affine (4, 4) of a volume in line with the axes, whose middle is the origin."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -np.array(spacing) * (np.array(sides) - 1) / 2
    return affine


def darkest_and_brightest(values: Voxels) -> tuple[float, float]:
    """Give the intensities that become black and white: percentiles of all that is not exactly 0, which is what
    programs write where nothing was measured."""
    measured = values[values != 0]
    if not measured.size:
        return 0.0, 1.0
    low, high = np.percentile(measured, [DARKEST, BRIGHTEST]).tolist()
    return (low, high) if high > low else (low, low + 1)


def middle_of(values: Voxels, above: float) -> Triple:
    """Give the middle of the voxels above a value, of which stray ones do not count; of none, that of the volume."""
    held = values > above
    if not held.any():
        return _middle_of_all(values)
    ends = [_ends(held.sum(tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    across, deep, high = ((first + last) / 2 for first, last in ends)
    return across, deep, high


def _middle_of_all(values: Voxels) -> Triple:
    across, deep, high = ((side - 1) / 2 for side in values.shape)
    return across, deep, high


def _ends(counts: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Give the first and the last place that hold more than stray ones."""
    sums = np.cumsum(counts)
    first, last = np.searchsorted(sums, [STRAY * sums[-1], (1 - STRAY) * sums[-1]], side="left")
    return int(first), int(last)


def grid_of(volume: Volume) -> Grid:
    """Give where a scan's voxels lie, and the middle of what it holds."""
    middle = volume.middle
    if middle is None:
        low, high = darkest_and_brightest(volume.values)
        middle = middle_of(volume.values, low + HELD * (high - low))
    return Grid(volume.sides, volume.affine, middle)


def interpolated(values: Voxels, places: Sequence[npt.NDArray[np.float64]], beyond: float) -> Voxels:
    """Give the values at places along each axis, float32: linearly between voxels, after what is finer than a coarser
    grid can hold was smoothed away.

    Args:
        beyond: the value outside of the volume.
    """
    found = np.asarray(values, np.float32)
    for axis, given in enumerate(places):
        step = float(given[1] - given[0]) if len(given) > 1 else 1.0
        if step > 1:  # A deviation of half of what lies between, as scikit-image's resize has it.
            deviation = (min(step, found.shape[axis]) - 1) / 2  # More than all of it is a slip of a header.
            found = ndimage.gaussian_filter1d(found, deviation, axis, mode="nearest")
        within = given.clip(0, found.shape[axis] - 1)
        lower = np.minimum(within.astype(np.int64), max(0, found.shape[axis] - 2))
        share = (within - lower).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(3)])
        upper = np.minimum(lower + 1, found.shape[axis] - 1)
        if share.any():
            found = found.take(lower, axis) * (1 - share) + found.take(upper, axis) * share
        else:
            found = found.take(lower, axis)
    return _without(found, values.shape, places, beyond)


def nearest(values: Voxels, places: Sequence[npt.NDArray[np.float64]], beyond: int) -> Voxels:
    """Give the values of the voxels nearest to places along each axis, as they are."""
    found = values
    for axis, given in enumerate(places):
        found = found.take(np.floor(given.clip(0, found.shape[axis] - 1) + 0.5).astype(np.int64), axis)
    return _without(found, values.shape, places, beyond)


def _without(found: Voxels, sides: Sequence[int], places: Sequence[npt.NDArray[np.float64]], beyond: float) -> Voxels:
    """Write a value where places lie outside of the outer voxels."""
    inside = [(given >= -0.5) & (given <= side - 0.5) for given, side in zip(places, sides, strict=True)]
    if all(one.all() for one in inside):
        return found
    first, second, third = inside
    return np.where(first[:, None, None] & second[:, None] & third, found, np.asarray(beyond, found.dtype))


def onto(labels: Volume, grid: Grid) -> Volume:
    """Bring a label volume to a scan's grid by nearest neighbours, to be cropped as that is.

    Raises:
        ValueError: most of what it labels lies outside of the scan.
    """
    if labels.sides == grid.shape and np.allclose(labels.affine, grid.affine, atol=ALIKE):
        return Volume(labels.values, grid.affine, labels.facts, labels.told, grid.middle)
    to_scan = np.linalg.inv(grid.affine) @ labels.affine
    share = _share_inside(labels.values, to_scan, grid.shape)
    if share < FEWEST_INSIDE:
        raise ValueError(
            f"of what its label volume labels {share:.0%} lies within the scan by their affines; save both with the "
            "same affine"
        )
    back = np.linalg.inv(to_scan)
    moved = ndimage.affine_transform(
        labels.values, back[:3, :3], back[:3, 3], grid.shape, order=0, mode="constant", cval=0
    )
    return Volume(moved, grid.affine, labels.facts, labels.told, grid.middle)


def _share_inside(values: Voxels, to_scan: Affine, sides: Sides) -> float:
    """Give the share of the labelled voxels that lies within a scan of so many; 1 where nothing is labelled.

    Plane by plane, since the places of all voxels take fifty times what the voxels do.
    """
    inside = labelled = 0
    for at, plane in enumerate(values):
        places = np.argwhere(plane) @ to_scan[:3, 1:3].T + (at * to_scan[:3, 0] + to_scan[:3, 3])
        inside += int(((places >= -0.5) & (places <= np.array(sides) - 0.5)).all(1).sum())
        labelled += len(places)
    return inside / labelled if labelled else 1.0
