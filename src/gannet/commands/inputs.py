"""The inputs of a model among files: those of the first by what is named, those of others by their stems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from gannet.data.records import file_stamp
from gannet.data.sources.contents import contents
from gannet.media.medium import Medium
from gannet.media.pages import named_page
from gannet.pipelines.pipeline import Input
from gannet.runtime.broken import is_defect
from gannet.runtime.names import at_home, file_ending, whole_stem, whole_suffix
from gannet.runtime.reading import SPECIAL, read_file

Listed: TypeAlias = Mapping[PurePosixPath, Sequence[tuple[Path, str]]]
"""The files of a folder and why one is not to be opened, by their paths in it without their endings."""


CLUTTER = (".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
"""What macOS and Windows put into folders, in lower case; macOS also puts a `._name` beside a name (AppleDouble)."""
SIDECARS = (".xmp", ".aae", ".pp3", ".dop", ".thm")
"""The endings of notes that editors and cameras put beside a photograph."""
SEVERAL_SERIES = "its folder holds several series of numbered files; give each a folder of its own"


@dataclass(frozen=True)
class Item:
    """The files of one result.

    Attributes:
        file: of the first input.
        path: its path among the results.
        beside: where the files of further inputs lie, by name: a file or a page for all, or a folder with one for each.
        listed: what lies in those folders, by name.
        inputs: all of the model's, by name.
        refused: why the file is not opened; empty where it may be.
        page: the only one that is meant of the file, from 1 on; None: none was named.
    """

    file: Path
    path: PurePosixPath
    beside: Mapping[str, Path]
    listed: Mapping[str, Listed]
    inputs: Mapping[str, Input]
    refused: str = ""
    page: int | None = None

    @property
    def name(self) -> Path:
        """How it was named: the file, or a page of it."""
        return self.file if self.page is None else self.file.with_name(f"{self.file.name}#{self.page}")

    @property
    def ending(self) -> str:
        """Its file's whole ending."""
        return _ending(self.file, self.path)

    @property
    def stem(self) -> str:
        """What it is called without that."""
        return self.path.name.removesuffix(self.ending)

    def read(self) -> dict[str, Any]:
        """Read all of them; ValueError names the one that cannot be read or is not there."""
        if self.refused:
            raise ValueError(f"{self.name} is not read: {self.refused}.")
        first, *others = self.inputs
        values = {first: self.inputs[first].medium.open(self.name)}
        return values | {name: self._read_beside(name, self.inputs[name]) for name in others if name in self.beside}

    def about(self, error: ValueError) -> str:
        """Give what is wrong with it, which names it."""
        told = str(error)
        return told if str(self.path) in told or str(self.name) in told else f"{self.name}: {told}"

    def problem(self) -> str:
        """Say why it cannot be read; empty where it can."""
        try:
            self.read()
        except ValueError as error:
            return self.about(error)
        return ""

    def _read_beside(self, name: str, wanted: Input) -> Any:
        files = self.files(name)
        if not files:
            expected = self.path.with_name(f"{self.stem}{wanted.medium.saved[0]}")
            missing = f"There is no {name} for {self.path} in {self.beside[name]}; name it {expected}."
            raise ValueError(self._refusal(name) or missing)
        values = tuple(map(wanted.medium.open, files))
        return values if wanted.many else values[0]

    def files(self, name: str) -> list[Path]:
        """Give the files of a further input, or the page that is named: all of many, else the one of the same stem."""
        if name not in self.listed:
            return [self.beside[name]]
        found = [file for file, refused in self._found(name) if not refused]
        return found if self.inputs[name].many else found[:1]

    def _found(self, name: str) -> list[tuple[Path, str]]:
        """Give what a folder holds of a further input for this item, and why a file of it is not to be opened."""
        listed = self.listed[name]
        if self.inputs[name].many:
            return list(chain.from_iterable(listed.values()))
        return list(listed.get(self.path.with_name(self.stem), ()))

    def _refusal(self, name: str) -> str:
        """Say why a file of a further input is not opened, or a folder that it lies in; empty where there is none."""
        above = (self.listed[name].get(folder, ()) for folder in self.path.parents)
        found = chain(self._found(name), *above)
        return next((f"{file} is not read: {reason}." for file, reason in found if reason), "")


def files_of(items: Sequence[Item]) -> dict[str, list[Path]]:
    """Give all files of items, by the name of the input; the first is called `inputs`."""
    found = {"inputs": [one.file for one in items]}
    for name in items[0].beside if items else ():
        found[name] = [file for one in items for file in one.files(name)]
    return found


def stamps_of(items: Sequence[Item]) -> dict[str, list[str]]:
    """Tell all files of items from what they were before and from others, by the name of the input."""
    named = {name: [(named_page(file)[0], file) for file in files] for name, files in files_of(items).items()}
    return {
        name: [
            file_stamp(one, str(asked.resolve() if one is file else one.resolve()))
            for file, asked in files
            for one in (sorted(file.iterdir()) if file.is_dir() else [file])
            if one.is_file()
        ]
        for name, files in named.items()
    }


