"""The range that the numbers of pictures lie in, told by the bulk of them and not by the one that is farthest out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
ROUNDING = 0.1
"""How far beyond 0..1 or -1..1 resampling and rounding take numbers; no range begins or ends there."""
FEW = 0.001
"""The share of numbers below which they are stray ones that tell no range."""
LEVELS = 255.0


@dataclass(frozen=True)
class ValueRange:
    """A range of numbers, from black to white.

    Attributes:
        low, high: its ends.
        top: the highest number.
        clipped: how many numbers lie outside and are brought to its ends.
        total: of how many.
    """

    low: float
    high: float
    top: float
    clipped: int
    total: int

    def to_levels(self, values: Numbers) -> npt.NDArray[np.uint8]:
        """Turn numbers into levels 0 to 255."""
        inside = values.clip(self.low, self.high) if self.clipped else values
        return np.rint((inside - self.low) * (LEVELS / (self.high - self.low))).astype(np.uint8)

    def note(self) -> str:
        """Say what is clipped; empty: nothing."""
        if not self.clipped:
            return ""
        ends = f"{self.low:g}..{self.high:g}"
        return f"its numbers are read as {ends}, and {self.clipped:,} of {self.total:,} that lie outside are clipped"


def find_range(blocks: Iterable[Numbers], candidates: Sequence[tuple[float, float]], few: float = FEW) -> ValueRange:
    """Choose the first of some ranges, given from narrow to wide, that all but a few stray numbers lie in.

    No block is empty. `few` is the share below which numbers are stray; 0: none is.

    Raises:
        ValueError: they lie in none, or some are no numbers; says from where to where they reach.
    """
    total, low, high = 0, np.inf, -np.inf
    stray, clipped = np.zeros(len(candidates), np.int64), np.zeros(len(candidates), np.int64)
    for values in blocks:
        lowest, highest = float(values.min()), float(values.max())
        total, low, high = total + values.size, min(low, lowest), max(high, highest)
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            raise ValueError(f"from {lowest:g} to {highest:g}")
        for index, (start, end) in enumerate(candidates):
            if not start <= lowest <= highest <= end:
                stray[index] += np.count_nonzero((values < start - ROUNDING) | (values > end + ROUNDING))
                clipped[index] += np.count_nonzero((values < start) | (values > end))
    for (start, end), beyond, outside in zip(candidates, stray.tolist(), clipped.tolist(), strict=True):
        if not beyond or beyond < few * total:
            return ValueRange(start, end, high, outside, total)
    raise ValueError(f"from {low:g} to {high:g}")
