"""Landscapes that come along, drawn by rule with their label maps: no files are needed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gannet.data.landscapes import NAMES, PALETTE, draw_landscape
from gannet.data.records import Chunk, Record, Source, digest, records_of
from gannet.media.medium import Medium
from gannet.runtime.workers import cores, map_in_processes
from gannet.schema import Section

COUNT, PART, LOOKED_AT, MOST_PROCESSES = 3_000, 16, 8, 4


@dataclass(frozen=True)
class Landscapes:
    """Landscapes of 192x256 in colour, and the maps of what is where."""

    total: int = COUNT
    name: str = "landscapes"
    classes: tuple[str, ...] = NAMES
    palette: tuple[str, ...] = PALETTE

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["landscapes", "2", str(self.total)])

    def count(self) -> int:
        """Give the number of samples."""
        return self.total

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks, drawn by several processes."""
        starts = range(0, self.total, PART)
        drawn = map_in_processes(self._part, starts, min(MOST_PROCESSES, cores()))
        for start, (pictures, maps) in zip(starts, drawn, strict=True):
            none = np.full(len(maps), -1, np.int64)
            yield Chunk({"image": pictures, "map": maps}, none, "", start)

    def _part(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = [draw_landscape(seed) for seed in range(start, min(start + PART, self.total))]
        pictures, maps = (np.stack([one[part] for one in drawn]) for part in range(2))
        return pictures, maps

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())

    def sample(self, most: int) -> Iterator[Record]:
        """Give a few samples: they are all of one size, and each takes a while to draw."""
        pictures, maps = self._part(0)
        count = min(most, LOOKED_AT, len(maps))
        none = np.full(count, -1, np.int64)
        return records_of([Chunk({"image": pictures[:count], "map": maps[:count]}, none, "", 0)])


MEDIA = (("image", "label-map"),)
EMBEDDED = ("landscapes",)
ALLOWED = "a folder or zip with pictures in images/ and label maps of the same names in labels/, or landscapes"


def open_name(target: str) -> Source | None:
    """Open the embedded landscapes."""
    return Landscapes() if target in EMBEDDED else None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:  # noqa: ARG001
    """Open nothing: files are read as they are for any medium."""
    return None


def finished(source: Source, options: Section | None) -> Source:  # noqa: ARG001
    """Change nothing."""
    return source
