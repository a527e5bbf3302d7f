"""What models and verbs say, in a page's language; what its catalogue does not know stays as it was said."""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import yaml

LONGEST = 480
"""Characters of a sentence that is looked up; what is longer is none of these."""
FIELD = re.compile(r"\{(\w+)\}")
TYPED = "typed"
"""The name of a value that users type as it is, such as a recipe's, though there are other words for it."""
ISOLATED = "\u2068{}\u2069"
"""Around a value: it is read in its own direction, whatever stands beside it (Unicode's isolates)."""


def translate(language: str, words: str) -> str:
    """Give what was said in a language: a sentence, a name, or a reason within a sentence; else as it was."""
    return (_translated(language, words) if len(words) <= LONGEST else None) or words


def _translated(language: str, words: str) -> str | None:
    return _parts(language, words) or _whole(language, words)


def _parts(language: str, words: str) -> str | None:
    """Give what stands between semicolons part by part, where each is known."""
    several = words.removesuffix(".").split("; ")
    if len(several) < 2:
        return None
    parts = [_whole(language, f"{part}.") or _whole(language, part) for part in several]
    said = "؛ ".join(part.removesuffix(".") for part in parts if part)
    return said + "." * words.endswith(".") if all(parts) else None


def _whole(language: str, words: str) -> str | None:
    for saying in sayings(language):
        if (values := saying.values(words)) is not None:
            return saying.told.format(**{name: _value(language, value, name) for name, value in values.items()})
    about, colon, rest = words.partition(": ")  # A sentence that names first what it speaks of.
    known = _translated(language, rest) if colon else None
    return known and f"{ISOLATED.format(about)}: {known}"


def _value(language: str, value: str, name: str) -> str:
    return (_translated(language, value) if name != TYPED else None) or ISOLATED.format(value)


class Saying(NamedTuple):
    """A sentence that is known.

    Attributes:
        parts: what stands before, between and behind its values.
        names: of its values.
        told: how it is told, with their names in braces.
    """

    parts: tuple[str, ...]
    names: tuple[str, ...]
    told: str

    def values(self, words: str) -> dict[str, str] | None:
        """Give the values in words that are this sentence, each as short as it may be; else nothing.

        Nothing is tried twice, as by a regular expression: what is looked up may be any file's name.
        """
        first, *between = self.parts
        if not words.startswith(first) or (not between and words != first):
            return None
        at, found = len(first), dict[str, str]()
        for number, (name, part) in enumerate(zip(self.names, between, strict=True), 1):
            last = number == len(between)
            stop = len(words) - len(part) if last and words.endswith(part) else -1 if last else words.find(part, at + 1)
            if stop <= at or "\n" in words[at:stop]:
                return None
            found[name], at = words[at:stop], stop + len(part)
        return found


@cache
def sayings(language: str) -> Sequence[Saying]:
    """List what is known in a language, the most exact first."""
    file = resources.files("gannet.studio") / "catalogue" / "said" / f"{language}.yaml"
    known: dict[str, str] = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    exact_first = sorted(known.items(), key=lambda one: -len(FIELD.sub("", one[0])))  # Values of others would hold it.
    return [saying_of(said, told) for said, told in exact_first]


def saying_of(said: str, told: str) -> Saying:
    """Read a sentence whose values are names in braces."""
    parts = FIELD.split(said)
    return Saying(tuple(parts[::2]), tuple(parts[1::2]), told)
