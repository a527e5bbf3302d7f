"""Delivery: any number of pictures, written to a folder, a zip or a parquet file part by part.

What is asked for is written beside the destination first, into `<name>.partial`; when all parts are there they are
joined and moved. A delivery that was broken off goes on where it stood when the same is asked for again, and several
processes may each write their share.
"""

import csv
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeAlias

from gannet.runtime.files import check_free, is_inside, write_bytes, write_json
from gannet.runtime.locks import locked
from gannet.runtime.names import format_ending
from gannet.runtime.wording import legible
from gannet.runtime.workers import map_in_processes


@dataclass(frozen=True)
class Entry:
    """One picture of a part: its path, its file, its class (-1: none), and its line in the order's record.

    The path is relative, with slashes; one that leads out of where it is written to is refused.
    """

    path: str
    content: bytes
    label: int = -1
    line: str = ""


@dataclass(frozen=True)
class Order:
    """What is to be delivered.

    Attributes:
        asked: plain data that tell this order from any other: model, seed, number, ...
        parts: the pictures in order: each part, when it is called, gathers what `make` makes pictures of; it is held
            in memory, and none is empty.
        classes: the names of the classes.
        record: the first line of a table, `record.csv`, that has a line for each picture; empty: there is none. A
            .parquet file has none.
        make: makes the pictures of what a part gathered; left out, a part gives its pictures itself.
        workers: how many processes call it.
    """

    asked: dict[str, Any]
    parts: Iterable[Callable[[], Any]]
    classes: tuple[str, ...] = ()
    record: str = ""
    make: Callable[[Any], list[Entry]] = list
    workers: int = 1


@dataclass(frozen=True)
class Share:
    """Which parts this process writes, of so many that do, and how it waits for the others."""

    rank: int = 0
    world: int = 1
    wait: Callable[[], None] = field(default=lambda: None)


Writing: TypeAlias = Callable[[Path, Path, list[Entry], tuple[str, ...]], None]


@dataclass(frozen=True)
class Format:
    """How a part is written to a delivery's folder, and how all parts become `whole` there.

    Attributes:
        write: is given the folder, the part's own path, its pictures and the names of the classes.
        join: is given the folder, the paths of all parts, and the first line of the record.
        check: raises ValueError when a library is missing.
    """

    write: Writing
    join: Callable[[Path, list[Path], str], None]
    check: Callable[[], object] = field(default=lambda: None)


ALONE = Share()
Pending: TypeAlias = tuple[Path, Any]


def deliver(path: Path, order: Order, share: Share = ALONE) -> Path:
    """Write an order to `path`: a name that ends in .zip or .parquet, or a folder.

    Raises:
        ValueError: the path exists or cannot be written, or an unfinished delivery of something else lies beside it.
    """
    FORMATS[format_ending(path)].check()
    building = path.with_name(f"{path.name}.partial")
    try:
        check_free(path)
        if share.rank == 0:
            building.mkdir(parents=True, exist_ok=True)
            _refuse_others(building)
            with _only_one(building, path):
                check_free(path)  # Another process may have been quicker.
                _deliver(building, path, order, share)
            _clear(building)
        else:
            _deliver(building, path, order, share)
    except (OSError, ValueError) as error:
        tidy(path)
        if isinstance(error, ValueError):
            raise
        check_free(path)
        words = f"{path} cannot be written ({error.strerror or error})"
        raise ValueError(f"{words}; choose another place, or make room and ask for the same again to go on.") from None
    return path


def tidy(path: Path) -> None:
    """Remove what is left beside a whole delivery by one that was killed, or came too late, unless one is at it."""
    building = path.with_name(f"{path.name}.partial")
    with suppress(ValueError, OSError):
        if path.exists() and building.is_dir() and not (building / NOTE).exists():
            if (building / LOCK).is_file():
                _refuse_others(building)
                with _only_one(building, path):
                    pass
            _clear(building)


