"""A character n-gram that looks both ways: what stands before a gap and what stands behind it have an equal say."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gannet.tasks._text.alternatives import Alternative
from gannet.tasks._text.gaps import LOST, LOST_SOME
from gannet.tasks._text.ngram_counts import (
    BREAK,
    BYTE,
    LARGEST,
    Discounting,
    Floats,
    Interpolated,
    count_orders,
)

LINE_END = "\n"
MOST = 254
"""Characters of the largest alphabet: a byte holds them, the line end and BREAK."""
REACH = LARGEST - 1
"""Characters of a history."""
Rows = NDArray[np.uint8]


@dataclass(frozen=True)
class Settings:
    """How an n-gram learns and searches.

    Attributes:
        order: characters of the longest n-gram, 2 to 8.
        discounting: how much is left to shorter histories.
        beam: beginnings and ends of a filling that are kept at each step.
        scored: fillings whose probability is taken exactly, of each length.
        sharpness: the power to which the mean of both ways is raised.
        fading: the power of the characters that are lost by which sharpness is divided: the longer a gap, the more of
            what may stand there is not among what the search finds, unless it is a formula.
        longest: characters of the longest filling of a gap of unknown length.
    """

    order: int = 8
    discounting: Discounting = "witten-bell"
    beam: int = 64
    scored: int = 256
    sharpness: float = 0.8
    fading: float = 1.0
    longest: int = 20


CHOSEN: Mapping[str, Settings] = {"latin": Settings(fading=0.25)}
"""Of a language of inscriptions, which are made of formulae as verses and plays are not."""


class Ngram:
    """A model of both directions, learned from texts.

    Args:
        texts: normalized; whatever is no character of the alphabet, LOST and LOST_SOME among them, is not learned
            across. A text begins and ends with a line.
    """

    def __init__(self, texts: Iterable[str], settings: Settings | None = None) -> None:
        whole = "\x00".join(f"\n{text.strip(LINE_END)}\n" for text in texts)
        self.alphabet = _alphabet(whole)
        self._numbers = {character: at for at, character in enumerate(self.alphabet)}
        sequence = self._encode(whole)
        most = (settings or Settings()).order
        self._counted = [count_orders(way, most) for way in (sequence, sequence[::-1])]
        self._set(settings or Settings())

    def _set(self, settings: Settings) -> None:
        assert 2 <= settings.order <= len(self._counted[0]), "an n-gram is of 2 characters to as many as were counted"
        self.settings = settings
        self.forward, self.backward = (
            Interpolated(way[: settings.order], len(self.alphabet), settings.discounting) for way in self._counted
        )

    @property
    def characters(self) -> str:
        """What a gap may be filled with."""
        return "".join(self.alphabet[2:])

    def with_settings(self, settings: Settings) -> "Ngram":
        """Give the same counts under other settings, of no higher order."""
        other = copy(self)
        other._set(settings)
        return other

    def _encode(self, text: str) -> Rows:
        table = np.zeros(0x110000, np.uint8)
        table[[ord(one) for one in self.alphabet[1:]]] = np.arange(1, len(self.alphabet))
        return table[np.frombuffer(text.encode("utf-32-le"), np.uint32)]

    def log_probabilities(self, left: str, right: str) -> Floats:
        """Give the log probability of each character of `alphabet` between two contexts; -inf of what is none."""
        candidates = np.arange(1, len(self.alphabet), dtype=np.uint8)[:, None]
        scores = self._scores(candidates, self._near(left[-REACH:], -1), self._near(right[:REACH], 1))
        return np.concatenate([[-np.inf], _log_softmax(self.settings.sharpness * scores)])

    def fill(self, left: str, length: int | None, right: str, count: int) -> list[Alternative]:
        """Fill a gap by a search; see `Restorer.fill`. Before what stands around is known, lengths are as likely."""
        lengths = range(1, self.settings.longest + 1) if length is None else range(length, length + 1)
        found = [one for some in self.search(left, lengths, right) for one in some]
        return ranked(found, self.settings, count)

    def scores(self, texts: Sequence[str], left: str, right: str) -> Floats:
        """Give the same log probabilities of texts (b,) of one length; of an unknown character that of none."""
        if not texts:
            return np.empty(0)
        rows = np.array([[self._numbers.get(one, BREAK) for one in text] for text in texts], np.uint8)
        return self._scores(rows, self._near(left[-REACH:], -1), self._near(right[:REACH], 1))

    def search(self, left: str, lengths: range, right: str) -> Iterator[list[tuple[str, float]]]:
        """Find fillings of each of some lengths, with their log probabilities up to a constant, in no order.

        Beginnings found by a beam from the left are joined with ends found from the right at every place, and those
        joined are scored exactly. Fillings hold no line end.
        """
        sides = self._near(left[-REACH:], -1), self._near(right[:REACH], 1)
        begun = self._beam(self.forward, sides[0], lengths[-1])
        ended = self._beam(self.backward, sides[1][::-1], lengths[-1])
        for one in lengths:
            candidates = _joined(begun, ended, one, self.settings.scored)
            scores = self._scores(candidates, *sides)
            yield list(zip(map(self._decode, candidates), scores.tolist(), strict=True))

    def _near(self, context: str, towards: int) -> Rows:
        """Give what is known of a context next to a gap: nothing beyond a character that is lost or unknown."""
        numbers = [self._numbers.get(one, BREAK) for one in context[::towards]]
        known = numbers[: numbers.index(BREAK)] if BREAK in numbers else numbers
        return np.array(known[::towards], np.uint8)

    def _decode(self, row: Rows) -> str:
        return "".join(self.alphabet[number] for number in row)

    def _beam(self, way: Interpolated, history: Rows, steps: int) -> list[tuple[Rows, Floats]]:
        """Give the likeliest sequences (b, i) of i = 0, 1, ... characters after a history, with log probabilities."""
        packed = np.array([_packed(history)], np.uint64)
        found = [(np.zeros((1, 0), np.uint8), np.zeros(1))]
        banned = [BREAK, self._numbers[LINE_END]]
        for _ in range(steps):
            rows, before = found[-1]
            with np.errstate(divide="ignore"):
                logs = before[:, None] + np.log(way.rows(packed))
            logs[:, banned] = -np.inf
            best = _largest(logs.ravel(), min(self.settings.beam, logs.shape[0] * (logs.shape[1] - len(banned))))
            parents, characters = np.divmod(best, logs.shape[1])
            found.append((np.column_stack([rows[parents], characters.astype(np.uint8)]), logs.ravel()[best]))
            packed = ((packed[parents] << np.uint64(BYTE)) | characters.astype(np.uint64)) & _HISTORY
        return found

    def _scores(self, candidates: Rows, left: Rows, right: Rows) -> Floats:
        """Give the mean of what both ways say of each candidate (b, l) together with what it must lead to."""
        rows = [np.broadcast_to(side, (len(candidates), len(side))) for side in (left, right)]
        line = np.concatenate([rows[0], candidates, rows[1]], 1)
        after = self._log_likelihood(self.forward, line, len(left))
        before = self._log_likelihood(self.backward, line[:, ::-1], len(right))
        return (after + before) / 2

    def _log_likelihood(self, way: Interpolated, line: Rows, given: int) -> Floats:
        """Sum the log probabilities of each line's (b, n) characters from place `given` on."""
        history = np.zeros(len(line), np.uint64)
        keys = np.empty((len(line), line.shape[1]), np.uint64)
        for at in range(line.shape[1]):
            keys[:, at] = history = (history << np.uint64(BYTE)) | line[:, at]
        different, places = np.unique(keys[:, given:], return_inverse=True)
        logs = np.log(way.of(different >> np.uint64(BYTE), different & np.uint64(255)))
        sums: Floats = logs[places.reshape(len(line), -1)].sum(1)
        return sums


