"""What does it help to learn from generated samples, too? Arms of a trial, compared in pairs with an interval.

Each arm gives models of several seeds, all tried on the same held-out reals: a table of figures (seeds, n), such as 1
where a class is told rightly or the Dice of a scan. Arms with the same seed share whatever else is drawn.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gannet.runtime.later import later

stats = later("scipy.stats")

Table: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval; `low` alone is a bound that holds in 97.5 % of trials."""

    value: float
    low: float
    high: float

    def within(self, least: float, most: float) -> "Interval":
        """Leave out of the interval what the figure cannot be."""
        return Interval(self.value, max(self.low, least), min(self.high, most))


def interval_of(table: Table) -> Interval:
    """Give the mean of figures (seeds, n), and an interval that allows for the chance in seeds and in what is tried.

    The variances of both means add up, and Student's t has the degrees of freedom of such a sum (Satterthwaite, 1946,
    equation 17): with three seeds that hardly differ it is not wider than the tried samples make it.

    Args:
        table: at least two samples; of a single seed the interval allows for the chance in them alone.
    """
    assert table.shape[1] > 1, "an interval takes two samples"
    counts = np.array([count for count in table.shape if count > 1])
    means = [table.mean(1 - axis) for axis, count in enumerate(table.shape) if count > 1]
    parts = np.array([mean.var(ddof=1) for mean in means]) / counts
    middle, variance = float(table.mean()), float(parts.sum())
    if variance == 0:
        return Interval(middle, middle, middle)
    freedom = variance**2 / float((parts**2 / (counts - 1)).sum())
    reach = float(stats.t.ppf(0.975, freedom)) * variance**0.5
    return Interval(middle, middle - reach, middle + reach)


def ratio_of(table: Table, to: Table) -> Interval:
    """Give the ratio of two arms' means and an interval, paired by seed and sample.

    That of what is left of one arm less so many times the other, over the other's mean (the delta method for ratios:
    Cochran, 1977, section 2.11).

    Args:
        table, to: (seeds, n) each; the mean of the second is above 0.
    """
    ratio, unit = float(table.mean() / to.mean()), float(to.mean())
    rest = interval_of((table - ratio * to) / unit)
    return Interval(ratio, ratio + rest.low, ratio + rest.high)


@dataclass(frozen=True)
class Trial:
    """How arms did, and what they gain over the one of reals alone.

    Attributes:
        scores: of each arm.
        gains: of each other arm over the baseline, paired by seed and sample.
        baseline: the arm that others are held against.
        figure: what was measured.
        protocol: how.
    """

    scores: Mapping[str, Interval]
    gains: Mapping[str, Interval]
    baseline: str
    figure: str
    protocol: str

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Say what each arm gains, then a line an arm, then the protocol."""
        rows = [f"{self.figure} of what learned from {arm}: {_shown(score)}" for arm, score in self.scores.items()]
        return [*(self.answer(arm) for arm in self.gains), *rows, f"{self.protocol}."]

    def answer(self, arm: str) -> str:
        """Say whether an arm does better than the baseline, worse, or neither for sure."""
        gain = self.gains[arm]
        found = "better than" if gain.low > 0 else "worse than" if gain.high < 0 else "not surely other than"
        return f"Learned from {arm}: {found} from {self.baseline} ({_shown(gain, sign='+')})."


def compare_arms(arms: Mapping[str, Table], baseline: str, figure: str, reals: str) -> Trial:
    """Compare arms of shares (seeds, n), 0 to 1, with the baseline, in pairs.

    Args:
        figure: what the tables hold.
        reals: what was tried on, for the protocol.

    Raises:
        ValueError: the arms were not tried alike, or none is the baseline.
    """
    shapes = {table.shape for table in arms.values()}
    if baseline not in arms or len(shapes) != 1:
        raise ValueError(
            f"Arms are tried on the same samples with as many seeds, and one is {baseline!r}; given: {arms.keys()}."
        )
    seeds, tried = shapes.pop()
    gains = {name: interval_of(table - arms[baseline]) for name, table in arms.items() if name != baseline}
    scores = {name: interval_of(table).within(0, 1) for name, table in arms.items()}
    over = f"seeds and {reals}" if seeds > 1 else f"{reals} alone"
    protocol = f"{seeds} seed{'s' * (seeds > 1)}, tried on {tried:,} {reals}; 95 % intervals over {over}"
    return Trial(scores, gains, baseline, figure, protocol)


def _shown(found: Interval, sign: str = "") -> str:
    value, low, high = (f"{part:{sign}.3f}" for part in (found.value, found.low, found.high))
    return f"{value}, {low} to {high}"