def _clear(building: Path) -> None:
    """Remove the folder of a delivery that is over: the lock, which tells whose it is, comes last."""
    with suppress(OSError):  # Another process may be tidying up as well.
        if (building / LOCK).is_file():
            shutil.rmtree(building / "parts", ignore_errors=True)
            for file in [one for one in building.iterdir() if one.name != LOCK]:
                file.unlink()
            (building / LOCK).unlink()
        building.rmdir()


def _refuse_others(building: Path) -> None:
    """The folder is removed in the end, so nothing else may lie in it."""
    for file in building.iterdir():
        if file.name not in OURS and not file.name.startswith((f".{NOTE}.", f".{LOCK}.json.")):
            raise ValueError(f"{building} holds {file.name}, which Gannet did not write; choose another name.")


def _only_one(building: Path, path: Path) -> AbstractContextManager[None]:
    """Keep others from writing the same meanwhile; where the file system keeps no locks, they are on their own."""
    told = f"Another process is writing {path}"
    return locked(building / LOCK, told, "wait for it, or choose another name.", lambda: None)


def _deliver(building: Path, path: Path, order: Order, share: Share) -> None:
    form = FORMATS[format_ending(path)]
    if share.rank == 0:
        _begin(building, order)
    share.wait()
    parts: list[Path] = []
    write = partial(_write_part, building, form.write, order.make, order.classes)
    for failure in map_in_processes(write, _pending(building, order, share, parts), order.workers):
        if failure:
            raise failure
    share.wait()
    if share.rank == 0:
        if missing := [part for part in parts if not part.exists()]:
            raise ValueError(f"{missing[0]} is missing; all processes must write to the same disk.")
        form.join(building, parts, order.record)
        if path.exists():
            raise ValueError(f"{path} appeared meanwhile; move it away and ask for the same again, and it is there.")
        # Without its note, what is left of a delivery is nobody's, whenever it is broken off.
        (building / NOTE).unlink()
        (building / WHOLE).rename(path)
    share.wait()


def _begin(building: Path, order: Order) -> None:
    note, asked = building / NOTE, json.dumps({"layout": LAYOUT, **order.asked})
    if not note.is_file():
        for left in (building / "parts", building / WHOLE):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink(missing_ok=True)
        (building / "parts").mkdir()
        write_json(note, json.loads(asked))
    elif _noted(note) != _as_noted(asked):
        raise ValueError(
            f"{building} holds the beginning of something else ({NOTE} says what); remove it, or choose another name."
        )


def _noted(note: Path) -> Any:
    try:
        return _as_noted(note.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise ValueError(f"{note} is damaged; remove {note.parent} and ask for the same again to begin anew.") from None


def _as_noted(text: str) -> Any:
    """What JSON holds of an order, on both sides of a comparison: tuples became lists, and NaN equals itself."""
    return json.loads(text, parse_constant=str)


def _pending(building: Path, order: Order, share: Share, paths: list[Path]) -> Iterator[Pending]:
    """What the parts that this process has yet to make gathered; the paths of all are noted on the way."""
    for number, part in enumerate(order.parts):
        paths.append(building / "parts" / f"{number:06d}")
        if number % share.world == share.rank and not paths[-1].exists():
            yield paths[-1], part()


def _write_part(
    building: Path, write: Writing, make: Callable[[Any], list[Entry]], classes: tuple[str, ...], pending: Pending
) -> Exception | None:
    """Make a part and write it; what a process of its own could not write, the first one tells of."""
    path, gathered = pending
    try:
        entries = make(gathered)
        for outside in (entry.path for entry in entries if not is_inside(entry.path)):
            raise ValueError(f"{outside} would lead out of where it is written to, here or on Windows; rename it.")
        write(building, path, entries, classes)
    except (OSError, ValueError) as error:
        return error
    return None


def record_line(*cells: object) -> str:
    """Give a line of a record, as comma-separated values."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(legible(str(cell)) for cell in cells)
    return text.getvalue()


def folders(classes: tuple[str, ...]) -> dict[int, str]:
    """Give a folder for each class: its name, less what no folder's name may hold, and never one for two classes."""
    found = {-1: ""}
    for label, name in enumerate(classes):
        plain = re.sub(r'[\x00-\x1f\\/:*?"<>|]', "-", name).strip(". ") or "-"
        taken = {folder.casefold() for folder in found.values()}
        tried = (f"{plain}{more}/" for more in chain([""], (f" ({number})" for number in count(label))))
        found[label] = next(folder for folder in tried if folder.casefold() not in taken)
    return found


def _write_files(building: Path, part: Path, entries: list[Entry], classes: tuple[str, ...]) -> None:  # noqa: ARG001
    for entry in entries:
        path = building / WHOLE / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.content)
    if hasattr(os, "sync"):
        os.sync()  # One by one it would take many times as long.
    write_bytes(part, _lines(entries))  # Now, not before, the part is whole.


