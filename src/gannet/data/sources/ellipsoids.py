"""Nested ellipsoids with their label volumes: scans that need no files, to see a game of volumes run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gannet.data.records import Record, Source, digest
from gannet.media.medium import Medium
from gannet.media.volumes import Volume, affine_of
from gannet.schema import Section

COUNT, TESTED = 240, 40
SIDES, SPACING = (24, 16, 24), (2.0, 2.0, 2.0)
NAMES = ("ground", "shell", "core", "nucleus")
INTENSITIES, SHARPNESS, NOISE = (0.05, 0.45, 0.75, 1.0), 0.12, 0.03
"""Of each region, the share of a radius over which one becomes the next, and the deviation of the noise."""
BRIGHTEST = 1000
"""What an intensity of one is in a volume, as scanners have it."""
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ellipsoids:
    """Volumes of 24x16x24 voxels of 2 mm, in each of which an ellipsoid holds another that holds a third."""

    name: str = "ellipsoids"
    classes: tuple[str, ...] = NAMES

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return digest(["ellipsoids", "1"])

    def count(self) -> int:
        """Give the number of samples."""
        return COUNT

    def records(self) -> Iterator[Record]:
        """Give every sample, in order; the last ones are held out."""
        for number in range(COUNT):
            parts = {"volume": partial(_scan, number), "labels": partial(_labels, number)}
            split = "train" if number < COUNT - TESTED else "test"
            yield Record(f"ellipsoids[{number}]", parts, split=split)


@lru_cache(maxsize=64)
def draw_ellipsoids(number: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Draw a volume (24, 16, 24), from 0 to about 1,000, and the region of each of its voxels: always the same.

    Both parts of a sample are drawn at once, so the last few are kept.
    """
    random = np.random.default_rng(number)
    values = np.full(SIDES, INTENSITIES[0])
    labels = np.zeros(SIDES, np.uint8)
    centre, radii = random.uniform(-1, 1, 3), np.array(SIDES) * random.uniform(0.3, 0.44, 3)
    turned = _rotation(random.uniform(-0.35, 0.35))
    for region in range(1, len(NAMES)):
        distance = _distance(centre, radii, turned)
        share = 1 / (1 + np.exp((distance - 1) / (SHARPNESS / 4)))
        values += share * (INTENSITIES[region] - values)
        labels[distance < 1] = region
        radii, inner = radii * random.uniform(0.5, 0.65, 3), radii
        centre = centre + turned @ (random.uniform(-0.5, 0.5, 3) * (inner - radii))
    noisy = values + NOISE * random.standard_normal(SIDES)
    return (BRIGHTEST * noisy.clip(0)).astype(np.float32), labels


def _rotation(angle: float) -> Numbers:
    """Give the rotation (3, 3) about the axis from back to front."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])


def _distance(centre: Numbers, radii: Numbers, turned: Numbers) -> Numbers:
    """Give how far voxels lie from a centre, in radii: 1 on the surface."""
    middle = (np.array(SIDES) - 1) / 2 + centre
    x, y, z = (one - at for one, at in zip(np.ogrid[tuple(map(slice, SIDES))], middle, strict=True))
    along = [(x * a + y * b + z * c) / radius for (a, b, c), radius in zip(turned.T, radii, strict=True)]
    distance: Numbers = np.sqrt(sum(one**2 for one in along))
    return distance


def _scan(number: int) -> Volume:
    return Volume(draw_ellipsoids(number)[0], affine_of(SPACING, SIDES))


def _labels(number: int) -> Volume:
    return Volume(draw_ellipsoids(number)[1], affine_of(SPACING, SIDES))


MEDIA = (("volume", "label-volume"), ("volume",))
EMBEDDED = ("ellipsoids",)
ALLOWED = "a folder or zip of scans (.nii.gz, .nii) or of folders of DICOM slices, a folder a series, or ellipsoids"


def open_name(target: str) -> Source | None:
    """Open the embedded volumes."""
    return Ellipsoids() if target in EMBEDDED else None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:  # noqa: ARG001
    """Open nothing: files are read as they are for any medium."""
    return None


def finished(source: Source, options: Section | None) -> Source:  # noqa: ARG001
    """Change nothing."""
    return source
