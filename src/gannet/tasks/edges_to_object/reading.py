"""Real drawings brought to what was learned from: white paper, black lines of a width, a thing as large as those.

The shade of the paper is divided out, white on black turned around, contrast stretched, and the lines, however thin or
thick, brought near the widths that were learned. Ink is (h, w), from 0, none, to 1.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy.ndimage import (
    binary_dilation,
    binary_fill_holes,
    gaussian_filter,
    grey_closing,
    label,
    maximum_filter,
    minimum_filter,
)
from scipy.spatial import ConvexHull, QhullError
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation.edges import MOST_WIDE, line_width
from gannet.augmentation.line_drawings import standard_drawing
from gannet.augmentation.regions import told_apart
from gannet.media.photograph import Photograph

Plane: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.bool_]

LARGEST = 1024
"""Pixels of the longer side of the copy that is looked at."""
COARSE = 160
"""Pixels of the longer side of the copy in which the paper's shade is looked for."""
BROADEST = 1 / 6
"""Up to which share of the longer side something dark is drawn on the paper, and not the paper's shade."""
DARKEST_PAPER = 0.3
"""How light paper is at least, as a share of its lightest place; what is darker is drawn."""
FAINTEST = 0.06
"""Ink below this is the paper's grain; a drawing whose deepest line is no deeper is empty."""
GRAIN = 4.0
"""How many times the usual deviation of the paper's grain ink has to be."""
DEEP = 0.6
"""The quantile of what is half as deep as the deepest ink, or deeper, that becomes black."""
SPECK = 0.01
"""Of the pixels of the largest line, what has fewer is a speck."""
ROOM = 1.2
"""How much larger than what is drawn the square is that is looked at."""
THINNEST = 1.4
"""Pixels of the thinnest lines, at the size that was learned from; thinner ones are widened."""
BULK, BROAD, UNEVEN = 1 / 16, 0.8, 0.07
"""Lines are thinner than the first share of the longer side; a picture is a photograph where, without what is thinner,
the second quantile of its local contrast is above the third number."""
LINE = 0.3
"""How deep ink is a line of the outline."""
CLOSED, MOST = (0, 2, 4, 7), 0.8
"""Gaps in an outline that are closed, in pixels to either side: the smallest that keep in most of what any do. The
larger ones fill notches, too; of what they alone keep in, a part such as a sleeve counts."""
BESIDE = 6
"""Pixels, more than a line is wide: up to which an opening is beside what lies across a line."""
SOFT = 0.8
"""Pixels, the deviation of what softens a thing's border."""
FULL = 0.45
"""The share of the hull of a drawing that a thing with a closed outline fills at least."""


Kind: TypeAlias = Literal["auto", "drawing", "photograph"]
TAKEN = "it was taken for a photograph, whose edges are the drawing; --as drawing takes it as it is"


