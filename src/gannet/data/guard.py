"""The cache is not believed: its small files are held to sums when it is opened, its rows when they are first read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gannet.data.columns import Rows
from gannet.data.records import Array
from gannet.runtime.digests import number
from gannet.runtime.files import writing

Digests = npt.NDArray[np.uint64]
Sums = npt.NDArray[np.uint32]
FILE, ROWS = "file ", "rows "
"""How the sums of files, and those of a field's rows, are called."""


def digest_rows(values: Iterable[Array]) -> Digests:
    """Give a number for each value, uint64 (n,), such that equal values have equal ones on every machine."""
    return np.array([number(np.ascontiguousarray(value).tobytes()) for value in values], np.uint64)


def sum_rows(values: Iterable[Array]) -> Sums:
    """Give a checksum for each value, uint32 (n,): six times as fast as digests."""
    return np.array([zlib.crc32(np.ascontiguousarray(value).data) for value in values], np.uint32)


class Guard:
    """Holds rows to their sums, each when it is first read.

    Args:
        sums: of the rows, (n,); uint64 are digests, which older entries have of their first field.
        mend: called where a row is not what was decoded, with what tells whether it still is not; brings it in order,
            or raises ValueError where that cannot be.
    """

    def __init__(self, sums: Sums | Digests, mend: Callable[[Callable[[], bool]], None]) -> None:
        self._sums, self._mend = sums, mend
        self._measure = digest_rows if sums.dtype == np.uint64 else sum_rows
        self._unseen = np.ones(len(sums), np.bool_)

    def check(self, rows: Rows, read: Callable[[int], Array]) -> None:
        """Hold those of the rows to their sums that were not read before."""
        fresh = rows[self._unseen[rows]]
        if not len(fresh):
            return

        def is_damaged() -> bool:
            return not np.array_equal(self._measure(map(read, fresh.tolist())), self._sums[fresh])

        if is_damaged():
            self._mend(is_damaged)
        self._unseen[fresh] = False


def write_sums(path: Path, folder: Path, rows: Mapping[str, Sequence[int]]) -> None:
    """Write down what the small files of an entry are held to, and the rows of its fields.

    Args:
        folder: where the files lie, all `.npy` and `.json` in it.
        rows: the sums of a field's rows, by its name.
    """
    small = sorted(file for file in folder.iterdir() if file.suffix in {".npy", ".json"})
    sums: dict[str, Any] = {f"{FILE}{file.name}": np.uint64(number(file.read_bytes())) for file in small}
    sums |= {f"{ROWS}{name}": np.array(found, np.uint32) for name, found in rows.items()}
    with writing(path) as stream:
        np.savez(stream, **sums)


def checked_sums(path: Path, folder: Path) -> dict[str, Sums | Digests]:
    """Hold the small files of an entry to their sums, and give those of the rows by field.

    Nothing where there are no sums: older entries have none.

    Raises:
        ValueError: a file, or the sums, are damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            sums = {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile, zlib.error):
        raise ValueError(f"{path} is damaged.") from None
    for name, found in sums.items():
        file = folder / name.removeprefix(FILE)
        if name.startswith(FILE) and number(file.read_bytes()) != found:
            raise ValueError(f"{file} is damaged.")
    return {name.removeprefix(ROWS): found for name, found in sums.items() if name.startswith(ROWS)}


def write_over(rebuilt: Path, old: Path) -> None:
    """Make a file hold what another of its size holds: where they differ it is written to, so that maps of it see it.

    Raises:
        OSError: it is not there, or of another size.
    """
    if rebuilt.stat().st_size != old.stat().st_size:
        raise OSError(f"{old} is of another size")
    step = 1 << 20
    with rebuilt.open("rb") as right, old.open("r+b") as mended:
        while part := right.read(step):
            if mended.read(len(part)) != part:
                mended.seek(-len(part), 1)
                mended.write(part)
                mended.flush()
