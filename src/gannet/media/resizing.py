"""Photographs of another size, of as many bits."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from gannet.media.photograph import Photograph, Values
from gannet.media.pixels import refuse_huge_sides
from gannet.media.pyramid import visible


def height_at(width: int, size: tuple[int, int]) -> int:
    """Give the height of what has (width, height) once its width is another, in proportion."""
    return max(1, round(size[1] * width / size[0]))


def of_width(photograph: Photograph, width: int) -> Photograph:
    """Bring a photograph to so many pixels in width, in proportion; one that has them already stays bit for bit.

    Raises:
        ValueError: it would have more pixels than a picture may have.
    """
    height, own = photograph.values.shape[:2]
    if own == width:
        return photograph
    size = (width, height_at(width, (own, height)))
    refuse_huge_sides(*size)
    photograph = visible(photograph)
    channels = [_resized(photograph.values[..., channel], size) for channel in range(photograph.values.shape[2])]
    return photograph.with_values(cast(Values, np.stack(channels, 2).astype(photograph.values.dtype)))


def _resized(values: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """A channel (h, w), by Lanczos; Pillow resizes sixteen bits as floats."""
    deep = values.dtype == np.uint16
    picture = Image.fromarray(values.astype(np.float32) if deep else values)
    found = np.asarray(picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=None if deep else 3.0))
    rounded: npt.NDArray[Any] = np.rint(found).clip(0, np.iinfo(values.dtype).max)
    return rounded
