"""Counts of character n-grams in sorted arrays, and the probabilities that interpolation makes of them.

An n-gram of up to eight characters is one number of 64 bits, a byte a character: its history above, the character that
is predicted in the lowest byte, and the nearest character of the history next to it. A shorter history is the same
number with its upper bytes cut off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

BREAK = 0
"""The character that is none: unknown, lost, or between two texts. No n-gram that is counted holds it."""
BYTE, LARGEST = 8, 8
"""Bits of a character, and characters of the longest n-gram."""
Numbers: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]
Discounting: TypeAlias = Literal["witten-bell", "absolute"]


@dataclass(frozen=True)
class Order:
    """What was counted of n-grams of one length.

    Attributes:
        keys: (n,) the n-grams, sorted.
        counts: (n,) of each.
        histories: (h,) the n-grams without their last character, sorted.
        starts: (h + 1,) where in `keys` those of each history begin.
        totals: (h,) the counts of each history.
    """

    keys: Numbers
    counts: NDArray[np.float32]
    histories: Numbers
    starts: NDArray[np.int64]
    totals: Floats

    @classmethod
    def of(cls, keys: Numbers, counts: NDArray[np.float32]) -> "Order":
        """Arrange n-grams that are sorted by histories."""
        histories = keys >> np.uint64(BYTE)
        starts = _changes(histories)
        totals = np.add.reduceat(counts, starts) if len(starts) else np.empty(0)
        return cls(keys, counts, histories[starts], np.append(starts, len(keys)), totals.astype(float))

    @property
    def discount(self) -> float:
        """Give what absolute discounting takes from each count (Ney, Essen and Kneser, 1994, equation 25)."""
        once, twice = np.sum(self.counts == 1), np.sum(self.counts == 2)
        return float(once / (once + 2 * twice)) if once else 0.5

    def weights(self, discounting: Discounting) -> tuple[Floats, Floats]:
        """Give the weight of the shorter history, and what each count is divided by, of each history (h,)."""
        return self.weights_of(self.totals, np.diff(self.starts).astype(float), discounting)

    def weights_of(self, totals: Floats, types: Floats, discounting: Discounting) -> tuple[Floats, Floats]:
        """Give the same of histories by their counts and by how many characters follow them, each (h,)."""
        if discounting == "absolute":
            return self.discount * types / totals, totals
        return types / (totals + types), totals + types  # Witten and Bell, 1991, method C.


def count_orders(sequence: NDArray[np.uint8], order: int) -> list[Order]:
    """Count all n-grams of a sequence up to so many characters; of the sequence turned round for what looks back.

    All windows of `order` characters are sorted once: the beginnings of any length then stand in order as well.

    Args:
        sequence: (length,) characters by number, BREAK where nothing is to be counted across.
        order: 1 to 8.
    """
    padded = np.append(sequence, np.zeros(order, np.uint8))
    windows = np.zeros(len(sequence), np.uint64)
    for at in range(order):
        windows = (windows << np.uint64(BYTE)) | padded[at : at + len(sequence)]
    windows.sort()
    return [_beginnings(windows >> np.uint64(BYTE * (order - length)), length) for length in range(1, order + 1)]


def _beginnings(keys: Numbers, length: int) -> Order:
    starts = _changes(keys)
    found, counts = keys[starts], np.diff(np.append(starts, len(keys)))
    whole = np.ones(len(found), bool)
    for at in range(length):
        whole &= (found >> np.uint64(BYTE * at)) & np.uint64(255) != BREAK
    return Order.of(found[whole], counts[whole].astype(np.float32))


def _changes(numbers: Numbers) -> NDArray[np.int64]:
    """Give where a sorted array begins and where it changes."""
    return np.flatnonzero(np.append(numbers[:1] == numbers[:1], numbers[1:] != numbers[:-1]))


class Interpolated:
    """The probability of a character after a history: every shorter history has its part in it.

    Args:
        orders: of n-grams of 1, 2, ... characters.
        size: characters there are, BREAK included, to which nothing is given.
        discounting: how much is left to shorter histories.
    """

    def __init__(self, orders: list[Order], size: int, discounting: Discounting) -> None:
        self.size, self._discounting = size, discounting
        self._orders = [(one, *one.weights(discounting)) for one in orders]
        self._off: Mapping[int, float] = {
            at: one.discount if discounting == "absolute" else 0.0 for at, one in enumerate(orders)
        }

    def rows(self, histories: Numbers) -> Floats:
        """Give the probabilities of all characters (b, size) after each history (b,)."""
        given = np.full((len(histories), self.size), 1 / (self.size - 1))
        given[:, BREAK] = 0
        for at, (order, lower, divisor) in enumerate(self._orders):
            rows, places = _find(order.histories, histories & _mask(at))
            given[rows] *= lower[places, None]
            which, keys = _following(order, places)
            characters = (order.keys[keys] & np.uint64(255)).astype(np.int64)
            given[rows[which], characters] += (order.counts[keys] - self._off[at]) / divisor[places[which]]
        return given

    def rows_without(self, histories: Numbers, own: Numbers) -> Floats:
        """Give the same as if one occurrence of a character of each (b,) after its history had not been counted.

        So a text that was counted is told as one that was not (Ney, Essen and Kneser, 1994, section 3, "leaving one
        out").
        """
        given = np.full((len(histories), self.size), 1 / (self.size - 1))
        given[:, BREAK] = 0
        for at, (order, _, _) in enumerate(self._orders):
            rows, places = _find(order.histories, histories & _mask(at))
            which, keys = _following(order, places)
            characters = order.keys[keys] & np.uint64(255)
            left = order.counts[keys] - (characters == own[rows[which]])
            totals, types = (np.bincount(which, one, len(rows)).astype(float) for one in (left, left > 0))
            known = totals > 0
            lower, divisor = order.weights_of(np.maximum(totals, 1), types, self._discounting)
            given[rows[known]] *= lower[known, None]
            added = np.where(left > 0, left - self._off[at], 0) / divisor[which]
            given[rows[which], characters.astype(np.int64)] += added
        return given

    def of(self, histories: Numbers, characters: Numbers) -> Floats:
        """Give the probability of a character (b,) after each history (b,)."""
        given = np.full(len(histories), 1 / (self.size - 1))
        for at, (order, lower, divisor) in enumerate(self._orders):
            short = histories & _mask(at)
            rows, places = _find(order.histories, short)
            given[rows] *= lower[places]
            seen, keys = _find(order.keys, (short[rows] << np.uint64(BYTE)) | characters[rows])
            given[rows[seen]] += (order.counts[keys] - self._off[at]) / divisor[places[seen]]
        return given


def _mask(characters: int) -> np.uint64:
    return np.uint64((1 << (BYTE * characters)) - 1)


def _following(order: Order, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give all n-grams of histories at some places (b,): which of those each is of, and where it is in `keys`, (n,)."""
    first, counts = order.starts[places], order.starts[places + 1] - order.starts[places]
    which = np.repeat(np.arange(len(places)), counts)
    return which, np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(len(which))


def _find(sorted_numbers: Numbers, wanted: Numbers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give which of the wanted numbers are there, and where."""
    if not len(sorted_numbers):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    places = np.searchsorted(sorted_numbers, wanted)
    places[places == len(sorted_numbers)] = 0
    rows = np.flatnonzero(sorted_numbers[places] == wanted)
    return rows, places[rows]
