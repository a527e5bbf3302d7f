"""Reading damaged text: what is known, what was supplied by an editor, and where how much is lost.

The signs are those of the Leiden conventions and of what is usually typed:

    [...]  [---]  [- - -]  []  [?]   lost, and nobody knows how much; line ends within it stay
    [5]  [ca. 5]  [-5-]  [....]  -----
                                  so many characters are lost (dots or dashes: as many; bare dashes: four or more)
    [+++]                         as many characters of which traces are left
    [2-3]                         two or three: lost, of unknown length; no more than 40
    (three replacement characters or hollow squares)   as many unreadable characters
    a line of dashes alone        a rule: read, as `* * *` is
    [abc]                         supplied by an editor: read, but not from the stone
    [[abc]]                       erased, and still read
    <abc>  <abc=xyz>  (abc)       added, corrected (`abc` is read for `xyz`), resolved by an editor: read
    {abc}                         written by mistake: left out
    a dot below, (?), a?b         read with doubt: read; so is [?] right behind a word
     /                            ends a line
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeAlias, TypeVar

from gannet.runtime.wording import short
from gannet.tasks._text.normalization import normalized

LOST, LOST_SOME = "\ufffd", "\ufffc"
"""In what models read: one lost character, and a gap of unknown length."""
COUNTED, DEEPEST = 1_000, 8
"""Characters up to which a model is shown how many are lost, and brackets within each other."""
RANGED = 40
"""The most characters that a range may name: above it, and where it falls, two numbers are years or verses."""
LISTED = 30
"""Faults of a kind that are named."""
DASHES = "-\u2013\u2014"
_SPACE = r"[^\S\r\n]"
# Nothing is tried twice (`*+`): a text may have any number of spaces behind a bracket.
_NUMBER = rf"(?:(?:ca?\.|ca|\u00b1|~)\s*+)?\d++(?:\s*+[{DASHES}]\s*+\d++)?+\s*+\??"
_UNCOUNTED = rf"(?:\.(?:{_SPACE}?\.)*+|\u2026|[{DASHES}](?:{_SPACE}?[{DASHES}])*+)"
_LINES = rf"{_UNCOUNTED}(?:{_SPACE}*+(?:/|\r?\n)\s*+{_UNCOUNTED})*+"
_INSIDE = rf"\s*+(?:{_LINES}|[{DASHES}]++\s*+{_NUMBER}\s*+[{DASHES}]++|{_NUMBER}|\+(?:{_SPACE}?\+)*+|\?)?\s*+"
TOKEN = re.compile(
    rf"(?=[][\u301a\u301b\ufffd\u25a1\u25af-])(?:(?P<gap>\[{_INSIDE}\])|(?P<bare>-{{4,}}|[\ufffd\u25a1\u25af]+)"
    rf"|(?P<erased>\[\[(?!{_INSIDE}\])|\u301a)|(?P<open>\[)|(?P<close>\]|\u301b))"
)
_BLANK = r" \t\u00a0\u200e\u200f\u202a-\u202e"
"""What stands around a rule in a text that was set, and in one that is written to the left."""
RULE = re.compile(rf"^[{_BLANK}]*+[{DASHES}][{DASHES}{_BLANK}]*+(?=\r?$)", re.MULTILINE)
LINE_END = re.compile(r"(?<![^\S\r\n])[^\S\r\n]*+/[^\S\r\n]*+|\r?\n")  # Looked for once in a run of spaces.
"""The end of a line within a sign."""
BRACKETS = re.compile("[][\u301a\u301b]")
DASHED = re.compile("-{4,}")
LINE_PART = re.compile(r"(?<!\s)\s++/\s+")
CORRECTED = re.compile(
    r"[<\u27e8\u2039]([^<>\u27e8\u27e9\u2039\u203a=]*)(?:=[^<>\u27e8\u27e9\u2039\u203a]*)?[>\u27e9\u203a]"
)
MISTAKEN, DOUBTED = re.compile(r"\{[^{}]*\}"), re.compile(r"\s?\([?!]+\)|(?<=\w)\?(?=\w)")
PLAIN = re.compile(r"[A-Za-z.,;:'\n]*(?: [A-Za-z.,;:'\n]+)* ?")
"""What is read as it stands; most of most texts is of this kind."""
IN_BRACKETS = re.compile(r"\s?[?!]")
DOUBT = re.compile(r"\s?\[\s*+\?\s*+\](?!\w)")
"""An editor's doubt of the word before it."""
WORD_ENDS = ")]>}\u27e9\u203a\u301b"
"""What a word may end in but letters."""
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

    @property
    def line_ends(self) -> str:
        """Give the line ends that stand within the sign, as they are written."""
        return "".join(LINE_END.findall(self.written))


