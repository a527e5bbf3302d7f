"""The lines of a corpus that are nearest to a damaged one, and the file that a corpus is kept in."""

import lzma
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gannet.runtime.files import write_bytes
from gannet.runtime.reading import read_bounded
from gannet.tasks._text.gaps import LOST, LOST_SOME
from gannet.tasks._text.normalization import folded, normalized

GRAMS = (2, 3)
"""Characters of the sequences that are compared: three tell lines apart, two are left where single ones are lost."""
LENGTH_COUNTS = 0.05
"""The power of a line's own weight by which it is divided: 0 favours long lines, 0.5 short ones."""

HASHED, SPREADING = 20, np.uint64(0x9E3779B97F4A7C15)
"""Bits of a sequence's hash, and what it is multiplied by for it (Knuth, 1998, "Sorting and Searching", 6.4)."""
SHOWN, CUT = 120, "..."
"""Characters of a long line that are shown, and what stands where it is cut."""
LOOKED_AT, PLACES_COUNT = 2_000, 0.1
"""Lines that are looked at by where their signs stand, and what one counts of which none stands in its place."""


@dataclass(frozen=True)
class Parallel:
    """A line of the corpus.

    Attributes:
        line: as it stands in the corpus.
        number: of the line there, from 0.
        likeness: share of what is known of the damaged line, weighed by rarity, that is also here, 0 to 1.
        part: of a long line, about 120 characters around what it shares with the damaged one.
    """

    line: str
    number: int
    likeness: float
    part: str = ""


class Corpus:
    """Lines that are searched for parallels.

    Lines are compared by the sequences of two and three characters that they share, each weighed by its inverse
    document frequency (Spärck Jones, 1972), and the likeliest by what stands in its place too: how much is lost is
    mostly known. Case, joiners and variants of letters do not count.

    Args:
        lines: of one language.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)

    @cached_property
    def _folded(self) -> list[str]:
        """The lines as they are compared, kept: folding those that are looked at anew took most of a search."""
        return _folded(self.lines)

    @cached_property
    def _index(self) -> tuple[sparse.csr_matrix, NDArray[np.float64], NDArray[np.float64]]:
        """Give which lines (columns) have each sequence (rows, by its hash), its weight, and what a line weighs."""
        which, rows = _sequences(self._folded)
        having = sparse.csr_matrix((np.ones(len(rows), np.float32), (which, rows)), (1 << HASHED, len(self.lines)))
        having.data[:] = 1  # However often a line has it.
        weights = np.log((1 + len(self.lines)) / np.maximum(1, np.diff(having.indptr))) ** 2
        return having, weights, np.maximum(having.T @ weights, 1e-9)

    def nearest(self, damaged: str, count: int = 10) -> list[Parallel]:
        """Give the nearest lines, the nearest first; fewer where fewer share anything.

        Args:
            damaged: with LOST and LOST_SOME where it is lost; nothing is compared across them.
            count: lines at most.
        """
        known = _folded([damaged])
        found = np.unique(_sequences(known)[0])
        if not self.lines or not len(found):
            return []
        having, weights, own = self._index
        shared, whole = having[found].T @ weights[found], weights[found].sum()
        scores = shared / own**LENGTH_COUNTS
        likely = _largest(scores, max(count, LOOKED_AT))
        placed = scores[likely] * (PLACES_COUNT + in_place(known[0], [self._folded[at] for at in likely]))
        best = likely[_largest(placed, count)]
        return [Parallel(self.lines[at], int(at), float(shared[at] / whole)) for at in best if shared[at] > 0]


def _largest(scores: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Give where the so many largest scores are, the largest first, and of equal ones the first; few are sorted."""
    least = np.partition(scores, -count)[-count] if count < len(scores) else -np.inf
    among = np.flatnonzero(scores >= least)
    return among[np.argsort(-scores[among], kind="stable")][:count]


def in_place(damaged: str, lines: Sequence[str]) -> NDArray[np.float64]:
    """Tell of lines which share of what is known of a damaged one stands where it does, 0 to 1: (n,); all are folded.

    It is the mean of the places from the beginning and from the end, each as far as they are known.
    """
    from_start, from_end = damaged.partition(LOST_SOME)[0], damaged.rpartition(LOST_SOME)[2]
    return (_agreement(from_start, lines, 1) + _agreement(from_end, lines, -1)) / 2


