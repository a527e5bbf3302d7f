"""A network that paints a picture from the map of its classes, each class in a style.

The map rules every layer: what a layer makes is normalized at each place, and scaled and shifted by numbers of the
class that lies there, with the place inside its region (CLADE; Tan et al., 2021, "Efficient Semantic Image Synthesis
via Class-Adaptive Normalization", equations 3 and 8), or by convolutions of the map (SPADE; Park et al., 2019,
equation 1). Normalized is each place by itself, so that what is changed in one region stays there.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from gannet.networks.convolution import Convolution, side_by_side
from gannet.networks.place_norm import normalized
from gannet.networks.srresnet import zero_init
from gannet.networks.unet import he_init
from gannet.schema import STRICT

LEVELS = (6, 5, 4, 2, 1)
"""Widths from a sixteenth of a picture's sides to all of them, in those of the last."""
STRIDE = 2 ** (len(LEVELS) - 1)
COLOURS, BRIGHTEST = 3, 0.97
"""Channels of a picture; the level up to which a mean colour is begun with."""
REGION_NOISE = 8
"""Numbers that are drawn for each region."""
SLOPE = 0.2


@dataclass(frozen=True)
class Guide:
    """What rules a painting.

    Attributes:
        shares: what part of each pixel each class has, (b, n, h, w).
        latents: how each class is to be painted, (b, n, d).
        noise: white noise, (b, 1, h, w), or smaller where nothing so fine is painted.
    """

    shares: Tensor
    latents: Tensor
    noise: Tensor

    @cached_property
    def places(self) -> Tensor:
        """The place of each pixel inside the region of its class, (b, 2, h, w)."""
        return places_inside(self.shares)

    def basis(self, level: int) -> Tensor:
        """Give the classes' shares, and those times the place and the noise, (b, 4 n, h, w) at that level."""
        step = STRIDE >> level
        shares = avg_pool2d(self.shares, step) if step > 1 else self.shares
        places = avg_pool2d(self.places, step) if step > 1 else self.places
        every = self.noise.shape[2] // shares.shape[2]
        white = self.noise[:, :, ::every, ::every]
        inside = [shares, shares * places[:, :1], shares * places[:, 1:], shares * white]
        return torch.cat(inside, 1)


def places_inside(shares: Tensor) -> Tensor:
    """Tell where each pixel lies in the region of its class: across and down from its middle, (b, 2, h, w).

    In standard deviations of the region (after CLADE's intra-class positional encoding, section 3.4).

    Args:
        shares: (b, n, h, w).
    """
    height, width = shares.shape[2:]
    down = torch.linspace(-1, 1, height, device=shares.device)[:, None].expand(height, width)
    across = torch.linspace(-1, 1, width, device=shares.device)[None].expand(height, width)
    grid = torch.stack([across, down]).flatten(1)
    flat = shares.float().flatten(2)
    count = flat.sum(2, keepdim=True).clamp_min(1e-6)
    with torch.autocast(
        shares.device.type, enabled=False
    ):  # Of squares that lie close together half precision leaves nothing.
        mean = flat @ grid.T / count
        spread = (flat @ grid.square().T / count - mean.square()).clamp_min(1e-3).sqrt()
        # Each class's mean and spread, laid where the class lies.
        laid = torch.cat([mean, spread], 2).transpose(1, 2) @ flat
    nobodys = (1 - flat.sum(1, keepdim=True)).clamp(0, 1)
    inside = (grid - laid[:, :2]) / (laid[:, 2:] + nobodys)
    return (inside * (1 - nobodys)).clamp(-3, 3).view(-1, 2, height, width)


def class_adaptive(features: Tensor, scale_and_shift: Tensor) -> Tensor:
    """Scale and shift what is normalized (b, c, h, w) by numbers laid out over it, (b, 2 c, h, w): CLADE, equation 3.

    Scales are told as what they are more than one.
    """
    scale, shift = scale_and_shift.chunk(2, 1)
    return normalized(features) * (1 + scale) + shift


def guided_sampling(numbers: Tensor, basis: Tensor) -> Tensor:
    """Give each place the numbers of its class, (b, n, 4 k) as (b, k, h, w): CLADE's guided sampling.

    Args:
        basis: (b, 4 n, h, w); a quarter of the numbers is for the class as such, two for the place in its region, one
            for the noise.
    """
    count, height, width = numbers.shape[1], *basis.shape[2:]
    table = numbers.view(len(numbers), count, 4, -1).transpose(1, 2).flatten(1, 2)
    return torch.bmm(table.transpose(1, 2), basis.flatten(2).to(table.dtype)).view(len(basis), -1, height, width)


class ByClass(nn.Module):
    """Numbers for each class, out of its latents; laid where the class lies."""

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        self.table = nn.Linear(latent, 4 * 2 * channels)

    def forward(self, features: Tensor, guide: Guide, basis: Tensor) -> Tensor:
        """Modulate (b, c, h, w)."""
        return class_adaptive(features, guided_sampling(self.table(guide.latents), basis))


class ByConvolution(nn.Module):
    """Numbers for each place, by convolutions of what lies around it."""

    hidden = 32

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        self.table = nn.Linear(latent, 4 * self.hidden)
        self.body = Convolution(self.hidden, 2 * channels, 3, 1, 1)

    def forward(self, features: Tensor, guide: Guide, basis: Tensor) -> Tensor:
        """Modulate (b, c, h, w)."""
        spread = guided_sampling(self.table(guide.latents), basis)
        return class_adaptive(features, self.body(leaky_relu(spread, SLOPE)))


