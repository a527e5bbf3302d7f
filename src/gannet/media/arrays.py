"""Pictures as arrays and tensors: where their channels lie, and what their numbers mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gannet.media.pixels import refuse_huge_sides
from gannet.media.value_range import find_range

Numbers = npt.NDArray[Any]
Levels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
CHANNELS = (1, 3, 4)
"""How many channels a picture may have: grey, colour, or colour with transparency."""
LAST, FIRST = -1, -3
"""The axes that channels may lie along: NumPy's pictures have them last as a rule, PyTorch's first."""
SHAPES = "(height, width), (height, width, channels) or (channels, height, width), with 1, 3 or 4 channels"
WHITE = 65535
"""What white is in sixteen bits."""


def pictures_of(given: object) -> Numbers | None:
    """Give pictures in an array or a tensor as `channels_last` does, of which a tensor's have channels first in doubt.

    Returns:
        None where it is neither array nor tensor.
    """
    if isinstance(given, Tensor):
        return channels_last(_as_array(given), (FIRST, LAST))
    return channels_last(given) if isinstance(given, np.ndarray) else None


def picture_of(given: object) -> Numbers | None:
    """Give one picture (h, w), (h, w, c) or (c, h, w) as (h, w, c); see `pictures_of`."""
    pictures = pictures_of(given[None]) if isinstance(given, np.ndarray | Tensor) else None
    return None if pictures is None else pictures[0]


def picture_levels(given: object) -> Levels:
    """Give the levels of a picture in an array or a tensor, (h, w, c) of eight or sixteen bits.

    Floats lie in 0..1 and become sixteen bits, so that none of them is lost.

    Raises:
        ValueError: it is no picture, or its numbers are others; one sentence.
    """
    try:
        picture = picture_of(given)
        if picture is None:
            raise ValueError(f"it is {type(given).__name__}; give a path, a file's content, Pillow's, or an array")
        return _levels_of(np.ascontiguousarray(picture))
    except ValueError as error:
        raise ValueError(f"The picture in memory cannot be used: {error}.") from None


def _levels_of(picture: Numbers) -> Levels:
    if picture.dtype in (np.uint8, np.uint16):
        return picture
    if picture.dtype.kind == "b":
        return picture.astype(np.uint8) * np.uint8(255)
    if picture.dtype.kind != "f":
        raise ValueError(f"its numbers are {picture.dtype}; give uint8, uint16, or floats in 0..1")
    try:
        find_range([picture], ((0.0, 1.0),), few=0)
    except ValueError as error:
        raise ValueError(f"its numbers reach {error}; scale floats to 0..1") from None
    return np.rint(picture.clip(0, 1).astype(np.float64) * WHITE).astype(np.uint16)


def _as_array(tensor: Tensor) -> Numbers:
    try:
        tensor = tensor.detach().cpu()
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"a tensor of {tensor.dtype} cannot be read ({error})") from None


def channels_last(values: Numbers, axes: tuple[int, ...] = (LAST, FIRST)) -> Numbers:
    """Give pictures (n, h, w), (n, h, w, c) or (n, c, h, w) as (n, h, w, c), not copied.

    Args:
        axes: where channels are looked for; the first that may be theirs is.

    Raises:
        ValueError: they are no pictures, or too large ones; without a full stop.
    """
    shape = values.shape[1:]
    found = [axis for axis in axes if len(shape) == 3 and shape[axis] in CHANNELS]
    if values.dtype.kind not in "buif" or 0 in shape or not (found or len(shape) == 2):
        raise ValueError(f"{values.dtype} of shape {shape} is no picture; one is numbers of shape {SHAPES}")
    pictures = np.moveaxis(values, found[0], LAST) if found else values[..., None]
    refuse_huge_sides(*pictures.shape[1:3])
    return pictures
