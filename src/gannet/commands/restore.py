"""Improving: photographs through a model that makes better ones of them, one by one, to where they are wanted."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from glob import escape as glob_escape
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import torch
from PIL import Image

from gannet import __version__
from gannet.data.records import file_stamp
from gannet.data.sources.layout import is_hidden
from gannet.media.grids import panels, side_by_side
from gannet.media.photograph import LOSSY, SAVED, Photograph, check_size, read_photograph
from gannet.media.pixels import is_picture
from gannet.pipelines.hub import load
from gannet.pipelines.writer import FORMATS, Entry, Order, deliver
from gannet.provenance.metadata import check_format, save_picture
from gannet.runtime.devices import choose_device
from gannet.runtime.files import digest, write_bytes
from gannet.tasks._image_restoration.pipeline import PhotographPipeline

SHOWN = 8


@dataclass(frozen=True)
class Photographs:
    """What is asked of a model that makes better photographs.

    Attributes:
        inputs: files, folders with pictures however deep, and patterns such as `scans/*.jpg`.
        strength: 0 is true to pixels, 1 what the model makes; None leaves the model as it is.
        compare: where to put a picture of some photographs before and after; empty: nowhere.
        mask: for models that fill what is lost: a picture that is light there, or a folder with one of the same name
            (whatever its ending) for each photograph.
        say: is told how far it is.
    """

    inputs: tuple[str | Path, ...]
    strength: float | None = None
    compare: str | Path = ""
    mask: str | Path = ""
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Given:
    """A file that is to be improved, and its path in a folder of results.

    Attributes:
        spared: whether parts of it come back bit for bit, which a format that loses a little would spoil.
    """

    file: Path
    path: PurePosixPath
    spared: bool = False

    @property
    def ending(self) -> str:
        """The ending of the result: the file's own where photographs can be saved so, and are worth it."""
        own = self.file.suffix.lower()
        return self.file.suffix if own in SAVED and not (self.spared and own in LOSSY) else ".png"

    @property
    def result(self) -> PurePosixPath:
        """The path of its result in a folder of results."""
        return self.path if self.path.suffix == self.ending else self.path.with_name(f"{self.path.name}.png")


