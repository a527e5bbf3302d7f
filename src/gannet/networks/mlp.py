"""Multilayer perceptrons: one output a pixel (Goodfellow et al., 2014, "Generative Adversarial Nets")."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Self

import torch
from torch import Tensor, nn

from gannet.networks.pair import Discriminator, Generator, Pair, Shape
from gannet.schema import Positive


def _layers(inputs: int, width: int, depth: int) -> nn.Sequential:
    sizes = [inputs, *[width] * depth]
    steps = [nn.Sequential(nn.Linear(before, after), nn.LeakyReLU(0.2)) for before, after in pairwise(sizes)]
    return nn.Sequential(*steps)


class MlpGenerator(Generator):
    """Fully connected layers from the latent vector to every pixel or coordinate."""

    def __init__(self, latent: int, shape: Shape, classes: int, width: int, depth: int) -> None:
        super().__init__(latent, shape, classes)
        self.embedding = nn.Embedding(classes, latent) if classes else None
        self.body = _layers(latent * (2 if classes else 1), width, depth)
        self.output = nn.Linear(width, prod(shape))

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent) to (b, *shape); pictures through tanh, points in the plane as they are."""
        vector = torch.cat([latent, self.embedding(label)], 1) if self.embedding is not None else latent
        flat = self.output(self.body(vector))
        sample: Tensor = flat.tanh() if len(self.shape) > 1 else flat
        return sample.view(-1, *self.shape)


class MlpDiscriminator(Discriminator):
    """Fully connected layers from every pixel or coordinate to one logit."""

    def __init__(self, shape: Shape, classes: int, width: int, depth: int) -> None:
        super().__init__(width, classes)
        self.body = _layers(prod(shape), width, depth)

    def extract(self, sample: Tensor) -> Tensor:
        """Map (b, *shape) to features (b, width)."""
        features: Tensor = self.body(sample.flatten(1))
        return features


@dataclass(frozen=True)
class Mlp(Pair):
    """A pair of multilayer perceptrons, for samples of any shape."""

    latent: Positive = 64
    """Length of the latent vector."""
    width: Positive = 256
    """Units in a hidden layer."""
    depth: Positive = 3
    """Hidden layers."""

    def __post_init__(self) -> None:
        if min(self.latent, self.width, self.depth) < 1:
            raise ValueError("network.latent, network.width and network.depth must be at least 1.")

    def generator(self, shape: Shape, classes: int) -> MlpGenerator:
        """Build the generator for samples of `shape`."""
        return MlpGenerator(self.latent, shape, classes, self.width, self.depth)

    def discriminator(self, shape: Shape, classes: int) -> MlpDiscriminator:
        """Build the discriminator for samples of `shape`."""
        return MlpDiscriminator(shape, classes, self.width, self.depth)

    def sized(self, shape: Shape) -> Self:  # noqa: ARG002
        """Give the pair itself: it has nothing to choose."""
        return self