def part_of(line: str, damaged: str) -> str:
    """Give the part of a line in which most of what it shares with a damaged one stands, whole words of it."""
    if len(line) <= SHOWN:
        return line
    own, known, size = folded(line), folded(normalized(damaged)), max(GRAMS)
    grams = {gram for at in range(len(known) - size + 1) if not {LOST, LOST_SOME} & {*(gram := known[at : at + size])}}
    shared = np.zeros(len(own), int)
    for at in range(len(own) - size + 1):
        if own[at : at + size] in grams:
            shared[at : at + size] = 1
    sums = np.concatenate([[0], shared.cumsum()])
    found = np.flatnonzero((within := sums[SHOWN:] - sums[:-SHOWN]) == within.max())
    start = int(found[len(found) // 2])  # What is shared stands in its middle.
    stop = start + SHOWN
    if start:
        start = line.find(" ", start, stop) + 1 or start
    if stop < len(line):
        last = line.rfind(" ", start, stop)
        stop = last if last > start else stop
    return CUT * (start > 0) + line[start:stop] + CUT * (stop < len(line))


def _agreement(known: str, lines: Sequence[str], step: int) -> NDArray[np.float64]:
    """Tell which share of what is known stands at the same place of each line, from its beginning or (-1) its end."""
    cut = [line[::step][: len(known)].ljust(len(known)) for line in (known, *lines)]
    signs = np.frombuffer("".join(cut).encode("utf-32-le"), np.uint32).reshape(len(cut), len(known))
    read = ~np.isin(signs[0], [ord(LOST), ord(" ")])
    same: NDArray[np.float64] = (signs[1:, read] == signs[0, read]).sum(1) / max(1, read.sum())
    return same


def _folded(lines: Iterable[str]) -> list[str]:
    """Bring lines to the spelling and the case that they are compared in."""
    return folded(normalized("\n".join(" ".join(line.splitlines()) for line in lines))).split("\n")


def _sequences(lines: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the hashes of all sequences of characters of folded lines (n,), and of which line each is (n,)."""
    whole = "\n".join(lines)
    codes = np.frombuffer(f" {whole} ".replace("\n", " \n ").encode("utf-32-le"), np.uint32).astype(np.uint64)
    apart = np.isin(codes, [ord(sign) for sign in (LOST, LOST_SOME, "\n")])
    which = np.cumsum(codes == ord("\n"))
    found = []
    for length in GRAMS:
        starts = np.arange(max(0, len(codes) - length + 1))
        keys, known = np.zeros(len(starts), np.uint64), np.ones(len(starts), bool)
        for at in range(length):
            keys = (keys << np.uint64(21)) | codes[at + starts]  # A character has at most 21 bits, and none is zero.
            known &= ~apart[at + starts]
        found.append((keys[known], which[: len(keys)][known]))
    keys, rows = (np.concatenate(part) for part in zip(*found, strict=True))
    return ((keys * SPREADING) >> np.uint64(64 - HASHED)).astype(np.int64), rows


def write_corpora(path: Path, corpora: dict[str, Sequence[str]]) -> None:
    """Write the lines of several languages to one compressed file, each with its language.

    Raises:
        ValueError: a language's name or a line that holds a tab or a line end, or a file that cannot be written.
    """
    rows = [f"{language}\t{line}" for language, lines in corpora.items() for line in lines]
    for row in rows:
        if row.count("\t") != 1 or len(row.splitlines()) > 1:
            raise ValueError(f"{row[:40]!r} is not one line without tabs; divide it before it is kept.")
    write_bytes(path, lzma.compress("\n".join([*rows, ""]).encode(), preset=9 | lzma.PRESET_EXTREME))


def read_corpora(path: Path) -> dict[str, list[str]]:
    """Read what `write_corpora` wrote: the lines of each language.

    Raises:
        ValueError: it is damaged, or unpacks to more than `LARGEST_FILE`.
    """
    lines: dict[str, list[str]] = defaultdict(list)
    try:
        with lzma.open(path) as stream:
            text = read_bounded(stream).decode()
        for row in text.split("\n")[:-1]:
            language, line = row.split("\t")
            lines[language].append(line)
    except (lzma.LZMAError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is damaged or was not written by Gannet ({error}); nothing was loaded.") from None
    return dict(lines)
