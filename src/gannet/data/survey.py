"""A quick look at a source before it is cached."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from gannet.data.records import Array, Chunked, Record, Sampled, Source, listed
from gannet.media.image import Look, Survey
from gannet.media.pixels import Picture
from gannet.runtime.broken import is_defect, unless_broken
from gannet.runtime.selection import evenly_spaced
from gannet.runtime.wording import reason, short


class Numbered(Protocol):
    """A medium whose values are the numbers of classes."""

    @property
    def noun(self) -> str: ...

    def numbers(self, value: Any) -> Array:
        """Give the numbers of a value that was read."""
        ...


MOST_LOOKED_AT = 256
"""Samples that are looked at before a data set is cached."""


def survey(source: Source, most: int = MOST_LOOKED_AT) -> Survey:
    """Look at up to `most` pictures, spread over the source; ValueError when none can be read."""
    look, first_error = Look(), ""
    for record in sample(source, most):
        try:
            look.add(cast(Picture, record.read()))
        except Exception as error:  # a broken file makes decoders raise anything; the cache will name it
            if is_defect(error):
                raise
            first_error = first_error or f"{short(record.name)}: {reason(error)}"
    if not look.sides:
        found = f"no readable picture (first {first_error})" if first_error else "no pictures"
        raise ValueError(f"{source.name} holds {found}; give at least two, and hundreds to learn anything.")
    return look.survey()


def readable(source: Source, part: int = 0, most: int = MOST_LOOKED_AT) -> Iterator[Any]:
    """Read a part of up to `most` samples, spread over the source; broken files are passed over."""
    for record in sample(source, most):
        with unless_broken():  # A broken file raises anything; the cache will name it.
            yield list(record.fields.values())[part]()


def numbers_in(source: Source, medium: Numbered, most: int) -> set[int]:
    """Find the numbers in the second part of up to `most` samples from all over: those of classes, voxel by voxel.

    Raises:
        ValueError: none can be read.
    """
    found: set[int] = set()
    first = ""
    for record in sample(source, most):
        try:
            _, read = record.fields.values()
            found |= set(np.unique(medium.numbers(read())).tolist())
        except Exception as error:  # A broken file raises anything; the cache will name it.
            if is_defect(error):
                raise
            first = first or f" (first {short(record.name)}: {reason(error)})"
    if not found:
        raise ValueError(f"{Path(source.name).name} holds no readable {medium.noun}{first}; give at least two.")
    return found


def count_learned(source: Source, most: int) -> int:
    """Count the samples but for the source's own test samples, up to `most`; nothing is read."""
    learned = (record for record in listed(source) if record.split != "test")
    return sum(1 for _ in islice(learned, most))


def sample(source: Source, most: int) -> Iterator[Record]:
    """Give up to `most` samples, spread over the source where that takes no reading."""
    if isinstance(source, Sampled):
        return islice(source.sample(most), most)
    if isinstance(source, Chunked):
        return islice(source.records(), most)
    kept = evenly_spaced(source.records(), 2 * most)
    count = min(most, len(kept))
    return (kept[index * len(kept) // count] for index in range(count))
