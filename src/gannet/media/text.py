"""Texts in any script: files in UTF-8, whose characters are kept as Unicode numbers, whatever alphabet they are of."""

import codecs
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field as Constraint
from torch import Tensor

from gannet.media.medium import Array, Field, Findings, Medium
from gannet.media.pages import named_page
from gannet.provenance.metadata import MADE, SOURCE_TYPE, Facts, typed
from gannet.runtime.reading import HEAD
from gannet.runtime.wording import short
from gannet.schema import Section

UTF_8 = "utf-8"
BYTE_ORDER_MARK, LOST, GAP = "\ufeff", "\ufffd", "\ufffc"
"""What some editors begin files with; a character that nobody can read; a gap of unknown length."""
MARKED = (
    *((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)
"""Marks at the beginning of files in other encodings of Unicode; the longer ones first."""
CONTROLS = {*range(9), *range(14, 27), 28, 29, 30, 31, 127}
"""Bytes that no text holds: pictures and programs do."""
OTHERS = ("windows-1256", "windows-1252")
"""The encodings that texts are most often found in where it is not UTF-8: of Arabic letters, and of Latin ones."""
AS_BYTES = "give a file, or the text itself as bytes in UTF-8 (text.encode())"
"""How a text is given."""
HEADING = "# Restored by a model: "
"""How the first line of a text begins that says so of itself; facts follow as JSON."""
SHOWN, SIDE, LINE, MARGIN = 96, 18, 26, 8
"""Characters of a text that a sheet shows; pixels of letters, of a line, and around them."""


class Options(Section):
    """The keys of `data` that say how texts are read."""

    length: Annotated[int, Constraint(ge=8, le=1024)] = 128
    """Characters that are learned from at a time, out of longer texts."""
    encoding: str = UTF_8
    """Of the files, such as `windows-1256`; they are in UTF-8 where nothing is said."""
    marks: Literal["leiden", "none"] = "leiden"
    """What editors' marks in the data mean: by the Leiden conventions `[3]` and `[...]` are lost and not learned, and
    what else stands in brackets was supplied and counts as text; `none`: marks are characters as others are."""


class TextMedium(Medium[str]):
    """Texts: int32 (t,) of Unicode code points in the cache, int64 (length,) for networks, with zeros behind.

    Args:
        encoding: of the files.
        marks: reads the marks of editors in a text that is learned from; None: they are characters as others are.
        version: of how they are read; a change of it decodes anew what the cache holds.
    """

    name: ClassVar[str] = "text"
    noun: ClassVar[str] = "text"
    plural: ClassVar[str] = "texts"
    endings: ClassVar[frozenset[str]] = frozenset({".txt"})
    foreign: ClassVar[dict[str, str]] = dict.fromkeys(
        (".doc", ".docx", ".odt", ".rtf", ".pdf"), "it is a document of a word processor; save it as plain text (.txt)"
    )
    Options: ClassVar[type[Section]] = Options

    def __init__(self, encoding: str = UTF_8, marks: Callable[[str], str] | None = None, version: str = "") -> None:
        self.encoding, self.marks_of, self.version = encoding, marks, version

    @property
    def words(self) -> tuple[str, ...]:
        """Tell also how editors' marks are read."""
        return (*super().words, *([self.version] if self.version else []))

    def reading(self, options: Section) -> "TextMedium":
        """Give the medium that reads as options say."""
        assert isinstance(options, Options)
        marks = self.marks_of if options.marks == "leiden" else None
        return TextMedium(options.encoding, marks, self.version)

    def field(self, length: int) -> Field:
        """Describe texts of which so many characters are given at a time."""
        return Field(self, (None,), "int32", window=(length,))

    def check_beginning(self, head: bytes) -> None:
        """Refuse what begins as no text does."""
        if self.encoding == UTF_8:
            _refuse_other_unicode(head)
            _refuse_binary(head)

    def read(self, content: bytes) -> str:
        """Decode a file, without the mark that some editors put before all; newlines stay as they are."""
        self.check_beginning(content[:HEAD])
        return decoded(content, self.encoding)

    def open(self, given: object) -> str:
        """Read a path or a file's content; ValueError says how a text is given that is no path."""
        if isinstance(given, str | Path) and not _is_there(given):
            raise ValueError(f"There is no text at {short(' '.join(str(given).splitlines()))}; {AS_BYTES}.")
        return super().open(given)

    def taken(self, given: object) -> str:
        """Take a text; the content of a file is given as bytes, for words alone are the path of one."""
        if not isinstance(given, str):
            raise ValueError(f"{type(given).__name__} is no text; {AS_BYTES}.")
        return given

    def describe(self, value: str) -> tuple[str, str]:
        """Name the number of characters, and the script that most are of."""
        return f"{len(value):,} characters", main_script(value)

    def choose(self, values: Iterator[str], options: Section) -> Field:  # noqa: ARG002
        """Take the length that is asked for."""
        assert isinstance(options, Options)
        return self.field(options.length)

    def fit(self, value: str, field: Field) -> Array:
        """Give the numbers of a text's characters; ValueError where it has none."""
        if not value.strip():
            raise ValueError("it holds no text")
        return code_points(value).astype(field.dtype)

    def to_array(self, rows: Array) -> Array:
        """Give numbers as networks index by."""
        return rows.astype(np.int64)

    def preview(self, values: Tensor) -> Image.Image:
        """Show the beginnings of texts (n, t), one below the other."""
        return drawn([words(one) for one in values])

    def picture(self, value: str | Tensor) -> Image.Image:
        """Show the first lines of a text."""
        text = words(value) if isinstance(value, Tensor) else value
        return drawn(text.splitlines()[:SHOWN] or [""])

    def film(self, values: Tensor, facts: Facts) -> tuple[str, bytes]:
        """Give the texts as a file, which letters that no font here has can be read in."""
        told = f"{heading(facts)}\n" if facts else ""
        return ".txt", (told + "\n\n".join(words(one) for one in values) + "\n").encode()

    def marks(self, value: str | Tensor) -> Facts:
        """Read the heading of a text."""
        return parted(value)[0] if isinstance(value, str) else {}

    def encode(self, value: str | Tensor, ending: str, facts: Facts) -> bytes:  # noqa: ARG002
        """Write a text as it is, in UTF-8; what is told of it stands beside it, or in its own heading."""
        if ending.lower() != ".txt":
            raise ValueError(f"Texts are saved as .txt, not {ending or 'without an ending'}.")
        return (words(value) if isinstance(value, Tensor) else value).encode(UTF_8, "surrogatepass")

    def examine(self, values: Sequence[Array] | Array) -> Findings:
        """Tell how many characters there are, of which scripts, and how many different ones."""
        counts: Counter[int] = Counter()
        for row in values:
            numbers, found = np.unique(row, return_counts=True)
            counts.update(dict(zip(numbers.tolist(), found.tolist(), strict=True)))
        scripts: Counter[str] = Counter()
        for number, count in counts.items():
            scripts[script_of(chr(number))] += count
        told = ", ".join(f"{name} ({count:,})" for name, count in scripts.most_common(4) if name)
        return Findings((f"{counts.total():,} characters, {len(counts):,} different ones: {told}.",))


def _is_there(path: str | Path) -> bool:
    """Tell whether something lies at a path; nothing does at what is longer than any path."""
    try:
        return named_page(path)[0].exists()
    except OSError as error:
        return error.errno != ENAMETOOLONG


def decoded(content: bytes, encoding: str = UTF_8) -> str:
    """Decode a file's content.

    Raises:
        ValueError: it is no text, or in another encoding, whose name is told.
    """
    try:
        text = content.decode(encoding)
    except LookupError:
        raise ValueError(f"there is no encoding {encoding!r}; give one such as {', '.join(OTHERS)}") from None
    except UnicodeError:
        if encoding != UTF_8:
            raise ValueError(f"it is not in {encoding}, as data.encoding says") from None
        _refuse_binary(content[: 1 << 16])
        name = probable_encoding(content)
        raise ValueError(
            f"it is not in UTF-8 but probably in {name}; save it as UTF-8, or learn from it by data.encoding={name}"
        ) from None
    if not CONTROLS.isdisjoint(map(ord, set(text))):
        raise ValueError("it is no text, for it holds bytes that none has")
    return text.removeprefix(BYTE_ORDER_MARK)


def probable_encoding(content: bytes) -> str:
    """Name what a text that is not in UTF-8 is most probably in: where most of its letters are of one script."""
    arabic = content.decode(OTHERS[0], "replace")
    high = [one for one in arabic if ord(one) > 127]
    share = sum(script_of(one) == "Arabic" for one in high) / max(1, len(high))
    return OTHERS[0] if share > 0.75 else OTHERS[1]


def _refuse_other_unicode(head: bytes) -> None:
    """Name the encoding that a file's first bytes tell."""
    for mark, name in MARKED:
        if head.startswith(mark):
            raise ValueError(f"it is in {name}; save it as UTF-8, or learn from it by data.encoding={name}")


def _refuse_binary(head: bytes) -> None:
    """Refuse what holds bytes that no text has."""
    if CONTROLS & set(head):
        raise ValueError("it is no text, for it holds bytes that none has")


def code_points(text: str) -> Array:
    """Give the numbers of a text's characters, int32 (t,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int32)


def words(values: Tensor) -> str:
    """Give the text of numbers (t,), up to the zeros behind it."""
    return "".join(map(chr, values.tolist())).rstrip("\0").replace("\0", " ")


def script_of(character: str) -> str:
    """Name the script of a letter by its name in Unicode; empty for what belongs to none."""
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "").split(" ")[0]
    return name if name == "CJK" else name.capitalize()


def main_script(text: str) -> str:
    """Name the script that most of a text's letters are of."""
    return scripts(text)[0]


def scripts(text: str) -> list[str]:
    """Name the scripts of a text's letters, the commonest first; of a long text by its beginning."""
    counts = Counter(map(script_of, text[:2000]))
    counts.pop("", None)
    return [name for name, _ in counts.most_common()] or ["no letters"]


def heading(facts: Facts) -> str:
    """Give the line that says of a text, in the text itself, which model had a hand in it."""
    return HEADING + json.dumps(typed(facts), ensure_ascii=False)


def parted(text: str) -> tuple[Facts, str]:
    """Part a text into what its heading says, nothing where it has none, and the text itself."""
    first, newline, rest = text.partition("\n")
    if not first.startswith(HEADING):
        return {}, text
    try:
        facts = json.loads(first.removeprefix(HEADING))
    except (ValueError, RecursionError):
        return {}, text
    known = isinstance(facts, dict) and MADE.fullmatch(str(facts.get(SOURCE_TYPE, "")))
    return (facts, rest) if known and newline else ({}, text)


def drawn(lines: Sequence[str]) -> Image.Image:
    """Draw lines of text, those of scripts that run to the left so where this machine can."""
    font = _font()
    shown = [" ".join(line.split())[:SHOWN] for line in lines]
    canvas = Image.new("RGB", (MARGIN * 2 + SHOWN * SIDE * 2 // 3, MARGIN * 2 + LINE * len(shown)), "white")
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(shown):
        draw.text((MARGIN, MARGIN + LINE * number), line, "black", font)
    return canvas


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Take a font of many scripts where there is one, else the one that comes with Pillow."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", SIDE)
    except OSError:
        return ImageFont.load_default(SIDE)


medium = TextMedium()
