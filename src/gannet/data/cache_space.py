"""Where the cache lies and how much it may hold: least recently used entries make room for new ones."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from gannet.runtime.locks import acquire, file_lock
from gannet.runtime.names import at_home

ENTRY = re.compile(r"data-[0-9a-f]{32}(\.building)?")  # nothing else in the folder is ever touched
DEFAULT_GIB = 50.0
INDEX = "index.json"


def cache_folder() -> Path:
    """Give `$GANNET_CACHE`, else the folder for caches of this platform's user."""
    if chosen := os.environ.get("GANNET_CACHE"):
        return at_home(chosen)
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA")
        return (Path(home) if home else Path.home() / "AppData" / "Local") / "gannet"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gannet"
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "gannet"


@contextmanager
def entry_lock(entry: Path, patience: float = -1) -> Iterator[bool]:
    """Hold the lock under which an entry is built, opened or removed; tell whether the file system keeps any.

    Args:
        patience: seconds to wait for it; without end where it is negative.

    Raises:
        Timeout: another process holds it.
    """
    holder = file_lock(entry.with_name(entry.name.removesuffix(".building") + ".lock"))
    kept = acquire(holder, patience)
    try:
        yield kept
    finally:
        holder.release()


def sums_of(entry: Path) -> Path:
    """Give the file that says what an entry is held to; it lies beside, for entries stay the same to the byte."""
    return entry.with_name(f"sums-{entry.name.removesuffix('.building').removeprefix('data-')}.npz")


def touch(entry: Path) -> None:
    """Mark an entry as just used."""
    try:
        os.utime(entry / INDEX)
    except OSError:  # a cache that this user may read but not write is still of use
        return


@dataclass
class Room:
    """The space that one new entry, `building`, may take: asked for ahead, and as it grows."""

    building: Path
    name: str
    reserved: int = 0

    def ask(self, total: int, written: int) -> None:
        """Make sure that the entry may grow from `written` to `total` bytes, removing old entries if need be.

        Raises ValueError, before removing anything, when even an empty cache would not hold it.
        """
        others = _by_last_use(self.building)
        held = sum(size for _, size in others)
        bound = cache_bound()
        free = shutil.disk_usage(self.building.parent).free
        if total > bound:
            raise ValueError(self._over_bound(total, bound))
        if total - written > free + held:
            raise ValueError(disk_full(self.name, self.building.parent, total))
        for entry, size in others:
            if held + total <= bound and total - written <= free:
                break
            if _remove(entry):
                held, free = held - size, free + size
        if total - written > free:
            raise ValueError(disk_full(self.name, self.building.parent, total))
        self.reserved = total

    def _over_bound(self, total: int, bound: int) -> str:
        return (
            f"The cache of {self.name} needs {readable(total)}, more than the {readable(bound)} that "
            "GANNET_CACHE_GIB "
            "allows; choose a smaller data.size or raise GANNET_CACHE_GIB."
        )


def cache_bound() -> int:
    """Give the bytes that all entries together may take, from `$GANNET_CACHE_GIB`."""
    given = os.environ.get("GANNET_CACHE_GIB") or str(DEFAULT_GIB)
    try:
        gib = float(given)
    except ValueError:
        gib = -1.0
    if not 0 < gib < 1e9:
        raise ValueError(f"GANNET_CACHE_GIB is {given!r}; give a number of gibibytes above 0, such as 50.")
    return int(gib * 2**30)


def disk_full(name: str, folder: Path, needed: int) -> str:
    """Say in one sentence that the disk is too small, and what to do."""
    return (
        f"The cache of {name} needs {readable(needed)} but {folder} has "
        f"{readable(shutil.disk_usage(folder).free)} "
        "free; choose a smaller data.size, free some space, or set GANNET_CACHE to a folder on another disk."
    )


def is_disk_full(error: OSError) -> bool:
    """Tell whether an error means that a disk or quota is used up."""
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def readable(size: int) -> str:
    """Give a number of bytes, exactly and in words."""
    unit, name = (2**30, "GiB") if size >= 2**30 else (2**20, "MiB")
    return f"{size:,} bytes ({size / unit:.1f} {name})"


def _by_last_use(building: Path) -> list[tuple[Path, int]]:
    """List the other entries with their bytes, the least recently used first."""
    found = []
    for entry in building.parent.iterdir():
        if not ENTRY.fullmatch(entry.name) or entry.name.split(".")[0] == building.name.split(".")[0]:
            continue
        try:
            status = [path.stat() for path in entry.iterdir()]
            index = entry / INDEX
            used = index.stat().st_mtime if index.exists() else 0.0  # torn: first to go
        except OSError:  # removed by another process just now
            continue
        found.append((used, entry, sum(one.st_size for one in status)))
    return [(entry, size) for _, entry, size in sorted(found)]


def _remove(entry: Path) -> bool:
    """Remove an entry unless another process is building it or, on Windows, holds it open.

    Of a torn one beside a whole one, the whole one and its sums stay.
    """
    try:
        with entry_lock(entry, patience=0):
            whole = entry.with_name(entry.name.removesuffix(".building"))
            doomed = entry.with_name(f"{whole.name}.building")
            if doomed != entry:
                shutil.rmtree(doomed, ignore_errors=True)
                entry.rename(doomed)  # at once, so that nobody opens half of it; fails if open on Windows
            shutil.rmtree(doomed)
            if not whole.exists():
                sums_of(entry).unlink(missing_ok=True)
    except (Timeout, OSError):
        return False
    return True


def remove_torn(folder: Path) -> None:
    """Remove what a killed process left, trying for a second: Windows lets go of closed files late."""
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
    raise ValueError(f"The cache entry {folder} is damaged and in use; close other programs and try again.")
