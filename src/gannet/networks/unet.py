"""A network that sees a picture coarsely and finely at once, and gives one of the same size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, pixel_shuffle, pixel_unshuffle

from gannet.networks.convolution import Convolution, side_by_side
from gannet.networks.srresnet import zero_init
from gannet.schema import STRICT

SLOPE, MOST_TIMES = 0.2, 4


Normalization: TypeAlias = Callable[[int], nn.Module]
"""Builds what normalizes so many channels, and scales and shifts them."""


def _twice(before: int, after: int, normalization: Normalization | None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers.append(he_init(Convolution(channels, after, 3, 1, 1, bias=normalization is None)))
        layers += [normalization(after)] if normalization else []
        layers.append(nn.LeakyReLU(SLOPE))
    return nn.Sequential(*layers)


def he_init(layer: Convolution) -> Convolution:
    """Draw weights that keep the size of what passes through many layers (He et al., 2015, equation 14).

    PyTorch's own would let it fade to a hundredth at the smallest size, where nothing is normalized.
    """
    nn.init.kaiming_normal_(layer.weight, SLOPE, nonlinearity="leaky_relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def repeated_to(picture: Tensor, stride: int) -> Tensor:
    """Bring the sides of (b, c, h, w) to multiples of a stride: the last row and column are repeated."""
    height, width = picture.shape[2:]
    beyond = (0, -width % stride, 0, -height % stride)
    return pad(picture, beyond, mode="replicate") if any(beyond) else picture  # It would copy.


def _skip_first(layers: nn.Sequential) -> nn.Sequential:
    """Let the weights of what comes from below start at zero, so that the skip connection is learned from first."""
    first: Any = layers[0]
    with torch.no_grad():
        first.weight[:, : first.in_channels - first.out_channels] = 0
    return layers


class UNet(nn.Module):
    """Convolutions that halve the picture, others that bring it back, and bridges between (Ronneberger et al., 2015).

    Without normalization, by the statistics of what was learned from, or place by place, so that each pixel depends
    on its receptive field alone.

    Args:
        normalization: builds what normalizes behind each convolution: `nn.BatchNorm2d` does, while it learns, by each
            batch's statistics (Ioffe & Szegedy, 2015), `PlaceNorm` place by place; None: nothing.

    Attributes:
        stride: sides of what goes through are brought to a multiple of it.
        receptive_radius: how many pixels away a pixel still matters, without an overview.
        widths: channels at each size, from the largest on.
    """

    def __init__(self, before: int, after: int, options: "Unet", normalization: Normalization | None = None) -> None:
        super().__init__()
        width, depth, self.fold = options.width, options.depth, options.fold
        widths = self.widths = [width * min(2**level, MOST_TIMES) for level in range(depth + 1)]
        self.stride = self.fold * 2**depth
        # Two convolutions a level on the way down and up, each reaching one pixel of its own size.
        self.receptive_radius = self.fold * (
            sum(4 * 2**level + 2 * 2**level for level in range(depth)) + 2 * 2**depth + 1
        )
        self.entry = _twice(before * self.fold**2, widths[0], normalization)
        self.overview = Convolution(widths[-1], widths[-1], 1, 1, 0) if options.overview else None
        self.down = nn.ModuleList(_twice(widths[level], widths[level + 1], normalization) for level in range(depth))
        up = [
            _twice(widths[level + 1] + widths[level], widths[level], normalization) for level in reversed(range(depth))
        ]
        self.up = nn.ModuleList(_skip_first(layers) if normalization else layers for layers in up)
        self.exit = zero_init(Convolution(widths[0], after * self.fold**2, 3, 1, 1))

    def features(self, picture: Tensor, beside: Sequence[Tensor] = ()) -> Tensor:
        """Map (b, before, h, w) to what it found, (b, width, h', w'): squares of `fold` pixels, a whole number of
        `stride` in all.

        Args:
            beside: what else is known of the picture, added on the way down: as large and wide as what is found there,
                from the largest size on.
        """
        whole = repeated_to(picture, self.stride)
        features: Tensor = self.entry(side_by_side(pixel_unshuffle(whole, self.fold)))
        bridges = []
        for layer, known in zip_longest(self.down, beside[: len(self.down)]):
            bridges.append(features if known is None else features + known)
            features = layer(nn.functional.avg_pool2d(bridges[-1], 2))
        if len(beside) > len(self.down):
            features = features + beside[len(self.down)]
        if self.overview is not None:
            features = features + self.overview(features.mean((2, 3), keepdim=True))
        for layer, bridge in zip(self.up, reversed(bridges), strict=True):
            features = layer(torch.cat([interpolate(features, scale_factor=2.0, mode="nearest"), bridge], 1))
        return features

    def forward(self, picture: Tensor) -> Tensor:
        """Map (b, before, h, w) to (b, after, h, w)."""
        height, width = picture.shape[2:]
        result: Tensor = pixel_shuffle(self.exit(self.features(picture)), self.fold)[:, :, :height, :width]
        return result.float()


@dataclass(frozen=True)
class Unet:
    """How wide and deep the network is."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=1, le=256)] = 24
    """Channels at the largest size; each halving has twice as many, up to four times."""
    depth: Annotated[int, Field(ge=1, le=7)] = 4
    """How often the picture is halved."""
    fold: Literal[1, 2, 4] = 2
    """Squares of so many pixels a side become channels of one pixel (Shi et al., 2016, equation 4), and back at the
    end: a quarter of the work at 2."""

    overview: bool = False
    """Whether each place is also told the mean of all at the smallest size (after Iizuka et al., 2016, "Let there be
    Color!", section 3.3): for what depends on the whole picture, and is not made a part at a time."""

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 256 and 1 <= self.depth <= 7 and self.fold in (1, 2, 4)):
            raise ValueError("network.width must be 1 to 256, network.depth 1 to 7 and network.fold 1, 2 or 4.")

    def unet(self, before: int, after: int, normalization: Normalization | None = None) -> UNet:
        """Build the network."""
        return UNet(before, after, self, normalization)
