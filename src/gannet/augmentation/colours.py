"""Changes of colour: matrices (b, 4, 4) on red, green, blue and one (Karras et al., 2020, appendix B).

Values lie in [-1, 1] and may leave it: what is cut off would have no gradient.
"""

import torch
from torch import Tensor

LUMA = torch.full((3,), 3**-0.5)
"""The axis along which colours grow lighter."""


def brighten(amount: Tensor) -> Tensor:
    """Add `amount` (b,): (b, 4, 4)."""
    matrix = unchanged(len(amount)).to(amount.device, copy=True)
    matrix[:, :3, 3] = amount[:, None]
    return matrix


def contrast(factor: Tensor) -> Tensor:
    """Stretch values from the middle grey by `factor` (b,): (b, 4, 4)."""
    return _embedded(factor[:, None, None] * torch.eye(3, device=factor.device))


def saturate(factor: Tensor) -> Tensor:
    """Stretch colours from grey by `factor` (b,): (b, 4, 4)."""
    grey = torch.outer(LUMA, LUMA).to(factor)
    return _embedded(grey + factor[:, None, None] * (torch.eye(3).to(factor) - grey))


def shift_hue(angle: Tensor) -> Tensor:
    """Turn colours around grey by `angle` (b,) in radians: (b, 4, 4); Rodrigues' formula."""
    x, y, z = LUMA.tolist()
    across = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]).to(angle)
    grey, cosine, sine = torch.outer(LUMA, LUMA).to(angle), angle.cos()[:, None, None], angle.sin()[:, None, None]
    return _embedded(cosine * torch.eye(3).to(angle) + sine * across + (1 - cosine) * grey)


def unchanged(count: int) -> Tensor:
    """Give the matrices (count, 4, 4) that leave the colours of pictures as they are."""
    return torch.eye(4).expand(count, 4, 4)


def _embedded(colours: Tensor) -> Tensor:
    matrix = unchanged(len(colours)).to(colours.device, copy=True)
    matrix[:, :3, :3] = colours
    return matrix


def recolour(pictures: Tensor, matrix: Tensor) -> Tensor:
    """Apply the matrices (b, 4, 4) to the colours of (b, c, h, w); grey follows as grey, transparency stays."""
    if pictures.shape[1] < 3:
        grey = matrix[:, :3].mean(1)
        return pictures * grey[:, :3].sum(1)[:, None, None, None] + grey[:, 3][:, None, None, None]
    colours = matrix[:, :3, :3] @ pictures[:, :3].flatten(2) + matrix[:, :3, 3:]
    return torch.cat([colours.view_as(pictures[:, :3]), pictures[:, 3:]], 1)
