"""Augmenting texts that are kept: the lines of a text file, or a column of a table."""

import csv
import io
from pathlib import Path
from random import Random
from typing import Any

from gannet.augmentation.kinds import named_strengths
from gannet.augmentation.texts import TEXT_KINDS, Table, TextKind, augment_text
from gannet.commands.augment.options import TEXT, Augmented, AugmentOptions
from gannet.runtime.files import write_bytes
from gannet.runtime.progress import Watch
from gannet.runtime.randomness import address
from gannet.schema import nearest

ENDINGS = {".txt": "", ".csv": ",", ".tsv": "\t"}
LINE, SOURCE, DONE = "line", "source", "augmentation"


def is_text(path: Path) -> bool:
    """Whether it is a file of texts by its name; ValueError when there is none."""
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
    separator = ENDINGS[path.suffix.lower()]
    beside = out.with_suffix(".record.csv")
    for place in (out,) if separator else (out, beside):
        if place.exists():
            raise ValueError(f"{place} exists; choose another name or remove it first.")
    times = wish.times
    table = _read_synonyms(wish.synonyms)
    chosen = _choose(wish.kinds, table)
    if any(kind.name == "synonyms" for kind, _ in chosen) and not table:
        raise ValueError("synonyms needs a table of them; give a file with a word and its synonyms a line, by tabs.")
    content = _decoded(path)
    names, rows = _read_table(content, separator, wish, path) if separator else _read_lines(content)
    text_at = names.index(wish.text) if separator else 0
    made = []
    for number, row in enumerate(rows, 1):
        watch.step(number, len(rows), "Augmenting, text by text")
        made.append([*row, str(number), ""])
        for copy in range(1, times):
            random, first = Random(address(wish.seed, "augment", number, copy)), number * (times - 1) + copy - 1
            for kind, share in (chosen[(first + turn) % len(chosen)] for turn in range(len(chosen))):
                changed = augment_text(row[text_at], kind, share, random, table)
                if changed != row[text_at]:  # A text that no kind can change has no copies.
                    made.append([*row[:text_at], changed, *row[text_at + 1 :], str(number), f"{kind.name}={share:g}"])
                    break
    told = [*names, SOURCE, DONE]
    if separator:
        write_bytes(out, _table(told, made, separator))
    else:
        lines = [[str(number), *row[-2:]] for number, row in enumerate(made, 1)]
        write_bytes(beside, _table([LINE, SOURCE, DONE], lines, ","))
        write_bytes(out, "".join(f"{row[0]}\n" for row in made).encode())
    kinds = tuple(kind.name for kind, _ in chosen)
    where = "The column" if separator else f"In {beside.name} the column"
    advice = (
        f"{where} {SOURCE} says which text a copy was made from: keep copies of what you test with out of training."
    )
    return Augmented(out, len(rows), len(made) - len(rows), kinds, "texts", advice=advice)


def _decoded(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"There is no file {path}; check its name.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8 ({error.reason} at byte {error.start:,}); save it so.") from None


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


def _read_lines(content: str) -> tuple[list[str], list[list[str]]]:
    """Every line, empty ones as well; they have no copies."""
    return [TEXT], [[line.removesuffix("\r")] for line in content.removesuffix("\n").split("\n")] if content else []


def _read_table(content: str, separator: str, wish: AugmentOptions, path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        found = csv.reader(io.StringIO(content, newline=""), **_dialect(separator))
        names, *rows = [row for row in found if row] or [[]]
    except csv.Error as error:
        raise ValueError(f"{path.name} is no table that can be read ({error}); save it again.") from None
    if {SOURCE, DONE} <= set(names):
        raise ValueError(f"{path.name} was augmented before; give the healthy texts.")
    for what, name in (("text", wish.text), ("label", wish.label)):
        if name and name not in names:
            raise ValueError(f"{path.name} has no {what} column {name!r}; --{what} names one of: {', '.join(names)}.")
    if ragged := next((number for number, row in enumerate(rows, 2) if len(row) != len(names)), 0):
        raise ValueError(f"{path.name}: line {ragged} has not {len(names)} cells as its first line; mend it first.")
    return names, rows


def _read_synonyms(file: str) -> Table:
    if not file:
        return {}
    lines = _decoded(Path(file)).splitlines()
    cells = [line.split("\t") for line in lines if line.strip()]
    if any(len(row) < 2 for row in cells):
        raise ValueError(f"{file} must hold a word and its synonyms a line, separated by tabs.")
    return {word: synonyms for word, *synonyms in cells}


def _table(names: list[str], rows: list[list[str]], separator: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **_dialect(separator)).writerows([names, *rows])
    return text.getvalue().encode()


def _dialect(separator: str) -> dict[str, Any]:
    """In tables separated by tabs quotes are letters like any others."""
    return {"delimiter": separator} | ({"quoting": csv.QUOTE_NONE, "quotechar": None} if separator == "\t" else {})
