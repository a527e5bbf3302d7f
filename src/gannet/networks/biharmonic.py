"""Holes filled as smoothly as can be: biharmonically, from coarse to fine, many pictures at once, on any device.

Each size begins with what the half of it found, and a few sweeps bring the bending (the Laplacian of the Laplacian) of
what is lost near zero (Damelin & Hoang, 2018, "On Surface Completion and Image Inpainting by Biharmonic Functions").
"""

from functools import cache
from math import cos, pi

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

SWEEPS, BAND = 12, 60
"""How often what is lost is relaxed at each size, and how much slower the slowest frequencies are that this is for."""
STIFFEST = 64.0
"""The largest eigenvalue of the Laplacian's square, that of a chessboard."""
SWEPT_RADIUS = 2 * SWEEPS + 1
"""How many pixels away a pixel still matters at one size: two a sweep, and one where it began."""


def filled_biharmonically(pictures: Tensor, lost: Tensor, kernel: Tensor | None = None) -> Tensor:
    """Fill what is lost (b, 1, h, w) of pictures (b, c, h, w) in [-1, 1]; grey where nothing is known at all.

    Args:
        kernel: of `bending`; None: made anew.
    """
    if max(pictures.shape[2:]) == 1:
        return pictures * (1 - lost)
    kernel = bending(pictures) if kernel is None else kernel
    below = filled_biharmonically(*halved(pictures, lost), kernel)
    return relaxed(torch.where(lost > 0, doubled(below, pictures), pictures), lost, kernel)


def halved(pictures: Tensor, lost: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean of the known pixels of every two by two, and where none of them is known."""
    weight, total = (
        avg_pool2d(values, 2, ceil_mode=True, count_include_pad=False) for values in (1 - lost, pictures * (1 - lost))
    )
    return total / weight.clamp_min(1e-6), (weight == 0).float()


def doubled(pictures: Tensor, like: Tensor) -> Tensor:
    """Give every pixel as two by two, less what is beyond the size of another picture."""
    height, width = like.shape[2:]
    return interpolate(pictures, scale_factor=2.0, mode="nearest")[:, :, :height, :width]


def blended(pictures: Tensor) -> Tensor:
    """Blend neighbours by 1, 2, 1 along rows and columns: what was doubled becomes what interpolation makes of it."""
    across = _along(pictures, (1, 1, 0, 0), 3)
    return _along(across, (0, 0, 1, 1), 2)


def _along(pictures: Tensor, beyond: tuple[int, ...], axis: int) -> Tensor:
    more, length = pad(pictures, beyond, mode="replicate"), pictures.shape[axis]
    before, after = more.narrow(axis, 0, length), more.narrow(axis, 2, length)
    return pictures / 2 + (before + after) / 4


def relaxed(pictures: Tensor, lost: Tensor, kernel: Tensor | None = None) -> Tensor:
    """Smooth what is lost of pictures, in [-1, 1], that was doubled from half the size; the known pixels stay.

    The steps are those of Chebyshev for the faster frequencies: the slower ones were found at smaller sizes.
    """
    count, channels = SWEEPS, pictures.shape[1]
    with torch.autocast(pictures.device.type, enabled=False):
        values = torch.where(lost > 0, blended(pictures.float()), pictures.float()).contiguous()
        weight = (bending(values) if kernel is None else kernel).expand(channels, 1, 5, 5)
        for step in _steps(count):
            bent = conv2d(pad(values, (2, 2, 2, 2), mode="replicate"), weight, groups=channels)
            values = torch.addcmul(values, bent, lost, value=-step)
    return values.clamp(-1, 1)


@cache
def _steps(count: int) -> tuple[float, ...]:
    """Give Chebyshev's steps, which damp all frequencies of a band alike."""
    middle, reach = (STIFFEST + STIFFEST / BAND) / 2, (STIFFEST - STIFFEST / BAND) / 2
    return tuple(1 / (middle + reach * cos(pi * (2 * index + 1) / (2 * count))) for index in range(count))


def bending(like: Tensor) -> Tensor:
    """Give the Laplacian's square as a kernel (1, 1, 5, 5), made where a tensor is: nobody waits for it."""
    kernel = torch.zeros(1, 1, 5, 5, device=like.device)
    kernel[..., 1:4, 1:4] = 2
    kernel[..., 2, 1:4] = kernel[..., 1:4, 2] = -8
    kernel[..., 2, ::4] = kernel[..., ::4, 2] = 1
    kernel[..., 2, 2] = 20
    return kernel
