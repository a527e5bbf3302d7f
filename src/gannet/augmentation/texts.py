"""Ways to augment a text: words are swapped, lost, repeated, inserted, masked, or written with typing errors.

A text is cut at white space only, so the zero-width non-joiners of Persian stay within their words, and white space
stays as it was. Shares are of the words, of typing errors of the letters.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from random import Random

MASK = "[MASK]"
KEYBOARDS = (
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("ضصثقفغعهخحجچ", "شسیبلاتنمکگ", "ظطزرذدپو"),
)
"""Rows of letters, each shifted against the one above: English, Persian (ISIRI 9147)."""
REACH = 1.2
"""Keys between neighbours, at most."""

Table = Mapping[str, Sequence[str]]
Words = list[str]


def swap(words: Words, share: float, random: Random, table: Table) -> Words:  # noqa: ARG001
    """Exchange neighbours."""
    words = list(words)
    for index in range(len(words) - 1):
        if random.random() < share:
            words[index], words[index + 1] = words[index + 1], words[index]
    return words


def delete(words: Words, share: float, random: Random, table: Table) -> Words:  # noqa: ARG001
    """Leave words out, but never all."""
    kept = [word if random.random() >= share else "" for word in words]
    if not any(kept):
        stays = random.randrange(len(words))
        kept[stays] = words[stays]
    return kept


def repeat(words: Words, share: float, random: Random, table: Table) -> Words:  # noqa: ARG001
    """Write words twice."""
    return [f"{word} {word}" if random.random() < share else word for word in words]


def insert(words: Words, share: float, random: Random, table: Table) -> Words:
    """Put synonyms of words, or other words of the text, behind words (Wei and Zou, 2019, "EDA")."""
    return [
        f"{word} {_synonym(random.choice(words), random, table)}" if random.random() < share else word for word in words
    ]


def mistype(words: Words, share: float, random: Random, table: Table) -> Words:  # noqa: ARG001
    """Hit a neighbouring key instead of a letter's own."""
    return ["".join(_mistyped(letter, share, random) for letter in word) for word in words]


def substitute(words: Words, share: float, random: Random, table: Table) -> Words:
    """Put synonyms of the table for words that it has."""
    return [_synonym(word, random, table) if random.random() < share else word for word in words]


def mask(words: Words, share: float, random: Random, table: Table) -> Words:  # noqa: ARG001
    """Put `[MASK]` for words."""
    return [MASK if random.random() < share else word for word in words]


@dataclass(frozen=True)
class TextKind:
    """A way to augment a text, and the usual share."""

    name: str
    change: Callable[[Words, float, Random, Table], Words]
    usual: float


TEXT_KINDS = {
    kind.name: kind
    for kind in (
        TextKind("swap", swap, 0.1),
        TextKind("delete", delete, 0.1),
        TextKind("repeat", repeat, 0.1),
        TextKind("insert", insert, 0.1),
        TextKind("typing-errors", mistype, 0.03),
        TextKind("synonyms", substitute, 0.3),
        TextKind("masking", mask, 0.15),
    )
}
"""By name."""


def augment_text(text: str, kind: TextKind, share: float, random: Random, table: Table) -> str:
    """Give the text changed in one way, in one place at least where it can be; a share of zero changes nothing.

    What is left out takes the white space behind it along.
    """
    pieces = re.split(r"(\s+)", text)
    words, spaces = pieces[::2], [*pieces[1::2], ""]
    places = [index for index, word in enumerate(words) if word]
    if not places:
        return text
    before = [words[index] for index in places]
    after = kind.change(before, share, random, table)
    while after == before and 0 < share < 1:  # Short texts would often be spared.
        share = min(1.0, 2 * share)
        after = kind.change(before, share, random, table)
    for index, word in zip(places, after, strict=True):
        words[index] = word
        spaces[index] = spaces[index] if word else ""
    changed = "".join(word + space for word, space in zip(words, spaces, strict=True))
    return changed if text[-1:].isspace() else changed.rstrip()


def _mistyped(letter: str, share: float, random: Random) -> str:
    near = NEIGHBOURS.get(letter.lower())
    if near is None or random.random() >= share:
        return letter
    hit = random.choice(near)
    return hit.upper() if letter.isupper() else hit


def _synonym(word: str, random: Random, table: Table) -> str:
    """A synonym with the word's punctuation and capital; the word itself where the table has none."""
    found = re.fullmatch(r"(\W*)(.*?)(\W*)", word, re.DOTALL)
    assert found
    before, core, after = found.groups()
    known = table.get(core) or table.get(core.lower())
    if not known:
        return word
    chosen = random.choice(list(known))
    return before + (chosen[:1].upper() + chosen[1:] if core[:1].isupper() else chosen) + after


def _neighbours() -> dict[str, list[str]]:
    places = {
        letter: (column + 0.4 * row, row)
        for keyboard in KEYBOARDS
        for row, letters in enumerate(keyboard)
        for column, letter in enumerate(letters)
    }
    return {
        letter: [
            other
            for keyboard in KEYBOARDS
            if any(letter in row for row in keyboard)
            for row in keyboard
            for other in row
            if other != letter and _distance(places[letter], places[other]) <= REACH
        ]
        for letter in places
    }


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


NEIGHBOURS = _neighbours()
"""The letters on the keys around each letter's."""
