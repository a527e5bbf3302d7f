"""Sources that are files: a folder, or a zip of one, whose samples are single files or files of one name in parts."""

from __future__ import annotations

import functools
import os
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from gannet.data.records import Record, digest, file_stamp
from gannet.data.sources.layout import are_pairs, is_hidden, pair_up, read_layout
from gannet.media.medium import Medium
from gannet.runtime.files import is_inside

LARGEST_FILE = 1 << 30  # bytes of one encoded value; a zip can claim to unpack to any size
CLASSES = ("classes.txt", "codes.txt")
"""Files that name the classes of label maps, a line a class, from 0 on."""
OUTSIDE = "it leads out of the data, and is not followed; copy what it names into them"


class Storage(Protocol):
    """Where files lie."""

    @property
    def name(self) -> str:
        """How messages call it."""

    def names(self) -> list[str]:
        """List the files as relative paths with slashes, but for hidden ones."""

    def outside(self) -> list[str]:
        """List what only seems to lie in it: names and links that lead out of it, which are never followed."""

    def read(self, path: str) -> bytes:
        """Read a file whole; ValueError when it is larger than a value may be."""

    def size(self, path: str) -> int:
        """Give the bytes of a file, before it is read."""

    def fingerprint(self, paths: Sequence[str]) -> str:
        """Give a hex digest that changes when one of these files does."""


class Folder:
    """A folder, however deep; links to folders within it are followed once, and none that leads out of it."""

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = folder.resolve().name, folder

    def names(self) -> list[str]:
        """List the files in it."""
        return self._walked[0]

    def outside(self) -> list[str]:
        """List links that lead out of it, to folders with a slash at their end."""
        return self._walked[1]

    @functools.cached_property
    def _walked(self) -> tuple[list[str], list[str]]:
        found: list[str] = []
        outside: list[str] = []
        root, entered = self._folder.resolve(), set()
        for here, folders, files in os.walk(self._folder, followlinks=True):
            real = Path(here).resolve()
            prefix = (Path(here).relative_to(self._folder).as_posix() + "/").removeprefix("./")
            if real in entered or not real.is_relative_to(root):
                outside += [] if real in entered else [prefix]
                folders.clear()  # A link that leads back up, or out.
                continue
            entered.add(real)
            folders[:] = sorted(name for name in folders if not is_hidden(name))
            for name in files:
                if not is_hidden(name):
                    (outside if _leads_out(Path(here, name), root) else found).append(prefix + name)
        return found, outside

    def read(self, path: str) -> bytes:
        """Read a file whole, so that none stays open behind a value."""
        refuse_huge(self.size(path))
        return (self._folder / path).read_bytes()

    def size(self, path: str) -> int:
        """Ask the disk."""
        return (self._folder / path).stat().st_size

    def fingerprint(self, paths: Sequence[str]) -> str:
        """Go by names, sizes and times."""
        return digest(["folder", *(file_stamp(self._folder / path, path) for path in paths)])


def _leads_out(file: Path, root: Path) -> bool:
    return file.is_symlink() and not file.resolve().is_relative_to(root)


class Zip:
    """A zip of a folder, read in place: nothing is ever unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.name, path

    @functools.cached_property
    def _archive(self) -> zipfile.ZipFile:
        """Stay open as long as the source: records are read after the loop that gave them."""
        try:
            return zipfile.ZipFile(self._path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{self._path} is cut short or no zip file; make or copy it again.") from error

    def names(self) -> list[str]:
        """List the files in it."""
        return [name for name in self._files() if is_inside(name)]

    def outside(self) -> list[str]:
        """List members whose names lead out of it, on whatever system."""
        return [name for name in self._files() if not is_inside(name)]

    def _files(self) -> Iterator[str]:
        return (name for name in self._archive.namelist() if not name.endswith("/") and not is_hidden(name))

    def read(self, path: str) -> bytes:
        """Read a member whole."""
        refuse_huge(self.size(path))
        return self._archive.read(path)

    def size(self, path: str) -> int:
        """Give what the member unpacks to."""
        return self._archive.getinfo(path).file_size

    def fingerprint(self, paths: Sequence[str]) -> str:  # noqa: ARG002
        """Go by the zip's own size and time, and by what is no longer read of it."""
        return digest(["zip", file_stamp(self._path, ""), *self.outside()])


def refuse_huge(size: int) -> None:
    """Raise ValueError for an encoded value of too many bytes."""
    if size > LARGEST_FILE:
        raise ValueError(f"its file of {size:,} bytes is over the limit of {LARGEST_FILE:,}")


