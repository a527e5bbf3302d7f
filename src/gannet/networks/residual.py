"""Residual networks without normalization (Huang et al., 2024, "The GAN is dead; long live the GAN!", section 3).

Generator and discriminator are mirror images: at each size so many residual blocks, between sizes bilinear resampling.
They go with the relativistic loss and penalties on both players' samples (loss.r1 and loss.r2).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, pixel_shuffle

from gannet.networks.convolution import Convolution
from gannet.networks.pair import Discriminator, Generator, Pair, Shape, checked, halvings
from gannet.schema import Positive

SLOPE = 0.2
STEMS = {1: (1, 1, 0), 2: (4, 2, 1)}
"""Kernel, stride and padding of the layer that reads the picture, by how many pixels a side it takes at once."""


class ResidualBlock(nn.Module):
    """Adds to its input what three convolutions make of it; the last starts at zero (section 3.4, figure 3)."""

    def __init__(self, channels: int, inner: int, groups: int, blocks: int) -> None:
        super().__init__()
        self.narrow = Convolution(channels, inner, 1, bias=False)
        self.middle = Convolution(inner, inner, 3, 1, 1, groups=groups, bias=False)
        self.widen = Convolution(inner, channels, 1, bias=False)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(inner)) for _ in range(2))
        # Fixup (Zhang et al., 2019): with so many branches of three layers the sum neither grows nor fades.
        for layer in (self.narrow, self.middle):
            start(layer, blocks**-0.25)
        start(self.widen, 0.0)

    def forward(self, picture: Tensor) -> Tensor:
        """Map (b, c, h, w) to the same shape."""
        inner = picture
        for layer, bias in zip((self.narrow, self.middle), self.biases, strict=True):
            inner = leaky_relu(layer(inner) + bias[:, None, None], SLOPE)
        result: Tensor = picture + self.widen(inner)
        return result


class ResidualGenerator(Generator):
    """A learned small picture, each channel as strong as the latent vector says, that grows size by size."""

    def __init__(self, latent: int, shape: Shape, classes: int, plan: "Residual") -> None:
        super().__init__(latent, shape, classes)
        widths = plan.widths(shape)[::-1]
        levels = halvings(shape)
        self.basis = nn.Parameter(torch.randn(widths[0], *(-(-side // 2**levels) for side in shape[1:])))
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.strength = nn.Linear(latent * (2 if classes else 1), widths[0], bias=False)
        self.levels = nn.ModuleList(plan.level(width, len(widths)) for width in widths)
        self.changes = nn.ModuleList(_change(*pair) for pair in pairwise(widths))
        self.stem = plan.stem
        padding = STEMS[plan.stem][-1]
        self.paint = Convolution(widths[-1], shape[0] * plan.stem**2, 1 + 2 * padding, 1, padding)
        start(self.strength, 1 / sqrt(2))
        start(self.paint, 1 / sqrt(2))

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent) to pictures (b, c, h, w); while it learns they may leave [-1, 1]."""
        if label is not None:
            assert self.embedding is not None
            latent = torch.cat([latent, self.embedding(label)], 1)
        picture = self.basis * self.strength(latent)[:, :, None, None]
        picture = self.levels[0](picture)
        for change, level in zip(self.changes, list(self.levels)[1:], strict=True):
            picture = level(interpolate(change(picture), scale_factor=2, mode="bilinear"))
        _, height, width = self.shape
        result = pixel_shuffle(self.paint(picture), self.stem)[:, :, :height, :width]
        return result if self.training else result.clamp(-1, 1)


