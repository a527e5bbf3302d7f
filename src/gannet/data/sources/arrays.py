"""Pictures in one array, in memory or mapped from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gannet.data.records import VALUE, Chunk, Labels, Record, digest, records_of, rows_per_chunk, unread
from gannet.data.sources.levels import Levels
from gannet.media.arrays import Numbers


class ArraySource:
    """Pictures (n, h, w, c) of one size, with classes or without.

    Args:
        name: of the data.
        stamp: changes when the content does.
        classes, labels: the names of the classes, and the number of each picture's (n,), -1 without.
    """

    def __init__(
        self, name: str, stamp: str, pictures: Numbers, classes: Sequence[str] = (), labels: Labels | None = None
    ) -> None:
        self.name, self.classes = name, tuple(classes)
        self._stamp, self._pictures = stamp, pictures
        self._given = np.full(len(pictures), -1, np.int64) if labels is None else labels
        self._levels = Levels(name, {pictures.dtype}, self._values)

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return fingerprint(self._stamp, self._levels)

    def notes(self) -> Iterator[str]:
        """Say how its numbers are read where that is not plain."""
        return self._levels.notes(self.name)

    def count(self) -> int:
        """Give the number of samples."""
        return len(self._pictures)

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        start = 0
        for values in self._blocks():
            labels = self._given[start : start + len(values)]
            yield Chunk({VALUE: self._levels.of(values)}, labels, "", start)
            start += len(values)

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        for row in spread(len(self._pictures), most):
            pixels, label = self._levels.of(self._pictures[row : row + 1]), self._given[row : row + 1]
            yield from records_of([Chunk({VALUE: pixels}, label, "", row)])

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())

    def listed(self) -> Iterator[Record]:
        """Look at the labels alone."""
        return (unread(f"images[{row}]", label, "") for row, label in enumerate(self._given.tolist()))

    def _blocks(self) -> Iterator[Numbers]:
        rows = rows_per_chunk(self._pictures[:1].nbytes)
        return (self._pictures[start : start + rows] for start in range(0, len(self._pictures), rows))

    def _values(self, letters: str) -> Iterator[Numbers]:
        return self._blocks() if self._pictures.dtype.kind in letters else iter(())


def fingerprint(stamp: str, levels: Levels) -> str:
    """Give the digest of pictures of that stamp, read so."""
    return digest(["array", stamp, *levels.words()])


def spread(count: int, most: int) -> list[int]:
    """Give about `most` positions from all over so many."""
    found: list[int] = np.linspace(0, count - 1, min(most, count), dtype=int).tolist()
    return found
