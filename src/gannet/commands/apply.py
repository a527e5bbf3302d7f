"""Applying: what a model makes, from nothing or of given files, streamed to where it is wanted."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from torch import distributed

from gannet import __version__
from gannet.commands.applied import Applied, Wanted
from gannet.commands.conversion import Conversion
from gannet.commands.delivery import deliver_all, order_of
from gannet.commands.inputs import find_items
from gannet.commands.options import ResultOptions
from gannet.media import photograph
from gannet.media.grids import side_by_side
from gannet.media.photograph import BY_QUALITY
from gannet.pipelines.hub import load, untrained
from gannet.pipelines.manifest import MANIFEST, is_filled
from gannet.pipelines.packing import FORMATS
from gannet.pipelines.pipeline import ConverterPipeline, GeneratorPipeline, Pipeline
from gannet.pipelines.sample_places import beside_samples, check_many_files, check_one_file
from gannet.pipelines.samples import write_new
from gannet.pipelines.writer import Share, tidy
from gannet.provenance.formats import PHOTOGRAPHS
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, check_format, save_picture
from gannet.runtime.devices import choose_device, is_first, join, processes
from gannet.runtime.files import check_free, digest
from gannet.runtime.names import at_home, file_ending, format_ending, whole_suffix
from gannet.runtime.steps import KeptSteps
from gannet.schema import Section


def apply_model(
    target: str | Path, inputs: Sequence[str | Path], given: Mapping[str, Any], wanted: Wanted, weights: str = "model"
) -> Applied:
    """Apply a model; see `gannet.api.apply`."""
    if wanted.compare:
        check_format(Path(wanted.compare))
        check_place(Path(wanted.compare))
    given = {name: value for name, value in given.items() if value is not None and value != ""}
    # What is wrong is told by the config alone, before weights are fetched and read.
    pipeline, loaded = untrained(target), partial(load, target, weights)
    if next(iter(pipeline.outputs.values())) is photograph.medium:
        asked = {name: given.pop(name) for name in ResultOptions.model_fields if name in given}
        wanted = replace(wanted, files=ResultOptions(**asked))
    asked = {name: value for name, value in given.items() if name not in pipeline.inputs}
    options = pipeline.options(asked)
    wanted = replace(wanted, save=tuple(dict.fromkeys((*wanted.save, *pipeline.always))))
    if not pipeline.inputs:
        if inputs or wanted.compare or (wanted.save and len(pipeline.outputs) < 2):
            raise ValueError(
                f"{target} is a model for {pipeline.task}, which makes samples from nothing and takes no "
                "files: leave out all but its options."
            )
        _check_saved(pipeline, wanted.save)
        path, beside = _places_of_samples(cast(GeneratorPipeline, pipeline), options, wanted)
        made = _draw(cast(GeneratorPipeline, loaded()), options, path, wanted)
        return replace(made, further=wanted.save, beside=beside)
    if not inputs:
        what = next(iter(pipeline.inputs.values())).medium.plural
        raise ValueError(f"{target} is a model for {pipeline.task}: name the {what} to use it on.")
    items = find_items(inputs, pipeline.inputs, {name: given[name] for name in given if name in pipeline.inputs})
    converter = cast(ConverterPipeline, pipeline)
    converter.check_given({next(iter(pipeline.inputs)), *(name for name in given)})
    _check_saved(pipeline, wanted.save)
    work = Conversion(converter, cast(Callable[[], ConverterPipeline], loaded), options, wanted, items)
    return _convert(work, Path(str(inputs[0])))


def _check_saved(pipeline: Pipeline, names: Sequence[str]) -> None:
    """Raise ValueError for the name of an output that there is not."""
    for name in names:
        if name not in pipeline.outputs:
            more = ", ".join(list(pipeline.outputs)[1:]) or "none"
            raise ValueError(f"A model for {pipeline.task} has no further output {name!r} to save; it has: {more}.")


def _places_of_samples(pipeline: GeneratorPipeline, options: Section, wanted: Wanted) -> tuple[Path, tuple[Path, ...]]:
    """Choose where samples go, and their further outputs beside a single file; ValueError where they cannot."""
    animated, medium = pipeline.animated(options), next(iter(pipeline.outputs.values()))
    path = Path(wanted.out or ("samples.gif" if animated else "samples.png"))
    beside: tuple[Path, ...] = ()
    if animated or format_ending(path, medium.saved) not in FORMATS:
        check_one_file(path, medium, int(getattr(options, "num", 1)), animated)
        beside = tuple(beside_samples(path, name, pipeline.outputs[name]) for name in wanted.save)
    else:
        check_many_files(path, medium)
    if is_first():
        for place in (path, *beside):
            check_place(place)
    return path, beside


def _draw(pipeline: GeneratorPipeline, options: Section, path: Path, wanted: Wanted) -> Applied:
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
        asked |= {"save": list(wanted.save)} if wanted.save else {}
        pipeline.batches(options).only(wanted.save).deliver(path, asked, _share(), wanted.watch)
    elif is_first():
        pipeline.draw(options).save(path, wanted.save)
    return Applied(path, facts, int(getattr(options, "num", 1)))


def _share() -> Share:
    """Give the share of this process among those that torchrun started."""
    if processes() == 1:
        return Share()
    return Share(int(os.environ["RANK"]), processes(), distributed.barrier)


def _convert(work: Conversion, first: Path) -> Applied:
    """Make something of files: of one to a file, of several to a folder or a .zip."""
    pipeline, wanted = work.pipeline, work.wanted
    named = first.is_file() or work.items[0].page is not None or work.items[0].file == at_home(first)
    single = len(work.items) == 1 and named
    path = Path(wanted.out) if wanted.out else work.names.usual(work.items, single)
    saved = next(iter(pipeline.outputs.values())).saved
    one_file = single and file_ending(path) in saved
    if one_file or not is_filled(path):
        check_place(path)
    _check_files(work, path, one_file)
    places = work.names.places(path) if one_file else {"": path}
    beside = list(places.values())[1:]
    for further in beside:
        check_place(further)
    if wanted.compare and Path(wanted.compare).resolve() in {place.resolve() for place in places.values()}:
        raise ValueError(f"--out and --compare are both {wanted.compare}; choose two names.")
    if one_file:
        work.step(work.items[0])
        work.steps = steps = _steps(work, path)
        for name, content in work.make(work.items[0], whole_suffix(path)).items():
            write_new(places[name], content)
        steps.finish()
    else:
        work.items = [one for one in work.items if one.refused or not _made_there(one.file, path)]
        deliver_all(work, path)
    if wanted.compare:
        sheet = side_by_side(work.shown())
        save_picture(sheet, Path(wanted.compare), {SOURCE_TYPE: COMPOSITE, **work.facts} if work.changed else {})
        beside.append(Path(wanted.compare))
    count, left_out = len(work.items) - len(work.left_out), (*work.left_out.values(), *work.unused)
    made = Applied(path, work.facts, count, left_out, tuple(work.notices), wanted.save, tuple(beside))
    manifest = path / MANIFEST if is_filled(path) else None
    told = replace(made, shares=work.shares, warnings=work.warnings, details=work.details)
    return replace(told, failed=len(work.left_out), skipped=work.skipped, manifest=manifest)


def _steps(work: Conversion, path: Path) -> KeptSteps:
    """Keep the steps of long work beside its result until that is made: what was broken off goes on."""

    def step(done: int, total: int) -> None:
        if total > 1:
            work.wanted.watch.step(done, total, f"Applying the model to {work.items[0].name}")

    def order() -> dict[str, Any]:
        # Another device rounds otherwise.
        return {**order_of(work), "config": work.ready.config.model_dump(mode="json"), "device": work.ready.device.type}

    return KeptSteps(path.with_name(f"{path.name}.partial"), order, step, work.look)


def _check_files(work: Conversion, path: Path, one_file: bool) -> None:
    """Raise ValueError where files cannot be written as is asked for."""
    files, ending = work.wanted.files, path.suffix.lower()
    if one_file and files.format and PHOTOGRAPHS[ending] is not PHOTOGRAPHS[work.names.ending(work.items[0]).lower()]:
        raise ValueError(f"--out {path} and --format {files.format} are two formats; leave one of them out.")
    form = PHOTOGRAPHS.get(ending if one_file else f".{files.format}")
    if files.quality and form and form.name not in BY_QUALITY:
        raise ValueError(f"--quality is for JPEG and WebP, and {form.name} loses nothing; leave one of them out.")


def check_place(path: Path) -> None:
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
