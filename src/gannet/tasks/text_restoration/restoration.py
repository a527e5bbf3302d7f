"""What came of restoring a text: alternatives for every gap, as plain data and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gannet.tasks._text.alternatives import Alternative
from gannet.tasks._text.gaps import Damaged, Known
from gannet.tasks._text.parallels import Parallel
from gannet.tasks.text_restoration.windows import Place

FEWEST_NOTES = 3
"""Numbers in a row that look like those of footnotes."""


@dataclass(frozen=True)
class Restoration:
    """What was restored of a text.

    Attributes:
        language: in which it was read; empty where the model knows none.
        damaged: the text as it was.
        gaps: the alternatives for each gap, the likeliest first.
        parallels: the nearest lines of the corpus, for each gap.
    """

    language: str
    damaged: Damaged
    gaps: list[list[Alternative]]
    parallels: list[list[Parallel]]

    @property
    def text(self) -> str:
        """The text with the likeliest alternatives."""
        return self.damaged.filled([alternatives[0].text for alternatives in self.gaps])

    @property
    def count(self) -> int:
        """The number of restored characters."""
        return sum(len(alternatives[0].text) for alternatives in self.gaps)

    def record(self) -> dict[str, object]:
        """Give it as plain data: of each gap its sign, where it stands, and what was restored."""
        gaps, at = [], 0
        left = iter(zip(self.gaps, self.parallels, strict=True))
        for piece in self.damaged.pieces:
            if not isinstance(piece, Known):
                alternatives, parallels = next(left)
                gaps.append(_told_of(piece.written, at, alternatives, parallels))
            at += len(piece.written)
        return {"language": self.language, "restored_characters": self.count, "gaps": gaps}


def _told_of(sign: str, at: int, alternatives: list[Alternative], parallels: list[Parallel]) -> dict[str, object]:
    best, *_ = alternatives
    return {
        "sign": sign,
        "position": at,
        "restored": best.text,
        "confidences": [round(one, 4) for one in best.confidences],
        "alternatives": [{"text": one.text, "probability": float(f"{one.probability:.4g}")} for one in alternatives],
        "parallels": [asdict(one) for one in parallels],
    }


def places_of(damaged: Damaged) -> list[Place]:
    """Give where the gaps of a text lie in what is read of it."""
    places, at = [], 0
    for piece in damaged.pieces:
        if not isinstance(piece, Known):
            places.append(Place(at, at + len(piece.read), piece.length is not None))
        at += len(piece.read)
    return places


def footnotes(gaps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warn where the signs of all gaps, as plain data, count from 1 on: they may be marks of footnotes."""
    signs = [gap["sign"] for gap in gaps]
    if len(signs) < FEWEST_NOTES or signs != [f"[{number}]" for number in range(1, len(signs) + 1)]:
        return []
    return [
        f"{signs[0]} to {signs[-1]} were read as gaps of so many characters; if they are marks of footnotes, write "
        "them otherwise."
    ]


def in_words(gap: Mapping[str, Any]) -> str:
    """Tell of a gap, as plain data, in a line."""
    first, *others = gap["alternatives"]
    words = f"{gap['sign']} at {gap['position'] + 1:,}: {first['text']!r} ({_chance(first)})"
    words += "".join(f", or {one['text']!r} ({_chance(one)})" for one in others[:2])
    return words + (f"; near: {gap['parallels'][0]['line']!r}" if gap["parallels"] else "")


def _chance(alternative: Mapping[str, Any]) -> str:
    probability: float = alternative["probability"]
    return f"{probability:.0%}" if probability >= 0.01 else "less than 1%"
