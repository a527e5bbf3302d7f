"""The signs that networks read: characters of an alphabet, and what stands for those that are lost or unknown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, cached_property

import numpy as np
import torch
from torch import Tensor

from gannet.media.medium import Array
from gannet.tasks._text.gaps import LOST, LOST_SOME
from gannet.tasks._text.normalization import normalized

PADDING, HIDDEN, GAP, UNKNOWN, LINE = range(5)
"""Signs of no character: behind the end, one lost character, a gap of unknown length, a character that the alphabet
lacks, and the end of a line."""
FIRST = 5
"""The sign of the alphabet's first character; what is restored is one from here on."""
DROPPED, TABLE = -1, 1 << 16
"""What stands for characters that are no part of what is learned, such as vowel signs; code points of the table, in
which all living scripts lie."""
SPELLED = (*range(0x3000), *range(0xFB50, 0xFF00))
"""Code points that may have another spelling in what is learned."""


class Alphabet:
    """Characters and their signs.

    Args:
        characters: in what is learned, the commonest first.
    """

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._signs = {one: FIRST + at for at, one in enumerate(characters)}
        self._signs |= {"\0": PADDING, LOST: HIDDEN, LOST_SOME: GAP, "\n": LINE}

    def __len__(self) -> int:
        """Count the signs."""
        return FIRST + len(self.characters)

    def signs(self, text: str) -> list[int]:
        """Give the signs of a normalized text."""
        return [self._signs.get(one, UNKNOWN) for one in text]

    def text(self, signs: Iterable[int]) -> str:
        """Give the text of signs; what the alphabet lacks is an unreadable character in it."""
        special = {PADDING: "", HIDDEN: LOST, GAP: LOST_SOME, UNKNOWN: LOST, LINE: "\n"}
        return "".join(self.characters[one - FIRST] if one >= FIRST else special[one] for one in signs)

    @cached_property
    def table(self) -> Tensor:
        """The sign of each code point, (65536,)."""
        table = np.full(TABLE, UNKNOWN, np.int64)
        for character, sign in self._signs.items():
            if ord(character) < TABLE:
                table[ord(character)] = sign
        for code, spelled in spellings().items():
            table[code] = DROPPED if not spelled else self._signs.get(spelled, UNKNOWN)
        table[0] = PADDING
        return torch.from_numpy(table)

    def read(self, codes: Tensor) -> Tensor:
        """Give the signs of code points (b, t), those of windows; what is dropped makes room behind the others."""
        table = self.table.to(codes.device)
        signs = torch.where(codes < TABLE, table[codes.clamp(0, TABLE - 1)], UNKNOWN)
        order = (signs == DROPPED).to(torch.int8).argsort(stable=True, dim=1)
        return signs.gather(1, order).clamp_min(PADDING)

    def code_points(self, signs: Tensor) -> Tensor:
        """Give the code points of signs (b, t), to be shown."""
        special = torch.tensor([0, ord(LOST), ord(LOST_SOME), ord(LOST), ord("\n")])
        return torch.cat([special, torch.tensor([ord(one) for one in self.characters], dtype=torch.long)])[signs.cpu()]


@cache
def spellings() -> dict[int, str]:
    """Give the code points that are spelled otherwise in what is learned, each with its spelling."""
    found = ((code, normalized(chr(code))) for code in SPELLED if code)
    return {code: spelled for code, spelled in found if spelled != chr(code)}


def common_characters(texts: Iterable[str], most: int) -> str:
    """Give the commonest characters of texts, once normalized, those of one number by theirs; at most so many.

    The space comes first, so that words are told by it in any alphabet.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(normalized(text))
    for other in ("\n", "\0", LOST, LOST_SOME):
        counts.pop(other, None)
    known = {one: count for one, count in counts.items() if ord(one) < TABLE}
    return "".join(sorted(known, key=lambda one: (one != " ", -known[one], one))[:most])


def padded(rows: Sequence[Sequence[int] | Array]) -> Array:
    """Bring signs of several texts to the length of the longest, (b, t) int64."""
    values = np.full((len(rows), max(map(len, rows))), PADDING, np.int64)
    for row, signs in zip(values, rows, strict=True):
        row[: len(signs)] = signs
    return values
