"""How texts are read that are learned from: editors' marks by the Leiden conventions, and in one spelling."""

import re

from gannet.media.text import TextMedium
from gannet.tasks._text.gaps import read_gaps
from gannet.tasks._text.normalization import normalized

BRACKETS = re.compile(r"[\[\]\u301a\u301b]")
VERSION = "leiden-2"
"""A change of how marks are read raises it, and so decodes anew what the cache holds of texts."""


def read_marks(line: str) -> str:
    """Read the marks in a line: what is lost as the signs for it, what was supplied as text.

    Brackets that make no sense, as in a line of a longer passage, are left out: of data nobody is asked to mend one.
    """
    try:
        return read_gaps(line).read
    except ValueError:
        return normalized(BRACKETS.sub("", line))


medium = TextMedium(marks=read_marks, version=VERSION)
