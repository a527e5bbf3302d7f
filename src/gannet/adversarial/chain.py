"""How much of a discriminator's features CHAIN normalizes (Ni and Koniusz, 2024), steered as augmentation is."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from torch import Tensor

from gannet.adversarial.adaptive import Adaptive
from gannet.adversarial.game import Curve, Observer, Seen, State
from gannet.adversarial.losses import AdversarialLoss

TARGET = 0.5
"""Of E[sign D(real)], tau: what served the authors."""
CLIMB_ROUNDS = 1_000
"""In which the share climbs from 0 to 1 at the fastest: the authors' step is 0.001 a round."""


class Link(Protocol):
    """A layer of normalization."""

    def follow(self, share: float, squares: Iterable[Tensor]) -> None:
        """Take over the share, and take note of the mean squares of a round's reals and fakes, (b, c) each."""


class ChainControl:
    """Tells every layer the share and what was seen in a round, by all processes.

    Layers are as many as the discriminator's turn shows mean squares: `discriminator/real/squares/0`, ...
    """

    curves = (Curve("Share of the discriminator's features that are normalized", ("share",)),)

    def __init__(
        self, links: Sequence[Link], loss: AdversarialLoss, batch: int, discriminator: str = "discriminator"
    ) -> None:
        self.links, self.discriminator = links, discriminator
        self.adaptive = Adaptive(loss, TARGET, 1.0, CLIMB_ROUNDS * batch, discriminator)

    def observe(self, seen: Seen) -> None:
        """Take note of a round."""
        self.adaptive.observe(seen)
        for number, link in enumerate(self.links):
            squares = [seen.watched[f"{self.discriminator}/{side}/squares/{number}"] for side in ("real", "fake")]
            link.follow(self.adaptive.share, squares)

    def measures(self) -> dict[str, float]:
        """Give the share, and the sign that steers it."""
        return self.adaptive.measures()

    def state_dict(self) -> State:
        """Give what steers; what was told is the networks' own state."""
        return self.adaptive.state_dict()

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.adaptive.load_state_dict(state)

    @property
    def observers(self) -> dict[str, Observer]:
        """Give what watches the game for it."""
        return {"chain": self}
