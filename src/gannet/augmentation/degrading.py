"""What becomes of photographs on their way: reduced, blurred, grainy, compressed. Pictures are (b, c, h, w)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation import filters
from gannet.augmentation.draws import Draws

SHARPEST, BLURRED = 0.2, 0.6
"""Deviations of the blur in pixels of what is left, at least and at most."""
GRAIN, SHARPENED, QUALITIES = 0.06, 1.0, (50, 95)
"""The largest deviation of noise as a share of the range, the most that a camera sharpens by, and JPEG's qualities."""
COLOURED, AGAIN, RESIZED = 0.5, 0.5, (0.75, 1.5)
"""The shares of photographs whose noise has colours, and that were compressed before, and at which sizes: from and to,
in sizes of what is left.
"""
SUBSAMPLINGS = (0, 1, 2, 2)
"""How finely JPEG keeps chroma, equally likely; see `filters.compress`."""
WAYS: tuple[dict[str, object], ...] = (
    {"mode": "bicubic", "antialias": True},
    {"mode": "bilinear", "antialias": True},
    {"mode": "area"},
)


def bicubic(pictures: Tensor, scale: int, draws: Draws) -> Tensor:  # noqa: ARG001
    """Reduce by bicubic interpolation, smoothed as much as they are reduced."""
    return reduced(pictures, scale)


def world(pictures: Tensor, scale: int, draws: Draws) -> Tensor:
    """Do to each picture what a lens, a camera and those who pass it on do, by its own measure.

    It is blurred, reduced in one of three ways, has noise, and is sharpened by the camera, noise and all; half of them
    are compressed at another size; all are compressed at last. After Wang et al. (2021, "Real-ESRGAN", section 3).
    Where they stay as large as they are, noise and compression are all: who learned to undo blur and sharpening as
    well smoothed sharp photographs.
    """
    with torch.autocast(pictures.device.type, enabled=False):  # In bf16 flat areas would come in steps.
        if scale == 1:
            return filters.compress(pictures.float() + _noise(pictures, draws), *_jpeg(draws))
        return _by_way_of_a_camera(pictures, scale, draws)


def _by_way_of_a_camera(pictures: Tensor, scale: int, draws: Draws) -> Tensor:
    most = BLURRED * scale
    blurred = filters.blur(pictures.float(), _between((SHARPEST, most), draws), most)
    size = [side // scale for side in pictures.shape[2:]]
    ways = torch.stack([_resized(blurred, size, way) for way in range(len(WAYS))])
    small = ways[_chosen(len(WAYS), draws), torch.arange(len(pictures), device=pictures.device)]
    taken = filters.sharpen(small + _noise(small, draws), SHARPENED * draws.uniform())
    return filters.compress(_passed_on(taken, draws), *_jpeg(draws))


def _noise(pictures: Tensor, draws: Draws) -> Tensor:
    """Draw noise as large as pictures, of half of them grey; little is likelier than much."""
    coloured = (draws.uniform() < COLOURED)[:, None, None, None]
    noise = draws.normal(*pictures.shape[1:])
    return 2 * GRAIN * draws.uniform().square()[:, None, None, None] * torch.where(coloured, noise, noise[:, :1])


def _passed_on(pictures: Tensor, draws: Draws) -> Tensor:
    """Compress some of the pictures at another size, and bring them back."""
    chosen, ratios = draws.uniform() < AGAIN, _between(RESIZED, draws).tolist()
    there, back = (_chosen(len(WAYS), draws).tolist() for _ in range(2))
    how = _jpeg(draws)
    passed, size = pictures.clone(), list(pictures.shape[2:])
    for one in chosen.nonzero().flatten().tolist():
        other = [max(1, round(ratios[one] * side)) for side in size]
        sent = filters.compress(_resized(pictures[one][None], other, there[one]), *(part[one, None] for part in how))
        passed[one] = _resized(sent, size, back[one])[0]
    return passed


def _jpeg(draws: Draws) -> tuple[Tensor, Tensor]:
    """Draw a quality, and how finely chroma is kept, (b,) each."""
    quality = _between(QUALITIES, draws)
    return quality, torch.tensor(SUBSAMPLINGS)[_chosen(len(SUBSAMPLINGS), draws).cpu()]


def _between(ends: tuple[float, float], draws: Draws) -> Tensor:
    """Draw evenly between two ends, (b,)."""
    least, most = ends
    return least + (most - least) * draws.uniform()


def _chosen(count: int, draws: Draws) -> Tensor:
    """Draw whole numbers below `count`, (b,)."""
    return (count * draws.uniform()).long()


def _resized(pictures: Tensor, size: list[int], way: int) -> Tensor:
    """Resize by one of `WAYS`; means of areas only reduce: they would enlarge by squares."""
    larger = size[0] > pictures.shape[2]
    return interpolate(pictures, size, **WAYS[way % 2 if larger else way])  # type: ignore[arg-type]


def reduced(large: Tensor, scale: int) -> Tensor:
    """Reduce (b, c, scale * h, scale * w) to (b, c, h, w), bicubic, smoothed as much as it is reduced."""
    return resampled(large, *(side // scale for side in large.shape[2:]))


def resampled(pictures: Tensor, *size: int) -> Tensor:
    """Bring (b, c, h, w) to (height, width), or to squares of one side, as `reduced` does."""
    height, width = size if len(size) == 2 else size * 2
    return interpolate(pictures.float(), (height, width), mode="bicubic", antialias=True).clamp(-1, 1)


DEGRADATIONS: dict[str, Callable[[Tensor, int, Draws], Tensor]] = {"bicubic": bicubic, "world": world}
"""By name."""
