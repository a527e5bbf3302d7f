"""The cache: every picture decoded once, to one size, in a file that is mapped into memory."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gannet.data.decoding import Block, Target, decode
from gannet.data.pictures import check_fit
from gannet.data.records import Chunked, Counted, Labels, Pixels, Source, digest
from gannet.data.room import (
    INDEX,
    Room,
    cache_folder,
    disk_full,
    entry_lock,
    is_disk_full,
    remove_torn,
    touch,
)
from gannet.data.survey import Survey, survey

__all__ = ["Dataset", "Survey", "build_dataset", "cache_folder", "survey"]

FORMAT = "2"  # a change of what is stored, or of how pixels are made, raises it and so rebuilds every entry
IMAGES = "images.raw"
BESIDE = ("labels", "held_out", "digests", "groups")
MOST_SKIPPED = 1000
MOST_SIZES = 1000
ROW_EXTRA = 8 + 8 + 8 + 1  # bytes of label, digest, group and side
STEP = 64 << 20  # bytes between looks at the disk when the number of pictures is not known ahead


@dataclass(frozen=True)
class Dataset:
    """Decoded pictures, ready to be drawn from."""

    name: str
    images: Pixels
    """uint8 (n c h w), mapped from disk."""
    labels: Labels
    """int64 (n,), -1 without."""
    held_out: npt.NDArray[np.bool_]
    """bool (n,): not to be trained on."""
    digests: npt.NDArray[np.uint64]
    """uint64 (n,), of the pixels in `images`."""
    groups: npt.NDArray[np.uint64]
    """uint64 (n,), alike for pictures that belong together; all 0 where nothing is known."""
    classes: tuple[str, ...]
    fingerprint: str
    """Identifies the content, the size, the channels and the fit."""
    skipped: tuple[tuple[str, str], ...]
    """(name, reason) of unreadable pictures, the first 1,000."""
    skipped_count: int
    sizes: dict[str, int]
    """Pictures by original `width x height`, the most common first."""
    modes: dict[str, int]
    """Pictures by Pillow's mode."""


def build_dataset(
    source: Source,
    height: int,
    width: int,
    channels: int,
    fit: str = "crop",
    group: str = "",
    folder: Path | None = None,
) -> Dataset:
    """Decode a source into the cache, or open it when it is there and unchanged.

    Held out are the source's own test pictures, else a tenth by digest, so that exact copies stay together, or by what
    the first group of the regular expression `group` finds in a picture's name, so that none is on both sides.
    Raises ValueError when fewer than two pictures are readable, or when there is no room for them.
    """
    target = _checked_target(height, width, channels, fit, group)
    if group and isinstance(source, Chunked):
        raise ValueError(f"{source.name} has no file names that data.group could look at; leave it out.")
    key = digest([FORMAT, source.fingerprint(), *map(str, target.shape), fit, group])
    entry = (folder or cache_folder()) / f"data-{key}"
    _make_folder(entry.parent)
    with entry_lock(entry):
        dataset = _open_entry(entry, source, target)
        if dataset is None:
            remove_torn(entry)
            _build_entry(entry, source, target)
            dataset = _open_entry(entry, source, target)
            assert dataset is not None, f"{entry} was built but does not open"
        touch(entry)
    return dataset


def _checked_target(height: int, width: int, channels: int, fit: str, group: str) -> Target:
    check_fit(fit)
    if height < 1 or width < 1 or channels not in (1, 3, 4):
        raise ValueError(
            f"Pictures of {height} x {width} with {channels} channels cannot be made; choose a data.size "
            "of 1 or more "
            "and 1, 3 or 4 channels."
        )
    return Target(channels, height, width, fit, group)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"The cache folder {folder} cannot be made ({error.strerror}); set GANNET_CACHE to one that you may write."
        ) from error


