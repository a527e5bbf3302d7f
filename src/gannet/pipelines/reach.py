"""How far a network sees that somebody else made: found by what is no number any more when a pixel is none."""

from collections.abc import Callable

import torch
from torch import Tensor

MOST = 64
"""Pixels: tiles of a network that sees further would be little but margin."""
LARGEST_MULTIPLE = 16
"""Of pixels that a network sees together; with more the picture to find out by would be as large as tiles are."""
NEAR = ((0, 0), (1, 2))
"""Two places, in multiples: a network of windows sees from them differently far to either side."""


def receptive_radius(compute: Callable[[Tensor], Tensor], channels: int, multiple: int, scale: int) -> int | None:
    """Find how many pixels away a pixel still matters, at most.

    Args:
        compute: maps pictures (1, c, h, w) in [-1, 1] to (1, c', scale * h, scale * w).
        multiple: of pixels that it sees together.

    Returns:
        None where it is far, differs from place to place, or cannot be found out.
    """
    if multiple > LARGEST_MULTIPLE:
        return None
    first, *others = (_extents(compute, channels, multiple, scale, place) for place in NEAR)
    return max(first) if first is not None and all(one == first for one in others) else None


def _extents(
    compute: Callable[[Tensor], Tensor], channels: int, multiple: int, scale: int, place: tuple[int, int]
) -> tuple[int, ...] | None:
    """How far a few pixels reach upwards, downwards, to the left and to the right; None where to the picture's end."""
    middle = -(-MOST // multiple) * multiple
    side = 2 * middle + 3 * multiple
    begin = [middle + multiple * step for step in place]
    picture = torch.zeros(1, channels, side, side)
    rows, columns = (slice(at, at + multiple) for at in begin)
    picture[..., rows, columns] = torch.nan
    try:
        changed = compute(picture)[0].isnan().any(0)
    except Exception:  # What a network does with what is no number is its own affair.
        return None
    found: list[int] = []
    for axis, at in enumerate(begin):
        reached = changed.any(1 - axis).nonzero()[:, 0]
        if not len(reached) or reached[0] == 0 or reached[-1] == scale * side - 1:
            return None
        found += [at - int(reached[0]) // scale, int(reached[-1]) // scale - (at + multiple - 1)]
    return tuple(found)
