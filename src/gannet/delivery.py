"""Delivery: any number of samples, written to a folder, a zip or a parquet file part by part.

What is asked for is written beside the destination first, into `<name>.partial`; when all parts are there they are
joined and moved. A delivery that was broken off goes on where it stood when the same is asked for again, and several
processes may each write their share. The files do not depend on either.
"""

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from PIL import Image
from torch import Tensor

from gannet.provenance import encode_picture
from gannet.storage import write_bytes, write_json

Batch = Callable[[], list[Image.Image]]


@dataclass(frozen=True)
class Order:
    """What is to be delivered.

    Attributes:
        asked: plain data that tell this order from any other: model, seed, number, ...
        facts: for the metadata of every picture.
        batches: the pictures in order, each batch made when it is called.
        sizes: how many pictures each batch gives.
        labels: (n,) the class of each, or None.
        classes: their names.
        together: how many batches make a part, which is held in memory.
    """

    asked: dict[str, Any]
    facts: dict[str, Any]
    batches: Sequence[Batch]
    sizes: Sequence[int]
    labels: Tensor | None = None
    classes: tuple[str, ...] = ()
    together: int = 16

    @property
    def parts(self) -> int:
        """How many there are."""
        return -(-len(self.batches) // self.together)


@dataclass(frozen=True)
class Entry:
    """One picture of a part: its path, its PNG file, and its class (-1: none)."""

    path: str
    content: bytes
    label: int


@dataclass(frozen=True)
class Share:
    """Which parts this process writes, of so many that do, and how it waits for the others."""

    rank: int = 0
    world: int = 1
    wait: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class Format:
    """How a part is written to a delivery's folder, and how all parts become `whole` there.

    Attributes:
        write: is given the folder, the part's own path, its pictures and the names of the classes.
        join: is given the folder and the paths of all parts.
        check: raises ValueError when a library is missing.
    """

    write: Callable[[Path, Path, list[Entry], tuple[str, ...]], None]
    join: Callable[[Path, list[Path]], None]
    check: Callable[[], object] = field(default=lambda: None)


ALONE = Share()


def deliver(path: Path, order: Order, share: Share = ALONE) -> Path:
    """Write an order to `path`: a name that ends in .zip or .parquet, or a folder.

    Raises:
        ValueError: the path exists or cannot be written, or an unfinished delivery of something else lies beside it.
    """
    FORMATS[path.suffix.lower()].check()
    if path.exists():
        raise ValueError(f"{path} exists; choose another name or remove it first.")
    building = path.with_name(f"{path.name}.partial")
    try:
        if share.rank == 0:
            building.mkdir(parents=True, exist_ok=True)
            with _only_one(building, path):
                _deliver(building, path, order, share)
            shutil.rmtree(building)
        else:
            _deliver(building, path, order, share)
    except OSError as error:
        words = f"{path} cannot be written ({error.strerror or error})"
        raise ValueError(f"{words}; choose another place, or make room and ask for the same again to go on.") from None
    return path


@contextmanager
def _only_one(building: Path, path: Path) -> Iterator[None]:
    """Keep others from writing the same meanwhile."""
    try:
        with FileLock(building / "lock", blocking=False):
            yield
    except Timeout:
        raise ValueError(f"Another process is writing {path}; wait for it, or choose another name.") from None


def _deliver(building: Path, path: Path, order: Order, share: Share) -> None:
    form = FORMATS[path.suffix.lower()]
    parts = [building / "parts" / f"{number:06d}" for number in range(order.parts)]
    if share.rank == 0:
        _begin(building, order)
    share.wait()
    for number in range(share.rank, order.parts, share.world):
        if not parts[number].exists():
            form.write(building, parts[number], list(_entries(order, number)), order.classes)
    share.wait()
    if share.rank == 0:
        if missing := [part for part in parts if not part.exists()]:
            raise ValueError(f"{missing[0]} is missing; all processes must write to the same disk.")
        form.join(building, parts)
        # Without its note, what is left of a delivery is nobody's, whenever it is broken off.
        (building / NOTE).unlink()
        (building / WHOLE).rename(path)
    share.wait()


def _begin(building: Path, order: Order) -> None:
    note = building / NOTE
    if not note.is_file():
        for left in (building / "parts", building / WHOLE):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink(missing_ok=True)
        (building / "parts").mkdir()
        write_json(note, order.asked)
    elif json.loads(note.read_text(encoding="utf-8")) != order.asked:
        raise ValueError(
            f"{building} holds the beginning of something else ({NOTE} says what); remove it, or choose another name."
        )


def _entries(order: Order, number: int) -> Iterator[Entry]:
    """The pictures of a part as files."""
    first, folders = number * order.together, _folders(order.classes)
    index = sum(order.sizes[:first])
    for batch in order.batches[first : first + order.together]:
        for picture in batch():
            label = -1 if order.labels is None else int(order.labels[index])
            content = encode_picture(picture, {**order.facts, "index": index})
            yield Entry(f"{folders[label]}{index:06d}.png", content, label)
            index += 1


def _folders(classes: tuple[str, ...]) -> dict[int, str]:
    """A folder for each class: its name, less what no folder's name may hold, and never one for two classes."""
    found = {-1: ""}
    for label, name in enumerate(classes):
        plain = re.sub(r'[\x00-\x1f\\/:*?"<>|]', "-", name).strip(". ") or "-"
        taken = {folder.casefold() for folder in found.values()}
        found[label] = f"{plain}/" if f"{plain}/".casefold() not in taken else f"{plain} ({label})/"
    return found


def _write_files(building: Path, part: Path, entries: list[Entry], classes: tuple[str, ...]) -> None:  # noqa: ARG001
    for entry in entries:
        path = building / WHOLE / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.content)
    write_bytes(part, b"")  # Now, not before, the part is whole.


def _write_zip(building: Path, part: Path, entries: list[Entry], classes: tuple[str, ...]) -> None:  # noqa: ARG001
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for entry in entries:
            archive.writestr(zipfile.ZipInfo(entry.path), entry.content)
    write_bytes(part, content.getvalue())


def _join_zip(building: Path, parts: list[Path]) -> None:
    with (building / WHOLE).open("wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for part in parts:
                with zipfile.ZipFile(part) as some:
                    for info in some.infolist():
                        archive.writestr(zipfile.ZipInfo(info.filename), some.read(info))
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


def _join_parquet(building: Path, parts: list[Path]) -> None:
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


NOTE, WHOLE = "order.json", "whole"
FORMATS = {
    "": Format(_write_files, join=lambda *_: None),
    ".zip": Format(_write_zip, _join_zip),
    ".parquet": Format(_write_parquet, _join_parquet, check=_pyarrow),
}
"""By the ending of a name."""
