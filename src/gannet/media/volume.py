"""Volumes: scans in NIfTI files, whose voxels lie in millimetres, one intensity a voxel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import AfterValidator
from pydantic import Field as Constraint
from torch import Tensor

from gannet.augmentation import colours, geometry
from gannet.augmentation.levels import from_levels, to_levels
from gannet.media.grids import draw_grid
from gannet.media.medium import Array, Field, Findings, Medium, Pixels
from gannet.media.nifti import check_nifti, read_nifti, write_nifti
from gannet.media.volumes import (
    HELD,
    Fit,
    Grid,
    Look,
    Sides,
    Triple,
    Volume,
    Voxels,
    affine_of,
    darkest_and_brightest,
    grid_of,
    interpolated,
)
from gannet.provenance.metadata import Facts
from gannet.runtime.broken import unless_broken
from gannet.schema import Section

Side = Annotated[int, Constraint(ge=8, le=256)]
Millimetres = Annotated[float, Constraint(gt=0, le=100)]


def _rising(window: tuple[float, float]) -> tuple[float, float]:
    """Refuse a window that has no width, or is upside down."""
    if not window[0] < window[1]:
        raise ValueError("the first intensity, which becomes black, is below the second, such as [-160, 240]")
    return window


Intensity = Annotated[float, Constraint(allow_inf_nan=False)]
Window = Annotated[tuple[Intensity, Intensity], AfterValidator(_rising)]
WHITE = 255
"""The highest level of the cache."""
EMPTY, MUCH = 2, 0.25
"""Levels that a slice which holds nothing spans at most, for compression leaves traces; the share of its voxels that an
outer slice holds where something is cut off."""
READING = "3"
"""A change of how scans are read or brought to levels raises it, and so decodes anew what the cache holds of them."""
BLANK = "all of its voxels are alike, so that there is nothing to learn from it; leave it out"
FOREIGN = {
    **dict.fromkeys((".dcm", ".ima"), "it is a slice of a DICOM series; turn the series into one .nii.gz"),
    **dict.fromkeys((".img", ".hdr"), "it is half of a pair of files; save both as one .nii.gz"),
    **dict.fromkeys(
        (".mgz", ".mgh", ".nrrd", ".nhdr", ".mha", ".mhd", ".mnc"),
        "it is a scan in a format that Gannet does not read; save it as .nii.gz",
    ),
}


class Options(Section):
    """The keys of `data` that say how scans are brought to size."""

    size: Side | tuple[Side, Side, Side] | Literal["auto"] = "auto"
    """Voxels a side, 8 to 256, or [to the right, to the front, upwards]; `auto` chooses from the data."""
    spacing: Millimetres | tuple[Millimetres, Millimetres, Millimetres] | Literal["own"] = "own"
    """Millimetres from voxel to voxel, one number or three; `own` resamples nothing."""
    fit: Literal["middle", "stretch"] = "middle"
    """What is done to a scan of another size: `middle` crops or pads it around the middle of what it holds, `stretch`
    brings all of it to size."""
    window: Window | Literal["auto"] = "auto"
    """Intensities that become black and white, the lower one first, such as [-160, 240] for Hounsfield units; `auto`
    takes each scan's own percentiles (0.5 and 99.5, of what is not exactly 0)."""

    @property
    def spacings(self) -> Triple | None:
        """Millimetres along each axis; None: each scan's own."""
        if self.spacing == "own":
            return None
        return self.spacing if isinstance(self.spacing, tuple) else (self.spacing, self.spacing, self.spacing)

    def sides(self, looked: Look) -> Sides:
        """Give the voxels along each axis, chosen by what scans look like where that is open."""
        if self.size == "auto":
            return looked.size()
        return self.size if isinstance(self.size, tuple) else (self.size, self.size, self.size)


@dataclass(frozen=True)
class VolumeField(Field):
    """What volumes are brought to.

    Attributes:
        spacing: millimetres from voxel to voxel of what is made like them.
        asked: to what spacing they are resampled; None: they are not.
        window: intensities that become black and white; None: each scan's own percentiles.
        known: the numbers that label volumes may hold; empty: any.
        roomy: the spacing in which most volumes would not be cropped; None: they are not.
    """

    spacing: Triple = (1.0, 1.0, 1.0)
    asked: Triple | None = None
    black_and_white: tuple[float, float] | None = None
    known: tuple[int, ...] = ()
    roomy: float | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """Say that most volumes are cropped, and what keeps most of them whole."""
        if self.roomy is None:
            return ()
        size = "x".join(map(str, self.given[-3:]))
        return (
            f"Most of them are larger than {size} and cropped to it; data.spacing={self.roomy:g} keeps most whole.",
        )

    @property
    def advised(self) -> Mapping[str, float]:
        """Give the spacing in which most are not cropped."""
        return {} if self.roomy is None else {"data.spacing": self.roomy}

    @property
    def words(self) -> tuple[str, ...]:
        """Tell the spacing and the window as well, where they are asked for, and the numbers, where some are known."""
        return (*super().words, repr(self.asked), repr(self.black_and_white), *map(str, self.known))

    @property
    def brought(self) -> Fit:
        """How volumes are brought to size."""
        across, deep, high = self.given[-3:]
        return Fit((across, deep, high), self.asked, self.how)


