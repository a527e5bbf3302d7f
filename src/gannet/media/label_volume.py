"""Label volumes: NIfTI files whose voxels are the numbers of regions. They are never interpolated."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gannet.augmentation import geometry
from gannet.media.grids import draw_grid
from gannet.media.label_map import coloured
from gannet.media.medium import Array, Field, Findings, Pixels
from gannet.media.nifti import read_nifti
from gannet.media.volume import Given, Options, ScanFiles, VolumeField, as_volume, middle_planes
from gannet.media.volumes import Grid, Sides, Triple, Volume, Voxels, middle_of, nearest, onto
from gannet.provenance.metadata import Facts
from gannet.schema import Section

GROUND, LARGEST = 0, 255
"""The number of what belongs to no region, and of what lies beyond a volume; the largest number of a region."""


class LabelVolumeMedium(ScanFiles):
    """Label volumes: uint8 (x, y, z) in the cache, whole numbers (x, y, z) for networks; see `ScanFiles`."""

    name: ClassVar[str] = "label-volume"
    noun: ClassVar[str] = "label volume"
    plural: ClassVar[str] = "label volumes"

    def field(
        self,
        size: Sides,
        options: Options | None = None,
        spacing: Triple = (1.0, 1.0, 1.0),
        classes: int = LARGEST + 1,
        known: tuple[int, ...] = (),
    ) -> VolumeField:
        """Describe label volumes of so many voxels, which lie over volumes that are fitted in the same way.

        Args:
            known: the numbers that they may hold; empty: any.
        """
        how = options or Options()
        return VolumeField(self, size, how=how.fit, levels=classes, spacing=spacing, asked=how.spacings, known=known)

    def read(self, content: bytes) -> Volume:
        """Read a label volume; ValueError where its voxels are intensities."""
        volume = read_nifti(content)
        return Volume(region_numbers(volume.values), volume.affine, volume.facts, volume.told)

    def numbers(self, value: Given) -> Pixels:
        """Give the numbers of regions (x, y, z)."""
        return region_numbers(as_volume(value).values)

    def choose(self, values: Iterator[Given], options: Section) -> VolumeField:
        """Choose as of volumes."""
        assert isinstance(options, Options)
        look = self.looked(values, options.spacings)
        sides = options.sides(look)
        return self.field(sides, options, look.spacing(sides, options.fit))

    def lay_over(self, value: Given, ground: object) -> Volume:
        """Bring a label volume to the grid of its scan."""
        assert isinstance(ground, Grid)
        return onto(_as_labels(value), ground)

    def fit(self, value: Given, field: Field) -> Pixels:
        """Bring a label volume to size as its scan is, by nearest neighbours; alone, around what it labels.

        Raises:
            ValueError: it holds a number that is none of the known ones.
        """
        assert isinstance(field, VolumeField)
        labels = _as_labels(value)
        middle = labels.middle or middle_of(labels.values, GROUND)
        fitted = nearest(labels.values, field.brought.places(Grid(labels.sides, labels.affine, middle)), GROUND)
        if field.known and (unknown := sorted(set(np.unique(fitted).tolist()) - set(field.known))):
            raise ValueError(
                f"its label volume holds the number {unknown[0]}, which is none of the regions that are learned "
                f"({', '.join(map(str, field.known))}); name all in task.regions"
            )
        return fitted

    def to_array(self, rows: Array) -> Array:
        """Keep the numbers as they are, wide enough for a loss to index by them."""
        return rows.astype(np.int64)

    def preview(self, values: Tensor) -> Image.Image:
        """Show label volumes (n, x, y, z) below each other by their middle planes, a colour a region."""
        planes = middle_planes(values[:, None], GROUND).flatten(0, 2)
        return draw_grid(coloured(planes), 3)

    def picture(self, value: Given | Tensor) -> Image.Image:
        """Show the three middle planes, a colour a region."""
        told = value if isinstance(value, Tensor) else torch.from_numpy(_as_labels(value).values)
        return self.preview(told[None])

    def encode(self, value: Given | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a label volume, whole numbers (x, y, z) or as it was read, as NIfTI that says where it came from."""
        if isinstance(value, Tensor):
            value = self.made(value.detach().cpu().numpy().astype(np.uint8))
        return self.encoded(_as_labels(value), ending, facts, "label")

    def move(self, values: Tensor, places: Tensor) -> Tensor:
        """Take what lies nearest to each place in all planes seen from above (b, x, y, z)."""
        moved = geometry.warp(values.permute(0, 3, 2, 1).float(), places, "nearest")
        return moved.permute(0, 3, 2, 1).round().to(values.dtype)

    def examine(self, values: Sequence[Array] | Array) -> Findings:
        """Tell how much of the voxels each region has, and where nothing is labelled."""
        counts = sum((np.bincount(row.ravel(), minlength=LARGEST + 1) for row in values), np.zeros(LARGEST + 1, int))
        bare = sum(not row.any() for row in values)
        lines = (f"{bare:,} of them label nothing at data.size.",) if bare else ()
        shares = counts / max(1, counts.sum())
        return Findings(lines, shares={number: float(share) for number, share in enumerate(shares) if share})


def _as_labels(value: Given) -> Volume:
    volume = as_volume(value)
    return Volume(region_numbers(volume.values), volume.affine, volume.facts, volume.told, volume.middle)


def region_numbers(values: Voxels) -> Pixels:
    """Give the numbers of regions (x, y, z), uint8; ValueError where some are none."""
    if values.dtype == np.uint8:
        return values
    low, high = float(values.min()), float(values.max())
    if any((plane != np.floor(plane)).any() for plane in values):  # All at once would take twice the memory.
        raise ValueError("its voxels are intensities and not numbers of regions; give a label volume")
    if low < 0 or high > LARGEST:
        raise ValueError(f"its numbers reach from {low:g} to {high:g}; regions are numbered from 0 to {LARGEST}")
    return values.astype(np.uint8)


medium = LabelVolumeMedium()
