"""Reading damaged text: what is known, what was supplied by an editor, and where how much is lost.

The signs are those of the Leiden conventions and of what is usually typed:

    [...]  [---]  [- - -]  []     lost, and nobody knows how much
    [5]  [ca. 5]  [....]  -----   so many characters are lost (dots or dashes: as many; bare dashes: four or more)
    (three replacement characters or hollow squares)   as many unreadable characters
    [abc]                         supplied by an editor: read, but not from the stone
    [[abc]]                       erased, and still read
    <abc>  <abc=xyz>  (abc)       added, corrected (`abc` is read for `xyz`), resolved by an editor: read
    {abc}                         written by mistake: left out
    a dot below, (?), a?b         read with doubt: read
     /                            ends a line
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

from gannet.tasks._text.normalization import normalized

LOST, LOST_SOME = "\ufffd", "\ufffc"
"""In what models read: one lost character, and a gap of unknown length."""
COUNTED, DEEPEST = 1_000, 8
"""Characters up to which a model is shown how many are lost, and brackets within each other."""
DASHES = "-\u2013\u2014"
# Nothing is tried twice (`*+`): a text may have any number of spaces behind a bracket.
_INSIDE = rf"\s*+(?:\.(?:\s?\.)*+|\u2026|[{DASHES}](?:\s?[{DASHES}])*+|(?:(?:ca?\.|ca|\u00b1|~)\s*+)?\d++\s*+\??)?\s*+"
TOKEN = re.compile(
    rf"(?=[][\u301a\u301b\ufffd\u25a1\u25af-])(?:(?P<gap>\[{_INSIDE}\])|(?P<bare>-{{4,}}|[\ufffd\u25a1\u25af]+)"
    rf"|(?P<erased>\[\[(?!{_INSIDE}\])|\u301a)|(?P<open>\[)|(?P<close>\]|\u301b))"
)
BRACKETS = re.compile("[][\u301a\u301b]")
LINE_PART = re.compile(r"(?<!\s)\s++/\s+")
CORRECTED = re.compile(
    r"[<\u27e8\u2039]([^<>\u27e8\u27e9\u2039\u203a=]*)(?:=[^<>\u27e8\u27e9\u2039\u203a]*)?[>\u27e9\u203a]"
)
MISTAKEN, DOUBTED = re.compile(r"\{[^{}]*\}"), re.compile(r"\s?\([?!]+\)|(?<=\w)\?(?=\w)")
PLAIN = re.compile(r"[A-Za-z.,;:'\n]*(?: [A-Za-z.,;:'\n]+)* ?")
"""What is read as it stands; most of most texts is of this kind."""
IN_BRACKETS = re.compile(r"\s?[?!]")
RESOLVED, UNDERDOT = re.compile(r"\|(?=\()|[()]"), "\u0323"


@dataclass(frozen=True)
class Known:
    """A piece of text that is known.

    Attributes:
        written: as it stands, with all signs.
        read: what a model reads of it, normalized and without signs.
        supplied: whether an editor supplied it.
    """

    written: str
    read: str
    supplied: bool


@dataclass(frozen=True)
class Gap:
    """A piece that is lost.

    Attributes:
        written: the sign for it.
        length: characters that are lost; None where nobody knows.
    """

    written: str
    length: int | None

    @property
    def read(self) -> str:
        """Give what a model reads in its place; of very many characters not how many they are."""
        return LOST_SOME if self.length is None or self.length > COUNTED else LOST * self.length


Piece: TypeAlias = Known | Gap


@dataclass(frozen=True)
class Damaged:
    """A damaged text: its pieces in their order. Joined, what is written of them is the text that was given."""

    pieces: tuple[Piece, ...]

    @property
    def gaps(self) -> list[Gap]:
        """Give the gaps in their order."""
        return [piece for piece in self.pieces if isinstance(piece, Gap)]

    @property
    def read(self) -> str:
        """Give what a model reads, gaps by their signs."""
        return "".join(piece.read for piece in self.pieces)

    @property
    def on_stone(self) -> list[bool]:
        """Tell of each character of `read` whether it is read from the stone: neither lost nor supplied."""
        seen = ((piece, isinstance(piece, Known) and not piece.supplied) for piece in self.pieces)
        return [told for piece, told in seen for _ in piece.read]

    def contexts(self, reach: int) -> list[tuple[str, str]]:
        """Give what is read to the left and to the right of each gap, at most `reach` characters of each."""
        read, stops = self.read, [*accumulate(len(piece.read) for piece in self.pieces)]
        return [
            (read[max(0, start - reach) : start], read[stop : stop + reach])
            for piece, stop in zip(self.pieces, stops, strict=True)
            for start in [stop - len(piece.read)]
            if isinstance(piece, Gap)
        ]

    def filled(self, fillings: Sequence[str]) -> str:
        """Put a text into each gap; all else stays as it was written, an editor's brackets too."""
        end = " / " if any(LINE_PART.search(piece.written) for piece in self.pieces) else "\n"
        assert len(fillings) == len(self.gaps), "a filling for each gap"
        left = iter(fillings)
        written = (next(left).replace("\n", end) if isinstance(piece, Gap) else piece.written for piece in self.pieces)
        return "".join(written)