Given = Volume | Voxels
"""What a volume may be: one that was read, or an array (x, y, z) with a millimetre from voxel to voxel."""


class ScanFiles(Medium[Given]):
    """What NIfTI files hold, whether intensities or numbers of regions.

    Args:
        spacing: millimetres from voxel to voxel of what networks give, when it is written.
    """

    endings: ClassVar[frozenset[str]] = frozenset({".nii", ".nii.gz"})
    saved: ClassVar[tuple[str, ...]] = (".nii.gz", ".nii")
    foreign: ClassVar[dict[str, str]] = FOREIGN
    Options: ClassVar[type[Section]] = Options
    dimensions: ClassVar[int] = 3

    def __init__(self, spacing: Triple = (1.0, 1.0, 1.0)) -> None:
        self.spacing = spacing

    @property
    def words(self) -> tuple[str, ...]:
        """Tell also which version of reading a cache is of."""
        return (*super().words, READING)

    def check_beginning(self, head: bytes) -> None:
        """Go by what NIfTI files begin with."""
        check_nifti(head)

    def read(self, content: bytes) -> Given:
        """Read a volume, turned to RAS+."""
        return read_nifti(content)

    def taken(self, given: object) -> Volume:
        """Take a volume, or an array of one."""
        if isinstance(given, Volume | np.ndarray):
            return as_volume(given)
        raise ValueError(f"{type(given).__name__} is no volume; give a path, or an array (x, y, z).")

    def describe(self, value: Given) -> tuple[str, str]:
        """Name the voxels a side, and the millimetres between them."""
        volume = as_volume(value)
        return "x".join(map(str, volume.sides)), f"{'x'.join(f'{one:.3g}' for one in volume.spacing)} mm"

    def marks(self, value: Given | Tensor) -> Facts:
        """Give what its header said."""
        return value.facts if isinstance(value, Volume) else {}

    def remarks(self, value: Given | Tensor) -> Sequence[str]:
        """Tell also how it lay, and of names in its header."""
        return [*super().remarks(value), *(value.told if isinstance(value, Volume) else ())]

    def looked(self, values: Iterator[Given], spacing: Triple | None) -> Look:
        """Look at volumes that are to have a spacing; ValueError where none can be read."""
        look = Look(spacing)
        for value in values:
            with unless_broken():  # The cache will name it.
                look.add(as_volume(value))
        if not look.extents:
            raise ValueError(f"None of the {self.plural} can be read; give at least two, and hundreds to learn from.")
        return look

    def encoded(self, value: Given, ending: str, facts: Facts, intent: str) -> bytes:
        """Write a volume; ValueError names the endings."""
        if ending.lower() not in self.saved:
            raise ValueError(
                f"{self.plural.capitalize()} are saved as {', '.join(self.saved)}, not {ending or 'without an ending'}."
            )
        volume = as_volume(value)
        return write_nifti(volume.values, volume.affine, ending, facts, intent)

    def made(self, values: Voxels) -> Volume:
        """Give what networks made (x, y, z) as a volume around the origin."""
        return Volume(values, affine_of(self.spacing, values.shape))


