"""What is put into a gap, and what everything that restores text has in common."""

from dataclasses import dataclass
from typing import Protocol


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
