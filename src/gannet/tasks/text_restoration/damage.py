"""Damage that is learned from: characters, words, spans and half lines of texts that are hidden from a network."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gannet.augmentation.draws import Draws
from gannet.media.medium import Array
from gannet.tasks.text_restoration.alphabet import FIRST, GAP, HIDDEN, LINE, PADDING, Alphabet

KINDS = {"spans": 0.4, "words": 0.3, "characters": 0.15, "half lines": 0.15}
"""How often each kind of damage is done to a text; one kind to each."""
LEAST, MOST = 0.1, 0.6
"""The share of a text that is hidden, drawn between."""
MEAN_SPAN, LONGEST_SPAN = 6.0, 40
"""Signs of a span: their mean and the most; lengths are geometric."""
CONTRACTED, REPLACED = 0.25, 0.02
"""The share of gaps that are shown as being of unknown length, and of what is left that is shown as another sign."""
NOTHING = -100
"""Stands where there is nothing to tell; PyTorch's losses pass it over."""
Random = np.random.Generator
Mask = npt.NDArray[np.bool_]


class Damaged(NamedTuple):
    """Texts as a network is shown them, and what it should tell.

    Attributes:
        shown: signs (b, t).
        wanted: the sign that each of them should be, (b, t), `NOTHING` where that is known.
        lengths: one less than the length of each gap of unknown length, (b, t), `NOTHING` elsewhere.
    """

    shown: Tensor
    wanted: Tensor
    lengths: Tensor

    @property
    def filled(self) -> Tensor:
        """Where a network fills something in, (b, t)."""
        return (self.shown == HIDDEN) & (self.wanted != NOTHING)


@dataclass(frozen=True)
class Damage:
    """How texts are damaged.

    Attributes:
        reach: signs of the longest gap of unknown length.
        contracted: the share of gaps that are shown as such.
        replaced: the share of signs beside them that are shown as others.
    """

    reach: int
    contracted: float = CONTRACTED
    replaced: float = REPLACED

    def __call__(self, signs: Tensor, draws: Draws) -> Damaged:
        """Damage texts (b, t) as numbers are drawn for each."""
        seeds = (draws.on_processor().uniform(2).double() * 2**24).long().tolist()
        rows = [
            self.damaged(row, np.random.default_rng(seed)) for row, seed in zip(signs.cpu().numpy(), seeds, strict=True)
        ]
        found = (torch.from_numpy(np.stack(part)).to(signs.device) for part in zip(*rows, strict=True))
        return Damaged(*found)

    def damaged(self, row: Array, random: Random) -> tuple[Array, Array, Array]:
        """Damage one text (t,); see `Damaged`."""
        hidden = hidden_signs(row, random) & (row >= FIRST)
        shown, wanted = row.copy(), np.full(len(row), NOTHING)
        wanted[hidden], shown[hidden] = row[hidden], HIDDEN
        others = (row >= FIRST) & ~hidden & (random.random(len(row)) < self.replaced)
        if others.any():
            wanted[others] = row[others]
            shown[others] = random.choice(row[row >= FIRST], others.sum())
        return self._contracted(shown, wanted, hidden, random)

    def _contracted(self, shown: Array, wanted: Array, hidden: Mask, random: Random) -> tuple[Array, Array, Array]:
        """Show some gaps as one sign, whose length is to be told; what follows moves up."""
        lengths, kept = np.full(len(shown), NOTHING), np.ones(len(shown), np.bool_)
        for start, stop in runs(hidden):
            if stop - start <= self.reach and random.random() < self.contracted:
                shown[start], wanted[start], lengths[start] = GAP, NOTHING, stop - start - 1
                kept[start + 1 : stop] = False
        left = len(shown) - kept.sum()
        ends = (PADDING, NOTHING, NOTHING)
        rows = (np.pad(row[kept], (0, left), constant_values=end) for row, end in zip((shown, wanted, lengths), ends))  # noqa: B905
        first, second, third = rows
        return first, second, third


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Give the beginning and the end of each run of a mask (t,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def hidden_signs(row: Array, random: Random) -> Mask:
    """Choose what is hidden of a text (t,): signs, words, spans or half lines."""
    length = int((row != PADDING).sum())
    kind, share = random.choice(list(KINDS), p=list(KINDS.values())), random.uniform(LEAST, MOST)
    hidden = np.zeros(len(row), np.bool_)
    if kind == "characters":
        return random.random(len(row)) < share
    if kind == "spans":
        for start, stop in _spans(length, share, random):
            hidden[start:stop] = True
        return hidden
    parts = _words(row[:length]) if kind == "words" else _halves(row[:length], random)
    for start, stop in parts:
        hidden[start:stop] = random.random() < share
    return hidden


def _spans(length: int, share: float, random: Random) -> list[tuple[int, int]]:
    count = max(1, round(length * share / MEAN_SPAN))
    sizes = np.minimum(random.geometric(1 / MEAN_SPAN, count), LONGEST_SPAN)
    starts = random.integers(0, max(1, length), count)
    return [(start, min(length, start + size)) for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)]


def _words(row: Array) -> list[tuple[int, int]]:
    """Give the places of words in any alphabet: what lies between its first sign, the space, and line ends."""
    return runs((row != FIRST) & (row != LINE))


def _halves(row: Array, random: Random) -> list[tuple[int, int]]:
    """Give a half of each line, up to `LONGEST_SPAN` signs."""
    found = []
    for start, stop in runs(row != LINE):
        middle = (start + stop) // 2
        found.append((start, min(middle, start + LONGEST_SPAN)) if random.random() < 0.5 else (middle, stop))
    return [(start, min(stop, start + LONGEST_SPAN)) for start, stop in found]


def fixed_damage(signs: Tensor, alphabet: Alphabet, reach: int) -> Damaged:
    """Damage texts (b, t) always in the same way, to watch a run by; nothing is replaced."""
    assert int(signs.max()) < len(alphabet), "signs of another alphabet"
    damage = Damage(reach, replaced=0.0)
    rows = [damage.damaged(row, np.random.default_rng(number)) for number, row in enumerate(signs.cpu().numpy())]
    return Damaged(*(torch.from_numpy(np.stack(part)).to(signs.device) for part in zip(*rows, strict=True)))
