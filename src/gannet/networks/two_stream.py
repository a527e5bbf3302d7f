"""Clips in two streams (Vondrick et al., 2016, "Generating Videos with Scene Dynamics", section 3).

What moves is drawn in space and time, what stands still in space alone, and a mask says where which of them is seen.
The discriminator of clips is the foreground's mirror image; beside it frames are looked at one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log
from typing import ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor, nn

from gannet.networks.convolution import UpConvolution
from gannet.networks.dcgan import Dcgan
from gannet.networks.pair import Discriminator, Generator, Pair, Shape, checked, halvings
from gannet.schema import Positive

MASK_SHARE = 0.2
"""Of what is seen at the start that is foreground: a mask that begins near 0 or 1 stays there."""
SLOPE, DEVIATION = 0.2, 0.02
LONGEST = 256
"""Frames of a clip."""


class Layers(NamedTuple):
    """What a clip is laid together of.

    Attributes:
        foreground: (b, c, t, h, w) in [-1, 1].
        background: (b, c, h, w) in [-1, 1].
        mask: (b, 1, t, h, w) in [0, 1]: how much of the foreground is seen.
    """

    foreground: Tensor
    background: Tensor
    mask: Tensor

    def clip(self) -> Tensor:
        """Lay the foreground over the background: (b, c, t, h, w) (equation 2)."""
        still = self.background[:, :, None]
        return still + self.mask * (self.foreground - still)


@dataclass(frozen=True)
class Growth:
    """How a clip grows: the sides (t, h, w) at its start, and for each level whether time is doubled as space is."""

    start: tuple[int, int, int]
    in_time: tuple[bool, ...]

    @classmethod
    def of(cls, shape: Shape) -> "Growth":
        """Choose it for clips of `shape` (c, t, h, w): space is doubled from 3 or 4 pixels on, time from 2 frames."""
        _, length, height, width = shape
        levels = halvings(shape[1:])
        doublings = min(levels, max(1, (length - 1).bit_length() - 1))
        start = (-(-length // 2**doublings), *(-(-side // 2**levels) for side in (height, width)))
        return cls(start, tuple(level >= levels - doublings for level in range(levels)))

    @classmethod
    def evenly(cls, shape: Shape) -> "Growth":
        """Choose it for volumes of `shape` (c, d, h, w), whose sides are all doubled: the shortest from 3 or 4 on."""
        levels = (min(shape[1:]) - 1).bit_length() - 2
        depth, height, width = (-(-side // 2**levels) for side in shape[1:])
        return cls((depth, height, width), (True,) * levels)

    @property
    def levels(self) -> int:
        """How often space is doubled."""
        return len(self.in_time)


class TwoStreamGenerator(Generator):
    """Maps latent vectors to clips."""

    def __init__(self, latent: int, shape: Shape, classes: int, width: int) -> None:
        super().__init__(latent, shape, classes)
        growth, inputs = Growth.of(shape), latent * (2 if classes else 1)
        widths = [width * min(2**level, 8) for level in reversed(range(growth.levels))]
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.moving = grown(inputs, growth, widths)
        self.moving_colours = transposed_clips(widths[-1], shape[0], growth.in_time[-1])
        self.moving_mask = transposed_clips(widths[-1], 1, growth.in_time[-1])
        self.still = grown_still(inputs, growth, [*widths, shape[0]])
        initialize(self)
        nn.init.constant_(self.moving_mask.bias, log(MASK_SHARE / (1 - MASK_SHARE)))  # type: ignore[arg-type]

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent), and (b,) if there are classes, to clips (b, c, t, h, w) in [-1, 1]."""
        return self.layers(latent, label).clip()

    def layers(self, latent: Tensor, label: Tensor | None) -> Layers:
        """Map the same to what clips are laid together of."""
        if self.embedding is not None:
            assert label is not None, "a conditional generator needs labels"
            latent = torch.cat([latent, self.embedding(label)], 1)
        features, (_, length, height, width) = self.moving(latent), self.shape
        inside = (..., slice(length), slice(height), slice(width))
        foreground, mask = self.moving_colours(features)[inside], self.moving_mask(features)[inside]
        background = self.still(latent)[..., :height, :width]
        return Layers(foreground.float().tanh(), background.float().tanh(), mask.float().sigmoid())


class ClipDiscriminator(Discriminator):
    """Convolutions in space and time that halve the clip, and one logit."""

    convolution: ClassVar[type[nn.Conv3d]] = nn.Conv3d

    def __init__(self, shape: Shape, classes: int, width: int, growth: Growth, group: int = 1) -> None:
        widths = [width * min(2**level, 8) for level in range(growth.levels)]
        sides = (shape[1] >> sum(growth.in_time), *(side >> growth.levels for side in shape[2:]))
        super().__init__(widths[-1] * sides[0] * sides[1] * sides[2] + (group > 1), classes)
        self.group = group
        steps: list[nn.Module] = []
        for in_time, (before, after) in zip(growth.in_time[::-1], pairwise([shape[0], *widths]), strict=True):
            steps += [self.convolution(before, after, *_sides(in_time)), nn.LeakyReLU(SLOPE)]
        self.body = nn.Sequential(*steps, nn.Flatten())
        initialize(self)

    def extract(self, sample: Tensor) -> Tensor:
        """Map clips (b, c, t, h, w) to features (b, f)."""
        features: Tensor = self.body(sample)
        return features if self.group == 1 else with_spread(features, self.group)


