"""What things are made of in one landscape.

Each is drawn for itself from what several may be of: sand and rock from the same earths, meadows and leaves from the
same greens. Colours tell little of labels then; texture, form and place tell more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gannet.data.landscapes.canvas import GRASS, ROCK, SAND, SNOW, colour
from gannet.data.landscapes.noise import Random, Values

Colours = tuple[Values, ...]
"""Several colours; of what is lit in many ways, from dark to light."""


def _colours(*colours: tuple[float, float, float]) -> Colours:
    return tuple(colour(*one) for one in colours)


EARTHS = {
    "granite": _colours((0.20, 0.19, 0.19), (0.42, 0.40, 0.38), (0.62, 0.59, 0.55)),
    "loam": _colours((0.22, 0.16, 0.12), (0.48, 0.37, 0.28), (0.68, 0.55, 0.42)),
    "slate": _colours((0.16, 0.17, 0.20), (0.34, 0.36, 0.40), (0.55, 0.57, 0.60)),
    "basalt": _colours((0.10, 0.10, 0.11), (0.22, 0.21, 0.22), (0.38, 0.37, 0.36)),
    "limestone": _colours((0.46, 0.45, 0.42), (0.72, 0.70, 0.66), (0.90, 0.88, 0.84)),
    "sandstone": _colours((0.50, 0.36, 0.20), (0.78, 0.61, 0.38), (0.92, 0.78, 0.54)),
    "laterite": _colours((0.34, 0.17, 0.10), (0.62, 0.36, 0.22), (0.80, 0.54, 0.36)),
    "mossy": _colours((0.18, 0.20, 0.11), (0.36, 0.39, 0.24), (0.56, 0.57, 0.42)),
}
"""What the things of `OF_EARTH` are of."""
OF_EARTH = ("mountain", "rock", "sand", "road", "wall", "roof")
DRY = ("sandstone", "laterite", "limestone", "loam")
"""Those of deserts."""
GREENS = {
    "fresh": _colours((0.17, 0.25, 0.07), (0.34, 0.46, 0.15), (0.53, 0.62, 0.27)),
    "deep": _colours((0.10, 0.18, 0.07), (0.20, 0.33, 0.12), (0.36, 0.47, 0.23)),
    "bluish": _colours((0.13, 0.20, 0.15), (0.27, 0.38, 0.29), (0.46, 0.56, 0.45)),
    "olive": _colours((0.20, 0.20, 0.09), (0.40, 0.39, 0.19), (0.60, 0.57, 0.34)),
    "straw": _colours((0.30, 0.25, 0.11), (0.60, 0.51, 0.26), (0.82, 0.73, 0.46)),
    "rusty": _colours((0.26, 0.14, 0.07), (0.52, 0.29, 0.13), (0.72, 0.47, 0.25)),
    "heather": _colours((0.22, 0.16, 0.17), (0.43, 0.33, 0.36), (0.62, 0.51, 0.53)),
}
"""What meadows and leaves are of."""
SNOW_LIT = _colours((0.50, 0.55, 0.64), (0.84, 0.87, 0.91), (1.0, 1.0, 1.0))
"""Snow, from shade to light."""
DEEPS = _colours(
    *((0.04, 0.16, 0.20), (0.05, 0.13, 0.24), (0.07, 0.16, 0.11), (0.08, 0.34, 0.38)),
    *((0.26, 0.20, 0.12), (0.05, 0.06, 0.07), (0.30, 0.42, 0.42), (0.20, 0.22, 0.23)),
)
"""Colours of deep water: clear, muddy, black, milky."""
TINT, LIGHTNESS = 0.04, 0.15
"""By which shares the bands of a material's colour, and all of them, differ from landscape to landscape."""


@dataclass(frozen=True)
class Season:
    """What grows, and what lies on it.

    Attributes:
        greens: what meadows and leaves are of.
        leaves: colours that leaves have besides.
        needles: the colour of conifers.
        bare: share of the trees that have lost their leaves.
        white: how often snow lies on the ground, 0 to 1.
        flowers: share of the meadows that are in flower.
    """

    greens: tuple[str, ...]
    leaves: Colours
    needles: Values
    bare: float
    white: float
    flowers: float


SEASONS: Mapping[str, Season] = {
    "spring": Season(
        ("fresh", "bluish", "fresh", "olive"),
        _colours((0.36, 0.55, 0.14), (0.72, 0.52, 0.58)),
        colour(0.13, 0.28, 0.14),
        bare=0.05,
        white=0.0,
        flowers=0.6,
    ),
    "summer": Season(
        ("deep", "olive", "bluish", "fresh", "straw"),
        _colours((0.19, 0.36, 0.09), (0.16, 0.31, 0.10)),
        colour(0.10, 0.23, 0.11),
        bare=0.0,
        white=0.0,
        flowers=0.25,
    ),
    "autumn": Season(
        ("rusty", "straw", "olive", "heather"),
        _colours((0.74, 0.38, 0.08), (0.80, 0.56, 0.12), (0.62, 0.20, 0.07)),
        colour(0.13, 0.24, 0.12),
        bare=0.12,
        white=0.0,
        flowers=0.0,
    ),
    "winter": Season(
        ("straw", "heather", "olive", "rusty"),
        _colours((0.36, 0.30, 0.22), (0.30, 0.25, 0.19)),
        colour(0.11, 0.20, 0.14),
        bare=0.8,
        white=0.85,
        flowers=0.0,
    ),
}


@dataclass(frozen=True)
class Materials:
    """What one landscape is made of.

    Attributes:
        mountain, rock, sand, road, wall, roof: earths, from dark to light.
        grass: a green, from dark to light.
        snow: from shade to light.
        leaves: several colours.
        needles: a colour.
        deep: the colour of water where it is deep.
    """

    mountain: Colours
    rock: Colours
    sand: Colours
    road: Colours
    wall: Colours
    roof: Colours
    grass: Colours
    snow: Colours
    leaves: Colours
    needles: Values
    deep: Values

    def of(self, label: int) -> Colours:
        """Give the colours of ground with that label."""
        return {GRASS: self.grass, SAND: self.sand, SNOW: self.snow, ROCK: self.rock}[label]


def draw_materials(random: Random, season: Season, dry: bool) -> Materials:
    """Draw what a landscape is made of; a dry one of the earths of deserts."""
    draw = _Draw(random)
    earths, greens, lightness = DRY if dry else tuple(EARTHS), season.greens, random.uniform(0.75, 1.0)
    return Materials(
        **{thing: draw.one(EARTHS, earths) for thing in OF_EARTH},
        grass=draw.one(GREENS, greens),
        snow=tuple(one * lightness for one in draw.varied(SNOW_LIT)),
        leaves=(*season.leaves, *(draw.one(GREENS, greens)[1] for _ in range(3))),
        needles=draw.varied((season.needles,))[0],
        deep=draw.varied(DEEPS)[random.integers(len(DEEPS))],
    )


@dataclass(frozen=True)
class _Draw:
    """Draws what differs from landscape to landscape."""

    random: Random

    def one(self, kinds: Mapping[str, Colours], names: Sequence[str]) -> Colours:
        """Draw one of the kinds of those names, a little changed."""
        return self.varied(kinds[str(self.random.choice(names))])

    def varied(self, ramp: Colours) -> Colours:
        """Change colours a little, all alike."""
        drawn = self.random.standard_normal(4).astype(np.float32)
        gain = (1 + TINT * drawn[:3]) * (1 + LIGHTNESS * drawn[3].clip(-2, 2))
        return tuple(one * gain for one in ramp)
