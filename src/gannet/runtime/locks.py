"""Locks on folders: one process at a time works in one; when it ends, however it ends, the next one may."""

import errno
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from gannet.runtime.files import check_free, write_json
from gannet.runtime.names import LONGEST_NAME, shortened
from gannet.runtime.partial import MORE, is_running

CHILDREN = 10.0
"""Seconds that the workers of a killed process may take to end; until then they hold what it held."""
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)
"""What a file system that keeps no locks answers."""


@contextmanager
def locked(lock: Path, told: str, advice: str, unlockable: Callable[[], None]) -> Iterator[None]:
    """Hold a lock while the block runs; beside it a note, `<lock>.json`, says who does.

    The system keeps the lock, and lets go of it when the process ends. Between machines it holds as far as their common
    file system keeps locks: NFS does, unless it is mounted with `nolock` or `local_lock`; Lustre where it is mounted
    with `flock`.

    Args:
        lock: the file.
        told: what a second process is told, before it is told which one holds the lock.
        advice: what it is told after that.
        unlockable: is called where the file system keeps no locks; the block runs all the same.

    Raises:
        ValueError: another process holds it.
    """
    note, holder = lock.with_name(f"{lock.name}.json"), file_lock(lock)
    try:
        if not _acquire(holder, note):
            unlockable()
    except Timeout:
        raise ValueError(f"{told}{_who(note)}; {advice}") from None
    try:
        if holder.is_locked:
            now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            write_json(note, {"process": os.getpid(), "host": socket.gethostname(), "since": now})
        yield
    finally:
        if holder.is_locked:
            with suppress(OSError):
                note.unlink(missing_ok=True)
        holder.release()


def holder(lock: Path) -> int:
    """Give the number of the process of this machine that holds a lock; 0 where none does, or it is not known."""
    told = _read(lock.with_name(f"{lock.name}.json"))
    here = told.get("host") == socket.gethostname() and is_running(told["process"])
    return int(told["process"]) if here and _is_held(lock) else 0


def _is_held(lock: Path) -> bool:
    """Tell whether another process holds a lock, by taking it for a moment; a note alone may be a killed one's."""
    if not lock.is_file():
        return False
    tried = file_lock(lock)
    try:
        acquire(tried, 0)
    except (Timeout, OSError):
        return True
    tried.release()
    return False


def alone(lock: Path, path: Path) -> AbstractContextManager[None]:
    """Hold a lock while a path is written; where the file system keeps no locks, others are on their own."""
    return locked(lock, f"Another process is writing {path}", "wait for it, or choose another name.", lambda: None)


@contextmanager
def new_file(path: Path) -> Iterator[None]:
    """Let no other process write a file while the block makes it; the lock lies beside it meanwhile.

    Raises:
        ValueError: it is there already, another process writes it, or its folder takes no files.
    """
    check_free(path)
    lock = path.with_name(shortened(f".{path.name}", ".lock", LONGEST_NAME - MORE))
    with ExitStack() as held:
        try:
            held.enter_context(alone(lock, path))
        except OSError as error:
            raise ValueError(f"{path} cannot be written ({error.strerror}); choose another place.") from None
        held.callback(_remove, lock)
        check_free(path)  # Another process may have been quicker.
        yield


def _remove(lock: Path) -> None:
    with suppress(OSError):  # Where an open file cannot be removed, it stays.
        lock.unlink()


def file_lock(lock: Path) -> FileLock:
    """Give a lock that the system keeps; where it keeps none, no file that stays when its process is killed."""
    return FileLock(lock, fallback_to_soft=False)


def acquire(holder: FileLock, patience: float = -1) -> bool:
    """Take a lock; tell whether the file system keeps any.

    Args:
        patience: seconds to wait for it; without end where it is negative.

    Raises:
        Timeout: another process holds it.
    """
    try:
        holder.acquire(timeout=patience)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return holder.is_locked


def _acquire(holder: FileLock, note: Path) -> bool:
    """Take the lock, at once or, where its holder was killed, as soon as the workers of that have ended."""
    try:
        return acquire(holder, 0)
    except Timeout:
        told = _read(note)
        killed = bool(told) and told["host"] == socket.gethostname() and not is_running(told["process"])
        return acquire(holder, CHILDREN if killed else 0)


def _who(note: Path) -> str:
    """Name the process that holds the lock, in brackets; nothing where it is not known."""
    told = _read(note)
    return f" (number {told['process']} on {told['host']}, since {told['since']})" if told else ""


def _read(note: Path) -> dict[str, Any]:
    """The note of who holds the lock; empty where there is none yet, or it is damaged."""
    with suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        told = json.loads(note.read_text(encoding="utf-8"))
        if {"process", "host", "since"} <= told.keys() and 0 < told["process"] < 2**31:
            return dict(told)
    return {}
