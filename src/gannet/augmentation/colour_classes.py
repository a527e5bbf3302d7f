"""Classes of colour: cells of the plane of chroma, each with a centre, so that what a colour may be has a distribution.

Zhang, Isola, Efros (2016), "Colorful Image Colorization", section 2.1. A colour is shared out among the four centres
around it in proportion to its place between them, so that the mean of the centres is the colour itself.
"""

from functools import cache

import torch
from torch import Tensor

from gannet.augmentation.lab import CHROMA, to_lab

STEP = 10 / CHROMA
"""The sides of a cell: ten units of a* and b*, as `lab` scales them."""
REACH = 12
"""Cells from grey to the edge of the table, in each direction."""
LEVELS = 33
"""Levels a channel of the colours that tell which cells sRGB reaches."""
FALL, BEND = 1.85, 0.65
"""How the logarithm of a cell's frequency falls with its distance from grey, in cells, and to which power of that:
fitted to 500 photographs of things, people and garments, of whose frequencies it gives half to one and a half up to 90
units."""
EVEN = 0.5
"""The share lambda of the even distribution that frequencies are mixed with before they weigh (equation 4)."""
SOFTENED = 0.5
"""The power of these weights that is learned with: with all of it grey, a quarter of all, would count next to nothing,
and the mean of the distribution, from which the weight is taken away again, be all the less certain."""


@cache
@torch.inference_mode(False)  # What is kept must serve learning, too.
def centres(device: torch.device | str = "cpu") -> Tensor:
    """Give the centres of the cells that sRGB reaches, (classes, 2), as `lab` scales chroma."""
    values = torch.linspace(-1, 1, LEVELS, dtype=torch.float64, device="cpu")
    colours = torch.cartesian_prod(values, values, values).T[None, :, :, None]
    cells: Tensor = (to_lab(colours)[0, 1:, :, 0].T / STEP).round().unique(dim=0)
    return (cells * STEP).float().to(device)


@cache
@torch.inference_mode(False)  # What is kept must serve learning, too.
def _numbers(device: torch.device) -> Tensor:
    """Give the class of each cell of the table, the nearest where sRGB does not reach it: (cells, cells)."""
    along = torch.arange(-REACH, REACH + 1, device="cpu") * STEP
    table = torch.cdist(torch.cartesian_prod(along, along), centres()).argmin(1)
    return table.view(len(along), len(along)).to(device)


def shared_out(chroma: Tensor) -> tuple[Tensor, Tensor]:
    """Give the classes (b, 4, h, w) around each colour (b, 2, h, w), and how much of it each has: one in all."""
    place = (chroma.float() / STEP + REACH).clamp(0, 2 * REACH - 1e-3)
    corner = place.long()
    right = place - corner
    table, numbers, shares = _numbers(chroma.device), [], []
    for down in (0, 1):
        for across in (0, 1):
            numbers.append(table[corner[:, 0] + down, corner[:, 1] + across])
            shares.append((right[:, 0] if down else 1 - right[:, 0]) * (right[:, 1] if across else 1 - right[:, 1]))
    return torch.stack(numbers, 1), torch.stack(shares, 1)


@cache
@torch.inference_mode(False)  # What is kept must serve learning, too.
def rarity(device: torch.device | str = "cpu") -> Tensor:
    """Give a weight for each class, higher for rarer ones, whose mean over photographs is one: (classes,).

    Equation 4, with frequencies that fall from grey as photographs' do.
    """
    frequency = torch.exp(-FALL * (centres() / STEP).norm(dim=1) ** BEND)
    frequency = frequency / frequency.sum()
    weight = ((1 - EVEN) * frequency + EVEN / len(frequency)) ** -SOFTENED
    return (weight / (weight * frequency).sum()).to(device)


def expected(logits: Tensor, leaning: float = 1.0, temperature: float = 1.0) -> Tensor:
    """Give the mean colour (b, 2, h, w) of distributions over the classes.

    Args:
        logits: (b, classes, h, w), of classes weighted by their rarity.
        leaning: how much of that weight is taken back: 1 for all, where the mean is that of photographs; below 0 as
            much is added.
        temperature: below 1 the likelier colours count the more, so that the mean is vivid (equation 5).
    """
    with torch.autocast(logits.device.type, enabled=False):
        straight = _rows(logits) - leaning * rarity(logits.device).log()
        return ((straight / temperature).softmax(3) @ centres(logits.device)).permute(0, 3, 1, 2)


def class_loss(logits: Tensor, chroma: Tensor) -> Tensor:
    """Give the mean cross-entropy of logits (b, classes, h, w) and colours (b, 2, h, w), weighted by rarity.

    What descends it is each class's share times its weight, over the sum of those.
    """
    numbers, shares = shared_out(chroma)
    weights = shares * rarity(logits.device)[numbers]
    told = _rows(logits).log_softmax(3).gather(3, numbers.permute(0, 2, 3, 1))
    return -(weights.permute(0, 2, 3, 1) * told).sum(3).mean()


def _rows(logits: Tensor) -> Tensor:
    """Give logits (b, classes, h, w) with the classes of a place side by side, as a processor adds them fastest."""
    return logits.permute(0, 2, 3, 1).float()
