"""Volumes from noise, grown evenly in space as what moves is in the networks of clips, with their labels or without.

What a volume shows is told by few numbers, which a coarse grid grows from; its grain is drawn voxel by voxel, each by a
number of its own of the latent vector, and added where features are fine (Karras et al., 2019, "A Style-Based Generator
Architecture ...", section 3.2): a volume of few numbers alone is smoother than any scan.
"""

from dataclasses import dataclass, replace
from math import prod, sqrt
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate

from gannet.networks.convolution import SolidConvolution
from gannet.networks.pair import Generator, Pair, Shape
from gannet.networks.two_stream import ClipDiscriminator, Growth, grown, initialize
from gannet.schema import Positive

SMALLEST, LARGEST, MOST_CHANNELS = 8, 128, 65
"""Voxels a side, and channels: one of what is seen, the others of labels."""


class VolumeGenerator(Generator):
    """Maps latent vectors to volumes: what is seen, and the logits of the label of each voxel.

    Attributes:
        numbers: how many of a latent vector say what is shown; the others are the grain.
    """

    def __init__(self, numbers: int, shape: Shape, classes: int, width: int) -> None:
        growth, fine = Growth.evenly(shape), max(1, width // 2)
        self.sides = [side * 2**growth.levels for side in growth.start]
        super().__init__(numbers + prod(self.sides), shape, classes)
        widths = [width * min(2**level, 8) for level in reversed(range(growth.levels))]
        self.numbers = numbers
        self.embedding = nn.Embedding(classes, numbers) if classes else None
        self.coarse = grown(numbers * (2 if classes else 1), growth, widths, evenly)
        self.narrow = SolidConvolution(widths[-1], fine, 1, bias=False)
        self.fine = SolidConvolution(fine, fine, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm3d(fine)
        self.paint = SolidConvolution(fine, shape[0], 3, 1, 1)
        initialize(self)
        self.loudness = nn.ParameterList(nn.Parameter(torch.zeros(count, 1, 1, 1)) for count in (widths[-1], fine))

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent), and (b,) if there are classes, to volumes (b, c, d, h, w).

        The first channel is what is seen, in [-1, 1]; the others are logits of labels.
        """
        told, grain = latent[:, : self.numbers], latent[:, self.numbers :].unflatten(1, (1, *self.sides))
        if label is not None:
            assert self.embedding is not None
            told = torch.cat([told, self.embedding(label)], 1)
        features = self.coarse(told)
        features = features + self.loudness[0] * (sqrt(8) * avg_pool3d(grain, 2))
        features = interpolate(self.narrow(features), scale_factor=2, mode="trilinear")
        features = (self.norm(self.fine(features)) + self.loudness[1] * grain).relu()
        depth, height, width = self.shape[1:]
        painted = self.paint(features)[:, :, :depth, :height, :width].float()
        return torch.cat([painted[:, :1].tanh(), painted[:, 1:]], 1)


class VolumeDiscriminator(ClipDiscriminator):
    """Convolutions in space that halve the volume, and one logit."""

    convolution = SolidConvolution


def evenly(before: int, after: int, in_time: bool) -> nn.Sequential:
    """Double all sides evenly: transposed convolutions would leave a grid."""
    assert in_time, "volumes have three sides alike"
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="trilinear"), SolidConvolution(before, after, 3, 1, 1, bias=False)
    )


@dataclass(frozen=True)
class Volumes(Pair):
    """The networks for volumes of 8 to 128 voxels a side, with up to 64 labels."""

    latent: Positive = 32
    """How many numbers say what a volume shows; its grain is drawn besides."""
    width: Positive | Literal["auto"] = "auto"
    """Channels at half the size; each halving doubles them, up to eightfold. `auto`: by size."""

    def __post_init__(self) -> None:
        if self.latent < 1 or (self.width != "auto" and self.width < 1):
            raise ValueError("network.latent and network.width must be at least 1.")

    def generator(self, shape: Shape, classes: int) -> VolumeGenerator:
        """Build the generator for volumes of `shape` (c, d, h, w): a channel seen, the others of labels."""
        return VolumeGenerator(self.latent, checked_volume(shape), classes, self._width(shape))

    def discriminator(self, shape: Shape, classes: int) -> VolumeDiscriminator:
        """Build the discriminator of such volumes, whose labels are ones and zeros, or what lies between."""
        return VolumeDiscriminator(checked_volume(shape), classes, self._width(shape), Growth.evenly(shape))

    def sized(self, shape: Shape) -> Self:
        """Give the same with its width chosen: 24 up to 32 voxels a side, then less: the cost grows with the volume."""
        return replace(self, width=self._width(checked_volume(shape)))

    def _width(self, shape: Shape) -> int:
        return self.width if self.width != "auto" else max(8, min(24, 768 // min(shape[1:])))


def checked_volume(shape: Shape) -> Shape:
    """Give the shape, when it is one of volumes that can be made; else ValueError."""
    if len(shape) != 4:
        raise ValueError(f"A network for volumes makes volumes (c, d, h, w), not samples of shape {shape}.")
    channels, *sides = shape
    if not (1 <= channels <= MOST_CHANNELS and all(SMALLEST <= side <= LARGEST for side in sides)):
        raise ValueError(
            f"A network for volumes makes {SMALLEST} to {LARGEST} voxels a side with up to {MOST_CHANNELS - 1} labels, "
            f"not {'x'.join(map(str, sides))} with {channels - 1}; set data.size, or leave labels out."
        )
    return shape
