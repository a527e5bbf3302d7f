"""What character n-grams say of signs that are lost, from both sides: a network that is told it learns what they miss.

N-grams know the spelling and the formulae of what was learned from after one look; a network of some million numbers
takes hours to. So it is shown their chances, and learns how far to trust either side, and what else a text tells (as
mixtures of both did for speech: Mikolov et al., 2011, "Strategies for training large scale neural network language
models", section 3).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gannet.media.medium import Array
from gannet.tasks._text.ngram_counts import BREAK, BYTE, LARGEST, Interpolated, Numbers, count_orders
from gannet.tasks.text_restoration.alphabet import FIRST, HIDDEN, LINE, Alphabet

Chances = NDArray[np.float32]
MOST = 255
"""The largest sign that n-grams know: a byte holds it. The signs of an alphabet begin with the commonest."""
HISTORY = np.uint64((1 << (BYTE * (LARGEST - 1))) - 1)


class Evidence:
    """N-grams of several languages over the signs of an alphabet.

    Args:
        lines: of each language, by its number.
    """

    def __init__(self, lines: Mapping[int, Sequence[str]], alphabet: Alphabet) -> None:
        self.signs = len(alphabet)
        self._lines, self._alphabet = lines, alphabet
        self._counted: dict[int, tuple[Interpolated, Interpolated]] = {}

    def __call__(self, shown: Array, languages: Sequence[int], own: Array | None = None) -> Chances:
        """Give the chances of signs (b, t, 2, signs) by what stands before and behind; zero of what is not lost.

        Args:
            shown: signs (b, t), of which those that are HIDDEN are told.
            languages: the number of each text's; nothing is told of one that was not learned.
            own: the true signs (b, t), if these texts were learned from: they are told as if they had not been.
        """
        given = np.zeros((*shown.shape, 2, self.signs), np.float32)
        sides = histories(shown), histories(shown[:, ::-1])[:, ::-1]
        numbers = np.asarray(languages)
        for language in self._lines.keys() & set(numbers.tolist()):
            where = np.nonzero((shown == HIDDEN) & (numbers == language)[:, None])
            for side, (way, packed) in enumerate(zip(self._ways(language), sides, strict=True)):
                told = _told(way, packed[where], None if own is None else own[where])
                given[where[0], where[1], side, : told.shape[1]] = told
        return given

    def _ways(self, language: int) -> tuple[Interpolated, Interpolated]:
        """Count a language's n-grams when it is first asked for: that takes a second or two."""
        if language not in self._counted:
            self._counted[language] = _both_ways(self._lines[language], self._alphabet)
        return self._counted[language]

    def told(self, shown: Tensor, languages: Tensor, own: Tensor | None = None) -> Tensor:
        """Give the same of tensors, on their device."""
        true = None if own is None else own.cpu().numpy()
        return torch.from_numpy(self(shown.cpu().numpy(), languages.tolist(), true)).to(shown.device)


def _told(way: Interpolated, packed: Numbers, own: Array | None) -> NDArray[np.float64]:
    if own is None:
        return way.rows(packed)
    return way.rows_without(packed, np.where(own > MOST, BREAK, own).astype(np.uint64))


def _both_ways(lines: Sequence[str], alphabet: Alphabet) -> tuple[Interpolated, Interpolated]:
    """Count n-grams of lines, forwards and backwards."""
    signs = np.array(alphabet.signs("\n".join(["", *lines, ""])))
    counted = known(signs).astype(np.uint8)
    size = min(len(alphabet), MOST + 1)
    first, second = (Interpolated(count_orders(way, LARGEST), size, "witten-bell") for way in (counted, counted[::-1]))
    return first, second


def known(signs: Array) -> Array:
    """Give the signs that n-grams are made of: characters and line ends; BREAK stands for all others."""
    return np.where(((signs >= FIRST) & (signs <= MOST)) | (signs == LINE), signs, BREAK)


def histories(shown: Array) -> Numbers:
    """Give the known signs before each place of texts (b, t), as one number each: none beyond a sign that is lost."""
    signs = known(shown).astype(np.uint64)
    found = np.zeros(shown.shape, np.uint64)
    for at in range(1, shown.shape[1]):
        before = signs[:, at - 1]
        longer = ((found[:, at - 1] << np.uint64(BYTE)) | before) & HISTORY
        found[:, at] = np.where(before == BREAK, 0, longer)
    return found
