"""Distributions of points in the plane, each of two classes, to learn what a game and other models make of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gannet.commands.plane.options import EDGE, PlaneOptions
from gannet.data.sources.points import RING_MODES, ring
from gannet.runtime.randomness import address

SPREAD = 0.05
"""Standard deviation of points about the shape that they belong to, as that of the ring's."""
BRUSH = 0.03
"""Standard deviation of points about one that was drawn: about as wide as a finger draws."""

Labelled = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Distribution:
    """A distribution of labelled points.

    Attributes:
        draw: gives so many points (n, 2), float32, and their classes (n,), 0 or 1, by a seed.
    """

    draw: Callable[[int, int], Labelled]

    def points(self, count: int, seed: int, *where: int | str) -> np.ndarray:
        """Draw points (count, 2) by the place where they are needed."""
        return self.draw(count, address(seed, *where))[0]


def _ring(count: int, seed: int) -> Labelled:
    points = ring(count, seed)
    mode = np.round(np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi / RING_MODES)).astype(int)
    return points, mode % 2


def _grid(count: int, seed: int) -> Labelled:
    """Draw of 25 Gaussians in five rows, those of both classes alternating as on a board."""
    random = np.random.default_rng(seed)
    places = random.integers(5, size=(count, 2))
    return _about(0.55 * (places - 2), random), places.sum(1) % 2


def _moons(count: int, seed: int) -> Labelled:
    """Draw of two half circles, each of which reaches into the other."""
    random = np.random.default_rng(seed)
    label, angle = random.integers(2, size=count), np.pi * random.random(count)
    turned = angle + np.pi * label
    centre = np.stack([0.8 * label - 0.4, 0.4 * label - 0.2], 1)
    return _about(centre + 0.8 * np.stack([np.cos(turned), np.sin(turned)], 1), random), label


def _spirals(count: int, seed: int) -> Labelled:
    """Draw of two arms of a spiral, evenly along them."""
    random = np.random.default_rng(seed)
    label, radius = random.integers(2, size=count), 0.2 + np.sqrt(random.random(count))
    angle = 4.5 * radius + np.pi * label
    return _about(radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), random), label


def _about(centres: np.ndarray, random: np.random.Generator, deviation: float = SPREAD) -> np.ndarray:
    return (centres + deviation * random.standard_normal(centres.shape)).astype(np.float32)


def drawn(given: tuple[tuple[float, float, int], ...]) -> Distribution:
    """Give the distribution of points that lie about those drawn, as x, y and class, all of them alike likely."""
    known = np.array(given)

    def draw(count: int, seed: int) -> Labelled:
        random = np.random.default_rng(seed)
        chosen = known[random.integers(len(known), size=count)]
        return _about(chosen[:, :2], random, BRUSH), chosen[:, 2].astype(int)

    return Distribution(draw)


DISTRIBUTIONS = {
    "ring": Distribution(_ring),
    "grid": Distribution(_grid),
    "moons": Distribution(_moons),
    "spirals": Distribution(_spirals),
}
"""By name."""


def choose_distribution(options: PlaneOptions) -> Distribution:
    """Give the distribution that is asked for."""
    return drawn(options.drawn) if options.distribution == "drawn" else DISTRIBUTIONS[options.distribution]


def plane(cells: int) -> np.ndarray:
    """Give the middles of so many cells a side of the plane that is shown, row by row from the top left, (n, 2)."""
    middles = EDGE * (2 * np.arange(cells) + 1 - cells) / cells
    x, y = np.meshgrid(middles, -middles)
    return np.stack([x, y], 2).reshape(-1, 2).astype(np.float32)
