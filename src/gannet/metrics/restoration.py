"""How near a restored photograph is to the ground truth. Pictures are (b, c, h, w) in [-1, 1], grey or colour."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from gannet.augmentation.filters import gaussian
from gannet.augmentation.lab import CHROMA, to_lab

WINDOW, DEVIATION, DIRECTIONS = 11, 1.5, 16
STABLE_MEAN, STABLE_SPREAD = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def luma(pictures: Tensor) -> Tensor:
    """Give the Y of ITU-R BT.601, 16 to 235, as papers on super-resolution take it:
    (b, 1, h, w) in double precision.
    """
    light = (pictures.double() + 1) / 2
    if light.shape[1] == 1:
        return 16 + 219 * light
    weights = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64, device=light.device)
    return 16 + (light[:, :3] * weights[:, None, None]).sum(1, keepdim=True)


def without_border(pictures: Tensor, border: int) -> Tensor:
    """Give what is left when so many pixels are cut from each side; all of a picture that would leave nothing."""
    height, width = pictures.shape[2:]
    return (
        pictures[:, :, border : height - border, border : width - border]
        if min(height, width) > 2 * border
        else pictures
    )


def signal_to_noise(made: Tensor, real: Tensor, peak: float = 255.0) -> Tensor:
    """Give PSNR in decibels of values up to `peak`, (b,): 10 log10(peak^2 / MSE); 100 for equal ones."""
    error = (made.double() - real.double()).square().mean((1, 2, 3))
    return 10 * torch.log10(peak**2 / error.clamp_min(peak**2 * 1e-10))


def structural_similarity(made: Tensor, real: Tensor) -> Tensor:
    """Give SSIM of one-channel values from 0 to 255, (b,), over whole windows (Wang et al., 2004, equation 13)."""
    places = torch.arange(WINDOW, dtype=torch.float64, device=made.device) - WINDOW // 2
    line = gaussian(places, DEVIATION)

    def mean(values: Tensor) -> Tensor:
        # One axis after the other: a window at once takes ten times the time, and a gigabyte a megapixel.
        return conv2d(conv2d(values.double(), line.view(1, 1, -1, 1)), line.view(1, 1, 1, -1))

    ours, theirs = mean(made), mean(real)
    ours_spread, theirs_spread = mean(made.double() ** 2) - ours**2, mean(real.double() ** 2) - theirs**2
    shared = mean(made.double() * real.double()) - ours * theirs
    likeness: Tensor = (2 * ours * theirs + STABLE_MEAN) * (2 * shared + STABLE_SPREAD)
    bound = (ours**2 + theirs**2 + STABLE_MEAN) * (ours_spread + theirs_spread + STABLE_SPREAD)
    return (likeness / bound).mean((1, 2, 3))


def fine_detail(values: Tensor) -> Tensor:
    """Give the energy of detail of one-channel values (b, 1, h, w), (b,): the mean square of what a Laplacian finds."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=torch.float64, device=values.device)
    return conv2d(values.double(), kernel[None, None]).square().mean((1, 2, 3))


def chroma(pictures: Tensor) -> Tensor:
    """Give the a* and b* of colours (b, 3, h, w), (b, 2, h, w), in the units of L*a*b*."""
    return CHROMA * to_lab(pictures)[:, 1:]


def chroma_error(made: Tensor, real: Tensor) -> Tensor:
    """Give the mean distance of colours in the plane of a* and b*, (b,)."""
    apart: Tensor = (chroma(made) - chroma(real)).square().sum(1).sqrt()
    return apart.mean((1, 2))


def chroma_distance(made: Tensor, real: Tensor) -> Tensor:
    """Tell how far the colours of a picture are from those of another, wherever they lie, (b,).

    The mean of the Wasserstein distances along directions of the plane of a* and b* (Bonneel et al., 2015).
    """
    angles = torch.arange(DIRECTIONS, device=made.device) * (torch.pi / DIRECTIONS)
    directions = torch.stack([angles.cos(), angles.sin()], 1).to(real)
    colours = [chroma(one).flatten(2) for one in (made, real)]
    # One direction at a time: all at once take sixteen times the memory.
    apart = [(ours - theirs).abs().mean(1) for ours, theirs in (_along(way, colours) for way in directions)]
    return torch.stack(apart).mean(0)


def _along(way: Tensor, colours: list[Tensor]) -> list[Tensor]:
    """How far colours (b, 2, n) lie along a direction (2,), each in order."""
    return [(way[:, None] * one).sum(1).sort(1).values for one in colours]


def colourfulness(pictures: Tensor) -> Tensor:
    """Measure that of colours (b, 3, h, w), (b,) (Hasler and Suesstrunk, 2003, equation 2)."""
    red, green, blue = ((pictures + 1) * 127.5).unbind(1)
    across, along = (red - green).flatten(1), ((red + green) / 2 - blue).flatten(1)
    spread = (across.var(1, correction=0) + along.var(1, correction=0)).sqrt()
    return spread + 0.3 * (across.mean(1).square() + along.mean(1).square()).sqrt()