def has_ending(path: str, medium: Medium) -> bool:
    """Tell by its ending whether a file is meant to be of a medium."""
    return PurePosixPath(path).suffix.lower() in medium.endings


def _of_media(outside: Sequence[str], media: Collection[Medium]) -> list[str]:
    """Of what leads out of the data, folders and files of these media."""
    return sorted(path for path in outside if path.endswith("/") or any(has_ending(path, one) for one in media))


class FileSource:
    """Samples that are a file each; `read_layout` tells what the folders around them mean."""

    def __init__(self, storage: Storage, name: str, medium: Medium) -> None:
        self.name = storage.name
        self._storage, self._field, self._medium = storage, name, medium
        names = storage.names()
        self._paths = sorted({path for path in names if has_ending(path, medium)})
        self.ignored = len(names) - len(self._paths)
        self._outside = _of_media(storage.outside(), [medium])
        self._layout = read_layout(self._paths)
        if are_pairs(self._layout.classes):
            first, second = self._layout.classes
            raise ValueError(
                f"{self.name} holds pairs, in {first}/ and {second}/, and one {medium.noun} a sample is wanted here; "
                f"give the folder {first} within it."
            )

    @property
    def classes(self) -> tuple[str, ...]:
        return self._layout.classes

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return self._storage.fingerprint(self._paths)

    def count(self) -> int:
        """Give the number of samples."""
        return len(self._paths) + len(self._outside)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        for path in self._paths:
            label, split = self._layout.place(path)
            content = partial(self._storage.read, path)
            size = partial(self._storage.size, path)
            yield Record(path, {self._field: partial(self._read, path)}, label, split, content, size=size)
        for path in self._outside:
            yield Record(path, {self._field: partial(_refuse, OUTSIDE)})

    def _read(self, path: str) -> Any:
        return self._medium.read(self._storage.read(path))


class PairSource:
    """Samples that are several files each, which have one name in folders beside each other, such as images/ and
    labels/; the folders around those may name splits."""

    def __init__(self, storage: Storage, media: Mapping[str, Medium]) -> None:
        self.name = storage.name
        self._storage, self._media = storage, media
        names = storage.names()
        self._outside = _of_media(storage.outside(), media.values())
        try:
            self._pairs, self.lonely = pair_up(names, [(name, one.endings) for name, one in media.items()])
        except ValueError as error:
            raise (ValueError(f"{self._outside[0]}: {OUTSIDE}") if self._outside else error) from None
        used = {*(path for paths in self._pairs.values() for path in paths), *self.lonely}
        self.ignored = len(set(names) - used)
        if self.lonely and not self._pairs:
            raise ValueError(
                f"none of the {len(self.lonely):,} files in images/ and labels/, or the like, has one of its own name "
                f"beside it (first: {self.lonely[0]}); give them the same names"
            )
        self._layout = read_layout(list(self._pairs))
        self.classes = self._named_classes(names)

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return self._storage.fingerprint([*(path for paths in self._pairs.values() for path in paths), *self.lonely])

    def count(self) -> int:
        """Give the number of samples."""
        return len(self._pairs)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        for name, paths in self._pairs.items():
            readers = {
                field: partial(self._read, medium, path)
                for (field, medium), path in zip(self._media.items(), paths, strict=True)
            }
            _, split = self._layout.place(name)
            size = partial(self._size, paths)
            yield Record(paths[0], readers, -1, split, partial(self._storage.read, paths[0]), size=size)
        for path in self.lonely:
            yield Record(path, dict.fromkeys(self._media, partial(_refuse, "it has no file of its name beside it")))
        for path in self._outside:
            yield Record(path, dict.fromkeys(self._media, partial(_refuse, OUTSIDE)))

    def _read(self, medium: Medium, path: str) -> Any:
        return medium.read(self._storage.read(path))

    def _size(self, paths: Sequence[str]) -> int:
        return sum(map(self._storage.size, paths))

    def _named_classes(self, names: Sequence[str]) -> tuple[str, ...]:
        """Read the names of the classes where a file gives them."""
        found = [path for path in names if PurePosixPath(path).name.lower() in CLASSES]
        if not found:
            return ()
        path = min(found, key=len)
        try:
            content = self._storage.read(path)
        except Exception as error:  # A dangling link, a damaged or encrypted member raise anything.
            raise ValueError(f"{path}, which names the classes, cannot be read ({error})") from error
        lines = content.decode("utf-8-sig", "replace").rstrip().splitlines()
        return tuple(line.strip() or str(number) for number, line in enumerate(lines))


def _refuse(reason: str) -> Any:
    raise ValueError(reason)
