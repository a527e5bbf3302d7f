"""Do labelled regions have the sizes and shapes of real ones? Their distributions, held against those of real scans."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gannet.metrics.measure import Measure, draw_halves, measure
from gannet.runtime.later import later

stats = later("scipy.stats")
ndimage = later("scipy.ndimage")

Mask: TypeAlias = npt.NDArray[np.bool_]
Ids: TypeAlias = npt.NDArray[Any]
AXES = 3
FEWEST = 4
"""Scans a side, so that halves of them have two each."""


def region_shape(region: Mask, spacing: Sequence[float]) -> dict[str, float]:
    """Measure a region: its volume, what it extends along each axis, its surface, its elongation, and its pieces.

    The surface is that of the voxels' faces: exact for a box, up to a half too large where a surface is oblique, alike
    for all that are compared. Elongation is the shortest over the longest principal axis, 1 for a cube or a ball
    (pyradiomics calls it flatness). Pieces are connected by faces.

    Args:
        region: (d, h, w).
        spacing: millimetres from voxel to voxel along each axis.

    Returns:
        By name with its unit; of an empty region a volume and pieces of 0, and NaN for the rest.
    """
    sides = np.asarray(spacing, float)
    extents = [f"extent along axis {axis + 1} (mm)" for axis in range(AXES)]
    found = {"volume (mm3)": float(region.sum() * sides.prod()), "pieces": float(ndimage.label(region)[1])}
    if not region.any():
        return found | dict.fromkeys([*extents, "surface (mm2)", "elongation"], np.nan)
    places = np.argwhere(region)
    reach = (np.ptp(places, axis=0) + 1) * sides
    return found | {
        **dict(zip(extents, reach.tolist(), strict=True)),
        "surface (mm2)": _surface(region, sides),
        "elongation": _elongation(places * sides, sides),
    }


def _surface(region: Mask, sides: npt.NDArray[np.float64]) -> float:
    """The area of faces between a voxel of the region and one outside."""
    around = np.pad(region, 1).astype(np.int8)
    faces = [np.abs(np.diff(around, axis=axis)).sum() * sides.prod() / sides[axis] for axis in range(AXES)]
    return float(sum(faces))


def _elongation(places: npt.NDArray[np.float64], sides: npt.NDArray[np.float64]) -> float:
    """The square root of the least over the greatest variance along principal axes, of places (n, 3) in mm.

    A voxel is a box and no point: its own variance is added, so that a single one has a shape, too.
    """
    centred = places - places.mean(0)
    variances = np.linalg.eigvalsh(centred.T @ centred / len(places) + np.diag(sides**2 / 12))
    return float(np.sqrt(variances[0] / variances[-1]))


def shapes_of(labels: Ids, regions: Mapping[int, str], spacing: Sequence[float]) -> tuple[list[str], Tensor]:
    """Measure regions of label volumes (n, d, h, w): the measures' names, and a table of them (n, k).

    Args:
        regions: the names of the ids to measure.
        spacing: as in `region_shape`.
    """
    rows = [
        {
            f"{quantity} of {name}": value
            for number, name in regions.items()
            for quantity, value in region_shape(volume == number, spacing).items()
        }
        for volume in labels
    ]
    return list(rows[0]), torch.tensor([list(row.values()) for row in rows], dtype=torch.float64)


def measure_anatomy(
    real: Ids, fake: Ids, regions: Mapping[int, str], spacing: Sequence[float], seed: int
) -> list[Measure]:
    """Measure how far volumes and shapes of labelled regions are from real ones, each by its Wasserstein distance.

    In the quantity's own unit: by how much, on the mean, it would have to change from scan to scan, ranks kept. A
    region that a scan lacks counts as of no volume, and has no shape. The floor is what halves of the real ones score
    against each other.

    Args:
        real, fake: label volumes (n, d, h, w) and (m, d, h, w), on one grid.
        regions: the names of the ids to measure; the background is none.
        spacing: millimetres from voxel to voxel along each axis.

    Raises:
        ValueError: there are fewer than four scans of either, or no regions.
    """
    if min(len(real), len(fake)) < FEWEST or not regions:
        raise ValueError(
            f"Anatomy takes {FEWEST} real and {FEWEST} generated label volumes and a region; "
            f"given: {len(real)}, {len(fake)} and {len(regions)}."
        )
    names, known = shapes_of(real, regions, spacing)
    _, drawn = shapes_of(fake, regions, spacing)

    def distances(some: Tensor, others: Tensor) -> dict[str, float]:
        sides = zip(names, some.T.numpy(), others.T.numpy(), strict=True)
        present = ((name, one[~np.isnan(one)], other[~np.isnan(other)]) for name, one, other in sides)
        return {
            name: float(stats.wasserstein_distance(one, other)) for name, one, other in present if len(one) * len(other)
        }

    halves = draw_halves(len(real), len(fake), None, max(len(real), len(fake)), seed)
    return measure(distances, known, drawn, halves, "label volumes", "low")
