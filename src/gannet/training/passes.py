"""One forward pass of a turn: its slice of the batch, and noise addressed by where in the run it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gannet.data.loader import Batch
from gannet.runtime.randomness import generator


@dataclass(frozen=True)
class Place:
    """Where a pass lies: seed, attempt (raised after a rollback), images seen before the round, and the turn."""

    seed: int
    attempt: int
    images: int
    turn: str

    @property
    def words(self) -> tuple[int | str, ...]:
        """The place as the words of an address, seed aside."""
        return (self.attempt, self.images, self.turn)


class BatchPass:
    """A pass over `part` of a round's batch of `whole` samples; see `adversarial.game.Pass`."""

    def __init__(self, sample: Batch, place: Place, whole: int, part: slice) -> None:
        self.sample, self.place, self.whole, self.part = sample, place, whole, part
        self.device = next(iter(sample.values())).device
        self.draws = 0

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal noise (b, *shape)."""
        return self._draw(torch.randn, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform noise in [0, 1), (b, *shape)."""
        return self._draw(torch.rand, shape)

    def _draw(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        # Drawn for the whole batch on the CPU, so that cutting it among processes and passes changes nothing.
        self.draws += 1
        source = generator(self.place.seed, *self.place.words, self.draws)
        return moved(draw(self.whole, *shape, generator=source)[self.part], self.device)


SMALL = 2**16
"""Bytes up to which a GPU takes a copy without the processor waiting, pinned or not."""


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Give a tensor of the processor's on the device; from pinned memory the processor does not wait for a GPU's
    copy.
    """
    waits = device.type == "cuda" and tensor.nbytes > SMALL and not tensor.is_pinned()
    return (tensor.pin_memory() if waits else tensor).to(device, non_blocking=True)
