"""What landscapes are painted on: colours and labels, layer over layer, farthest first."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gannet.data.landscapes.light import Light
from gannet.data.landscapes.noise import Values

HEIGHT, WIDTH = 192, 256
NAMES = ("sky", "cloud", "mountain", "tree", "grass", "water", "sand", "snow", "rock", "road", "house")
SKY, CLOUD, MOUNTAIN, TREE, GRASS, WATER, SAND, SNOW, ROCK, ROAD, HOUSE = range(len(NAMES))
PALETTE = (
    *("#87c5eb", "#f4f4f4", "#7d7068", "#1f6b2c", "#86b93e", "#2b5fa8"),
    *("#e3c98b", "#d3e3f5", "#5a5550", "#3a3a40", "#b5443a"),
)
"""The colours that maps of them are drawn in."""
LIT = 0.5
"""Coverage from which on a pixel has the label of what covers it."""

ROWS, COLUMNS = (values.astype(np.float32) for values in np.mgrid[:HEIGHT, :WIDTH])


@dataclass
class Canvas:
    """A picture in the making.

    Attributes:
        light: what shines on it.
        colours: (h, w, 3), 0 to 1 and beyond.
        labels: (h, w), numbers of `NAMES`.
    """

    light: Light
    colours: Values = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH, 3), np.float32))
    labels: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.uint8))

    def cover(self, colours: Values, share: Values, label: int | None, depth: float | Values = 0.0) -> None:
        """Cover the picture by colours (h, w, 3), each pixel by a share (h, w); None: labels stay.

        Args:
            depth: how far away it is, by which haze lies over it.
        """
        self.cover_part((slice(None), slice(None)), colours, share, label, depth)

    def cover_part(
        self,
        place: tuple[slice, slice],
        colours: Values,
        share: Values,
        label: int | None,
        depth: float | Values = 0.0,
    ) -> None:
        """Cover a part of the picture, by colours and shares of its size."""
        below, seen = self.colours[place], share[..., None]
        below += (self.light.hazy(colours, depth) - below) * seen
        if label is not None:
            self.labels[place][share > LIT] = label

    def put(self, sprite: "Sprite", foot: tuple[int, int], label: int, depth: float = 0.0) -> None:
        """Put a thing with its middle of the bottom at (row, column); what lies beyond the edges is lost."""
        height, width = sprite.share.shape
        top, left = foot[0] - height, foot[1] - width // 2
        rows = slice(max(0, top), min(HEIGHT, foot[0]))
        columns = slice(max(0, left), min(WIDTH, left + width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        self.cover_part((rows, columns), sprite.colours[inner], sprite.share[inner], label, depth)

    def shade(self, foot: tuple[int, int], reach: tuple[float, float], strength: float) -> None:
        """Darken the ground in an ellipse about (row, column), so many rows and columns wide."""
        rows = slice(max(0, int(foot[0] - 2 * reach[0])), min(HEIGHT, int(foot[0] + 2 * reach[0]) + 1))
        columns = slice(max(0, int(foot[1] - 2 * reach[1])), min(WIDTH, int(foot[1] + 2 * reach[1]) + 1))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        away = ((ROWS[rows, columns] - foot[0]) / reach[0]) ** 2 + ((COLUMNS[rows, columns] - foot[1]) / reach[1]) ** 2
        self.colours[rows, columns] *= 1 - strength * np.exp(-away)[..., None]


@dataclass(frozen=True)
class Sprite:
    """A thing that stands somewhere: colours (h, w, 3), lit, and how much of each pixel it covers (h, w)."""

    colours: Values
    share: Values


def colour(*levels: float) -> Values:
    """Give a colour."""
    return np.array(levels, np.float32)


def mixed(one: Values, other: Values, share: Values | float) -> Values:
    """Mix colours (..., 3) by the share (...) of the other."""
    return one + (other - one) * (share[..., None] if isinstance(share, np.ndarray) else share)


def tinted(shades: Values, ramp: Sequence[Values]) -> Values:
    """Give colours (h, w, 3) for shades (h, w) from 0 to 1, along a ramp from dark to light."""
    places = np.linspace(0, 1, len(ramp))
    return np.stack([np.interp(shades, places, [one[band] for one in ramp]) for band in range(3)], -1).astype(
        np.float32
    )
