"""Which lines of the benchmark's texts are learned from, which settings are chosen by, and which judge."""

import contextlib
import gzip
import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from gannet.runtime.digests import digest
from gannet.runtime.files import write_json
from gannet.runtime.plain_data import read_json
from gannet.tasks._text.gaps import Damaged, Known, read_gaps
from gannet.tasks._text.normalization import folded, normalized

POETS = ("hafez", "khayyam", "moulavi", "parvin", "roodaki", "saadi")
WHOLE = "persian/roodaki_norm.txt"
"""The poet of whom nothing is learned."""
FILES: Mapping[str, tuple[str, ...]] = {
    "persian": tuple(f"persian/{poet}_norm.txt" for poet in POETS),
    "english": ("tinyshakespeare.txt",),
    "latin": ("latin-inscriptions.tsv.gz",),
}
PARAGRAPHS = frozenset({"english"})
HELD_OUT, TUNED = 0.1, 0.05
"""The last share of a file that judges, and of what is left the last share that settings are chosen by."""
VERSE = 20
"""Characters from which on a line that stands twice is a verse that is repeated, and not the name of a speaker."""
DASHES = re.compile("-{3,}")
Part: TypeAlias = Literal["learned", "tuned", "held_out"]


@dataclass(frozen=True)
class Places:
    """Lines of one file by number, from 0: the first and the one behind the last of each stretch.

    Attributes:
        digest: of the file.
        learned, tuned, held_out: the three parts, without verses that are repeated in the held-out part and elsewhere.
        known: held-out lines that are too short to be left out and stand elsewhere too: shown, and never hidden.
    """

    digest: str
    learned: list[tuple[int, int]]
    tuned: list[tuple[int, int]]
    held_out: list[tuple[int, int]]
    known: list[tuple[int, int]]

    def stretches(self, *parts: Part) -> list[tuple[int, int]]:
        """Give the stretches of some parts."""
        return [(first, stop) for part in parts for first, stop in getattr(self, part)]


Split: TypeAlias = dict[str, Places]


class Library:
    """The benchmark's texts, read when they are first asked for.

    Args:
        folder: that holds `persian/`, `tinyshakespeare.txt` and `latin-inscriptions.tsv.gz`.

    Raises:
        ValueError: a file is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        missing = [name for names in FILES.values() for name in names if not (folder / name).is_file()]
        if missing:
            raise ValueError(f"{folder} has no {missing[0]}; give the folder that holds the benchmark's texts.")

    @cached_property
    def _read(self) -> dict[str, list[Damaged | None]]:
        return {}

    def digest(self, name: str) -> str:
        """Give what tells a file from another version of it."""
        return digest(name, [(self.folder / name).read_bytes()])

    def lines(self, name: str) -> Sequence[Damaged | None]:
        """Give the lines of a file as they are read; None where an inscription's signs cannot be."""
        if name not in self._read:
            path = self.folder / name
            if name.endswith(".gz"):
                content = gzip.decompress(path.read_bytes()).decode()
                self._read[name] = [_inscription(row.partition("\t")[2]) for row in content.splitlines()]
            else:
                self._read[name] = [_plain(row) for row in path.read_text("utf-8-sig").split("\n")]
        return self._read[name]


def _plain(row: str) -> Damaged:
    return Damaged((Known(row, normalized(row).strip(), False),))


def _inscription(row: str) -> Damaged | None:
    """Read an inscription; dashes are of unknown length there, and brackets left open at its edges are closed."""
    text = DASHES.sub("[...]", html.unescape(row))
    for change in (str, _balanced):
        with contextlib.suppress(ValueError):
            return read_gaps(change(text))
    return None


def _balanced(text: str) -> str:
    depth, balanced = 0, ""
    for one in text:
        if one == "]" and not depth:
            continue
        depth += (one == "[") - (one == "]")
        balanced += one
    return balanced + "]" * depth


def make_split(library: Library) -> Split:
    """Divide all files: one poet whole and the last tenth of all others are held out."""
    bounds = {name: _bounds(name, len(library.lines(name))) for names in FILES.values() for name in names}
    return {
        name: one
        for names in FILES.values()
        for name, one in _of_language(library, {name: bounds[name] for name in names}).items()
    }


def _bounds(name: str, count: int) -> tuple[int, int, int]:
    """Give where the part that settings are chosen by begins, where the held-out part does, and the end."""
    held = 0 if name == WHOLE else count - round(count * HELD_OUT)
    return held - round(held * TUNED), held, count


def _of_language(library: Library, bounds: Mapping[str, tuple[int, int, int]]) -> Split:
    keys = {name: [_key(line) for line in library.lines(name)] for name in bounds}
    elsewhere = {key for name, (_, held, _) in bounds.items() for key in keys[name][:held]}
    judged = Counter(key for name, (_, held, _) in bounds.items() for key in keys[name][held:])
    split = {}
    for name, (tuned, held, count) in bounds.items():
        repeated = [len(key) >= VERSE and key in elsewhere and key in judged for key in keys[name]]
        empty = [line is None for line in library.lines(name)]
        kept = [not (one or none) for one, none in zip(repeated, empty, strict=True)]
        short = [kept[at] and at >= held and keys[name][at] in elsewhere for at in range(count)]
        split[name] = Places(
            library.digest(name),
            _stretches(kept, 0, tuned),
            _stretches(kept, tuned, held),
            _stretches(kept, held, count),
            _stretches(short, held, count),
        )
    return split


def _key(line: Damaged | None) -> str:
    return "" if line is None else "".join(folded(line.read).split())


def _stretches(kept: Sequence[bool], first: int, stop: int) -> list[tuple[int, int]]:
    changes = [at for at in range(first, stop) if kept[at] != (at > first and kept[at - 1])]
    return list(zip(changes[::2], [*changes[1::2], stop], strict=False))


def write_split(path: Path, split: Split) -> None:
    """Write a split as JSON: numbers of lines, and no text."""
    write_json(path, {name: vars(places) for name, places in split.items()})


def read_split(path: Path, library: Library) -> Split:
    """Read a split.

    Raises:
        ValueError: it is of other files than those at hand.
    """
    found = read_json(path)
    split = {}
    for name, told in found.items():
        if told["digest"] != library.digest(name):
            raise ValueError(f"{path} divides another {name} than the one at hand; make it anew.")
        parts = {part: [(first, stop) for first, stop in told[part]] for part in told if part != "digest"}
        split[name] = Places(told["digest"], **parts)
    return split


def is_shown(line: Damaged, language: str) -> bool:
    """Tell whether a line is one of the text: blank ones are where prose and plays have paragraphs."""
    return bool(line.read) or language in PARAGRAPHS


def learned_texts(library: Library, split: Split, language: str, *parts: Part) -> Iterator[str]:
    """Give what is learned of a language: stretches of lines, or inscriptions, with LOST and LOST_SOME in them."""
    for name in FILES[language]:
        lines = library.lines(name)
        for first, stop in split[name].stretches(*parts):
            read = [line.read for line in lines[first:stop] if line is not None and is_shown(line, language)]
            yield from read if name.endswith(".gz") else ["\n".join(read)]
