"""Data in memory: arrays, tensors, lists of pictures and PyTorch's data sets.

A recipe names them by their digest; a verb holds them under that name while it works, and whoever goes on with a run
gives them again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from gannet.data.records import VALUE, Labels, Record, Source, digest, rows_per_chunk, unread
from gannet.data.sources.arrays import ArraySource, fingerprint, spread
from gannet.data.sources.labels import numbered
from gannet.data.sources.levels import Levels
from gannet.media.arrays import CHANNELS, FIRST, LAST, Numbers, picture_of, pictures_of
from gannet.media.pixels import Pixels, natural_pixels
from gannet.media.sixteen_bit import is_deep
from gannet.runtime.broken import is_defect
from gannet.runtime.progress import Watch

NAME = "memory"
"""How messages call such data."""
PREFIX = f"{NAME}:"
"""What their names in recipes begin with; their digest follows."""
READ_TWICE = 32
"""Pictures that are read again to see that they are the same."""
_held: ContextVar[Mapping[str, Source]] = ContextVar("held")


class Pictures(Protocol):
    """Pictures in memory, by position: an array, a tensor, a list, or PyTorch's `Dataset`; also (pictures, labels)."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


@contextmanager
def held(data: object, watch: Watch) -> Iterator[str]:
    """Hold data in memory, and give the name by which `open_source` finds them meanwhile.

    Raises:
        ValueError: they are no pictures, too few, or others each time; one sentence.
        Stopped: `watch` wants it to stop.
    """
    stamp, source = _read(data, watch)
    before = _held.set({**_held.get({}), stamp: source})
    try:
        yield stamp
    finally:
        _held.reset(before)


def open_held(name: str) -> Source | None:
    """Open data that are held under a name; None where that is none of theirs, ValueError where they are not held."""
    if not is_held_name(name):
        return None
    if found := _held.get({}).get(name):
        return found
    raise ValueError(
        f"The data were in memory ({name}) and are not there any more: give the same again in Python, as in "
        "gannet.train(resume=RUN, data=DATA) or gannet.judge(RUN, data=DATA)."
    )


def is_held_name(name: str) -> bool:
    """Tell whether data of that name are, or were, in memory."""
    return name.startswith(PREFIX)


def _read(data: object, watch: Watch) -> tuple[str, Source]:
    """Read data once; give the name that they are held by, and their source."""
    pictures, labels = _parted(data)
    try:
        values = pictures_of(pictures)
    except ValueError as error:
        raise ValueError(f"{NAME} holds no pictures: {error}.") from None
    if values is None and not _by_position(pictures):
        kind = type(pictures).__name__
        raise ValueError(
            "Data is a path, or in memory an array, a tensor, a list of pictures, a PyTorch Dataset that has a length, "
            f"or (pictures, labels); give one of these instead of {kind}."
        )
    _refuse_one(pictures)
    if len(pictures) < 2:
        raise ValueError(f"{NAME} holds {len(pictures)} pictures; give at least two, and hundreds to learn anything.")
    if values is None:
        items = Items(pictures, labels, watch)
        return items.stamp, items
    classes, numbers = numbered(labels, len(values), NAME)
    stamp = Content(values).stamp(classes, numbers)
    return stamp, ArraySource(NAME, stamp, values, classes, numbers)


def _parted(data: object) -> tuple[Any, object]:
    """Part pictures from labels, None without; a tuple holds both."""
    if not isinstance(data, tuple):
        return data, None
    if len(data) != 2:
        raise ValueError(f"A tuple is (pictures, labels), and this one has {len(data)} parts; give pictures as a list.")
    return data


def _refuse_one(pictures: Any) -> None:
    """Refuse an array that is more likely to be one picture in colour than many that are a few pixels wide."""
    axis = FIRST if isinstance(pictures, Tensor) else LAST
    shape = tuple(getattr(pictures, "shape", ()))
    if len(shape) == 3 and shape[axis] in CHANNELS:
        raise ValueError(f"{NAME} holds shape {shape}, which looks like one picture; give many, such as (n, *{shape}).")


def _by_position(pictures: object) -> bool:
    """Tell whether there are so many of something, by position."""
    kind = type(pictures)
    return not isinstance(pictures, str | bytes | Mapping) and hasattr(kind, "__len__") and hasattr(kind, "__getitem__")


