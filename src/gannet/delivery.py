"""Delivery: any number of samples, written to a folder, a zip or a parquet file part by part.

What is asked for is written beside the destination first, into `<name>.partial`; when all parts are there they are
joined and moved. A delivery that was broken off goes on where it stood when the same is asked for again, and several
processes may each write their share. The files do not depend on either.
"""

import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from gannet.provenance import encode_picture
from gannet.storage import write_bytes, write_json

BATCHES = 16
"""Batches in a part."""
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
    """

    asked: dict[str, Any]
    facts: dict[str, Any]
    batches: Sequence[Batch]
    sizes: Sequence[int]
    labels: Tensor | None = None
    classes: tuple[str, ...] = ()


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


ALONE = Share()


def deliver(path: Path, order: Order, share: Share = ALONE) -> Path:
    """Write an order to `path`: a name that ends in .zip or .parquet, or a folder.

    Raises:
        ValueError: the path exists, or an unfinished delivery of something else lies beside it.
    """
    write, join = FORMATS[path.suffix.lower()]
    building = path.with_name(f"{path.name}.partial")
    if path.exists():
        raise ValueError(f"{path} exists; choose another name or remove it first.")
    if share.rank == 0:
        _begin(building, order)
    share.wait()
    count = -(-len(order.batches) // BATCHES)
    for number in range(share.rank, count, share.world):
        if not _part(building, number).exists():
            write(building, number, list(_entries(order, number)), order.classes)
    share.wait()
    if share.rank == 0:
        join(building, [_part(building, number) for number in range(count)], path)
        shutil.rmtree(building)
    share.wait()
    return path


def _begin(building: Path, order: Order) -> None:
    note = building / "order.json"
    if not note.is_file():
        try:
            (building / "parts").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"{building} cannot be written ({error.strerror}); choose another place.") from None
        write_json(note, order.asked)
    elif json.loads(note.read_text(encoding="utf-8")) != order.asked:
        raise ValueError(
            f"{building} holds the beginning of something else ({note.name} says what); remove it, or choose another "
            "name."
        )


def _part(building: Path, number: int) -> Path:
    return building / "parts" / f"{number:06d}"


def _entries(order: Order, number: int) -> Iterator[Entry]:
    """The pictures of a part as files."""
    first = number * BATCHES
    index = sum(order.sizes[:first])
    for batch in order.batches[first : first + BATCHES]:
        for picture in batch():
            label = -1 if order.labels is None else int(order.labels[index])
            folder = f"{_plain(order.classes[label])}/" if label >= 0 else ""
            content = encode_picture(picture, {**order.facts, "index": index})
            yield Entry(f"{folder}{index:06d}.png", content, label)
            index += 1


def _plain(name: str) -> str:
    """A class's name as a folder's."""
    return re.sub(r'[\\/:*?"<>|]', "-", name).strip(". ") or "-"


def _write_files(building: Path, number: int, entries: list[Entry], classes: tuple[str, ...]) -> None:  # noqa: ARG001
    for entry in entries:
        path = building / "files" / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.content)
    write_bytes(_part(building, number), b"")  # Now, not before, the part is whole.


def _join_files(building: Path, parts: list[Path], path: Path) -> None:  # noqa: ARG001
    (building / "files").rename(path)


def _write_zip(building: Path, number: int, entries: list[Entry], classes: tuple[str, ...]) -> None:  # noqa: ARG001
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for entry in entries:
            archive.writestr(zipfile.ZipInfo(entry.path), entry.content)
    write_bytes(_part(building, number), whole.getvalue())


def _join_zip(building: Path, parts: list[Path], path: Path) -> None:
    whole = building / "whole"
    with zipfile.ZipFile(whole, "w") as archive:
        for part in parts:
            with zipfile.ZipFile(part) as some:
                for info in some.infolist():
                    archive.writestr(zipfile.ZipInfo(info.filename), some.read(info))
    whole.replace(path)


def _write_parquet(building: Path, number: int, entries: list[Entry], classes: tuple[str, ...]) -> None:
    pyarrow, parquet = _pyarrow()
    kind: dict[str, Any] = {"image": {"_type": "Image"}}
    columns: dict[str, Any] = {"image": [{"bytes": entry.content, "path": entry.path} for entry in entries]}
    if entries[0].label >= 0:
        kind["label"] = {"names": list(classes), "_type": "ClassLabel"}
        columns["label"] = [entry.label for entry in entries]
    table = pyarrow.table(columns).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": kind}})})
    whole = io.BytesIO()
    parquet.write_table(table, whole, compression="none")
    write_bytes(_part(building, number), whole.getvalue())


def _join_parquet(building: Path, parts: list[Path], path: Path) -> None:
    _, parquet = _pyarrow()
    whole = building / "whole"
    with parquet.ParquetWriter(whole, parquet.read_schema(parts[0]), compression="none") as writer:
        for part in parts:
            writer.write_table(parquet.read_table(part))
    whole.replace(path)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ValueError("Parquet files need pyarrow; run: pip install 'gannet[parquet]'") from None
    return pyarrow, parquet


FORMATS = {
    "": (_write_files, _join_files),
    ".zip": (_write_zip, _join_zip),
    ".parquet": (_write_parquet, _join_parquet),
}
"""By the ending of a name: how a part is written, and how all parts become one."""
