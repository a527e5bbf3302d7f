"""Filling gaps of a text: all gaps of a page side by side, the surest first.

A network looks at all gaps that are open, fillings are proposed for each, and those that are sure, or surer than others
near them, are filled; then it looks again at what is left. Of a gap of unknown length several lengths are tried, and
weighed by how likely the network holds each.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp
from statistics import fmean
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from gannet.media.medium import Array
from gannet.runtime.processor import multiplies_bf16
from gannet.tasks._text.alternatives import Alternative
from gannet.tasks.text_restoration.alphabet import FIRST, GAP, HIDDEN, padded
from gannet.tasks.text_restoration.evidence import Evidence
from gannet.tasks.text_restoration.proposals import Proposals
from gannet.tasks.text_restoration.windows import Place, Window, windows_of

Item = TypeVar("Item")
LENGTHS = 4
"""Lengths of a gap of unknown length that are tried."""
PAGE, AT_ONCE, UNKNOWN_AT_ONCE = 64, 16, 16
"""Windows that move on side by side, those of them that a network is shown at once, and gaps of unknown length that are
filled side by side: what memory is needed does not grow with the text."""
KEPT = 64
"""Ways to fill a gap that are kept."""


@dataclass(frozen=True)
class Filler:
    """Fills gaps of texts by a network and what proposes fillings.

    Attributes:
        network: as `TextRestorer`.
        evidence: what n-grams tell it of each sign.
        proposals: what weighs whole fillings.
        window: signs that it is shown at a time.
        language: the number of the text's.
    """

    network: nn.Module
    evidence: Evidence
    proposals: Proposals
    window: int
    language: int

    @property
    def longest(self) -> int:
        """Signs of the longest gap that leaves enough of a window to tell it by."""
        return max(1, self.window // 2)

    @torch.inference_mode()
    def told(self, rows: Array) -> tuple[Array, Array]:
        """Give the log probabilities of signs (b, t, signs), none of those that are no character, and of lengths."""
        device = next(self.network.parameters()).device
        given = torch.from_numpy(rows).to(device)
        languages = torch.full((len(rows),), self.language, device=device)
        # Twice as fast where the processor can, and a few hundredths of a nat apart.
        fast = device.type == "cpu" and multiplies_bf16()
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            signs, lengths = self.network(given, languages, self.evidence.told(given, languages))
        signs = signs.float()
        signs[..., :FIRST] = -torch.inf
        told: tuple[Array, ...] = tuple(one.float().log_softmax(-1).cpu().numpy() for one in (signs, lengths))
        return told[0], told[1]

    def restore(self, signs: Sequence[int], places: Sequence[Place]) -> list[list[Alternative]]:
        """Fill all gaps of a text, those of known length first; gives the ways to fill each, the likeliest first."""
        text = np.array(signs, np.int64)
        found: dict[Place, list[Alternative]] = {}
        known = windows_of([place for place in places if place.known], text, self.window)
        for page in parts(known, PAGE):
            self.fill(page)
            found |= {place: window.found[at][:KEPT] for window in page for at, place in enumerate(window.places)}
        for some in parts([place for place in places if not place.known], UNKNOWN_AT_ONCE):
            found |= dict(zip(some, self.fill_unknown(text, [place.start for place in some]), strict=True))
        return [found[place] for place in places]

    def fill(self, windows: Sequence[Window]) -> None:
        """Fill the gaps of windows, side by side."""
        while opened := [window for window in windows if window.open]:
            for some in parts(opened, AT_ONCE):
                chances, _ = self.told(padded([window.row for window in some]))
                for window, own in zip(some, chances, strict=True):
                    self._advance(window, own)

    def _advance(self, window: Window, chances: Array) -> None:
        """Fill the surest gaps of a window by what the network says of it, log probabilities (t, signs)."""
        alphabet, ways = self.proposals.alphabet, dict[int, list[Alternative]]()
        for at in window.open:
            place = window.places[at]
            sides = window.text[max(0, place.start - self.window) : place.start], window.text[place.stop :]
            left, right = (alphabet.text(side.tolist()) for side in (sides[0], sides[1][: self.window]))
            ways[at] = self.proposals.between(left, right, chances[window.inside(at)])
        for at in window.next_ones({at: fmean(some[0].confidences) for at, some in ways.items()}):
            window.fill(at, ways[at], alphabet.signs(ways[at][0].text))

    def fill_unknown(self, text: Array, places: Sequence[int]) -> list[list[Alternative]]:
        """Fill the gaps of unknown length at places of a text (t,)."""
        starts = [max(0, min(at - self.window // 2, len(text) - self.window)) for at in places]
        rows = np.stack([text[start : start + self.window] for start in starts])
        _, lengths = self.told(rows)
        told = [row[at - start, : self.longest] for row, at, start in zip(lengths, places, starts, strict=True)]
        tried = [
            self._tried(row, at - start, chances)
            for row, at, start, chances in zip(rows, places, starts, told, strict=True)
        ]
        self.fill([window for some in tried for window in some.values()])
        return [
            mixed({length: window.found[0] for length, window in some.items()}, chances)[:KEPT]
            for some, chances in zip(tried, told, strict=True)
        ]

    def _tried(self, row: Array, at: int, lengths: Array) -> dict[int, Window]:
        """Give a window for each of the likeliest lengths of the gap at a place of a row (t,)."""
        found = {}
        for length in (np.argsort(-lengths, kind="stable")[:LENGTHS] + 1).tolist():
            widened = np.concatenate([row[:at], np.full(length, HIDDEN), row[at + 1 :]])
            (found[length],) = windows_of([Place(at, at + length, True)], widened, self.window)
        return found

    def likelihood(self, rows: Array, wanted: Array) -> float:
        """Give the mean log probability of what is wanted (b, t) of damaged texts, where it is a sign."""
        chances, _ = self.told(rows)
        where = wanted >= FIRST
        told = np.take_along_axis(chances, np.maximum(wanted, 0)[..., None], -1)[..., 0]
        return float(told[where].mean()) if where.any() else 0.0


def mixed(found: dict[int, list[Alternative]], lengths: Array) -> list[Alternative]:
    """Give the fillings of all lengths of a gap, the likeliest first.

    A character is as sure as it is at its place whatever the length is.

    Args:
        found: all fillings of each length that is tried.
        lengths: the log probability of each length, from 1 on.
    """
    shares = {length: exp(float(lengths[length - 1])) for length in found}
    every = [(shares[length] * one.probability, one.text) for length, some in found.items() for one in some]
    sure: defaultdict[tuple[int, str], float] = defaultdict(float)
    for probability, text in every:
        for place in enumerate(text):
            sure[place] += probability
    every.sort(key=lambda one: (-one[0], one[1]))
    return [
        Alternative(text, probability, tuple(min(1.0, sure[place]) for place in enumerate(text)))
        for probability, text in every
    ]


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Give a sequence in parts of a size, the last one shorter."""
    return (items[at : at + size] for at in range(0, len(items), size))


def shown_gaps(text: Sequence[int], longest: int) -> list[Place]:
    """Find the gaps of signs: runs of HIDDEN, of at most so many each, and every GAP."""
    places: list[Place] = []
    for at, sign in enumerate(text):
        last = places[-1] if places else Place(0, 0, False)
        if sign == GAP:
            places.append(Place(at, at + 1, False))
        elif sign == HIDDEN and last.known and last.stop == at and at - last.start < longest:
            places[-1] = Place(last.start, at + 1, True)
        elif sign == HIDDEN:
            places.append(Place(at, at + 1, True))
    return places
