"""Scores: how likely each class is, as a classifier says."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import ClassVar, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor

from gannet.media.grids import draw_grid
from gannet.media.medium import Array, Field, Medium
from gannet.provenance.metadata import Facts, comment, typed
from gannet.schema import Section

Scores: TypeAlias = Mapping[str, float]
"""A probability by the name of a class."""
HEAD, MAKER = ("class", "probability"), "made_by"
"""What a table's columns are called, and one more that says in its first row by which model it was made: readers of
tables take a comment for a row."""


class ScoresMedium(Medium[Scores]):
    """Probabilities by class; the likeliest comes first in a file."""

    name: ClassVar[str] = "scores"
    noun: ClassVar[str] = "table of scores"
    plural: ClassVar[str] = "tables of scores"
    endings: ClassVar[frozenset[str]] = frozenset()
    saved: ClassVar[tuple[str, ...]] = (".csv", ".json")

    def read(self, content: bytes) -> Scores:
        """Read what `encode` wrote as .csv."""
        head, *rows = csv.reader(io.StringIO(content.decode()))
        if tuple(head[:2]) != HEAD:
            raise ValueError(f"its first line is not {','.join(HEAD)}")
        return {name: float(share) for name, share, *_ in rows}

    def describe(self, value: Scores) -> tuple[str, str]:
        """Name the number of classes."""
        return str(len(value)), "float32"

    def choose(self, values: Iterator[Scores], options: Section) -> Field:  # noqa: ARG002
        """Count the classes."""
        return Field(self, (len(next(values)),), "float32")

    def fit(self, value: Scores, field: Field) -> Array:
        """Take the probabilities in their order."""
        return np.asarray(list(value.values()), field.dtype)

    def preview(self, values: Tensor) -> Image.Image:
        """Show probabilities (n, classes) as rows of squares, the likelier the lighter."""
        return draw_grid(2 * values[:, None, None, :] - 1, columns=1)

    def picture(self, value: Scores | Tensor) -> Image.Image:
        """Show one row."""
        row = value if isinstance(value, Tensor) else Tensor(list(value.values()))
        return self.preview(row[None])

    def encode(self, value: Scores, ending: str, facts: Facts) -> bytes:  # type: ignore[override]
        """Write a table, or JSON, which has room for what is known of it."""
        ranked = sorted(value.items(), key=lambda row: -row[1])
        if ending.lower() == ".json":
            told = {"probabilities": dict(ranked), **typed(facts)}
            return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()
        if ending.lower() != ".csv":
            raise ValueError(f"Scores are saved as {', '.join(self.saved)}, not {ending or 'without an ending'}.")
        rows = [HEAD, *((name, f"{share:.6g}") for name, share in ranked)]
        maker = [MAKER, comment(facts), *[""] * (len(ranked) - 1)] if facts else []
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows((*row, *more) for row, more in zip_longest(rows, zip(maker), fillvalue=()))
        return text.getvalue().encode()


medium = ScoresMedium()