Piece: TypeAlias = Known | Gap
Found = TypeVar("Found")


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

    def filled(self, fillings: Sequence[str | None]) -> str:
        """Put a text into each gap, and behind it the line ends of its sign; None leaves a gap as it is.

        All else stays as it was written, an editor's brackets too.
        """
        end = " / " if any(LINE_PART.search(piece.written) for piece in self.pieces) else "\n"
        assert len(fillings) == len(self.gaps), "a filling for each gap"
        left = iter(fillings)

        def written(piece: Piece) -> str:
            text = None if isinstance(piece, Known) else next(left)
            return piece.written if text is None else text.replace("\n", end) + _line_ends(piece)

        return "".join(map(written, self.pieces))


def _line_ends(piece: Piece) -> str:
    return piece.line_ends if isinstance(piece, Gap) else ""


@dataclass
class _Faults:
    """Where a text has signs without a meaning (from, to), brackets without another, and one within too many."""

    text: str
    signs: list[tuple[int, int]] = field(default_factory=list)
    closing: list[int] = field(default_factory=list)
    opening: list[int] = field(default_factory=list)
    deep: int | None = None

    def refuse(self) -> None:
        """Raise ValueError where there are any, which names the first ones of each kind."""
        said = []
        if self.signs:
            said.append(
                f"{_listed(self.signs, self._sign)}: no sign that says what is lost, and no text; write [...] for an "
                "unknown length, [5] for five characters, or an editor's letters."
            )
        if self.closing:
            at = _listed(self.closing, self._place)
            said.append(f"The bracket at {at} closes none; open it with [, or leave it out.")
        if self.opening:
            said.append(f"The bracket at {_listed(self.opening, self._place)} is never closed; close it with ].")
        elif self.deep is not None:
            where = self._place(self.deep)
            said.append(f"Over {DEEPEST} brackets at {where} lie within each other; close some of them.")
        if said:
            raise ValueError(" ".join(said))

    def _sign(self, bounds: tuple[int, int]) -> str:
        start, stop = bounds
        return f"{short(self.text[start:stop])} ({self._place(start)})"

    def _place(self, at: int) -> str:
        return place_of(self.text, at)


def _listed(found: Sequence[Found], name: Callable[[Found], str]) -> str:
    """Name the first of what was found, and how many more there are; a big book may have very many."""
    more = f" and {len(found) - LISTED:,} more" if len(found) > LISTED else ""
    return ", ".join(map(name, found[:LISTED])) + more


def place_of(text: str, at: int) -> str:
    """Say where a character stands: its line and its place there, from 1 on."""
    return f"line {text.count(chr(10), 0, at) + 1:,}, {at - text.rfind(chr(10), 0, at):,}"


def read_gaps(text: str) -> Damaged:
    """Read a text with signs for what is lost.

    Raises:
        ValueError: brackets that are not closed, or hold what has no meaning; the first ones of each kind are named.
    """
    reader = _Reader(text)
    for token in TOKEN.finditer(text):
        reader.read(token)
    return reader.finished()


