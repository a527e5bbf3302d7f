"""Hints: dots or strokes that say what a photograph's colours are, drawn to learn from, and read as users give them."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from gannet.augmentation.draws import Draws
from gannet.augmentation.lab import to_lab
from gannet.media.photograph import Photograph
from gannet.media.tiling import as_tensor

HINTED = 0.4
"""The share of what is learned from that has hints."""
MOST_DOTS, MOST_LONG, WIDEST = 6, 15.0, 3.0
"""Dots or strokes of a picture at most; how long, and how wide to either side, at most, in squares of two pixels."""
EVENED = 9
"""Pixels a side over which a hint's colour is the mean, an odd number: people paint with one colour."""
FAINTEST = 0.02
"""How much of a small copy's pixel a hint covers at least, that counts."""


def no_hints(lightness: Tensor) -> Tensor:
    """Give hints (b, 3, h, w) that say nothing."""
    return lightness.new_zeros(len(lightness), 3, *lightness.shape[2:])


def drawn_hints(chroma: Tensor, draws: Draws) -> Tensor:
    """Draw dots and strokes of the true colours (b, 2, h, w) of some, less their detail: (b, 3, h, w).

    More often few than many.
    """
    numbers = draws.uniform(MOST_DOTS, 5)
    number = torch.ceil(MOST_DOTS * draws.uniform() ** 2) * (draws.uniform() < HINTED)
    drawn = torch.arange(MOST_DOTS, device=chroma.device) < number[:, None]
    height, width = chroma.shape[2:]
    strokes = _strokes(numbers, -(-height // 2), -(-width // 2)) & drawn[:, :, None, None]
    told = interpolate(strokes.any(1, keepdim=True).to(chroma), scale_factor=2.0)[:, :, :height, :width]
    return torch.cat([avg_pool2d(chroma, EVENED, 1, EVENED // 2, count_include_pad=False) * told, told], 1)


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


def read_hints(hints: Photograph, photograph: Photograph, size: list[int]) -> Tensor:
    """Bring a user's hints to a copy of a photograph, (1, 3, *size).

    Raises:
        ValueError: they are of another size, or nothing or all of them is transparent; one sentence.
    """
    (height, width), (own_height, own_width) = hints.values.shape[:2], photograph.values.shape[:2]
    if (height, width) != (own_height, own_width):
        raise ValueError(
            f"The hints are {width}x{height} and the photograph is {own_width}x{own_height}; give hints of its size."
        )
    if hints.alpha is None or not hints.alpha.any() or bool((hints.alpha > 0).all()):
        raise ValueError(
            "The hints say nothing, or something everywhere; give a picture, such as a PNG, with dots or strokes of "
            "colour that is transparent elsewhere."
        )
    return _small_hints(hints, size)


def _small_hints(hints: Photograph, size: list[int]) -> Tensor:
    """Shrink hints; what is transparent counts for nothing, and no dot is lost."""
    assert hints.alpha is not None
    told = torch.from_numpy(hints.alpha.astype(np.float32) / np.iinfo(hints.alpha.dtype).max)[None, None]
    chroma = to_lab(as_tensor(hints.values).expand(-1, 3, -1, -1))[:, 1:]
    both = interpolate(torch.cat([chroma * told, told], 1), size, mode="area")
    covered = (both[:, 2:] > min(FAINTEST, float(both[:, 2:].max()) / 2)).float()
    return torch.cat([both[:, :2] / both[:, 2:].clamp_min(1e-6) * covered, covered], 1)
