"""Points in the plane whose distribution is known, to see at a glance whether a game covers all of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gannet.data.records import VALUE, Chunk, Record, Source, records_of
from gannet.media.medium import Medium
from gannet.schema import Section

RING_MODES, RING_RADIUS, RING_DEVIATION = 8, 1.0, 0.05
COUNT, HELD_OUT = 100_000, 10_000
"""Points of a set, and those of them that are not learned from."""


def ring_centres() -> np.ndarray:
    """Give the centres of the ring's eight Gaussians, (8, 2)."""
    angles = 2 * np.pi * np.arange(RING_MODES) / RING_MODES
    return RING_RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1)


def ring(count: int, seed: int) -> np.ndarray:
    """Draw `count` points (count, 2), float32, of eight Gaussians of deviation 0.05 on a circle of radius 1."""
    random = np.random.default_rng(seed)
    centres = ring_centres()[random.integers(RING_MODES, size=count)]
    return (centres + RING_DEVIATION * random.standard_normal((count, 2))).astype(np.float32)


@dataclass(frozen=True)
class PointSource:
    """A set of points: a name and a function that draws them."""

    name: str
    draw: Callable[[int, int], np.ndarray]
    classes: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Give the name, of which the points are a function."""
        return self.name

    def count(self) -> int:
        """Give the number of samples."""
        return COUNT

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        points, none = self.draw(COUNT, 0), np.full(COUNT, -1, np.int64)
        yield Chunk({VALUE: points[:HELD_OUT]}, none[:HELD_OUT], "test", 0)
        yield Chunk({VALUE: points[HELD_OUT:]}, none[HELD_OUT:], "train", 0)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())


POINTS = {"ring": PointSource("ring", ring)}
"""The point sets by name."""
MEDIA = (("points",),)
EMBEDDED = tuple(POINTS)
ALLOWED = f"the name of a set of points ({', '.join(POINTS)})"


def open_name(target: str) -> Source | None:
    """Open a set by its name."""
    return POINTS.get(target)


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:  # noqa: ARG001
    """Open nothing: points come by name."""
    return None


def finished(source: Source, options: Section | None) -> Source:  # noqa: ARG001
    """Change nothing."""
    return source
