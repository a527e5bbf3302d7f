"""What came of restoring a text: alternatives for every gap, as plain data and in words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from gannet.tasks._text.alternatives import Alternative
from gannet.tasks._text.gaps import Damaged, Gap, Known, read_gaps
from gannet.tasks._text.parallels import Parallel
from gannet.tasks.text_restoration.windows import Place

FEWEST_NOTES = 3
"""Numbers in a row that look like those of footnotes."""
CHANCE = 0.5
"""The likeness of a line below which none is told in words: of lines of the shipped model's corpora, the one that is
likest to eight words that are drawn at random reaches it about once in twenty times (the 95th percentile is 0.46 in
English and 0.48 in Persian), while the source of a line of which half the words are lost reaches 1."""
TOLD = 10
"""Gaps that were left as they are, of which is told."""
Mark: TypeAlias = Literal["none", "brackets"]


@dataclass(frozen=True)
class Filled:
    """A gap that was filled.

    Attributes:
        language: in which it was read; empty where the model knows none.
        alternatives: for it, the likeliest first.
        parallels: the nearest lines of the corpus.
    """

    language: str
    alternatives: list[Alternative]
    parallels: list[Parallel]

    @property
    def text(self) -> str:
        """The likeliest alternative."""
        return self.alternatives[0].text


@dataclass(frozen=True)
class Left:
    """A gap that is left as it is, and why."""

    reason: str


Outcome: TypeAlias = Filled | Left


@dataclass(frozen=True)
class Standing:
    """A gap and what came of it, where it stands: `position` from 0 on, `line` and `column` from 1 on."""

    gap: Gap
    outcome: Outcome
    position: int
    line: int
    column: int

    @property
    def told(self) -> dict[str, object]:
        """What is told of every gap, as plain data."""
        return {"sign": self.gap.written, "position": self.position, "line": self.line, "column": self.column}


@dataclass(frozen=True)
class Restoration:
    """What was restored of a text.

    Attributes:
        language: in which it was read; empty where the model knows none.
        damaged: the text as it was.
        outcomes: of each gap.
    """

    language: str
    damaged: Damaged
    outcomes: Sequence[Outcome]

    def text(self, mark: Mark) -> str:
        """Give the text with the likeliest alternatives, in brackets where that is asked and makes no gap of them."""
        around: dict[Mark, Callable[[str], str]] = {"none": str, "brackets": _in_brackets}
        return self.damaged.filled(
            [around[mark](one.text) if isinstance(one, Filled) else None for one in self.outcomes]
        )

    @property
    def count(self) -> int:
        """The number of restored characters."""
        return sum(len(one.text) for one in self.outcomes if isinstance(one, Filled))

    @cached_property
    def standing(self) -> list[Standing]:
        """The gaps, where they stand."""
        found, left = [], iter(self.outcomes)
        at, line, begun = 0, 1, 0
        for piece in self.damaged.pieces:
            if isinstance(piece, Gap):
                found.append(Standing(piece, next(left), at, line, at - begun + 1))
            ended = piece.written.rfind("\n")
            line, begun = line + piece.written.count("\n"), begun if ended < 0 else at + ended + 1
            at += len(piece.written)
        return found

    def record(self) -> dict[str, object]:
        """Give it as plain data: of each gap its sign, where it stands, and what was restored, or why it was not."""
        gaps = [_filled(one, one.outcome) for one in self.standing if isinstance(one.outcome, Filled)]
        left = [{**one.told, "reason": one.outcome.reason} for one in self.standing if isinstance(one.outcome, Left)]
        told = {"language": self.language, "restored_characters": self.count, "gaps": gaps}
        return told | ({"left": left} if left else {})


def _in_brackets(text: str) -> str:
    """Put brackets around what was restored, but where they would say that it is lost, as around a number or dots."""
    with suppress(ValueError):
        if not read_gaps(f"[{text}]").gaps:
            return f"[{text}]"
    return text


def _filled(standing: Standing, filled: Filled) -> dict[str, object]:
    best, *_ = filled.alternatives
    every = [{"text": one.text, "probability": float(f"{one.probability:.4g}")} for one in filled.alternatives]
    ends = standing.gap.line_ends
    return {
        **standing.told,
        **({"line_ends": ends} if ends else {}),
        "language": filled.language,
        "restored": best.text,
        "confidences": [round(one, 4) for one in best.confidences],
        "alternatives": every,
        "parallels": [asdict(one) for one in filled.parallels],
    }


def left_as_they_are(gaps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Tell of gaps that were left, as plain data, why; of the first ones."""
    for gap in gaps[:TOLD]:
        yield f"{_where(gap)} is left as it is: {gap['reason']}"
    if len(gaps) > TOLD:
        yield f"and {len(gaps) - TOLD:,} more gaps are left"


def _where(gap: Mapping[str, Any]) -> str:
    return f"{' '.join(gap['sign'].split())} at line {gap['line']:,}, {gap['column']:,}"


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
    words = f"{_where(gap)}: {first['text']!r} ({_chance(first)})"
    words += "".join(f", or {one['text']!r} ({_chance(one)})" for one in others[:2])
    near = [one["part"] for one in gap["parallels"][:1] if one["likeness"] >= CHANCE]
    return words + "".join(f"; near: {part!r}" for part in near)


def _chance(alternative: Mapping[str, Any]) -> str:
    probability: float = alternative["probability"]
    return f"{probability:.0%}" if probability >= 0.01 else "less than 1%"