def improve(target: str | Path, out: Path | None, asked: Photographs, weights: str) -> dict[str, Any]:
    """Make photographs better; see `gannet.api.apply`.

    Raises:
        ValueError: nothing is there to improve, or what was asked cannot be had; one sentence.
    """
    if asked.compare:
        check_format(Path(asked.compare))
        _check_place(Path(asked.compare))
    found = list(find_photographs(asked.inputs))
    pipeline = _pipeline(target, asked.strength, weights)
    given = [replace(one, spared=pipeline.sparing) for one in found]
    pipeline.accept(bool(asked.mask))
    facts: dict[str, Any] = {"model": pipeline.name, "weights": weights}
    facts |= {} if asked.strength is None else {"strength": asked.strength}
    single = len(given) == 1 and Path(asked.inputs[0]).is_file()
    path = out or _usual_name(pipeline, given, single)
    _check_place(path)
    if asked.compare and Path(asked.compare).resolve() == path.resolve():
        raise ValueError(f"--out and --compare are both {path}; choose two names.")
    if single and path.suffix.lower() in SAVED:
        work = Work(pipeline, asked, facts, given)
        content = work.make(given[0], path.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    else:
        work = Work(pipeline, asked, facts, [one for one in given if not _made_there(one.file, path)])
        work.deliver(path)
    if asked.compare:
        save_picture(side_by_side(work.shown()), Path(asked.compare), facts)
    return {**facts, "out": str(path), "photographs": len(work.given), "left_out": list(work.left_out.values())}


def _check_place(path: Path) -> None:
    """Refuse a place that is taken or cannot be written, before there is work to lose."""
    if path.exists():
        raise ValueError(f"{path} exists; choose another name or remove it first.")
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise ValueError(f"{path} cannot be written, for {above} takes no files; choose another place.")


def _made_there(file: Path, out: Path) -> bool:
    """Whether a file is a result, whole or in the making, that was found because it lies within what is given."""
    whole = out.resolve()
    return any(file.resolve().is_relative_to(place) for place in (whole, whole.parent / f"{whole.name}.partial"))


@dataclass(frozen=True)
class Masks:
    """The mask of each photograph: one for all, or a folder with one of the same name for each; empty: none."""

    path: str | Path

    def read(self, given: Given) -> Photograph | None:
        """The mask that belongs to a photograph, where masks are given."""
        file = self.file(given)
        if file is None and self.path:
            wanted = given.path.with_suffix(".png")
            raise ValueError(f"There is no mask for {given.path} in {self.path}; name it {wanted}.")
        return None if file is None else read_photograph(file)

    def file(self, given: Given) -> Path | None:
        """The file of that mask, where there is one."""
        if not self.path:
            return None
        path = Path(self.path)
        if not path.is_dir():
            return path
        wanted = given.path.with_suffix("")
        beside = sorted(path.glob(f"{glob_escape(str(wanted))}.*"))
        return next((file for file in beside if is_picture(file.name) and file.stem == wanted.name), None)


class Work:
    """Photographs through a model, one by one."""

    def __init__(
        self, pipeline: PhotographPipeline, asked: Photographs, facts: dict[str, Any], given: list[Given]
    ) -> None:
        self.pipeline, self.asked, self.facts, self.given = pipeline, asked, facts, given
        self.masks, self.done, self.left_out = Masks(asked.mask), 0, dict[PurePosixPath, str]()
        self.pairs: dict[PurePosixPath, tuple[Image.Image, Image.Image]] = {}

    def deliver(self, path: Path) -> None:
        """Make all of them, into a folder or a .zip."""
        if not self.given:
            raise ValueError(f"All that was given lies in {path}, where results go; choose another place for them.")
        if path.suffix.lower() not in FORMATS or path.suffix.lower() == ".parquet":
            raise ValueError(
                f"{path.name}: photographs go to a folder or a .zip, one alone also to a file ({', '.join(SAVED)}); "
                "name one of these."
            )
        self._refuse_twins()
        deliver(path, Order(self._order(), [partial(self.part, one) for one in self.given]))
        self._tell_of_earlier(path)

    def _refuse_twins(self) -> None:
        first: dict[str, Given] = {}
        for one in self.given:
            other = first.setdefault(str(one.result), one)
            if other is not one:
                raise ValueError(
                    f"{other.file} and {one.file} would both become {one.result}; give them one after the other, or "
                    "rename one."
                )

    def _order(self) -> dict[str, Any]:
        """What tells this delivery from any other: the model, and each file as it is now."""
        masks = [mask for one in self.given if (mask := self.masks.file(one))]
        stamps = {
            name: [file_stamp(file, str(file.resolve())) for file in files if file.is_file()]
            for name, files in (("inputs", [one.file for one in self.given]), ("masks", masks))
        }
        return {**self.facts, **stamps, "digest": digest(self.pipeline.tensors(), {}), "gannet": __version__}

    def _tell_of_earlier(self, path: Path) -> None:
        """Name also what was left out before the delivery was broken off; nothing at all is no delivery."""
        if path.is_dir():
            made = {file.relative_to(path).as_posix() for file in path.rglob("*")}
        else:
            with ZipFile(path) as archive:
                made = set(archive.namelist())
        for one in self.given:
            if str(one.result) not in made:
                self.left_out.setdefault(one.result, f"{one.file} was left out before.")
        if len(self.left_out) == len(self.given):
            _remove(path)
            first, others = next(iter(self.left_out.values())), len(self.given) - 1
            raise ValueError(f"{first} So it is with the other {others:,}; nothing was made." if others else first)

    def shown(self) -> list[tuple[Image.Image, Image.Image]]:
        """The first photographs before and after; what an earlier call made is made once more."""
        for one in self.given[:SHOWN]:
            if one.result not in self.pairs and one.result not in self.left_out:
                self.make(one, one.ending)
        return list(self.pairs.values())[:SHOWN]

    def make(self, given: Given, ending: str) -> bytes:
        """The file of what becomes of a photograph."""
        start = time.monotonic()
        before = read_photograph(given.file)
        check_size(ending, *map(self.pipeline.enlarged, before.values.shape[:2]))
        after = self.pipeline.improve(before, self.masks.read(given))
        content = after.encode(ending, {**self.facts, "source": given.file.name})
        self.done += 1
        if self.asked.compare and len(self.pairs) < SHOWN:
            self.pairs[given.result] = panels(before.shown().convert("RGB"), after.shown().convert("RGB"))
        (height, width), (large, wide) = before.values.shape[:2], after.values.shape[:2]
        seconds = time.monotonic() - start
        became = "as it was" if after is before else f"{width}x{height} to {wide}x{large}"
        self.asked.say(f"{self.done:,} of {len(self.given):,}: {given.file} ({became}, {seconds:.1f} s)")
        return content

    def part(self, given: Given) -> list[Entry]:
        """The same as a part of a delivery; what cannot be read is left out."""
        try:
            return [Entry(str(given.result), self.make(given, given.ending))]
        except ValueError as error:
            told = str(error) if str(given.path) in str(error) else f"{given.file}: {error}"
            self.left_out[given.result] = told
            self.asked.say(f"Left out: {told}")
            return []


def _remove(path: Path) -> None:
    """Take away a delivery that holds no picture."""
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()


def find_photographs(inputs: Sequence[str | Path]) -> Iterator[Given]:
    """The pictures among files, folders and patterns, each once.

    Raises:
        ValueError: nothing is there.
    """
    if not inputs:
        raise ValueError("This model makes better photographs of given ones; name files, folders or patterns.")
    seen = set[Path]()
    for asked in inputs:
        found = list(_matching(asked))
        if not found:
            raise ValueError(f"There is no picture at {asked}; give a picture's file, a folder of some, or a pattern.")
        for given in found:
            if given.file not in seen:
                seen.add(given.file)
                yield given


def _matching(asked: str | Path) -> Iterator[Given]:
    path = Path(asked).expanduser()
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path)
            if is_picture(file.name) and file.is_file() and not any(is_hidden(part) for part in inside.parts):
                yield Given(file, PurePosixPath(inside.as_posix()))
    elif path.is_file():
        yield Given(path, PurePosixPath(path.name))
    else:
        home = Path(path.anchor or ".")
        for match in sorted(home.glob(str(path.relative_to(path.anchor)))) if str(asked).strip() else ():
            if match.is_file() and is_picture(match.name):
                yield Given(match, PurePosixPath(match.name))


def _pipeline(target: str | Path, strength: float | None, weights: str) -> PhotographPipeline:
    """The model, blended with its first stage where that is asked, on the device."""
    pipeline = load(target, weights)
    if not isinstance(pipeline, PhotographPipeline):
        raise ValueError(
            f"{target} is a model for {pipeline.task}, which takes no photographs here; where it draws, leave them "
            "out, else use it in Python, with gannet.load."
        )
    if strength is not None:
        pipeline = pipeline.blended(strength)
    device = torch.device(choose_device("auto"))
    for network in pipeline.networks.values():
        network.to(device)
    return pipeline


def _usual_name(pipeline: PhotographPipeline, given: Sequence[Given], single: bool) -> Path:
    first = given[0]
    return Path(f"{first.file.stem}-{pipeline.task}{first.ending}" if single else f"{pipeline.task}-photographs")