class _Reader:
    """What was read of a text, up to the sign that was read last.

    Attributes:
        pieces: that are complete.
        waiting: what is known behind them.
        brackets: those that are open: their kinds, and where they stand.
        at, known_from: where the last sign and the last gap end.
        meant: where something was meant last: letters end, or a gap begins. Brackets from there on hold nothing yet.
    """

    def __init__(self, text: str) -> None:
        self.text, self.rules, self.faults = text, _rules(text), _Faults(text)
        self.pieces: list[Piece] = []
        self.brackets: list[tuple[str, int]] = []
        self.waiting, self.at, self.known_from, self.meant = "", 0, 0, 0

    def read(self, token: re.Match[str]) -> None:
        """Read on up to the end of a sign."""
        between = self.text[self.at : token.start()]
        self.meant = self.at if any(map(str.isalpha, between)) else self.meant
        self.waiting += between
        self.at = token.end()
        if token.start() in self.rules or _is_doubt(self.text, token.start(), self.known_from):
            self.waiting += token[0]
        elif token.lastgroup == "close":
            self._close(token)
        elif token.lastgroup in {"gap", "bare"}:
            self._lose(token)
        else:
            self._open(token)

    def finished(self) -> Damaged:
        """Give the whole; see `read_gaps` for what it raises."""
        self.faults.opening += dict.fromkeys(start for _, start in self.brackets)
        self.faults.refuse()
        self.waiting += self.text[self.at :]
        self._complete()
        return Damaged(tuple(self.pieces))

    def _complete(self) -> None:
        self.pieces += _known(self.waiting, self.brackets)
        self.waiting = ""

    def _lose(self, token: re.Match[str]) -> None:
        length = _length(token[0])
        if length == 0:
            self.faults.signs.append(token.span())
        self._complete()
        self.pieces.append(Gap(token[0], length))
        self.known_from, self.meant = self.at, token.start()

    def _open(self, token: re.Match[str]) -> None:
        self._complete()  # Closing brackets end a piece, opening ones begin the next.
        self.waiting = token[0]
        self.brackets += [(token.lastgroup or "", token.start())] * token[0].replace("\u301a", "[").count("[")
        if len(self.brackets) > DEEPEST and self.faults.deep is None:
            self.faults.deep = token.start()

    def _close(self, token: re.Match[str]) -> None:
        self.waiting += token[0]
        if not self.brackets:
            self.faults.closing.append(token.start())
            return
        if (start := self.brackets[-1][1]) >= self.meant:
            self.faults.signs.append((start, self.at))
        self._complete()
        self.brackets.pop()


def _rules(text: str) -> set[int]:
    """Find the dashes that stand on a line of nothing else: most transcriptions part what they hold by these."""
    return {rule.start() + run.start() for rule in RULE.finditer(text) for run in DASHED.finditer(rule[0])}


def _is_doubt(text: str, at: int, read: int) -> bool:
    """Tell whether the sign at a place is `[?]` right behind a word, at most a space between.

    Args:
        read: where what is known begins: behind the gap before it.
    """
    if not DOUBT.match(text, at):
        return False
    before = text[max(read, at - 2) : at]
    last = before.rstrip(" \t\u00a0")[-1:]
    return bool(last) and (last.isalnum() or last in WORD_ENDS or unicodedata.combining(last) > 0)


def _known(written: str, stack: list[tuple[str, int]]) -> list[Known]:
    if not written:
        return []
    supplied = any(kind == "open" for kind, _ in stack[:DEEPEST])
    bare = BRACKETS.sub("", DOUBT.sub("", written))
    return [Known(written, _read(IN_BRACKETS.sub("", bare) if stack else bare), supplied)]


def _read(text: str) -> str:
    if PLAIN.fullmatch(text):
        return text
    text = MISTAKEN.sub("", DOUBTED.sub("", LINE_PART.sub("\n", text)))
    text = RESOLVED.sub("", CORRECTED.sub(r"\1", text))
    undotted = unicodedata.normalize("NFD", text).replace(UNDERDOT, "")
    return normalized(undotted)


def _length(sign: str) -> int | None:
    """Tell how many characters a sign says are lost; None where nobody knows, 0 where it is no sign."""
    inside = sign.strip("[]").strip()
    numbers = [_number(digits) for digits in re.findall(r"\d+", inside)]
    if len(numbers) > 1:
        return None if numbers[0] < numbers[1] <= RANGED else 0
    if numbers:
        return numbers[0]
    if not inside or inside == "?":
        return None
    counts = [_count(line, sign) for line in LINE_END.split(inside)]
    return None if None in counts else sum(filter(None, counts))


def _number(digits: str) -> int:
    """Read a number; of a long one the beginning, which is too many as well."""
    return int(digits.lstrip("0")[:9] or 0)


def _count(line: str, sign: str) -> int | None:
    """Count the dots, dashes or other signs of a line; None where they are written without counting."""
    count, first = len("".join(line.split())), line.strip()[:1]
    spaced = first in DASHES and " " in line.strip()
    # Three dots or dashes in brackets are what is written without counting.
    three = count == 3 and sign.startswith("[") and first != "+"
    return None if three or spaced or first == "\u2026" else count


def check_fillable(damaged: Damaged) -> None:
    """Check that there is something to restore, and something to restore it from.

    Raises:
        ValueError: no gap, or nothing but gaps.
    """
    if not damaged.pieces:
        raise ValueError("The text is empty; give one in which what is lost is marked by [...].")
    if not damaged.gaps:
        raise ValueError("No gap is in the text; mark what is lost by [...], or by [5] where five characters are.")
    if not any(map(str.isalpha, damaged.read)):
        raise ValueError("All of the text is lost; at least a letter is needed to restore the others from.")
