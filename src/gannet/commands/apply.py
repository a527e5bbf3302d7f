"""Applying: what a model makes, from nothing or of given files, streamed to where it is wanted."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any, cast
from zipfile import ZipFile

from PIL import Image
from torch import distributed

from gannet import __version__
from gannet.commands.inputs import Item, files_of, find_items
from gannet.data.records import file_stamp
from gannet.media.grids import panels, side_by_side
from gannet.pipelines.hub import load, untrained
from gannet.pipelines.pipeline import ConverterPipeline, GeneratorPipeline
from gannet.pipelines.samples import check_many_files, check_one_file, write_new
from gannet.pipelines.writer import FORMATS, Entry, Order, Share, deliver, tidy
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, check_format, save_picture
from gannet.runtime.devices import choose_device, is_first, join, processes
from gannet.runtime.files import check_free, digest
from gannet.runtime.names import format_ending, shortened
from gannet.runtime.progress import Progress, Watch
from gannet.schema import Section

SHOWN = 8
"""Pairs on a sheet of comparison, at most."""


@dataclass(frozen=True)
class Applied:
    """What came of applying a model.

    Attributes:
        out: where the results are.
        facts: what their metadata say.
        count: how many results there are; of what was made from nothing how many samples.
        left_out: why, of each input that nothing was made of; then what was not used of the others.
        notices: what of a file was not kept, by its name.
        further: the names of the outputs that each result has beside the first.
        beside: the files outside `out`: those outputs of a single result, and the picture of inputs before and after.
    """

    out: Path
    facts: Mapping[str, Any]
    count: int
    left_out: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    beside: tuple[Path, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        some = {"notices": list(self.notices), "beside": [str(path) for path in self.beside]}
        also = {name: told for name, told in some.items() if told}
        return {"out": str(self.out), **self.facts, "count": self.count, "left_out": list(self.left_out), **also}

    def lines(self) -> list[str]:
        """Say it in words."""
        saved = str(self.out)
        if saved_each := format_ending(self.out) in FORMATS:
            saved = f"{self.count:,} result{'s' * (self.count != 1)} in {saved}"
        if saved_each and self.further:
            saved += f", each with its {' and '.join(f'{name} (*.{name}.*)' for name in self.further)} beside it"
        left = [f"Left out: {words}" for words in self.left_out]
        return [f"Saved {saved}.", *(f"Saved {path}." for path in self.beside), *left, *self.notices]


@dataclass(frozen=True)
class Wanted:
    """Where results go.

    Attributes:
        out: a file, a folder, or a .zip or .parquet; empty: a name made of the input's.
        save: further outputs, by name, that are written beside the first.
        compare: a picture's name for some inputs before and after; empty: none.
        watch: is told how far it is, and asked whether to leave.
    """

    out: str = ""
    save: tuple[str, ...] = ()
    compare: str = ""
    watch: Watch = field(default_factory=Watch)


def apply_model(
    target: str | Path, inputs: Sequence[str | Path], given: Mapping[str, Any], wanted: Wanted, weights: str = "model"
) -> Applied:
    """Apply a model; see `gannet.api.apply`."""
    if wanted.compare:
        check_format(Path(wanted.compare))
        _check_place(Path(wanted.compare))
    given = {name: value for name, value in given.items() if value is not None and value != ""}
    # What is wrong is told by the config alone, before weights are fetched and read.
    pipeline, loaded = untrained(target), partial(load, target, weights)
    asked = {name: value for name, value in given.items() if name not in pipeline.inputs}
    options = pipeline.options(asked)
    if not pipeline.inputs:
        if inputs or wanted.save or wanted.compare:
            raise ValueError(
                f"{target} is a model for {pipeline.task}, which makes samples from nothing and takes no "
                "files: leave out all but its options."
            )
        path = _place_of_samples(cast(GeneratorPipeline, pipeline), options, wanted.out)
        return _draw(cast(GeneratorPipeline, loaded()), options, path, wanted.watch)
    if not inputs:
        what = next(iter(pipeline.inputs.values())).medium.plural
        raise ValueError(f"{target} is a model for {pipeline.task}: name the {what} to use it on.")
    items = find_items(inputs, pipeline.inputs, {name: given[name] for name in given if name in pipeline.inputs})
    converter = cast(ConverterPipeline, pipeline)
    converter.check_given({next(iter(pipeline.inputs)), *(name for name in given)})
    for name in wanted.save:
        if name not in pipeline.outputs:
            more = ", ".join(list(pipeline.outputs)[1:]) or "none"
            raise ValueError(f"A model for {pipeline.task} has no further output {name!r} to save; it has: {more}.")
    work = Work(converter, cast(Callable[[], ConverterPipeline], loaded), options, wanted, items)
    return _convert(work, Path(str(inputs[0])))


def _place_of_samples(pipeline: GeneratorPipeline, options: Section, out: str) -> Path:
    """Choose where samples go; ValueError where they cannot."""
    animated, medium = pipeline.animated(options), next(iter(pipeline.outputs.values()))
    path = Path(out or ("samples.gif" if animated else "samples.png"))
    if animated or format_ending(path, medium.saved) not in FORMATS:
        check_one_file(path, medium, int(getattr(options, "num", 1)), animated)
    else:
        check_many_files(path, medium)
    if is_first():
        _check_place(path)
    return path


def _draw(pipeline: GeneratorPipeline, options: Section, path: Path, watch: Watch) -> Applied:
    """Draw samples: to one file as a sheet or a film, or to a file each."""
    saved = next(iter(pipeline.outputs.values())).saved
    one_file = pipeline.animated(options) or format_ending(path, saved) not in FORMATS
    told_by = digest(pipeline.tensors(), {})
    join()
    pipeline.to(choose_device("auto"))
    facts = pipeline.facts(options)
    if not one_file:
        # Another version may cut parts otherwise, another device rounds otherwise: neither goes on with this beginning.
        where = {"gannet": __version__, "device": pipeline.device.type}
        asked = {"options": options.model_dump(mode="json"), "weights": told_by, **where}
        pipeline.batches(options).deliver(path, asked, _share(), watch)
    elif is_first():
        pipeline.draw(options).save(path)
    return Applied(path, facts, int(getattr(options, "num", 1)))


def _share() -> Share:
    """Give the share of this process among those that torchrun started."""
    if processes() == 1:
        return Share()
    return Share(int(os.environ["RANK"]), processes(), distributed.barrier)


def _convert(work: "Work", first: Path) -> Applied:
    """Make something of files: of one to a file, of several to a folder or a .zip."""
    pipeline, wanted = work.pipeline, work.wanted
    single = len(work.items) == 1 and (first.is_file() or work.items[0].page is not None)
    path = Path(wanted.out) if wanted.out else work.usual_name(single)
    _check_place(path)
    saved = next(iter(pipeline.outputs.values())).saved
    one_file = single and path.suffix.lower() in saved
    places = work.places(path) if one_file else {"": path}
    beside = list(places.values())[1:]
    for further in beside:
        _check_place(further)
    if wanted.compare and Path(wanted.compare).resolve() in {place.resolve() for place in places.values()}:
        raise ValueError(f"--out and --compare are both {wanted.compare}; choose two names.")
    if one_file:
        for name, content in work.make(work.items[0], path.suffix).items():
            write_new(places[name], content)
    else:
        work.items = [one for one in work.items if one.refused or not _made_there(one.file, path)]
        work.deliver(path)
    if wanted.compare:
        sheet = side_by_side(work.shown())
        save_picture(sheet, Path(wanted.compare), {SOURCE_TYPE: COMPOSITE, **work.facts} if work.changed else {})
        beside.append(Path(wanted.compare))
    count, left_out = len(work.items) - len(work.left_out), (*work.left_out.values(), *work.unused)
    return Applied(path, work.facts, count, left_out, tuple(work.notices), wanted.save, tuple(beside))


def _check_place(path: Path) -> None:
    """Refuse a place that is taken or cannot be written, before there is work to lose."""
    tidy(path)
    check_free(path)
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise ValueError(f"{path} cannot be written, for {above} takes no files; choose another place.")


def _made_there(file: Path, out: Path) -> bool:
    """Tell whether a file is a result, whole or in the making, that was found because it lies within what is given."""
    whole = out.resolve()
    return any(file.resolve().is_relative_to(place) for place in (whole, whole.parent / f"{whole.name}.partial"))


class Work:
    """Files through a model, one by one.

    Args:
        pipeline: what tells of the model, without its weights.
        loaded: gives the model; called once, when all that may be wrong without it is known to be right.
    """

    def __init__(
        self,
        pipeline: ConverterPipeline,
        loaded: Callable[[], ConverterPipeline],
        options: Section,
        wanted: Wanted,
        items: list[Item],
    ) -> None:
        self.pipeline, self.loaded, self.options, self.wanted, self.items = pipeline, loaded, options, wanted, items
        self.changed = False
        self.done, self.left_out = 0, dict[PurePosixPath, str]()
        self.notices, self.unused = list[str](), list[str]()
        self._endings: dict[Path, str] = {}
        self.pairs: dict[PurePosixPath, tuple[Image.Image, Image.Image]] = {}

    @cached_property
    def ready(self) -> ConverterPipeline:
        """The model with its weights, as the options ask for it."""
        return self.loaded().tuned(self.options).to(choose_device("auto"))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the metadata of results say."""
        return self.ready.facts(self.options)

    def usual_name(self, single: bool) -> Path:
        """Name the results after the input, or after what was done to several."""
        task, first = self.pipeline.task, self.items[0]
        if not single:
            return Path(f"{task}-{self._first_input.medium.plural.replace(' ', '-')}")
        return Path(shortened(first.path.stem, f"-{task}{self._ending(first)}"))

    @property
    def _first_input(self) -> Any:
        return next(iter(self.pipeline.inputs.values()))

    def _ending(self, item: Item) -> str:
        """Choose the ending of a result, once: it depends on what is in the file, where that may be opened."""
        if item.file not in self._endings:
            own = item.path.suffix if item.refused else self._first_input.medium.ending(item.file)
            self._endings[item.file] = self.pipeline.ending(own)
        return self._endings[item.file]

    def result(self, item: Item) -> PurePosixPath:
        """Give the path of a result in a folder of results: the input's, with an ending of its own where it must."""
        ending, own = self._ending(item), item.path.suffix
        same_kind = self._first_input.medium is next(iter(self.pipeline.outputs.values()))
        stem = item.path.name if same_kind and ending != own else item.path.stem
        return PurePosixPath(*map(shortened, item.path.parent.parts), shortened(stem, ending))

    def places(self, result: Path) -> dict[str, Path]:
        """Give where outputs go, by name; the first has none."""
        endings = {name: self.pipeline.outputs[name].saved[0] for name in self.wanted.save}
        beside = {
            name: result.with_name(shortened(result.stem, f".{name}{ending}")) for name, ending in endings.items()
        }
        return {"": result, **beside}

    def deliver(self, path: Path) -> None:
        """Make all of them, into a folder or a .zip."""
        if not self.items:
            raise ValueError(f"All that was given lies in {path}, where results go; choose another place for them.")
        made = next(iter(self.pipeline.outputs.values()))
        if format_ending(path, made.saved) not in FORMATS or format_ending(path) == ".parquet":
            raise ValueError(
                f"{path.name}: {made.plural} go to a folder or a .zip, one alone also to a file "
                f"({', '.join(made.saved)}); name one of these."
            )
        self._refuse_twins()
        deliver(path, Order(self._order(), [partial(self.part, one) for one in self.items]))
        self._tell_of_earlier(path)

    def _refuse_twins(self) -> None:
        first: dict[str, Item] = {}
        for one in self.items:
            for made in self.places(Path(self.result(one))).values():
                other = first.setdefault(made.as_posix(), one)
                if other is not one:
                    raise ValueError(
                        f"{other.name} and {one.name} would both become {made.as_posix()}; give them one after the "
                        "other, or rename one."
                    )

    def _order(self) -> dict[str, Any]:
        """Tell this delivery from any other: the model, what is asked of it, and each file as it is now."""
        stamps = {
            name: [file_stamp(file, str(file.resolve())) for file in files if file.is_file()]
            for name, files in files_of(self.items).items()
        }
        asked = {"options": self.options.model_dump(mode="json"), "save": list(self.wanted.save)}
        weights = digest(self.ready.tensors(), {})
        pages = {"pages": [one.page for one in self.items]} if any(one.page is not None for one in self.items) else {}
        return {**self.facts, **asked, **stamps, **pages, "digest": weights, "gannet": __version__}

    def _tell_of_earlier(self, path: Path) -> None:
        """Name also what was left out before the delivery was broken off; nothing at all is no delivery."""
        if path.is_dir():
            made = {file.relative_to(path).as_posix() for file in path.rglob("*")}
        else:
            with ZipFile(path) as archive:
                made = set(archive.namelist())
        for one in self.items:
            if str(self.result(one)) not in made:
                self.left_out.setdefault(self.result(one), f"{one.name} was left out before.")
            elif self.done < len(self.items):  # It may have been made before.
                self._note_unused(one)
        if len(self.left_out) == len(self.items):
            _remove(path)
            first, others = next(iter(self.left_out.values())), len(self.items) - 1
            raise ValueError(f"{first} So it is with the other {others:,}; nothing was made." if others else first)

    def shown(self) -> list[tuple[Image.Image, Image.Image]]:
        """Give the first inputs before and after; what an earlier call made is made once more."""
        for one in self.items[:SHOWN]:
            if self.result(one) not in self.pairs and self.result(one) not in self.left_out:
                self.make(one, self.result(one).suffix)
        return list(self.pairs.values())[:SHOWN]

    def make(self, item: Item, ending: str) -> dict[str, bytes]:
        """Make files of an item, by the name of the output; the first, of that ending, has none."""
        start, pipeline = time.monotonic(), self.pipeline
        values = item.read()
        pipeline.check_result(values, ending)
        self._note_unused(item)
        made = self.ready.make(values, self.options)
        self._note(self.notices, item.name, *made.notices())
        more = {"source": item.name.name}
        contents = {"": made.encode(ending, more=more)}
        for name in self.wanted.save:
            contents[name] = made.encode(made.media[name].saved[0], name, more)
        self.done += 1
        self.changed = self.changed or made.value is not next(iter(values.values()))
        before, after = next(iter(values.values())), made.value
        sizes = [
            medium.size(value)
            for medium, value in ((self._first_input.medium, before), (next(iter(made.media.values())), after))
        ]
        if self.wanted.compare and len(self.pairs) < SHOWN:
            seen = self._first_input.medium.picture(before), next(iter(made.media.values())).picture(after)
            self.pairs[self.result(item)] = panels(*seen)
        became = "as it was" if after is before else " to ".join("x".join(map(str, size)) for size in sizes if size)
        seconds = f"{time.monotonic() - start:.1f} s"
        told = ", ".join([became, seconds] if became else [seconds])
        self.wanted.watch.show(Progress(self.done, len(self.items)), f"{item.name} ({told})")
        return contents

    def _note_unused(self, item: Item) -> None:
        """Note what the files of an item hold beside what is used of them."""
        for name, files in files_of([item]).items():
            further = name in item.beside
            medium = self.pipeline.inputs[name].medium if further else self._first_input.medium
            for file in files if further or item.page is None else ():
                self._note(self.unused, file, medium.unused(file))

    def _note(self, notes: list[str], file: Path, *found: str) -> None:
        """Note something of a file, once: it is seen in passing, and stays in what is told in the end."""
        for told in (f"{file}: {words}." for words in found if words):
            if told not in notes:
                notes.append(told)
                self.wanted.watch.show(Progress(self.done, len(self.items)), told)

    def part(self, item: Item) -> list[Entry]:
        """Make the same as a part of a delivery; what cannot be read is left out."""
        result, watch = self.result(item), self.wanted.watch
        watch.step(self.done, len(self.items), f"Applying the model to {item.name}")
        try:
            contents = self.make(item, result.suffix)
        except ValueError as error:
            told = str(error)
            told = told if str(item.path) in told or str(item.name) in told else f"{item.name}: {error}"
            self.left_out[result] = told
            self.done += 1
            watch.show(Progress(self.done, len(self.items)), f"Left out: {told}")
            return []
        places = self.places(Path(result))
        if not all(place.stem.startswith(item.path.stem) for place in places.values()):
            renamed = f"its name cannot be kept as it is, so what was made of it is called {result.name}"
            self._note(self.notices, item.name, renamed)
        return [Entry(place.as_posix(), contents[name]) for name, place in places.items()]


def _remove(path: Path) -> None:
    """Take away a delivery that holds nothing."""
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
