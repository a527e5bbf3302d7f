"""Sources become blocks of values brought to one shape, in order, several threads at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gannet.data.records import Array, Chunk, Chunked, Labels, Record, Source
from gannet.media.medium import Field
from gannet.runtime.broken import is_defect, unless_broken
from gannet.runtime.digests import number
from gannet.runtime.wording import reason
from gannet.runtime.workers import Budget, cores, map_in_order

RECORDS_PER_TASK = 16
BYTES_PER_TASK = 64 << 20  # of encoded values: photographs, of which 16 take less, are not kept waiting
BYTES_IN_FLIGHT = 1 << 30  # of all that are read or wait to be decoded: as much as the largest file
Fields: TypeAlias = Mapping[str, Field]


@dataclass(frozen=True)
class Target:
    """What every sample of a cache is brought to."""

    fields: Fields
    group: str = ""
    """A regular expression on names whose first group tells what belongs together; empty: the source may know."""

    def __post_init__(self) -> None:
        taken = {"images", "label", "group"}
        for position, name in enumerate(self.fields):
            plain = name.isidentifier() and not name.endswith("_length")
            assert plain and (name not in taken or (name == "images" and not position)), f"a field is called {name!r}"


@dataclass(frozen=True)
class Block:
    """Some samples: for each field its values (n of them), int64 (n,), bool (n,), uint64 (n,), and what was seen."""

    values: Mapping[str, Sequence[Array] | Array]
    labels: Labels
    is_test: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.uint64]
    sizes: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    """(name, what there is to know of it), of those samples of which there is anything."""


def decode(source: Source, target: Target) -> Iterator[Block]:
    """Give all samples of a source, in its order; only a bounded window of them is in memory."""
    if isinstance(source, Chunked):
        return map_in_order(partial(_decode_chunk, target), source.arrays(), _workers())
    budget = Budget(BYTES_IN_FLIGHT)
    return map_in_order(partial(_decode_batch, target, budget), _batches(source.records(), budget), _workers())


def _workers() -> int:
    return max(2, min(8, cores()))


@dataclass(frozen=True)
class _Batch:
    """Some records, and the bytes that were taken for them."""

    records: list[Record]
    size: int


def _batches(records: Iterator[Record], budget: Budget) -> Iterator[_Batch]:
    """Give a few records at a time, fewer where they are large, and none before there is room for them in memory."""
    some: list[Record] = []
    held = 0
    for record in records:
        some.append(record)
        held += _size(record)
        if len(some) == RECORDS_PER_TASK or held >= BYTES_PER_TASK:
            budget.take(held)
            yield _Batch(some, held)
            some, held = [], 0
    if some:
        budget.take(held)
        yield _Batch(some, held)


def _size(record: Record) -> int:
    try:
        return record.size() if record.size else 0
    except OSError:  # Reading it will say so.
        return 0


def _decode_batch(target: Target, budget: Budget, batch: _Batch) -> Block:
    try:
        return _decode_records(target, batch.records)
    finally:
        budget.give_back(batch.size)


def _decode_chunk(target: Target, chunk: Chunk) -> Block:
    pairs = list(zip(target.fields.items(), chunk.fields.values(), strict=True))
    values = {name: one.medium.fit_many(given, one) for (name, one), given in pairs}
    count = len(chunk.labels)
    (_, first), given = pairs[0]
    size, mode = first.medium.count(given)
    seen = Counter({size: count}), Counter({mode: count})
    return Block(values, chunk.labels, np.full(count, chunk.split == "test"), np.zeros(count, np.uint64), *seen)


def _decode_records(target: Target, records: list[Record]) -> Block:
    values: dict[str, list[Array]] = {name: [] for name in target.fields}
    sizes, modes = Counter[str](), Counter[str]()
    labels, is_test, groups, skipped, remarks = [], [], [], [], []
    for record in records:
        try:
            (size, mode), fitted, told = _fitted(record, target.fields)
        except Exception as error:  # a broken file makes decoders raise anything; the run goes on without it
            if is_defect(error):
                raise
            skipped.append((record.name, reason(error)))
            continue
        for name, value in fitted.items():
            values[name].append(value)
        labels.append(record.label)
        is_test.append(record.split == "test")
        groups.append(group_of(record, target.group))
        sizes[size] += 1
        modes[mode] += 1
        remarks += [(record.name, words) for words in told]
    known = np.array(labels, np.int64), np.array(is_test, np.bool_), np.array(groups, np.uint64)
    return Block(values, *known, sizes, modes, skipped, remarks)


def _fitted(record: Record, fields: Fields) -> tuple[tuple[str, str], dict[str, Array], list[str]]:
    """Read a record and bring its parts to shape; the size and kind of the first one are those of its file.

    Last is what there is to know of its files.
    """
    readers = zip(fields.items(), record.fields.values(), strict=False)  # Of its parts the first ones may be enough.
    assert len(fields) <= len(record.fields), f"{record.name} has fewer parts than are wanted"
    opened = [(name, one, read()) for (name, one), read in readers]
    (_, first, value), *others = opened
    told = first.medium.describe(value)
    ground = first.medium.ground(value)
    over = [(name, one, one.medium.lay_over(part, ground) if ground else part) for name, one, part in others]
    fitted = {name: one.medium.fit(part, one) for name, one, part in (opened[0], *over)}
    return told, fitted, _remarks(opened)


def _remarks(opened: Sequence[tuple[str, Field, Any]]) -> list[str]:
    """Say what there is to know of the files of a sample that could be read."""
    with unless_broken():
        return list(chain.from_iterable(one.medium.remarks(value) for _, one, value in opened))
    return []


def group_of(record: Record, pattern: str) -> int:
    """Give a number for what a record belongs to.

    By its name, its own where the pattern does not match; without a pattern by what the source says, else 0.
    """
    if not pattern:
        return number(f"group {record.group}".encode()) if record.group else 0
    found = re.search(pattern, record.name)
    word = record.name if found is None or found[1] is None else f"group {found[1]}"
    return number(word.encode())
