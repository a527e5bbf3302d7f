"""Slices of a volume, as pictures."""

from typing import Literal, TypeAlias, get_args

import numpy as np
from PIL import Image

from gannet.media.medium import Pixels
from gannet.media.volume import WHITE, levels_of
from gannet.media.volumes import ALIKE, HELD, Volume, darkest_and_brightest

Plane: TypeAlias = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[Plane, ...] = get_args(Plane)
ACROSS = {"axial": 2, "coronal": 1, "sagittal": 0}
"""The axis that a plane lies across."""
LEAST = 0.5
"""The share of what the fullest slice holds that a slice has to hold."""
LARGEST = 8192
"""Pixels a side: a header may say that voxels are of any size."""


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
