"""The ground before the hills, seen in perspective: meadow, sand or snow, with roads, water and its reflections."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gannet.data.landscapes.canvas import (
    COLUMNS,
    GRASS,
    HEIGHT,
    ROAD,
    ROWS,
    SAND,
    WATER,
    WIDTH,
    Canvas,
    colour,
    mixed,
    tinted,
)
from gannet.data.landscapes.materials import Colours, Materials
from gannet.data.landscapes.noise import Random, Values, band_tile, fractal_tile, look_between, look_up, rising

FARTHEST = 40.0
"""How many times farther than the lower edge the ground is seen."""
ASPHALT = (colour(0.20, 0.20, 0.21), colour(0.34, 0.34, 0.35), colour(0.46, 0.45, 0.44))


@dataclass(frozen=True)
class Plane:
    """The ground as the eye has it.

    Attributes:
        horizon: the row where it ends.
        corner: of the noise that lies on it, so that every landscape has another.
    """

    horizon: float
    corner: tuple[float, float]

    @cached_property
    def rows(self) -> slice:
        """Those of the picture below the horizon."""
        return slice(int(self.horizon), HEIGHT)

    @cached_property
    def away(self) -> Values:
        """How far each pixel lies, 1 at the lower edge."""
        below = np.maximum(ROWS[self.rows] - self.horizon + 0.5, 0.5)
        found: Values = np.minimum((HEIGHT - self.horizon) / below, FARTHEST)
        return found

    @cached_property
    def across(self) -> Values:
        """How far each pixel lies to the side, -1 to 1 at the lower edge."""
        found: Values = (COLUMNS[self.rows] / WIDTH - 0.5) * 2 * self.away
        return found

    def noise(self, fineness: float, number: int = 0) -> Values:
        """Lay noise of one wavelength, so many to the lower edge's half, on it; what is too fine to be seen fades."""
        scale = 16 * fineness
        values = look_up(
            band_tile(16, number), self.away * scale + self.corner[0], self.across * scale + self.corner[1]
        )
        found: Values = values / (1 + self._crowded(fineness) ** 2)
        return found

    def _crowded(self, fineness: float) -> Values:
        """Tell how many such ripples lie in two pixels across, or about one down, where all is flat to the eye."""
        return self.away * fineness / (WIDTH / 4) + self.away**2 * fineness / (HEIGHT - self.horizon) / 3

    def ripples(self, fineness: float, number: int = 0) -> Values:
        """Lay smooth fractal noise on it, its largest hills so many to the lower edge's half."""
        scale = 128 * fineness
        values = look_between(
            fractal_tile(1.7, number), self.away * scale + self.corner[1], self.across * scale + self.corner[0]
        )
        found: Values = values / (1 + self._crowded(2 * fineness) ** 2)
        return found

    def row(self, away: float) -> float:
        """Give the row of what lies so far away."""
        return self.horizon + (HEIGHT - self.horizon) / away


def paint_ground(
    canvas: Canvas, random: Random, plane: Plane, ground: int, materials: Materials, flowers: float
) -> None:
    """Paint all of the ground: grass (with flowers, so often), sand, snow or rock."""
    fine = 0.55 * plane.noise(3, 1) + 0.6 * plane.noise(9, 2) + 0.6 * plane.noise(26, 3)
    ripples = plane.ripples(0.5, 9)
    ramp = materials.of(ground)
    near = 1 / plane.away
    if ground == GRASS:
        blades = look_up(band_tile(5, 11), ROWS[plane.rows] * 0.33, COLUMNS[plane.rows] * 1.3 + 7 * fine)
        fine = 0.6 * fine + 0.9 * blades * near**0.5
    strength = {GRASS: 0.17, SAND: 0.10}.get(ground, 0.07)
    shades = np.clip(0.46 + strength * fine + 0.10 * ripples, 0, 1)
    towards = np.clip(0.66 + 0.16 * ripples + 0.06 * fine * near, 0, 1)
    colours = canvas.light.lit(tinted(shades, ramp), towards)
    if ground == GRASS and random.random() < flowers:
        colours = _with_flowers(random, plane, colours, canvas)
    canvas.cover_part((plane.rows, slice(None)), colours, _whole(plane), ground, 0.02 * (plane.away - 1))


