"""A third party's network, loss and measures; it names nothing of the package but what is public."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from gannet.adversarial.losses import AdversarialLoss, critic_generator, zero
from gannet.networks import pair_of


class Painter(nn.Module):
    """One layer from latent vectors to pictures."""

    def __init__(self, latent: int, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.latent, self.shape, self.classes = latent, shape, classes
        self.paint = nn.Linear(latent + classes, int(torch.Size(shape).numel()))

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Map (b, latent) to (b, *shape)."""
        if self.classes:
            assert label is not None
            latent = torch.cat([latent, nn.functional.one_hot(label, self.classes).to(latent)], 1)
        return self.paint(latent).tanh().unflatten(1, self.shape)


class Critic(nn.Module):
    """One layer from pictures to a logit."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.score = nn.Linear(int(torch.Size(shape).numel()), max(1, classes))

    def forward(self, sample: Tensor, label: Tensor | None = None) -> Tensor:
        """Map (b, *shape) to (b,)."""
        scores = self.score(sample.flatten(1))
        return scores[:, 0] if label is None else scores.gather(1, label[:, None])[:, 0]


def flat_generator(inputs: int, shape: tuple[int, ...]) -> nn.Module:
    """One layer, built by a function."""
    return nn.Sequential(nn.Linear(inputs, int(torch.Size(shape).numel())), nn.Tanh(), nn.Unflatten(1, shape))


def flat_discriminator(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """One layer, built by a function."""
    return nn.Sequential(nn.Flatten(), nn.Linear(int(torch.Size(shape).numel()), outputs))


FLAT = pair_of(flat_generator, flat_discriminator)


@dataclass(frozen=True)
class Plain:
    """A pair of one layer each."""

    latent: int = 8
    """Length of the latent vector."""

    def generator(self, shape: tuple[int, ...], classes: int) -> Painter:
        """Build the generator."""
        return Painter(self.latent, shape, classes)

    def discriminator(self, shape: tuple[int, ...], classes: int) -> Critic:
        """Build the discriminator."""
        return Critic(shape, classes)

    def sized(self, shape: tuple[int, ...]) -> Self:
        """Nothing depends on the size."""
        return self


@dataclass(frozen=True)
class Lame:
    """A pair without a discriminator."""

    def generator(self, shape: tuple[int, ...], classes: int) -> Painter:
        """Build the generator."""
        return Painter(2, shape, classes)


def squared_hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Descend the squares of what hinge descends."""
    return (relu(1 - real) ** 2).mean() + (relu(1 + fake) ** 2).mean()


SQUARED_HINGE = AdversarialLoss(squared_hinge, critic_generator, zero)


def spread(real: Tensor, fake: Tensor) -> dict[str, float]:
    """How much fakes vary, as a share of how much reals do."""
    return {"spread": float(fake.std(0).mean() / real.std(0).mean())}


spread.best = 1.0  # type: ignore[attr-defined]


def broken(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Fail."""
    raise RuntimeError("it fell over.")
