"""Label maps: pictures whose pixels are the numbers of classes. They are never interpolated."""

import io
from collections.abc import Iterator, Sequence
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gannet.augmentation import geometry
from gannet.augmentation.levels import from_levels
from gannet.media.grids import draw_grid, to_picture
from gannet.media.image import Options
from gannet.media.medium import Array, Field, Findings, Pixels
from gannet.media.picture_files import PictureFiles
from gannet.media.pixels import DEEP_MODES, Resampling, fit_picture, open_picture
from gannet.provenance.metadata import Facts, metadata
from gannet.schema import Section

LabelMap: TypeAlias = Image.Image | Pixels
NOTHING = 255
"""The number of what belongs to no class, such as the border that `pad` adds."""
NEAREST = Resampling(Image.Resampling.NEAREST, None, NOTHING)
MODES = ("L", "P", "1")


def colour_table(count: int = 256) -> Pixels:
    """Give colours (count, 3) of which neighbours are easy to tell apart: the bits of a class, highest first.

    The table of Pascal VOC (Everingham et al., 2010).
    """
    number = np.arange(count)
    table = np.zeros((count, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            table[:, channel] |= (((number >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return table


class LabelMapMedium(PictureFiles[LabelMap]):
    """Label maps: uint8 (h, w) in the cache, whole numbers (h, w) for networks."""

    name: ClassVar[str] = "label-map"
    noun: ClassVar[str] = "label map"
    plural: ClassVar[str] = "label maps"
    endings: ClassVar[frozenset[str]] = frozenset({".png", ".bmp", ".gif", ".tif", ".tiff", ".pgm"})
    saved: ClassVar[tuple[str, ...]] = (".png",)
    Options: ClassVar[type[Section]] = Options

    def field(self, height: int, width: int, fit: str = "crop", classes: int = 256) -> Field:
        """Describe label maps of that size, which lie over pictures that are fitted in the same way."""
        return Field(self, (height, width), "uint8", fit, classes)

    def read(self, content: bytes) -> Image.Image:
        """Open a label map; ValueError when its pixels are colours and not numbers."""
        return self.read_page(content, 1)

    def read_page(self, content: bytes, page: int) -> Image.Image:
        """Open a page or frame."""
        picture = open_picture(content, page)
        if picture.mode not in MODES + DEEP_MODES:
            raise ValueError(
                f"its pixels are colours ({picture.mode}), not numbers of classes; save it in grey or with a palette"
            )
        return picture

    def numbers(self, value: LabelMap) -> Pixels:
        """Give the numbers of classes (h, w)."""
        return numbers(value)

    def describe(self, value: LabelMap) -> tuple[str, str]:
        """Name its size and its mode."""
        if isinstance(value, Image.Image):
            return f"{value.width}x{value.height}", value.mode
        return f"{value.shape[1]}x{value.shape[0]}", "L"

    def choose(self, values: Iterator[LabelMap], options: Section) -> Field:
        """Take the size of the first one where the options leave it open."""
        assert isinstance(options, Options)
        first = next(values)
        width, height = first.size if isinstance(first, Image.Image) else first.shape[::-1]
        height, width = (height, width) if options.size == "auto" else options.sides
        return self.field(height, width, options.fit)

    def fit(self, value: LabelMap, field: Field) -> Pixels:
        """Bring a label map to size as a picture is, by nearest neighbours."""
        height, width = field.given
        fitted: Pixels = fit_picture(numbers(value)[..., None], height, width, field.how, NEAREST)[0]
        return fitted

    def lay_over(self, value: LabelMap, ground: object) -> Pixels:
        """Bring a map to the size of the picture that it lies over, once that is upright."""
        assert isinstance(ground, tuple)
        told = numbers(value)
        width, height = ground
        if told.shape == (height, width):
            return told
        if abs(told.shape[1] * height - told.shape[0] * width) > max(*told.shape, width, height):
            raise ValueError(
                f"its label map has {told.shape[1]}x{told.shape[0]} pixels, which has not the proportions of "
                f"{width}x{height}, so it is not told what lies where"
            )
        return np.asarray(Image.fromarray(told).resize((width, height), NEAREST.way))

    def to_array(self, rows: Array) -> Array:
        """Keep the numbers as they are, wide enough for a loss to index by them."""
        return rows.astype(np.int64)

    def preview(self, values: Tensor) -> Image.Image:
        """Show maps (n, h, w) as a grid, a colour a class."""
        return draw_grid(coloured(values))

    def picture(self, value: LabelMap | Tensor) -> Image.Image:
        """Show a map, a colour a class."""
        told = value if isinstance(value, Tensor) else torch.from_numpy(numbers(value).copy())
        return to_picture(coloured(told[None])[0])

    def encode(self, value: LabelMap | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a map (h, w) as a PNG with a palette, whose pixels are the numbers."""
        if ending.lower() != ".png":
            raise ValueError(f"Label maps are saved as .png, not {ending or 'without an ending'}.")
        told = value.cpu().numpy().astype(np.uint8) if isinstance(value, Tensor) else numbers(value)
        picture = Image.fromarray(told)
        picture.putpalette(colour_table().ravel().tolist())
        content = io.BytesIO()
        picture.save(content, "PNG", **metadata(".png", facts))
        return content.getvalue()

    def move(self, values: Tensor, places: Tensor) -> Tensor:
        """Take what lies nearest to each place; what lies beyond the edge is mirrored."""
        return geometry.warp(values[:, None].float(), places, "nearest")[:, 0].round().to(values.dtype)

    def examine(self, values: Sequence[Array] | Array) -> Findings:
        """Tell how much of the pixels each class has."""
        counts = sum((np.bincount(row.ravel(), minlength=256) for row in values), np.zeros(256, np.int64))
        shares = counts / max(1, counts.sum())
        return Findings(shares={number: float(share) for number, share in enumerate(shares) if share})


def numbers(value: LabelMap) -> Pixels:
    """Give the numbers of a label map (h, w); ValueError where one is above 255."""
    found = np.asarray(value)
    if found.ndim != 2:
        raise ValueError(f"a label map has one number a pixel, not the shape {found.shape}")
    if found.min() < 0 or found.max() > NOTHING:
        raise ValueError(f"its numbers reach from {found.min()} to {found.max()}; classes are numbered from 0 to 255")
    return found.astype(np.uint8, copy=False)


def coloured(values: Tensor) -> Tensor:
    """Give maps (n, h, w) as colour pictures (n, 3, h, w) in [-1, 1]."""
    table = torch.from_numpy(from_levels(colour_table()))
    return table[values.cpu().long()].permute(0, 3, 1, 2)


medium = LabelMapMedium()
