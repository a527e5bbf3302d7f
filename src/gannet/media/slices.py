"""Slices of a volume, as pictures."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from PIL import Image

from gannet.media import label_volume, volume
from gannet.media.label_map import colour_table
from gannet.media.medium import Pixels
from gannet.media.volume import WHITE, as_volume, levels_of
from gannet.media.volumes import ALIKE, HELD, Volume, darkest_and_brightest

Plane: TypeAlias = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[Plane, ...] = get_args(Plane)
ACROSS = {"axial": 2, "coronal": 1, "sagittal": 0}
"""The axis that a plane lies across."""
LEAST = 0.5
"""The share of what the fullest slice holds that a slice has to hold."""
LARGEST = 8192
"""Pixels a side: a header may say that voxels are of any size."""
MOST_ON_SHEET = 128
"""Slices of a plane, and pixels a side of each, on a sheet; of what has more every second one, or fewer."""
LAID_OVER = 150
"""How much of what lies under a label is covered by its colour, of 255."""


@dataclass(frozen=True)
class SliceSheet:
    """All slices of a plane beside each other on one picture, row by row from the left.

    Attributes:
        plane: which one.
        picture: of levels of grey, or of colours that may be seen through where it shows labels.
        count: slices on it.
        columns: slices in a row.
        shape: how much wider than high a slice is, in millimetres.
    """

    plane: Plane
    picture: Image.Image
    count: int
    columns: int
    shape: float


def slice_sheets(file: Path, medium: Literal["volume", "label-volume"] = "volume") -> list[SliceSheet]:
    """Give all slices of a scan in the three planes; the front or the top up, right to the right.

    Args:
        medium: what the file holds; numbers of regions become colours to be laid over a scan.

    Raises:
        ValueError: it cannot be read; one sentence.
    """
    labels = medium == label_volume.medium.name
    read = as_volume(label_volume.medium.open(file) if labels else volume.medium.open(file))
    steps = tuple(slice(None, None, math.ceil(side / MOST_ON_SHEET)) for side in read.sides)
    if labels:
        numbers = label_volume.medium.numbers(read)[steps]
        seen = np.concatenate([colour_table(256)[numbers], (LAID_OVER * (numbers > 0))[..., None]], -1).astype(np.uint8)
    else:
        seen = levels_of(read.values[steps], *darkest_and_brightest(read.values))
    extents = [side * mm for side, mm in zip(read.sides, read.spacing, strict=True)]
    return [_sheet(seen, plane, extents) for plane in PLANES]


def _sheet(seen: Pixels, plane: Plane, extents: list[float]) -> SliceSheet:
    """Lay the slices of a plane of a volume (x, y, z) or (x, y, z, 4) beside each other."""
    wide, high = (one for axis, one in enumerate(extents) if axis != ACROSS[plane])
    slices = np.moveaxis(seen, ACROSS[plane], 0).swapaxes(1, 2)[:, ::-1]
    count, height, width = slices.shape[:3]
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    whole = np.zeros((rows * columns, *slices.shape[1:]), np.uint8)
    whole[:count] = slices
    laid = whole.reshape(rows, columns, *slices.shape[1:]).swapaxes(1, 2)
    return SliceSheet(
        plane,
        Image.fromarray(laid.reshape(rows * height, columns * width, *seen.shape[3:])),
        count,
        columns,
        wide / high,
    )


def slices_of(volume: Volume, plane: Plane) -> dict[int, Pixels]:
    """Give the slices of a plane that hold at least half as much as the fullest one, by their numbers.

    Returns:
        pictures uint8 (h, w) of square pixels, the front or the top up, right to the right (a sagittal one: the front),
        in the levels that the whole scan is brought to.
    """
    axis = ACROSS[plane]
    levels = np.moveaxis(levels_of(volume.values, *darkest_and_brightest(volume.values)), axis, 0)
    held = (levels > WHITE * HELD).sum((1, 2))
    wide, high = (one for other, one in enumerate(volume.spacing) if other != axis)
    wanted = np.flatnonzero((held > 0) & (held >= LEAST * held.max()))
    return {int(number): _square(levels[number].T[::-1], wide, high) for number in wanted}


def _square(pixels: Pixels, wide: float, high: float) -> Pixels:
    """Bring a picture (h, w) of pixels so wide and high, in millimetres, to square ones: the finer side's."""
    if abs(wide - high) < ALIKE * high:
        return np.ascontiguousarray(pixels)
    finest, (rows, columns) = min(wide, high), pixels.shape
    size = round(columns * wide / finest), round(rows * high / finest)
    if max(size) > LARGEST:
        raise ValueError(
            f"its voxels are {wide:.3g} by {high:.3g} mm in this plane, so that its slices would have "
            f"{size[0]:,}x{size[1]:,} square pixels; mend its header, or choose another plane"
        )
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BILINEAR))
