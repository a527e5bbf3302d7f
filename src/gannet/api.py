"""The API: the verbs, and what is asked of them and answered. Everything behind it may move.

Every verb that takes its time tells `on_progress` how far it is, and is asked by `should_stop` to leave (`Stopped`);
`apply` and `augment` then go on where they stood when they are called the same again. A mistake in what was given, and
an `out` that exists, is a ValueError of one sentence. None changes the process. What is asked of one is a schema.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gannet.runtime.process import borrowed, quiet
from gannet.runtime.progress import OnProgress, Progress, ShouldStop, Stopped

if TYPE_CHECKING:
    from gannet.commands.applied import Applied as Applied
    from gannet.commands.augment.options import Augmented as Augmented
    from gannet.commands.augment.options import AugmentOptions as AugmentOptions
    from gannet.commands.average import Averaged as Averaged
    from gannet.commands.bench import Speed as Speed
    from gannet.commands.explore import Explored as Explored
    from gannet.commands.flags import SchemaCommand as SchemaCommand
    from gannet.commands.flags import click_options as click_options
    from gannet.commands.flags import schema_command as schema_command
    from gannet.commands.model_command import ModelCommand as ModelCommand
    from gannet.commands.models import Model as Model
    from gannet.commands.options import AverageOptions as AverageOptions
    from gannet.commands.options import BenchOptions as BenchOptions
    from gannet.commands.options import DoctorOptions as DoctorOptions
    from gannet.commands.options import ExploreOptions as ExploreOptions
    from gannet.commands.options import ExportOptions as ExportOptions
    from gannet.commands.options import PlanOptions as PlanOptions
    from gannet.commands.options import TrainOptions as TrainOptions
    from gannet.commands.plan import Plan as Plan
    from gannet.commands.plane.game import PlaneGame as PlaneGame
    from gannet.commands.plane.models import labelled_points as labelled_points
    from gannet.commands.plane.models import portray as portray
    from gannet.commands.plane.options import PlaneOptions as PlaneOptions
    from gannet.commands.recipes import Key as Key
    from gannet.commands.summary import summarize as summarize
    from gannet.data.doctor import Report as Report
    from gannet.data.sources import embedded_names as embedded_names
    from gannet.data.sources.memory import Pictures as Pictures
    from gannet.media.slices import slice_sheets as slice_sheets
    from gannet.metrics.judgement import Judgement as Judgement
    from gannet.metrics.options import JudgeOptions as JudgeOptions
    from gannet.pipelines.exported import Exported as Exported
    from gannet.pipelines.keeping import keep_loaded as keep_loaded
    from gannet.pipelines.pipeline import Pipeline as Pipeline
    from gannet.recipe import parse_change as parse_change
    from gannet.runs.folder import Run as Run
    from gannet.runs.view import View as View
    from gannet.runs.view import list_runs as list_runs
    from gannet.runs.view import view_run as view_run
    from gannet.runtime.devices import is_first as is_first
    from gannet.runtime.plain_data import Json
    from gannet.training.progress import Terminal as Terminal

_ROOMS = {
    "gannet.commands.applied": "Applied",
    "gannet.commands.augment.options": "Augmented AugmentOptions",
    "gannet.commands.average": "Averaged",
    "gannet.commands.bench": "Speed",
    "gannet.commands.explore": "Explored",
    "gannet.commands.flags": "SchemaCommand click_options schema_command",
    "gannet.commands.model_command": "ModelCommand",
    "gannet.commands.models": "Model",
    "gannet.commands.options": "AverageOptions BenchOptions DoctorOptions ExploreOptions ExportOptions PlanOptions "
    "TrainOptions",
    "gannet.commands.plan": "Plan",
    "gannet.commands.plane.game": "PlaneGame",
    "gannet.commands.plane.models": "labelled_points portray",
    "gannet.commands.plane.options": "PlaneOptions",
    "gannet.commands.recipes": "Key",
    "gannet.commands.summary": "summarize",
    "gannet.data.doctor": "Report",
    "gannet.data.sources": "embedded_names",
    "gannet.data.sources.memory": "Pictures",
    "gannet.media.slices": "slice_sheets",
    "gannet.metrics.judgement": "Judgement",
    "gannet.metrics.options": "JudgeOptions",
    "gannet.pipelines.exported": "Exported",
    "gannet.pipelines.keeping": "keep_loaded",
    "gannet.pipelines.pipeline": "Pipeline",
    "gannet.recipe": "parse_change",
    "gannet.runs.folder": "Run",
    "gannet.runs.view": "View list_runs view_run",
    "gannet.runtime.devices": "is_first",
    "gannet.training.progress": "Terminal",
}
"""Where what is asked and answered lies; it loads when it is first used, so that this module waits for no torch."""
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}
VERBS = (
    *("apply", "augment", "average", "bench", "doctor", "explore", "export", "interface", "judge"),
    *("keys", "load", "models", "plan", "recipes", "train"),
)
__all__ = [*sorted(_HOMES), "OnProgress", "Progress", "ShouldStop", "Stopped", *VERBS]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gannet.api' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


@borrowed()
def train(
    target: str = "",
    data: "str | Path | Pictures" = "",
    out: str | Path = "",
    set: Mapping[str, object] | None = None,  # noqa: A002
    start_from: str | Path = "",
    resume: str | Path = "",
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Run":
    """Train a recipe and return its run; from any thread.

    Args:
        target: a shipped recipe's name or a YAML file; left out with `resume`.
        data: a path or pictures in memory, alone or as (pictures, labels); empty: the recipe's own. With `resume` the
            run's, which must be given again where they were in memory.
        out: the run's folder, which must not exist; empty: a free one below `runs/`.
        set: changes to the recipe, dotted key -> value.
        start_from: a run, a model's folder or `hf:owner/name` whose weights to start from.
        resume: a run to continue instead; `set` may then change how long it lasts.
        should_stop: asked after every round, in every process; then the run is saved, its `ending` is `interrupted`.
        on_progress: told after every round, a `gannet.training.callbacks.Status` and the referee's words.

    Raises:
        ValueError: a mistake, or a game that diverged.
        Stopped: `should_stop` said yes while the data were decoded, before there was a run.
    """
    from gannet.commands import train as command
    from gannet.commands.given import named, watched

    with watched(on_progress, should_stop, "Training") as watch, named(data, watch) as source:
        return command.train(target, source, out, set, start_from, resume, watch)


@borrowed()
def plan(
    target: str,
    data: "str | Path | Pictures" = "",
    set: Mapping[str, object] | None = None,  # noqa: A002
    start_from: str | Path = "",
    options: "PlanOptions | None" = None,
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Plan":
    """Say what a run, as `train` takes it, would be on this machine: recipe, memory and time; nothing is written."""
    from gannet.commands import plan as command
    from gannet.commands.given import named, watched
    from gannet.commands.train import configure, prepare

    with watched(on_progress, should_stop, "Planning") as watch, named(data, watch) as source:
        prepared = prepare(configure(target, source, dict(set or {}), start_from))
        return command.plan(prepared, options or command.USUAL, watch)


@borrowed()
def bench(
    target: str = "images",
    data: "str | Path | Pictures" = "",
    set: Mapping[str, object] | None = None,  # noqa: A002
    options: "BenchOptions | None" = None,
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Speed":
    """Measure how fast this machine trains and samples a recipe, as `train` takes it, and how far from its limit.

    Of data but size and classes count; without any the recipe's do, or pictures of 32x32.
    """
    from gannet.commands import bench as command
    from gannet.commands.given import named, watched

    with watched(on_progress, should_stop, "Measuring") as watch, named(data, watch) as source:
        prepared = command.prepare_for(target, str(source), dict(set or {}))
        return command.bench(prepared, options or command.USUAL, watch)


@borrowed()
def judge(
    target: str | Path,
    data: "str | Path | Pictures" = "",
    query: "JudgeOptions | None" = None,
    weights: str = "model",
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Judgement":
    """Judge a model: what it makes against real samples that it did not learn from.

    The judgement of a run is kept in its folder, as `judgement.json` and in its report.

    Args:
        target: a run, a model's folder, a shipped model's name or `hf:owner/name`.
        data: the reals, a path or pictures in memory; empty, or those that it learned from: what the run held out.
        query: how many fakes, the seed, and what else is asked.
        weights: `model`, `best`, or the name of a stage or an average.
    """
    from gannet.commands import judge as command
    from gannet.commands.given import named, watched
    from gannet.metrics.options import JudgeOptions

    with watched(on_progress, should_stop, "Judging") as watch, named(data, watch) as source:
        return command.judge(target, source, query or JudgeOptions(), weights, watch)


@borrowed()
def average(
    run: str | Path,
    options: "AverageOptions | None" = None,
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Averaged":
    """Average the weights of a run that had `average.widths`, and save that in its model's folder as `average-<width>`.

    Where `options` do not say how widely, the judge picks a width by what the run held out.
    """
    from gannet.commands import average as command
    from gannet.commands.given import watched
    from gannet.commands.options import AverageOptions

    with watched(on_progress, should_stop, "Averaging") as watch:
        return command.average(Path(run), options or AverageOptions(), watch)


@borrowed()
def apply(
    target: str | Path,
    *inputs: str | Path,
    out: str | Path = "",
    weights: str = "model",
    save: Sequence[str] = (),
    compare: str | Path = "",
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
    **options: object,
) -> "Applied":
    """Apply a model and save what it makes: samples from nothing, or something of given files.

    Any number of samples and size of photographs take constant memory; under torchrun every process writes its share.
    What a folder's `gannet-manifest.jsonl` says was made of the same files is skipped.

    Args:
        target: a run, a model's folder, a shipped model's name, `hf:owner/name`, or the file of a community network.
        inputs: files, folders with some however deep, and patterns such as `scans/*.jpg`.
        out: a folder, a .zip or .parquet file of single results, or one file's name; empty: a name is chosen.
        weights: `model`, `best`, or the name of a stage or an average.
        save: further outputs to write beside the first, by name.
        compare: where to put a picture of some inputs before and after; empty: nowhere.
        options: the model's own, paths of further inputs, and of photographs `format`, `quality` and `width`.
    """
    from gannet.commands.applied import Wanted
    from gannet.commands.apply import apply_model
    from gannet.commands.given import refuse_pictures, watched

    refuse_pictures(target, *inputs, *options.values())
    with watched(on_progress, should_stop, "Applying") as watch:
        wanted = Wanted(str(out), tuple(save), str(compare), watch=watch)
        return apply_model(target, inputs, options, wanted, weights)


@borrowed()
def explore(
    target: str | Path,
    out: str | Path = "",
    options: "ExploreOptions | None" = None,
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Explored":
    """Look around in what a generator of pictures can draw: between seeds, along directions, nearest to a picture.

    Args:
        target: as `judge` takes it.
        out: an animation (.gif, .webp, .mp4), a sheet (.png, ...) or a folder; empty: a name is chosen.
        options: where to look; see the schema.
    """
    from gannet.commands import explore as command
    from gannet.commands.given import watched
    from gannet.commands.options import ExploreOptions

    with watched(on_progress, should_stop, "Exploring") as watch:
        return command.explore(target, out, options or ExploreOptions(), watch)


def interface(target: str | Path) -> "Json":
    """Describe a model by its `config.json` alone, for a form: inputs and outputs by name, options as a JSON schema."""
    from gannet.pipelines.hub import interface as read_interface

    return read_interface(target)


@quiet()
@borrowed()
def export(
    target: str | Path,
    out: str | Path,
    weights: str = "model",
    options: "ExportOptions | None" = None,
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Exported":
    """Write a model's network as a file that other programs run, once one has been seen to give PyTorch's answers.

    Args:
        target, weights: as `judge` takes them; `options` may name the weights instead.
        out: the file, which must not exist: .onnx, or .safetensors where `options` say `spandrel`.
    """
    from gannet.commands import export as command
    from gannet.commands.given import watched
    from gannet.commands.options import ExportOptions

    with watched(on_progress, should_stop, "Exporting") as watch:
        return command.export(target, Path(out), options or ExportOptions(weights=weights), watch)


@borrowed()
def augment(
    data: "str | Path | Pictures",
    out: str | Path,
    wish: "AugmentOptions | None" = None,
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Augmented":
    """Make a data set larger by changed copies of its samples; folders, labels and the samples themselves survive.

    Args:
        data: a folder, a zip, an array, a table, `hf:owner/name`, or pictures in memory; or texts: .txt, .csv or .tsv.
        out: a folder or a .zip, new, whose `record.csv` tells what each file was made from; of texts the same format.
        wish: how many times as large, by which kinds, from which seed.
    """
    from gannet.commands.augment.images import augment_data
    from gannet.commands.augment.options import AugmentOptions
    from gannet.commands.data import full_name
    from gannet.commands.given import named, watched

    with watched(on_progress, should_stop, "Augmenting") as watch, named(data, watch) as source:
        return augment_data(full_name(source), Path(out), wish or AugmentOptions(), watch)


@borrowed()
def doctor(
    data: "str | Path | Pictures",
    options: "DoctorOptions | None" = None,
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> "Report":
    """Examine a data set: count, sizes, classes, unreadable files, duplicates, and a recommendation."""
    from gannet.commands import doctor as command
    from gannet.commands.data import full_name
    from gannet.commands.given import named, watched

    with watched(on_progress, should_stop, "Examining") as watch, named(data, watch) as source:
        return command.examine(full_name(source), options.size if options else 0, watch)


def load(target: str | Path, weights: str = "model") -> "Pipeline":
    """Load a model for use; target and weights: as `apply` takes them."""
    from gannet.pipelines.hub import load as load_model

    return load_model(target, weights)


def recipes() -> dict[str, str]:
    """List the recipes of Gannet and of installed packages, each with what it is for or why it cannot be used."""
    from gannet.commands.recipes import about_recipes

    return about_recipes()


def keys(target: str, set: Mapping[str, object] | None = None) -> "list[Key]":  # noqa: A002
    """List all keys of a recipe, by name or a YAML file: type, range, meaning, default, and value after `set`."""
    from gannet.commands.recipes import recipe_keys

    return recipe_keys(target, set)


def card(model: str | Path) -> str:
    """Give the card of a model, in words; ValueError where there is no such model, or it has none."""
    from gannet.commands.models import read_card

    return read_card(str(model))


def models(runs: str | Path = "runs") -> "list[Model]":
    """List the models at hand: those that ship, those in the folders of $GANNET_MODELS, and those of the runs there."""
    from gannet.commands.models import list_models

    return list_models(Path(runs))
