"""How a text spells what is normalized for learning, so that what is restored is spelled alike."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

LETTERS = {"\u06cc": "\u064a", "\u06a9": "\u0643"}
"""Persian yeh and kaf, as they are learned, each with the Arabic letter that many files have in its place."""


def spelling_of(texts: Iterable[str]) -> dict[int, str]:
    """Find how texts, as they are written, spell yeh, kaf and digits: a table for `str.translate`.

    Each is spelled as it most often is; a letter that is not in the texts, as the other one.
    """
    counts = Counter[str]()
    for text in texts:
        counts.update(text)
    more = {letter: counts[other] - counts[letter] for letter, other in LETTERS.items()}
    whole = sum(more.values())
    letters = {ord(letter): other for letter, other in LETTERS.items() if (more[letter] or whole) > 0}
    return letters | _digits(counts)


def _digits(counts: Counter[str]) -> dict[int, str]:
    """Give the digits of the script that most of the digits are of."""
    zeros = Counter[int]()
    for character, count in counts.items():
        if unicodedata.category(character) == "Nd":
            zeros[ord(character) - unicodedata.decimal(character)] += count
    zero = zeros.most_common(1)[0][0] if zeros else ord("0")
    return {ord("0") + digit: chr(zero + digit) for digit in range(10)} if zero != ord("0") else {}
