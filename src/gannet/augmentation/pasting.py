"""Pieces of a kept stack pasted on pictures: scanned dirt and printed words, at any place, size and turn."""

from math import pi
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

from gannet.augmentation.draws import Draws

FINER = 2
"""How many times finer a piece is looked up along each side: hairs that shrink would break into dashes."""


Sides: TypeAlias = tuple[float | Tensor, float | Tensor]
"""From and to: one for all, or of each (n,)."""


def paste(pictures: Tensor, stack: Tensor, draws: Draws, sides: Sides) -> Tensor:
    """Tell how much of each picture (b, c, h, w) one piece covers, (b, 1, h, w) from 0 to 1.

    Args:
        stack: pieces (n, s, s) of uint8 on the pictures' device, which cover where they are white.
        sides: of a piece, from and to, in sides of the picture, of each piece where they are (n,); small ones are as
            likely as large ones.
    """
    which = (draws.uniform() * len(stack)).long()
    pieces = stack[which][:, None].float() / 255
    height, width = (FINER * side for side in pictures.shape[2:])
    smallest, largest = (side[which].cpu() if isinstance(side, Tensor) else side for side in sides)
    places = _places(draws.on_processor(), (smallest, largest)).to(pictures.device)
    grid = affine_grid(places, [len(pictures), 1, height, width], align_corners=False)
    return avg_pool2d(grid_sample(pieces, grid, align_corners=False), FINER)


def _places(draws: Draws, sides: Sides) -> Tensor:
    """Matrices (b, 2, 3) that lead from places of pictures to places of pieces, both from -1 to 1."""
    smallest, largest = sides
    side = smallest * (largest / smallest) ** draws.uniform()
    angle, middle = 2 * pi * draws.uniform(), 2.2 * draws.uniform(2) - 1.1
    mirrored = torch.where(draws.uniform() < 0.5, -1.0, 1.0)
    cosine, sine = angle.cos() / side, angle.sin() / side
    turn = torch.stack([torch.stack([cosine * mirrored, -sine], 1), torch.stack([sine * mirrored, cosine], 1)], 1)
    return torch.cat([turn, -turn @ middle[:, :, None]], 2)