class ResidualDiscriminator(Discriminator):
    """The generator's mirror image: a picture that shrinks size by size to one number a channel, and one logit."""

    def __init__(self, shape: Shape, classes: int, plan: "Residual") -> None:
        widths = plan.widths(shape)
        super().__init__(widths[-1], classes)
        sides = [side >> halvings(shape) for side in shape[1:]]
        self.read = Convolution(shape[0], widths[0], *STEMS[plan.stem])
        self.levels = nn.ModuleList(plan.level(width, len(widths)) for width in widths)
        self.changes = nn.ModuleList(_change(*pair) for pair in pairwise(widths))
        self.basis = nn.Parameter(torch.randn(widths[-1], *sides) / sqrt(sides[0] * sides[1]))
        start(self.read, 1 / sqrt(2))
        start(self.head, 1 / sqrt(2))

    def extract(self, sample: Tensor) -> Tensor:
        """Map pictures (b, c, h, w) to features (b, f)."""
        picture = self.levels[0](self.read(sample))
        for change, level in zip(self.changes, list(self.levels)[1:], strict=True):
            picture = level(avg_pool2d(change(picture), 2))
        features: Tensor = (picture * self.basis).sum((2, 3))
        return features


def start(layer: nn.Module, gain: float) -> None:
    """Give normal weights that keep the variance through a leaky rectifier (He et al., 2015), times `gain`."""
    if gain == 0:
        nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
    else:
        nn.init.kaiming_normal_(layer.weight, SLOPE, nonlinearity="leaky_relu")  # type: ignore[arg-type]
        with torch.no_grad():
            layer.weight.mul_(gain)  # type: ignore[operator]
    if getattr(layer, "bias", None) is not None:
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def _change(before: int, after: int) -> nn.Module:
    """From one number of channels to another, where they differ."""
    if before == after:
        return nn.Identity()
    layer = Convolution(before, after, 1, bias=False)
    start(layer, 1 / sqrt(2))
    return layer


@dataclass(frozen=True)
class Residual(Pair):
    """An R3GAN-like pair for pictures of 8 to 256 pixels a side and 1 to 4 channels."""

    latent: Positive = 64
    """Length of the latent vector."""
    width: Positive | Literal["auto"] = "auto"
    """Channels of the blocks nearest the picture; each halving doubles them, up to eightfold. `auto`: by size."""
    blocks: Positive = 1
    """Residual blocks at each size."""
    expansion: Positive = 1
    """Channels within a block, as a multiple of those around it."""
    groups: Positive = 1
    """Groups of the 3x3 convolutions; 1, dense, is the fastest on a processor."""
    stem: Literal[1, 2] = 1
    """Pixels a side that the first layer takes at once: 2 spares the blocks at full size, which cost the most."""

    def __post_init__(self) -> None:
        numbers = (self.latent, self.blocks, self.expansion, self.groups, 1 if self.width == "auto" else self.width)
        if min(numbers) < 1:
            raise ValueError("network.latent, width, blocks, expansion and groups must be at least 1.")
        if self.width != "auto" and self.width * self.expansion % self.groups:
            raise ValueError("network.groups must divide network.width times network.expansion.")

    def generator(self, shape: Shape, classes: int) -> ResidualGenerator:
        """Build the generator for pictures of `shape` (c, h, w)."""
        return ResidualGenerator(self.latent, checked(shape, "residual pair"), classes, self.sized(shape))

    def discriminator(self, shape: Shape, classes: int) -> ResidualDiscriminator:
        """Build the discriminator for pictures of `shape` (c, h, w)."""
        return ResidualDiscriminator(checked(shape, "residual pair"), classes, self.sized(shape))

    def sized(self, shape: Shape) -> Self:
        """Give the pair with its width chosen: 32 up to 32 pixels a side, then less, as the cost grows with the
        area.
        """
        chosen = max(8, min(32, 1024 // max(checked(shape, "residual pair")[1:])))
        return replace(self, width=chosen) if self.width == "auto" else self

    def widths(self, shape: Shape) -> Sequence[int]:
        """Give channels at each size, the picture's first."""
        assert self.width != "auto"
        return [self.width * min(2**level, 8) for level in range(halvings(shape) + 2 - self.stem)]

    def level(self, channels: int, levels: int) -> nn.Module:
        """Give the residual blocks of one size, among so many."""
        inner = channels * self.expansion
        return nn.Sequential(
            *(ResidualBlock(channels, inner, self.groups, levels * self.blocks) for _ in range(self.blocks))
        )
