"""Fractal noise: what clouds, hills, rock and meadows are made of. Tiles are drawn once, and looked up ever after."""

from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[Any]
Random: TypeAlias = np.random.Generator

SIDE = 512
"""Pixels a side of a tile; it goes on at its edges as it began."""


@cache
def fractal_tile(slope: float, number: int = 0) -> Values:
    """Give a tile (512, 512) whose amplitudes fall with frequency to the power of `slope`; of mean 0, deviation 1."""
    random = np.random.default_rng([number, round(100 * slope)])
    down, across = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    frequency = np.hypot(down, across)
    frequency[0, 0] = np.inf
    return _whitened(np.fft.irfft2(np.fft.rfft2(random.standard_normal((SIDE, SIDE))) * frequency**-slope))


@cache
def band_tile(wavelength: float, number: int = 0) -> Values:
    """Give a tile (512, 512) of noise of about one wavelength, in pixels; of mean 0, deviation 1."""
    random = np.random.default_rng([number, round(100 * wavelength), 1])
    down, across = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    kept = np.exp(-((np.log2(np.maximum(np.hypot(down, across), 1e-9) * wavelength) / 0.6) ** 2))
    return _whitened(np.fft.irfft2(np.fft.rfft2(random.standard_normal((SIDE, SIDE))) * kept))


@cache
def ridged_tile(number: int = 0) -> Values:
    """Give a tile (512, 512) of crests and gullies, as rain carves them: octaves of creased noise, deviation 1."""
    total, weight = np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    for octave in range(6):
        crest = 1 - np.minimum(np.abs(band_tile(128 / 2**octave, 10 * number + octave)), 2) / 1.2
        total += weight * crest * 0.55**octave
        weight = np.clip(crest, 0.2, 1)
    return _whitened(total)


def _whitened(values: npt.NDArray[np.floating]) -> Values:
    found: Values = ((values - values.mean()) / values.std()).astype(np.float32)
    return found


def look_up(tile: Values, down: Values, across: Values) -> Values:
    """Look a tile up at places in pixels, of any size, by the nearest of its own."""
    mask = SIDE - 1
    found: Values = tile[down.astype(np.int32) & mask, across.astype(np.int32) & mask]
    return found


def look_between(tile: Values, down: Values, across: Values) -> Values:
    """Look a tile up at places in pixels, of any size, between its own."""
    rows, columns = np.floor(down), np.floor(across)
    y, x = (down - rows)[..., None], (across - columns)[..., None]
    top, left, mask = rows.astype(np.int32), columns.astype(np.int32), SIDE - 1
    corners = [
        tile[(top + one) & mask, (left + other) & mask][..., None] for one, other in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    upper = corners[0] * (1 - x) + corners[1] * x
    lower = corners[2] * (1 - x) + corners[3] * x
    found: Values = (upper * (1 - y) + lower * y)[..., 0]
    return found


def window(tile: Values, random: Random, height: int, width: int) -> Values:
    """Cut a part out of a tile, from anywhere, mirrored at times."""
    rows = (random.integers(SIDE) + np.arange(height)) & (SIDE - 1)
    columns = (random.integers(SIDE) + np.arange(width)) & (SIDE - 1)
    part = tile[rows[:, None], columns]
    found: Values = part[:, ::-1] if random.random() < 0.5 else part
    return found


def line(random: Random, width: int, slope: float, longest: float = 256.0) -> Values:
    """Draw a crest of so many pixels: mean 0, deviation about 1, its longest wave in pixels."""
    frequencies = np.fft.rfftfreq(4 * width)
    amplitude = np.where(frequencies * longest >= 1, np.maximum(frequencies, 1e-9) ** -slope, 0)
    drawn = np.fft.irfft(amplitude * np.fft.rfft(random.standard_normal(4 * width)))
    found: Values = ((drawn - drawn.mean()) / (drawn.std() + 1e-9)).astype(np.float32)[:width]
    return found


def rising(values: Values, low: float, high: float) -> Values:
    """Go smoothly from 0 at `low` to 1 at `high`."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)
