"""Sources that are picture files: a folder, or a zip of one."""

from __future__ import annotations

import functools
import os
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from gannet.data.layout import Layout, is_hidden, is_picture, read_layout
from gannet.data.pictures import open_picture
from gannet.data.records import Record, digest, file_stamp

LARGEST_FILE = 1 << 30  # bytes of one encoded picture; a zip can claim to unpack to any size


class PictureFolder:
    """A folder of pictures, however deep; `read_layout` tells what its sub-folders mean."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.resolve().name
        self._folder = folder
        self._paths, self.ignored = _find_pictures(folder)
        self._layout = read_layout(self._paths)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._layout.classes

    def fingerprint(self) -> str:
        return digest(["folder", *(file_stamp(self._folder / path, path) for path in self._paths)])

    def count(self) -> int:
        return len(self._paths)

    def records(self) -> Iterator[Record]:
        for path in self._paths:
            yield _record(path, self._layout, partial(_read_file, self._folder / path))


def _record(path: str, layout: Layout, content: Callable[[], bytes]) -> Record:
    label, split = layout.place(path)
    return Record(path, lambda: open_picture(content()), label, split, content)


def _find_pictures(folder: Path) -> tuple[list[str], int]:
    """List pictures as sorted relative paths with slashes, and count the other files."""
    pictures, others = [], 0
    entered = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = Path(here).resolve()
        if real in entered:  # a link that leads back up
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        prefix = Path(here).relative_to(folder).as_posix() + "/"
        named = [prefix.removeprefix("./") + name for name in files if not is_hidden(name)]
        kept = [path for path in named if is_picture(path)]
        pictures += kept
        others += len(named) - len(kept)
    return sorted(pictures), others


def _read_file(path: Path) -> bytes:
    refuse_huge(path.stat().st_size)
    return path.read_bytes()  # whole, so that no file stays open behind a picture


def refuse_huge(size: int) -> None:
    """Raise ValueError for an encoded picture of too many bytes."""
    if size > LARGEST_FILE:
        raise ValueError(f"its file of {size:,} bytes is over the limit of {LARGEST_FILE:,}")


class PictureZip:
    """A zip of a folder of pictures, read in place: nothing is ever unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        try:
            names = self._archive.namelist()
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path} is cut short or no zip file; make or copy it again.") from error
        files = [name for name in names if not name.endswith("/") and not is_hidden(name)]
        self._paths = sorted({name for name in files if is_picture(name)})
        self.ignored = len(files) - len(self._paths)
        self._layout = read_layout(self._paths)

    @functools.cached_property
    def _archive(self) -> zipfile.ZipFile:
        """Stay open as long as the source: records are read after the loop that gave them."""
        return zipfile.ZipFile(self._path)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._layout.classes

    def fingerprint(self) -> str:
        return digest(["zip", file_stamp(self._path, "")])

    def count(self) -> int:
        return len(self._paths)

    def records(self) -> Iterator[Record]:
        for path in self._paths:
            yield _record(path, self._layout, partial(_read_member, self._archive, path))


def _read_member(archive: zipfile.ZipFile, path: str) -> bytes:
    refuse_huge(archive.getinfo(path).file_size)
    return archive.read(path)