def read_gaps(text: str) -> Damaged:
    """Read a text with signs for what is lost.

    Raises:
        ValueError: a bracket that is not closed, or holds what has no meaning.
    """
    pieces: list[Piece] = []
    stack: list[tuple[str, int]] = []
    waiting, at = "", 0
    for token in TOKEN.finditer(text):
        waiting += text[at : token.start()]
        at = token.end()
        if token.lastgroup in {"gap", "bare"}:
            pieces += [*_known(waiting, stack), Gap(token[0], _length(token[0]))]
            waiting = ""
            continue
        if token.lastgroup == "close":  # Closing signs end a piece, opening ones begin the next.
            _check_closed(text, stack, token.start(), pieces)
            pieces += _known(waiting + token[0], stack)
            waiting = ""
            stack.pop()
            continue
        pieces += _known(waiting, stack)
        waiting = token[0]
        stack += [(token.lastgroup or "", token.start())] * token[0].replace("\u301a", "[").count("[")
        if len(stack) > DEEPEST:
            raise ValueError(f"Over {DEEPEST} brackets at character {at} lie within each other; close some of them.")
    if stack:
        raise ValueError(f"The bracket at character {stack[0][1] + 1} is never closed; close it with ].")
    return Damaged((*pieces, *_known(waiting + text[at:], stack)))


def _known(written: str, stack: list[tuple[str, int]]) -> list[Known]:
    if not written:
        return []
    supplied = any(kind == "open" for kind, _ in stack)
    bare = BRACKETS.sub("", written)
    return [Known(written, _read(IN_BRACKETS.sub("", bare) if stack else bare), supplied)]


def _read(text: str) -> str:
    if PLAIN.fullmatch(text):
        return text
    text = MISTAKEN.sub("", DOUBTED.sub("", LINE_PART.sub("\n", text)))
    text = RESOLVED.sub("", CORRECTED.sub(r"\1", text))
    undotted = unicodedata.normalize("NFD", text).replace(UNDERDOT, "")
    return normalized(undotted)


def _check_closed(text: str, stack: list[tuple[str, int]], at: int, pieces: list[Piece]) -> None:
    if not stack:
        raise ValueError(f"The bracket at character {at + 1} closes none; open it with [, or leave it out.")
    start = stack[-1][1]
    inside = text[start + 1 : at]
    if not any(map(str.isalpha, inside)) and not any(
        token.lastgroup in {"gap", "bare"} for token in TOKEN.finditer(inside)
    ):
        raise ValueError(
            f"[{inside}] at character {start + 1} says neither what is lost nor what was supplied; "
            "write [...] for an unknown length, [5] for five characters, or an editor's letters."
        )


def _length(sign: str) -> int | None:
    inside = sign.strip("[]").strip()
    digits = re.search(r"\d+", inside)
    if digits:
        counted = int(digits[0].lstrip("0")[:9] or 0)  # Longer numbers are too many as well.
        if not counted:
            raise ValueError(f"{sign} says that nothing is lost; give at least [1], or [...] for an unknown length.")
        return counted
    spaced = inside[:1] in DASHES and " " in inside
    count = len(inside.replace(" ", ""))
    three = count == 3 and sign.startswith(
        "["
    )  # Three dots or dashes in brackets are what is written without counting.
    return None if not count or three or spaced or inside == "\u2026" else count


def check_fillable(damaged: Damaged, most: int) -> None:
    """Check that there is something to restore, and something to restore it from.

    Args:
        most: characters of the longest gap that a model fills.

    Raises:
        ValueError: no gap, nothing but gaps, or a gap that is too long.
    """
    gaps = damaged.gaps
    if not damaged.pieces:
        raise ValueError("The text is empty; give one in which what is lost is marked by [...].")
    if not gaps:
        raise ValueError("No gap is in the text; mark what is lost by [...], or by [5] where five characters are.")
    if not any(map(str.isalpha, damaged.read)):
        raise ValueError("All of the text is lost; at least a letter is needed to restore the others from.")
    longest = max(gaps, key=lambda gap: gap.length or 0)
    if (longest.length or 0) > most:
        raise ValueError(
            f"{longest.written[:20]} is longer than the {most} characters that can be restored; mark it [...]."
        )
