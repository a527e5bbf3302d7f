"""Damage that is done to held-out texts, so that what restores them can be told how well it did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from gannet.runtime.randomness import address
from gannet.tasks._text.gaps import LOST, Damaged, Known
from gannet.tasks._text.held_out import FILES, Library, Part, Split, is_shown

LONGEST, REACH = 10, 250
"""Characters of the longest gap, as in Assael et al., 2022 and 2025; characters that are shown to each side of one."""
PASSAGE, SHORTEST = 640, 25
"""Characters of a passage at most, and that it has at least on the stone."""
KINDS = ("characters", "words", "half-verses")
Kind: TypeAlias = Literal["characters", "words", "half-verses"]
SHARES = (0.05, 0.15, 0.3)


@dataclass(frozen=True)
class Passage:
    """Some lines in a row, as they are read.

    Attributes:
        text: with LOST and LOST_SOME where the original has gaps.
        may_hide: (length,) of each character whether it may be hidden: it is on the stone, and no line end.
        supplied: of each character whether an editor supplied it.
    """

    text: str
    may_hide: tuple[bool, ...]
    supplied: tuple[bool, ...]


@dataclass(frozen=True)
class Hidden:
    """A gap that was made, and what stood there.

    Attributes:
        left, right: what is shown to each side.
        truth: what was hidden.
        passage: the number of the passage it is in.
    """

    left: str
    right: str
    truth: str
    passage: int


def passages(library: Library, split: Split, language: str, part: Part) -> list[Passage]:
    """Give the passages of a part: whole inscriptions, or whole lines of a stretch up to 640 characters."""
    found = []
    for name in FILES[language]:
        places, lines = split[name], library.lines(name)
        known = {at for first, stop in places.known for at in range(first, stop)}
        for first, stop in places.stretches(part):
            size = 1 if name.endswith(".gz") else None
            shown = [at for at in range(first, stop) if is_shown(_line(lines, at), language)]
            found += [_passage(lines, group, known) for group in _grouped(lines, shown, size)]
    return [one for one in found if sum(one.may_hide) >= SHORTEST]


def _line(lines: Sequence[Damaged | None], at: int) -> Damaged:
    line = lines[at]
    assert line is not None, "no line that cannot be read is in a stretch"
    return line


def _grouped(lines: Sequence[Damaged | None], shown: Sequence[int], size: int | None) -> Iterator[list[int]]:
    """Divide lines by number into groups of so many, or of as many as fill a passage."""
    group, length = [], 0
    for at in shown:
        group.append(at)
        length += len(_line(lines, at).read) + 1
        if len(group) == size or (size is None and length >= PASSAGE):
            yield group
            group, length = [], 0
    if group:
        yield group


def _passage(lines: Sequence[Damaged | None], places: Sequence[int], known: set[int]) -> Passage:
    text = ""
    may_hide: list[bool] = []
    supplied: list[bool] = []
    for at in places:
        line = _line(lines, at)
        text += "\n" * (at > places[0]) + line.read
        for column, told in ((may_hide, line.on_stone), (supplied, _supplied(line))):
            column += [False] * (at > places[0])
            column += [one and (at not in known) for one in told]
    may_hide = [one and character != "\n" for one, character in zip(may_hide, text, strict=True)]
    return Passage(text[:PASSAGE], tuple(may_hide[:PASSAGE]), tuple(supplied[:PASSAGE]))


def _supplied(line: Damaged) -> list[bool]:
    told = ((piece, isinstance(piece, Known) and piece.supplied) for piece in line.pieces)
    return [one for piece, one in told for _ in piece.read]


def hide_gaps(found: Sequence[Passage], count: int, seed: int) -> list[Hidden]:
    """Hide `count` gaps of each length from 1 to 10, each in a passage and at a place drawn anew.

    A place is as likely as any other of the part at which that many characters may be hidden.
    """
    random = np.random.default_rng(address(seed, "gaps"))
    hidden = []
    for length in range(1, LONGEST + 1):
        starts = [_starts(one.may_hide, length) for one in found]
        sizes = np.cumsum([len(one) for one in starts])
        for drawn in random.choice(sizes[-1], min(count, int(sizes[-1])), replace=False):
            at = int(np.searchsorted(sizes, drawn, side="right"))
            hidden.append(_hidden(found, at, starts[at][drawn - sizes[at]], length))
    return hidden


def supplements(found: Sequence[Passage], count: int, seed: int) -> list[Hidden]:
    """Hide up to `count` whole supplements of 1 to 10 characters of editors, to be held against what is restored."""
    random = np.random.default_rng(address(seed, "supplements"))
    places = [
        (at, start, length)
        for at, one in enumerate(found)
        for start, length in _runs(one.supplied)
        if length <= LONGEST and any(map(str.isalpha, one.text[start : start + length]))
        if "\n" not in one.text[start : start + length]
    ]
    drawn = random.permutation(len(places))[:count]
    return [_hidden(found, *places[one]) for one in drawn]


def _starts(told: Sequence[bool], length: int) -> np.ndarray:
    sums = np.cumsum([0, *told])
    return np.flatnonzero(sums[length:] - sums[:-length] == length)


def _runs(told: Sequence[bool]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff([0, *map(int, told), 0]))
    return [(int(first), int(stop - first)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]


def _hidden(found: Sequence[Passage], passage: int, start: int, length: int) -> Hidden:
    text, stop = found[passage].text, int(start) + length
    return Hidden(text[max(0, int(start) - REACH) : int(start)], text[stop : stop + REACH], text[start:stop], passage)


def hide_share(passage: Passage, kind: Kind, share: float, seed: int) -> str:
    """Hide that share of a passage's characters, drawn one after the other, at least one.

    Args:
        kind: single characters, words (not the spaces between them), or whole lines, of which a verse has two.

    Returns:
        The text with LOST in their place; the text as it is where nothing of the kind may be hidden.
    """
    random = np.random.default_rng(address(seed, kind, str(share), passage.text))
    units = _units(passage, kind)
    wanted, text = share * sum(passage.may_hide), list(passage.text)
    for at in random.permutation(len(units)):
        if wanted <= 0:
            break
        first, stop = units[at]
        text[first:stop] = LOST * (stop - first)
        wanted -= stop - first
    return "".join(text)


def _units(passage: Passage, kind: Kind) -> list[tuple[int, int]]:
    if kind == "characters":
        return [(at, at + 1) for at, may in enumerate(passage.may_hide) if may]
    ends = "\n" if kind == "half-verses" else "\n "
    inside = [one not in ends for one in passage.text]
    units = [(first, first + length) for first, length in _runs(inside)]
    return [(first, stop) for first, stop in units if all(passage.may_hide[first:stop])]