def with_spread(features: Tensor, group: int) -> Tensor:
    """Put behind features (b, f) how much they differ within each group of so many rows: (b, f + 1).

    The mean of the standard deviations over the group (Karras et al., 2018, "Progressive Growing of GANs", section 3):
    by it a generator is told whose samples are all alike.
    """
    spreads = [rows.var(0, correction=0).add(1e-8).sqrt().mean().expand(len(rows), 1) for rows in features.split(group)]
    return torch.cat([features, torch.cat(spreads)], 1)


def _sides(in_time: bool) -> tuple[tuple[int, int, int], tuple[int, int, int], int]:
    """Kernel, stride and padding of a layer that changes space twofold, and time as well or not."""
    return (4 if in_time else 3, 4, 4), (2 if in_time else 1, 2, 2), 1


def transposed_clips(before: int, after: int, in_time: bool) -> nn.ConvTranspose3d:
    """Double space, and time as well or not, by a transposed convolution."""
    return nn.ConvTranspose3d(before, after, *_sides(in_time))


def grown(
    inputs: int,
    growth: Growth,
    widths: Sequence[int],
    double: Callable[[int, int, bool], nn.Module] = transposed_clips,
) -> nn.Sequential:
    """Grow latent vectors (b, inputs) to features (b, c, t, h, w), all but the last level.

    Args:
        double: builds what doubles the sides, by its channels before and after, and whether time is doubled as well.
    """
    time, height, width = growth.start
    steps: list[nn.Module] = [
        nn.Linear(inputs, widths[0] * time * height * width, bias=False),
        nn.Unflatten(1, (widths[0], time, height, width)),
        nn.BatchNorm3d(widths[0]),
        nn.ReLU(),
    ]
    for in_time, (before, after) in zip(growth.in_time, pairwise(widths), strict=False):
        steps += [double(before, after, in_time), nn.BatchNorm3d(after), nn.ReLU()]
    return nn.Sequential(*steps)


def transposed(before: int, after: int) -> UpConvolution:
    """Double the sides by a transposed convolution."""
    return UpConvolution(before, after, 4, 2, 1)


def grown_still(
    inputs: int, growth: Growth, widths: Sequence[int], double: Callable[[int, int], nn.Module] = transposed
) -> nn.Sequential:
    """Grow latent vectors (b, inputs) to pictures, before they are brought to [-1, 1].

    Args:
        double: builds what doubles the sides, by its channels before and after.
    """
    _, height, width = growth.start
    steps: list[nn.Module] = [
        nn.Linear(inputs, widths[0] * height * width, bias=False),
        nn.Unflatten(1, (widths[0], height, width)),
    ]
    for before, after in pairwise(widths):
        steps += [nn.BatchNorm2d(before), nn.ReLU(), double(before, after)]
    return nn.Sequential(*steps)


def initialize(network: nn.Module) -> None:
    """Normal weights of deviation 0.02, as for pictures (Radford et al., 2016)."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


@dataclass(frozen=True)
class TwoStream(Pair):
    """The networks for clips of 8 to 256 pixels a side, 2 to 256 frames and 1 or 3 channels."""

    latent: Positive = 64
    """Length of the latent vector."""
    width: Positive | Literal["auto"] = "auto"
    """Channels of the layers nearest the frames; each halving doubles them, up to eightfold. `auto`: by size."""
    group: Positive = 1
    """Clips by whose spread the discriminator of clips tells real ones, too: 8 against `mode-collapse`, 1 for none."""

    def __post_init__(self) -> None:
        if min(self.latent, self.group) < 1 or (self.width != "auto" and self.width < 1):
            raise ValueError("network.latent, network.width and network.group must be at least 1.")

    def generator(self, shape: Shape, classes: int) -> TwoStreamGenerator:
        """Build the generator for clips of `shape` (c, t, h, w)."""
        return TwoStreamGenerator(self.latent, checked_clip(shape), classes, self._width(shape))

    def discriminator(self, shape: Shape, classes: int) -> ClipDiscriminator:
        """Build the discriminator of clips of `shape` (c, t, h, w)."""
        return ClipDiscriminator(checked_clip(shape), classes, self._width(shape), Growth.of(shape), self.group)

    def frame_discriminator(self, shape: Shape, classes: int) -> Discriminator:
        """Build the discriminator of the frames of such clips, (c, h, w)."""
        channels, _, *sides = checked_clip(shape)
        return Dcgan(width=self._width(shape)).discriminator((channels, *sides), classes)

    def sized(self, shape: Shape) -> Self:
        """Give the same with its width chosen: 32 up to 64 pixels a side, then less: the cost grows with the area."""
        return replace(self, width=self._width(checked_clip(shape)))

    def _width(self, shape: Shape) -> int:
        return self.width if self.width != "auto" else max(8, min(32, 2048 // max(shape[2:])))


def checked_clip(shape: Shape) -> Shape:
    """Give the shape, when it is one of clips that can be made; else ValueError."""
    if len(shape) != 4:
        raise ValueError(f"A network for clips makes clips (c, t, h, w), not samples of shape {shape}.")
    channels, length, *sides = shape
    checked((channels, *sides), "network for clips")
    if not 2 <= length <= LONGEST:
        raise ValueError(f"Clips have 2 to {LONGEST} frames, not {length}; set data.length.")
    return shape
