"""A measure with what is needed to believe it: an interval, the floor that reals themselves give, and the protocol."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from statistics import fmean, stdev
from typing import Any, Literal, TypeAlias

import numpy as np
from torch import Tensor

from gannet.runtime.later import later
from gannet.runtime.plugins import register
from gannet.schema import shown

stats = later("scipy.stats")

SPLITS = 10
Statistics = Callable[[Tensor, Tensor], Mapping[str, float]]
Best: TypeAlias = Literal["low", "high"] | float


@dataclass(frozen=True)
class Measure:
    """One figure.

    Attributes:
        name, value: what was measured.
        low, high: a 95 % interval; both the value itself where there is none.
        floor: what held-out reals score against other reals at the same counts; None where that has no meaning.
        features: the name of the features; never that of a loss.
        n_real, n_fake: how many samples took part.
        protocol: how it was done, in words.
        best: whether `low` or `high` values are better, or which value is best.
    """

    name: str
    value: float
    low: float
    high: float
    floor: float | None
    features: str
    n_real: int
    n_fake: int
    protocol: str
    best: Best

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Halves:
    """Splits of the reals into two halves and as many fakes, so that value and floor are taken at equal counts.

    Attributes:
        first, second: rows of the reals, one array a split.
        fake: rows of the fakes, one array a split.
    """

    first: list[np.ndarray]
    second: list[np.ndarray]
    fake: list[np.ndarray]


def draw_halves(n_real: int, n_fake: int, groups: np.ndarray | None, most: int, seed: int) -> Halves:
    """Split the reals in two ten times, whole groups together, and draw as many fakes each time: at most half of them.

    Args:
        groups: (n_real,) which group a real belongs to, such as its person; None where there are none.
        most: the largest half.
    """
    random = np.random.default_rng(seed)
    halves = Halves([], [], [])
    for _ in range(SPLITS):
        first, second = _split(n_real, groups, random)
        count = min(len(first), len(second), n_fake // 2, most)
        halves.first.append(random.permutation(first)[:count])
        halves.second.append(random.permutation(second)[:count])
        halves.fake.append(random.permutation(n_fake)[:count])
    return halves


def _split(count: int, groups: np.ndarray | None, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    names = np.empty(0) if groups is None else random.permutation(np.unique(groups))
    if groups is None or len(names) < 2:
        order = random.permutation(count)
        return order[: count // 2], order[count // 2 :]
    sizes = np.array([(groups == name).sum() for name in names])
    most = int((np.cumsum(sizes) <= count / 2).sum())
    inside = np.isin(groups, names[: max(1, most)])
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def share_interval(value: float, count: int) -> tuple[float, float]:
    """Give the 95 % interval of a mean of so many values from 0 to 1: it never leaves these (Wilson, 1927).

    It is that of yes and no, which spread most, and so wide enough for what lies between.
    """
    spread = float(stats.norm.ppf(0.975)) ** 2 / count
    middle = (value + spread / 2) / (1 + spread)
    reach = (spread * (value * (1 - value) + spread / 4)) ** 0.5 / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def measure(
    statistics: Statistics, real: Tensor, fake: Tensor, halves: Halves, features: str, best: Best | Mapping[str, Best]
) -> list[Measure]:
    """Take statistics over the splits: the mean against the fakes, its interval, and the mean between the halves.

    The interval is by Student's t over half-samples drawn without replacement, whose spread is that of the whole
    (Politis and Romano, 1994), or more where `most` makes them smaller; a bootstrap would bias every distance upwards.

    Args:
        statistics: maps features of reals (n, d) and of fakes (n, d) to figures by name.
        real, fake: all features, (n, d).
        best: as in `Measure`, of all of these figures or of each by its name.
    """
    splits = range(len(halves.first))
    values = [statistics(real[halves.first[i]], fake[halves.fake[i]]) for i in splits]
    floors = [statistics(real[halves.first[i]], real[halves.second[i]]) for i in splits]
    count = len(halves.fake[0])
    protocol = f"mean of {SPLITS} splits, {count:,} reals against {count:,} fakes; floor: against {count:,} other reals"
    return [
        Measure(
            name,
            *_interval([found[name] for found in values]),
            fmean(found[name] for found in floors),
            features,
            len(real),
            len(fake),
            protocol,
            best[name] if isinstance(best, Mapping) else best,
        )
        for name in values[0]
        if all(name in found for found in [*values, *floors])
    ]


def _interval(values: list[float]) -> tuple[float, float, float]:
    middle, reach = fmean(values), float(stats.t.ppf(0.975, len(values) - 1)) * stdev(values)
    return middle, middle - reach, middle + reach


def register_measure(name: str, function: Callable[[Tensor, Tensor], float], best: Best = "low") -> None:
    """Let judgements of this process take a measure of your own beside ours, with the same interval and floor.

    Args:
        name: what it is called.
        function: gives a figure of features of reals and of as many fakes, both (n, d).
        best: whether `low` or `high` values are better, or which value is best.

    Raises:
        ValueError: the name is none, or a package's; `function` or `best` is none. A name of ours is told when judging.
    """
    if not callable(function):
        raise ValueError(f"The measure {name!r} is to be a function of the features of reals and of fakes.")
    if best not in ("low", "high") and not (isinstance(best, int | float) and isfinite(best)):
        raise ValueError(f"best is low, high or the number that is best; given: {shown(best)}.")

    def named(real: Tensor, fake: Tensor) -> dict[str, float]:
        value = float(function(real, fake))
        if not isfinite(value):
            raise ValueError(f"it gave {value}")
        return {name: value}

    named.best = best  # type: ignore[attr-defined]
    register("gannet.measures", name, named, {})
