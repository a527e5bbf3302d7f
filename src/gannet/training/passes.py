"""One forward pass of a turn: its slice of the batch, and noise addressed by where in the run it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar, cast

import torch
from torch import Tensor

from gannet.adversarial.game import Outcome, Pass, Turn
from gannet.data.loader import Batch
from gannet.runtime.randomness import address, generator, seed_torch

Made = TypeVar("Made")


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
    """A pass over `part` of a round's batch of `whole` samples; see `adversarial.game.Pass`.

    Args:
        kept: what turns of this round made of this part and share, by name.
    """

    def __init__(
        self,
        sample: Batch,
        place: Place,
        whole: int,
        part: slice,
        kept: dict[str, tuple["BatchPass", object]] | None = None,
    ) -> None:
        self.sample, self.place, self.whole, self.part = sample, place, whole, part
        self.kept: RoundCache = {} if kept is None else kept
        self.device = next(iter(sample.values())).device
        self.draws = 0
        self.draws_as = self

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal noise (b, *shape)."""
        return moved(self.draws_as.drawn(torch.randn, shape), self.device)

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform noise in [0, 1), (b, *shape)."""
        return moved(self.draws_as.drawn(torch.rand, shape), self.device)

    def on_processor(self) -> "OnProcessor":
        """Give what draws as this pass does, and leaves it on the processor."""
        return OnProcessor(self.draws_as)

    def shared(self, name: str, make: Callable[[Pass], Made]) -> Made:
        """Give what an earlier turn of the round made of this part under that name, or make it.

        It is made where no turn draws, so that it is the same whoever makes it; with what it holds of that pass, each
        turn then draws as itself.
        """
        if name not in self.kept:
            maker = BatchPass(self.sample, replace(self.place, turn=name), self.whole, self.part, self.kept)
            maker.seed()
            self.kept[name] = maker, make(maker)
            self.seed()
        maker, made = self.kept[name]
        maker.draws_as = self
        return cast(Made, made)

    def seed(self) -> None:
        """Let torch's own randomness begin where this pass does."""
        seed_torch(address(self.place.seed, *self.place.words, self.part.start), self.device)

    def drawn(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        """Draw (b, *shape) on the processor."""
        # For the whole batch, so that cutting it among processes and passes changes nothing.
        self.draws += 1
        source = generator(self.place.seed, *self.place.words, self.draws)
        return draw(self.whole, *shape, generator=source)[self.part]


@dataclass(frozen=True)
class OnProcessor:
    """The draws of a pass, left where they are drawn; see `augmentation.kinds.Draws`."""

    run: BatchPass

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal noise (b, *shape)."""
        return self.run.drawn(torch.randn, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform noise in [0, 1), (b, *shape)."""
        return self.run.drawn(torch.rand, shape)

    def on_processor(self) -> "OnProcessor":
        """Give itself."""
        return self


RoundCache: TypeAlias = dict[str, tuple[BatchPass, object]]
"""What turns of a round share, each with the pass in which it was made."""


def mean_losses(turn: Turn, outcomes: list[Outcome]) -> dict[str, Tensor]:
    """Give the means of a turn's losses over its passes, `turn/player/loss` -> detached scalar."""
    names = [(player, name) for player, named in outcomes[0].losses.items() for name in named]
    return {
        f"{turn.name}/{player}/{name}": torch.stack([o.losses[player][name].detach().float() for o in outcomes]).mean()
        for player, name in names
    }


def joined(outcomes: list[Outcome]) -> dict[str, Tensor]:
    """Give what is watched of all passes of a turn, by name, detached, (b, ...)."""
    return {name: torch.cat([outcome.watched[name].detach() for outcome in outcomes]) for name in outcomes[0].watched}


SMALL = 2**16
"""Bytes up to which a GPU takes a copy without the processor waiting, pinned or not."""


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Give a tensor of the processor's on the device; from pinned memory the processor does not wait for a GPU's
    copy.
    """
    waits = device.type == "cuda" and tensor.nbytes > SMALL and not tensor.is_pinned()
    return (tensor.pin_memory() if waits else tensor).to(device, non_blocking=True)
