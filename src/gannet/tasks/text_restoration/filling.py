"""Filling gaps of a text: by a beam over what a network says, a few gaps of a window at a time.

In every pass over a window the gaps move on whose next sign is surest, a sign each; the others wait for what is filled
in near them. The hypotheses of all gaps share the passes: the first of each gap stand in one row, the second ones in
the next. Of a gap of unknown length several lengths are tried, and weighed by how likely the network holds each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gannet.media.medium import Array
from gannet.runtime.processor import multiplies_bf16
from gannet.tasks.text_restoration.alphabet import FIRST, GAP, HIDDEN

LENGTHS = 4
"""Lengths of a gap of unknown length that are tried."""
SURE, MOVING = 0.9, 0.5
"""The chance from which on a sign does not wait, and the share of gaps that move on in every pass at least."""
MARGIN = 0.25
"""The share of a window that is context on either side of what is filled in it."""


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
        chances: of each sign, when it was filled in.
    """

    signs: tuple[int, ...]
    score: float = 0.0
    chances: tuple[float, ...] = ()

    @classmethod
    def empty(cls, length: int, score: float = 0.0) -> "Hypothesis":
        """Fill nothing in yet."""
        return cls((HIDDEN,) * length, score, (0.0,) * length)

    def filled(self, at: int, sign: int, chance: float) -> "Hypothesis":
        """Fill in one sign."""
        signs, chances = list(self.signs), list(self.chances)
        signs[at], chances[at] = sign, exp(chance)
        return replace(self, signs=tuple(signs), score=self.score + chance, chances=tuple(chances))


