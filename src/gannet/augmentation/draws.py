"""Random numbers for a batch, as whatever changes pictures asks for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Draws(Protocol):
    """Gives random numbers, one row for each picture of a batch; a `Pass` of a game does."""

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal numbers (b, *shape)."""

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform numbers in [0, 1), (b, *shape)."""

    def on_processor(self) -> "Draws":
        """Give the draws that follow on the processor, where many small steps are faster than on a GPU."""


class Drawn:
    """Draws for `count` pictures from a generator."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator = count, generator

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal numbers (count, *shape)."""
        return torch.randn(self.count, *shape, generator=self.generator)

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform numbers in [0, 1), (count, *shape)."""
        return torch.rand(self.count, *shape, generator=self.generator)

    def on_processor(self) -> "Draws":
        """Give itself: it draws there."""
        return self


@dataclass(frozen=True)
class SeveralEach:
    """Draws for several times as many pictures, those of each side by side."""

    draws: Draws
    times: int

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal numbers (times * b, *shape)."""
        return self._of_each(self.draws.normal, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform numbers in [0, 1), (times * b, *shape)."""
        return self._of_each(self.draws.uniform, shape)

    def on_processor(self) -> "SeveralEach":
        """Give the draws that follow on the processor."""
        return SeveralEach(self.draws.on_processor(), self.times)

    def _of_each(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        return draw(self.times, *shape).flatten(0, 1)
