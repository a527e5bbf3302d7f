"""Moves of pictures in the plane: matrices (b, 3, 3), and the resampling that carries them out.

A matrix tells for each place of the result where in the picture it comes from. Places are measured from the middle, in
halves of the longer side, so that a turn keeps angles in pictures of any shape.
"""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate


def turn(angle: Tensor) -> Tensor:
    """Turn by `angle` (b,) in radians: (b, 3, 3)."""
    cosine, sine = angle.cos(), angle.sin()
    return _matrix(angle, {(0, 0): cosine, (0, 1): -sine, (1, 0): sine, (1, 1): cosine})


def scale(across: Tensor, down: Tensor) -> Tensor:
    """Make what is shown smaller by these factors (b,): (b, 3, 3)."""
    return _matrix(across, {(0, 0): across, (1, 1): down})


def shift(across: Tensor, down: Tensor) -> Tensor:
    """Move by these shares of the longer side (b,): (b, 3, 3)."""
    return _matrix(across, {(0, 2): 2 * across, (1, 2): 2 * down})


def shear(amount: Tensor) -> Tensor:
    """Let rows slide along each other, `amount` (b,) for one row: (b, 3, 3)."""
    return _matrix(amount, {(0, 1): amount})


def tilt(across: Tensor, down: Tensor) -> Tensor:
    """Look from the side; one edge is nearer than the middle by these shares (b,): (b, 3, 3)."""
    return _matrix(across, {(2, 0): across, (2, 1): down})


def unmoved(count: int) -> Tensor:
    """Give the matrices (count, 3, 3) that leave pictures where they are."""
    return torch.eye(3).expand(count, 3, 3)


def _matrix(like: Tensor, entries: dict[tuple[int, int], Tensor]) -> Tensor:
    matrix = torch.eye(3, device=like.device).repeat(len(like), 1, 1)
    for (row, column), values in entries.items():
        matrix[:, row, column] = values
    return matrix


def warp(pictures: Tensor, matrix: Tensor, mode: str = "bilinear") -> Tensor:
    """Resample (b, c, h, w) as the matrices (b, 3, 3) say; what lies beyond the edge is mirrored."""
    places = _places(pictures) @ matrix.transpose(1, 2)
    return resample(pictures, (places[..., :2] / places[..., 2:]).unflatten(1, pictures.shape[2:]), mode)


def bend(pictures: Tensor, moves: Tensor, mode: str = "bilinear") -> Tensor:
    """Resample (b, c, h, w) after a smooth displacement whose coarse values are `moves` (b, 2, k, k)."""
    places = _places(pictures)[:, :2].view(*pictures.shape[2:], 2)
    return resample(pictures, places + smooth_moves(pictures, moves), mode)


def smooth_moves(pictures: Tensor, coarse: Tensor) -> Tensor:
    """Spread coarse moves (b, 2, k, k) over the pixels of (b, c, h, w): (b, h, w, 2)."""
    return interpolate(coarse, pictures.shape[2:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def resample(pictures: Tensor, places: Tensor, mode: str) -> Tensor:
    """Give the values of (b, c, h, w) at places (b, h', w', 2)."""
    height, width = pictures.shape[2:]
    sides = torch.tensor([width, height], device=pictures.device) / max(height, width)
    return sample(pictures, places / sides, mode)


def sample(pictures: Tensor, grid: Tensor, mode: str) -> Tensor:
    """Look values of (b, c, h, w) up on a grid (b, h', w', 2) in [-1, 1] on either axis, mirrored beyond the edge."""
    return grid_sample(pictures, grid, mode, padding_mode="reflection", align_corners=False)


def _places(pictures: Tensor) -> Tensor:
    """Where the pixels of (b, c, h, w) lie: (h * w, 3), the last a one."""
    height, width = pictures.shape[2:]
    down, across = ((2 * torch.arange(side, device=pictures.device) + 1 - side) for side in (height, width))
    flat = torch.cartesian_prod(down / max(height, width), across / max(height, width)).flip(1)
    return torch.cat([flat, torch.ones_like(flat[:, :1])], 1)
