"""Normalization of each place by itself: what lies elsewhere, or in another picture of the batch, does not matter."""

import torch
from torch import Tensor, nn

SMALLEST = 1e-2
"""Added to mean squares where what is normalized is itself descended twice: at zero, gradients grow tenfold at most."""


def normalized(features: Tensor, smallest: float = 1e-6) -> Tensor:
    """Bring each place of (b, c, h, w) to a mean square of one over its channels (Karras et al., 2018, section 4.2)."""
    wide = features.float()
    return (wide * (wide.square().mean(1, keepdim=True) + smallest).rsqrt()).to(features.dtype)


class PlaceNorm(nn.Module):
    """Normalizes each place, and then scales and shifts each channel, as batch normalization does.

    However large the weights before it grow, what comes out does not: a discriminator of many layers, whose
    steps would add up from layer to layer, stays finite.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Normalize (b, c, h, w)."""
        scale, shift = (one.to(features.dtype)[:, None, None] for one in (self.weight, self.bias))
        return normalized(features, SMALLEST) * scale + shift
