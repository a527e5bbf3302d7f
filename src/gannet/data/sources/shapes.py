"""Shapes on a noisy ground with their label maps: pairs that need no files, to see a game of pairs run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gannet.data.records import Chunk, Record, Source, digest, records_of
from gannet.media.medium import Medium
from gannet.schema import Section

COUNT, SIDE = 600, 32
NAMES = ("ground", "disc", "square", "cross")


@dataclass(frozen=True)
class Shapes:
    """Pictures of 32x32 in colour, each with up to three shapes of any colour, and the maps of what is where."""

    name: str = "shapes"
    classes: tuple[str, ...] = NAMES

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["shapes", "1"])

    def count(self) -> int:
        """Give the number of samples."""
        return COUNT

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        random = np.random.default_rng(0)
        drawn = [draw_shapes(random) for _ in range(COUNT)]
        pictures, maps = (np.stack([one[part] for one in drawn]) for part in range(2))
        yield Chunk({"image": pictures, "map": maps}, np.full(COUNT, -1, np.int64), "", 0)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())


def draw_shapes(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a picture (32, 32, 3) and the number of what each of its pixels shows (32, 32), both uint8."""
    picture = np.broadcast_to(random.integers(0, 256, 3), (SIDE, SIDE, 3)).astype(np.float64)
    told = np.zeros((SIDE, SIDE), np.uint8)
    down, across = np.mgrid[:SIDE, :SIDE]
    for _ in range(random.integers(1, 4)):
        kind, reach = int(random.integers(1, len(NAMES))), random.uniform(4, 8)
        y, x = down - random.uniform(0, SIDE), across - random.uniform(0, SIDE)
        within = {
            1: y**2 + x**2 < reach**2,
            2: np.maximum(abs(y), abs(x)) < reach,
            3: (np.minimum(abs(y), abs(x)) < reach / 3) & (np.maximum(abs(y), abs(x)) < reach),
        }[kind]
        picture[within], told[within] = random.integers(0, 256, 3), kind
    noisy = picture + 12 * random.standard_normal(picture.shape)
    return np.rint(noisy.clip(0, 255)).astype(np.uint8), told


MEDIA = (("image", "label-map"),)
EMBEDDED = ("shapes",)
ALLOWED = "a folder or zip with pictures in images/ and label maps of the same names in labels/, or shapes"


def open_name(target: str) -> Source | None:
    """Open the embedded pairs."""
    return Shapes() if target in EMBEDDED else None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:  # noqa: ARG001
    """Open nothing: files are read as they are for any medium."""
    return None


def finished(source: Source, options: Section | None) -> Source:  # noqa: ARG001
    """Change nothing."""
    return source
