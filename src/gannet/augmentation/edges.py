"""Lines, as a hand might draw them of a picture: pure functions of pictures (b, c, h, w) in [-1, 1].

Ink is (b, 1, h, w), from 0, none, to 1, black.
"""

from math import pi

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from gannet.augmentation.filters import blur
from gannet.augmentation.regions import reached

WIDER = 1.6
"""How much wider the second of two Gaussians is: their difference is nearest to a Laplacian (Marr, Hildreth, 1980)."""
STEP_OF_DIFFERENCE = 0.115
"""The highest difference of the two at a step of height one."""
SOBEL_VARIANCE = 0.75
"""In square pixels, of the smoothing that is part of Sobel's kernel, about."""
MOST_WIDE = 4
"""Pixels of the widest lines that are drawn."""
STRONG = 2.0
"""How many times the weakest edge that is drawn is an edge that weaker ones are drawn on from."""
LINKED = 12
"""Pixels that a weak edge goes on from a strong one."""
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Rows and columns from a pixel to its neighbour, by the eighths of a turn that a slope is rounded to."""
FLAT = 1e-6
"""Slopes up to this are none."""


def dark_sides(pictures: Tensor, deviation: Tensor, least: Tensor) -> Tensor:
    """Ink the dark side of each edge of any channel, by the difference of two Gaussians, thick where contrast is high.

    The lines of Winnemoeller, Kyprianidis and Olsen (2012, "XDoG", section 2) without the tones: even areas stay empty
    however light they are.

    Args:
        deviation: (b,), of the narrower one, in pixels, at most 3.
        least: (b,), the height of the lowest step that is inked, where black to white is one; at twice it ink is deep.
    """
    light = (pictures + 1) / 2
    below = (blur(light, WIDER * deviation, 3 * WIDER) - blur(light, deviation, 3.0)).amax(1, keepdim=True)
    return (below / (STEP_OF_DIFFERENCE * least[:, None, None, None]) - 1).clamp_min(0).tanh()


def thin_edges(pictures: Tensor, deviation: Tensor, least: Tensor) -> Tensor:
    """Ink the middle of each edge of any channel, one pixel wide: 1 there and 0 elsewhere (Canny, 1986).

    Sobel's slopes of what is blurred, only where no neighbour across the edge is steeper; weak ones only where they go
    on from strong ones.

    Args:
        deviation: (b,), of the blur, in pixels, at most 3.
        least: (b,), the height of the lowest step that is inked, where black to white is one.
    """
    slopes = _slopes(blur((pictures + 1) / 2, deviation, 3.0))
    size = slopes.square().sum(1).sqrt()
    ridge = size * _steepest(slopes, size)
    peak = least / (2 * pi * (deviation**2 + SOBEL_VARIANCE)).sqrt()
    weakest = peak[:, None, None, None].clamp_min(FLAT)
    weak, strong = ridge[:, None] > weakest, ridge[:, None] > STRONG * weakest
    return reached(strong, weak, LINKED).to(pictures)


def _slopes(pictures: Tensor) -> Tensor:
    """Give Sobel's slope of the steepest channel at each place, down and across, a pixel: (b, 2, h, w)."""
    framed = pad(pictures, (1, 1, 1, 1), mode="replicate")
    across, down = framed[..., 2:] - framed[..., :-2], framed[:, :, 2:] - framed[:, :, :-2]
    across = across[:, :, :-2] + 2 * across[:, :, 1:-1] + across[:, :, 2:]
    down = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    slopes = (torch.stack([down, across], 2) / 8).unbind(1)
    steepest = slopes[0]
    for other in slopes[1:]:  # Many times faster than a gather.
        steeper = other.square().sum(1, keepdim=True) > steepest.square().sum(1, keepdim=True)
        steepest = torch.where(steeper, other, steepest)
    return steepest


def _steepest(slopes: Tensor, size: Tensor) -> Tensor:
    """Tell where no neighbour to either side across the edge is steeper, (b, h, w); of two alike the first one."""
    down, across = slopes.unbind(1)
    turn = (torch.atan2(down, across) / (pi / 4)).round().long() % 4
    framed = pad(size[:, None], (1, 1, 1, 1))[:, 0]
    height, width = size.shape[1:]
    found = torch.zeros_like(size, dtype=torch.bool)
    for number, (row, column) in enumerate(DIRECTIONS):
        before = framed[:, 1 - row : 1 - row + height, 1 - column : 1 - column + width]
        after = framed[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]
        found |= (turn == number) & (size > before + FLAT) & (size >= after - FLAT)
    return found


def widened(ink: Tensor, width: Tensor) -> Tensor:
    """Make lines of one pixel as wide as `width` (b,), from 1 to 4 pixels, and what lies between."""
    widths = [ink]
    for side in range(MOST_WIDE - 1):
        widths.append(_wider(widths[-1], side % 2 == 0))
    stacked, which = torch.stack(widths, 1), torch.arange(len(ink), device=ink.device)
    whole = (width - 1).clamp(0, MOST_WIDE - 1)
    below = whole.long().clamp_max(MOST_WIDE - 2)
    share = (whole - below)[:, None, None, None]
    return torch.lerp(stacked[which, below], stacked[which, below + 1], share)


def _wider(ink: Tensor, onwards: bool) -> Tensor:
    """Make lines one pixel wider, downwards and to the right or the other way."""
    found = ink.clone()
    for axis in (2, 3):
        length = found.shape[axis] - 1
        first, last = found.narrow(axis, 0, length), found.narrow(axis, 1, length)
        wider = torch.maximum(first, last)
        (last if onwards else first).copy_(wider)
    return found


def line_width(ink: Tensor) -> Tensor:
    """Measure how wide lines are, in pixels, (b,): twice their area by the length of both of their sides.

    The length is the total variation by the height of a line, so that grey lines count as black ones. 0: no ink.
    """
    framed = pad(ink, (1, 1, 1, 1))
    down, across = framed[:, :, 1:, :-1] - framed[:, :, :-1, :-1], framed[:, :, :-1, 1:] - framed[:, :, :-1, :-1]
    sides = (down.square() + across.square()).sqrt().sum((1, 2, 3))
    return 2 * ink.sum((1, 2, 3)) / sides.clamp_min(1e-6)


def edge_agreement(made: Tensor, true: Tensor, tolerance: int = 1) -> Tensor:
    """Give F1 of the edges of pictures (b, c, h, w) that are found again in others, (b,); 1 where neither has any.

    Args:
        tolerance: pixels that an edge may lie beside.
    """
    ours, theirs = (standard_edges(one) for one in (made, true))
    side = 2 * tolerance + 1
    near_theirs, near_ours = (max_pool2d(one, side, 1, tolerance) for one in (theirs, ours))
    right, found = (ours * near_theirs).sum((1, 2, 3)), (theirs * near_ours).sum((1, 2, 3))
    precision, recall = right / ours.sum((1, 2, 3)).clamp_min(1), found / theirs.sum((1, 2, 3)).clamp_min(1)
    agreement = 2 * precision * recall / (precision + recall).clamp_min(1e-6)
    return torch.where(ours.sum((1, 2, 3)) + theirs.sum((1, 2, 3)) > 0, agreement, 1.0)


def standard_edges(pictures: Tensor) -> Tensor:
    """Ink the edges of pictures (b, c, h, w) by one measure for all, (b, 1, h, w), one pixel wide."""
    even = torch.ones(len(pictures), device=pictures.device)
    return thin_edges(pictures, even, 0.12 * even)
