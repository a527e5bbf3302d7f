"""Hints: dots or strokes of colour that say what colours are to be, drawn to learn from, and read as users give them.

What they tell of a colour, in some channels, is the task's: its chroma, or all of it.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from gannet.augmentation.draws import Draws
from gannet.media.photograph import Photograph
from gannet.media.tiling import as_tensor

Telling: TypeAlias = "Callable[[Tensor], Tensor]"
"""Gives what hints tell of colours (b, 3, h, w) in [-1, 1], in some channels (b, c, h, w)."""
HINTED = 0.4
"""The share of what is learned from that has hints."""
MOST_DOTS, MOST_LONG, WIDEST = 6, 15.0, 3.0
"""Dots or strokes of a picture at most; how long, and how wide to either side, at most, in squares of two pixels."""
EVENED = 9
"""Pixels a side over which a hint's colour is the mean, an odd number: people paint with one colour."""
FAINTEST = 0.02
"""How much of a small copy's pixel a hint covers at least, that counts."""


def no_hints(pictures: Tensor, told: int) -> Tensor:
    """Give hints (b, told + 1, h, w) that say nothing, of pictures (b, c, h, w), where they would tell so much."""
    return pictures.new_zeros(len(pictures), told + 1, *pictures.shape[2:])


def drawn_hints(colours: Tensor, draws: Draws) -> Tensor:
    """Draw dots and strokes of what is told of the true colours (b, c, h, w) of some, less their detail, and where that
    is: (b, c + 1, h, w).

    More often few than many.
    """
    numbers = draws.uniform(MOST_DOTS, 5)
    number = torch.ceil(MOST_DOTS * draws.uniform() ** 2) * (draws.uniform() < HINTED)
    drawn = torch.arange(MOST_DOTS, device=colours.device) < number[:, None]
    height, width = colours.shape[2:]
    strokes = _strokes(numbers, -(-height // 2), -(-width // 2)) & drawn[:, :, None, None]
    told = interpolate(strokes.any(1, keepdim=True).to(colours), scale_factor=2.0)[:, :, :height, :width]
    return torch.cat([avg_pool2d(colours, EVENED, 1, EVENED // 2, count_include_pad=False) * told, told], 1)


def _strokes(numbers: Tensor, height: int, width: int) -> Tensor:
    """Where strokes are, by five numbers in [0, 1] each: middle, angle, length, width: (b, strokes, h, w)."""
    down, across, angle, length, wide = numbers[..., None, None].unbind(2)
    rows = torch.arange(height, device=numbers.device)[:, None] + 0.5 - down * height
    columns = torch.arange(width, device=numbers.device) + 0.5 - across * width
    along = columns * (np.pi * angle).cos() + rows * (np.pi * angle).sin()
    off = rows * (np.pi * angle).cos() - columns * (np.pi * angle).sin()
    reach = MOST_LONG / 2 * (2 * length - 1).clamp_min(0)  # Half of them are dots.
    past = (along.abs() - reach).clamp_min(0)
    return past**2 + off**2 <= (0.7 + WIDEST * wide**2) ** 2


def read_hints(hints: Photograph, given: Photograph, size: list[int], telling: Telling, noun: str) -> Tensor:
    """Bring a user's hints to a copy of what they are for, (1, c + 1, *size).

    Args:
        noun: what that is.

    Raises:
        ValueError: they are of another size, or nothing or all of them is transparent; one sentence.
    """
    check_hints(hints, given, noun)
    return small_hints(hints, size, telling)


def check_hints(hints: Photograph, given: Photograph, noun: str) -> None:
    """Raise ValueError where hints are of another size, or nothing or all of them is transparent; one sentence."""
    (height, width), (own_height, own_width) = hints.values.shape[:2], given.values.shape[:2]
    if (height, width) != (own_height, own_width):
        raise ValueError(
            f"The hints are {width}x{height} and the {noun} is {own_width}x{own_height}; give hints of its size."
        )
    if hints.alpha is None or not hints.alpha.any() or bool((hints.alpha > 0).all()):
        raise ValueError(
            "The hints say nothing, or something everywhere; give a picture, such as a PNG, with dots or strokes of "
            "colour that is transparent elsewhere."
        )


def small_hints(hints: Photograph, size: list[int], telling: Telling) -> Tensor:
    """Shrink hints to (1, c + 1, *size); what is transparent counts for nothing, and no dot is lost."""
    assert hints.alpha is not None
    told = torch.from_numpy(hints.alpha.astype(np.float32) / np.iinfo(hints.alpha.dtype).max)[None, None]
    colours = telling(as_tensor(hints.values).expand(-1, 3, -1, -1))
    both = interpolate(torch.cat([colours * told, told], 1), size, mode="area")
    covered = (both[:, -1:] > min(FAINTEST, float(both[:, -1:].max()) / 2)).float()
    return torch.cat([both[:, :-1] / both[:, -1:].clamp_min(1e-6) * covered, covered], 1)
