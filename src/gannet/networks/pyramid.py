"""A network that fills holes on two sizes, adding to the smoothest filling: at half the size by what the whole picture
is like, at its own by what is around.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from gannet.networks.biharmonic import SWEPT_RADIUS, blended, doubled, filled_biharmonically, halved, relaxed
from gannet.networks.convolution import Convolution
from gannet.networks.srresnet import zero_init
from gannet.networks.unet import SLOPE, Normalization, UNet, Unet, he_init
from gannet.schema import STRICT


class FourierBlock(nn.Module):
    """A convolution of neighbours and one of the whole picture's frequencies, added to what they are given.

    Chi et al. (2020), "Fast Fourier Convolution"; Suvorov et al. (2022), "Resolution-robust Large Mask Inpainting with
    Fourier Convolutions"; without normalization, from nothing at first.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half = max(width // 2, 1)
        self.near = he_init(Convolution(width, width, 3, 1, 1))
        self.entry = he_init(Convolution(width, half, 1, 1, 0))
        self.frequencies = he_init(Convolution(2 * half, 2 * half, 1, 1, 0))
        self.exit = he_init(Convolution(half, width, 1, 1, 0))
        self.last = zero_init(Convolution(width, width, 1, 1, 0))
        self.active = nn.LeakyReLU(SLOPE)

    def forward(self, features: Tensor) -> Tensor:
        """Map (b, width, h, w) to the same shape."""
        everywhere = self.exit(self.everywhere(self.active(self.entry(features))))
        changed: Tensor = features + self.last(self.active(self.near(features) + everywhere))
        return changed

    def everywhere(self, features: Tensor) -> Tensor:
        """Mix the frequencies of (b, c, h, w), and add what that makes."""
        with torch.autocast(features.device.type, enabled=False):
            values = features.float().contiguous()
            found = torch.fft.rfft2(values, norm="ortho")
            mixed = self.active(self.frequencies(torch.cat([found.real, found.imag], 1)))
            real, imaginary = mixed.contiguous().chunk(2, 1)
            back = torch.complex(real.contiguous(), imaginary.contiguous())
            made: Tensor = values + torch.fft.irfft2(back, s=values.shape[2:], norm="ortho")
            return made


class HoleFiller(nn.Module):
    """Adds to the smoothest filling what it lacks; doing nothing equals it, and what is known stays.

    Attributes:
        channels: of the pictures.
        receptive_radius, stride: of one size that is refined from the half of it; see `refined`.
    """

    def __init__(self, channels: int, options: "Pyramid") -> None:
        super().__init__()
        self.channels = channels
        self.coarse = Unet(options.coarse, options.depth, options.fold).unet(channels + 1, channels)
        smallest: Any = self.coarse.down[-1]
        smallest.extend(FourierBlock(self.coarse.widths[-1]) for _ in range(options.blocks))
        self.fine = options.unet(2 * channels + 1, channels)
        self.stride, self.receptive_radius = self.fine.stride, self.fine.receptive_radius + SWEPT_RADIUS

    def forward(self, given: Tensor) -> Tensor:
        """Fill holes, light in the last channel of what is given.

        Args:
            given: pictures and their masks (b, c + 1, h, w), for pictures; or what `refined` takes and gives.
        """
        values, lost = given[:, :-1].float(), (given[:, -1:] > 0).float()
        if values.shape[1] == self.channels:
            return self.filled(values * (1 - lost), lost)[0]
        shown, begun = values.chunk(2, 1)
        return torch.cat(self.refined(shown, begun, lost), 1)

    def filled(self, pictures: Tensor, lost: Tensor) -> tuple[Tensor, Tensor]:
        """Fill what is lost (b, 1, h, w) of pictures; give them, and the smoothest filling."""
        half, half_lost = halved(pictures, lost)
        smooth = filled_biharmonically(half, half_lost)
        made = (smooth + half_lost * self.coarse(torch.cat([smooth, half_lost], 1))).clamp(-1, 1)
        shown, begun = (torch.where(lost > 0, doubled(below, lost), pictures) for below in (made, smooth))
        return self.refined(shown, begun, lost)

    def refined(self, shown: Tensor, begun: Tensor, lost: Tensor) -> tuple[Tensor, Tensor]:
        """Fill what is lost of pictures (b, c, h, w) by what was found at half their size.

        Args:
            shown: holds in its holes what was found, every pixel as two by two.
            begun: holds the smoothest filling of half the size there.

        Returns:
            The pictures, and the smoothest filling of them.
        """
        smooth, added = relaxed(begun, lost), lost * blended(shown - begun)
        lacking: Tensor = self.fine(torch.cat([smooth, added, lost], 1))
        return smooth + added + lost * lacking, smooth


@dataclass(frozen=True)
class Pyramid:
    """How wide and deep the networks of both sizes are."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=1, le=256)] = 32
    """Channels of the largest size; each halving has twice as many, up to four times."""
    depth: Annotated[int, Field(ge=1, le=7)] = 2
    """How often each of the two halves what it sees."""
    fold: Literal[1, 2, 4] = 2
    """Squares of so many pixels a side become channels of one pixel (Shi et al., 2016, equation 4), and back at the
    end."""
    coarse: Annotated[int, Field(ge=1, le=256)] = 24
    """`width` of the network that sees the whole picture, at half the size."""
    blocks: Annotated[int, Field(ge=0, le=64)] = 4
    """Fast Fourier convolutions at that network's smallest size, by which each place knows of all others."""

    def unet(self, before: int, after: int, normalization: Normalization | None = None) -> UNet:
        """Build a network of one size, without reach."""
        return Unet(self.width, self.depth, self.fold).unet(before, after, normalization)

    def filler(self, channels: int) -> HoleFiller:
        """Build the network of both sizes."""
        return HoleFiller(channels, self)
