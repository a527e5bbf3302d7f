"""A network that enlarges pictures: residual blocks at the small size, and one stage of sub-pixels at the end."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from gannet.networks.convolution import Convolution
from gannet.schema import STRICT

BICUBIC_RADIUS = 2
"""Pixels of the small picture to either side that bicubic interpolation looks at."""


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what they were given; without normalization (Lim et al., 2017)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        last = zero_init(Convolution(width, width, 3, 1, 1))
        self.body = nn.Sequential(Convolution(width, width, 3, 1, 1), nn.ReLU(), last)

    def forward(self, features: Tensor) -> Tensor:
        """Map (b, width, h, w) to the same shape."""
        changed: Tensor = features + self.body(features)
        return changed


class EvenSubpixels(Convolution):
    """A convolution that gives the `scale`^2 pixels of each, all of which answer alike where nothing changes.

    Weights of their own let each pixel of a square answer a flat area in its own way, and so lay a grid over it (Aitken
    et al., 2017, "Checkerboard artifact free sub-pixel convolution", start them alike). Here what their sums differ by
    is taken away from the weights, whatever was learned.
    """

    def __init__(self, width: int, channels: int, scale: int) -> None:
        super().__init__(width, channels * scale**2, 3, 1, 1)
        self.scale = scale

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (b, width, h, w) to (b, channels * scale^2, h, w)."""
        assert self.bias is not None
        weight = self.weight.unflatten(0, (-1, self.scale**2))
        means = weight.mean((3, 4), keepdim=True)
        even = (weight - means + means.mean(1, keepdim=True)).flatten(0, 1)
        bias = self.bias.view(-1, self.scale**2)
        return self.convolved(input, even, bias.mean(1, keepdim=True).expand_as(bias).flatten())


class Enlarger(nn.Module):
    """Adds to the bicubic enlargement what it lacks (Ledig et al., 2017; sub-pixels: Shi et al., 2016, equation 4).

    Attributes:
        scale: how many times larger the result is.
        receptive_radius: how many pixels away a pixel of the small picture still matters.
    """

    def __init__(self, channels: int, scale: int, width: int, blocks: int) -> None:
        super().__init__()
        self.scale, self.receptive_radius = scale, max(2 * blocks + 3, BICUBIC_RADIUS)
        self.entry = Convolution(channels, width, 3, 1, 1)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.exit = zero_init(self.subpixels(width, channels))

    def subpixels(self, width: int, channels: int) -> Convolution:
        """Build what gives `scale`^2 pixels of each."""
        return Convolution(width, channels * self.scale**2, 3, 1, 1)

    def forward(self, small: Tensor) -> Tensor:
        """Map (b, c, h, w) in [-1, 1] to (b, c, scale * h, scale * w)."""
        features = self.entry(small)
        detail = self.exit(features + self.body(features))
        return enlarge(small, self.scale) + pixel_shuffle(detail, self.scale).float()


class EvenEnlarger(Enlarger):
    """The same, with sub-pixels that lay no grid over flat areas."""

    def subpixels(self, width: int, channels: int) -> Convolution:
        """Build what gives `scale`^2 pixels of each."""
        return EvenSubpixels(width, channels, self.scale)


def zero_init(layer: Convolution) -> Convolution:
    """Start a layer at zero: what it is added to passes unchanged at first (Zhang et al., 2019, "Fixup")."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def enlarge(small: Tensor, scale: int) -> Tensor:
    """Interpolate bicubically (Keys, 1981, with a = -1/2, as imaging programs have it) to `scale` times the size."""
    size = [scale * side for side in small.shape[2:]]
    return interpolate(small.float(), size, mode="bicubic", antialias=True)


@dataclass(frozen=True)
class Srresnet:
    """How wide and deep the network is."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    # Described in the field: docstrings of attributes are not found again in a class that has them from another.
    width: Annotated[int, Field(ge=1, le=256, description="Channels between the blocks.")] = 48
    blocks: Annotated[int, Field(ge=1, le=64, description="Residual blocks.")] = 8

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 256 and 1 <= self.blocks <= 64):
            raise ValueError("network.width must be 1 to 256 and network.blocks 1 to 64.")

    def enlarger(self, channels: int, scale: int) -> Enlarger:
        """Build the network."""
        return Enlarger(channels, scale, self.width, self.blocks)


@dataclass(frozen=True)
class EvenSrresnet(Srresnet):
    """How wide and deep the network is whose sub-pixels lay no grid over flat areas."""

    def enlarger(self, channels: int, scale: int) -> EvenEnlarger:
        """Build the network."""
        return EvenEnlarger(channels, scale, self.width, self.blocks)
