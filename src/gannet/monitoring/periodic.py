"""An observer for whatever is to be looked at every so many images."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gannet.adversarial.game import Curve, Seen, State


@dataclass
class Periodic:
    """Takes figures by `look` whenever `every` more images were seen."""

    look: Callable[[], dict[str, float]]
    every: int
    images: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    curves: tuple[Curve, ...] = (Curve("Errors on held-out data"),)

    def observe(self, seen: Seen) -> None:
        """Look when it is time."""
        if self.images // self.every != seen.images // self.every:
            self.figures = self.look()
        self.images = seen.images

    def measures(self) -> dict[str, float]:
        """Give the figures when they were last taken."""
        return dict(self.figures)

    def state_dict(self) -> State:
        """Give the images seen, and the figures."""
        return {"images": self.images, "figures": self.figures}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.images, self.figures = state["images"], dict(state["figures"])
