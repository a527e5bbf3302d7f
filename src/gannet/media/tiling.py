"""Photographs of any size through a network, a tile at a time, as if all of it had gone through at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation.levels import from_levels, to_levels
from gannet.media.photograph import Photograph, Values

SIDE = 384


@dataclass(frozen=True)
class TiledOperation:
    """A network's computation where each pixel depends on its receptive field only, so that it can be done in tiles.

    Attributes:
        compute: maps (1, c, h, w) in [-1, 1] to (1, c', scale * h, scale * w).
        receptive_radius: how many pixels away a pixel still matters.
        scale: how many times larger the result is.
        stride: tiles begin at multiples of it; networks that halve pictures see the same pixels together then.
    """

    compute: Callable[[Tensor], Tensor]
    receptive_radius: int
    scale: int = 1
    stride: int = 1


def in_tiles(photograph: Photograph, operation: TiledOperation, side: int = SIDE) -> Photograph:
    """Compute what becomes of a photograph, in the memory of a tile and of the result.

    Tiles of `side` pixels overlap by the receptive radius; of each only the part that saw its whole receptive field is
    kept.
    """
    values, scale = photograph.values, operation.scale
    height, width = values.shape[:2]
    made: Values | None = None
    for (top, bottom), (above, below) in _spans(height, side, operation):
        for (left, right), (before, after) in _spans(width, side, operation):
            tile = as_tensor(values[above:below, before:after])
            result = as_values(operation.compute(tile), values.dtype)
            if made is None:
                made = np.empty((scale * height, scale * width, result.shape[2]), values.dtype)
            rows = slice(scale * (top - above), scale * (bottom - above))
            columns = slice(scale * (left - before), scale * (right - before))
            made[scale * top : scale * bottom, scale * left : scale * right] = result[rows, columns]
    assert made is not None, "a photograph has pixels"
    return photograph.with_values(made)


def _spans(length: int, side: int, operation: TiledOperation) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Along one axis: what is kept of each tile, and what it sees."""
    margin = -(-operation.receptive_radius // operation.stride) * operation.stride
    side = max(side // operation.stride, 1) * operation.stride
    for start in range(0, length, side):
        end = min(start + side, length)
        yield (start, end), (max(0, start - margin), min(length, end + margin))


def as_tensor(values: Values) -> Tensor:
    """Bring values (h, w, c) to (1, c, h, w) in [-1, 1]."""
    rows = np.ascontiguousarray(values.transpose(2, 0, 1))
    return torch.from_numpy(from_levels(rows, np.iinfo(values.dtype).max))[None]


def as_values(picture: Tensor, kind: npt.DTypeLike) -> Values:
    """Bring (1, c, h, w) in [-1, 1] to values (h, w, c) of that type."""
    levels = to_levels(picture[0].float(), np.iinfo(kind).max).cpu().numpy()
    return levels.transpose(1, 2, 0).astype(kind)


def enlarged_rows(values: Tensor, top: int, count: int, size: tuple[int, int]) -> Tensor:
    """Give rows `top`, ... of values (1, c, h, w), brought to a size (bilinear)."""
    height, width = size
    across = interpolate(values, (values.shape[2], width), mode="bilinear")
    place = ((torch.arange(top, top + count) + 0.5) * values.shape[2] / height - 0.5).clamp(0, values.shape[2] - 1)
    before = place.long()
    after, share = (before + 1).clamp_max(values.shape[2] - 1), (place - before)[None, None, :, None]
    return across[:, :, before] * (1 - share) + across[:, :, after] * share