def _with_flowers(random: Random, plane: Plane, colours: Values, canvas: Canvas) -> Values:
    """Let flowers stand in a meadow, in patches."""
    kinds = [(0.95, 0.85, 0.2), (0.95, 0.93, 0.92), (0.80, 0.16, 0.14), (0.56, 0.38, 0.76)]
    kind = np.array(kinds[random.integers(len(kinds))], np.float32)
    dense = plane.ripples(1.5, 12) + 0.4
    dots = rising(plane.noise(22, 13) + 0.35 * dense, 1.5, 2.0)
    return mixed(colours, canvas.light.lit(kind, 0.7), 0.9 * dots)


def _whole(plane: Plane) -> Values:
    return np.ones_like(plane.away)


def paint_patches(canvas: Canvas, random: Random, plane: Plane, ground: int, materials: Materials) -> None:
    """Let patches of another ground show: sand or snow in grass, grass in sand."""
    values = plane.ripples(random.uniform(0.4, 1.0), 14) + 0.25 * plane.noise(8, 15)
    share = rising(values, random.uniform(0.2, 0.9), 1.3)
    fine = plane.noise(5, 16) + plane.noise(20, 17)
    colours = canvas.light.lit(tinted(np.clip(0.5 + 0.1 * fine, 0, 1), materials.of(ground)), 0.7)
    canvas.cover_part((plane.rows, slice(None)), colours, share, ground, 0.02 * (plane.away - 1))


def paint_road(canvas: Canvas, random: Random, plane: Plane, earth: Colours) -> Values:
    """Paint a road that winds away; gives where it is, (rows, columns)."""
    bend, turn = random.uniform(0.1, 0.9), random.uniform(0.25, 0.7)
    start, slant, phase = random.uniform(-0.5, 0.5), random.uniform(-0.25, 0.25), random.uniform(0, 6)
    away = plane.away
    middle = start + slant * (away - 1) + bend * (np.sin(turn * away + phase) - np.sin(turn + phase))
    half = random.uniform(0.18, 0.38)
    paved = random.random() < 0.5
    ragged = 0.0 if paved else 0.05
    side = np.abs(plane.across - middle + ragged * plane.noise(6, 18)) / half
    pixel = 2 * away / WIDTH / half
    share = np.clip((1 - side) / np.maximum(pixel, 1e-3) + 0.5, 0, 1)
    fine = 0.7 * plane.noise(18, 19) + 0.7 * plane.noise(40, 20)
    tracks = 0.0 if paved else 0.35 * np.cos(side * 6.0)
    shades = np.clip(0.5 + 0.12 * fine + 0.3 * tracks, 0, 1)
    colours = tinted(shades, ASPHALT if paved else earth)
    if paved:
        dashes = (np.abs(plane.across - middle) < 0.022) & (np.sin(9 * away) > 0)
        edges = np.abs(side - 0.88) < 0.04
        colours = mixed(colours, colour(0.85, 0.84, 0.78), 0.8 * (dashes | edges).astype(np.float32))
    share = share * (away < 0.9 * FARTHEST)
    canvas.cover_part((plane.rows, slice(None)), canvas.light.lit(colours, 0.75), share, ROAD, 0.02 * (away - 1))
    found: Values = share
    return found


def lake(random: Random, plane: Plane) -> Values:
    """Draw where a lake lies, (rows, columns), from 0 to 1."""
    far, near = random.uniform(6, 20), random.uniform(1.15, 2.2)
    middle, half = random.uniform(-1.0, 1.0), random.uniform(1.2, 3.0)
    across = (plane.across / plane.away - middle * 0.4) / half * 2
    depth = np.log(plane.away / np.sqrt(far * near)) / (np.log(far / near) / 2)
    shore = 0.16 * plane.ripples(0.7, 21) + 0.03 * plane.ripples(3.0, 22)
    return rising(1 - np.hypot(across, depth) + shore, -0.02, 0.03)


