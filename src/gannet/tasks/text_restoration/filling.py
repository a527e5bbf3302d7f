"""Filling gaps of a text: by a beam over what a network says, all gaps of a page side by side.

In every pass a gap moves on by its surest sign, and by all others that are sure; it waits where one near it is surer,
for what is filled in there. Of a gap of unknown length several lengths are tried, and weighed by how likely the network
holds each. How sure a sign is, is what the network says of it while nothing is filled in yet: of what is guessed later
nobody knows whether it is right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from gannet.media.medium import Array
from gannet.runtime.processor import multiplies_bf16
from gannet.tasks.text_restoration.alphabet import FIRST, GAP, HIDDEN, padded
from gannet.tasks.text_restoration.evidence import Evidence
from gannet.tasks.text_restoration.windows import Hypothesis, Place, Window, windows_of

Item = TypeVar("Item")
LENGTHS = 4
"""Lengths of a gap of unknown length that are tried."""
PAGE, AT_ONCE, UNKNOWN_AT_ONCE = 32, 8, 8
"""Windows that move on side by side, those of them that a network is shown at once, and gaps of unknown length that are
filled side by side: what memory is needed does not grow with the text."""


@dataclass(frozen=True)
class Filler:
    """Fills gaps of texts by a network.

    Attributes:
        network: as `TextRestorer`.
        evidence: what n-grams tell beside it.
        window: signs that it is shown at a time.
        language: the number of the text's.
        temperature: by which logits are divided.
        beam: hypotheses of a gap that are kept.
    """

    network: nn.Module
    evidence: Evidence
    window: int
    language: int
    temperature: float = 1.0
    beam: int = 5

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
        signs = signs.float() / self.temperature
        signs[..., :FIRST] = -torch.inf
        return _numbers(signs.log_softmax(-1)), _numbers(lengths.float().log_softmax(-1))

    def restore(self, signs: Sequence[int], places: Sequence[Place]) -> list[list[Hypothesis]]:
        """Fill all gaps of a text, those of known length first; gives the hypotheses of each, the likeliest first."""
        text = np.array(signs, np.int64)
        found: dict[Place, list[Hypothesis]] = {}
        known = windows_of([place for place in places if place.known], text, self.window)
        for page in parts(known, PAGE):
            self.fill(page)
            for window in page:
                found |= dict(zip(window.places, window.hypotheses(), strict=True))
        for some in parts([place for place in places if not place.known], UNKNOWN_AT_ONCE):
            found |= dict(zip(some, self.fill_unknown(text, [place.start for place in some]), strict=True))
        return [found[place] for place in places]

    def fill(self, windows: Sequence[Window]) -> None:
        """Fill the gaps of windows, side by side."""
        while opened := [window for window in windows if window.open]:
            for some in parts(opened, AT_ONCE):
                rows = [window.rows() for window in some]
                chances, _ = self.told(padded([row for part in rows for row in part]))
                stops = np.cumsum([len(part) for part in rows])
                for window, own in zip(some, np.split(chances, stops[:-1]), strict=True):
                    window.advance(own, self.beam)

    def fill_unknown(self, text: Array, places: Sequence[int]) -> list[list[Hypothesis]]:
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
        return [mixed(some, chances)[: self.beam] for some, chances in zip(tried, told, strict=True)]

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


def mixed(windows: dict[int, Window], lengths: Array) -> list[Hypothesis]:
    """Give the hypotheses of all lengths of a gap, the likeliest first.

    A sign is as sure as it is at its place whatever the length is.

    Args:
        windows: by the length that is tried, each with one gap.
        lengths: the log probability of each length, from 1 on.
    """
    shares = {length: exp(float(lengths[length - 1])) for length in windows}
    marginals = {length: np.exp(window.first[0]) for length, window in windows.items()}

    def chance(at: int, sign: int) -> float:
        return sum(shares[length] * float(marginals[length][at, sign]) for length in windows if length > at)

    found = [
        replace(
            one,
            score=one.score + float(lengths[length - 1]),
            chances=tuple(chance(at, sign) for at, sign in enumerate(one.signs)),
        )
        for length, window in windows.items()
        for one in window.hypotheses()[0]
    ]
    return sorted(found, key=lambda one: -one.score)


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Give a sequence in parts of a size, the last one shorter."""
    return (items[at : at + size] for at in range(0, len(items), size))


def _numbers(values: Tensor) -> Array:
    found: Array = values.cpu().numpy()
    return found


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
