"""Sheets: many samples in one picture, as a grid of pictures or as points in the plane."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gannet.augmentation.levels import to_levels
from gannet.media.pixels import MODES

SMALLEST_FRAME, SMALLEST_SHEET, PLANE_PIXELS, PLANE_REACH, GAP = 160, 480, 480, 1.6, 2
LARGEST_PANEL = 640
COLUMNS, HEADING = ("given", "made"), 12
"""The headings of a sheet of pairs, and the pixels of their letters."""
SQUARE, GREYS = 8, (153, 102)
"""Pixels a side, and the levels, of the squares that are seen through what is transparent."""


def to_picture(sample: Tensor) -> Image.Image:
    """Give a picture from a tensor (c, h, w) in [-1, 1]; two channels are shown as red and green."""
    return to_pictures(sample[None])[0]


def to_pictures(samples: Tensor) -> list[Image.Image]:
    """Give each of many samples (n, c, h, w) in [-1, 1] as a picture."""
    pixels = to_levels(samples.float()).byte().permute(0, 2, 3, 1).cpu().numpy()
    if pixels.shape[3] == 2:
        pixels = np.concatenate([pixels, np.zeros_like(pixels[..., :1])], 3)
    mode = MODES[pixels.shape[3]]
    return [Image.fromarray(one) for one in (pixels.squeeze(3) if mode == "L" else np.ascontiguousarray(pixels))]


def draw_grid(samples: Tensor, columns: int = 0) -> Image.Image:
    """Give a grid of pictures (n, c, h, w) in [-1, 1], nearly square or of so many columns; small ones are enlarged."""
    columns = columns or math.ceil(math.sqrt(len(samples)))
    factor = max(1, SMALLEST_SHEET // (columns * samples.shape[3]))
    pictures = [_enlarge(to_picture(sample), factor) for sample in samples]
    width, height = (side + GAP for side in pictures[0].size)
    sheet = Image.new(pictures[0].mode, (columns * width, math.ceil(len(pictures) / columns) * height), "grey")
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % columns * width, index // columns * height))
    return sheet


def side_by_side(pairs: Sequence[tuple[Image.Image, Image.Image]]) -> Image.Image:
    """Give pairs of pictures of one size, as `panels` gives them, a pair a row, below headings where they are wide
    enough.
    """
    column = max(first.width for first, _ in pairs)
    font, top = ImageFont.load_default(HEADING), 0
    if max(map(font.getlength, COLUMNS)) + 2 * GAP <= column:
        top = 2 * HEADING
    height = top + sum(first.height + GAP for first, _ in pairs) - GAP
    sheet = Image.new("RGB", (2 * column + GAP, height), "grey")
    for left, words in zip((0, column + GAP), COLUMNS, strict=True):
        if top:
            ImageDraw.Draw(sheet).text((left + column / 2, HEADING), words, "white", font, "mm")
    for before, after in pairs:
        sheet.paste(before, (0, top))
        sheet.paste(after, (column + GAP, top))
        top += before.height + GAP
    return sheet


def panels(before: Image.Image, after: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Give a picture before and after, brought to one size that a sheet has room for:
    small ones as squares of pixels, transparent ones before squares of grey.
    """
    before, after = (one.convert("RGBA" if one.has_transparency_data else "RGB") for one in (before, after))
    size = after.size if max(after.size) <= LARGEST_PANEL else _within(after.size, LARGEST_PANEL)
    way = Image.Resampling.NEAREST if before.width < after.width else Image.Resampling.LANCZOS
    first, second = before.resize(size, way), after.resize(size, Image.Resampling.LANCZOS)
    return _opaque(first), _opaque(second)


def _opaque(picture: Image.Image) -> Image.Image:
    """Give a picture (RGB or RGBA) in RGB; where it is transparent, squares of two greys are seen through it."""
    if picture.mode == "RGB":
        return picture
    across, down = np.arange(picture.width) // SQUARE, np.arange(picture.height) // SQUARE
    squares = np.where((across + down[:, None]) % 2, *GREYS).astype(np.uint8)
    ground = Image.fromarray(squares).convert("RGBA")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _within(size: tuple[int, int], most: int) -> tuple[int, int]:
    across, down = (max(1, round(side * most / max(size))) for side in size)
    return across, down


def _enlarge(picture: Image.Image, factor: int) -> Image.Image:
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def draw_points(points: Tensor) -> Image.Image:
    """Give points (n, 2) as blue dots on white, the plane from -1.6 to 1.6 on both axes."""
    picture = Image.new("RGB", (PLANE_PIXELS, PLANE_PIXELS), "white")
    pen = ImageDraw.Draw(picture)
    for x, y in points.tolist():
        right, down = ((value / PLANE_REACH + 1) / 2 * PLANE_PIXELS for value in (x, -y))
        pen.ellipse((right - 2, down - 2, right + 2, down + 2), fill=(40, 80, 200))
    return picture


def enlarged_frame(picture: Image.Image) -> Image.Image:
    """Enlarge a picture of an animation where it is small."""
    return _enlarge(picture, max(1, SMALLEST_FRAME // picture.width))
