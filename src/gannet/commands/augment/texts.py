"""Augmenting texts that are kept: the lines of a text file, or a column of a table."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, TextIO

from gannet.augmentation.kinds import named_strengths
from gannet.augmentation.texts import TEXT_KINDS, Table, TextKind, augment_text
from gannet.commands.augment.options import TEXT, Augmented, AugmentOptions
from gannet.runtime.files import check_free, writing
from gannet.runtime.locks import new_file
from gannet.runtime.progress import Watch
from gannet.runtime.randomness import address
from gannet.schema import nearest

ENDINGS = {".txt": "", ".csv": ",", ".tsv": "\t"}
CHUNK = 1 << 20  # bytes that are read at once to see whether they are UTF-8
LINE, SOURCE, DONE = "line", "source", "augmentation"


def is_text(path: Path) -> bool:
    """Tell whether it is a file of texts by its name; ValueError when there is none."""
    if path.suffix.lower() not in ENDINGS or path.is_dir():
        return False
    if not path.is_file():
        raise ValueError(f"There is no file {path}; check its name.")
    return True


def augment_texts(path: Path, out: Path, wish: AugmentOptions, watch: Watch) -> Augmented:
    """Write the texts of a file and `times` - 1 changed copies of each.

    Tables keep their columns and get two more: the line a text was made from, and what was done to it. Of a text file
    a table stands beside the new one that tells so.

    Raises:
        ValueError: a column that is missing, an unknown kind, or endings that differ; one sentence.
    """
    if out.suffix.lower() != path.suffix.lower():
        raise ValueError(f"{out.name}: texts keep their format; give a name that ends in {path.suffix}.")
    with new_file(out):
        return _augment(path, out, wish, watch)


def _augment(path: Path, out: Path, wish: AugmentOptions, watch: Watch) -> Augmented:
    separator, beside = ENDINGS[path.suffix.lower()], out.with_suffix(".record.csv")
    if not separator:
        check_free(beside)
    table = _read_synonyms(wish.synonyms)
    chosen = _choose(wish.kinds, table)
    if any(kind.name == "synonyms" for kind, _ in chosen) and not table:
        raise ValueError("synonyms needs a table of them; give a file with a word and its synonyms a line, by tabs.")
    counts, changes = Counter[bool](), Changes(wish, tuple(chosen), table)
    _check_encoding(path)
    with path.open(encoding="utf-8-sig", newline="" if separator else "\n") as file:
        names, rows = _read_table(file, separator, wish, path) if separator else ([TEXT], _read_lines(file))
        made = _counted(changes.rows(_watched(rows, watch), names.index(wish.text) if separator else 0), counts)
        told = [*names, SOURCE, DONE]
        if separator:
            with _written(out) as lines:
                csv.writer(lines, lineterminator="\n", **_dialect(separator)).writerows(chain([told], made))
        else:
            _write_lines(out, beside, made)
    kinds = tuple(kind.name for kind, _ in chosen)
    where = "The column" if separator else f"In {beside.name} the column"
    advice = (
        f"{where} {SOURCE} says which text a copy was made from: keep copies of what you test with out of training."
    )
    return Augmented(out, counts[False], counts[True], kinds, "texts", advice=advice)


@dataclass(frozen=True)
class Changes:
    """What copies of texts go through in turn."""

    wish: AugmentOptions
    chosen: tuple[tuple[TextKind, float], ...]
    table: Table

    def rows(self, rows: Iterable[list[str]], text_at: int) -> Iterator[list[str]]:
        """Give every row and its copies, each with the number of the row it is made from and what was done to it."""
        for number, row in enumerate(rows, 1):
            yield [*row, str(number), ""]
            for changed, done in self._copies(number, row[text_at]):
                yield [*row[:text_at], changed, *row[text_at + 1 :], str(number), done]

    def _copies(self, number: int, text: str) -> Iterator[tuple[str, str]]:
        times, chosen = self.wish.times, self.chosen
        for copy in range(1, times):
            random, first = Random(address(self.wish.seed, "augment", number, copy)), number * (times - 1) + copy - 1
            for kind, share in (chosen[(first + turn) % len(chosen)] for turn in range(len(chosen))):
                changed = augment_text(text, kind, share, random, self.table)
                if changed != text:  # A text that no kind can change has no copies.
                    yield changed, f"{kind.name}={share:g}"
                    break


def _watched(rows: Iterable[list[str]], watch: Watch) -> Iterator[list[str]]:
    """The same rows, told of on their way; how many there will be is not known."""
    for number, row in enumerate(rows):
        watch.step(number, 0, "Augmenting, text by text")
        yield row


def _counted(rows: Iterable[list[str]], counts: Counter[bool]) -> Iterator[list[str]]:
    """The same rows, counted on their way by whether they are copies."""
    for row in rows:
        counts[bool(row[-1])] += 1
        yield row


def _write_lines(out: Path, beside: Path, made: Iterable[list[str]]) -> None:
    """The texts, a line each, and a table beside them that says where each comes from."""
    with _written(out) as lines, _written(beside) as record:
        table = csv.writer(record, lineterminator="\n", **_dialect(","))
        table.writerow([LINE, SOURCE, DONE])
        for number, (text, *told) in enumerate(made, 1):
            lines.write(f"{text}\n")
            table.writerow([str(number), *told])


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """A file of texts that is whole or not there."""
    with writing(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()


def _check_encoding(path: Path) -> None:
    """Refuse a file that is not in UTF-8, before anything is made of it."""
    decoder, read, pending = codecs.getincrementaldecoder("utf-8")(), 0, 0
    with path.open("rb") as file:
        for chunk in chain(iter(partial(file.read, CHUNK), b""), [b""]):
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _not_utf8(path, error.reason, read - pending + error.start) from None
            read += len(chunk)
            pending = len(decoder.getstate()[0])


def _not_utf8(path: Path, reason: str, at: int) -> ValueError:
    return ValueError(f"{path} is not in UTF-8 ({reason} at byte {at:,}); save it so.")


def _decoded(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"There is no file {path}; check its name.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error.reason, error.start) from None


def _choose(words: str, table: Table) -> list[tuple[TextKind, float]]:
    usual = [name for name in TEXT_KINDS if table or name != "synonyms"]
    asked = named_strengths(",".join(usual) if words in ("auto", "all") else words)
    return [_checked(name, share) for name, share in asked.items()]


def _checked(name: str, share: float | None) -> tuple[TextKind, float]:
    if name not in TEXT_KINDS:
        raise ValueError(f"There is no augmentation of texts {name!r}; {nearest(name, TEXT_KINDS)}")
    kind = TEXT_KINDS[name]
    share = kind.usual if share is None else share
    if not 0 <= share <= 1:
        raise ValueError(f"The strength of {name} is {share:g}; it is a share, from 0 to 1.")
    return kind, share


def _read_lines(file: TextIO) -> Iterator[list[str]]:
    """Every line, empty ones as well; they have no copies."""
    return ([line.removesuffix("\n").removesuffix("\r")] for line in file)


def _read_table(
    file: TextIO, separator: str, wish: AugmentOptions, path: Path
) -> tuple[list[str], Iterator[list[str]]]:
    """The names of the columns, and the rows as they are asked for."""
    found = _parsed(file, separator, path)
    names = next(found, [])
    if {SOURCE, DONE} <= set(names):
        raise ValueError(f"{path.name} was augmented before; give the healthy texts.")
    for what, name in (("text", wish.text), ("label", wish.label)):
        if name and name not in names:
            raise ValueError(f"{path.name} has no {what} column {name!r}; --{what} names one of: {', '.join(names)}.")
    return names, _whole(found, len(names), path)


def _parsed(file: TextIO, separator: str, path: Path) -> Iterator[list[str]]:
    try:
        yield from (row for row in csv.reader(file, **_dialect(separator)) if row)
    except csv.Error as error:
        raise ValueError(f"{path.name} is no table that can be read ({error}); save it again.") from None


def _whole(rows: Iterator[list[str]], cells: int, path: Path) -> Iterator[list[str]]:
    for number, row in enumerate(rows, 2):
        if len(row) != cells:
            raise ValueError(f"{path.name}: line {number} has not {cells} cells as its first line; mend it first.")
        yield row


def _read_synonyms(file: str) -> Table:
    if not file:
        return {}
    lines = _decoded(Path(file)).splitlines()
    cells = [line.split("\t") for line in lines if line.strip()]
    if any(len(row) < 2 for row in cells):
        raise ValueError(f"{file} must hold a word and its synonyms a line, separated by tabs.")
    return {word: synonyms for word, *synonyms in cells}


def _dialect(separator: str) -> dict[str, Any]:
    """In tables separated by tabs quotes are letters like any others."""
    return {"delimiter": separator} | ({"quoting": csv.QUOTE_NONE, "quotechar": None} if separator == "\t" else {})
