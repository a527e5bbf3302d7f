"""What a generator and a discriminator have in common, whatever they are built of."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import torch
from pydantic import ConfigDict
from torch import Tensor, nn

from gannet.schema import STRICT

Shape = tuple[int, ...]
SMALLEST, LARGEST, MOST_CHANNELS = 8, 256, 4


class Generator(nn.Module, ABC):
    """Maps latent vectors (and labels) to samples.

    Attributes:
        latent: length of a latent vector.
        shape: shape of one sample, (d,) or (c, h, w); values in [-1, 1] for pictures.
        classes: number of classes, 0 for an unconditional generator.
    """

    def __init__(self, latent: int, shape: Shape, classes: int) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = latent, shape, classes

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Generate from `latent` (b, latent) and `label` (b,), which only a conditional generator wants."""
        assert label is not None or not self.classes, "a conditional generator needs labels"
        return self.synthesize(latent, label if self.classes else None)

    @abstractmethod
    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent), and (b,) if there are classes, to (b, *shape)."""


class Discriminator(nn.Module, ABC):
    """Maps samples (and labels) to one logit each: positive where it takes the sample for real.

    Conditional ones add the inner product of the features and the label's embedding (Miyato and Koyama, 2018, "cGANs
    with Projection Discriminator", equation 3).
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(features, 1)
        self.embedding = nn.Embedding(classes, features) if classes else None
        if self.embedding is not None:
            nn.init.zeros_(self.embedding.weight)

    def forward(self, sample: Tensor, label: Tensor | None = None) -> Tensor:
        """Score `sample` (b, *shape) under `label` (b,): logits (b,)."""
        return self.decide(self.extract(sample), label)

    def decide(self, features: Tensor, label: Tensor | None) -> Tensor:
        """Score what was extracted, (b, f), under `label` (b,): logits (b,)."""
        logit: Tensor = self.head(features).squeeze(1)
        if self.embedding is not None:
            assert label is not None, "a conditional discriminator needs labels"
            logit = logit + (features * self.embedding(label)).sum(1)
        return logit

    @abstractmethod
    def extract(self, sample: Tensor) -> Tensor:
        """Map (b, *shape) to features (b, f)."""


def for_classes_of(
    network: nn.Module, weights: Mapping[str, Tensor], learned: Sequence[str] = (), wanted: Sequence[str] = ()
) -> dict[str, Tensor]:
    """Give weights for a network of other classes: those of one name are taken over, others begin as the mean.

    Args:
        weights: of a network that may have more or fewer classes.
        learned: the names of its classes, in order; empty: they are not known.
        wanted: the names of the classes of `network`.
    """
    fitted = dict(weights)
    if not isinstance(network, Generator | Discriminator):
        return fitted
    for name, module in network.named_modules():
        key = f"{name}.weight"
        if isinstance(module, nn.Embedding) and key in fitted:
            fitted[key] = _by_name(fitted[key], module.num_embeddings, learned, wanted)
    return fitted


def _by_name(table: Tensor, count: int, learned: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """Give the rows of so many classes out of a table of those that were learned, (classes, n)."""
    named = len(learned) == len(table) and len(wanted) == count
    rows = dict(zip(learned, table, strict=True)) if named else {}
    numbered = not named or all(map(str.isdecimal, learned)) or all(map(str.isdecimal, wanted))
    if len(table) == count and numbered and rows.keys().isdisjoint(wanted):
        return table  # Numbers that stand for names of the other side, as data without names have them.
    mean = table.mean(0)
    return torch.stack([rows.get(name, mean) for name in (wanted if named else [""] * count)])


class Network(Protocol):
    """What an entry point of `gannet.networks` names for games of two: a frozen dataclass, or a pydantic model, whose
    fields are the other keys of `network`. `Pair` is one to start from.
    """

    def generator(self, shape: Shape, classes: int) -> nn.Module:
        """Build what maps latent vectors (b, `latent`) and labels to samples; it has `latent`, `shape`, `classes`."""

    def discriminator(self, shape: Shape, classes: int) -> nn.Module:
        """Build what maps samples and labels to logits (b,)."""

    def sized(self, shape: Shape) -> Self:
        """Give the same with every `auto` replaced by what samples of `shape` call for."""


@dataclass(frozen=True)
class Pair(ABC):
    """Builds a generator and a discriminator of matching size for samples of any shape it supports."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    @abstractmethod
    def generator(self, shape: Shape, classes: int) -> Generator:
        """Build the generator for samples of `shape`; `classes` 0 makes it unconditional."""

    @abstractmethod
    def discriminator(self, shape: Shape, classes: int) -> nn.Module:
        """Build the discriminator for samples of `shape`; `classes` 0 makes it unconditional."""

    @abstractmethod
    def sized(self, shape: Shape) -> Self:
        """Give the same pair with every `auto` replaced by what samples of `shape` call for."""


def halvings(shape: Shape) -> int:
    """Tell how often the picture is halved until its shorter side is 3 or 4 pixels (2 or 3 where halving rounds
    down).
    """
    return (min(shape[1:]) - 1).bit_length() - 2


def checked(shape: Shape, kind: str) -> Shape:
    """Give the shape, when a pair of that kind, which makes pictures, can make it; else ValueError."""
    if len(shape) != 3:
        raise ValueError(f"A {kind} makes pictures, not samples of shape {shape}; choose network.name=mlp.")
    channels, height, width = shape
    if not (1 <= channels <= MOST_CHANNELS and all(SMALLEST <= side <= LARGEST for side in (height, width))):
        raise ValueError(
            f"A {kind} makes pictures of {SMALLEST} to {LARGEST} pixels a side and 1 to {MOST_CHANNELS} channels, "
            f"not {width}x{height} with {channels}; set data.size and data.channels."
        )
    return shape
