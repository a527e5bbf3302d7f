"""Points in the plane whose distribution is known, to see at a glance whether a game covers all of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RING_MODES, RING_RADIUS, RING_DEVIATION = 8, 1.0, 0.05


def ring_centres() -> np.ndarray:
    """The centres of the ring's eight Gaussians, (8, 2)."""
    angles = 2 * np.pi * np.arange(RING_MODES) / RING_MODES
    return RING_RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1)


def ring(count: int, seed: int) -> np.ndarray:
    """Draw `count` points (count, 2), float32, of eight Gaussians of deviation 0.05 on a circle of radius 1."""
    random = np.random.default_rng(seed)
    centres = ring_centres()[random.integers(RING_MODES, size=count)]
    return (centres + RING_DEVIATION * random.standard_normal((count, 2))).astype(np.float32)


def modes_covered(points: np.ndarray) -> int:
    """How many of the ring's modes hold at least 2 % of the points (n, 2) within four deviations."""
    distances = np.linalg.norm(points[:, None] - ring_centres()[None], axis=2)
    near = distances < 4 * RING_DEVIATION
    return int((near.mean(0) >= 0.02).sum())


@dataclass(frozen=True)
class PointSource:
    """A set of points: a name and a function that draws them."""

    name: str
    draw: Callable[[int, int], np.ndarray]
    classes: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """The points are a function of their name."""
        return self.name


POINTS = {"ring": PointSource("ring", ring)}
"""The point sets by name."""
