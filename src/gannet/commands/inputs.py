"""The inputs of a model among files: those of the first by what is named, those of others by their stems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape as glob_escape
from pathlib import Path, PurePosixPath
from typing import Any

from gannet.data.sources.layout import is_hidden
from gannet.media.medium import Medium
from gannet.pipelines.pipeline import Input


@dataclass(frozen=True)
class Item:
    """The files of one result.

    Attributes:
        file: of the first input.
        path: its path among the results.
        beside: where the files of further inputs lie, by name: a file for all, or a folder with one for each.
        inputs: all of the model's, by name.
    """

    file: Path
    path: PurePosixPath
    beside: Mapping[str, Path] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)

    def read(self, inputs: Mapping[str, Input]) -> dict[str, Any]:
        """Read all of them; ValueError names the one that cannot be read or is not there."""
        first, *others = inputs
        values = {first: inputs[first].medium.open(self.file)}
        for name in others:
            if name in self.beside:
                values[name] = self._read_beside(name, inputs[name])
        return values

    def _read_beside(self, name: str, wanted: Input) -> Any:
        if wanted.many:
            return tuple(wanted.medium.open(one.file) for one in _matching(self.beside[name], wanted.medium))
        file = self.file_of(name)
        if file is None:
            expected = self.path.with_suffix(wanted.medium.saved[0])
            raise ValueError(f"There is no {name} for {self.path} in {self.beside[name]}; name it {expected}.")
        return wanted.medium.open(file)

    def file_of(self, name: str) -> Path | None:
        """Give the file of a further input: of the same stem where there is a folder of them."""
        path = self.beside[name]
        if not path.is_dir():
            return path
        wanted = self.path.with_suffix("")
        medium = self.inputs[name].medium
        beside = sorted(path.glob(f"{glob_escape(str(wanted))}.*"))
        return next((file for file in beside if file.stem == wanted.name and _is_one(file, medium)), None)


def files_of(items: Sequence[Item]) -> dict[str, list[Path]]:
    """Give all files of items, by the name of the input; the first is called `inputs`."""
    found = {"inputs": [one.file for one in items]}
    for name in items[0].beside if items else ():
        found[name] = [file for one in items if (file := one.file_of(name))]
    return found


def find_items(paths: Sequence[str | Path], inputs: Mapping[str, Input], given: Mapping[str, Any]) -> list[Item]:
    """Find the files of the first input among files, folders and patterns, each once.

    Args:
        given: the paths of further inputs, by name.

    Raises:
        ValueError: nothing is there.
    """
    first = next(iter(inputs))
    if first in given:
        raise ValueError(f"{first} is what is named behind the model; name it once.")
    beside = {name: Path(str(path)).expanduser() for name, path in given.items()}
    found: dict[Path, Item] = {}
    for asked in paths:
        some = list(_matching(asked, inputs[first].medium))
        if not some:
            noun = inputs[first].medium.noun
            raise ValueError(f"There is no {noun} at {asked}; give a {noun}'s file, a folder of some, or a pattern.")
        for one in some:
            found.setdefault(one.file, Item(one.file, one.path, beside, inputs))
    for name, path in beside.items():
        if not path.exists():
            raise ValueError(f"There is no {name} at {path}; give a file, or a folder with one for each.")
    return list(found.values())


def _matching(asked: str | Path, medium: Medium) -> Iterator[Item]:
    """Find files; those in folders and of patterns by their ending, one that is named whatever it is called."""
    path = Path(asked).expanduser()
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path)
            if _is_one(file, medium) and not any(is_hidden(part) for part in inside.parts):
                yield Item(file, PurePosixPath(inside.as_posix()))
    elif path.is_file():
        yield Item(path, PurePosixPath(path.name))
    elif str(asked).strip():
        home = Path(path.anchor or ".")
        for match in sorted(home.glob(str(path.relative_to(path.anchor)))):
            if _is_one(match, medium):
                yield Item(match, PurePosixPath(match.name))


def _is_one(file: Path, medium: Medium) -> bool:
    return file.suffix.lower() in medium.endings and file.is_file()
