"""A plain network that enlarges pictures: convolutions at the small size, which many programs know and run fast.

Programs that run community networks know it as Compact (SRVGGNetCompact; Wang et al., 2021, "Real-ESRGAN", whose
anime and general video models have it); the names of its weights are theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from gannet.networks.convolution import Convolution
from gannet.networks.srresnet import zero_init
from gannet.schema import STRICT


class CompactEnlarger(nn.Module):
    """Adds to every pixel, as large as the scale, what it lacks.

    Attributes:
        scale: how many times larger the result is.
        receptive_radius: how many pixels away a pixel of the small picture still matters.
        architecture: what spandrel calls it.
    """

    architecture: ClassVar[str] = "RealESRGAN Compact"

    def __init__(self, channels: int, scale: int, width: int, layers: int) -> None:
        super().__init__()
        self.scale, self.receptive_radius = scale, layers + 2
        last = zero_init(Convolution(width, channels * scale**2, 3, 1, 1))
        self.body = nn.ModuleList([*_convolved(channels, width), *self._middle(width, layers), last])

    @staticmethod
    def _middle(width: int, layers: int) -> Iterator[nn.Module]:
        for _ in range(layers):
            yield from _convolved(width, width)

    def forward(self, small: Tensor) -> Tensor:
        """Map (b, c, h, w) in [-1, 1] to (b, c, scale * h, scale * w); the weights are for values in [0, 1]."""
        given = features = small.float() / 2 + 0.5
        for layer in self.body:
            features = layer(features)
        base = interpolate(given, scale_factor=float(self.scale), mode="nearest")
        return 2 * (base + pixel_shuffle(features, self.scale).float()) - 1


def _convolved(channels: int, width: int) -> tuple[nn.Module, nn.Module]:
    """A convolution, and what lets negative values pass by a learned share (He et al., 2015, equation 1)."""
    return Convolution(channels, width, 3, 1, 1), nn.PReLU(width)


@dataclass(frozen=True)
class Compact:
    """How wide and deep the network is."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=1, le=256)] = 48
    """Channels between the convolutions."""
    layers: Annotated[int, Field(ge=1, le=64)] = 16
    """Convolutions between the first and the last."""

    def enlarger(self, channels: int, scale: int) -> CompactEnlarger:
        """Build the network."""
        return CompactEnlarger(channels, scale, self.width, self.layers)
