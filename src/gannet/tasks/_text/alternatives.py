"""What is put into a gap, and what everything that restores text has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SUREST = 1e-4
"""How far from 0 and 1 a confidence is taken to be at least."""


@dataclass(frozen=True)
class Alternative:
    """One way to fill a gap.

    Attributes:
        text: what stands in the gap.
        probability: of this text among all, 0 to 1.
        confidences: of each character that it is right, 0 to 1.
    """

    text: str
    probability: float
    confidences: tuple[float, ...]


class Restorer(Protocol):
    """What fills gaps."""

    def fill(self, left: str, length: int | None, right: str, count: int, language: str) -> list[Alternative]:
        """Fill a gap, the likeliest alternative first.

        Args:
            left, right: what is read before and behind the gap, normalized; other gaps are told by the signs LOST and
                LOST_SOME of `gaps`.
            length: characters that are lost; None where nobody knows.
            count: alternatives to give at most.
            language: of the text.
        """


def scaled(confidences: Sequence[float], slope: float, shift: float) -> tuple[float, ...]:
    """Scale the logits of confidences, and shift them (Platt, 1999); as they are by 1 and 0."""
    if (slope, shift) == (1.0, 0.0):
        return tuple(confidences)
    told = 1 / (1 + np.exp(-(slope * logits(confidences) + shift)))
    return tuple(told.tolist())


def logits(confidences: Sequence[float]) -> NDArray[np.float64]:
    """Give the logits of confidences, none of which is taken to be quite sure."""
    sure = np.clip(np.asarray(confidences, np.float64), SUREST, 1 - SUREST)
    found: NDArray[np.float64] = np.log(sure / (1 - sure))
    return found
