"""Ways to fill a gap of known length: found by an n-gram's search, weighed by it and by a network together.

An n-gram's search finds whole words and formulae, and takes the probability of each together with what stands behind it
exactly; a network tells of each sign by itself what fits all of the text. The logarithms of both are added, as in
mixtures of models (Hinton, 2002, "Training Products of Experts", section 2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from gannet.media.medium import Array
from gannet.tasks._text.alternatives import Alternative
from gannet.tasks._text.ngram import REACH, Ngram, Settings, ranked
from gannet.tasks._text.ngram_counts import Floats
from gannet.tasks.text_restoration.alphabet import FIRST, Alphabet

OWN = 16
"""Fillings that the network finds by itself."""
TRUST = 0.5
"""How much the network's word weighs beside the n-gram's."""
SHARPNESS = 0.55
"""The power to which both together are raised, as the n-gram alone is."""
LEAST = -30.0
"""The logarithm of the least chance that counts."""


@dataclass(frozen=True)
class Proposals:
    """Proposes fillings.

    Attributes:
        alphabet: of the network's signs.
        ngram: of the text's language; None where nothing of it was learned.
        fading: how much less sure longer fillings are; see `Settings`.
        temperature: above 1 all are less sure, below it more.
    """

    alphabet: Alphabet
    ngram: Ngram | None
    fading: float = 1.0
    temperature: float = 1.0

    @cached_property
    def searched(self) -> Callable[[str, range, str], list[list[tuple[str, float]]]]:
        """What the n-gram finds, once for the same surroundings."""
        ngram = self.ngram
        return cache(lambda left, lengths, right: list(ngram.search(left, lengths, right)) if ngram else [])

    def between(
        self, left: str, right: str, chances: Sequence[Array], lengths: Array | None = None
    ) -> list[Alternative]:
        """Give all that was found for a gap, the likeliest first.

        Args:
            left, right: what is read before and behind it.
            chances: what the network says of its signs, log probabilities (length, signs), for each length that it may
                have, each one longer than the one before.
            lengths: the log probability of each of them; None where there is but one.
        """
        left, right = left[-REACH:], right[:REACH]
        every = range(len(chances[0]), len(chances[-1]) + 1)
        told = np.zeros(len(every)) if lengths is None else lengths
        searched = self.searched(left, every, right) or [[] for _ in every]
        found = [
            (text, score + likely)
            for own, some, likely in zip(chances, searched, told.tolist(), strict=True)
            for text, score in self._weighed(left, right, own, dict(some))
        ]
        return ranked(found, Settings(sharpness=SHARPNESS / self.temperature, fading=self.fading), len(found))

    def _weighed(self, left: str, right: str, chances: Array, found: dict[str, float]) -> list[tuple[str, float]]:
        """Give what both say of fillings of one length: of those found by the n-gram, and of the network's own."""
        own = [self.alphabet.text(row) for row in likeliest(chances, OWN)]
        if self.ngram:
            new = [text for text in own if text not in found]
            found |= dict(zip(new, self.ngram.scores(new, left, right).tolist(), strict=True))
        else:
            found = dict.fromkeys(own, 0.0)
        rows = np.array([self.alphabet.signs(text) for text in found])
        told = np.maximum(chances[np.arange(len(chances)), rows], LEAST).sum(1)
        fit: list[bool] = np.all(rows >= FIRST, axis=1).tolist()
        scored = zip(found, (np.array([*found.values()]) + TRUST * told).tolist(), fit, strict=True)
        return [(text, score) for text, score, fits in scored if fits]


def likeliest(chances: Array, count: int) -> Array:
    """Give the likeliest sequences of signs (n, length), were each drawn by itself.

    Args:
        chances: log probabilities (length, signs).
    """
    rows, scores = np.zeros((1, 0), np.int64), np.zeros(1)
    for told in chances:
        signs = np.argsort(-told, kind="stable")[:count]
        sums: Floats = (scores[:, None] + told[signs][None]).ravel()
        best = np.argsort(-sums, kind="stable")[:count]
        best = best[np.isfinite(sums[best])]
        parents, which = np.divmod(best, len(signs))
        rows, scores = np.column_stack([rows[parents], signs[which]]), sums[best]
    return rows
