"""Ways to fill a gap of known length: found by an n-gram's search, weighed by it and by a network together.

An n-gram's search finds whole words and formulae, and takes the probability of each together with what stands behind it
exactly; a network tells of each sign by itself what fits all of the text. The logarithms of both are added, as in
mixtures of models (Hinton, 2002, "Training Products of Experts", section 2).
"""

from collections.abc import Callable
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
SHARPNESS = 0.8
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
    def searched(self) -> Callable[[str, int, str], list[tuple[str, float]]]:
        """What the n-gram finds, once for the same surroundings."""
        ngram = self.ngram
        return cache(lambda left, length, right: ngram.search(left, length, right) if ngram else [])

    def between(self, left: str, right: str, chances: Array) -> list[Alternative]:
        """Give all that was found for a gap, the likeliest first.

        Args:
            left, right: what is read before and behind it.
            chances: what the network says of its signs, log probabilities (length, signs).
        """
        left, right = left[-REACH:], right[:REACH]
        own = [self.alphabet.text(row) for row in likeliest(chances, OWN)]
        found: dict[str, float] = dict(self.searched(left, len(chances), right))
        if self.ngram:
            new = [text for text in own if text not in found]
            found |= dict(zip(new, self.ngram.scores(new, left, right).tolist(), strict=True))
        else:
            found = dict.fromkeys(own, 0.0)
        rows = np.array([self.alphabet.signs(text) for text in found])
        told = np.maximum(chances[np.arange(len(chances)), rows], LEAST).sum(1)
        fit = (rows >= FIRST).all(1)
        scored = zip(found, (np.array([*found.values()]) + TRUST * told).tolist(), fit.tolist(), strict=True)
        return ranked([(text, score) for text, score, fits in scored if fits], self._settings, len(found))

    @property
    def _settings(self) -> Settings:
        return Settings(sharpness=SHARPNESS / self.temperature, fading=self.fading)


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
