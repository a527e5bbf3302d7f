"""Windows over a text: the gaps that a network is shown together, and how far each of them is filled in."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp, log
from typing import NamedTuple

import numpy as np

from gannet.media.medium import Array
from gannet.tasks.text_restoration.alphabet import HIDDEN

SURE = log(0.9)
"""The logarithm of the chance from which on a sign does not wait."""
NEAR = 12
"""Signs between two gaps, up to which the less sure one waits: a word or two."""
MARGIN = 0.1875
"""The share of a window that is context on either side of what is filled in it, at least."""


class Place(NamedTuple):
    """Where a gap lies: from `start` to before `stop`; `known` tells whether so many signs are lost."""

    start: int
    stop: int
    known: bool


@dataclass(frozen=True)
class Hypothesis:
    """One way to fill a gap.

    Attributes:
        signs: in the gap, HIDDEN where nothing is filled in yet.
        score: the logarithm of its probability.
        chances: of each sign, whatever else is filled in; empty until all are.
    """

    signs: tuple[int, ...]
    score: float = 0.0
    chances: tuple[float, ...] = ()

    def filled(self, at: int, sign: int, score: float) -> "Hypothesis":
        """Fill in one sign."""
        return replace(self, signs=(*self.signs[:at], sign, *self.signs[at + 1 :]), score=score)


@dataclass
class Window:
    """A part of a text that a network is shown at a time.

    Attributes:
        text: the signs of all of the text (t,), into which is written what is filled in; other windows may share it.
        begin, size: where the window begins, and its signs.
        places: the gaps that are filled in it, where they lie in the text.
        states: the hypotheses of each gap, the likeliest first.
        first: what the network said of each gap while nothing was filled in, log probabilities (length, signs).
    """

    text: Array
    begin: int
    size: int
    places: list[Place]
    states: list[list[Hypothesis]] = field(default_factory=list)
    first: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = [[Hypothesis((HIDDEN,) * (place.stop - place.start))] for place in self.places]

    @property
    def open(self) -> list[int]:
        """The numbers of the gaps in which something is left to fill in."""
        return [at for at, state in enumerate(self.states) if HIDDEN in state[0].signs]

    def rows(self) -> Array:
        """Give what is shown, (n, t): all open gaps filled by their first hypotheses, then by the second ones, ..."""
        opened = self.open
        count = max(len(self.states[at]) for at in opened)
        rows = np.repeat(self.text[None, self.begin : self.begin + self.size], count, 0)
        for at in opened:
            start, stop = self._inside(at)
            state = self.states[at]
            for rank in range(count):
                rows[rank, start:stop] = state[min(rank, len(state) - 1)].signs
        return rows

    def _inside(self, at: int) -> tuple[int, int]:
        place = self.places[at]
        return place.start - self.begin, place.stop - self.begin

    def advance(self, chances: Array, beam: int) -> None:
        """Fill in some signs by what a network says of `rows`, log probabilities (n, t, signs)."""
        told = {at: chances[:, slice(*self._inside(at))] for at in self.open}
        self.first = self.first or [told[at][0].copy() for at in range(len(self.places))]
        next_ones = {at: surest(self.states[at][0], told[at][0]) for at in told}
        for at in self._moving({at: some[0][1] for at, some in next_ones.items()}):
            self.states[at] = grown(self.states[at], [sign for sign, _ in next_ones[at]], told[at], beam)
            place = self.places[at]
            self.text[place.start : place.stop] = self.states[at][0].signs

    def _moving(self, chances: dict[int, float]) -> list[int]:
        """Give the gaps that move on: those that are sure, and those beside which none is surer."""
        return [
            at
            for at, chance in chances.items()
            if chance > SURE or all((other, -one) <= (chance, -at) for one, other in self._near(at, chances))
        ]

    def _near(self, at: int, chances: dict[int, float]) -> list[tuple[int, float]]:
        place = self.places[at]
        return [
            (one, chance)
            for one, chance in chances.items()
            if self.places[one].start - place.stop <= NEAR and place.start - self.places[one].stop <= NEAR
        ]

    def hypotheses(self) -> list[list[Hypothesis]]:
        """Give the ways to fill each gap, with how sure each sign is."""
        return [
            [
                replace(one, chances=tuple(exp(float(own[at, sign])) for at, sign in enumerate(one.signs)))
                for one in state
            ]
            for state, own in zip(self.states, self.first, strict=True)
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


def surest(hypothesis: Hypothesis, chances: Array) -> list[tuple[int, float]]:
    """Give which signs of a gap are to be filled in next, with the chances of the likeliest: the surest, and all that
    are sure."""
    highest = {at: float(chances[at].max()) for at, sign in enumerate(hypothesis.signs) if sign == HIDDEN}
    first, *others = sorted(highest.items(), key=lambda one: -one[1])
    return [first, *(one for one in others if one[1] > SURE)]


def grown(state: list[Hypothesis], places: Sequence[int], chances: Array, beam: int) -> list[Hypothesis]:
    """Fill signs at some places into each hypothesis (its chances in its row), and keep the likeliest.

    Args:
        chances: log probabilities (n, length, signs).
    """
    found = list(enumerate(state))
    for at in places:
        scores = np.array([one.score for _, one in found])[:, None] + chances[[row for row, _ in found], at]
        best = np.argsort(-scores, axis=None, kind="stable")[:beam]
        parents, signs = np.unravel_index(best, scores.shape)
        found = [
            (found[parent][0], found[parent][1].filled(at, sign, float(scores[parent, sign])))
            for parent, sign in zip(parents.tolist(), signs.tolist(), strict=True)
            if scores[parent, sign] > -np.inf
        ]
    return [one for _, one in found]
