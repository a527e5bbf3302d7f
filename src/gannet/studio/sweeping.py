"""Sweeping: what was uploaded to a studio or made by it goes with age; what it did not put there never does."""

import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import Timeout

from gannet.runtime.locks import acquire, alone, file_lock
from gannet.studio.bounds import PARTIAL, UPLOADS
from gannet.studio.settings import Settings

HOUR, DAY = 3600.0, 24 * 3600.0
"""Seconds; from one sweep to the next it is an hour."""
OPEN = DAY
"""The age from which on uploaded files and results go that a page may have open."""
UNUSED = 7 * DAY
"""The age from which on uploaded data go that no run learned from."""
NAMED = re.compile(rf"[0-9a-f]{{8}}|{re.escape(PARTIAL)}\w+")
"""What folders of uploaded data are called; any other among them is a user's own."""
PREFIX, LOCK = "gannet-studio-", "lock"
"""How workplaces are called, and what a studio holds in its own as long as it runs."""


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a studio a folder that goes with it, once those of studios that were killed are gone."""
    _remove_deserted(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as place:
        work = Path(place).resolve()
        with alone(work / LOCK, work):
            yield work


@contextmanager
def swept(settings: Settings) -> Iterator[None]:
    """Sweep at once, and every hour while the block runs."""
    over = threading.Event()

    def work() -> None:
        while True:
            sweep(settings, time.time())
            if over.wait(HOUR):
                return

    threading.Thread(target=work, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def sweep(settings: Settings, now: float) -> None:
    """Remove what is old: files that pages had open, and uploaded data that no run learned from.

    Args:
        now: in seconds since 1970.
    """
    with suppress(OSError):
        _remove_files(settings.work / "files", now - OPEN)
    with suppress(OSError):
        _remove_data(settings.runs, now - UNUSED)


def _remove_files(folder: Path, before: float) -> None:
    """Remove old files, however deep, and the folders that are empty then."""
    for path in sorted(folder.rglob("*"), reverse=True):  # What lies in a folder comes before it.
        with suppress(OSError):  # It is gone already, or not empty.
            if _changed(path) < before:
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def _remove_data(runs: Path, before: float) -> None:
    """Remove old uploaded data that the recipe of no run names; where a recipe cannot be read, none."""
    uploads = runs / UPLOADS
    if not uploads.is_dir() or uploads.is_symlink():
        return
    recipes = [path.read_bytes() for path in runs.glob("*/*.yaml")]
    for folder in uploads.iterdir():
        own = NAMED.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
        if own and not any(folder.name.encode() in recipe for recipe in recipes) and _newest(folder) < before:
            shutil.rmtree(folder, ignore_errors=True)


def _newest(folder: Path) -> float:
    """Give when a folder, or anything in it, was changed last."""
    return max(map(_changed, (folder, *folder.rglob("*"))))


def _changed(path: Path) -> float:
    return path.lstat().st_mtime


def _remove_deserted(place: Path) -> None:
    """Remove the workplaces of this user's studios that were killed: nobody holds their locks."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):
            lock = folder / LOCK
            own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            if not (own and folder.is_dir() and not folder.is_symlink() and lock.is_file()):
                continue
            holder = file_lock(lock)
            if acquire(holder, 0):
                holder.release()
                shutil.rmtree(folder, ignore_errors=True)