class VolumeMedium(ScanFiles):
    """Scans: uint8 (1, x, y, z) in the cache, floats in [-1, 1] for networks; see `ScanFiles`."""

    name: ClassVar[str] = "volume"
    noun: ClassVar[str] = "volume"
    plural: ClassVar[str] = "volumes"
    pieces: ClassVar[frozenset[str]] = frozenset({".dcm", ".ima"})

    def field(self, size: Sides, options: Options | None = None, spacing: Triple = (1.0, 1.0, 1.0)) -> VolumeField:
        """Describe volumes of so many voxels.

        Args:
            options: how they are brought to size; by default around the middle, as they are.
            spacing: of what is made like them, in millimetres.
        """
        options = options or Options()
        window = None if options.window == "auto" else options.window
        return VolumeField(
            self, (1, *size), how=options.fit, spacing=spacing, asked=options.spacings, black_and_white=window
        )

    def choose(self, values: Iterator[Given], options: Section) -> VolumeField:
        """Choose the size near the volumes' own, and the spacing that most have."""
        assert isinstance(options, Options)
        look = self.looked(values, options.spacings)
        sides = options.sides(look)
        field = self.field(sides, options, look.spacing(sides, options.fit))
        return replace(field, roomy=look.roomy(sides) if options.fit == "middle" else None)

    def remarks(self, value: Given | Tensor) -> Sequence[str]:
        """Tell also where there is nothing to be seen."""
        blank = isinstance(value, Volume) and value.values.min() == value.values.max()
        return [*super().remarks(value), *([BLANK] if blank else [])]

    def ground(self, value: Given) -> Grid:
        """Give the grid that label volumes are brought to, and the middle that they are cropped around."""
        return grid_of(as_volume(value))

    def fit(self, value: Given, field: Field) -> Pixels:
        """Bring a volume to size, and its intensities to levels."""
        assert isinstance(field, VolumeField)
        volume = as_volume(value)
        low, high = field.black_and_white or darkest_and_brightest(volume.values)
        fitted = interpolated(volume.values, field.brought.places(grid_of(volume)), low)
        return levels_of(fitted, low, high)[None]

    def to_array(self, rows: Array) -> Array:
        """Turn levels into floats in [-1, 1]."""
        return from_levels(rows)

    def preview(self, values: Tensor) -> Image.Image:
        """Show volumes (n, 1, x, y, z) below each other, each by its three middle planes."""
        return draw_grid(middle_planes(values.float()).flatten(0, 1), 3)

    def picture(self, value: Given | Tensor) -> Image.Image:
        """Show the three middle planes: from above, from the front, and from the side."""
        if isinstance(value, Tensor):
            return self.preview(value[None])
        values = as_volume(value).values
        levels = levels_of(values, *darkest_and_brightest(values))
        return self.preview(torch.from_numpy(from_levels(levels))[None, None])

    def encode(self, value: Given | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a volume, floats (1, x, y, z) or as it was read, as NIfTI that says where it came from."""
        if isinstance(value, Tensor):
            value = self.made(to_levels(value[0].detach().float()).byte().cpu().numpy())
        return self.encoded(value, ending, facts, "none")

    def move(self, values: Tensor, places: Tensor) -> Tensor:
        """Resample all planes seen from above (b, c, x, y, z) alike."""
        planes = values.permute(0, 1, 4, 3, 2)
        return geometry.warp(planes.flatten(1, 2), places).view(planes.shape).permute(0, 1, 4, 3, 2)

    def recolour(self, values: Tensor, colours_: Tensor) -> Tensor:
        """Change the brightness of all planes (b, c, x, y, z) alike."""
        return colours.recolour(values.flatten(2, 3), colours_).view_as(values)

    def examine(self, values: Sequence[Array] | Array) -> Findings:
        """Tell of what is empty, and show volumes by their middle planes, by which near copies are found."""
        empty = np.array([_empty_slices(row[0]) for row in values])
        nothing = int((empty == 1).sum())
        some = int(((empty > 0) & (empty < 1)).sum())
        cut = sum(_reaches_edge(row[0]) for row in values)
        lines = []
        if nothing:
            lines.append(f"{nothing:,} of them hold nothing once they are brought to size.")
        if some:
            lines.append(f"{some:,} of them have empty slices at data.size, {empty[empty > 0].mean():.0%} of theirs.")
        if cut:
            lines.append(f"{cut:,} of them reach the edge of data.size: either they end there, or they are cut off.")
        shown = torch.from_numpy(np.stack(list(values)))
        return Findings(tuple(lines), torch.cat(tuple(middle_planes(shown, 0).unbind(1)), 3).numpy())


def as_volume(value: Given) -> Volume:
    """Give a volume; ValueError for an array that is none."""
    if isinstance(value, Volume):
        return value
    if value.ndim != 3 or min(value.shape) < 2 or value.dtype.kind not in "buif":
        raise ValueError(
            f"An array of {value.dtype} with shape {value.shape} is no volume; give one number a voxel, (x, y, z)."
        )
    return Volume(value, affine_of((1.0, 1.0, 1.0), value.shape))


def levels_of(values: Voxels, low: float, high: float) -> Pixels:
    """Bring intensities from `low` to `high` to levels from 0 to 255; what lies beyond counts as the ends."""
    levels: Pixels = np.rint(((values - low) * (WHITE / (high - low))).clip(0, WHITE)).astype(np.uint8)
    return levels


def middle_planes(volumes: Tensor, beyond: float = -1) -> Tensor:
    """Give the middle planes of volumes (n, c, x, y, z) as pictures (n, 3, c, side, side).

    From above with the front up, from behind with the top up, and from the right with the top up: what is to the right
    of a person is to the right in the first two, and the front is to the right in the third.
    """
    across, deep, high = volumes.shape[2:]
    cut = [volumes[..., high // 2], volumes[..., deep // 2, :], volumes[:, :, across // 2]]
    side = max(across, deep, high)
    squares = []
    for plane in cut:
        upright = plane.transpose(-1, -2).flip(-2)
        (height, width), square = upright.shape[-2:], upright.new_full((*upright.shape[:2], side, side), beyond)
        top, left = (side - height) // 2, (side - width) // 2
        square[..., top : top + height, left : left + width] = upright
        squares.append(square)
    return torch.stack(squares, 1)


def _reaches_edge(volume: Array) -> bool:
    """Tell whether one of the outer slices of a volume (x, y, z) holds much."""
    outer = [volume.take(at, axis) for axis in range(3) for at in (0, -1)]
    return any(float((slice_ > WHITE * HELD).mean()) > MUCH for slice_ in outer)


def _empty_slices(volume: Array) -> float:
    """Give the share of the slices from above (x, y, z) that hold nothing."""
    flat = volume.reshape(-1, volume.shape[2])
    return float((flat.max(0).astype(int) - flat.min(0) <= EMPTY).mean())


medium = VolumeMedium()
