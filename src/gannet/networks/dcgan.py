"""Up-convolutional networks (Radford et al., 2016, "Unsupervised Representation Learning with ...")."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from typing import Literal, Self

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gannet.networks.chain import Chain, Look
from gannet.networks.convolution import Convolution, UpConvolution
from gannet.networks.pair import Discriminator, Generator, Pair, Shape, checked, halvings
from gannet.schema import Positive

Normalization = Literal["batch", "spectral", "chain", "none"]

NORMALIZATIONS: dict[str, type[nn.BatchNorm2d | Chain]] = {"batch": nn.BatchNorm2d, "chain": Chain}
"""Layers of a discriminator, by how many channels they normalize."""


class ClassBatchNorm(nn.Module):
    """Batch normalization with a scale and a shift of each class's own (de Vries et al., 2017, "Modulating early ...").

    The classes come in behind the normalization: beside the latent vector, they would crowd it out.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels, affine=False)
        self.scale, self.shift = (nn.Embedding(classes, channels) for _ in range(2))
        nn.init.normal_(self.scale.weight, 1.0, 0.02)
        nn.init.zeros_(self.shift.weight)

    def forward(self, picture: Tensor, label: Tensor) -> Tensor:
        """Normalize (b, c, h, w) and scale and shift it by `label` (b,)."""
        scale, shift = (embedding(label)[:, :, None, None] for embedding in (self.scale, self.shift))
        result: Tensor = self.normalize(picture) * scale + shift
        return result


class DcganGenerator(Generator):
    """A linear layer to a small picture, then transposed convolutions that double it; cut to size at the end."""

    def __init__(self, latent: int, shape: Shape, classes: int, width: int) -> None:
        super().__init__(latent, shape, classes)
        levels = halvings(shape)
        widths = [width * min(2**level, 8) for level in reversed(range(levels))]
        self.start = (widths[0], *(-(-side // 2**levels) for side in shape[1:]))
        self.project = nn.Linear(latent, prod(self.start), bias=False)
        self.norms = nn.ModuleList(ClassBatchNorm(of, classes) if classes else nn.BatchNorm2d(of) for of in widths)
        pairs = pairwise(widths)
        self.ups = nn.ModuleList(UpConvolution(before, after, 4, 2, 1, bias=False) for before, after in pairs)
        self.ups.append(UpConvolution(widths[-1], shape[0], 4, 2, 1))
        _initialize(self)

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent) to pictures (b, c, h, w) in [-1, 1]."""
        picture: Tensor = self.project(latent).unflatten(1, self.start)
        for norm, up in zip(self.norms, self.ups, strict=True):
            picture = up((norm(picture) if label is None else norm(picture, label)).relu())
        _, height, width = self.shape
        return picture[:, :, :height, :width].tanh()


class DcganDiscriminator(Discriminator):
    """Convolutions that halve the picture down to 2 to 4 pixels a side, and one logit."""

    def __init__(self, shape: Shape, classes: int, width: int, normalization: Normalization) -> None:
        levels = halvings(shape)
        widths = [width * min(2**level, 8) for level in range(levels)]
        super().__init__(widths[-1] * prod(side >> levels for side in shape[1:]), classes)
        steps: list[nn.Module] = []
        for level, (before, after) in enumerate(zip([shape[0], *widths], widths, strict=False)):
            kind = NORMALIZATIONS.get(normalization) if level > 0 else None
            steps.append(Convolution(before, after, 4, 2, 1, bias=kind is not nn.BatchNorm2d))
            steps += [kind(after)] if kind else []
            steps.append(nn.LeakyReLU(0.2))
        self.body = nn.Sequential(*steps, nn.Flatten())
        _initialize(self)
        if normalization == "spectral":
            _constrain(self)

    def extract(self, sample: Tensor) -> Tensor:
        """Map pictures (b, c, h, w) to features (b, f)."""
        features: Tensor = self.body(sample)
        return features


class ChainDiscriminator(DcganDiscriminator):
    """The same with CHAIN; `links` are its layers of normalization."""

    def __init__(self, shape: Shape, classes: int, width: int) -> None:
        super().__init__(shape, classes, width, "chain")
        if not self.links:
            raise ValueError(
                f"network.normalization=chain normalizes every layer but the one at the picture, and {shape[2]}x"
                f"{shape[1]} pixels need no other; set data.size to 9 or more, or network.normalization to none."
            )

    @property
    def links(self) -> list[Chain]:
        """Give the layers that normalize, from the picture on."""
        return [step for step in self.body if isinstance(step, Chain)]

    def look_at(self, sample: Tensor, label: Tensor | None, look: Look) -> Tensor:
        """Score pictures of one side, (b, c, h, w), together: logits (b,); `look` takes note of their features."""
        for step in self.body:
            sample = step(sample, look) if isinstance(step, Chain) else step(sample)
        return self.decide(sample, label)


def _initialize(network: nn.Module) -> None:
    """Normal weights of deviation 0.02, as the paper says (section 4); embeddings keep their own."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _constrain(network: nn.Module) -> None:
    """Divide each weight by its largest singular value (Miyato et al., 2018, "Spectral Normalization ...")."""
    for module in list(network.modules()):
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, 0.0, 0.02)  # Zeros, its usual start, have no direction to divide by.
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            spectral_norm(module)


@dataclass(frozen=True)
class Dcgan(Pair):
    """A DCGAN pair for pictures of 8 to 256 pixels a side and 1 to 4 channels."""

    latent: Positive = 64
    """Length of the latent vector."""
    width: Positive | Literal["auto"] = "auto"
    """Channels of the layer nearest the picture; each halving doubles them, up to eightfold. `auto`: by size."""
    normalization: Normalization = "none"
    """Of the discriminator: batch, spectral, chain (for scarce data) or none. The generator's is batch."""

    def __post_init__(self) -> None:
        if self.latent < 1 or (self.width != "auto" and self.width < 1):
            raise ValueError("network.latent and network.width must be at least 1.")

    def generator(self, shape: Shape, classes: int) -> DcganGenerator:
        """Build the generator for pictures of `shape` (c, h, w)."""
        return DcganGenerator(self.latent, checked(shape, "dcgan"), classes, self._width(shape))

    def discriminator(self, shape: Shape, classes: int) -> DcganDiscriminator:
        """Build the discriminator for pictures of `shape` (c, h, w)."""
        shape, width = checked(shape, "dcgan"), self._width(shape)
        if self.normalization == "chain":
            return ChainDiscriminator(shape, classes, width)
        return DcganDiscriminator(shape, classes, width, self.normalization)

    def sized(self, shape: Shape) -> Self:
        """Give the pair with its width chosen: 64 up to 32 pixels a side, then less, as the cost grows with the
        area.
        """
        return replace(self, width=self._width(checked(shape, "dcgan")))

    def _width(self, shape: Shape) -> int:
        return self.width if self.width != "auto" else max(16, min(64, 2048 // max(shape[1:])))
