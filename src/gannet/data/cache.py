"""The cache: every sample decoded once, to one shape, in a file a field that is mapped into memory."""

from __future__ import annotations

import json
import os
import shutil
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from gannet.data.cache_space import (
    INDEX,
    Room,
    cache_folder,
    disk_full,
    entry_lock,
    is_disk_full,
    remove_torn,
    sums_of,
    touch,
)
from gannet.data.columns import Column, column_of
from gannet.data.decoding import Block, Fields, Target, decode
from gannet.data.grouping import check_group
from gannet.data.guard import Digests, Guard, checked_sums, digest_rows, sum_rows, write_over, write_sums
from gannet.data.holding_out import hold_out, hold_out_groups, part_large
from gannet.data.records import Array, Chunked, Continuous, Counted, Labels, LeftOut, Source, digest, left_out_of
from gannet.runtime.progress import Watch
from gannet.runtime.wording import short

__all__ = ["Dataset", "build_dataset", "cache_folder"]

FORMAT = "2"  # a change of what is stored, or of how pixels are made, raises it and so rebuilds every entry
FIRST = "images.raw"  # of the first field, whatever it is: entries from when there were only pictures stay
BESIDE = {"labels": "int64", "held_out": "bool", "digests": "uint64", "groups": "uint64"}
MOST_SKIPPED = 1000
MOST_SIZES = 1000
ROW_EXTRA = 8 + 8 + 8 + 1  # bytes of label, digest, group and side
ROUNDED, COLOURS = "rounded", {"RGB", "RGBA"}
"""What an entry notes of pictures in colour since their sixteen bits are rounded to eight, and their kinds."""
STEP = 64 << 20  # bytes between looks at the disk when the number of pictures is not known ahead


@dataclass(frozen=True)
class Dataset:
    """Decoded samples, ready to be drawn from."""

    name: str
    columns: Mapping[str, Column]
    """By field, mapped from disk."""
    labels: Labels
    """int64 (n,), -1 without."""
    held_out: npt.NDArray[np.bool_]
    """bool (n,): not to be trained on."""
    digests: npt.NDArray[np.uint64]
    """uint64 (n,), of the values of the first field."""
    groups: npt.NDArray[np.uint64]
    """uint64 (n,), alike for samples that belong together; all 0 where nothing is known."""
    classes: tuple[str, ...]
    fingerprint: str
    """Identifies the content, the shapes and how they were fitted."""
    skipped: tuple[tuple[str, str], ...]
    """(name, reason) of unreadable samples, the first 1,000."""
    skipped_count: int
    sizes: dict[str, int]
    """Samples by original size, such as `width x height`, the most common first."""
    modes: dict[str, int]
    """Samples by kind, such as Pillow's mode."""
    remarks: tuple[tuple[str, str, int], ...] = ()
    """What there is to know of some samples, the name of the first of them, and of how many."""

    def notes(self) -> tuple[str, ...]:
        """Say what there is to know of some samples, a sentence each; entries of earlier versions know nothing."""
        return tuple(f"{self.name}: {count:,}, such as {short(name)}: {what}." for what, name, count in self.remarks)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def first(self) -> Array:
        """The values of the first field."""
        return next(iter(self.columns.values())).values


def build_dataset(
    source: Source, fields: Fields, group: str = "", folder: Path | None = None, watch: Watch | None = None
) -> Dataset:
    """Decode a source into the cache, or open it when it is there and unchanged.

    Held out are the source's own test samples, else a tenth by digest of the first field, so that exact copies stay
    together, or by groups, so that none is on both sides: what the first group of the regular expression `group` finds
    in a sample's name, or what the source knows. Of a film that is much of what there is the end is held out.
    The values are held to digests when they are first read; where one is damaged the entry is made anew, and `watch`
    told. Raises ValueError when fewer than two samples are readable, or when there is no room for them; Stopped when
    `watch`, who is told how many are decoded, wants it to stop.
    """
    target = Target(fields, group)
    watch = watch or Watch()
    key = digest([FORMAT, source.fingerprint(), *_words(fields), group, *_limits(fields)])
    entry = (folder or cache_folder()) / f"data-{key}"
    _make_folder(entry.parent)
    with entry_lock(entry) as kept:
        if not kept:
            watch.notify(
                f"The file system of {entry.parent} keeps no locks: use the same data in one process at a time."
            )
        dataset = _open_entry(entry, source, target, watch)
        if dataset is None:
            if entry.exists():
                watch.notify(f"The cache of {source.name} was damaged or of an earlier version, and is made anew.")
            check_group(source, group)
            remove_torn(entry)
            _build_entry(entry, source, target, watch)
            dataset = _open_entry(entry, source, target, watch)
            assert dataset is not None, f"{entry} was built but does not open"
        touch(entry)
    return dataset


