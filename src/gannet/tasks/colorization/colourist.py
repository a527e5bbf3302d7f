"""The networks that find colours by lightness: one that gives a colour, and one that says how likely each is."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, pixel_shuffle

from gannet.augmentation.colour_classes import centres, expected
from gannet.augmentation.lab import from_lab
from gannet.networks.convolution import Convolution, side_by_side
from gannet.networks.efficientnet import Encoder
from gannet.networks.srresnet import zero_init
from gannet.networks.unet import SLOPE, Normalization, UNet, Unet, he_init, repeated_to
from gannet.schema import STRICT

HINTS = 3
"""Channels beside the lightness: two of the colours that the user gives, one for where."""
HIDDEN = 128
"""Channels that classes are told by."""
ADDED = 0.1
"""Scales what the game adds, so that its first steps are small."""
DEPTH = 3
"""How often a U-Net halves a quarter of the picture's sides to see what an encoder finds at each size."""
NEVER = 1e-3
"""The least share of a place around that a pixel's colour is mixed of, at first."""


@dataclass(frozen=True)
class InformedUnet:
    """A U-Net that is also told what EfficientNet-lite0 finds; see `Encoder`."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=1, le=256)] = 28
    """Channels at the largest size; each halving has twice as many, up to four times."""

    def unet(self, before: int, after: int, normalization: Normalization | None = None) -> UNet:
        """Build the network that is told; it halves pictures to the size that is known last."""
        return Unet(self.width, DEPTH, 4, overview=True).unet(before, after, normalization)


class Colourist(nn.Module):
    """Finds colours by lightness, and gives them back with it."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, lightness: Tensor) -> Tensor:
        """Map the lightness (b, 1, h, w) to Lab (b, 3, h, w), all in [-1, 1]."""
        return torch.cat([lightness.float(), self.unet(lightness)], 1)


class ClassColourist(nn.Module):
    """Says how likely each class of colour is, one place for each square of `fold` pixels, and colours by that.

    The mean of the distribution is true to pixels; a vivid one leans to rare and to likelier colours, and the game adds
    to it. Both are brought up by mixing the nine places around each pixel (Teed and Deng, 2020, "RAFT", section 3.3),
    so that colours end where things do.

    Args:
        rare: how much rare colours are preferred in the vivid mean, in the weights that are learned with; 0: as
            photographs have them.
        temperature: of the vivid mean; the lower, the more the likeliest colours count.

    Attributes:
        strength: from 0, the mean, to 1, the vivid one.
    """

    strength = 1.0

    def __init__(self, options: Unet | InformedUnet, rare: float, temperature: float) -> None:
        super().__init__()
        self.rare, self.temperature, width = rare, temperature, options.width
        self.unet = options.unet(1 + HINTS, 2, nn.BatchNorm2d)
        self.encoder = Encoder() if isinstance(options, InformedUnet) else None
        widths = self.unet.widths if self.encoder else []
        self.known = nn.ModuleList(map(_brought_to, Encoder.channels, widths))
        classes = Convolution(HIDDEN, len(centres()), 1, 1, 0)
        self.classes = nn.Sequential(he_init(Convolution(width, HIDDEN, 1, 1, 0)), nn.LeakyReLU(SLOPE), classes)
        self.mixing = _bilinear(Convolution(width, 9 * self.unet.fold**2, 1, 1, 0), self.unet.fold)
        self.refined = he_init(Convolution(width + 2, width, 3, 1, 1))

    def forward(self, given: Tensor) -> Tensor:
        """Map lightness and hints (b, 4, h, w) to Lab (b, 3, h, w), all in [-1, 1].

        Only what the game adds is learned through it; the distribution is not.
        """
        # Not without gradients: autocast would keep the weights so for whoever learns them in the same pass.
        features, logits = (found.detach() for found in self.distribution(given))
        vivid = expected(logits, 1 - self.rare, self.temperature) if self.strength else expected(logits)
        mixed = torch.lerp(expected(logits), vivid, self.strength) if 0 < self.strength < 1 else vivid
        chroma = self.enlarged(features, mixed).detach()
        if self.strength:
            seen = torch.cat([features, vivid.to(features)], 1)
            added = self.unet.exit(leaky_relu(self.refined(seen), SLOPE))
            chroma = chroma + self.strength * ADDED * pixel_shuffle(added, self.unet.fold).float()
        height, width = given.shape[2:]
        return torch.cat([given[:, :1].float(), chroma[:, :, :height, :width]], 1)

    def distribution(self, given: Tensor) -> tuple[Tensor, Tensor]:
        """Give what was found in lightness and hints (b, 4, h, w), and the logits of the classes by it."""
        beside: list[Tensor] = []
        if self.encoder is not None:
            given = repeated_to(given, self.unet.stride)
            grey = from_lab(given[:, :1] * torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).to(given))
            beside = [layer(found) for layer, found in zip(self.known, self.encoder(side_by_side(grey)), strict=True)]
        features = self.unet.features(given, beside)
        return features, self.classes(features).float()

    def enlarged(self, features: Tensor, chroma: Tensor) -> Tensor:
        """Bring colours (b, 2, h, w) to the size of what was coloured, each pixel a mixture of the nine around it."""
        with torch.autocast(features.device.type, enabled=False):
            fold, (rows, columns) = self.unet.fold, chroma.shape[2:]
            convolution: Any = self.mixing
            weights = convolution(features.float()).unflatten(1, (9, fold**2)).softmax(1)
            wide = pad(chroma.float(), (1, 1, 1, 1), mode="replicate")
            neighbours = (wide[:, :, i : i + rows, j : j + columns] for i in range(3) for j in range(3))
            shares = zip(weights.unbind(1), neighbours, strict=True)
            mixed = sum(share[:, None] * place[:, :, None] for share, place in shares)
            assert isinstance(mixed, Tensor)
            return pixel_shuffle(mixed.flatten(1, 2), fold)


def _brought_to(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(he_init(Convolution(before, after, 1, 1, 0, bias=False)), nn.BatchNorm2d(after))


def _bilinear(layer: Convolution, fold: int) -> Convolution:
    """Let a layer mix as bilinear interpolation does, before it has learned anything."""
    zero_init(layer)
    place = (torch.arange(fold) + 0.5) / fold - 0.5
    along = torch.stack([-place, 1 - place.abs(), place]).clamp_min(NEVER)
    weights = along[:, None, :, None] * along[None, :, None, :]
    with torch.no_grad():
        assert layer.bias is not None
        layer.bias.copy_(weights.flatten().log())
    return layer
