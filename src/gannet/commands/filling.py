"""A folder of results, filled file by file: what is done already is skipped, and one bad file stops nobody."""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from gannet.commands.conversion import Conversion
from gannet.commands.inputs import Item, is_clutter
from gannet.media.pages import named_page
from gannet.pipelines.manifest import MANIFEST, Line, Manifest
from gannet.pipelines.writer import filling
from gannet.runtime.digests import digest
from gannet.runtime.files import write_bytes
from gannet.runtime.names import whole_suffix
from gannet.runtime.reading import open_file

BLOCK = 2**20
"""Bytes of a file that are read at a time to tell it by."""


def fill(work: Conversion, path: Path) -> None:
    """Make something of all items that is not there yet.

    Raises:
        ValueError: the folder cannot be written or holds something else, or nothing could be made of any item.
        Stopped: somebody asked to leave; the same goes on where it stood.
    """
    with filling(path, work.asked()) as manifest:
        folder = _Folder(work, path, manifest)
        for item in work.items:
            work.step(item)
            folder.add(item)
        manifest.finish()
        if not manifest.results:
            (path / MANIFEST).unlink()
            with suppress(OSError):  # Somebody put something there meanwhile.
                path.rmdir()
    work.refuse_nothing()


class _Folder:
    """A folder that is filled."""

    def __init__(self, work: Conversion, path: Path, manifest: Manifest) -> None:
        self.work, self.path, self.manifest = work, path, manifest
        self._digest = cache(_digest)  # A mask may be one for all.

    def add(self, item: Item) -> None:
        """Make something of an item and tell so; or skip it, or tell why nothing is made of it."""
        work, result = self.work, self.work.names.result(item)
        given = Line(self._seen(item), self._of(item), str(result), further=self._further(item))
        before, places = self.manifest.made(given.result), work.names.places(self.path / result)
        same = before is not None and before.state != "failed" and given.digest != "" and before.given == given.given
        if same and all(place.is_file() for place in places.values()):
            self._skip(item, given)
            return
        if why := work.left_out.get(item.name):  # Another becomes that result.
            self.manifest.append(replace(given, state="failed", why=why, result=""))
            return
        noted = len(work.unused)
        try:
            self._refuse_another(item, given, before)
            contents = work.make(item, whole_suffix(result))
            if before is None:
                _refuse_foreign(places, contents)
        except ValueError as error:
            why = work.leave_out(item, error)
            own = before is not None and before.path == given.path  # What lies there was made of an earlier content.
            self.manifest.append(replace(given, state="failed", why=why, result=given.result if own else ""))
            return
        for name, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(place, contents[name])
        work.note_name(item, Path(result))
        self.manifest.append(replace(given, why=" ".join(work.unused[noted:])))

    def _skip(self, item: Item, line: Line) -> None:
        noted = len(self.work.unused)
        self.work.skipped += 1
        self.work.note_unused(item)
        self.manifest.skip(replace(line, why=" ".join(["It was done before.", *self.work.unused[noted:]])))

    def _seen(self, item: Item) -> str:
        """The path of an item's file as seen from the folder; it stays the same where both are moved."""
        file = Path(os.path.realpath(item.name.parent)) / item.name.name
        try:
            return Path(os.path.relpath(file, os.path.realpath(self.path))).as_posix()
        except ValueError:  # They lie on two drives of Windows.
            return file.as_posix()

    def _of(self, item: Item) -> str:
        """The digest of an item's file, where that may be opened."""
        return "" if item.refused else self._digest(item.file)

    def _further(self, item: Item) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(self._digest(named_page(file)[0]) for file in item.files(name)) for name in item.beside}

    def _refuse_another(self, item: Item, given: Line, before: Line | None) -> None:
        """Raise ValueError where the result is another file's, which is still there."""
        if before and before.path != given.path and named_page(self.path / before.path)[0].exists():
            raise ValueError(
                f"{item.name} would become {given.result}, which was made of {before.path}; rename one of them, "
                "or choose another place for this one."
            )


def _refuse_foreign(places: Mapping[str, Path], contents: Mapping[str, bytes]) -> None:
    """Raise ValueError where something lies that Gannet did not write; what a killed process wrote is the same."""
    for name, place in places.items():
        if place.exists() and not (place.is_file() and place.read_bytes() == contents[name]):
            raise ValueError(f"{place} is there, and {MANIFEST} does not say of what it was made; move it away.")


def _digest(file: Path) -> str:
    """The SHA-256 of a file's content, or of a folder's files, less what systems put there.

    It is empty of what cannot be read, of which whoever opens it will tell.
    """
    if file.is_dir():
        return _folder_digest(file)
    whole = hashlib.sha256()
    with suppress(OSError, ValueError), open_file(file) as stream:
        for block in iter(partial(stream.read, BLOCK), b""):
            whole.update(block)
        return whole.hexdigest()
    return ""


def _folder_digest(folder: Path) -> str:
    """The digest of the names and contents of a folder's files; the same of a copy of it, as of a file's."""
    told: dict[str, str] = {}
    with suppress(OSError):
        files = [file for file in folder.iterdir() if file.is_file() and not is_clutter(file.name)]
        told = {file.name: _digest(file) for file in files if not file.name.startswith(".")}
    return digest(told) if told and all(told.values()) else ""
