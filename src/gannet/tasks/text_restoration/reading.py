"""How texts are read that are learned from: editors' marks by the Leiden conventions, and in one spelling."""

import re
from collections.abc import Sequence
from itertools import accumulate

from gannet.media.text import TextMedium
from gannet.tasks._text.gaps import RULE, read_gaps
from gannet.tasks._text.normalization import normalized

BRACKETS = re.compile(r"[\[\]\u301a\u301b]")
LINES = 20
"""Lines that are read together where a bracket is open between them; of one that stays open for longer nothing is
known."""
VERSION = "leiden-3"
"""A change of how marks are read raises it, and so decodes anew what the cache holds of texts."""


def read_marks(text: str) -> str:
    """Read the marks in a text: what is lost as the signs for it, what was supplied as text, a rule as an empty line.

    Brackets that make no sense are left out, each line by itself: of data nobody is asked to mend one.
    """
    lines, read, at = text.splitlines(), list[str](), 0
    while at < len(lines):
        count = _closed_after(lines[at : at + LINES])
        try:
            read.append("" if RULE.fullmatch(lines[at]) else read_gaps("\n".join(lines[at : at + count])).read)
        except ValueError:
            count = 1
            read.append(normalized(BRACKETS.sub("", lines[at])))
        at += count
    return "\n".join(read)


def _closed_after(lines: Sequence[str]) -> int:
    """Count the lines up to which the brackets of the first one are closed; 1 where they never are."""
    opened = (sum(map(line.count, "[\u301a")) - sum(map(line.count, "]\u301b")) for line in lines)
    return next((count for count, depth in enumerate(accumulate(opened), 1) if depth <= 0), 1)


medium = TextMedium(marks=read_marks, version=VERSION)
