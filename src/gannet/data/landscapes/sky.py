"""The sky: its colours, the sun or moon, stars, and clouds of two kinds."""

import numpy as np

from gannet.data.landscapes.canvas import CLOUD, COLUMNS, HEIGHT, ROWS, SKY, WIDTH, Canvas, colour, mixed
from gannet.data.landscapes.noise import Random, Values, fractal_tile, look_between, rising

DISC = 5.0
"""Pixels of the sun's radius, at most."""


def paint_sky(canvas: Canvas, random: Random, horizon: float, dark: bool) -> None:
    """Paint all of the picture as sky, down to a horizon (a row) and beyond.

    Args:
        dark: whether stars shine, and the sun is the moon.
    """
    light = canvas.light
    height = np.clip(1 - ROWS / horizon, 0, 1) ** random.uniform(0.6, 1.0)
    colours = light.horizon + (light.zenith - light.horizon) * height[..., None]
    across, down = light.place[0] * WIDTH, light.place[1] * horizon
    away = np.hypot(COLUMNS - across, (ROWS - down) * 1.1)
    glow = 0.30 * np.exp(-away / 28) + 0.22 * np.exp(-away / 90)
    colours = colours + glow[..., None] * light.sun * (0.7 if dark else 1)
    radius = random.uniform(3, DISC)
    disc = np.clip(radius - away + 0.5, 0, 1)
    colours = mixed(colours, colour(*((0.93, 0.93, 0.88) if dark else (1.3, 1.22, 1.0))), disc)
    if dark:
        stars = np.where(random.random((HEIGHT, WIDTH)) < 0.004, random.random((HEIGHT, WIDTH)) ** 2, 0)
        colours = colours + (0.8 * stars * np.clip(height * 2, 0, 1) * (away > 3 * radius))[..., None]
    canvas.cover(colours.astype(np.float32), np.ones((HEIGHT, WIDTH), np.float32), SKY)


def paint_clouds(canvas: Canvas, random: Random, horizon: float, amount: float) -> None:
    """Paint clouds above a horizon (a row), so much of them: 0 to 1."""
    rows = slice(0, int(horizon) + 2)
    for billows in (False, True):
        if random.random() < (0.6 if billows else 0.75):
            thick, towards = (_billows if billows else _layer)(canvas, random, horizon, amount, rows)
            colours = _lit(canvas, thick, towards)
            low = rising(ROWS[rows], horizon, horizon - 0.25 * HEIGHT)
            share = np.clip(1.5 * thick, 0, 1) * (0.55 + 0.45 * low)
            canvas.cover_part((rows, slice(None)), colours, share, CLOUD)


def _layer(canvas: Canvas, random: Random, horizon: float, amount: float, rows: slice) -> tuple[Values, Values]:
    """Give how thick a layer of clouds is that lies over the land, and how far its places look to the sun."""
    away = 110.0 / (horizon + 42 - ROWS[rows])
    scale = random.uniform(45, 110)
    down = away * scale + random.uniform(0, 512)
    across = (COLUMNS[rows] / WIDTH - 0.5) * away * scale * 1.5 + random.uniform(0, 512)
    stretch = random.uniform(0.5, 1.2)
    return _shape(canvas, fractal_tile(1.55, 3), (down * stretch, across), 1.1 - 2.0 * amount, 3.0)


def _billows(canvas: Canvas, random: Random, horizon: float, amount: float, rows: slice) -> tuple[Values, Values]:
    """Give the same of clouds that tower, flat below."""
    height = 1 - ROWS[rows] / horizon
    scale = random.uniform(0.5, 1.3)
    down, across = ROWS[rows] * scale * 1.5 + random.uniform(0, 512), COLUMNS[rows] * scale + random.uniform(0, 512)
    base = random.uniform(0.12, 0.45)
    thick, towards = _shape(canvas, fractal_tile(1.75, 4), (down, across), 1.35 - 1.7 * amount, 5.0)
    return thick * rising(height, base - 0.02, base + 0.10) * rising(height, base + 0.65, base + 0.2), towards


def _shape(
    canvas: Canvas, tile: Values, places: tuple[Values, Values], above: float, reach: float
) -> tuple[Values, Values]:
    """Cut clouds out of noise above a value; light comes through where there is less of it that way."""
    down, across = places
    values = look_between(tile, down, across)
    fine = look_between(fractal_tile(1.2, 5), 1.7 * down, 1.7 * across)
    values = values + 0.13 * fine
    side = canvas.light.side
    beyond = look_between(tile, down - reach * 1.2, across + reach * 1.5 * side)
    return rising(values, above, above + 0.9), 0.5 + 0.55 * (values - beyond)


def _lit(canvas: Canvas, thick: Values, towards: Values) -> Values:
    """Colour clouds: bright towards the sun and at thin edges, dark below."""
    light = canvas.light
    whole = light.ambient * 0.95 + light.sun * 0.62
    shade = light.ambient * 0.80 + light.horizon * 0.20 + light.sun * 0.10
    share = np.clip(towards + 0.25 * (1 - thick), 0, 1)
    return mixed(shade.astype(np.float32), np.minimum(whole, 1.08).astype(np.float32), share.astype(np.float32))