def _join_files(building: Path, parts: list[Path], record: str) -> None:
    (building / WHOLE).mkdir(exist_ok=True)
    if record:
        # Under its own name: the folder is not whole yet, and what a kill left of another name would become a part of it.
        with (building / WHOLE / RECORD).open("wb") as file:
            file.writelines([record.encode(), *(part.read_bytes() for part in parts)])
            file.flush()
            os.fsync(file.fileno())


def _lines(entries: list[Entry]) -> bytes:
    return "".join(entry.line for entry in entries).encode()


def _write_zip(building: Path, part: Path, entries: list[Entry], classes: tuple[str, ...]) -> None:  # noqa: ARG001
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for entry in entries:
            archive.writestr(zipfile.ZipInfo(entry.path), entry.content)
        archive.writestr(zipfile.ZipInfo(RECORD), _lines(entries))
    write_bytes(part, content.getvalue())


def _join_zip(building: Path, parts: list[Path], record: str) -> None:
    lines = [record.encode()]
    with (building / WHOLE).open("wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for part in parts:
                with zipfile.ZipFile(part) as some:
                    *pictures, noted = some.infolist()
                    for info in pictures:
                        archive.writestr(zipfile.ZipInfo(info.filename), some.read(info))
                    lines.append(some.read(noted))
            if record:
                archive.writestr(zipfile.ZipInfo(RECORD), b"".join(lines))
        os.fsync(file.fileno())


def _write_parquet(building: Path, part: Path, entries: list[Entry], classes: tuple[str, ...]) -> None:  # noqa: ARG001
    pyarrow, parquet = _pyarrow()
    kind: dict[str, Any] = {"image": {"_type": "Image"}}
    columns: dict[str, Any] = {"image": [{"bytes": entry.content, "path": entry.path} for entry in entries]}
    if entries[0].label >= 0:
        kind["label"] = {"names": list(classes), "_type": "ClassLabel"}
        columns["label"] = [entry.label for entry in entries]
    table = pyarrow.table(columns).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": kind}})})
    content = io.BytesIO()
    parquet.write_table(table, content, compression="none")
    write_bytes(part, content.getvalue())


def _join_parquet(building: Path, parts: list[Path], record: str) -> None:  # noqa: ARG001
    _, parquet = _pyarrow()
    with (building / WHOLE).open("wb") as file:
        with parquet.ParquetWriter(file, parquet.read_schema(parts[0]), compression="none") as writer:
            for part in parts:
                writer.write_table(parquet.read_table(part))
        os.fsync(file.fileno())


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ValueError("Parquet files need pyarrow; run: pip install 'gannet[parquet]'") from None
    return pyarrow, parquet


LAYOUT = 3
"""Of parts: raised when they are cut or written otherwise, so that older beginnings are not gone on with."""
NOTE, WHOLE, RECORD = "order.json", "whole", "record.csv"
LOCK = "lock"
OURS = (NOTE, WHOLE, "parts", LOCK, f"{LOCK}.json", ".DS_Store", "Thumbs.db")
"""What lies in the folder of a delivery in the making; the last two are put everywhere by macOS and Windows."""
FORMATS = {
    "": Format(_write_files, _join_files),
    ".zip": Format(_write_zip, _join_zip),
    ".parquet": Format(_write_parquet, _join_parquet, check=_pyarrow),
}
"""By the ending of a name."""
