"""How far each player steps, and who steps too far or hardly at all.

Adam's first step goes by the learning rate alone, so |change| / |weights| of that step shows whether a rate fits its
network; later, losses that no longer move anybody may hide it. Hence the largest step counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import inf

from gannet.adversarial.game import Curve, Seen, State
from gannet.monitoring.words import catalogue

USUAL = 0.02
"""A share of the weights. At the first steps of shipped recipes 0.003 to 0.2 were measured."""
TOO_FAR, TOO_NEAR = 2.0, 1e-4
"""Shares that teach nobody anything: weights thrown away at once; 10,000 steps to go once as far as the weights."""
APART = 20.0
"""How many times as far as another player one may step. At the first steps of shipped recipes 1 to 4 were measured."""
ENOUGH_ROUNDS = 8
"""Measured rounds before anything is told: the first of a stage, and as many looks as a referee waits for."""


@dataclass(frozen=True)
class Misstep:
    """A player whose steps are out of proportion.

    Attributes:
        player: who.
        update: its largest step so far as a share of its weights.
        rate: its learning rate.
        suggested: the learning rate at which it would step as far as is usual, or as the other player.
    """

    player: str
    update: float
    rate: float
    suggested: float

    @property
    def certain(self) -> bool:
        """Whether nobody steps so and is well, whatever else is seen of the game."""
        return self.update > TOO_FAR

    @property
    def state(self) -> str:
        """What the diagnosis calls it."""
        return "moves-too-much" if self.suggested < self.rate else "hardly-moves"


NOBODY = Misstep("", 0.0, 0.0, 0.0)


def find_misstep(updates: Mapping[str, float], rates: Mapping[str, float]) -> Misstep | None:
    """Name who steps too far or hardly at all, the worst only; None where steps are in proportion.

    Args:
        updates: each player's largest step so far, as a share of its weights; without those that stand still.
        rates: their learning rates.
    """
    if not updates:
        return None
    player, *others = sorted(updates, key=lambda each: -_times(updates[each], USUAL))
    update = updates[player]
    # The others come the farther from what is usual the first; the last is the one to be like.
    like = updates[others[-1]] if others and TOO_NEAR <= updates[others[-1]] <= TOO_FAR else update
    apart = _times(update, like) > APART
    if not apart and TOO_NEAR <= update <= TOO_FAR:
        return None
    suggested = rates[player] * (like if apart else USUAL) / update
    return Misstep(player, update, rates[player], float(f"{suggested:.0e}"))


def _times(one: float, other: float) -> float:
    """How many times as much the larger is."""
    return max(one / other, other / one)


class Updates:
    """An observer that keeps each player's newest and largest step; frozen players have none.

    Args:
        rates: learning rates by player.
        tell: told once in a run, where no referee says it, of steps that are out of all proportion.
    """

    curves = (Curve("Largest step of a round: change of the weights / weights"),)

    def __init__(self, rates: Mapping[str, float], tell: Callable[[str], None] | None = None) -> None:
        self.rates, self.tell = rates, tell
        self.newest: dict[str, float] = {}
        self.largest: dict[str, float] = {}
        self.rounds = 0

    def observe(self, seen: Seen) -> None:
        """Take note of a round whose updates were measured."""
        if not seen.updates:
            return
        sizes = {player: float(size) for player, size in seen.updates.items()}
        self.newest = {player: size for player, size in sizes.items() if 0 < size < inf}
        self.largest |= {player: max(size, self.largest.get(player, 0.0)) for player, size in self.newest.items()}
        self.rounds += 1
        found = find_misstep(self.largest, self.rates)
        if self.tell and found and self.rounds == ENOUGH_ROUNDS:
            words = catalogue()
            self.tell(f"{words['diagnosis'][found.state].format(**asdict(found))} {words['advice'][found.state]}")

    def measures(self) -> dict[str, float]:
        """Give each player's newest step."""
        return dict(self.newest)

    def state_dict(self) -> State:
        """Give steps, and the rounds in which any were measured."""
        return {"newest": self.newest, "largest": self.largest, "rounds": self.rounds}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`; earlier versions had none."""
        self.newest, self.largest = dict(state.get("newest", {})), dict(state.get("largest", {}))
        self.rounds = state.get("rounds", 0)