def find_items(paths: Sequence[str | Path], inputs: Mapping[str, Input], given: Mapping[str, Any]) -> list[Item]:
    """Find the files of the first input among files, folders and patterns, each once.

    Args:
        given: the paths of further inputs, by name.

    Raises:
        ValueError: nothing is there; of clutter beside others nothing is said.
    """
    first = next(iter(inputs))
    if first in given:
        raise ValueError(f"{first} is what is named behind the model; name it once.")
    if odd := next((path for path in (*paths, *given.values()) if not isinstance(path, str | Path)), None):
        raise ValueError(f"An input is a path, not {type(odd).__name__}; name files, folders or patterns one by one.")
    paths = [path for path in paths if not is_clutter(Path(path).name)] or paths
    beside = {name: at_home(path) for name, path in given.items()}
    listed = {name: _listed(path, inputs[name].medium) for name, path in beside.items() if path.is_dir()}
    found: dict[tuple[Path, int | None], Item] = {}
    for asked in paths:
        named, page = named_page(at_home(asked))
        some = list(_matching(named, inputs[first].medium))
        if not some:
            noun = inputs[first].medium.noun
            raise ValueError(f"There is no {noun} at {asked}; give a {noun}'s file, a folder of some, or a pattern.")
        if page is not None:
            _check_page(named, page, inputs[first].medium)
        for file, inside, refused in some:
            result = inside if page is None else inside.with_name(f"{whole_stem(inside)}-{page}{whole_suffix(inside)}")
            found.setdefault((file, page), Item(file, result, beside, listed, inputs, refused, page))
    for name, path in beside.items():
        file, page = named_page(path)
        if not file.exists():
            raise ValueError(f"There is no {name} at {path}; give a file, or a folder with one for each.")
        if page is not None:
            _check_page(file, page, inputs[name].medium)
    return list(found.values())


def is_clutter(name: str) -> bool:
    """Tell what systems and editors put beside photographs by its name; a shell's `*` names it with them."""
    lower = name.lower()
    return lower in CLUTTER or lower.startswith("._") or lower.endswith(SIDECARS)


def _listed(folder: Path, medium: Medium) -> Listed:
    """List a folder once, however many items look into it."""
    found: dict[PurePosixPath, list[tuple[Path, str]]] = {}
    for file, inside, refused in _matching(folder, medium):
        stem = inside.name.removesuffix(_ending(file, inside))
        found.setdefault(inside.with_name(stem), []).append((file, refused))
    return found


def _ending(file: Path, named: PurePosixPath) -> str:
    """Give the whole ending of what a file is called; a folder has none, whatever dots its name has."""
    return "" if file.is_dir() else whole_suffix(named)


def _check_page(file: Path, page: int, medium: Medium) -> None:
    """Refuse a page that is not there before anything is made of others."""
    try:
        medium.read_page(read_file(file, medium.check_beginning), page)
    except Exception as error:  # A broken file makes decoders raise anything.
        if is_defect(error):
            raise
        raise ValueError(f"{file}#{page} cannot be read: {str(error) or type(error).__name__}.") from None


def _matching(asked: str | Path, medium: Medium) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """Find files, their paths among the results, and why one is not to be opened.

    Those in folders and of patterns are found by their ending; one that is named is taken whatever it is called.
    """
    path = at_home(asked)
    if path.is_dir():
        there = contents(path)
        series = medium.series(there.files)
        frames = set(chain.from_iterable(series.values()))
        yield from _folders(path, sorted(series))
        named = [*((file, "") for file in there.files if file not in frames), *there.left_out]
        for inside, reason in sorted(named, key=lambda one: PurePosixPath(one[0])):
            ending = file_ending(inside)
            refused = reason or medium.foreign.get(ending, "")
            if ending in medium.endings or (refused and (ending in medium.foreign or inside.endswith("/"))):
                yield path / inside, PurePosixPath(inside), refused
    elif path.is_file():
        yield path, PurePosixPath(path.name), ""
    elif path.exists():
        raise ValueError(f"{path} is not read: {SPECIAL}.")
    elif str(asked).strip():
        home = Path(path.anchor or ".")
        for match in sorted(home.glob(str(path.relative_to(path.anchor)))):
            if _is_one(match, medium):
                yield match, PurePosixPath(match.name), ""


def _folders(path: Path, found: Sequence[str]) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """Give the folders whose files are one value each."""
    for inside in found:
        folder = path / inside
        refused = "" if folder.is_dir() else SEVERAL_SERIES
        yield folder, PurePosixPath(inside or path.resolve().name), refused


def _is_one(file: Path, medium: Medium) -> bool:
    return file_ending(file) in medium.endings and not is_clutter(file.name) and file.is_file()