@dataclass(frozen=True)
class Filler:
    """Fills gaps of texts by a network.

    Attributes:
        network: as `TextRestorer`.
        window: signs that it is shown at a time.
        language: the number of the text's.
        temperature: by which logits are divided.
        beam: hypotheses of a gap that are kept.
    """

    network: nn.Module
    window: int
    language: int
    temperature: float = 1.0
    beam: int = 5

    @torch.inference_mode()
    def told(self, rows: Array) -> tuple[Array, Array]:
        """Give the log probabilities of signs (b, t, signs), none of those that are no character, and of lengths."""
        device = next(self.network.parameters()).device
        given = torch.from_numpy(rows).to(device)
        languages = torch.full((len(rows),), self.language, device=device)
        # Twice as fast where the processor can, and a few hundredths of a nat apart.
        fast = device.type == "cpu" and multiplies_bf16()
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            signs, lengths = self.network(given, languages)
        signs = signs.float() / self.temperature
        signs[..., :FIRST] = -torch.inf
        return _numbers(signs.log_softmax(-1)), _numbers(lengths.float().log_softmax(-1))

    def restore(self, signs: Sequence[int], places: Sequence[Place]) -> list[list[Hypothesis]]:
        """Fill all gaps of a text, those of known length first; gives the hypotheses of each, the likeliest first."""
        text = np.array(signs, np.int64)
        found: dict[Place, list[Hypothesis]] = {}
        known = [place for place in places if place.known]
        for begin, some in self.windows(known, len(text)):
            row = text[begin : begin + self.window]
            inside = [Place(place.start - begin, place.stop - begin, True) for place in some]
            for place, hypotheses in zip(some, self.fill(row, inside), strict=True):
                found[place] = hypotheses
                text[place.start : place.stop] = hypotheses[0].signs
        for place in places:
            if not place.known:
                found[place] = self.fill_unknown(text, place.start)
        return [found[place] for place in places]

    def windows(self, places: Sequence[Place], total: int) -> list[tuple[int, list[Place]]]:
        """Put gaps that lie near each other into a window: where each begins, and its gaps."""
        margin = int(MARGIN * self.window)
        found: list[tuple[int, list[Place]]] = []
        for place in places:
            begin = found[-1][0] if found else -1
            at_end = begin + self.window >= total
            if found and place.stop + (0 if at_end else margin) <= begin + self.window:
                found[-1][1].append(place)
                continue
            before = max(0, min(place.start - margin, place.stop + margin - self.window + margin))
            begin = max(0, min(before if place.stop - before <= self.window else place.start, total - self.window))
            found.append((begin, [place]))
        return found

    def fill(self, row: Array, places: Sequence[Place]) -> list[list[Hypothesis]]:
        """Fill the gaps of known length of one window (t,)."""
        states = [[Hypothesis.empty(place.stop - place.start)] for place in places]
        while open_ones := [at for at, state in enumerate(states) if HIDDEN in state[0].signs]:
            chances, _ = self.told(rows_of(row, places, states))
            steps = {at: _surest(states[at], chances[:, places[at].start : places[at].stop]) for at in open_ones}
            for at in _moving({at: chance for at, (_, chance) in steps.items()}):
                which = steps[at][0]
                states[at] = grown(states[at], which, chances[:, places[at].start + which], self.beam)
        return states

    def fill_unknown(self, text: Array, at: int) -> list[Hypothesis]:
        """Fill the gap of unknown length at a place of a text (t,)."""
        begin = max(0, min(at - self.window // 2, len(text) - self.window))
        row = text[begin : begin + self.window]
        _, lengths = self.told(row[None])
        told = lengths[0, at - begin]
        tried = np.argsort(-told)[:LENGTHS]
        found: list[Hypothesis] = []
        for length in (tried + 1).tolist():
            place = Place(at - begin, at - begin + length, True)
            widened = np.concatenate([row[: place.start], np.full(length, HIDDEN), row[place.start + 1 :]])
            cut = max(0, min(place.start - (self.window - length) // 2, len(widened) - self.window))
            inside = Place(place.start - cut, place.stop - cut, True)
            (some,) = self.fill(widened[cut : cut + self.window], [inside])
            found += [replace(one, score=one.score + float(told[length - 1])) for one in some]
        return sorted(found, key=lambda one: -one.score)[: self.beam]

    def likelihood(self, rows: Array, wanted: Array) -> float:
        """Give the mean log probability of what is wanted (b, t) of damaged texts, where it is a sign."""
        chances, _ = self.told(rows)
        where = wanted >= FIRST
        told = np.take_along_axis(chances, np.maximum(wanted, 0)[..., None], -1)[..., 0]
        return float(told[where].mean()) if where.any() else 0.0


def _numbers(values: Tensor) -> Array:
    found: Array = values.cpu().numpy()
    return found


def rows_of(row: Array, places: Sequence[Place], states: Sequence[list[Hypothesis]]) -> Array:
    """Give a window once for each rank of hypotheses, all gaps filled by those of that rank: (n, t)."""
    rows = np.repeat(row[None], max(map(len, states)), 0)
    for place, state in zip(places, states, strict=True):
        for number in range(len(rows)):
            rows[number, place.start : place.stop] = state[min(number, len(state) - 1)].signs
    return rows


def _surest(state: list[Hypothesis], chances: Array) -> tuple[int, float]:
    """Give which sign of a gap is to be filled in next: that of the first hypothesis whose chance is highest."""
    highest = [float(chances[0, at].max()) if sign == HIDDEN else -np.inf for at, sign in enumerate(state[0].signs)]
    at = int(np.argmax(highest))
    return at, highest[at]


def _moving(chances: dict[int, float]) -> list[int]:
    """Give the gaps that move on: the surer part of them, and all that are sure."""
    ranked = sorted(chances, key=lambda at: -chances[at])
    least = max(1, round(MOVING * len(ranked)))
    return [at for rank, at in enumerate(ranked) if rank < least or chances[at] > log(SURE)]


def grown(state: list[Hypothesis], at: int, chances: Array, beam: int) -> list[Hypothesis]:
    """Fill one more sign into each hypothesis (its chances in its row), and keep the likeliest."""
    found = []
    for number, one in enumerate(state):
        told = chances[number]
        best = np.argsort(-told)[:beam]
        found += [one.filled(at, sign, float(told[sign])) for sign in best.tolist() if told[sign] > -np.inf]
    return sorted(found, key=lambda one: -one.score)[:beam]


def shown_gaps(text: Sequence[int]) -> list[Place]:
    """Find the gaps of signs: runs of HIDDEN, and every GAP."""
    places: list[Place] = []
    for at, sign in enumerate(text):
        if sign == GAP:
            places.append(Place(at, at + 1, False))
        elif sign == HIDDEN and places and places[-1].known and places[-1].stop == at:
            places[-1] = Place(places[-1].start, at + 1, True)
        elif sign == HIDDEN:
            places.append(Place(at, at + 1, True))
    return places
