"""The manifest of a folder that is filled file by file: of each what it was, what was made of it, and why not.

Its first line tells the order: the model and what is asked of it. Every other line is one file's. A line is on the disk
before the next file is begun, so that whoever is killed loses at most the file at hand.
"""

import functools
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from gannet.runtime.files import check_free, write_bytes
from gannet.runtime.plain_data import parse_json
from gannet.runtime.reading import read_file

MANIFEST = "gannet-manifest.jsonl"
FORMAT = "gannet-manifest"
"""The key of the first line that tells a manifest, and its version."""
VERSION = 1
State = Literal["done", "skipped", "failed"]


@dataclass(frozen=True)
class Line:
    """What came of one file.

    Attributes:
        path: of the file, as seen from the folder that the manifest lies in.
        digest: SHA-256 of its content; empty where it could not be read.
        result: the path of what was made of it, in the folder; empty where there is nothing.
        state: `done`; `skipped`, since it was done before; or `failed`.
        why: of what failed; of the others, what of them was not used, if anything.
        further: digests of the files that were given with it, by the name of the input.
    """

    path: str
    digest: str = ""
    result: str = ""
    state: State = "done"
    why: str = ""
    further: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def given(self) -> tuple[object, ...]:
        """What tells whether the same was given."""
        return self.digest, {name: tuple(digests) for name, digests in self.further.items()}

    def written(self) -> bytes:
        """Give it as a line of JSON, without what is empty; what of a name is no UTF-8 as JSON escapes it."""
        told = {name: value for name, value in asdict(self).items() if value}
        return f"{json.dumps(told, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace")


class Manifest:
    """The manifest of a folder, read and gone on with; what a killed process wrote by half is cut off.

    Raises:
        ValueError: there is none, it is damaged, or the folder holds what was ordered otherwise.
    """

    def __init__(self, folder: Path, asked: Mapping[str, object]) -> None:
        self.folder, self.file = folder, folder / MANIFEST
        self.head, lines, whole = _read(self.file)
        if _order(self.head) != _order(_head(asked)):
            raise ValueError(
                f"{folder} holds what another model or other options made (the first line of {MANIFEST} says which); "
                "choose another name."
            )
        if whole < self.file.stat().st_size:
            os.truncate(self.file, whole)
        self._by_result = {line.result: line for line in lines if line.result}
        self._by_path = {line.path: line for line in lines}
        self._told: list[Line] = []

    def made(self, result: str) -> Line | None:
        """Give the line of what made a result; None where nothing did."""
        return self._by_result.get(result)

    def append(self, line: Line) -> None:
        """Tell what came of a file; it is on the disk when this returns."""
        with self.file.open("ab") as file:
            file.write(line.written())
            file.flush()
            os.fsync(file.fileno())
        self._tell(line)

    def skip(self, line: Line) -> None:
        """Tell of a file that it was done before; an earlier line says so already."""
        self._tell(replace(line, state="skipped"))

    def _tell(self, line: Line) -> None:
        self._told.append(line)
        if line.result:
            self._by_result[line.result] = line

    @property
    def results(self) -> bool:
        """Whether there is any."""
        return bool(self._by_result)

    def finish(self) -> None:
        """Write it anew, one line a file: those of this call in order, then those that it was not given."""
        paths, results = {line.path for line in self._told}, {line.result for line in self._told if line.result}
        others = [line for line in self._by_path.values() if line.path not in paths and line.result not in results]
        write_bytes(self.file, _written(self.head, [*self._told, *others]))


def is_filled(path: Path) -> bool:
    """Tell a folder that has a manifest."""
    return (path / MANIFEST).is_file()


def begin(folder: Path, asked: Mapping[str, object]) -> None:
    """Write a manifest that tells of no file yet."""
    write_bytes(folder / MANIFEST, _written(_head(asked), []))


def _head(asked: Mapping[str, object]) -> dict[str, Any]:
    return {FORMAT: VERSION, **asked}


def _order(head: Mapping[str, object]) -> Any:
    """What JSON holds of an order, on both sides of a comparison; a later Gannet may go on with it."""
    plain = json.loads(json.dumps({name: value for name, value in head.items() if name != "gannet"}))
    return json.loads(json.dumps(plain), parse_constant=str)


def _written(head: Mapping[str, object], lines: Iterable[Line]) -> bytes:
    return f"{json.dumps(head)}\n".encode() + b"".join(line.written() for line in lines)


def _read(file: Path) -> tuple[dict[str, Any], list[Line], int]:
    """The order, the lines of files, and how many bytes are whole; of what is damaged among them nothing is known."""
    if not file.is_file():
        check_free(file.parent)
    first, *rest = read_file(file).splitlines(keepends=True) or [b""]
    head = _parsed(first)
    if not isinstance(head, dict) or head.get(FORMAT) != VERSION:
        raise ValueError(f"{file} is damaged, or no manifest that this Gannet reads; choose another name.")
    whole = [line for line in rest if line.endswith(b"\n")]  # Only of the last one a part may lack.
    found = [line for line in map(_line, whole) if line]
    return head, found, sum(map(len, [first, *whole]))


@functools.cache
def _checked() -> TypeAdapter[Line]:
    return TypeAdapter(Line)


def _line(content: bytes) -> Line | None:
    try:
        return _checked().validate_python(_parsed(content))
    except ValidationError:
        return None


def _parsed(content: bytes) -> Any:
    try:
        return parse_json(content.decode("utf-8"), MANIFEST)
    except ValueError:
        return None
