"""Pairs of plain PyTorch modules, which know neither classes nor Gannet: what maps numbers to a sample, and back."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from gannet.networks.pair import Generator, Pair, Shape
from gannet.runtime.wording import reason
from gannet.schema import Positive

BuildGenerator = Callable[[int, Shape], nn.Module]
BuildDiscriminator = Callable[[Shape, int], nn.Module]


class PlainGenerator(Generator):
    """Gives a module the latent vector and, where there are classes, which one is asked for, as zeros and a one."""

    def __init__(self, build: BuildGenerator, latent: int, shape: Shape, classes: int) -> None:
        super().__init__(latent, shape, classes)
        inputs = latent + classes
        self.body = _tried(lambda: build(inputs, shape), (inputs,), shape, "generator")

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map (b, latent), and (b,) if there are classes, to (b, *shape)."""
        if label is not None:
            latent = torch.cat([latent, nn.functional.one_hot(label, self.classes).to(latent)], 1)
        drawn: Tensor = self.body(latent)
        return drawn


class PlainDiscriminator(nn.Module):
    """Takes of the logits that a module gives the one of the class that is asked about."""

    def __init__(self, build: BuildDiscriminator, shape: Shape, classes: int) -> None:
        super().__init__()
        outputs = max(1, classes)
        self.body = _tried(lambda: build(shape, outputs), shape, (outputs,), "discriminator")

    def forward(self, sample: Tensor, label: Tensor | None = None) -> Tensor:
        """Score `sample` (b, *shape) under `label` (b,): logits (b,)."""
        logits: Tensor = self.body(sample)
        return logits[:, 0] if logits.shape[1] == 1 or label is None else logits.gather(1, label[:, None])[:, 0]


@dataclass(frozen=True)
class Plain(Pair):
    """A pair that two functions build."""

    latent: Positive = 64
    """Length of the latent vector."""

    @staticmethod
    @abstractmethod
    def build_generator(inputs: int, shape: Shape) -> nn.Module:
        """Build what maps (b, inputs) to (b, *shape)."""

    @staticmethod
    @abstractmethod
    def build_discriminator(shape: Shape, outputs: int) -> nn.Module:
        """Build what maps (b, *shape) to (b, outputs)."""

    def generator(self, shape: Shape, classes: int) -> PlainGenerator:
        """Build the generator for samples of `shape`."""
        return PlainGenerator(self.build_generator, self.latent, shape, classes)

    def discriminator(self, shape: Shape, classes: int) -> PlainDiscriminator:
        """Build the discriminator for samples of `shape`."""
        return PlainDiscriminator(self.build_discriminator, shape, classes)

    def sized(self, shape: Shape) -> Self:  # noqa: ARG002
        """Give the pair itself: it has nothing to choose."""
        return self


def pair_of(generator: BuildGenerator, discriminator: BuildDiscriminator) -> type[Plain]:
    """Make a pair, with the key `network.latent`, of what `register_network` is given."""
    parts = {"build_generator": staticmethod(generator), "build_discriminator": staticmethod(discriminator)}
    return type("Registered", (Plain,), {**parts, "__doc__": "A pair of plain modules."})


@torch.no_grad()
def _tried(build: Callable[[], nn.Module], given: Shape, wanted: Shape, what: str) -> nn.Module:
    """Build a module and put two samples through it, so that a mistake is told before there is a run."""
    inputs = (2, *given)
    try:
        body = build()
        device = next((value.device for value in body.parameters()), None)
        made = body.eval()(torch.zeros(inputs, device=device))
    except Exception as error:  # What others wrote raises anything.
        raise ValueError(f"The {what} cannot be built, or cannot take inputs {inputs}: {reason(error)}.") from None
    if not isinstance(made, Tensor) or made.shape != (2, *wanted):
        found = tuple(made.shape) if isinstance(made, Tensor) else f"a {type(made).__name__}"
        raise ValueError(f"The {what} makes {found} of inputs {inputs}; {(2, *wanted)} is wanted.")
    return body.train()