_HISTORY = np.uint64((1 << (BYTE * REACH)) - 1)


def _alphabet(text: str) -> tuple[str, ...]:
    counted = Counter(text)
    for none in ("\x00", LOST, LOST_SOME, LINE_END):
        counted.pop(none, None)
    common = sorted(counted, key=lambda one: (-counted[one], one))[:MOST]
    return ("", LINE_END, *common)


def _packed(history: Sequence[int] | Rows) -> int:
    number = 0
    for one in history:
        number = (number << BYTE) | int(one)
    return number


def _largest(values: Floats, count: int) -> NDArray[np.int64]:
    best = np.argpartition(-values, count - 1)[:count]
    return best[np.argsort(-values[best], kind="stable")]


def _joined(begun: Sequence[tuple[Rows, Floats]], ended: Sequence[tuple[Rows, Floats]], length: int, most: int) -> Rows:
    """Join beginnings and ends of a length at every place, and give the different ones (b, length) that look best.

    Each place where they are joined gives as many as any other, since what they say of it does not compare.
    """
    each = max(1, most // (length + 1))
    kept = []
    for at in range(length + 1):
        (heads, before), (tails, behind) = begun[at], ended[length - at]
        scores = (before[:, None] + behind[None]).ravel()
        head, tail = np.divmod(_largest(scores, min(each, len(scores))), len(tails))
        kept.append(np.concatenate([heads[head], tails[tail][:, ::-1]], 1))
    return np.unique(np.concatenate(kept), axis=0)


def _log_softmax(scores: Floats) -> Floats:
    least = scores - scores.max()
    result: Floats = least - np.log(np.exp(least).sum())
    return result


def ranked(found: Sequence[tuple[str, float]], settings: Settings, count: int) -> list[Alternative]:
    """Rank fillings by their scores, and say how likely each is among all, and each of its characters.

    Args:
        found: texts and log probabilities, up to a constant.
        settings: whose sharpness and fading hold, by the characters of the likeliest text.
        count: fillings that are given at most.
    """
    order = sorted(found, key=lambda one: (-one[1], one[0]))
    power = settings.sharpness / max(1, len(order[0][0])) ** settings.fading
    shares = np.exp(_log_softmax(power * np.array([score for _, score in order])))
    sure: Counter[tuple[int, str]] = Counter()
    for (text, _), share in zip(order, shares.tolist(), strict=True):
        sure.update(dict.fromkeys(enumerate(text), share))
    return [
        Alternative(text, share, tuple(min(1.0, sure[place]) for place in enumerate(text)))
        for (text, _), share in zip(order[:count], shares.tolist(), strict=False)
    ]
