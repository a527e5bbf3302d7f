"""What is not whole yet: how it is named meanwhile, and which of it nobody makes any more."""

import itertools
import os
import re
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Any

from gannet.runtime.digests import number
from gannet.runtime.names import LONGEST_NAME, shortened

PARTIAL = re.compile(
    r"\..+?(\.on-(?P<host>[0-9a-f]{8})-(?P<start>[0-9a-f]{4})-[0-9a-f]+)?\.(?P<process>\d{1,9})\.partial(\.[^.]+)?"
)
"""What `partial_path` gives, and gave when it told no more than the number of the process."""
HOST = f"{number(socket.gethostname().encode()) % 16**8:08x}"
START = secrets.token_hex(2)
"""What tells this process from an earlier one of its number, as the first in a container always has the same."""
COUNT = itertools.count()
MORE = 56
"""Bytes that a name has around it until the file is whole."""
ABANDONED = 24 * 3600.0
"""Seconds after which what another machine was writing is no longer written."""
QUERY_LIMITED, ACCESS_DENIED, STILL_ACTIVE = 0x1000, 5, 259
"""Of Windows: the right to ask about a process, the error where that is refused, the exit code of one that runs."""


def partial_path(path: Path, ending: str = "") -> Path:
    """Give a name under which to write a file before it is whole; no two calls, of whatever thread, give the same."""
    maker = f"on-{HOST}-{START}-{next(COUNT):x}.{os.getpid()}"
    return path.with_name(f".{_kept(path.name)}.{maker}.partial{ending}")


def _kept(name: str) -> str:
    """What is kept of a name when more than a name is to stand around it."""
    return shortened(name, room=LONGEST_NAME - MORE)


def is_torn(path: Path) -> bool:
    """Tell whether it is what a process was writing which has ended; its name says which.

    Of another machine it is not known which processes run, so what that writes is torn when a day has gone by.
    """
    found = PARTIAL.fullmatch(path.name)
    if found is None:
        return False
    if found["host"] not in (None, HOST):
        return _is_abandoned(path)
    process = int(found["process"])
    return found["start"] != START if process == os.getpid() else not is_running(process)


def _is_abandoned(path: Path) -> bool:
    with suppress(OSError):  # Its process has just finished it.
        return time.time() - path.stat().st_mtime > ABANDONED
    return False


def clear_files(folder: Path) -> None:
    """Remove the files that processes which have ended were writing into a folder, however deep."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names if PARTIAL.fullmatch(name)):
            if is_torn(path):
                with suppress(OSError):  # It is another user's.
                    path.unlink()


def clear_folders(path: Path, holds: Collection[str]) -> None:
    """Remove the folders in which processes that have ended were making `path`.

    A folder that only has such a name, since it holds anything but files called as in `holds`, stays.
    """
    for folder in path.parent.glob(f".{escape(_kept(path.name))}.*.partial"):
        with suppress(OSError):  # It is another user's.
            if is_torn(folder):
                _clear(folder, holds)


def _clear(folder: Path, holds: Collection[str]) -> None:
    if folder.is_symlink() or not folder.is_dir():
        return
    if all(file.is_file() and (file.name in holds or PARTIAL.fullmatch(file.name)) for file in folder.iterdir()):
        shutil.rmtree(folder)


def is_running(process: int) -> bool:
    """Tell whether a process of this machine runs, by its number."""
    if sys.platform == "win32":
        return _is_running_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # It is another user's.
        return True
    return True


def _is_running_on_windows(process: int) -> bool:
    """Ask without a signal: there `os.kill` ends what it is asked about."""
    import ctypes

    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    if not (handle := kernel.OpenProcess(QUERY_LIMITED, False, process)):
        denied: bool = ctypes.get_last_error() == ACCESS_DENIED  # type: ignore[attr-defined,unused-ignore]
        return denied
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == STILL_ACTIVE
