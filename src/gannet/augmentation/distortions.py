"""Ways to spoil pictures, each from not at all (strength 0) to badly (strength 1).

The strengths and draws of these are their own, and stay: checks and benchmarks are compared by them from one version to
the next. What they do to pictures is done by `filters` and `geometry` where it comes to the same bits; a blur by one
deviation for all, moves that know no proportions and shifts about a picture's own mean do not.

Pictures are (b, c, h, w) in [-1, 1], and so is what comes back; the generator draws whatever is random.
"""

from collections.abc import Callable
from math import ceil, pi

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, conv2d, interpolate, pad

from gannet.augmentation import filters, geometry

Distortion = Callable[[Tensor, float, Generator], Tensor]


def blur(pictures: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Apply a Gaussian blur whose deviation goes up to 1/16 of the height."""
    deviation = strength * pictures.shape[2] / 16
    if deviation < 0.05:
        return pictures
    reach = min(ceil(3 * deviation), min(pictures.shape[2:]) - 1)
    places = torch.arange(-reach, reach + 1, dtype=pictures.dtype, device=pictures.device)
    kernel = filters.gaussian(places, deviation).view(1, 1, 1, -1)
    channels = pictures.shape[1]
    flat = pad(pictures.flatten(0, 1)[:, None], (reach, reach, reach, reach), mode="reflect")
    spread: Tensor = conv2d(conv2d(flat, kernel), kernel.transpose(2, 3))
    return spread.view(-1, channels, *pictures.shape[2:])


def noise(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Add Gaussian noise of a deviation up to 0.5."""
    return filters.add_noise(pictures, torch.randn(pictures.shape, generator=generator), strength / 4).clamp(-1, 1)


def salt_and_pepper(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Turn up to a fifth of the pixels black or white."""
    drawn = torch.rand(len(pictures), 1, *pictures.shape[2:], generator=generator)
    return filters.salt_and_pepper(pictures, drawn, 0.2 * strength)


def reduction(pictures: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Reduce to down to a quarter of the side, and bring back."""
    if strength == 0:
        return pictures
    height, width = pictures.shape[2:]
    small = [max(1, round(side / (1 + 3 * strength))) for side in (height, width)]
    reduced = interpolate(pictures, small, mode="bilinear", antialias=True)
    return interpolate(reduced, (height, width), mode="bilinear")


def warp(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Apply a smooth random displacement of up to about a tenth of the side."""
    coarse = 0.2 * strength * torch.randn(len(pictures), 2, 4, 4, generator=generator)
    return _sample(pictures, _upright(pictures) + geometry.smooth_moves(pictures, coarse))


def rotation(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Turn by up to 45 degrees, either way."""
    angle = strength * pi / 4 * torch.empty(len(pictures)).uniform_(-1, 1, generator=generator)
    cosine, sine, none = angle.cos(), angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack([cosine, -sine, none, sine, cosine, none], 1).view(-1, 2, 3)
    return _sample(pictures, affine_grid(matrix, list(pictures.shape), align_corners=False))


def zoom(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Cut away up to half of the picture around a place near its middle."""
    share = 1 - 0.5 * strength * torch.rand(len(pictures), 1, 1, 1, generator=generator)
    centre = torch.empty(len(pictures), 1, 1, 2).uniform_(-1, 1, generator=generator) * (1 - share)
    return _sample(pictures, _upright(pictures) * share + centre)


def brightness(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Make up to 0.8 lighter or darker."""
    shift = 0.8 * strength * torch.empty(len(pictures), 1, 1, 1).uniform_(-1, 1, generator=generator)
    return (pictures + shift).clamp(-1, 1)


def contrast(pictures: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Draw towards its own mean, down to a fifth of its contrast."""
    mean = pictures.mean((1, 2, 3), keepdim=True)
    return mean + (1 - 0.8 * strength) * (pictures - mean)


def colour_cast(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Make each channel up to 0.6 lighter or darker; for grey pictures that is their brightness."""
    shift = 0.6 * strength * torch.empty(*pictures.shape[:2], 1, 1).uniform_(-1, 1, generator=generator)
    return (pictures + shift).clamp(-1, 1)


def cutout(pictures: Tensor, strength: float, generator: Generator) -> Tensor:
    """Lay on a grey square of up to 0.7 of the side."""
    side = 0.7 * strength
    corner = torch.empty(len(pictures), 1, 1, 2).uniform_(0, 1, generator=generator) * (1 - side)
    place = (_upright(pictures) + 1) / 2 - corner
    inside = ((place >= 0) & (place < side)).all(3)[:, None]
    return pictures.masked_fill(inside, 0.0)


def blockiness(pictures: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Round away the detail of each 8x8 block, as JPEG does (its cosine coefficients, in steps of up to 1)."""
    if strength == 0:
        return pictures
    height, width = pictures.shape[2:]
    whole = pad(pictures, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = whole.unflatten(3, (-1, 8)).unflatten(2, (-1, 8)).transpose(3, 4)
    basis = _cosines(pictures)
    rounded = ((basis @ blocks @ basis.T) / strength).round() * strength
    back: Tensor = (basis.T @ rounded @ basis).transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return back[:, :, :height, :width].clamp(-1, 1)


def vary(pictures: Tensor, generator: Generator) -> Tensor:
    """Change what leaves a picture's class as it is: a slight turn, a slight zoom, a little noise."""
    return noise(zoom(rotation(pictures, 0.25, generator), 0.25, generator), 0.1, generator)


DISTORTIONS: dict[str, Distortion] = {
    "blur": blur,
    "noise": noise,
    "salt-and-pepper": salt_and_pepper,
    "reduction": reduction,
    "warp": warp,
    "rotation": rotation,
    "zoom": zoom,
    "brightness": brightness,
    "contrast": contrast,
    "colour-cast": colour_cast,
    "cutout": cutout,
    "blockiness": blockiness,
}


def _upright(pictures: Tensor) -> Tensor:
    """The places of the pixels, (b, h, w, 2) in [-1, 1]."""
    plain = torch.eye(2, 3).expand(len(pictures), 2, 3)
    return affine_grid(plain, list(pictures.shape), align_corners=False)


def _sample(pictures: Tensor, grid: Tensor) -> Tensor:
    # Bicubic, or a slight move would blur more than a wide one moves.
    return geometry.sample(pictures, grid.to(pictures.dtype), "bicubic").clamp(-1, 1)


def _cosines(like: Tensor) -> Tensor:
    """The orthonormal cosine basis of 8 samples, (8, 8)."""
    frequency, place = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    basis = torch.cos(pi * (place + 0.5) * frequency / 8) / 2
    basis[0] /= 2**0.5
    return basis.to(like)
