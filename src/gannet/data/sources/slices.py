"""Slices of scans as pictures: those of one plane that hold something, for whatever learns from pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from gannet.data.records import LeftOut, Record, Source, digest, left_out_of, unread
from gannet.data.sources import scans
from gannet.data.sources.folder import Folder, Storage, Zip, has_ending
from gannet.media import volume
from gannet.media.image import Options
from gannet.media.medium import Medium, Pixels
from gannet.media.slices import PLANES, Plane, slices_of
from gannet.media.volume import as_volume
from gannet.runtime.broken import is_defect
from gannet.runtime.selection import evenly_spaced
from gannet.schema import Section

VERSION, LOOKED_AT = "1", 8
"""A change of which slices are taken, or of their pixels, raises the first; scans of which a survey looks at all
slices."""


class SliceSource:
    """The slices of scans; all of a patient's, and of a scan's, are on one side of a split.

    Args:
        inner: gives the scans.
        field: what a slice is called.
    """

    def __init__(self, inner: Source, field: str, plane: Plane = PLANES[0]) -> None:
        self.name, self.classes = inner.name, tuple(inner.classes)
        self._inner, self._field, self._plane = inner, field, plane
        self._known: tuple[Record, ...] = ()

    def along(self, plane: Plane) -> SliceSource:
        """Give the slices of another plane."""
        return SliceSource(self._inner, self._field, plane)

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes, or what is taken of it."""
        return digest(["slices", VERSION, self._plane, self._inner.fingerprint()])

    def records(self) -> Iterator[Record]:
        """Give every slice that holds something, in order; each scan is read once for all of its slices."""
        known = []
        for scan in self._inner.records():
            for one in self._slices(scan):
                known.append(replace(unread(one.name, one.label, one.split), group=one.group))
                yield one
        self._known = tuple(known)

    def listed(self) -> Iterator[Record]:
        """Give the same without their pixels; which hold something is not known before all were read once."""
        return iter(self._known) if self._known else self.records()

    def sample(self, most: int) -> Iterator[Record]:
        """Give slices of a few scans, from all over them."""
        few = evenly_spaced(self._inner.records(), LOOKED_AT)
        each = max(1, most // len(few)) if few else 0
        for scan in few:
            yield from evenly_spaced(self._slices(scan), each)

    def left_out(self) -> Iterator[LeftOut]:
        """Name what only seems to be a scan."""
        return iter(left_out_of(self._inner))

    def notes(self) -> Iterator[str]:
        """Say that scans are seen slice by slice."""
        yield f"{self.name}: scans are learned from slice by slice, by those of the {self._plane} plane (data.plane)."

    def _slices(self, scan: Record) -> Iterator[Record]:
        group = scan.group or scan.name
        try:
            found = slices_of(as_volume(scan.read()), self._plane)  # type: ignore[arg-type]
        except Exception as error:  # A broken file makes decoders raise anything.
            if is_defect(error):
                raise
            yield replace(scan, fields={self._field: partial(_fail, error)}, encoded=None, group=group, size=None)
            return
        for number, pixels in found.items():
            name = f"{scan.name} {self._plane} {number}"
            yield Record(name, {self._field: partial(_given, pixels)}, scan.label, scan.split, group=group)


def _fail(error: Exception) -> None:
    """Tell why a scan cannot be read, when a slice of it is."""
    raise error


def _given(pixels: Pixels) -> Pixels:
    return pixels


MEDIA = (("image",),)
EMBEDDED = ()
ALLOWED = "a folder or zip of scans"


def open_name(target: str) -> Source | None:  # noqa: ARG001
    """Open nothing: scans lie in folders."""
    return None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open a folder or a zip that holds scans and no pictures; None for any other."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    ((name, pictures),) = media.items()
    storage: Storage = Folder(path) if path.is_dir() else Zip(path)
    names = storage.names()
    scanned = any(has_ending(one, volume.medium) for one in names)
    if any(has_ending(one, pictures) for one in names) or not (scanned or scans.series_in(storage)):
        return None
    inner = scans.open_path(path, {"volume": volume.medium})
    return None if inner is None else SliceSource(inner, name)


def finished(source: Source, options: Section | None) -> Source:
    """Take the plane that is asked for; ValueError where there are no scans to take it of."""
    if not isinstance(options, Options) or options.plane is None:
        return source
    if not isinstance(source, SliceSource):
        raise ValueError(
            f"data.plane says which slices of scans are taken, and {source.name} holds none; leave it out."
        )
    return source.along(options.plane)
