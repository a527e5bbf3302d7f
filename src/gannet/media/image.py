"""Pictures of one size, in eight bits: what networks learn from."""

import io
import statistics
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from PIL import Image
from pydantic import Field as Constraint
from torch import Tensor

from gannet.augmentation import colours, geometry
from gannet.augmentation.levels import from_levels
from gannet.media.arrays import picture_levels
from gannet.media.grids import draw_grid, to_picture
from gannet.media.medium import Array, Field, Findings, Pixels, Value
from gannet.media.picture_files import PictureFiles
from gannet.media.pixels import (
    EXTENSIONS,
    GREY_MODES,
    MIDDLE,
    MODES,
    Picture,
    as_picture,
    check_fit,
    convert_channels,
    describe,
    eight_bits,
    fit_picture,
    natural_pixels,
    on_white,
    open_picture,
    read_picture,
    upright_size,
)
from gannet.provenance.formats import PICTURES
from gannet.provenance.metadata import Facts, metadata
from gannet.runtime.broken import unless_broken
from gannet.schema import Section

LARGEST_AUTO_SIZE = {"cuda": 128, "cpu": 64}
"""Pixels a side that are chosen at most where a recipe leaves the size open."""
Side = Annotated[int, Constraint(ge=8, le=512)]


class Options(Section):
    """The keys of `data` that say how a picture is brought to size."""

    size: Side | tuple[Side, Side] | Literal["auto"] = "auto"
    """Pixels a side, 8 to 512, of what is drawn anew at most 256, or [height, width]; `auto` chooses from the data."""
    channels: Annotated[int, Constraint(ge=1, le=4)] | Literal["auto"] = "auto"
    """1 grey, 3 colour, 4 colour with transparency; `auto` looks."""
    fit: Literal["crop", "middle", "pad", "stretch"] = "crop"
    """What is done to a picture of another size: `crop` brings the largest middle part of the right shape to size,
    `middle` takes so many pixels from the middle as they are (of a smaller picture it does as `crop`), `pad` and
    `stretch` keep all of it."""
    stack: Literal[1, 3] = 1
    """3 stacks three grey pictures as colour channels (Stacked MNIST)."""
    plane: Annotated[
        Literal["axial", "coronal", "sagittal"] | None, Constraint(exclude_if=lambda given: given is None)
    ] = None
    """The plane of the slices that are taken of scans; axial where nothing is said. Other data have none."""

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width, once they are chosen."""
        assert self.size != "auto", "chosen first"
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def chosen(self, looked: "Survey") -> Self:
        """Choose what is open by what pictures look like."""
        size = auto_size(looked.median_side) if self.size == "auto" else self.size
        channels = looked.channels if self.channels == "auto" else self.channels
        return self.model_copy(update={"size": size, "channels": channels})


@dataclass(frozen=True)
class Survey:
    """What a sample of pictures looks like."""

    median_side: int
    """Median of min(width, height), in pixels."""
    channels: int
    """1 when every sampled picture is grey, in its pixels if not in its mode; else 3."""
    sizes: dict[str, int]
    """How many of the readable pictures have each size, and below each mode."""
    modes: dict[str, int]


class Look:
    """A look at pictures, one by one.

    Headers are enough, but for pictures in a colour mode: they are decoded until one has colour.
    """

    def __init__(self) -> None:
        self.sides: list[int] = []
        self.sizes, self.modes = Counter[str](), Counter[str]()
        self.coloured = False

    def add(self, picture: Picture) -> None:
        """Look at one more; raises whatever a broken file makes a decoder raise."""
        (width, height), mode = describe(picture)
        self.coloured = self.coloured or _has_colour(picture, mode)
        self.sides.append(min(width, height))
        self.sizes[f"{width}x{height}"] += 1
        self.modes[mode] += 1

    def survey(self) -> Survey:
        """Sum up what was seen; ValueError when that was nothing."""
        if not self.sides:
            raise ValueError("None of the pictures can be read; give at least two, and hundreds to learn anything.")
        side = round(statistics.median(self.sides))
        sizes, modes = dict(self.sizes.most_common()), dict(self.modes.most_common())
        return Survey(side, 3 if self.coloured else 1, sizes, modes)


def _has_colour(picture: Picture, mode: str) -> bool:
    if mode in GREY_MODES:
        return False
    if isinstance(picture, Image.Image):
        picture.draft("RGB", (64, 64))  # colour shows at any size
    pixels = read_picture(picture, 3)
    return not bool(np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 1], pixels[..., 2]))


def fitting_size(median_side: float, largest: int) -> int:
    """Give the pixels a side to bring pictures to: near their own median, a multiple of 4, from 8 to `largest`."""
    return min(largest, max(8, round(median_side) // 4 * 4))


def auto_size(median_side: float) -> int:
    """Give the pixels a side to train at: near the pictures' own, within what the device can do."""
    return fitting_size(median_side, LARGEST_AUTO_SIZE["cuda" if torch.cuda.is_available() else "cpu"])


