"""Improving: photographs through a model that makes better ones of them, one by one, to where they are wanted."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from glob import escape as glob_escape
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from PIL import Image

from gannet import __version__
from gannet.data.layout import is_hidden, is_picture
from gannet.delivery import FORMATS, Entry, Order, deliver
from gannet.launch import choose_device
from gannet.loading import load
from gannet.photographs import SAVED, Photograph, read_photograph
from gannet.provenance import check_format, save_picture
from gannet.sheets import side_by_side
from gannet.storage import digest, write_bytes
from gannet.tasks._photographs.pipeline import PhotographPipeline

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
    """A file that is to be improved, and its path in a folder of results."""

    file: Path
    path: PurePosixPath

    def ending(self) -> str:
        """The ending of the result: the file's own where photographs can be saved so."""
        return self.file.suffix if self.file.suffix.lower() in SAVED else ".png"


def improve(target: str | Path, out: Path | None, asked: Photographs, weights: str) -> dict[str, Any]:
    """Make photographs better; see `gannet.api.apply`.

    Raises:
        ValueError: nothing is there to improve, or what was asked cannot be had; one sentence.
    """
    if asked.compare:
        check_format(Path(asked.compare))
        if Path(asked.compare).exists():
            raise ValueError(f"{asked.compare} exists; choose another name or remove it first.")
    given = list(find_photographs(asked.inputs))
    pipeline = _pipeline(target, asked.strength, weights)
    facts: dict[str, Any] = {"model": pipeline.name, "weights": weights}
    facts |= {} if asked.strength is None else {"strength": asked.strength}
    single = len(given) == 1 and Path(asked.inputs[0]).is_file()
    path = out or _usual_name(pipeline, given, single)
    work = Work(pipeline, asked, facts, len(given))
    if single and path.suffix.lower() in SAVED:
        if path.exists():
            raise ValueError(f"{path} exists; choose another name or remove it first.")
        content = work.make(given[0], path.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    elif path.suffix.lower() not in FORMATS or path.suffix.lower() == ".parquet":
        raise ValueError(f"{path.name}: {len(given):,} photographs go to a folder or a .zip; name one.")
    else:
        names = [str(one.file.resolve()) for one in given]
        told_by = digest(pipeline.tensors(), {})
        order = {**facts, "inputs": names, "mask": str(asked.mask), "weights": told_by, "gannet": __version__}
        deliver(path, Order(order, [partial(work.part, one) for one in given]))
    if asked.compare:
        work.compare(given, Path(asked.compare))
    return {**facts, "out": str(path), "photographs": len(given), "left_out": work.left_out}


class Work:
    """Photographs through a model, one by one."""

    def __init__(self, pipeline: PhotographPipeline, asked: Photographs, facts: dict[str, Any], count: int) -> None:
        self.pipeline, self.asked, self.facts, self.count = pipeline, asked, facts, count
        self.done, self.left_out = 0, list[str]()

    def make(self, given: Given, ending: str) -> bytes:
        """The file of what becomes of a photograph."""
        start = time.monotonic()
        before = read_photograph(given.file)
        after = self.pipeline.improve(before, self.mask(given))
        content = after.encode(ending, {**self.facts, "source": given.file.name})
        self.done += 1
        (height, width), (large, wide) = before.values.shape[:2], after.values.shape[:2]
        seconds = time.monotonic() - start
        self.asked.say(
            f"{self.done:,} of {self.count:,}: {given.file} ({width}x{height} to {wide}x{large}, {seconds:.1f} s)"
        )
        return content

    def mask(self, given: Given) -> Photograph | None:
        """The mask that belongs to a photograph, where masks are given."""
        if not self.asked.mask:
            return None
        path = Path(self.asked.mask)
        if path.is_dir():
            wanted = given.path.with_suffix("")
            found = [file for file in path.glob(f"{glob_escape(str(wanted))}.*") if is_picture(file.name)]
            if not found:
                raise ValueError(f"There is no mask for {given.path} in {path}; name it {wanted}.png.")
            path = found[0]
        return read_photograph(path)

    def part(self, given: Given) -> list[Entry]:
        """The same as a part of a delivery; what cannot be read is left out."""
        path = given.path if given.path.suffix == given.ending() else given.path.with_name(given.path.name + ".png")
        try:
            return [Entry(str(path), self.make(given, given.ending()))]
        except ValueError as error:
            self.left_out.append(str(error))
            self.asked.say(f"Left out: {error}")
            return []

    def compare(self, given: Sequence[Given], path: Path) -> None:
        """A picture of some photographs before and after."""
        pairs: list[tuple[Image.Image, Image.Image]] = []
        for one in given[:SHOWN]:
            try:
                before = read_photograph(one.file)
            except ValueError:
                continue
            pairs.append(
                (
                    before.picture().convert("RGB"),
                    self.pipeline.improve(before, self.mask(one)).picture().convert("RGB"),
                )
            )
        save_picture(side_by_side(pairs), path, self.facts)


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
        raise ValueError(f"{target} is a model for {pipeline.task}, which takes no photographs; leave them out.")
    if strength is not None:
        pipeline = pipeline.blended(strength)
    device = torch.device(choose_device("auto"))
    for network in pipeline.networks.values():
        network.to(device)
    return pipeline


def _usual_name(pipeline: PhotographPipeline, given: Sequence[Given], single: bool) -> Path:
    first = given[0]
    return Path(f"{first.file.stem}-{pipeline.task}{first.ending()}" if single else f"{pipeline.task}-photographs")
