"""What is pasted on photographs to learn from: scanned damage out of a folder, and printed words, which are none."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gannet.runtime.names import at_home
from gannet.runtime.randomness import generator

SIDE = 400
"""Pixels a side of a piece."""
PAGES = 96
"""Pieces with printed words."""
LETTERS = "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz0123456789.,:;!?&%-+/()"
SMALLEST, LARGEST = 14, 120
"""Pixels of a printed letter."""


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
def overlays(folder: str, kinds: tuple[str, ...], device: torch.device) -> Tensor:
    """Read how much each piece of some kinds of damage covers, (n, SIDE, SIDE) of uint8; a kind counts as any other.

    Raises:
        ValueError: one of them cannot be read, or hides nothing or all; one sentence.
    """
    found = [[_cover(path) for path in sorted((Path(folder) / kind).iterdir())] for kind in kinds]
    if empty := [kind for kind, pieces in zip(kinds, found, strict=True) if not pieces]:
        raise ValueError(
            f"task.overlays has nothing in {Path(folder) / empty[0]}; put pictures there, or take it away."
        )
    most = max(map(len, found))
    return torch.stack([pieces[number % len(pieces)] for pieces in found for number in range(most)]).to(device)


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
