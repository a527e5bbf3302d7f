"""Regions of pictures: what hangs together, and a thing told from what lies behind it."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from gannet.augmentation.filters import blur
from gannet.augmentation.lab import CHROMA, to_lab

SIDE = 64
"""Pixels a side of the copy in which things are looked for."""
CORNER, SAMPLES = 0.3, 6
"""How far from its corners a picture's sides show the background, as a share of them, and colours taken from each of
the eight parts."""
LIGHTNESS = 0.6
"""How much lightness counts beside colour: a background has shadows."""
UNLIKE = (9.0, 6.0)
"""How far, in L*a*b* with lightness counted less, a colour is from all of the background's that is none of them: a
smaller distance is tried where with a larger one nothing is found that can be believed."""
LEAST_SHARE, MOST_SHARE, LEAST_BEHIND, LEAST_MIDDLE, FAR = 0.12, 0.75, 0.65, 0.6, 1.8
"""What is believed: a thing's share of the picture, how much of three sides is background, how much of the middle is
the thing, and how many times farther than `UNLIKE` a thing's colours are on average."""


def told_apart(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Tell a thing in the middle of pictures (b, 3, h, w) from its background.

    Returns:
        how much of each pixel is the thing, (b, 1, h, w), and which pictures (b,) that can be believed of.
    """
    size = pictures.shape[2:]
    small = interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)
    lab = to_lab(blur(small, torch.ones(len(small), device=small.device), 1.0))
    apart = _apart(lab * torch.tensor([50 * LIGHTNESS, CHROMA, CHROMA], device=lab.device)[:, None, None])
    (thing, believed), *others = (_thing(apart, least) for least in UNLIKE)
    for other, also in others:
        thing = torch.where((also & ~believed)[:, None, None, None], other, thing)
        believed = believed | also
    soft = interpolate(avg_pool2d(thing, 3, 1, 1), size, mode="bicubic")
    return soft.mul(3).sub(1.5).clamp(0, 1), believed


def _thing(apart: Tensor, least: float) -> tuple[Tensor, Tensor]:
    """Find what is in the middle and not behind, (b, 1, h, w), and tell of which pictures that can be believed."""
    behind, third = _behind(apart < least), SIDE // 3
    closed = ~grown(~grown(~behind))  # Gaps of a pixel or two are none.
    middle = torch.zeros_like(closed)
    middle[:, :, third:-third, third:-third] = True
    thing = reached(closed & middle, closed, SIDE).float()
    share = thing.mean((1, 2, 3))
    sides = torch.cat([behind[:, 0, 0], behind[:, 0, :, 0], behind[:, 0, :, -1]], 1).float().mean(1)
    far = (apart * thing).sum((1, 2, 3)) / thing.sum((1, 2, 3)).clamp_min(1)
    full = thing[:, :, third:-third, third:-third].mean((1, 2, 3))
    believed = (share > LEAST_SHARE) & (share < MOST_SHARE) & (sides > LEAST_BEHIND) & (far > FAR * least)
    return thing, believed & (full > LEAST_MIDDLE)


def _apart(lab: Tensor) -> Tensor:
    """How far each colour is from the nearest of those near the corners, (b, 1, h, w)."""
    near = torch.linspace(1, CORNER * SIDE, SAMPLES, device=lab.device).long()
    along = torch.cat([near, SIDE - 1 - near])
    sides = torch.cat([part for end in (1, -2) for part in (lab[:, :, end, along], lab[:, :, along, end])], 2)
    return torch.cdist(lab.flatten(2).transpose(1, 2), sides.transpose(1, 2)).amin(2).view(len(lab), 1, SIDE, SIDE)


def _behind(like: Tensor) -> Tensor:
    """Tell which of the places that look like the background hang together with three sides, (b, 1, h, w)."""
    begun = torch.zeros_like(like)
    begun[:, :, 0], begun[:, :, :, 0], begun[:, :, :, -1] = like[:, :, 0], like[:, :, :, 0], like[:, :, :, -1]
    return reached(begun, like, SIDE)


def reached(begun: Tensor, passable: Tensor, steps: int) -> Tensor:
    """Tell which places (b, 1, h, w) are reached in so many steps, to any of eight neighbours, over passable ones."""
    found = begun & passable
    for _ in range(steps):
        found = grown(found) & passable
    return found


def grown(places: Tensor) -> Tensor:
    """Add their eight neighbours to places (b, 1, h, w): many times faster on a processor than pooling is."""
    rows = places.clone()
    rows[:, :, 1:] |= places[:, :, :-1]
    rows[:, :, :-1] |= places[:, :, 1:]
    found = rows.clone()
    found[..., 1:] |= rows[..., :-1]
    found[..., :-1] |= rows[..., 1:]
    return found
