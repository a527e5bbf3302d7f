"""How texts are brought to one spelling for learning and scoring, and where each character of it was written."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

LETTERS = {
    "ي": "ی", "ى": "ی", "ې": "ی", "ۍ": "ی", "ێ": "ی",
    "ك": "ک", "ڪ": "ک", "ګ": "ک",
    "ة": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۃ": "ه", "ۂ": "ه", "ۀ": "ه", "ۿ": "ه",
    "ٱ": "ا",
}  # fmt: skip
"""Arabic, Urdu and Kurdish forms of yeh, kaf and heh (and alef wasla), and the letter of Persian that is read there."""
MADDA, TATWEEL, NON_JOINER = "\u0653", "\u0640", "\u200c"
HARAKAT = {chr(code) for code in (*range(0x610, 0x61B), *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6DD))} - {MADDA}
"""Vowel signs and other marks above and below Arabic letters, hamza among them; madda makes another letter."""
UNSEEN = {"\u00ad", "\u061c", "\u200b", "\u2060", "\ufeff", TATWEEL, "\u0000"} | {
    chr(code) for code in (0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""What joins, stretches, breaks or turns a line, and is no character of the text."""
SPACES = re.compile(r" {2,}")
LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
ONE_FORM = {"ς": "σ", "ϲ": "σ"}
"""Lower-case letters that differ by where they stand, or by who drew the font."""


class _Table(dict[int, str]):
    """What each character becomes; found when it is first asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = _letter(chr(code))
        return self[code]


class _Lower(dict[int, str]):
    """The lower case of each character; of one that has two there, itself."""

    def __missing__(self, code: int) -> str:
        lower = chr(code).lower()
        self[code] = ONE_FORM.get(lower, lower) if len(lower) == 1 else chr(code)
        return self[code]


def _letter(character: str) -> str:
    if character in UNSEEN or character in HARAKAT:
        return ""
    if character in LETTERS:
        return LETTERS[character]
    if character == NON_JOINER or (character.isspace() and character != "\n"):
        return " "
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    return _bare(character) if "\u0600" <= character <= "\u06ff" else character


def _bare(letter: str) -> str:
    """Take marks away from an Arabic letter that has them built in."""
    base, *marks = list(unicodedata.normalize("NFD", letter))
    kept = [mark for mark in marks if mark not in HARAKAT]
    return unicodedata.normalize("NFC", LETTERS.get(base, base) + "".join(kept))


_TABLE, _LOWER = _Table(), _Lower()


def normalized(text: str) -> str:
    """Bring a text to the spelling that is learned and scored.

    NFC; Persian yeh, kaf and heh in place of their Arabic and other forms; digits of any script as ASCII ones; without
    tatweel, harakat, hamza upon a carrier, soft hyphens and signs of direction. The zero-width non-joiner becomes a
    space, as in the editions that are learned from; several spaces become one, and every line end a line feed. Case is
    kept. Applied twice, it changes nothing more.
    """
    plain = unicodedata.normalize("NFC", LINE_ENDS.sub("\n", text)).translate(_TABLE)
    return SPACES.sub(" ", unicodedata.normalize("NFC", plain))


def folded(text: str) -> str:
    """Give a normalized text as it is scored: in lower case, as many characters as before.

    Stones and old hands know one case, and what stands in an edition is the editor's choice: a capital that is missed
    is no letter that is missed. The forms of sigma are one for the same reason.
    """
    return text.translate(_LOWER)


@dataclass(frozen=True)
class Normalized:
    """A normalized text that knows where it was written.

    Attributes:
        written: the text as it was given.
        text: what `normalized` makes of it.
        starts: where in `written` each character of `text` begins, and at last where it ends.
    """

    written: str
    text: str
    starts: tuple[int, ...]

    def as_written(self, start: int, stop: int) -> str:
        """Give what was written for the characters from `start` to before `stop`, with its joiners and marks."""
        return self.written[self.starts[start] : self.starts[stop]]


def normalize(written: str) -> Normalized:
    """Normalize a text character by character, and remember where each of them was written."""
    text: list[str] = []
    starts: list[int] = []
    for start, stop in _clusters(written):
        for one in normalized(written[start:stop]):
            if one == " " and text and text[-1] == " ":
                continue
            text.append(one)
            starts.append(start)
    if starts:
        starts[0] = 0  # What leads and is no character of the text goes with the first one.
    return Normalized(written, "".join(text), (*starts, len(written)))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Give the places of what is normalized together: a character with the marks and joiners behind it."""
    bounds: list[int] = []
    for at, one in enumerate(text):
        if not bounds or not _goes_on(text[bounds[-1] : at], one):
            bounds.append(at)
    return list(pairwise([*bounds, len(text)]))


def _goes_on(cluster: str, one: str) -> bool:
    if one < "\u00ad":
        return cluster == "\r" and one == "\n"
    if not _TABLE[ord(one)] or unicodedata.combining(one):
        return True
    last = unicodedata.normalize("NFC", cluster)
    return unicodedata.normalize("NFC", last + one) != last + unicodedata.normalize("NFC", one)
