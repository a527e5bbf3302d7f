"""Pictures of which a part is kept and the rest painted: what is painted takes the style of what is kept, and meets it.

Kept is what is opaque. What differs between a class as it is painted and as it is kept is carried smoothly into what
is painted of that class, so that no seam shows (as Perez et al., 2003, "Poisson Image Editing", class by class).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from gannet.media.photograph import Photograph
from gannet.media.tiling import as_tensor, as_values
from gannet.networks.smooth_filling import smoothly_filled

EVENED = 7
"""Pixels a side over which a difference is the mean, an odd number: the grain of what is kept is not carried on."""
REACH = 6
"""Half of the pixels beyond its border over which one way of painting passes into another."""
MOSTLY = 0.5
"""The share of a small copy's pixel that is kept from which on its colour counts."""


@dataclass(frozen=True)
class Kept:
    """What is kept of a picture.

    Attributes:
        photograph: all of it, as it was given.
        share: what part of each pixel is kept, (1, 1, h, w) from 0 to 1.
    """

    photograph: Photograph
    share: Tensor

    def small(self, size: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Give a copy (1, 3, *size) in [-1, 1] that goes on smoothly over what is not kept; what is, (1, 1, *size)."""
        values = as_tensor(self.photograph.values).expand(-1, 3, -1, -1)
        both = interpolate(torch.cat([values * self.share, self.share], 1), list(size), mode="area")
        share = (both[:, 3:] >= MOSTLY).float()
        return smoothly_filled(both[:, :3] / both[:, 3:].clamp_min(1e-6), 1 - share), share

    def with_painted(self, painted: Tensor) -> Photograph:
        """Give the picture with what was painted, (1, 3, h, w), where nothing is kept; the rest stays bit for bit."""
        own = as_tensor(self.photograph.values).expand(-1, 3, -1, -1)
        mixed = as_values(self.share * own + (1 - self.share) * painted, self.photograph.values.dtype)
        values = np.broadcast_to(self.photograph.values, mixed.shape)
        whole = np.where(self.share[0, 0].numpy()[..., None] == 1, values, mixed)
        return replace(self.photograph.with_values(whole), alpha=None)


def kept_part(given: Photograph, size: Sequence[int]) -> Kept:
    """Tell what of a picture is to be kept beside a drawing of some size (h, w).

    Raises:
        ValueError: it is of another size, or all or nothing of it is transparent; one sentence.
    """
    height, width = given.values.shape[:2]
    if (height, width) != tuple(size):
        raise ValueError(
            f"The picture to be kept is {width}x{height} and the map {size[1]}x{size[0]}; give one of the map's size."
        )
    if given.alpha is None or not given.alpha.any() or bool((given.alpha == given.largest).all()):
        raise ValueError(
            "The picture to be kept is opaque everywhere, or nowhere; erase what is to be painted, so that a picture, "
            "such as a PNG, is transparent there."
        )
    share = torch.from_numpy(given.alpha.astype(np.float32) / given.largest)[None, None]
    return Kept(given, share)


def around(share: Tensor) -> Tensor:
    """Give weights (b, 1, h, w) that are 1 where a share of classes is, and fall to 0 over twice `REACH` pixels."""
    side = 2 * REACH + 1
    widened = max_pool2d(share, side, 1, REACH)
    return avg_pool2d(widened, side, 1, REACH, count_include_pad=False)


def harmonized(painted: Tensor, kept: Tensor, share: Tensor, shares: Tensor, worded: Collection[int] = ()) -> Tensor:
    """Bring the colours painted of each class (b, 3, h, w) to those that are kept of it, most where they meet.

    Args:
        kept: a picture (b, 3, h, w), of which `share` (b, 1, h, w) is kept: ones and zeros.
        shares: what part of each pixel each class has, (b, n, h, w).
        worded: the numbers of classes of which words say how they look: they are brought to it close by alone.
    """
    brought = painted.clone()
    for number, one in enumerate(shares.split(1, 1)):
        known = share * (one > MOSTLY)
        if known.any():
            brings = one * around(known) if number in worded else one
            brought += brings * smoothly_filled(_evened(kept - painted, known), 1 - known)
    return brought.clamp(-1, 1)


def _evened(values: Tensor, known: Tensor) -> Tensor:
    """Give the mean of the known values around each place, 0 where none are."""
    total, count = (avg_pool2d(one, EVENED, 1, EVENED // 2) for one in (values * known, known))
    return total / count.clamp_min(1e-6) * (count > 0)