def _limits(fields: Fields) -> Iterable[str]:
    """Give what of how this process reads is not as usual, each once."""
    return dict.fromkeys(chain.from_iterable(field.medium.limits for field in fields.values()))


def _words(fields: Fields) -> Iterator[str]:
    """Give what an entry's name depends on beside the content; what the first field is called does not matter."""
    for position, (name, field) in enumerate(fields.items()):
        yield from field.words if position == 0 else (name, field.medium.name, *field.words)


def _file_names(fields: Fields) -> dict[str, str]:
    """Give the file of each field."""
    return {name: FIRST if position == 0 else f"{name}.raw" for position, name in enumerate(fields)}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"The cache folder {folder} cannot be made ({error.strerror}); set GANNET_CACHE to one that you may write."
        ) from error


def _open_entry(entry: Path, source: Source, target: Target, watch: Watch) -> Dataset | None:
    """Open an entry, or give None when any part of it is missing, damaged or does not fit the others."""
    try:
        rows = checked_sums(sums_of(entry), entry)
        index = json.loads((entry / INDEX).read_text("utf-8"))
        count = int(index["count"])
        labels, held_out, digests, groups = (_read_array(entry, name, kind, count) for name, kind in BESIDE.items())
        columns = {name: _open_column(entry, name, target, count) for name in target.fields}
        skipped = tuple((str(name), str(reason)) for name, reason in index["skipped"])
        counts = skipped, int(index["skipped_count"]), dict(index["sizes"]), dict(index["modes"])
        if ROUNDED not in index and not isinstance(source, Chunked) and not COLOURS.isdisjoint(counts[-1]):
            return None
        remarks = tuple((str(what), str(name), int(number)) for what, name, number in index.get("remarks", ()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, RecursionError, MemoryError):
        return None
    if _beyond(labels, source):
        return None
    if any(len(found) != count for found in rows.values()):
        return None
    mend = partial(_mend, entry, source, target, digests, watch)
    rows.setdefault(next(iter(columns)), digests)  # Older entries have no others.
    columns = {
        name: replace(column, guard=Guard(rows[name], mend)) if name in rows else column
        for name, column in columns.items()
    }
    fingerprint = entry.name.removeprefix("data-")
    return Dataset(
        source.name, columns, labels, held_out, digests, groups, tuple(source.classes), fingerprint, *counts, remarks
    )


def _read_array(entry: Path, name: str, kind: str, count: int) -> Any:
    """Read what there is beside the values, (n,); ValueError when it is not of that type and length."""
    found = np.load(entry / f"{name}.npy", allow_pickle=False)
    if found.dtype != kind or found.shape != (count,):
        raise ValueError(f"{name} is of another type or length")
    return found


def _beyond(labels: Labels, source: Source) -> int:
    """Give the largest label where it lies beyond the classes; 0 where none does, or there are none."""
    largest = int(labels.max(initial=-1))
    return largest if source.classes and largest >= len(source.classes) else 0


def _open_column(entry: Path, name: str, target: Target, count: int) -> Column:
    """Map a field's file into memory; ValueError when it is not of the right length."""
    field, path = target.fields[name], entry / _file_names(target.fields)[name]
    offsets = _read_array(entry, f"{path.stem}.offsets", "int64", count + 1) if field.ragged else None
    if offsets is not None and (offsets[0] or (np.diff(offsets) < 0).any()):
        raise ValueError(f"the offsets of {name} are no offsets")
    length = count if offsets is None else int(offsets[-1])
    shape = (length, *(side for side in field.shape if side is not None))
    expected = int(np.prod(shape)) * np.dtype(field.dtype).itemsize
    if path.stat().st_size != expected:
        raise ValueError(f"{path} is torn")
    values = np.memmap(path, field.dtype, "r", shape=shape) if expected else np.empty(shape, field.dtype)
    values = values.view(np.ndarray)  # Rows of a plain array are given faster.
    return column_of(values, field, offsets)


def _mend(
    entry: Path, source: Source, target: Target, digests: Digests, watch: Watch, is_damaged: Callable[[], bool]
) -> None:
    """Decode an entry anew, and write over what of its values is not what was decoded.

    Raises:
        ValueError: the data are not what they were, or the cache cannot be written to.
    """
    beside = entry.with_name(f"{entry.name}.building")
    with entry_lock(entry):
        if not is_damaged():  # Another process has mended it meanwhile.
            return
        watch.notify(f"The cache of {source.name} is damaged; what is damaged of it is made anew.")
        try:
            remove_torn(beside)
            _decode_all(beside, source, target, Watch())  # Who loads ahead cannot be stopped.
            if np.array_equal(np.load(beside / "digests.npy", allow_pickle=False), digests):
                for name in _file_names(target.fields).values():
                    write_over(beside / name, entry / name)
        except (OSError, ValueError):  # What is damaged still tells it.
            pass
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        if is_damaged():
            entry.joinpath(INDEX).unlink(missing_ok=True)
            raise ValueError(
                f"The cache of {source.name} is damaged and could not be mended while in use; ask for the same again, "
                "and it is made anew from the data (a run goes on with `gannet train --resume`)."
            )


def _build_entry(entry: Path, source: Source, target: Target, watch: Watch) -> None:
    building = entry.with_name(entry.name + ".building")
    remove_torn(building)
    rows = _decode_all(building, source, target, watch)
    write_sums(sums_of(entry), building, rows)
    building.replace(entry)


def _decode_all(building: Path, source: Source, target: Target, watch: Watch) -> dict[str, array[int]]:
    """Decode a source into a new folder; returns the sums of the rows by field."""
    building.mkdir()
    room = Room(building, source.name)
    with _all_or_nothing(building, room):
        rows = _Rows(room, target)
        total = source.count() if isinstance(source, Counted) else 0
        if total:
            room.ask(total * rows.row_bytes, 0)
        with ExitStack() as stack:
            names = _file_names(target.fields)
            files = {name: stack.enter_context((building / path).open("wb")) for name, path in names.items()}
            for block in decode(source, target):
                rows.append(block, files)
                watch.step(len(rows), total, "Decoding")
            rows.leave_out(left_out_of(source))
            for file in files.values():
                file.flush()
                os.fsync(file.fileno())  # a power cut must not leave a file of the right length full of zeros
        rows.finish(building, source)
    return rows.sums


@contextmanager
def _all_or_nothing(building: Path, room: Room) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        shutil.rmtree(building, ignore_errors=True)
        if isinstance(error, OSError) and is_disk_full(error):
            raise ValueError(disk_full(room.name, building.parent, room.reserved)) from error
        raise


class _Rows:
    """What is known of the samples written so far, in flat arrays: a million of them take 17 MB."""

    def __init__(self, room: Room, target: Target) -> None:
        self.row_bytes = sum(field.row_bytes for field in target.fields.values()) + ROW_EXTRA
        self._room, self._fields = room, target.fields
        self._written = 0
        self._labels = array("q")
        self._digests = array("Q")
        self.sums = {name: array("I") for name in target.fields}
        self._groups = array("Q")
        self._lengths = {name: array("q") for name, field in target.fields.items() if field.ragged}
        self._grouped = bool(target.group)
        self._is_test = bytearray()
        self._skipped: list[tuple[str, str]] = []
        self._skipped_count = 0
        self._remarks: dict[str, tuple[str, int]] = {}
        self._sizes: Counter[str] = Counter()
        self._modes: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._labels)

    def append(self, block: Block, files: Mapping[str, BinaryIO]) -> None:
        """Write a block's values and remember the rest."""
        size = sum(_bytes_of(values) for values in block.values.values()) + ROW_EXTRA * len(block.labels)
        if self._written + size > self._room.reserved:
            self._room.ask(self._written + size + STEP, self._written)
        self._written += size
        for name, values in block.values.items():
            _write(values, files[name])
            if name in self._lengths:
                self._lengths[name].extend(len(value) for value in values)
        self._labels.frombytes(block.labels.astype(np.int64).tobytes())
        self._digests.frombytes(digest_rows(next(iter(block.values.values()))).tobytes())
        for name, values in block.values.items():
            self.sums[name].frombytes(sum_rows(values).tobytes())
        self._groups.frombytes(block.groups.tobytes())
        self._is_test += block.is_test.tobytes()
        self.leave_out(block.skipped)
        for name, what in block.remarks:
            first, count = self._remarks.get(what, (name, 0))
            self._remarks[what] = first, count + 1
        self._modes += block.modes
        for word, count in block.sizes.items():
            self._sizes[word if word in self._sizes or len(self._sizes) < MOST_SIZES else "other"] += count

    def leave_out(self, skipped: Sequence[LeftOut]) -> None:
        """Remember what is not used, and why."""
        self._skipped += skipped[: MOST_SKIPPED - len(self._skipped)]
        self._skipped_count += len(skipped)

    def finish(self, building: Path, source: Source) -> None:
        """Write everything but the values."""
        self._refuse_too_few()
        if wrong := _beyond(np.frombuffer(self._labels, np.int64), source):
            raise ValueError(
                f"{source.name}: a label is {wrong:,}, but there are {len(source.classes):,} classes, counted from 0; "
                "mend the labels."
            )
        digests = np.frombuffer(self._digests, np.uint64)
        np.save(building / "labels.npy", np.frombuffer(self._labels, np.int64), allow_pickle=False)
        groups = np.frombuffer(self._groups, np.uint64)
        np.save(building / "digests.npy", digests, allow_pickle=False)
        np.save(building / "groups.npy", groups, allow_pickle=False)
        for name, lengths in self._lengths.items():
            offsets = np.concatenate([[0], np.cumsum(np.frombuffer(lengths, np.int64))])
            file = building / _file_names(self._fields)[name]
            np.save(file.with_suffix(".offsets.npy"), offsets, allow_pickle=False)
        is_test = np.frombuffer(self._is_test, np.bool_)
        if groups.any():  # What the source knows nothing of is a group of its own, with its exact copies.
            groups = np.where(groups == 0, digests, groups)
        grouped = self._grouped or 1 < len(np.unique(groups)) < len(groups)
        held_out = hold_out_groups(groups, is_test) if grouped else hold_out(digests, is_test)
        if isinstance(source, Continuous) and not self._grouped and groups.any():
            sizes = np.frombuffer(next(iter(self._lengths.values())), np.int64)
            held_out = part_large(held_out, groups, sizes, is_test)
        np.save(building / "held_out.npy", held_out, allow_pickle=False)
        index = {
            "count": len(self._labels),
            "skipped": self._skipped,
            "skipped_count": self._skipped_count,
            "sizes": dict(self._sizes.most_common()),
            "modes": dict(self._modes.most_common()),
        }
        if not COLOURS.isdisjoint(self._modes):
            index[ROUNDED] = True
        if self._remarks:
            index["remarks"] = [[what, *told] for what, told in self._remarks.items()]
        (building / INDEX).write_text(json.dumps(index), "utf-8")

    def _refuse_too_few(self) -> None:
        count, name = len(self._labels), self._room.name
        if count > 1:
            return
        medium = next(iter(self._fields.values())).medium
        none = f"no readable {medium.noun}" if self._skipped else f"no {medium.plural}"
        found = f"only one readable {medium.noun}" if count else none
        first = ""
        if self._skipped:
            skipped, reason = self._skipped[0]
            first = f" ({self._skipped_count} unreadable, first {short(skipped)}: {reason})"
        raise ValueError(f"{name} holds {found}{first}; give at least two, and hundreds to learn anything.")


def _bytes_of(values: Sequence[Array] | Array) -> int:
    return values.nbytes if isinstance(values, np.ndarray) else sum(value.nbytes for value in values)


def _write(values: Sequence[Array] | Array, file: BinaryIO) -> None:
    for value in [values] if isinstance(values, np.ndarray) else values:
        file.write(np.ascontiguousarray(value).data)
