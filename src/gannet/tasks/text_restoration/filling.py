"""Filling gaps of a text: all gaps of a page side by side, the surest first.

A network looks at all gaps that are open, fillings are proposed for each, and those that are sure, or surer than others
near them, are filled; then it looks again at what is left. Of a gap of unknown length all lengths are tried, and
weighed by how likely the network holds each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from statistics import fmean
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from gannet.media.medium import Array
from gannet.runtime.processor import multiplies_bf16
from gannet.runtime.steps import Steps
from gannet.tasks._text.alternatives import Alternative
from gannet.tasks.text_restoration.alphabet import FIRST, GAP, HIDDEN, padded
from gannet.tasks.text_restoration.evidence import Evidence
from gannet.tasks.text_restoration.proposals import Proposals
from gannet.tasks.text_restoration.windows import Place, Window, windows_of

Item = TypeVar("Item")
LENGTHS = 20
"""Signs up to which a gap of unknown length is tried."""
PAGE, AT_ONCE = 64, 16
"""Windows that move on side by side, and those of them that a network is shown at once: what memory is needed does not
grow with the text."""
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
        steps: keeps what is filled of a long text.
        part: what is added to the names of these steps, in letters: a text may be filled in several languages.
    """

    network: nn.Module
    evidence: Evidence
    proposals: Proposals
    window: int
    language: int
    steps: Steps = field(default_factory=Steps)
    part: str = ""

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
        known = list(parts(windows_of([place for place in places if place.known], text, self.window), PAGE))
        for number, page in enumerate(known):
            filled = self.steps.take(f"known{self.part}", number, len(known), partial(self._filled, page))
            for window, ways in zip(page, filled, strict=True):
                self._take_over(window, ways)
                found |= {place: window.found[at] for at, place in enumerate(window.places)}
        unknown = list(parts([place for place in places if not place.known], PAGE))
        for number, some in enumerate(unknown):
            filled = self.steps.take(
                f"unknown{self.part}", number, len(unknown), partial(self._unknown_filled, text, some)
            )
            found |= {place: alternatives(ways) for place, ways in zip(some, filled, strict=True)}
        return [found[place] for place in places]

    def _filled(self, windows: Sequence[Window]) -> list[Any]:
        """Fill the gaps of windows; gives the ways to fill each as plain data."""
        self.fill(windows)
        return [[_plain(window.found[at]) for at in range(len(window.places))] for window in windows]

    def _unknown_filled(self, text: Array, places: Sequence[Place]) -> list[Any]:
        """Fill gaps of unknown length; gives the ways to fill each as plain data."""
        return [_plain(self.fill_unknown(text, place.start)) for place in places]

    def _take_over(self, window: Window, ways: Sequence[Any]) -> None:
        """Take for the ways to fill a window's gaps those that are given as plain data."""
        for at, some in enumerate(ways):
            best = alternatives(some)
            window.fill(at, best, self.proposals.alphabet.signs(best[0].text))

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
            ways[at] = self.proposals.between(left, right, [chances[window.inside(at)]])
        for at in window.next_ones({at: fmean(some[0].confidences) for at, some in ways.items()}):
            window.fill(at, ways[at], alphabet.signs(ways[at][0].text))

    def fill_unknown(self, text: Array, at: int) -> list[Alternative]:
        """Fill the gap of unknown length at a place of a text (t,)."""
        start = max(0, min(at - self.window // 2, len(text) - self.window))
        row = text[start : start + self.window]
        before, behind = row[: at - start], row[at - start + 1 :]
        _, lengths = self.told(row[None])
        tried = range(1, min(LENGTHS, self.longest, lengths.shape[-1]) + 1)
        rows = [np.concatenate([before, np.full(length, HIDDEN), behind]) for length in tried]
        chances = [one for some in parts(rows, AT_ONCE) for one in self.told(padded(some))[0]]
        gaps = [own[len(before) : len(before) + length] for own, length in zip(chances, tried, strict=True)]
        left, right = (self.proposals.alphabet.text(side.tolist()) for side in (before, behind))
        return self.proposals.between(left, right, gaps, lengths[0, at - start, : len(tried)])

    def likelihood(self, rows: Array, wanted: Array) -> float:
        """Give the mean log probability of what is wanted (b, t) of damaged texts, where it is a sign."""
        chances, _ = self.told(rows)
        where = wanted >= FIRST
        told = np.take_along_axis(chances, np.maximum(wanted, 0)[..., None], -1)[..., 0]
        return float(told[where].mean()) if where.any() else 0.0


def _plain(ways: Sequence[Alternative]) -> list[dict[str, Any]]:
    """Give the likeliest ways to fill a gap as plain data."""
    return [asdict(one) for one in ways[:KEPT]]


def alternatives(ways: Sequence[Mapping[str, Any]]) -> list[Alternative]:
    """Read ways to fill a gap from plain data."""
    return [Alternative(one["text"], one["probability"], tuple(one["confidences"])) for one in ways]


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
