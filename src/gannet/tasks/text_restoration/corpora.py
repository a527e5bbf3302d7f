"""What a restorer of texts keeps of what it learned from: lines by their language, for parallels and for n-grams."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from gannet.data.records import Source
from gannet.runtime.broken import unless_broken
from gannet.tasks._text.gaps import LOST, LOST_SOME
from gannet.tasks._text.ngram import Ngram
from gannet.tasks._text.normalization import normalized
from gannet.tasks._text.parallels import Corpus, Parallel, part_of, read_corpora, write_corpora
from gannet.tasks.text_restoration.alphabet import Alphabet
from gannet.tasks.text_restoration.evidence import Evidence
from gannet.tasks.text_restoration.scripts import used_scripts

NAMELESS = "none"
"""What the language of texts is called that have none."""


class Corpora:
    """Lines of several languages.

    Args:
        lines: by language, as they are read.
    """

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self.lines: dict[str, Sequence[str]] = {name: list(some) for name, some in lines.items()}
        self._ngrams: dict[str, Ngram] = {}

    @classmethod
    def read(cls, path: Path) -> "Corpora":
        """Read what `write` wrote."""
        return cls(read_corpora(path))

    def write(self, path: Path) -> None:
        """Write them to one compressed file."""
        write_corpora(path, self.lines)

    @cached_property
    def _corpora(self) -> dict[str, Corpus]:
        return {name: Corpus(lines) for name, lines in self.lines.items()}

    @cached_property
    def scripts(self) -> dict[str, frozenset[str]]:
        """The scripts that each language uses."""
        return {name: used_scripts(lines) for name, lines in self.lines.items()}

    def nearest(self, language: str, line: str, count: int) -> list[Parallel]:
        """Give the nearest lines of a language, those that share most first; none where there are no lines of it."""
        corpus = self._corpora.get(language or NAMELESS)
        found = sorted(corpus.nearest(line, count) if corpus else [], key=lambda one: -one.likeness)
        shown = [(one, part_of(one.line, line)) for one in found]
        return [replace(one, line=with_signs(one.line), part=with_signs(part)) for one, part in shown]

    def ngram(self, language: str) -> Ngram | None:
        """Give an n-gram that has learned the lines of a language; None where nothing can be read of it."""
        name = language or NAMELESS
        if name not in self._ngrams and name in self.lines:
            self._ngrams[name] = Ngram(["\n".join(self.lines[name])])
        found = self._ngrams.get(name)
        return found if found and found.characters else None

    def evidence(self, languages: Sequence[str], alphabet: Alphabet) -> Evidence:
        """Give what n-grams of all languages tell, by their numbers; what is of none is the last."""
        numbers = {name: number for number, name in enumerate((*languages, NAMELESS))}
        return Evidence({numbers[name]: lines for name, lines in self.lines.items() if name in numbers}, alphabet)


def with_signs(line: str) -> str:
    """Write what is lost of a line as editors do."""
    return re.sub(f"{LOST}+", lambda run: f"[{len(run[0])}]", line).replace(LOST_SOME, "[...]")


def lines_of(source: Source, languages: Sequence[str]) -> dict[str, list[str]]:
    """Give the lines that are learned from, by language: those that are held out are no part of them.

    What is lost of them is marked as such, and an empty line stands between two texts.
    """
    found: dict[str, list[str]] = {}
    for record in source.records():
        if record.split == "test":
            continue
        name = source.classes[record.label] if record.label >= 0 else ""
        lines = found.setdefault(name if name in languages else NAMELESS, [])
        with unless_broken():  # The cache has named it.
            for line in normalized(str(record.read())).splitlines():
                read = " ".join(line.split())
                if read or (lines and lines[-1]):
                    lines.append(read)
    return found
