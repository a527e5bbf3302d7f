"""Mountains and hills: crests behind each other, with crags, snow, woods and meadows on them."""

from dataclasses import dataclass

import numpy as np

from gannet.data.landscapes.canvas import (
    COLUMNS,
    MOUNTAIN,
    ROWS,
    SNOW,
    WIDTH,
    Canvas,
    mixed,
    tinted,
)
from gannet.data.landscapes.materials import Materials
from gannet.data.landscapes.noise import (
    Random,
    Values,
    fractal_tile,
    line,
    look_between,
    look_up,
    ridged_tile,
    rising,
)


@dataclass(frozen=True)
class Crest:
    """A row of heights.

    Attributes:
        base: the row on which it stands.
        height: of its middle above that, in pixels.
        depth: how far away it is, about 0 to 3.
    """

    base: float
    height: float
    depth: float


def skyline(random: Random, crest: Crest, rough: float) -> Values:
    """Draw the row of a crest at each column."""
    ripples = line(random, WIDTH, 2.1 - 0.5 * rough, 420 - 140 * rough)
    ripples = (
        ripples
        + 0.35 * rough * (0.8 - np.abs(line(random, WIDTH, 1.7, 120)))
        + 0.03 * rough * line(random, WIDTH, 0.9, 16)
    )
    heights = crest.height * (1 + 0.42 * ripples)
    return (crest.base - np.maximum(heights, 1.5 + 0.1 * crest.height * (1 + ripples / 9))).astype(np.float32)


def paint_mountains(
    canvas: Canvas, random: Random, crest: Crest, materials: Materials, snowline: float, green: bool
) -> None:
    """Paint a row of mountains.

    Args:
        snowline: the row above which snow lies.
        green: whether something grows below.
    """
    top = skyline(random, crest, 0.75)
    rows = slice(max(0, int(top.min()) - 1), min(len(ROWS), int(crest.base) + 2))
    down, across = ROWS[rows], COLUMNS[rows]
    below = down - top
    scale = random.uniform(1.2, 2.4)
    bend = 8 * look_between(fractal_tile(1.8, 7), down * 1.5, across * 1.5)
    places = (below * 0.8 + 0.35 * down) * scale * 0.8 + random.uniform(0, 512), (across + bend) * scale
    crags = look_between(ridged_tile(1), *places)
    turned = crags - look_between(ridged_tile(1), places[0] - 1.5, places[1] + 4 * canvas.light.side)
    fine = look_up(fractal_tile(0.9, 2), down * 2 + places[1], across * 2)
    relief = np.clip(0.42 + 0.42 * turned + 0.06 * fine, 0, 1)
    colours = tinted(np.clip(0.5 + 0.18 * crags + 0.10 * fine, 0, 1), materials.mountain)
    low = np.clip((below + 5 * fine + 9 * crags) / max(crest.height, 1), 0, 1.5)
    if green:
        colours = mixed(
            colours, 0.8 * materials.grass[1] * (0.85 + 0.2 * fine[..., None]), 0.85 * rising(low, 0.35, 0.85)
        )
    white = rising(snowline - down + 7 * turned - 4 * crags + 3 * fine, -2, 4)
    colours = mixed(colours, tinted(np.clip(0.62 + 0.25 * turned, 0, 1), materials.snow), white)
    share = np.clip(below + 0.5, 0, 1)
    place = rows, slice(None)
    mist = crest.depth * (0.75 + 0.6 * np.clip(below / (crest.base - top), 0, 1) ** 2)
    canvas.cover_part(place, canvas.light.lit(colours, relief), share, MOUNTAIN, mist)
    canvas.labels[place][(share > 0.5) & (white > 0.5)] = SNOW


def paint_hills(canvas: Canvas, random: Random, crest: Crest, ground: int, materials: Materials) -> Values:
    """Paint a row of hills of grass, sand or snow; gives the row of the crest at each column."""
    top = skyline(random, crest, 0.15)
    rows = slice(max(0, int(top.min()) - 1), min(len(ROWS), int(crest.base) + 2))
    down, across = ROWS[rows], COLUMNS[rows]
    below = down - top
    ripples = look_between(fractal_tile(1.6, 8), below * 3.0 + random.uniform(0, 512), across * 1.3)
    fine = look_up(fractal_tile(0.8, 6), below * 4, across * 2)
    shades = np.clip(0.5 + 0.20 * ripples + 0.10 * fine, 0, 1)
    slope = np.gradient(top)
    towards = 0.5 - 0.35 * np.clip(slope, -1, 1) * np.sign(canvas.light.side) + 0.10 * ripples
    colours = canvas.light.lit(tinted(shades, materials.of(ground)), np.clip(towards, 0, 1))
    canvas.cover_part((rows, slice(None)), colours, np.clip(below + 0.5, 0, 1), ground, crest.depth)
    return top
