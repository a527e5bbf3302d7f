"""Windows over a text: the gaps that a network is shown together, and which of them is filled next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gannet.media.medium import Array
from gannet.tasks._text.alternatives import Alternative

SURE = 0.9
"""The mean confidence from which on a gap does not wait."""
NEAR = 12
"""Signs between two gaps, up to which the less sure one waits: a word or two."""
MARGIN = 0.1875
"""The share of a window that is context on either side of what is filled in it, at least."""


class Place(NamedTuple):
    """Where a gap lies: from `start` to before `stop`; `known` tells whether so many signs are lost."""

    start: int
    stop: int
    known: bool


@dataclass
class Window:
    """A part of a text that a network is shown at a time.

    Attributes:
        text: the signs of all of the text (t,), into which is written what is filled in; other windows may share it.
        begin, size: where the window begins, and its signs.
        places: the gaps that are filled in it, where they lie in the text.
        found: the ways to fill each gap that is filled, by its number, the likeliest first.
    """

    text: Array
    begin: int
    size: int
    places: list[Place]
    found: dict[int, list[Alternative]] = field(default_factory=dict)

    @property
    def open(self) -> list[int]:
        """The numbers of the gaps that are not filled yet."""
        return [at for at in range(len(self.places)) if at not in self.found]

    @property
    def row(self) -> Array:
        """What is shown, (t,)."""
        return self.text[self.begin : self.begin + self.size]

    def inside(self, at: int) -> slice:
        """Tell where a gap lies in the window."""
        place = self.places[at]
        return slice(place.start - self.begin, place.stop - self.begin)

    def fill(self, at: int, ways: list[Alternative], signs: Sequence[int]) -> None:
        """Fill a gap by the likeliest of some ways, whose signs are given."""
        place = self.places[at]
        self.found[at], self.text[place.start : place.stop] = ways, signs

    def next_ones(self, sure: Mapping[int, float]) -> list[int]:
        """Give the gaps that are filled next: those that are sure enough, and those beside which none is surer.

        Args:
            sure: the mean confidence of each open gap's best filling.
        """
        return [
            at
            for at, confidence in sure.items()
            if confidence > SURE or all((other, -one) <= (confidence, -at) for one, other in self._near(at, sure))
        ]

    def _near(self, at: int, sure: Mapping[int, float]) -> list[tuple[int, float]]:
        place = self.places[at]
        return [
            (one, confidence)
            for one, confidence in sure.items()
            if self.places[one].start - place.stop <= NEAR and place.start - self.places[one].stop <= NEAR
        ]


def windows_of(places: Sequence[Place], text: Array, size: int) -> list[Window]:
    """Put gaps that lie near each other into a window, with as much of the text before them as behind them."""
    groups: list[list[Place]] = []
    most = size - 2 * int(MARGIN * size)
    for place in places:
        assert place.stop - place.start <= size, "a gap within a window"
        if groups and (len(text) <= size or place.stop - groups[-1][0].start <= most):
            groups[-1].append(place)
        else:
            groups.append([place])
    return [Window(text, _begin(group, len(text), size), size, group) for group in groups]


def _begin(group: Sequence[Place], total: int, size: int) -> int:
    start, stop = group[0].start, group[-1].stop
    return max(0, min(start - (size - (stop - start)) // 2, total - size))
