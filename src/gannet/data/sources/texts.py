"""Texts in files: books and poems (.txt), or many short ones of a line each (.tsv: name, tab, text), also gzipped.

A text is cut into parts of whole lines, a record each, long enough that few of the windows that are learned from begin
where a part does. Folders are classes, such as languages. Where no folder says what is held out, it is the last tenth
of every file, and of short ones the end of every some: what follows what was learned is nearer to a page that nobody
has seen than lines from all over it.
"""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from importlib import resources
from pathlib import Path, PurePosixPath

from gannet.data.records import LeftOut, Record, Source, digest
from gannet.data.sources.folder import BESIDE, Folder, Storage, Zip, fingerprint_of
from gannet.data.sources.layout import in_utf8, read_layout
from gannet.media import find_medium
from gannet.media.medium import Medium
from gannet.media.text import Options, TextMedium
from gannet.runtime.reading import any_beginning, read_bounded
from gannet.schema import Section

ENDINGS = (".txt", ".tsv", ".txt.gz", ".tsv.gz")
WINDOWS, FEWEST_PARTS, EVERY = 8, 20, 10
"""Windows that a part is long, parts that a short text is cut into nevertheless, and among how many one is held out."""
VERSION = "2"
"""A change of how texts are cut or marks are read raises it, and so decodes anew what the cache holds of texts."""


class TextSource:
    """Texts in a folder, a zip or a file of its own; `read_layout` tells what the folders around them mean."""

    def __init__(self, storage: Storage, field: str, medium: TextMedium, options: Options | None = None) -> None:
        self.name = storage.name
        self._storage, self._field, self._options = storage, field, options or Options()
        self._given, self._medium = medium, medium.reading(self._options)
        names = sorted(path for path in storage.names() if path.lower().endswith(ENDINGS))
        self._layout = read_layout(names)
        self._paths = [path for path in names if self._layout.covers(path)]
        self._beside = [(path, BESIDE) for path in names if not self._layout.covers(path)]
        others = set(storage.names()) - set(names)
        self.ignored, self.ignored_endings = len(others), sorted({PurePosixPath(one).suffix.lower() for one in others})
        # Folders that name one side alone do not say what is held out.
        self._is_split = len({self._layout.place(path)[1] for path in self._paths}) > 1

    @property
    def classes(self) -> tuple[str, ...]:
        return self._layout.classes

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes, or how it is read."""
        found = fingerprint_of(self._storage, self._paths, self._beside)
        alone = not self._is_split and any(self._layout.place(path)[1] for path in self._paths)
        told = ["texts", VERSION, found, self._options.model_dump_json(), *(["one side"] if alone else [])]
        return digest(told)

    def with_options(self, options: Options) -> "TextSource":
        """Give the same, read otherwise."""
        return TextSource(self._storage, self._field, self._given, options)

    def left_out(self) -> Iterator[LeftOut]:
        """Name texts that lie beside the folders of splits."""
        return ((in_utf8(path), reason) for path, reason in self._beside)

    def notes(self) -> Iterator[str]:
        """Say of how many files the texts are parts."""
        count = len(self._paths)
        yield f"The texts are parts of {count:,} file{'s' * (count != 1)}."

    def records(self) -> Iterator[Record]:
        """Give every part of every text, in order; a file is read once, whole. One without any fails as a broken one
        does, so that it is named."""
        seen = Counter[int]()
        for path in self._paths:
            label, split = self._layout.place(path)
            try:
                parts = self._parts(path)
            except Exception as error:  # A broken file raises anything; the cache will name it.
                yield Record(in_utf8(path), {self._field: partial(_fail, error)}, label, split)
                continue
            known = len(parts) - _held_out(seen[label], len(parts))
            seen[label] += len(parts)
            for number, part in enumerate(parts):
                own = split if self._is_split else "train" if number < known else "test"
                yield Record(f"{in_utf8(path)} {number + 1}", {self._field: partial(_given, part)}, label, own)

    def _parts(self, path: str) -> list[str]:
        """Read a file, and cut it."""
        text = self._medium.read(self._content(path))
        if not text.strip():
            raise ValueError("it holds no text")
        texts = _joined(text) if ".tsv" in path.lower()[-7:] else [text]
        if read := self._medium.marks_of:
            texts = map(read, texts)
        lines = [line.rstrip() for one in texts for line in one.splitlines() or [""]]
        return cut(lines, self._options.length)

    def _content(self, path: str) -> bytes:
        content = self._storage.read(path, any_beginning)
        if not path.lower().endswith(".gz"):
            return content
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
                return read_bounded(stream)  # type: ignore[arg-type]
        except (EOFError, zlib.error) as error:
            raise ValueError(f"it is cut short or damaged ({error})") from None


def _held_out(before: int, count: int) -> int:
    """Give how many parts at the end of a file are held out, so that it is every tenth of a class even where files are
    short; of the first two parts one.

    Args:
        before: parts of the files before it.
        count: parts of the file.
    """
    return (before + count + EVERY - 2) // EVERY - (before + EVERY - 2) // EVERY


def _given(text: str) -> str:
    return text


def _fail(error: Exception) -> None:
    """Tell why a file cannot be read, when it is."""
    raise error


def _joined(table: str) -> Iterable[str]:
    """Give the texts of a table, a name and a text a line, with an empty line between them."""
    for line in table.splitlines():
        yield from (line.partition("\t")[2].replace("\t", " ") or line, "")


def cut(lines: list[str], length: int) -> list[str]:
    """Cut a text's lines into parts of several windows of that length, or of fewer where the text is short; of empty
    lines that follow each other one is left."""
    size = min(WINDOWS * length, max(length, sum(map(len, lines)) // FEWEST_PARTS))
    parts: list[str] = []
    some: list[str] = []
    held = 0
    for line in lines:
        if not line and (not some or not some[-1]):
            continue
        some.append(line)
        held += len(line) + 1
        if held >= size:
            parts.append("\n".join(some).strip("\n"))
            some, held = [], 0
    return [*parts, "\n".join(some).strip("\n")] if any(some) else parts


class OneFile(Folder):
    """A folder of which one file alone is seen."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.name, self._names = in_utf8(path.name), [path.name]

    def names(self) -> list[str]:
        """List that file."""
        return self._names

    def left_out(self) -> list[LeftOut]:
        """List nothing: the others are not meant."""
        return []


MEDIA = (("text",),)
EMBEDDED = ("lost-words",)
ALLOWED = "a text (.txt, or .tsv of name, tab, text; .gz), a folder or zip of texts, or lost-words"


def open_name(target: str) -> Source | None:
    """Open the passages that come along: a few old ones in Persian, English and Latin."""
    if target not in EMBEDDED:
        return None
    folder = Folder(Path(str(resources.files("gannet.data") / "embedded" / target)))
    medium = find_medium("text")
    assert isinstance(medium, TextMedium)
    return TextSource(folder, "text", medium)


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open a file, a folder or a zip."""
    ((name, medium),) = media.items()
    assert isinstance(medium, TextMedium), "texts are read by their medium"
    if path.is_dir() or path.suffix.lower() == ".zip":
        return TextSource(Folder(path) if path.is_dir() else Zip(path), name, medium)
    return TextSource(OneFile(path), name, medium) if path.name.lower().endswith(ENDINGS) else None


def finished(source: Source, options: Section | None) -> Source:
    """Read texts as their options say."""
    if not isinstance(source, TextSource) or not isinstance(options, Options):
        return source
    return source.with_options(options)
