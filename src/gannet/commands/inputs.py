"""The inputs of a model among files: those of the first by what is named, those of others by their stems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import escape as glob_escape
from pathlib import Path, PurePosixPath
from typing import Any

from gannet.data.sources.contents import contents
from gannet.media.medium import Medium
from gannet.media.pages import named_page
from gannet.pipelines.pipeline import Input
from gannet.runtime.broken import is_defect


@dataclass(frozen=True)
class Item:
    """The files of one result.

    Attributes:
        file: of the first input.
        path: its path among the results.
        beside: where the files of further inputs lie, by name: a file for all, or a folder with one for each.
        inputs: all of the model's, by name.
        refused: why the file is not opened; empty where it may be.
        page: the only one that is meant of the file, from 1 on; None: none was named.
    """

    file: Path
    path: PurePosixPath
    beside: Mapping[str, Path]
    inputs: Mapping[str, Input]
    refused: str = ""
    page: int | None = None

    @property
    def name(self) -> Path:
        """How it was named: the file, or a page of it."""
        return self.file if self.page is None else self.file.with_name(f"{self.file.name}#{self.page}")

    def read(self) -> dict[str, Any]:
        """Read all of them; ValueError names the one that cannot be read or is not there."""
        if self.refused:
            raise ValueError(f"{self.name} is not read: {self.refused}.")
        first, *others = self.inputs
        values = {first: self.inputs[first].medium.open(self.name)}
        return values | {name: self._read_beside(name, self.inputs[name]) for name in others if name in self.beside}

    def _read_beside(self, name: str, wanted: Input) -> Any:
        files = self.files(name)
        if not files:
            expected = self.path.with_suffix(wanted.medium.saved[0])
            raise ValueError(f"There is no {name} for {self.path} in {self.beside[name]}; name it {expected}.")
        values = tuple(map(wanted.medium.open, files))
        return values if wanted.many else values[0]

    def files(self, name: str) -> list[Path]:
        """Give the files of a further input: all of many, else the one of the same stem where there is a folder."""
        path, wanted = self.beside[name], self.inputs[name]
        if wanted.many:
            return [file for file, _, refused in _matching(path, wanted.medium) if not refused]
        if not path.is_dir():
            return [path]
        stem = self.path.with_suffix("")
        beside = sorted(path.glob(f"{glob_escape(str(stem))}.*"))
        return [file for file in beside if file.stem == stem.name and _is_one(file, wanted.medium)][:1]


def files_of(items: Sequence[Item]) -> dict[str, list[Path]]:
    """Give all files of items, by the name of the input; the first is called `inputs`."""
    found = {"inputs": [one.file for one in items]}
    for name in items[0].beside if items else ():
        found[name] = [file for one in items for file in one.files(name)]
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
    if odd := next((path for path in (*paths, *given.values()) if not isinstance(path, str | Path)), None):
        raise ValueError(f"An input is a path, not {type(odd).__name__}; name files, folders or patterns one by one.")
    beside = {name: _at_home(path) for name, path in given.items()}
    found: dict[tuple[Path, int | None], Item] = {}
    for asked in paths:
        named, page = named_page(_at_home(asked))
        some = list(_matching(named, inputs[first].medium))
        if not some:
            noun = inputs[first].medium.noun
            raise ValueError(f"There is no {noun} at {asked}; give a {noun}'s file, a folder of some, or a pattern.")
        if page is not None:
            _check_page(named, page, inputs[first].medium)
        for file, inside, refused in some:
            result = inside if page is None else inside.with_name(f"{inside.stem}-{page}{inside.suffix}")
            found.setdefault((file, page), Item(file, result, beside, inputs, refused, page))
    for name, path in beside.items():
        if not path.exists():
            raise ValueError(f"There is no {name} at {path}; give a file, or a folder with one for each.")
    return list(found.values())


def _check_page(file: Path, page: int, medium: Medium) -> None:
    """Refuse a page that is not there before anything is made of others."""
    try:
        medium.read_page(file.read_bytes(), page)
    except Exception as error:  # A broken file makes decoders raise anything.
        if is_defect(error):
            raise
        raise ValueError(f"{file}#{page} cannot be read: {str(error) or type(error).__name__}.") from None


def _at_home(path: str | Path) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"There is no home folder for {path}; name it in full.") from None


def _matching(asked: str | Path, medium: Medium) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """Find files, their paths among the results, and why one is not to be opened.

    Those in folders and of patterns are found by their ending; one that is named is taken whatever it is called.
    """
    path = _at_home(asked)
    if path.is_dir():
        there = contents(path)
        named = [*((file, "") for file in there.files), *there.left_out]
        for inside, reason in sorted(named, key=lambda one: PurePosixPath(one[0])):
            ending = PurePosixPath(inside).suffix.lower()
            refused = reason or medium.foreign.get(ending, "")
            if ending in medium.endings or (refused and (ending in medium.foreign or inside.endswith("/"))):
                yield path / inside, PurePosixPath(inside), refused
    elif path.is_file():
        yield path, PurePosixPath(path.name), ""
    elif str(asked).strip():
        home = Path(path.anchor or ".")
        for match in sorted(home.glob(str(path.relative_to(path.anchor)))):
            if _is_one(match, medium):
                yield match, PurePosixPath(match.name), ""


def _is_one(file: Path, medium: Medium) -> bool:
    return file.suffix.lower() in medium.endings and file.is_file()