class Block(nn.Module):
    """Two modulated convolutions beside what goes by; the second one at twice the size (but in the first block)."""

    def __init__(
        self, before: int, after: int, level: int, latent: int, modulation: type[ByClass | ByConvolution]
    ) -> None:
        super().__init__()
        self.level, self.grows = level, level > 0
        self.first, self.second = modulation(before, latent), modulation(after, latent)
        self.narrow = he_init(Convolution(before, after, 3, 1, 1))
        self.last = he_init(Convolution(after, after, 3, 1, 1))
        self.skip = Convolution(before, after, 1, 1, 0, bias=False) if before != after else nn.Identity()

    def forward(self, features: Tensor, guide: Guide, bases: list[Tensor]) -> Tensor:
        """Map (b, before, h, w) to (b, after, 2 h, 2 w)."""
        below = bases[max(0, self.level - 1)]
        changed = self.narrow(leaky_relu(self.first(features, guide, below), SLOPE))
        past = self.skip(features)
        if self.grows:
            changed, past = (interpolate(one, scale_factor=2.0, mode="nearest") for one in (changed, past))
        changed = self.last(leaky_relu(self.second(changed, guide, bases[self.level]), SLOPE))
        result: Tensor = (changed + past) * 0.7
        return result


class Painter(nn.Module):
    """Paints maps of classes.

    Args:
        classes: how many there are.
        style: numbers that tell how each is to be painted.
        options: how wide it is, and what modulates.
    """

    def __init__(self, classes: int, style: int, options: "PainterOptions") -> None:
        super().__init__()
        widths = [options.width * times for times in LEVELS]
        latent, modulation = options.latent, options.modulation
        self.embedding = nn.Parameter(torch.randn(classes, latent))
        self.given = nn.Linear(style + REGION_NOISE, latent)
        self.mapping = nn.Sequential(nn.LeakyReLU(SLOPE), nn.Linear(latent, latent), nn.LeakyReLU(SLOPE))
        self.base = nn.Linear(latent, 4 * latent)
        self.entry = he_init(Convolution(latent, widths[0], 3, 1, 1))
        pairs = zip([widths[0], *widths], widths, strict=False)
        self.blocks = nn.ModuleList(
            Block(before, after, level, latent, modulation) for level, (before, after) in enumerate(pairs)
        )
        self.heads = nn.ModuleList(zero_init(Convolution(width, COLOURS, 3, 1, 1)) for width in widths[-2:])

    def forward(
        self, shares: Tensor, style: Tensor, region_noise: Tensor, noise: Tensor, halved: bool = False
    ) -> Tensor:
        """Paint (b, 3, h, w) in [-1, 1].

        Args:
            shares: what part of each pixel each class has, (b, n, h, w); sides are multiples of 16.
            style: of each class, (b, n, s); its first three numbers are the mean colour, in [-1, 1].
            region_noise: (b, n, 8).
            noise: (b, 1, h, w); of half the sides is enough where it is halved.
            halved: paint at half the size only, (b, 3, h/2, w/2).
        """
        latents = self.mapping(self.embedding + self.given(torch.cat([style, region_noise], 2)))
        guide = Guide(shares, latents, noise)
        blocks = list(self.blocks)[: -1 if halved else None]
        bases = [guide.basis(level) for level in range(len(blocks))]
        features = self.entry(side_by_side(guided_sampling(self.base(latents), bases[0])))
        coarse = None
        for block in blocks:
            features = block(features, guide, bases)
            if block.level == len(LEVELS) - 2:
                coarse = self.heads[0](leaky_relu(features, SLOPE))
        assert coarse is not None
        if not halved:
            coarse = interpolate(coarse, scale_factor=2.0, mode="bilinear") + self.heads[1](leaky_relu(features, SLOPE))
        return torch.tanh(coarse.float() + self._start(style, bases[-1]))

    def _start(self, style: Tensor, basis: Tensor) -> Tensor:
        """Fill each class with the mean colour of its style, as what `tanh` makes of it: what is painted is added."""
        count = style.shape[1]
        filled = torch.bmm(style[..., :COLOURS].float().transpose(1, 2), basis[:, :count].float().flatten(2))
        start: Tensor = torch.atanh(filled.float().clamp(-BRIGHTEST, BRIGHTEST))
        return start.view(len(basis), COLOURS, *basis.shape[2:])


@dataclass(frozen=True)
class PainterOptions:
    """What every painter may be told; kinds differ in what modulates their layers."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    # Described here: docstrings of attributes are not inherited.
    width: Annotated[
        int, Field(ge=1, le=128, description="Channels at the largest size; six times as many at the smallest.")
    ] = 32
    latent: Annotated[
        int,
        Field(ge=1, le=256, description="Numbers that say how a class is painted, between its style and the layers."),
    ] = 48

    modulation: ClassVar[Any]

    def painter(self, classes: int, style: int) -> Painter:
        """Build the network."""
        return Painter(classes, style, self)


@dataclass(frozen=True)
class Clade(PainterOptions):
    """Numbers for each class modulate the layers: cheap."""

    modulation: ClassVar[Any] = ByClass


@dataclass(frozen=True)
class Spade(PainterOptions):
    """Convolutions of the map modulate the layers: dearer."""

    modulation: ClassVar[Any] = ByConvolution
