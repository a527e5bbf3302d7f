"""Sources that are files: a folder, or a zip of one, whose samples are single files or files of one name in parts."""

from __future__ import annotations

import functools
import ntpath
import weakref
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from gannet.data.records import LeftOut, Record, digest, file_stamp
from gannet.data.sources.contents import OUTSIDE, Contents, contents
from gannet.data.sources.layout import are_pairs, in_utf8, is_hidden, pair_up, read_layout
from gannet.media.medium import Medium
from gannet.runtime.files import is_inside
from gannet.runtime.names import file_ending
from gannet.runtime.reading import Check, any_beginning, open_large, read_bounded, read_file, refuse_huge

MOST_DEFLATED = 1032  # bytes that one of a packed file unpacks to at most (deflate: 258 of each two bits)
CLASSES = ("classes.txt", "codes.txt")
"""Files that name the classes of label maps, a line a class, from 0 on."""
BESIDE = "it lies beside the folders of splits, and so in none of them; move it into one, or away"
LONELY = "it has no file of its name beside it"
TWICE = "a later member of that name is read in its place"


class Storage(Protocol):
    """Where files lie."""

    @property
    def name(self) -> str:
        """How messages call it."""

    def names(self) -> list[str]:
        """List the files as relative paths with slashes, but for hidden ones."""

    def left_out(self) -> list[LeftOut]:
        """List what only seems to lie in it or is no file, with reasons; none of it is ever opened."""

    def read(self, path: str, check: Check) -> bytes:
        """Read a file whole; ValueError when it is larger than a value may be or begins as none does."""

    def open(self, path: str) -> IO[bytes]:
        """Open a file that is read in parts, and may be of any size where it lies on the disk."""

    def size(self, path: str) -> int:
        """Give the bytes of a file, before it is read."""

    def fingerprint(self, paths: Sequence[str]) -> str:
        """Give a hex digest that changes when one of these files does."""


class Folder:
    """A folder, however deep; see `contents` for what is its own."""

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = in_utf8(folder.resolve().name), folder

    def names(self) -> list[str]:
        """List the files in it."""
        return self._contents.files

    def left_out(self) -> list[LeftOut]:
        """List links that lead out of it or nowhere, pipes and devices, and what cannot be listed."""
        return self._contents.left_out

    @functools.cached_property
    def _contents(self) -> Contents:
        return contents(self._folder)

    def read(self, path: str, check: Check) -> bytes:
        """Read a file whole, so that none stays open behind a value."""
        return read_file(self._folder / path, check)

    def open(self, path: str) -> IO[bytes]:
        """Open it where it lies."""
        return open_large(self._folder / path)

    def size(self, path: str) -> int:
        """Ask the disk."""
        return (self._folder / path).stat().st_size

    def fingerprint(self, paths: Sequence[str]) -> str:
        """Go by names, sizes and times."""
        return digest(["folder", *(file_stamp(self._folder / path, path) for path in paths)])


