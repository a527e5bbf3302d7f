"""A game: networks, and the turns in which they move. The trainer plays any game that is written down like this."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from torch import Tensor, nn

from gannet.augmentation.draws import Draws

Losses = dict[str, dict[str, Tensor]]

Made = TypeVar("Made")
State: TypeAlias = dict[str, Any]
"""What is needed to go on: tensors, numbers, words, and lists and dicts of them, by name."""


@dataclass(frozen=True)
class Outcome:
    """What a turn returns.

    Attributes:
        losses: named scalar losses by player; a player descends the sum of its own.
        watched: per-sample tensors (b, ...) for observers, such as the discriminator's scores.
    """

    losses: Losses
    watched: dict[str, Tensor] = field(default_factory=dict)


class Pass(Protocol):
    """One forward pass of a turn: a slice of the round's batch, and noise that belongs to it."""

    @property
    def sample(self) -> Mapping[str, Tensor]:
        """The slice's named tensors, (b, ...)."""

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal noise (b, *shape), drawn for the whole batch from seed and images seen, then sliced."""

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform noise in [0, 1), (b, *shape), drawn like `normal`."""

    def on_processor(self) -> "Draws":
        """Give the same draws on the processor, where many small steps are faster than on a GPU."""

    def shared(self, name: str, make: "Callable[[Pass], Made]") -> Made:
        """Give what an earlier turn of the round made of this slice under that name, or make it now.

        Where a later turn is to descend through it, the turns' `records` names the networks it goes through.
        """


@dataclass(frozen=True)
class Turn:
    """One move: who moves, when, and at what loss.

    Attributes:
        name: names the turn in the log.
        players: the networks that move; all others are frozen meanwhile.
        play: computes the outcome of one pass, with losses for exactly these players.
        every: the turn is taken in every so-manieth round.
        stages: the stages it belongs to; empty means all.
        records: networks that do not move in this turn, but whose passes a later one of the round descends through.
    """

    name: str
    players: tuple[str, ...]
    play: Callable[[Pass], Outcome]
    every: int = 1
    stages: tuple[str, ...] = ()
    records: tuple[str, ...] = ()

    def due(self, round_number: int, stage: str) -> bool:
        """Tell whether the turn is taken in this round (counted from 0) of this stage."""
        return round_number % self.every == 0 and (not self.stages or stage in self.stages)


@dataclass(frozen=True)
class Game:
    """Networks by name, the turns of a round in order, the networks that are kept for use, and who steers the turns."""

    networks: dict[str, nn.Module]
    turns: tuple[Turn, ...]
    kept: tuple[str, ...]
    observers: "dict[str, Observer]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = {player for turn in self.turns for player in turn.players} | set(self.kept)
        assert named <= set(self.networks), f"turns name networks that the game lacks: {named - set(self.networks)}"
        names = [turn.name for turn in self.turns]
        # Noise is addressed by a turn's name: two of one name would draw the same.
        assert len(set(names)) == len(names), f"turns need names of their own: {names}"


@dataclass(frozen=True)
class Seen:
    """What an observer is shown after a round.

    Attributes:
        images: images seen up to the end of the round.
        batch: images in the round.
        losses: `turn/player/loss` -> detached scalar of this round.
        watched: `name` -> detached tensor over the whole batch, (batch, ...), all processes together.
        updates: `player` -> |change| / |weights| of its median kernel, in its largest step of this round, a scalar;
            only in rounds in which that is measured.
    """

    images: int
    batch: int
    losses: Mapping[str, Tensor]
    watched: Mapping[str, Tensor]
    updates: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """A line across a chart."""

    value: float
    words: str


@dataclass(frozen=True)
class Curve:
    """A chart of an observer's figures for the report.

    Attributes:
        title: above it.
        names: of the figures in it, as `measures` calls them; empty: all.
        marks: values that mean something.
        about: what the figures and marks mean, in a sentence or two below it.
    """

    title: str
    names: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    about: str = ""


class Observer(Protocol):
    """Anything that watches rounds and carries state; the trainer saves and restores it.

    It may have `curves`, the charts that the report draws of its figures.
    """

    def observe(self, seen: Seen) -> None:
        """Take note of a round."""

    def measures(self) -> dict[str, float]:
        """Give the figures to log now, by name."""

    def state_dict(self) -> State:
        """Give everything needed to go on."""

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
