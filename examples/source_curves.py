"""An embedded data set, so that the task can be tried without files: bumps and steps at random places.

Plain files need no such module: a folder or a zip of `.csv` files is read for any medium that has this ending.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gannet.data.records import Record, Source
from gannet.media.medium import Medium
from gannet.schema import Section

CLASSES = ("bump", "step")
COUNT = 400


def draw(number: int) -> npt.NDArray[np.float32]:
    """Draw the curve of a number, (40,) between 0 and 1: bumps have even numbers, steps odd ones."""
    random = np.random.default_rng(number)
    time = np.linspace(-1, 1, 40) - random.uniform(-0.5, 0.5)
    curve = np.exp(-((time / 0.2) ** 2)) if number % 2 == 0 else 1 / (1 + np.exp(-time / 0.05))
    return (random.uniform(0.7, 1.0) * curve).astype(np.float32)


@dataclass(frozen=True)
class BumpsAndSteps:
    """The set."""

    name: str = "bumps-and-steps"
    classes: tuple[str, ...] = CLASSES

    def fingerprint(self) -> str:
        """Change this word whenever the samples change, and the cache is made anew."""
        return "bumps and steps 1"

    def count(self) -> int:
        """Count the samples."""
        return COUNT

    def records(self) -> Iterator[Record]:
        """Name the samples; nothing is read, or drawn, before it is asked for."""
        for number in range(COUNT):
            yield Record(f"curve {number}", {"curve": partial(draw, number)}, label=number % 2)


MEDIA = (("curve",),)
EMBEDDED = ("bumps-and-steps",)
ALLOWED = "a folder or zip of curves (.csv) with a sub-folder a class, or bumps-and-steps"


def open_name(target: str) -> Source | None:
    """Open the set by its name."""
    return BumpsAndSteps() if target in EMBEDDED else None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open nothing: curves are plain files."""
    return None


def finished(source: Source, options: Section | None) -> Source:
    """Change nothing."""
    return source