class Content:
    """A digest of pictures and of what they show, in order; the same however they are held.

    Args:
        pictures: the first of them, (n, h, w, c).
    """

    def __init__(self, pictures: Numbers | None = None) -> None:
        self._whole, self._runs = hashlib.blake2b(digest_size=16), list[tuple[Any, ...]]()
        if pictures is not None:
            self.add(pictures)

    def add(self, pictures: Numbers) -> None:
        """Add pictures (n, h, w, c)."""
        kind, rows = (pictures.dtype.str, *pictures.shape[1:]), rows_per_chunk(pictures[:1].nbytes)
        for start in range(0, len(pictures), rows):
            self._whole.update(np.ascontiguousarray(pictures[start : start + rows]).data)
        known = self._runs.pop()[-1] if self._runs and self._runs[-1][:-1] == kind else 0
        self._runs.append((*kind, known + len(pictures)))

    def stamp(self, classes: Sequence[str], labels: Labels) -> str:
        """Give the name that they are held by, with the classes and the number of each picture's."""
        words = json.dumps([self._runs, classes, labels.tolist()])
        return PREFIX + digest([self._whole.hexdigest(), words])


class Items:
    """Pictures one by one, of any sizes, alone or as (picture, label); all are read once when this is made.

    Attributes:
        stamp: the name that they are held by.

    Args:
        labels: of them all, where they do not bring their own.

    Raises:
        ValueError: one of them cannot be read, or is another the second time; one sentence.
    """

    name, unnamed = NAME, True

    def __init__(self, pictures: Pictures, labels: object, watch: Watch) -> None:
        self._pictures, count = pictures, len(pictures)
        self._deep: dict[int, Numbers] = {}
        content, own, types, sums = Content(), list[object](), set[np.dtype[Any]](), list[int]()
        for index in range(count):
            watch.step(index, count, "Reading")
            picture, label = self._read(index)
            content.add(picture[None])
            own.append(label)
            types.add(picture.dtype)
            sums += [_sum(picture)] if index < READ_TWICE else []
        self._refuse_changing(sums)
        given = labels if labels is not None else own if any(label is not None for label in own) else None
        self.classes, self._labels = numbered(given, count, NAME, _class_names(pictures))
        self.stamp = content.stamp(self.classes, self._labels)
        self._levels = Levels(NAME, types, self._values)

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return fingerprint(self.stamp, self._levels)

    def notes(self) -> Iterator[str]:
        """Say how its numbers are read where that is not plain."""
        return self._levels.notes(self.name)

    def count(self) -> int:
        """Give the number of samples."""
        return len(self._labels)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order, read here: not everybody's data can be read in several threads."""
        return map(self._record, range(self.count()))

    def sample(self, most: int) -> Iterator[Record]:
        """Give about `most` samples, spread over the source."""
        return map(self._record, spread(self.count(), most))

    def listed(self) -> Iterator[Record]:
        """Look at the labels alone."""
        return (unread(f"images[{row}]", label, "") for row, label in enumerate(self._labels.tolist()))

    def _record(self, index: int) -> Record:
        pixels = self._levels.of(self._read(index)[0])
        size = partial(int, pixels.nbytes)
        return Record(f"images[{index}]", {VALUE: partial(_given, pixels)}, int(self._labels[index]), size=size)

    def _values(self, letters: str) -> Iterator[Numbers]:
        pictures = (self._read(index)[0] for index in range(self.count()))
        return (picture for picture in pictures if picture.dtype.kind in letters)

    def _read(self, index: int) -> tuple[Numbers, object]:
        """Read a picture (h, w, c) and its label, None without."""
        try:
            item = self._pictures[index]
            picture, label = item if isinstance(item, tuple | list) and len(item) == 2 else (item, None)
            numbers = self._decoded(index, picture) if isinstance(picture, Image.Image) else picture_of(picture)
        except Exception as error:  # Whoever wrote it may raise anything.
            if is_defect(error):
                raise
            raise ValueError(f"{NAME}[{index}] cannot be read: {str(error) or type(error).__name__}.") from error
        if numbers is None:
            raise ValueError(
                f"{NAME}[{index}] is of type {type(picture).__name__}, which is no picture; give arrays, tensors or "
                "Pillow's pictures, each alone or as (picture, label)."
            )
        return numbers, label

    def _decoded(self, index: int, picture: Image.Image) -> Numbers:
        """Decode a picture; of sixteen bits the lower ones are there only the first time, and so it is kept."""
        if index not in self._deep:
            deep, numbers = is_deep(picture), natural_pixels(picture)
            if not deep:
                return numbers
            self._deep[index] = numbers
        return self._deep[index]

    def _refuse_changing(self, sums: Sequence[int]) -> None:
        """Data are decoded once, and a run goes on with the same."""
        changed = (index for index, found in enumerate(sums) if _sum(self._read(index)[0]) != found)
        if (index := next(changed, None)) is not None:
            raise ValueError(
                f"{NAME}[{index}] is another picture each time; leave out what changes it at random, for which there "
                "is augment.name."
            )


def _class_names(pictures: object) -> tuple[str, ...]:
    """Give what a data set calls its classes, in the way of torchvision's; empty where it does not say."""
    names = getattr(pictures, "classes", None)
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names)


def _sum(picture: Numbers) -> int:
    return zlib.crc32(np.ascontiguousarray(picture).data)


def _given(pixels: Pixels) -> Pixels:
    return pixels