@dataclass(frozen=True)
class Square:
    """The square of a picture that is looked at; it may reach beyond the picture.

    Attributes:
        top, left, side: in pixels of the picture.
    """

    top: int
    left: int
    side: int

    def scaled(self, scale: float) -> "Square":
        """Give it in a copy that is so many times as large."""
        return Square(round(self.top * scale), round(self.left * scale), max(1, round(self.side * scale)))

    def cut(self, values: npt.NDArray[Any], beyond: int | None) -> npt.NDArray[Any]:
        """Give that part of values (h, w, ...), where there are none with `beyond`, or those at the side for None."""
        if beyond is None:
            rows, columns = (
                np.arange(begin, begin + self.side).clip(0, length - 1)
                for begin, length in zip((self.top, self.left), values.shape[:2], strict=True)
            )
            return np.asarray(values[rows[:, None], columns])
        made = np.full((self.side, self.side, *values.shape[2:]), beyond, values.dtype)
        theirs, ours = self._shared(values.shape[0], values.shape[1])
        made[ours] = values[theirs]
        return made

    def paste(self, part: Image.Image, values: npt.NDArray[np.uint8]) -> None:
        """Bring what was made of it, of any size, back into values (h, w, 3); only what shows of it is enlarged."""
        theirs, (rows, columns) = self._shared(values.shape[0], values.shape[1])
        size = (columns.stop - columns.start, rows.stop - rows.start)
        if min(size):
            box = [side * part.width / self.side for side in (columns.start, rows.start, columns.stop, rows.stop)]
            values[theirs] = np.asarray(part.resize(size, Image.Resampling.BICUBIC, (box[0], box[1], box[2], box[3])))

    def _shared(self, height: int, width: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Where the picture and the square overlap, in the picture and in the square."""
        theirs, ours = [], []
        for begin, length in ((self.top, height), (self.left, width)):
            first, last = max(0, begin), min(length, begin + self.side)
            first, last = (first, last) if first < last else (begin, begin)
            theirs.append(slice(first, last))
            ours.append(slice(first - begin, last - begin))
        return (theirs[0], theirs[1]), (ours[0], ours[1])


@dataclass(frozen=True)
class Reading:
    """A drawing as it was learned from.

    Attributes:
        drawing: (1, 1, side, side), white paper is 1, black lines are -1.
        within: (1, 1, side, side), 1 within the outline and -1 without; 0 where that is not known.
        square: where it lies in what was given.
        ink: what was drawn there, (h, w), of a copy; None: nothing, it is a photograph.
        words: what is to be told.
    """

    drawing: Tensor
    within: Tensor
    square: Square
    ink: Plane | None = None
    words: tuple[str, ...] = ()


def read_any(given: Photograph, side: int, kind: Kind) -> Reading:
    """Read a drawing, or the edges of a photograph, to so many pixels a side.

    Raises:
        ValueError: nothing is drawn; one sentence.
    """
    if kind == "photograph":
        return read_edges(given, side)
    if kind == "auto" and is_photograph(given):
        return replace(read_edges(given, side), words=(TAKEN,))
    return read_drawing(given, side)


def read_drawing(given: Photograph, side: int) -> Reading:
    """Read a drawing to so many pixels a side; ValueError where nothing is drawn."""
    ink, (height, width) = read_ink(given), given.values.shape[:2]
    square = square_around(ink, (height, width))
    small = scaled(ink, square, (height, width), side)
    return Reading(1 - 2 * small, thing_within(small), square, ink)


def read_edges(given: Photograph, side: int) -> Reading:
    """Take the edges of a photograph for a drawing of so many pixels a side: of the thing on it, where one is told from
    its background, else of all of it.
    """
    light, (height, width) = _light(given), given.values.shape[:2]
    picture = _tensor(light) * 2 - 1
    thing, (known,) = told_apart(picture)
    picture, there = torch.lerp(torch.ones_like(picture), picture, thing), thing[0, 0].numpy()
    longer = max(height, width)
    square = Square((height - longer) // 2, (width - longer) // 2, longer)
    if known and bool((there > 0.5).any()):
        square = square_around(there, (height, width))
    else:
        picture, there = _tensor(light) * 2 - 1, np.ones_like(there)
    own = square.scaled(max(there.shape) / longer)
    seen = own.cut(picture[0].permute(1, 2, 0).numpy(), 1 if known else None)
    small, outlined = _resized(_tensor(seen), side), _resized(_tensor(own.cut(there, 0 if known else None)), side)
    within = 2 * outlined - 1 if known else torch.zeros_like(outlined)
    return Reading(standard_drawing(small, outlined), within, square)


def _tensor(values: npt.NDArray[Any]) -> Tensor:
    """Give values (h, w) or (h, w, c) as (1, c, h, w)."""
    return torch.from_numpy(values if values.ndim == 3 else values[..., None]).permute(2, 0, 1)[None].contiguous()


def _resized(values: Tensor, side: int) -> Tensor:
    """Bring (1, c, h, w) to so many pixels a side, smoothly."""
    return interpolate(values, (side, side), mode="bilinear", antialias=True)


def read_ink(given: Photograph) -> Plane:
    """Read what is drawn, whatever it is drawn with and on, in a copy of at most `LARGEST` pixels: (h, w), deep is 1.

    Raises:
        ValueError: nothing is drawn.
    """
    light = _positive(_light(given))
    ratio = light / _paper(light)
    ink = (1 - ratio.min(2)).clip(0, 1)
    usual = float(np.median(np.abs(ink - np.median(ink)))) * 1.4826
    floor = float(np.median(ink)) + min(max(FAINTEST / 2, GRAIN * usual), 0.25)
    deepest = float(np.quantile(ink, 1 - 1e-3))
    if deepest <= floor + FAINTEST / 2:
        raise ValueError("The drawing is empty: nothing on it is darker, or lighter, than its paper; give lines.")
    deep = float(np.quantile(ink[ink >= floor + (deepest - floor) / 2], DEEP))
    return np.asarray(((ink - floor) / (deep - floor)).clip(0, 1), np.float32)


def _light(given: Photograph) -> Plane:
    """Give colours (h, w, 3) from 0 to 1; what is transparent is paper, dark where what is drawn on it is light."""
    picture = reduced(given.shown().convert("RGBA" if given.alpha is not None else "RGB"))
    values = np.asarray(picture, np.float32) / np.float32(255)
    if given.alpha is None:
        return values
    colours, cover = values[..., :3], values[..., 3:]
    drawn_light = float((colours.mean(2, keepdims=True) * cover).sum() / max(float(cover.sum()), 1e-6))
    paper = 0.0 if drawn_light > 0.6 and float(cover.mean()) < 0.5 else 1.0
    return np.asarray(colours * cover + paper * (1 - cover), np.float32)


def reduced(picture: Image.Image) -> Image.Image:
    """Give a copy of at most `LARGEST` pixels along the longer side."""
    if max(picture.size) <= LARGEST:
        return picture
    share = LARGEST / max(picture.size)
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    return picture.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _positive(light: Plane) -> Plane:
    """Turn what is light on dark around."""
    return 1 - light if float(np.median(light.mean(2))) < 0.5 else light


def _paper(light: Plane) -> Plane:
    """Estimate the paper's shade (h, w, 3), which changes slowly: what is dark and narrow is drawn."""
    (height, width), size = light.shape[:2], _coarse(light)
    side = max(3, round(BROADEST * max(size)) | 1)
    shades = []
    for channel in _channels(light, size):
        paper = grey_closing(channel, (side, side), mode="nearest")
        paper = gaussian_filter(np.maximum(paper, DARKEST_PAPER * paper.max()), side / 4, mode="nearest")
        shades.append(np.asarray(Image.fromarray(paper).resize((width, height), Image.Resampling.BICUBIC)))
    return np.stack(shades, 2).clip(0.02, None)


def is_photograph(given: Photograph) -> bool:
    """Tell whether a picture is a photograph: when all that is thin is taken away, broad light and dark are left."""
    light = _positive(_light(given))
    size = _coarse(light)
    side = max(3, round(BULK * max(size)) | 1)
    broad = np.stack([grey_closing(channel, (side, side), mode="nearest") for channel in _channels(light, size)])
    even = gaussian_filter(broad, (0, max(size) / 8, max(size) / 8), mode="nearest").clip(0.02, None)
    return bool(np.quantile(np.abs(broad / even - 1).max(0), BROAD) > UNEVEN)


def _coarse(light: Plane) -> tuple[int, int]:
    """Give the (width, height) of a copy of at most `COARSE` pixels."""
    height, width = light.shape[:2]
    share = min(1.0, COARSE / max(height, width))
    return max(1, round(width * share)), max(1, round(height * share))


def _channels(light: Plane, size: tuple[int, int]) -> list[Plane]:
    """Give each channel at (width, height)."""
    pictures = (Image.fromarray(np.ascontiguousarray(light[..., channel])) for channel in range(3))
    return [np.asarray(picture.resize(size, Image.Resampling.BOX)) for picture in pictures]


def square_around(ink: Plane, size: tuple[int, int]) -> Square:
    """Give the square around what is drawn, with some room, in pixels of a picture of (height, width).

    Specks, of less than `SPECK` of what the largest line has, may lie beside it.
    """
    lines, _ = label(ink > 0.5, np.ones((3, 3)))
    sizes = np.bincount(lines.ravel())
    sizes[0] = 0
    drawn = sizes[lines] > SPECK * sizes.max()
    rows, columns = (np.flatnonzero(drawn.any(axis)) for axis in (1, 0))
    (top, bottom), (left, right) = (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)
    scale = max(size) / max(ink.shape)
    side = max(1, round(ROOM * max(bottom - top, right - left) * scale))
    return Square(round((top + bottom) * scale / 2 - side / 2), round((left + right) * scale / 2 - side / 2), side)


def scaled(ink: Plane, square: Square, size: tuple[int, int], side: int) -> Tensor:
    """Bring the ink in a square of a picture of (height, width) to so many pixels a side, with lines as wide as those
    that were learned from: (1, 1, side, side).
    """
    cut = square.scaled(max(ink.shape) / max(size)).cut(ink, 0)
    width = float(line_width(_tensor(cut))[0])
    small = _resized(_tensor(_of_width(cut, width, len(cut) / side)), side)
    return (small / small.max().clamp_min(1e-6)).clamp(0, 1)


def _of_width(ink: Plane, width: float, pixel: float) -> Plane:
    """Widen lines that are too thin, and thin those that are too wide; one pixel will be so many of these."""
    thin, wide = THINNEST * pixel, MOST_WIDE * pixel
    if width < thin:
        return np.asarray(maximum_filter(ink, max(1, round(thin - width) + 1)))
    if width > wide:
        less = 2 * round((width - wide) / 2) + 1
        narrowed = minimum_filter(ink, less)
        thinner = ink - maximum_filter(narrowed, less)
        return np.asarray(np.maximum(narrowed, thinner), np.float32)
    return ink


def thing_within(ink: Tensor) -> Tensor:
    """Tell what of a drawing (1, 1, h, w) lies within its outline, 1, and without, -1; 0 all over where it is open."""
    lines = ink[0, 0].numpy() > LINE
    ways = [_filled(lines, gap) for gap in CLOSED]
    largest = max(int(inside.sum()) for inside in ways)
    found = next(inside for inside in ways if inside.sum() > MOST * largest)
    for gap, inside in zip(CLOSED, ways, strict=True):
        found = found | _missing_parts(inside, found, lines, gap)
    if not _fills(found, lines):
        return torch.zeros_like(ink)
    return torch.from_numpy(found.astype(np.float32) * 2 - 1)[None, None]


def cover(reading: Reading) -> Tensor:
    """Tell how much of each pixel a thing within a known outline covers, (1, 1, side, side), from 0 to 1.

    At its border it is as much as the outline's ink, which knows by less than a pixel where that ends; a little
    softer, so that the border can be enlarged and stays even.
    """
    inside, ink = reading.within[0, 0].numpy() > 0, (1 - reading.drawing[0, 0].numpy()) / 2
    within, around = minimum_filter(inside, 3), maximum_filter(inside, 3)
    covered = np.where(inside & (ink <= LINE) | within, 1.0, np.where(around, ink, 0.0))
    return torch.from_numpy(gaussian_filter(covered.astype(np.float32), SOFT))[None, None]


def _filled(lines: Mask, gap: int) -> Mask:
    """Fill what lies within lines, when gaps of so many pixels to either side are closed."""
    closed = maximum_filter(np.pad(lines, gap + 1), 2 * gap + 1)
    inside = minimum_filter(binary_fill_holes(closed), 2 * gap + 1)
    return np.asarray(inside[gap + 1 : -gap - 1, gap + 1 : -gap - 1] | lines)


def _missing_parts(inside: Mask, found: Mask, lines: Mask, gap: int) -> Mask:
    """Give the parts within an outline of which so large gaps are closed that lack in what was found, such as sleeves.

    Each is thicker than the gap: what closing it fills of itself, as in a notch, is never so thick. And it opens
    between the ends of lines, not between parts that were found, as what lies between two legs does.
    """
    missing, thing = inside & ~found, found & ~lines
    parts, _ = label(missing)
    thick = minimum_filter(missing, 2 * gap + 1, mode="constant")
    mouths = missing & binary_dilation(~inside)
    between = mouths & binary_dilation(thing, np.ones((3, 3)), BESIDE, lines | mouths | thing)
    return np.isin(parts, np.setdiff1d(parts[thick], parts[between]))


def _fills(inside: Mask, lines: Mask) -> bool:
    """Tell whether what lies within lines is most of what they stand around."""
    places = np.argwhere(lines)
    try:
        hull = ConvexHull(places).volume  # In the plane, its area.
    except (QhullError, ValueError):
        return False
    return bool(inside.sum() > FULL * hull)
