"""Whole landscapes: what lies before what, at which time of day and in which season."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gannet.data.landscapes import ground as earth
from gannet.data.landscapes import things
from gannet.data.landscapes.canvas import (
    GRASS,
    HEIGHT,
    HOUSE,
    ROAD,
    ROCK,
    SAND,
    SNOW,
    TREE,
    WATER,
    WIDTH,
    Canvas,
)
from gannet.data.landscapes.ground import Plane
from gannet.data.landscapes.heights import Crest, paint_hills, paint_mountains
from gannet.data.landscapes.light import SHARES, TIMES
from gannet.data.landscapes.materials import SEASONS, Season, draw_materials
from gannet.data.landscapes.noise import Random, Values
from gannet.data.landscapes.sky import paint_clouds, paint_sky

Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Place:
    """What a kind of landscape has, each by its probability.

    Attributes:
        share: how common it is.
        ground: what lies before the hills.
        mountains, hills, woods, trees, rocks, road, house: the probability of each.
        water: what kind of water there may be, and its probability.
        green: whether things grow on mountains.
    """

    share: float
    ground: int
    mountains: float
    hills: float
    woods: float
    trees: float
    rocks: float
    road: float
    house: float
    water: tuple[str, float]
    green: bool = True


PLACES = {
    "meadow": Place(0.20, GRASS, 0.45, 0.9, 0.7, 0.8, 0.3, 0.45, 0.35, ("river", 0.15)),
    "lake": Place(0.22, GRASS, 0.8, 0.6, 0.8, 0.6, 0.5, 0.05, 0.15, ("lake", 1.0)),
    "alps": Place(0.16, GRASS, 1.0, 0.7, 0.6, 0.5, 0.7, 0.25, 0.2, ("river", 0.4)),
    "coast": Place(0.16, SAND, 0.35, 0.3, 0.2, 0.25, 0.6, 0.05, 0.1, ("sea", 1.0)),
    "desert": Place(0.10, SAND, 0.7, 0.9, 0.0, 0.05, 0.7, 0.4, 0.05, ("river", 0.05), green=False),
    "heath": Place(0.16, GRASS, 0.5, 0.8, 0.5, 0.4, 0.9, 0.35, 0.25, ("river", 0.45)),
}


def draw_landscape(seed: int) -> tuple[Levels, Levels]:
    """Draw a picture (192, 256, 3) and the numbers of what its pixels show (192, 256), both uint8."""
    random = np.random.default_rng([seed, 7])
    time = str(random.choice(list(TIMES), p=SHARES))
    name = str(random.choice(list(PLACES), p=[place.share for place in PLACES.values()]))
    place = PLACES[name]
    season = SEASONS["summer" if not place.green else str(random.choice(list(SEASONS)))]
    canvas = Canvas(TIMES[time](random))
    painter = _Painter(canvas, random, place, season, time == "night")
    painter.paint()
    return _developed(canvas, random), canvas.labels


def _developed(canvas: Canvas, random: Random) -> Levels:
    """Give the picture as a camera has it: light rolls off, and there is a little grain."""
    exposed = np.maximum(canvas.colours, 0) * random.uniform(0.92, 1.08)
    rolled = np.where(exposed > 0.8, 1 - 0.2 * np.exp(-(exposed - 0.8) / 0.2), exposed)
    curved = rolled + 0.12 * rolled * (1 - rolled) * (2 * rolled - 1)
    grain = random.standard_normal((HEIGHT, WIDTH, 1), np.float32) * 0.008
    found: Levels = np.rint((curved + grain).clip(0, 1) * 255).astype(np.uint8)
    return found


class _Painter:
    """Paints one landscape, farthest things first."""

    def __init__(self, canvas: Canvas, random: Random, place: Place, season: Season, dark: bool) -> None:
        self.canvas, self.random, self.place, self.season, self.dark = canvas, random, place, season, dark
        self.horizon = float(random.uniform(0.36, 0.60) * HEIGHT)
        corner = (float(random.uniform(0, 512)), float(random.uniform(0, 512)))
        self.plane = Plane(self.horizon, corner)
        snowy = season.white > 0 and random.random() < season.white
        self.white = 1.0 if snowy else 0.0
        self.ground = SNOW if snowy and place.ground == GRASS else place.ground
        self.materials = draw_materials(random, season, dry=not place.green)

    def happens(self, probability: float) -> bool:
        return bool(self.random.random() < probability)

    def paint(self) -> None:
        random, canvas = self.random, self.canvas
        paint_sky(canvas, random, self.horizon, self.dark)
        if self.happens(0.8):
            paint_clouds(canvas, random, self.horizon, random.uniform(0.25, 0.8))
        if self.happens(self.place.mountains):
            self._mountains()
        earth.paint_ground(canvas, random, self.plane, self.ground, self.materials, self.season.flowers)
        water = self._water()
        if not self._is_sea or self.happens(0.4):
            self._hills()
        self._before_the_hills(water)

    @property
    def _is_sea(self) -> bool:
        return self.place.water[0] == "sea"

    def _mountains(self) -> None:
        count = int(self.random.integers(1, 4))
        tallest = self.random.uniform(0.35, 0.85) * self.horizon
        snowline = self.horizon - tallest * self.random.uniform(0.35, 1.3)
        if self.white:
            snowline = self.horizon - 0.1 * tallest
        elif not self.place.green:
            snowline = -99.0
        for number in range(count):
            part = (number + 1) / count
            crest = Crest(self.horizon + 2, tallest * (1.15 - 0.6 * part), 2.4 - 1.7 * part)
            green = self.place.green and not self.white
            paint_mountains(self.canvas, self.random, crest, self.materials, snowline, green)

    def _hills(self) -> None:
        if not self.happens(self.place.hills):
            return
        count = int(self.random.integers(1, 4))
        for number in range(count):
            part = (number + 1) / count
            crest = Crest(self.horizon + 2 + 3 * number, self.random.uniform(4, 20) * (1.2 - 0.5 * part), 1.3 - part)
            top = paint_hills(self.canvas, self.random, crest, self.ground, self.materials)
            if self.happens(self.place.woods):
                self._wood(top, crest)

    def _wood(self, top: Values, crest: Crest) -> None:
        """Let trees stand on a hill, more of them here than there."""
        random, kind = self.random, self._kind()
        height = random.uniform(8, 22)
        dense = np.interp(np.arange(WIDTH), np.linspace(0, WIDTH, 9), random.uniform(-0.6, 1.2, 9))
        feet = [
            (row, column)
            for column in range(0, WIDTH, 3)
            if random.random() < dense[column]
            for row in top[column] + random.random(random.integers(1, 4)) * max(2.0, crest.base - top[column])
        ]
        for row, column in sorted(feet):
            self._tree(kind, int(row) + 2, column + int(random.integers(-2, 3)), height, max(0.0, crest.depth))

    def _kind(self) -> str:
        draws = self.random.random()
        if draws < 0.4:
            return "needled"
        return "bare" if self.happens(self.season.bare) else "leafy"

    def _tree(self, kind: str, row: int, column: int, height: float, depth: float) -> None:
        tall = max(4, round(height * self.random.uniform(0.7, 1.25)))
        sprite = things.tree(self.random, kind, tall, self.materials, self.canvas.light, self.season.white > 0)
        self.canvas.put(sprite, (row, column), TREE, depth)

    def _water(self) -> Values:
        """Paint what water there is, and give where it lies."""
        kind, probability = self.place.water
        dry = np.zeros_like(self.plane.away)
        if not self.happens(probability):
            return dry
        draw = {"lake": earth.lake, "river": earth.river, "sea": earth.sea}[kind]
        return draw(self.random, self.plane)

    def _before_the_hills(self, water: Values) -> None:
        """Paint what lies and stands on the ground; water last of what lies, for it mirrors what stands behind it."""
        random, plane, canvas = self.random, self.plane, self.canvas
        if self.happens(0.35) and self.ground != SNOW:
            other = {GRASS: SAND, SAND: GRASS}[self.ground]
            if self.place.green:
                earth.paint_patches(canvas, random, plane, other, self.materials)
        if self.happens(self.place.road) and not water.any():
            earth.paint_road(canvas, random, plane, self.materials.road)
        if water.any():
            bank = self.ground if self.happens(0.4) else (SAND if self.happens(0.6) else ROCK)
            earth.paint_banks(canvas, plane, water, bank, self.materials)
            earth.paint_water(canvas, random, plane, water, self.materials.deep)
        self._near_things()

    def _near_things(self) -> None:
        """Stand trees, rocks and a house on dry ground, the farthest first."""
        random = self.random
        wanted: list[tuple[float, str]] = []
        if self.happens(self.place.trees):
            near = random.uniform(1.6, 5)
            wanted += [(float(near * np.exp(random.exponential(0.6))), "tree") for _ in range(random.integers(1, 16))]
        if self.happens(self.place.rocks):
            wanted += [(float(random.uniform(1.02, 5)), "rock") for _ in range(random.integers(2, 14))]
        if self.happens(self.place.house):
            wanted.append((float(random.uniform(2.6, 7)), "house"))
        kind = self._kind()
        for away, what in sorted(wanted, reverse=True):
            row, column = int(self.plane.row(away)), int(random.integers(-10, WIDTH + 10))
            if self._is_wet(row, column):
                continue
            self._stand(what, kind if self.happens(0.8) else self._kind(), (row, column), away)

    def _is_wet(self, row: int, column: int) -> bool:
        inside = min(max(column, 0), WIDTH - 1)
        return bool(self.canvas.labels[min(max(row - 1, 0), HEIGHT - 1), inside] in (WATER, HOUSE, ROAD))

    def _stand(self, what: str, kind: str, foot: tuple[int, int], away: float) -> None:
        random, canvas, light = self.random, self.canvas, self.canvas.light
        depth = 0.02 * (away - 1)
        side = -np.sign(light.side)
        size = {"tree": 150, "rock": random.choice([12, 20, 34]), "house": 120}[what] / away
        strength = 0.45 * float(light.sun.mean() > 0.3) + 0.2
        if size < 3:
            return
        reach = max(1.5, 0.06 * size), max(2.0, (0.32 if what == "tree" else 0.9) * size)
        canvas.shade((foot[0], int(foot[1] + side * 0.5 * reach[1])), reach, strength)
        if what == "tree":
            self._tree(kind, foot[0], foot[1], size, depth)
        elif what == "rock":
            stone = things.rock(random, max(4, int(size)), self.materials.rock, light, self.white)
            canvas.put(stone, foot, ROCK, depth)
        else:
            house = things.house(random, max(8, int(size)), self.materials, light, self.white, self.dark)
            canvas.put(house, foot, HOUSE, depth)