class PictureMedium(PictureFiles[Value]):
    """Pictures, however they are held: uint8 (c, h, w) in the cache, floats in [-1, 1] for networks."""

    endings: ClassVar[frozenset[str]] = EXTENSIONS
    words: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Section]] = Options

    @abstractmethod
    def plain(self, value: Value) -> Picture:
        """Give a picture of eight bits."""

    def field(self, height: int, width: int, channels: int, fit: str = "crop") -> Field:
        """Describe pictures of that size; ValueError when there are none such."""
        check_fit(fit)
        if height < 1 or width < 1 or channels not in (1, 3, 4):
            raise ValueError(
                f"Pictures of {height} x {width} with {channels} channels cannot be made; choose a data.size "
                "of 1 or more and 1, 3 or 4 channels."
            )
        return Field(self, (channels, height, width), "uint8", fit)

    def choose(self, values: Iterator[Value], options: Section) -> Field:
        """Choose the size near the pictures' own, and colour where one of them has some."""
        assert isinstance(options, Options)
        if options.size == "auto" or options.channels == "auto":
            look = Look()
            for value in values:
                with unless_broken():  # A broken file makes decoders raise anything; the cache will name it.
                    look.add(self.plain(value))
            options = options.chosen(look.survey())
        assert options.channels != "auto", "chosen now"
        return self.field(*options.sides, options.channels, options.fit)

    def fit(self, value: Value, field: Field) -> Pixels:
        """Bring a picture to size and channels; large JPEGs are decoded coarsely where that changes nothing."""
        picture, (channels, height, width) = self.plain(value), field.given
        if isinstance(picture, Image.Image) and field.how != MIDDLE:
            # JPEG decodes to 1/2, 1/4 or 1/8 in a fraction of the time; twice the side leaves Lanczos its work.
            side = 2 * max(height, width)
            picture.draft(None, (side, side))
        return fit_picture(read_picture(picture, channels), height, width, field.how)

    def fit_many(self, values: Pixels, field: Field) -> Pixels:
        """Bring pictures (n, h, w) or (n, h, w, c) to (n, *shape), all at once where they have the size already."""
        pixels = values if values.ndim == 4 else values[..., None]
        channels, height, width = field.given
        converted = convert_channels(pixels, channels)
        if pixels.shape[1:3] == (height, width):
            return np.ascontiguousarray(np.moveaxis(converted, -1, 1))
        return np.stack([fit_picture(one, height, width, field.how) for one in converted])

    def count(self, values: Pixels) -> tuple[str, str]:
        """Name the size and mode of pictures (n, h, w) or (n, h, w, c)."""
        pixels = values if values.ndim == 4 else values[..., None]
        return f"{pixels.shape[2]}x{pixels.shape[1]}", MODES[pixels.shape[3]]

    def to_array(self, rows: Array) -> Array:
        """Turn levels into floats in [-1, 1]."""
        return from_levels(rows)

    def preview(self, values: Tensor) -> Image.Image:
        """Show pictures as a grid, one alone as it is."""
        return draw_grid(values) if len(values) > 1 else to_picture(values[0])

    def picture(self, value: Value | Tensor) -> Image.Image:
        """Show one picture as it is."""
        if isinstance(value, Tensor):
            return to_picture(value)
        picture = self.plain(value)
        return picture if isinstance(picture, Image.Image) else Image.fromarray(picture)

    def encode(self, value: Value | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a picture with metadata that say it is synthetic."""
        if ending.lower() not in PICTURES:
            raise ValueError(f"Pictures are saved as {', '.join(PICTURES)}, not {ending or 'without an ending'}.")
        content = io.BytesIO()
        form = PICTURES[ending.lower()]
        picture = to_picture(value) if isinstance(value, Tensor) else as_picture(natural_pixels(self.plain(value)))
        kept = picture if form.transparent else on_white(picture)
        kept.save(content, form.name, **metadata(ending.lower(), facts))
        return content.getvalue()

    def move(self, values: Tensor, places: Tensor) -> Tensor:
        """Resample smoothly; what lies beyond the edge is mirrored."""
        return geometry.warp(values, places)

    def recolour(self, values: Tensor, colours_: Tensor) -> Tensor:
        """Change colours."""
        return colours.recolour(values, colours_)

    def examine(self, values: Sequence[Array] | Array) -> Findings:
        """Show pictures as they are."""
        return Findings(pictures=np.asarray(values))


class ImageMedium(PictureMedium[Picture]):
    """Pictures of eight bits, as Pillow or NumPy holds them."""

    name: ClassVar[str] = "image"
    noun: ClassVar[str] = "picture"
    plural: ClassVar[str] = "pictures"
    saved: ClassVar[tuple[str, ...]] = tuple(PICTURES)
    feature: ClassVar[str] = "Image"

    def read(self, content: bytes) -> Picture:
        """Open a picture, reading its header only."""
        return open_picture(content)

    def read_page(self, content: bytes, page: int) -> Picture:
        """Open a page or frame."""
        return open_picture(content, page)

    def taken(self, given: object) -> Picture:
        """Take a picture of Pillow, or one that an array or a tensor holds."""
        if isinstance(given, Image.Image):
            return given
        levels = picture_levels(given)
        return eight_bits(levels) if levels.dtype == np.uint16 else levels.astype(np.uint8, copy=False)

    def plain(self, value: Picture) -> Picture:
        """Take it as it is."""
        return value

    def size(self, value: Picture) -> tuple[int, int]:
        """Give (width, height), upright."""
        return upright_size(value)

    def describe(self, value: Picture) -> tuple[str, str]:
        """Name its size and its mode."""
        (width, height), mode = describe(value)
        return f"{width}x{height}", mode


medium = ImageMedium()
