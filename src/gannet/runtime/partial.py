"""Names: those of files that are not whole yet, which of them nobody writes any more, and those that are too long."""

import os
import re
import shutil
import sys
from collections.abc import Collection
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Any

from gannet.runtime.digests import number
from gannet.runtime.wording import legible

PARTIAL = re.compile(r"\..+\.(\d{1,9})\.partial(\.[^.]+)?")
"""What `partial_path` gives; the group is the number of the process."""
LONGEST_NAME, MORE = 255, 40
"""Bytes of a name that disks allow, and those that a name has around it until the file is whole."""
QUERY_LIMITED, ACCESS_DENIED, STILL_ACTIVE = 0x1000, 5, 259
"""Of Windows: the right to ask about a process, the error where that is refused, the exit code of one that runs."""


def shortened(stem: str, ending: str = "") -> str:
    """Give a file's name that any disk and archive can hold: in UTF-8, and not too long.

    Of one that is too long, what is cut off is told by eight digits.
    """
    stem, ending = legible(stem), legible(ending)
    whole = f"{stem}{ending}".encode()
    if len(whole) <= LONGEST_NAME:
        return f"{stem}{ending}"
    room = max(1, LONGEST_NAME - len(ending.encode()) - 9)
    kept = stem.encode()[:room].decode("utf-8", "ignore")
    return f"{kept}-{number(whole) % 16**8:08x}{ending}"


def partial_path(path: Path, ending: str = "") -> Path:
    """Give the name under which this process writes a file before it is whole."""
    return path.with_name(f".{_kept(path.name)}.{os.getpid()}.partial{ending}")


def _kept(name: str) -> str:
    """What is kept of a name when more than a name is to stand around it."""
    return shortened(name, "." * MORE)[:-MORE]


def is_torn(path: Path) -> bool:
    """Tell whether it is what a process of this machine was writing which has ended; its name says which."""
    found = PARTIAL.fullmatch(path.name)
    return found is not None and not is_running(int(found[1]))


def clear_folders(path: Path, holds: Collection[str]) -> None:
    """Remove the folders in which processes that have ended were making `path`, and those of this process's number.

    A folder that only has such a name, since it holds anything but files called as in `holds`, stays.
    """
    for folder in path.parent.glob(f".{escape(_kept(path.name))}.*.partial"):
        found = PARTIAL.fullmatch(folder.name)
        if found and (int(found[1]) == os.getpid() or not is_running(int(found[1]))):
            with suppress(OSError):  # It is another user's.
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
