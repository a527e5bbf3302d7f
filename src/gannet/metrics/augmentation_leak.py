"""Leaks: how many fakes look augmented, beside how many healthy reals do; by detectors, one for each augmentation."""

from dataclasses import asdict, dataclass
from typing import Any

from gannet.runtime.later import later

stats = later("scipy.stats")


SURE = 0.95


@dataclass(frozen=True)
class Rate:
    """A share of so many samples, with its 95 % interval (Wilson, 1927)."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Leak:
    """What the detector of one augmentation found.

    Attributes:
        name, strength: of the augmentation.
        fakes: the share of fakes that look augmented.
        base: the share of healthy reals that look so, though they are not.
        hits: the share of augmented reals that look so; neither kind was learned from.
    """

    name: str
    strength: float
    fakes: Rate
    base: Rate
    hits: Rate

    @property
    def accuracy(self) -> float:
        """Of the detector, on as many healthy as augmented reals."""
        return (1 - self.base.value + self.hits.value) / 2

    @property
    def share(self) -> float:
        """The share of fakes that are augmented, as the detector's mistakes are known (Rogan and Gladen, 1978)."""
        reach = self.hits.value - self.base.value
        return min(1.0, max(0.0, (self.fakes.value - self.base.value) / reach)) if reach > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {**asdict(self), "accuracy": self.accuracy, "share": self.share}

    def line(self) -> str:
        """Say it in words."""
        doubt = "" if self.accuracy >= SURE else f", which is too often wrong to tell ({SURE:.0%} are wanted)"
        return (
            f"leak of {self.name} ({self.strength:g}): {self.fakes.value:.1%} of the fakes look augmented "
            f"({self.fakes.low:.1%} to {self.fakes.high:.1%}), of healthy reals {self.base.value:.1%}; the detector is "
            f"right in {self.accuracy:.1%}{doubt}."
        )


def rate(hits: int, count: int) -> Rate:
    """Give the share of `hits` among `count` samples, at least one."""
    interval = stats.binomtest(hits, count).proportion_ci(method="wilson")
    return Rate(hits / count, float(interval.low), float(interval.high), count)
