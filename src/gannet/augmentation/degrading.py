"""What becomes of photographs on their way: reduced, blurred, grainy, compressed. Pictures are (b, c, h, w)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation import filters
from gannet.augmentation.draws import Draws

SHARPEST, BLURRED, GRAIN, QUALITIES = 0.2, 2.5, 0.06, (40, 95)
"""Deviations of the blur in pixels, the largest deviation of grain as a share of the range, and JPEG's qualities."""
WAYS: tuple[dict[str, object], ...] = (
    {"mode": "bicubic", "antialias": True},
    {"mode": "bilinear", "antialias": True},
    {"mode": "area"},
)


def bicubic(pictures: Tensor, scale: int, draws: Draws) -> Tensor:  # noqa: ARG001
    """Reduce by bicubic interpolation, smoothed as much as they are reduced."""
    return reduced(pictures, scale)


def world(pictures: Tensor, scale: int, draws: Draws) -> Tensor:
    """Blur, reduce in one of three ways, make grainy, and put through JPEG, each by its own measure.

    A single round of what Wang et al. (2021, "Real-ESRGAN", section 3) do twice.
    """
    deviation = SHARPEST + (BLURRED - SHARPEST) * draws.uniform()
    blurred = filters.blur(pictures.float(), deviation, BLURRED)
    size = [side // scale for side in pictures.shape[2:]]
    ways = torch.stack([interpolate(blurred, size, **way) for way in WAYS])  # type: ignore[arg-type]
    small = ways[(len(WAYS) * draws.uniform()).long(), torch.arange(len(pictures), device=pictures.device)]
    grain = (GRAIN * draws.uniform()[:, None, None, None]) * draws.normal(*small.shape[1:])
    least, most = QUALITIES
    return filters.compress(small + 2 * grain, least + (most - least) * draws.uniform())


def reduced(large: Tensor, scale: int) -> Tensor:
    """Reduce (b, c, scale * h, scale * w) to (b, c, h, w), bicubic, smoothed as much as it is reduced."""
    size = [side // scale for side in large.shape[2:]]
    return interpolate(large.float(), size, mode="bicubic", antialias=True).clamp(-1, 1)


DEGRADATIONS: dict[str, Callable[[Tensor, int, Draws], Tensor]] = {"bicubic": bicubic, "world": world}
"""By name."""
