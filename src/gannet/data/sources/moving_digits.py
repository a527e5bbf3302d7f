"""Moving digits, which come along: one that bounces over a still ground, and the mask of where it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from gannet.data.records import VALUE, Chunk, Record, Source, digest, records_of
from gannet.media.medium import Medium, Pixels
from gannet.schema import Section

COUNT, TESTED, PART, LOOKED_AT = 1_000, 100, 50, 8
LENGTH, SIDE = 32, 64
FIRST_TESTED = 1_500
"""Of scikit-learn's digits, those from here on move in the held-out clips only."""
Places = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MovingDigits:
    """Clips of 32 frames of 64x64 in colour, in each of which one of scikit-learn's handwritten digits moves.

    The ground stands still, is of two textures, and differs from clip to clip.
    """

    name: str = "moving-digits"
    classes: tuple[str, ...] = tuple(str(digit) for digit in range(10))

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["moving-digits", "1"])

    def count(self) -> int:
        """Give the number of samples."""
        return COUNT

    def arrays(self) -> Iterator[Chunk]:
        """Give the same samples in chunks."""
        for start in range(0, COUNT, PART):
            drawn = [draw_clip(number) for number in range(start, start + PART)]
            split, first = ("test", COUNT - TESTED) if start >= COUNT - TESTED else ("train", 0)
            labels = np.array([label for _, _, label in drawn], np.int64)
            yield Chunk({VALUE: np.stack([clip for clip, _, _ in drawn])}, labels, split, start - first)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        return records_of(self.arrays())

    def sample(self, most: int) -> Iterator[Record]:
        """Give a few samples: they are all of one size, and take a while to draw."""
        drawn = [draw_clip(number) for number in range(min(most, LOOKED_AT))]
        labels = np.array([label for _, _, label in drawn], np.int64)
        return records_of([Chunk({VALUE: np.stack([clip for clip, _, _ in drawn])}, labels, "train", 0)])

    def masks(self, number: int) -> npt.NDArray[np.bool_]:
        """Tell where the digit is in each frame of a clip (32, 64, 64), to measure how well it was told apart."""
        return draw_clip(number)[1]


@cache
def _digits() -> tuple[Places, npt.NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images / 16, bunch.target.astype(np.int64)


def draw_clip(number: int) -> tuple[Pixels, npt.NDArray[np.bool_], int]:
    """Draw a clip (32, 64, 64, 3), where its digit is (32, 64, 64), and which one it is: always the same."""
    random = np.random.default_rng(number)
    shapes, labels = _digits()
    held_out = number >= COUNT - TESTED
    which = int(random.integers(FIRST_TESTED, len(shapes)) if held_out else random.integers(FIRST_TESTED))
    side = int(random.integers(22, 31))
    small = Image.fromarray(np.rint(shapes[which] * 255).astype(np.uint8))
    opaque = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)) / 255
    ground, colour = _ground(random), random.uniform(190, 255, 3)
    clip = np.repeat(_levels(ground)[None], LENGTH, 0)
    mask = np.zeros((LENGTH, SIDE, SIDE), np.bool_)
    for frame, (top, left) in enumerate(_bounced(random, SIDE - side)):
        inside = np.s_[top : top + side, left : left + side]
        clip[frame][inside] = _levels(ground[inside] + opaque[..., None] * (colour - ground[inside]))
        mask[frame][inside] = opaque > 0.5
    return clip, mask, int(labels[which])


def _levels(values: Places) -> Pixels:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _ground(random: np.random.Generator) -> Places:
    """Draw a ground (64, 64, 3): soft patches between two dark colours, and a finer grain over them."""
    patches, grain = (_enlarged(random.uniform(-1, 1, (cells, cells))) for cells in (random.integers(3, 7), 32))
    colour, other = random.uniform(50, 110, 3), random.uniform(-45, 45, 3)
    ground: Places = colour + patches[..., None] * other + 12 * grain[..., None]
    return ground


def _enlarged(cells: Places) -> Places:
    picture = Image.fromarray(cells.astype(np.float32))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float64)


def _bounced(random: np.random.Generator, room: int) -> npt.NDArray[np.int64]:
    """Move evenly through a square of so much room, back at its edges: places (32, 2) in whole pixels."""
    speed, angle = random.uniform(1, 2.5), random.uniform(0, 2 * np.pi)
    start = random.uniform(0, room, 2)
    path = start + speed * np.arange(LENGTH)[:, None] * np.array([np.sin(angle), np.cos(angle)])
    folded = np.abs((path + room) % (2 * room) - room)
    places: npt.NDArray[np.int64] = np.rint(folded).astype(np.int64)
    return places


MEDIA = (("clip",),)
EMBEDDED = ("moving-digits",)
ALLOWED = "moving-digits"


def open_name(target: str) -> Source | None:
    """Open the embedded clips."""
    return MovingDigits() if target in EMBEDDED else None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:  # noqa: ARG001
    """Open nothing: files are opened as films."""
    return None


def finished(source: Source, options: Section | None) -> Source:  # noqa: ARG001
    """Change nothing."""
    return source
