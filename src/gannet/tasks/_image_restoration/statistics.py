"""What can be said of a photograph in numbers that have words: tones, colours, texture, how it is laid out.

They are those of a small copy, so that the same photograph has the same at any size that it is kept in.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from gannet.media.photograph import Photograph
from gannet.media.pyramid import Mask, as_mask

Floats: TypeAlias = npt.NDArray[np.float64]
SIDE = 64
"""Pixels of the shorter side of the copy; of smaller photographs nothing is said."""
MOST_LOST, LEAST_KNOWN = 0.5, 0.25
"""The largest share of a photograph that may be lost, and the least of a pixel of the copy that counts."""
LUMA = np.array([0.299, 0.587, 0.114])
"""The shares of red, green and blue in brightness (BT.601)."""
LOG_OFFSET, PLAIN, OCTAVES = 1e-3, 0.03, 5
"""Of the range of values: what logarithms begin at, and what two neighbours on a plain ground differ by, at most; and
how many scales texture is taken at, each half as fine as the one before."""
EDGE = 12
"""What part of a side the margin takes up."""

TONES = {
    "brightness": ("darker", "lighter"),
    "contrast": ("lower in contrast", "higher in contrast"),
    "shadows": ("darker in its shadows", "lighter in its shadows"),
    "middle tones": ("darker in its middle tones", "lighter in its middle tones"),
    "lights": ("darker in its lights", "lighter in its lights"),
    "margin": ("darker along its margin", "lighter along its margin"),
    "variety of the margin": ("plainer along its margin", "busier along its margin"),
    "middle": ("darker in the middle", "lighter in the middle"),
    "plain part": ("busier", "plainer"),
    "direction": ("more level in its lines", "more upright in its lines"),
    "top": ("darker at the top", "lighter at the top"),
    "asymmetry": ("more alike on its left and right", "less alike on its left and right"),
    "finest texture": ("softer", "more finely textured"),
    "fine texture": ("poorer in fine texture", "richer in fine texture"),
    "texture": ("poorer in texture", "richer in texture"),
    "shapes": ("fainter in its shapes", "stronger in its shapes"),
    "large shapes": ("fainter in its large shapes", "stronger in its large shapes"),
}
"""What is taken of brightness, and what a photograph is called that has less and more of it."""
COLOURS = {
    "colourfulness": ("less colourful", "more colourful"),
    "red": ("greener", "redder"),
    "yellow": ("bluer", "yellower"),
    "variety of red": ("poorer in reds and greens", "richer in reds and greens"),
    "variety of yellow": ("poorer in yellows and blues", "richer in yellows and blues"),
}
"""The same of colours."""


def statistics(photograph: Photograph, lost: Mask) -> Floats | None:
    """Take the statistics of a photograph: of `TONES`, then of `COLOURS`; None where it is too small, or mostly lost.

    Args:
        lost: (h, w), which pixels do not count.
    """
    if min(lost.shape) < SIDE or lost.mean() > MOST_LOST:
        return None
    small = _small(photograph, lost)
    return np.array([*_tones(small @ LUMA), *_colours(small)])


def _small(photograph: Photograph, lost: Mask) -> Floats:
    """A copy (h, w, 3), values from 0 to 1, whose shorter side has `SIDE` pixels: means of what is not lost."""
    shrink, picture = SIDE / min(lost.shape), Photograph(photograph.values).shown().convert("RGB")
    height, width = (round(side * shrink) for side in lost.shape)
    if not lost.any():
        return _shrunk(picture, (width, height))
    left = Image.fromarray(np.where(lost[..., None], 0, np.asarray(picture)).astype(np.uint8))
    known = _shrunk(Image.fromarray(as_mask(~lost)[..., 0]), (width, height))[..., None]
    means = _shrunk(left, (width, height)) / known.clip(LEAST_KNOWN)
    small: Floats = np.where(known < LEAST_KNOWN, means[known[..., 0] >= LEAST_KNOWN].mean(0), means)
    return small


def _shrunk(picture: Image.Image, size: tuple[int, int]) -> Floats:
    small: Floats = np.asarray(picture.resize(size, Image.Resampling.BOX)) / 255
    return small


def _tones(light: Floats) -> list[float]:
    """The statistics of brightness (h, w), in the order of `TONES`."""
    height, width = light.shape
    margin = _margin(light)
    shadows, middle, lights = np.percentile(light, (5, 50, 95))
    subject = light[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    across, down = np.abs(np.diff(light, axis=1)), np.abs(np.diff(light, axis=0))
    edge = np.median(margin)
    return [
        *(light.mean(), light.std(), shadows, middle, lights),
        *(edge, _log(np.median(np.abs(margin - edge)), 10 * LOG_OFFSET), subject.mean() - margin.mean()),
        (across[:-1] + down[:, :-1] < PLAIN).mean(),
        _log(across.mean()) - _log(down.mean()),
        light[: height // 3].mean() - light[-(height // 3) :].mean(),
        np.abs(light - light[:, ::-1]).mean() / (light.std() + 20 * LOG_OFFSET),
        *_texture(light),
    ]


def _margin(light: Floats) -> Floats:
    """The values along the sides of a picture (h, w)."""
    wide, inner = min(light.shape) // EDGE, np.zeros(light.shape, bool)
    inner[wide:-wide, wide:-wide] = True
    return light[~inner]


def _texture(light: Floats) -> list[float]:
    """How much brightness (h, w) varies within squares of two, four, ... pixels, but for what larger ones vary by."""
    found = []
    for _ in range(OCTAVES):
        rows, columns = (side // 2 for side in light.shape)
        squares = light[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
        light = squares.mean((1, 3))
        found.append(_log(np.sqrt(np.square(squares - light[:, None, :, None]).mean())))
    return found


def _colours(small: Floats) -> list[float]:
    """The statistics of colours (h, w, 3), in the order of `COLOURS` (Hasler and Süsstrunk, 2003)."""
    red, yellow = small[..., 0] - small[..., 1], small[..., :2].mean(2) - small[..., 2]
    spread, shift = np.hypot(red.std(), yellow.std()), np.hypot(red.mean(), yellow.mean())
    means = red.mean(), yellow.mean()
    return [
        _log(spread + 0.3 * shift, 10 * LOG_OFFSET),
        *means,
        *(_log(one.std(), 10 * LOG_OFFSET) for one in (red, yellow)),
    ]


def _log(value: float, least: float = LOG_OFFSET) -> float:
    return float(np.log(value + least))