class Zip:
    """A zip of a folder, read in place: nothing is ever unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = in_utf8(path.name), path

    @functools.cached_property
    def _archive(self) -> zipfile.ZipFile:
        """Stay open as long as the source: records are read after the loop that gave them."""
        try:
            archive = zipfile.ZipFile(self._path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{self._path} is cut short or no zip file; make or copy it again.") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{self._path} holds names that are not in UTF-8 as they claim; pack it again.") from error
        weakref.finalize(self, archive.close)  # In a circle of objects the file would be collected before it is closed.
        return archive

    def names(self) -> list[str]:
        """List the files in it, by tidy names."""
        return list(self._members)

    def left_out(self) -> list[LeftOut]:
        """List members whose names lead out of it, on whatever system, and all but the last of one name."""
        outside = [(name, OUTSIDE) for name in self._files() if not _tidy(name)]
        counts = Counter(tidy for name in self._files() if (tidy := _tidy(name)) in self._members)
        return outside + [(f"earlier {name}", TWICE) for name, count in counts.items() for _ in range(1, count)]

    @functools.cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        found = ((_tidy(info.filename), info) for info in self._infos())
        return {name: info for name, info in found if name and not is_hidden(name)}

    def _files(self) -> list[str]:
        return [info.filename for info in self._infos()]

    def _infos(self) -> Iterator[zipfile.ZipInfo]:
        return (info for info in self._archive.infolist() if not info.filename.endswith(("/", "\\")))

    def read(self, path: str, check: Check) -> bytes:
        """Read a member whole."""
        refuse_huge(self.size(path))
        with self._archive.open(self._members[path]) as stream:
            return read_bounded(stream, check)

    def open(self, path: str) -> IO[bytes]:
        """Open a member, which is unpacked as it is read."""
        refuse_huge(self.size(path))
        return self._archive.open(self._members[path])

    def size(self, path: str) -> int:
        """Give what the member unpacks to."""
        return self._members[path].file_size

    def fingerprint(self, paths: Sequence[str]) -> str:  # noqa: ARG002
        """Go by the zip's own size and time, and by the members that are not read by the name they have."""
        odd = (name for name in self._files() if _tidy(name) != name and not is_hidden(name))
        twice = (name for name, reason in self.left_out() if reason == TWICE)
        return digest(["zip", file_stamp(self._path, ""), *odd, *twice])


def _tidy(name: str) -> str:
    """Give a member's name as a relative path with slashes; empty where it leads out, on whatever system.

    Other programs write backslashes, or a dot or the root before all of them.
    """
    if ntpath.splitdrive(name)[0]:
        return ""
    tidy = "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    return tidy if is_inside(tidy) else ""


def has_ending(path: str, medium: Medium) -> bool:
    """Tell by its ending whether a file is meant to be of a medium."""
    return file_ending(path) in medium.endings


def only_seeming(storage: Storage, media: Collection[Medium]) -> list[LeftOut]:
    """Name, of what is no file that can be read, folders and what would be of these media, with reasons."""
    named = [one for one in storage.left_out() if one[0].endswith("/") or any(has_ending(one[0], it) for it in media)]
    return named + [(path, reason) for path in storage.names() if (reason := _foreign(path, media))]


def _foreign(path: str, media: Collection[Medium]) -> str:
    """Say what to do with a file of a kind that media cannot read; empty: nothing, it is another file."""
    found = (medium.foreign.get(PurePosixPath(path).suffix.lower(), "") for medium in media)
    return next(filter(None, found), "")


def fingerprint_of(storage: Storage, paths: Sequence[str], left_out: Sequence[LeftOut]) -> str:
    """Give a hex digest that changes when files do, or when others are passed over."""
    own = storage.fingerprint(paths)
    return digest([own, *chain.from_iterable(left_out)]) if left_out else own