def _open_entry(entry: Path, source: Source, target: Target) -> Dataset | None:
    """Open an entry, or give None when any part of it is missing or does not fit the others."""
    try:
        index = json.loads((entry / INDEX).read_text("utf-8"))
        arrays = [np.load(entry / f"{name}.npy", allow_pickle=False) for name in BESIDE]
        shape = (int(index["count"]), *target.shape)
        if (entry / IMAGES).stat().st_size != np.prod(shape) or any(len(part) != shape[0] for part in arrays):
            return None
        images = np.memmap(entry / IMAGES, np.uint8, "r", shape=shape)
        skipped = tuple((str(name), str(reason)) for name, reason in index["skipped"])
        counts = skipped, int(index["skipped_count"]), dict(index["sizes"]), dict(index["modes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    labels, held_out, digests, groups = arrays
    fingerprint = entry.name.removeprefix("data-")
    return Dataset(source.name, images, labels, held_out, digests, groups, tuple(source.classes), fingerprint, *counts)


def _build_entry(entry: Path, source: Source, target: Target) -> None:
    building = entry.with_name(entry.name + ".building")
    remove_torn(building)
    building.mkdir()
    room = Room(building, source.name)
    with _all_or_nothing(building, room):
        rows = _Rows(room, target)
        if isinstance(source, Counted):
            room.ask(source.count() * rows.row_bytes, 0)
        with (building / IMAGES).open("wb") as file:
            for block in decode(source, target):
                rows.append(block, file)
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave a file of the right length full of zeros
        rows.finish(building)
        building.replace(entry)


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
    """What is known of the pictures written so far, in flat arrays: a million of them take 17 MB."""

    def __init__(self, room: Room, target: Target) -> None:
        self.row_bytes = int(np.prod(target.shape)) + ROW_EXTRA
        self._room = room
        self._labels = array("q")
        self._digests = array("Q")
        self._groups = array("Q")
        self._grouped = bool(target.group)
        self._is_test = bytearray()
        self._skipped: list[tuple[str, str]] = []
        self._skipped_count = 0
        self._sizes: Counter[str] = Counter()
        self._modes: Counter[str] = Counter()

    def append(self, block: Block, file: Any) -> None:
        """Write a block's pixels and remember the rest."""
        total = (len(self._labels) + len(block.labels)) * self.row_bytes
        if total > self._room.reserved:
            self._room.ask(total + STEP, len(self._labels) * self.row_bytes)
        file.write(block.images.data)
        self._labels.frombytes(block.labels.astype(np.int64).tobytes())
        self._digests.frombytes(_digest_rows(block.images))
        self._groups.frombytes(block.groups.tobytes())
        self._is_test += block.is_test.tobytes()
        self._skipped += block.skipped[: MOST_SKIPPED - len(self._skipped)]
        self._skipped_count += len(block.skipped)
        self._modes += block.modes
        for size, count in block.sizes.items():
            self._sizes[size if size in self._sizes or len(self._sizes) < MOST_SIZES else "other"] += count

    def finish(self, building: Path) -> None:
        """Write everything but the pixels."""
        self._refuse_too_few()
        digests = np.frombuffer(self._digests, np.uint64)
        np.save(building / "labels.npy", np.frombuffer(self._labels, np.int64), allow_pickle=False)
        groups = np.frombuffer(self._groups, np.uint64)
        np.save(building / "digests.npy", digests, allow_pickle=False)
        np.save(building / "groups.npy", groups, allow_pickle=False)
        is_test = np.frombuffer(self._is_test, np.bool_)
        held_out = hold_out_groups(groups, is_test) if self._grouped else hold_out(digests, is_test)
        np.save(building / "held_out.npy", held_out, allow_pickle=False)
        index = {
            "count": len(self._labels),
            "skipped": self._skipped,
            "skipped_count": self._skipped_count,
            "sizes": dict(self._sizes.most_common()),
            "modes": dict(self._modes.most_common()),
        }
        (building / INDEX).write_text(json.dumps(index), "utf-8")

    def _refuse_too_few(self) -> None:
        count, name = len(self._labels), self._room.name
        if count > 1:
            return
        none = "no readable picture" if self._skipped else "no pictures"
        found = "only one readable picture" if count else none
        first = f" ({self._skipped_count} unreadable, first {': '.join(self._skipped[0])})" if self._skipped else ""
        raise ValueError(f"{name} holds {found}{first}; give at least two, and hundreds to learn anything.")


def _digest_rows(images: Pixels) -> bytes:
    """Give 8 bytes for each picture, such that equal pixels give equal bytes on every machine."""
    rows = images.reshape(len(images), int(np.prod(images.shape[1:])))  # -1 has no meaning for no images
    values = b"".join(hashlib.blake2b(row.data, digest_size=8).digest() for row in rows)
    return np.frombuffer(values, "<u8").astype(np.uint64).tobytes()


def hold_out(digests: npt.NDArray[np.uint64], is_test: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Choose what is not trained on: bool (n,), with neither side empty for two pictures or more.

    The source's own test pictures, else a tenth by digest. Copies stay together unless all are copies.
    """
    if is_test.any() and not is_test.all():
        return is_test
    held_out: npt.NDArray[np.bool_] = digests % np.uint64(10) == 0
    if held_out.all() or not held_out.any():
        held_out = digests == digests.min()
    if held_out.all():
        held_out = np.arange(len(digests)) == len(digests) - 1
    return held_out


def hold_out_groups(groups: npt.NDArray[np.uint64], is_test: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Choose whole groups, at least a tenth of the pictures and, of five groups or more, two: bool (n,).

    Raises ValueError when no two pictures belong together, or all do.
    """
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) in (1, len(groups)):
        raise ValueError(
            f"data.group puts the {len(groups):,} pictures into {len(names):,} groups; its first brackets must find "
            "what the names of one person's pictures have in common."
        )
    if is_test.any() and not is_test.all():
        return is_test
    # The numbers of groups are hashes of their names, so their order is as good as random.
    enough = int(np.searchsorted(np.cumsum(sizes), len(groups) / 10)) + 1
    return np.isin(groups, names[: max(enough, 2 if len(names) >= 5 else 1)])
