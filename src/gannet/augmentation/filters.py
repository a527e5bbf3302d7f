"""Changes of pixels: sharpness, grain, covered parts. Pictures are (b, c, h, w) in [-1, 1] and may leave it."""

import io
from math import ceil

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import conv2d, pad

from gannet.augmentation.levels import from_levels, to_levels

BLACK, WHITE = -1.0, 1.0
HALF_CHROMA = 2
"""What JPEG calls chroma of half the rows and columns (4:2:0)."""


def blur(pictures: Tensor, deviation: Tensor, most: float) -> Tensor:
    """Blur (b, c, h, w), each picture by its own deviation (b,) of up to `most` pixels."""
    reach = max(1, min(ceil(3 * most), min(pictures.shape[2:]) - 1))
    offsets = torch.arange(-reach, reach + 1, device=pictures.device)
    kernel = gaussian(offsets, deviation.clamp_min(0.05)[:, None])
    kernel = kernel.repeat_interleave(pictures.shape[1], 0)[:, None, None]
    edges = "reflect" if min(pictures.shape[2:]) > reach else "replicate"  # One row has nothing to mirror.
    flat = pad(pictures, (reach,) * 4, mode=edges).flatten(0, 1)[None]
    for along in (kernel, kernel.transpose(2, 3)):
        flat = conv2d(flat, along, groups=len(kernel))
    return flat[0].view(pictures.shape)


def gaussian(offsets: Tensor, deviation: Tensor | float) -> Tensor:
    """Weigh offsets (k,) from the middle by a normal distribution of a deviation or of each (b, 1): of sum one."""
    weights = torch.exp(-offsets.square() / (2 * deviation**2))
    return weights / weights.sum(-1, keepdim=True)


def sharpen(pictures: Tensor, amount: Tensor) -> Tensor:
    """Sharpen by unsharp masking: add `amount` (b,) times what a blur by one pixel takes away."""
    detail = pictures - blur(pictures, torch.ones_like(amount), 1.0)
    return pictures + amount[:, None, None, None] * detail


def add_noise(pictures: Tensor, noise: Tensor, deviation: float) -> Tensor:
    """Add standard normal noise (b, c, h, w) times a deviation, which is a share of the range."""
    return pictures + 2 * deviation * noise


def speckle(pictures: Tensor, noise: Tensor, deviation: float) -> Tensor:
    """Multiply the light of each pixel by one plus standard normal noise (b, c, h, w) times a deviation."""
    return (pictures + 1) * (1 + deviation * noise) - 1


def salt_and_pepper(pictures: Tensor, place: Tensor, share: float) -> Tensor:
    """Turn a share of the pixels, told by uniform numbers (b, 1, h, w), black or white."""
    return pictures.masked_fill(place < share / 2, BLACK).masked_fill(place > 1 - share / 2, WHITE)


def gamma(pictures: Tensor, power: Tensor) -> Tensor:
    """Raise the light, between 0 and 1, to a power (b,)."""
    light = ((pictures + 1) / 2).clamp(0, 1)
    safe = light.clamp_min(1e-3)  # Below, a line to black: a root has no slope there.
    return 2 * safe ** power[:, None, None, None] * (light / safe) - 1


def cut_out(pictures: Tensor, middle: Tensor, share: float) -> Tensor:
    """Cover with grey that share of the sides around `middle` (b, 2) in [0, 1] (DeVries and Taylor, 2017)."""
    return pictures.masked_fill(inside(pictures, middle, torch.full_like(middle, share)), 0.0)


def inside(pictures: Tensor, middle: Tensor, sides: Tensor) -> Tensor:
    """Tell which pixels lie in a rectangle around `middle` (b, 2) of `sides` (b, 2), in shares: (b, 1, h, w)."""
    within = []
    for axis, length in enumerate(pictures.shape[2:]):
        place = (torch.arange(length, device=pictures.device) + 0.5) / length
        within.append((place - middle[:, axis, None]).abs() <= sides[:, axis, None] / 2)
    return (within[0][:, :, None] & within[1][:, None, :])[:, None]


def compress(pictures: Tensor, quality: Tensor, subsampling: Tensor | None = None) -> Tensor:
    """Give what JPEG makes of pictures at qualities (b,) from 1 to 95;
    transparency, a fourth channel, stays. Not smooth.

    Args:
        subsampling: (b,), how finely chroma is kept: 0 as luma (4:4:4), 1 at half the columns (4:2:2), 2 at half the
            rows, too (4:2:0); None: as most encoders do, which is the last.
    """
    levels = to_levels(pictures[:, :3]).byte().movedim(1, 3).cpu().numpy()
    kept = torch.full_like(quality, HALF_CHROMA) if subsampling is None else subsampling
    how = (one.round().int().tolist() for one in (quality, kept))
    decoded = np.stack([_through_jpeg(*one) for one in zip(levels, *how, strict=True)])
    colours = from_levels(torch.from_numpy(decoded).movedim(3, 1).to(pictures))
    return torch.cat([colours, pictures[:, 3:]], 1)


def _through_jpeg(levels: np.ndarray, quality: int, subsampling: int) -> np.ndarray:
    if levels.shape[2] == 2:
        return np.concatenate([_through_jpeg(levels[..., [index]], quality, subsampling) for index in range(2)], 2)
    content, grey = io.BytesIO(), levels.shape[2] == 1
    more = {} if grey else {"subsampling": subsampling}
    Image.fromarray(levels[..., 0] if grey else levels).save(content, "JPEG", quality=quality, **more)
    return np.asarray(Image.open(content)).reshape(levels.shape)


def mix_up(pictures: Tensor, others: Tensor, own: Tensor) -> Tensor:
    """Take a mean of pictures and others of their shape, which have the weights `own` (b,) (Zhang et al., 2018)."""
    weight = own[:, None, None, None]
    return weight * pictures + (1 - weight) * others


def cut_mix(pictures: Tensor, others: Tensor, own: Tensor, middle: Tensor) -> tuple[Tensor, Tensor]:
    """Paste rectangles of others; return how much is the pictures' own then, (b,) (Yun et al., 2019, equation 2)."""
    sides = (1 - own).sqrt()[:, None].expand(-1, 2)
    pasted = inside(pictures, middle, sides)
    return torch.where(pasted, others, pictures), 1 - pasted.float().mean((1, 2, 3))
