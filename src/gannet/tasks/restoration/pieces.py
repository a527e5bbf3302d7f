"""What is pasted on photographs to learn from: scanned damage out of a folder, and printed words, which are none."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gannet.runtime.later import later
from gannet.runtime.names import at_home
from gannet.runtime.randomness import generator

ndimage = later("scipy.ndimage")

T = TypeVar("T")

SIDE = 400
"""Pixels a side of a piece."""
PAGES = 96
"""Pieces with printed words."""
LETTERS = "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz0123456789.,:;!?&%-+/()"
SMALLEST, LARGEST = 14, 120
"""Pixels of a printed letter."""


@dataclass(frozen=True)
class Pieces:
    """Scanned damage.

    Attributes:
        covers: how much each piece hides, (n, SIDE, SIDE) of uint8.
        widths: how wide what hides is where it is widest, in sides of the piece, (n,).
    """

    covers: Tensor
    widths: Tensor


def kinds_of(folder: str) -> tuple[str, ...]:
    """Name the kinds of scanned damage in a folder, a sub-folder each.

    Raises:
        ValueError: it is none, or there is none in it; one sentence.
    """
    place = at_home(folder)
    found = tuple(sorted(path.name for path in place.iterdir() if path.is_dir())) if place.is_dir() else ()
    if not found:
        raise ValueError(
            f"task.overlays is {folder}, where no kinds of damage lie; give a folder that holds a folder of "
            "transparent pictures for each kind, such as hairs/ and stains/."
        )
    return found


@cache
def overlays(folder: str, kinds: tuple[str, ...], device: torch.device) -> Pieces:
    """Read the pieces of some kinds of damage; a kind counts as any other.

    Raises:
        ValueError: one of them cannot be read, or hides nothing or all; one sentence.
    """
    found = [[_cover(path) for path in sorted((Path(folder) / kind).iterdir())] for kind in kinds]
    if empty := [kind for kind, pieces in zip(kinds, found, strict=True) if not pieces]:
        raise ValueError(
            f"task.overlays has nothing in {Path(folder) / empty[0]}; put pictures there, or take it away."
        )
    most = max(map(len, found))
    widths = [[_width(piece) for piece in pieces] for pieces in found]
    return Pieces(torch.stack(_as_many(found, most)).to(device), torch.tensor(_as_many(widths, most), device=device))


def _as_many(of_kinds: Sequence[Sequence[T]], count: int) -> list[T]:
    """So many of each kind, over and over where there are fewer."""
    return [ones[number % len(ones)] for ones in of_kinds for number in range(count)]


def _width(piece: Tensor) -> float:
    """Twice the largest distance of a hidden pixel from one that is not, in sides; hidden is half of the most."""
    hidden = np.pad(piece >= piece.max() / 2, 1)  # Beyond its edges a piece hides nothing.
    return 2 * float(ndimage.distance_transform_edt(hidden).max()) / SIDE


def _cover(path: Path) -> Tensor:
    """How much of what it lies over a transparent picture hides."""
    try:
        with Image.open(path) as picture:
            alpha = picture.convert("RGBA").getchannel("A")
    except OSError:
        raise ValueError(f"task.overlays holds {path}, which is no picture; take it away.") from None
    if len(set(alpha.getextrema())) == 1:
        raise ValueError(f"task.overlays holds {path}, which is not transparent in part; take it away.")
    alpha.thumbnail((SIDE, SIDE))
    if not alpha.getextrema()[1]:
        raise ValueError(f"task.overlays holds {path}, of which nothing is left in {SIDE} pixels; take it away.")
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[: alpha.height, : alpha.width] = np.asarray(alpha)
    return torch.from_numpy(cover)


@cache
def prints(device: torch.device) -> Tensor:
    """Draw pages of words in letters of many sizes, (n, SIDE, SIDE) of uint8, white where there is ink."""
    numbers = np.random.default_rng(generator(0, "prints").initial_seed())
    return torch.stack([torch.from_numpy(np.array(_page(numbers))) for _ in range(PAGES)]).to(device)


def _page(numbers: np.random.Generator) -> Image.Image:
    """A page of lines, here and there, in one size."""
    page, size = Image.new("L", (SIDE, SIDE)), round(SMALLEST * (LARGEST / SMALLEST) ** numbers.random())
    pen, font, row = ImageDraw.Draw(page), ImageFont.load_default(size), 0
    while row < SIDE:
        word = "".join(numbers.choice(list(LETTERS), 1 + int(2 * SIDE * numbers.random() / size)))
        if numbers.random() < 0.7:
            pen.text((SIDE * numbers.random() / 3, row), word.replace(".", " "), 255, font)
        row += round(1.3 * size)
    return page