class FileSource:
    """Samples that are a file each; `read_layout` tells what the folders around them mean."""

    def __init__(self, storage: Storage, name: str, medium: Medium) -> None:
        self.name = storage.name
        self._storage, self._field, self._medium = storage, name, medium
        found = sorted(path for path in storage.names() if has_ending(path, medium))
        self._layout = read_layout(found)
        self._paths = [path for path in found if self._layout.covers(path)]
        left_out = only_seeming(storage, [medium])
        others = set(storage.names()) - set(found)
        self.ignored, self.ignored_endings = (
            len(others),
            sorted({PurePosixPath(path).suffix.lower() for path in others}),
        )
        self._left_out = sorted([*left_out, *((path, BESIDE) for path in found if not self._layout.covers(path))])
        if are_pairs(self._layout.classes):
            first, second = self._layout.classes
            raise ValueError(
                f"{self.name} holds pairs, in {first}/ and {second}/, and one {medium.noun} a sample is wanted here; "
                f"give the folder {first} within it."
            )

    @property
    def classes(self) -> tuple[str, ...]:
        return self._layout.classes

    def unclassed(self) -> str:
        """Say why a folder in it is no class; empty where none is."""
        lone, plural = in_utf8(self._layout.lone), self._medium.plural
        return (
            f"{lone}/ is the only folder, with {plural} beside it; give each class a folder of its own" if lone else ""
        )

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        return fingerprint_of(self._storage, self._paths, self._left_out)

    def count(self) -> int:
        """Give the number of samples."""
        return len(self._paths)

    def records(self) -> Iterator[Record]:
        """Give every sample, in order."""
        for path in self._paths:
            label, split = self._layout.place(path)
            content = partial(self._storage.read, path, self._medium.check_beginning)
            size = partial(self._storage.size, path)
            yield Record(in_utf8(path), {self._field: partial(self._read, path)}, label, split, content, size=size)

    def left_out(self) -> Iterator[LeftOut]:
        """Name what only seems to be a sample."""
        return ((in_utf8(path), reason) for path, reason in self._left_out)

    def _read(self, path: str) -> Any:
        return self._medium.read(self._storage.read(path, self._medium.check_beginning))


class PairSource:
    """Samples that are several files each, which have one name in folders beside each other, such as images/ and
    labels/; the folders around those may name splits."""

    def __init__(self, storage: Storage, media: Mapping[str, Medium]) -> None:
        self.name = storage.name
        self._storage, self._media = storage, media
        names = storage.names()
        self._left_out = sorted(only_seeming(storage, media.values()))
        try:
            pairs, self.lonely = pair_up(names, [(name, one.endings) for name, one in media.items()])
        except ValueError as error:
            raise (ValueError(": ".join(self._left_out[0])) if self._left_out else error) from None
        used = {*(path for paths in pairs.values() for path in paths), *self.lonely}
        self.ignored = len(set(names) - used)
        if self.lonely and not pairs:
            raise ValueError(
                f"none of the {len(self.lonely):,} files in images/ and labels/, or the like, has one of its own name "
                f"beside it (first: {self.lonely[0]}); give them the same names"
            )
        self._layout = read_layout(list(pairs))
        self._pairs = {name: paths for name, paths in pairs.items() if self._layout.covers(name)}
        self._left_out += [(paths[0], BESIDE) for name, paths in pairs.items() if name not in self._pairs]
        self.classes = self._named_classes(names)

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        paths = [*(path for paths in self._pairs.values() for path in paths), *self.lonely]
        return fingerprint_of(self._storage, paths, self._left_out)

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
            first = partial(self._storage.read, paths[0], next(iter(self._media.values())).check_beginning)
            yield Record(in_utf8(paths[0]), readers, -1, split, first, size=size)

    def left_out(self) -> Iterator[LeftOut]:
        """Name files without a partner, and what only seems to be one."""
        found = chain(((path, LONELY) for path in self.lonely), self._left_out)
        return ((in_utf8(path), reason) for path, reason in found)

    def _read(self, medium: Medium, path: str) -> Any:
        return medium.read(self._storage.read(path, medium.check_beginning))

    def _size(self, paths: Sequence[str]) -> int:
        return sum(map(self._storage.size, paths))

    def _named_classes(self, names: Sequence[str]) -> tuple[str, ...]:
        """Read the names of the classes where a file gives them."""
        found = [path for path in names if PurePosixPath(path).name.lower() in CLASSES]
        if not found:
            return ()
        path = min(found, key=len)
        try:
            content = self._storage.read(path, any_beginning)
        except Exception as error:  # A dangling link, a damaged or encrypted member raise anything.
            raise ValueError(f"{path}, which names the classes, cannot be read ({error})") from error
        lines = content.decode("utf-8-sig", "replace").rstrip().splitlines()
        return tuple(line.strip() or str(number) for number, line in enumerate(lines))
