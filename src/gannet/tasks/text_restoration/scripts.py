"""Which script stands around a gap, and which ones a language uses: what is of another is not filled in it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from unicodedata import category

from gannet.media.text import script_of
from gannet.tasks.text_restoration.windows import Place

REACH = 64
"""Characters to either side of a gap that tell its script."""
FEWEST = 2
"""Letters of a script within these: a single one is a sign, such as a micro sign or a mathematician's letter."""
USED = 0.1
"""The share of a language's letters from which on it uses their script: editions in one quote others, and an n-gram
that has read some hundred lines of such quotations knows nothing of what stands in a book."""
LOOKED_AT = 4_000
"""Lines of a language by which that is told."""
MIXED = dict.fromkeys(("Hiragana", "Katakana", "Halfwidth", "Hangul", "Ideographic"), "CJK")
"""What is written with Chinese characters, in one text and often in one word, is of one script with them."""


def letters_script(letter: str) -> str:
    """Name the script of a letter; empty of what is none, or modifies others."""
    script = "" if category(letter) == "Lm" else script_of(letter)
    return MIXED.get(script, script)


def script_around(read: str, place: Place) -> str:
    """Name the script that a gap most probably is of, by the letters around it: near ones count most.

    Args:
        read: the text.

    Returns:
        the script; empty where no letter is near.
    """
    left, right = read[max(0, place.start - REACH) : place.start], read[place.stop : place.stop + REACH]
    weights, counts = defaultdict[str, float](float), Counter[str]()
    for side in (left[::-1], right):
        for distance, letter in enumerate(side, 1):
            script = letters_script(letter)
            weights[script] += distance**-2
            counts[script] += 1
    weights.pop("", None)
    enough = [script for script in weights if counts[script] >= FEWEST]
    return max(enough or weights, key=weights.__getitem__, default="")


def used_scripts(lines: Sequence[str]) -> frozenset[str]:
    """Name the scripts of which a good part of the letters of some lines are, of very many lines by some of them."""
    counts = Counter[str]()
    for letter, count in Counter("".join(lines[:: 1 + len(lines) // LOOKED_AT])).items():
        counts[letters_script(letter)] += count
    counts.pop("", None)
    return frozenset(script for script, count in counts.items() if count >= USED * counts.total())
