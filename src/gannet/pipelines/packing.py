"""What parts of a delivery are written as, and how they become one: a folder, a zip or a parquet file."""

import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeAlias

from gannet.runtime.files import write_bytes
from gannet.runtime.wording import legible

WHOLE, RECORD = "whole", "record.csv"
"""What lies in the folder of a delivery in the making once its parts are joined, and a table of what it holds."""


@dataclass(frozen=True)
class Entry:
    """One picture of a part: its path, its file, its class (-1: none), and its line in the order's record.

    The path is relative, with slashes; one that leads out of where it is written to is refused.
    """

    path: str
    content: bytes
    label: int = -1
    line: str = ""


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
        # Under its own name: the folder is not whole yet, and what a kill left of another would become a part of it.
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


FORMATS = {
    "": Format(_write_files, _join_files),
    ".zip": Format(_write_zip, _join_zip),
    ".parquet": Format(_write_parquet, _join_parquet, check=_pyarrow),
}
"""By the ending of a name."""
