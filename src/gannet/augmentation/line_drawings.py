"""Line drawings of pictures, each in a way of its own: thin and thick, pencil and ink, broken, on uneven paper."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation.draws import Draws
from gannet.augmentation.edges import MOST_WIDE, dark_sides, thin_edges, widened
from gannet.augmentation.filters import blur

FINEST, COARSEST = 0.6, 2.0
"""Deviations in pixels of the blur before edges are looked for."""
FAINTEST, BOLDEST = 0.05, 0.3
"""Heights of the lowest step that is drawn, where black to white is one."""
OUTLINE = 0.4
"""How high a step the outline of a thing counts as where dark sides are inked: more would be a thick frame."""
BOTH, DARK = 0.45, 0.65
"""Below the first number a drawing has edges alone, from the second on dark sides alone, between them both."""
SHARPEST, SOFTEST = 0.3, 0.8
"""Deviations of the blur of a line, in pixels: what a scan and a shrunk copy make of it."""
PALEST, GRAINIEST = 0.45, 0.5
"""How deep the palest pencil is, and how much of its ink the paper's grain takes at most."""
BROKEN, GONE, GAPS = 0.4, 0.35, 10
"""The share of drawings whose lines are broken, how much of them is then gone at most, and pixels from gap to gap."""
UNEVEN, NOISY = 0.06, 0.03
"""How much of the paper's shade is left at most, and the largest deviation of its noise."""


def line_drawing(pictures: Tensor, draws: Draws, thing: Tensor | None = None) -> Tensor:
    """Draw the lines of pictures (b, c, h, w) in [-1, 1], each in a way of its own: (b, 1, h, w), white paper is 1.

    Args:
        thing: how much of each pixel is the thing that is drawn, (b, 1, h, w): its outline is drawn, however faint.
    """
    kind, fine, bold, width, soft = draws.uniform(5).unbind(1)
    deviation, least = FINEST + (COARSEST - FINEST) * fine, FAINTEST * (BOLDEST / FAINTEST) ** bold
    light, deep = pictures, pictures
    if thing is not None:
        light, deep = torch.cat([pictures, 2 * thing - 1], 1), torch.cat([pictures, OUTLINE * (1 - 2 * thing)], 1)
    edges = widened(thin_edges(light, deviation, least), 1 + (MOST_WIDE - 1) * width**3)
    dark = dark_sides(deep, deviation / 2, least)
    ink = torch.maximum(edges * _each(kind < DARK), dark * _each(kind >= BOTH))
    ink = blur(ink, SHARPEST + (SOFTEST - SHARPEST) * soft, SOFTEST)
    return on_paper(as_pencil(broken(ink, draws), draws), draws)


def standard_drawing(pictures: Tensor, thing: Tensor) -> Tensor:
    """Draw the edges of pictures (b, 3, h, w) and the outline of a thing in one way for all, as `line_drawing` does."""
    even = torch.ones(len(pictures), device=pictures.device)
    ink = widened(thin_edges(torch.cat([pictures, 2 * thing - 1], 1), even, 0.1 * even), 1.5 * even)
    return 1 - 2 * blur(ink, 0.5 * even, 0.5)


def broken(ink: Tensor, draws: Draws) -> Tensor:
    """Take pieces out of the lines of some."""
    chosen, share = draws.uniform(2).unbind(1)
    kept = _field(ink, GAPS, draws) > 2 * GONE * _each(share) - 1  # About uniform from -1 to 1.
    return ink * (kept | ~_each(chosen < BROKEN).bool())


def as_pencil(ink: Tensor, draws: Draws) -> Tensor:
    """Make lines paler, now and then by how hard the hand presses, and grainy."""
    pale, pressing, grain = draws.uniform(3).unbind(1)
    depth = 1 - (1 - PALEST) * _each(pale**2)
    pressed = 1 - 0.25 * _each(pressing) * (1 + _field(ink, 2 * GAPS, draws))
    rough = 1 - GRAINIEST * _each(grain**2) * draws.uniform(1, *ink.shape[2:])
    return ink * depth * pressed * rough


def on_paper(ink: Tensor, draws: Draws) -> Tensor:
    """Draw ink on paper: white is 1, black -1, with what is left of the paper's shade, and noise."""
    uneven, noisy = draws.uniform(2).unbind(1)
    shade = UNEVEN * _each(uneven**2) * (1 + _field(ink, max(ink.shape[2:]), draws)) / 2
    noise = NOISY * _each(noisy**2) * draws.normal(1, *ink.shape[2:])
    return ((1 - ink) * (1 - shade) + noise).clamp(0, 1) * 2 - 1


def _field(ink: Tensor, apart: int, draws: Draws) -> Tensor:
    """Draw numbers from -1 to 1 that change smoothly, in so many pixels: (b, 1, h, w)."""
    height, width = ink.shape[2:]
    coarse = 2 * draws.uniform(1, -(-height // apart) + 1, -(-width // apart) + 1) - 1
    return interpolate(coarse, (height, width), mode="bilinear", align_corners=True)


def _each(numbers: Tensor) -> Tensor:
    """Lay a number of each picture (b,) over all of it."""
    return numbers[:, None, None, None]
