"""Delivery: any number of pictures, written to a folder, a zip or a parquet file part by part.

What is asked for is written beside the destination first, into `<name>.partial`; when all parts are there they are
joined and moved. A delivery that was broken off goes on where it stood when the same is asked for again, and several
processes may each write their share. A folder may also be filled file by file (`filling`), and filled further later.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from gannet.pipelines.manifest import Manifest, begin
from gannet.pipelines.packing import FORMATS, WHOLE, Entry, Writing
from gannet.runtime.files import check_free, is_inside, write_json
from gannet.runtime.locks import alone
from gannet.runtime.names import format_ending
from gannet.runtime.partial import clear_files
from gannet.runtime.steps import clear_steps
from gannet.runtime.workers import map_in_processes


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
            with alone(building / LOCK, path):
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
        raise _unwritable(path, error) from None
    return path


@contextmanager
def filling(path: Path, asked: dict[str, Any]) -> Iterator[Manifest]:
    """Fill a folder file by file, alone; its manifest, which is there before any file, tells what was done.

    A folder that the same order began, or filled, is gone on with.

    Args:
        asked: plain data that tell this order from any other.

    Raises:
        ValueError: the path cannot be written, or holds something else.
    """
    building = path.with_name(f"{path.name}.partial")
    try:
        building.mkdir(parents=True, exist_ok=True)
        _refuse_others(building)
        if (building / NOTE).exists():
            raise ValueError(_begun_otherwise(building))
        with _alone(building, path):
            if not path.exists():
                _clear_parts(building)
                (building / WHOLE).mkdir()
                begin(building / WHOLE, asked)
                (building / WHOLE).rename(path)
            manifest = Manifest(path, asked)
            clear_files(path)
            yield manifest
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ValueError:
    words = f"{path} cannot be written ({error.strerror or error})"
    return ValueError(f"{words}; choose another place, or make room and ask for the same again to go on.")


def tidy(path: Path) -> None:
    """Remove what is left beside a whole delivery by one that was killed, or came too late, unless one is at it."""
    building = path.with_name(f"{path.name}.partial")
    with suppress(ValueError, OSError):
        if path.exists() and building.is_dir() and not (building / NOTE).exists():
            if (building / LOCK).is_file():
                _refuse_others(building)
                with _alone(building, path):
                    return
            clear_steps(building)
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


@contextmanager
def _alone(building: Path, path: Path) -> Iterator[None]:
    """Keep others from writing the same meanwhile, and remove the folder at the end, however that comes.

    While the lock is held nobody else has it; Windows removes no file that is held.
    """
    with alone(building / LOCK, path):
        try:
            yield
        finally:
            _clear(building)
    if os.name == "nt":
        _clear(building)


def _refuse_others(building: Path) -> None:
    """The folder is removed in the end, so nothing else may lie in it."""
    for file in building.iterdir():
        if file.name not in OURS and not file.name.startswith((f".{NOTE}.", f".{LOCK}.json.")):
            raise ValueError(f"{building} holds {file.name}, which Gannet did not write; choose another name.")


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
        _clear_parts(building)
        (building / "parts").mkdir()
        write_json(note, json.loads(asked))
    elif _noted(note) != _as_noted(asked):
        raise ValueError(_begun_otherwise(building))


def _begun_otherwise(building: Path) -> str:
    return f"{building} holds the beginning of something else ({NOTE} says what); remove it, or choose another name."


def _clear_parts(building: Path) -> None:
    """Remove what nobody's order left."""
    for left in (building / "parts", building / WHOLE):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)


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


LAYOUT = 3
"""Of parts: raised when they are cut or written otherwise, so that older beginnings are not gone on with."""
NOTE, LOCK = "order.json", "lock"
OURS = (NOTE, WHOLE, "parts", LOCK, f"{LOCK}.json", ".DS_Store", "Thumbs.db")
"""What lies in the folder of a delivery in the making; the last two are put everywhere by macOS and Windows."""