def sea(random: Random, plane: Plane) -> Values:
    """Draw where the sea lies: from the horizon to a beach, (rows, columns)."""
    near, slant = random.uniform(1.2, 2.8), random.uniform(-0.35, 0.35)
    shore = np.log(plane.away / near) - slant * plane.across / plane.away * 2
    return rising(shore + 0.10 * plane.ripples(0.5, 23) + 0.015 * plane.ripples(3.0, 24), -0.02, 0.03)


def river(random: Random, plane: Plane) -> Values:
    """Draw where a river winds, (rows, columns)."""
    away, bend, turn = plane.away, random.uniform(0.3, 1.2), random.uniform(0.3, 0.8)
    middle = random.uniform(-0.4, 0.4) + bend * np.sin(turn * away + random.uniform(0, 6))
    half = random.uniform(0.3, 0.7) + 0.10 * plane.ripples(1.0, 25) + 0.02 * plane.ripples(4.0, 26)
    return rising((half - np.abs(plane.across - middle)) / (2 * away / WIDTH), -1, 1)


def paint_water(canvas: Canvas, random: Random, plane: Plane, where: Values, deepest: Values) -> None:
    """Paint water where it lies (rows, columns), with what stands behind it upside down in it, and the sky's light."""
    light, rows = canvas.light, plane.rows
    wet = where > 0.5
    if not wet.any():
        return
    shore = np.where(wet.any(0), wet.argmax(0), 0) + rows.start
    rough = random.uniform(0.15, 1.0)
    ripples = plane.noise(5, 27) + 0.8 * plane.noise(14, 28) + 0.6 * plane.noise(34, 29)
    below = ROWS[rows] - shore
    tossed = ripples * rough * (0.8 + 0.12 * np.maximum(below, 0))
    mirrored = np.clip(2 * shore - ROWS[rows] + tossed - 1, 0, HEIGHT - 1).astype(np.int32)
    aside = np.clip(COLUMNS[rows] + 1.5 * rough * ripples, 0, WIDTH - 1).astype(np.int32)
    seen = canvas.colours[mirrored, aside]
    deep = light.lit(deepest, 0.5)
    glance = np.clip(0.80 - 0.42 / plane.away**0.5 - 0.08 * ripples * rough, 0.2, 0.95)
    colours = mixed(deep + 0 * seen, seen * 0.94, glance.astype(np.float32))
    glint = rising(ripples * rough, 1.3, 2.6) * np.exp(-(((COLUMNS[rows] / WIDTH - light.place[0]) / 0.12) ** 2))
    colours = colours + (0.7 * glint)[..., None] * light.sun
    foam = rising(0.55 - np.abs(where - 0.5) * 2, 0.0, 0.5) * (0.25 + 0.5 * rough)
    colours = mixed(colours, light.lit(colour(0.9, 0.92, 0.93), 0.6), foam * 0.5)
    canvas.cover_part((rows, slice(None)), colours, np.clip(where, 0, 1), WATER, 0.012 * (plane.away - 1))


def paint_banks(canvas: Canvas, plane: Plane, where: Values, ground: int, materials: Materials) -> None:
    """Paint a strip of sand or stones along water that lies in `where` (rows, columns), before that is painted."""
    reach = np.maximum(12 / plane.away, 1)
    below, columns = ROWS[plane.rows] - plane.rows.start, COLUMNS[plane.rows].astype(np.int32)
    wide = where
    for step in (-1.0, -0.75, -0.5, -0.25, 0.25, 0.5):
        wide = np.maximum(wide, where[np.clip(below + step * reach, 0, len(where) - 1).astype(np.int32), columns])
    fine = 0.7 * plane.noise(8, 30) + plane.noise(26, 31)
    ramp = materials.of(ground)
    shades = np.clip(0.45 + 0.16 * fine, 0, 1)
    colours = canvas.light.lit(tinted(shades, ramp), np.clip(0.65 + 0.15 * fine, 0, 1))
    canvas.cover_part((plane.rows, slice(None)), colours, wide, ground, 0.02 * (plane.away - 1))
