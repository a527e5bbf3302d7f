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
        fade: over how many pixels to either side of their border two tiles pass into each other, where the radius is
            only a guess.
    """

    compute: Callable[[Tensor], Tensor]
    receptive_radius: int
    scale: int = 1
    stride: int = 1
    fade: int = 0


@dataclass(frozen=True)
class _Span:
    """What a tile is along one axis, in pixels of the photograph.

    Attributes:
        seen: what the network is shown.
        kept: what of its result is used.
        fade: how many pixels from the beginning of `kept` on belong to the earlier tile as well.
    """

    seen: slice
    kept: slice
    fade: int

    def part(self, scale: int) -> slice:
        """Tell what of the result is used, in its own pixels."""
        begin = self.seen.start
        return slice(scale * (self.kept.start - begin), scale * (self.kept.stop - begin))


def in_tiles(photograph: Photograph, operation: TiledOperation, side: int = SIDE) -> Photograph:
    """Compute what becomes of a photograph, in the memory of a row of tiles and of the result.

    Tiles of `side` pixels overlap by the receptive radius; of each only the part that saw its whole receptive field is
    kept.
    """
    values, scale = photograph.values, operation.scale
    height, width = values.shape[:2]
    made: Values | None = None
    for down in _spans(height, side, operation):
        row: Values | None = None
        for across in _spans(width, side, operation):
            tile = as_tensor(values[down.seen, across.seen])
            result = as_values(operation.compute(tile), values.dtype)[down.part(scale), across.part(scale)]
            if row is None:
                row = np.empty((len(result), scale * width, result.shape[2]), values.dtype)
            _lay(row.swapaxes(0, 1), result.swapaxes(0, 1), across, scale)
        assert row is not None, "a photograph has pixels"
        if made is None:
            made = np.empty((scale * height, *row.shape[1:]), values.dtype)
        _lay(made, row, down, scale)
    assert made is not None, "a photograph has pixels"
    return photograph.with_values(made)


def _lay(made: Values, part: Values, span: _Span, scale: int) -> None:
    """Lay what was made of a span over its rows; where it fades in, over what lies there."""
    begin, ramp = scale * span.kept.start, scale * span.fade
    both = min(ramp, len(part))
    under = made[begin : begin + both].astype(np.float32)
    made[begin : begin + len(part)] = part
    if both:
        share = ((np.arange(both, dtype=np.float32) + 0.5) / ramp)[:, None, None]
        made[begin : begin + both] = np.rint(under + share * (part[:both] - under))


def _spans(length: int, side: int, operation: TiledOperation) -> Iterator[_Span]:
    """Give the tiles along one axis."""
    fade, stride = operation.fade, operation.stride
    margin = -(-(operation.receptive_radius + fade) // stride) * stride
    side = max(side // stride, 1) * stride
    for start in range(0, length, side):
        end = min(start + side, length)
        seen = slice(max(0, start - margin), min(length, end + margin))
        begin = max(0, start - fade)
        yield _Span(seen, slice(begin, min(length, end + fade)), 2 * (start - begin))


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


def as_learned(picture: Tensor, channels: int, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """Put pictures (b, c, h, w), grey or colour, through what takes so many channels."""
    if picture.shape[1] == channels:
        return compute(picture)
    if picture.shape[1] == 1:
        return compute(picture.expand(-1, channels, -1, -1)).mean(1, keepdim=True)
    made = compute(picture.flatten(0, 1)[:, None])[:, 0]  # Channel by channel.
    return made.view(*picture.shape[:2], *made.shape[1:])
