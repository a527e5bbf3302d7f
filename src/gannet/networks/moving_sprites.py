"""Clips of a sprite that moves over a still ground, from noise.

After Jojic and Frey (2001), "Learning Flexible Sprites in Video Layers", with networks in place of means. The sprite,
its mask and the ground are drawn in space alone, once a clip; a recurrent network tells where the sprite is in each
frame, how it has turned and grown. Far less is to be learned than by drawing every frame, where what moves keeps its
shape.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gannet.networks.convolution import Convolution
from gannet.networks.moving_layers import STATE, MovingParts, Parted, axes, laid
from gannet.networks.pair import Discriminator, Generator, Pair, Shape
from gannet.networks.srresnet import zero_init
from gannet.networks.two_stream import (
    ClipDiscriminator,
    Growth,
    Layers,
    TwoStream,
    checked_clip,
    grown_still,
    initialize,
)
from gannet.schema import Positive

KEPT = 4.0
"""The bias of the gate that keeps what the recurrent network remembers."""
LOUDNESS = 0.1
"""How loud grain of colours that weigh one is: were it loud after a few steps, sprites would grow to cover it."""
FURTHEST = 0.75
"""How far from the middle a sprite begins at most, in halves of a side."""


class MovingSpritesGenerator(Generator, MovingParts):
    """Maps latent vectors to clips."""

    def __init__(self, latent: int, shape: Shape, classes: int, options: "MovingSprites") -> None:
        super().__init__(latent, shape, classes)
        channels, growth, inputs = shape[0], Growth.of(shape), latent * (2 if classes else 1)
        width = options.sized(shape).width
        assert width != "auto", "it was chosen"
        widths = [width * min(2**level, 8) for level in reversed(range(growth.levels))]
        self.edge = options.edge
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.still = grown_still(inputs, growth, [*widths, channels], _evenly)
        self.sprites = grown_still(inputs, growth, [*widths, channels + options.parts], _evenly)
        self.grain = _Grain(inputs, shape)
        self.begin = nn.Linear(inputs, 2 * options.parts)
        self.build_motion(inputs, latent, options.parts)
        initialize(self)
        nn.init.normal_(self.grain.drawn.weight, 0.0, inputs**-0.5)
        nn.init.normal_(self.begin.weight, 0.0, inputs**-0.5)
        self.initialize_motion()
        # Noise is told once, at the start: what forgot it would stand still (Jozefowicz et al., 2015, section 2.3).
        for bias in (self.cell.bias_ih, self.cell.bias_hh):
            nn.init.constant_(bias[STATE : 2 * STATE], KEPT / 2)

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent), and (b,) if there are classes, to clips (b, c, t, h, w) in [-1, 1]."""
        return self.layers(latent, label).clip()

    def layers(self, latent: Tensor, label: Tensor | None) -> Layers:
        """Map the same to what clips are laid together of."""
        given = latent
        if self.embedding is not None:
            assert label is not None, "a conditional generator needs labels"
            given = torch.cat([latent, self.embedding(label)], 1)
        channels, length, height, width = self.shape
        still, sprites = (drawn(given)[..., :height, :width].float() for drawn in (self.still, self.sprites))
        still = still + self.grain(given)[..., :height, :width].float()
        across, down = axes(height, width, sprites)
        far = down[:, None].square() + across.square()
        masks = (sprites[:, channels:] - self.edge * far).sigmoid()
        parted = Parted(sprites[:, :channels].tanh(), masks, still.tanh(), given)
        begin = FURTHEST * self.begin(given).float().tanh().unflatten(1, (self.parts, 2))
        return laid(parted, self.moved(parted, latent, length, begin))


class _Grain(nn.Module):
    """Draws what is random at every place: each is a sum of its own of the latent vector's numbers.

    What is grown from few places is smooth, by which alone a discriminator tells it from a ground with grain.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        super().__init__()
        self.sides = [-(-side // 2) for side in shape[2:]]
        self.drawn = nn.Linear(inputs, self.sides[0] * self.sides[1])
        self.colours = zero_init(Convolution(1, shape[0], 3, 1, 1))

    def forward(self, latent: Tensor) -> Tensor:
        """Map (b, inputs) to (b, c, h, w), to be added to the ground: from nothing at first."""
        grain = self.drawn(latent).unflatten(1, (1, *self.sides))
        added: Tensor = LOUDNESS * self.colours(interpolate(grain, scale_factor=2.0, mode="bilinear"))
        return added


def _evenly(before: int, after: int) -> nn.Sequential:
    """Double the sides evenly: with transposed convolutions masks had holes."""
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), Convolution(before, after, 3, 1, 1))


@dataclass(frozen=True)
class MovingSprites(Pair):
    """The networks for clips of what keeps its shape, 8 to 256 pixels a side, 2 to 256 frames, 1 or 3 channels."""

    latent: Positive = 64
    """Length of the latent vector."""
    width: Positive | Literal["auto"] = "auto"
    """Channels of the layers nearest the frames; each halving doubles them, up to eightfold. `auto`: by size."""
    parts: Annotated[int, Field(ge=1, le=16)] = 1
    """Sprites of a clip that move on paths of their own, the later over the earlier."""
    edge: Annotated[float, Field(gt=0, le=1000)] = 12.0
    """How much less likely than its middle the edge of a picture is the sprite's at first, in logits: 12 begins with
    sprites of a third of a side, 100 with those of an eighth."""

    def __post_init__(self) -> None:
        if self.latent < 1 or (self.width != "auto" and self.width < 1) or not 1 <= self.parts <= 16:
            raise ValueError("network.latent and network.width must be at least 1, network.parts 1 to 16.")
        if not 0 < self.edge <= 1000:
            raise ValueError("network.edge must be above 0, 1,000 at most.")

    def generator(self, shape: Shape, classes: int) -> MovingSpritesGenerator:
        """Build the generator for clips of `shape` (c, t, h, w)."""
        return MovingSpritesGenerator(self.latent, checked_clip(shape), classes, self)

    def discriminator(self, shape: Shape, classes: int) -> ClipDiscriminator:
        """Build the discriminator of clips of `shape` (c, t, h, w)."""
        return self._discriminators.discriminator(shape, classes)

    def frame_discriminator(self, shape: Shape, classes: int) -> Discriminator:
        """Build the discriminator of the frames of such clips, (c, h, w)."""
        return self._discriminators.frame_discriminator(shape, classes)

    def sized(self, shape: Shape) -> Self:
        """Give the same with its width chosen."""
        return replace(self, width=self._discriminators.sized(shape).width)

    @property
    def _discriminators(self) -> TwoStream:
        return TwoStream(width=self.width)
