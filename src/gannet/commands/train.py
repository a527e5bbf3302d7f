"""Training: a recipe made ready, its game, the trainer's callbacks, and the run that comes of it."""

import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gannet.adversarial.game import Game, Observer
from gannet.commands.callbacks import Reals, RunCallbacks, Sheets, write_curves
from gannet.commands.cost import check_surely
from gannet.commands.data import full_name, passed_over
from gannet.data.loader import Samples, Sides
from gannet.data.records import Source
from gannet.data.samples import Split, load_samples, open_data
from gannet.monitoring.referee import Referee
from gannet.monitoring.updates import Updates
from gannet.networks.pair import for_classes_of
from gannet.pipelines.hub import LEARNED_FROM, absolute, goes_on, load_trained
from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Optimizer, Recipe, dump_yaml, lengthened, load_recipe
from gannet.runs.folder import PLANNED, Run, create_folder, free_folder, hold, note_recipe
from gannet.runtime.devices import is_first, launch
from gannet.runtime.files import check_named, write_json, write_text
from gannet.runtime.plain_data import read_facts
from gannet.runtime.process import drawing
from gannet.runtime.processor import put_channels_last
from gannet.runtime.progress import Stopped, Watch
from gannet.runtime.randomness import address
from gannet.runtime.signals import Left
from gannet.schedule import cut_short, total_images
from gannet.task import Described, Task, find_task
from gannet.training.checkpoint import CheckpointFolder
from gannet.training.distributed import RunningAverage, slices
from gannet.training.power_averages import SNAPSHOTS, PowerAverages
from gannet.training.trainer import Trainer, TrainingSetup

CHANGEABLE = ("images", "minutes", "stages", "device", "checkpoint", "log", "referee.stop_on")
"""The keys that may change when a run is resumed: how long, where and how often, never the game."""
LENGTHS = {"images", "minutes", "stages"}
"""Those of them that say how long."""


@dataclass(frozen=True)
class Prepared:
    """A recipe made ready: its task, its data and what they look like."""

    recipe: Recipe
    task: Task
    source: Source
    description: Described


def train(
    target: str = "",
    data: str | Path = "",
    out: str | Path = "",
    set: Mapping[str, Any] | None = None,  # noqa: A002
    start_from: str | Path = "",
    resume: str | Path = "",
    watch: Watch | None = None,
) -> Run:
    """Train a recipe and return its run.

    Args:
        target: a shipped recipe's name or a YAML file; left out with `resume`.
        data: what to learn from; empty: the recipe's own data. With `resume` those of the run, if any.
        out: the run's folder, which must not exist; empty: a free one below `runs/`.
        set: changes to the recipe, dotted key -> value.
        start_from: a run, a model's folder or `hf:owner/name[@revision]` whose weights to start from.
        resume: a run to continue instead; `set` may then change how long it lasts.
        watch: who is told how far it is, and may stop it; nobody by default.

    Raises:
        ValueError: a mistake in what was given, or a game that diverged; one sentence.
    """
    watch, changes = watch or Watch(), dict(set or {})
    check_named(Path(out))
    if not resume:
        for note in passed_over(data):
            watch.notify(note)
        return _train(configure(target, data, changes, start_from), Path(out) if out else None, None, watch)
    # Of several processes the first one holds the run for all.
    with hold(Path(resume), watch.notify) if is_first() else nullcontext(), _resumable(Path(resume)):
        recipe = _resumed(Path(resume), changes)
        _refuse_others(data, recipe, Path(resume))
        return _over(Path(resume), recipe, watch) or _train(recipe, None, Path(resume), watch)


def _train(recipe: Recipe, out: Path | None, resumed: Path | None, watch: Watch) -> Run:
    """Train a new run, or go on with one that this process holds."""
    prepared = prepare(recipe)
    fabric = launch(prepared.recipe.device, prepared.recipe.precision)
    # Whatever the user may have got wrong shows before the folder is made.
    slices(prepared.recipe, fabric)
    check_surely(prepared, fabric.device, fabric.world_size)
    # Of several processes none may leave alone.
    split = split_of(prepared, watch if fabric.world_size == 1 else Watch(watch.on_progress))
    game = build_game(prepared, fabric, resumed)
    folder = resumed or out or free_folder(prepared.recipe.name)
    with ExitStack() as held:
        if fabric.is_global_zero and not resumed:
            held.enter_context(hold(create_folder(prepared.recipe, folder), watch.notify))
        folder = fabric.broadcast(folder)
        held.enter_context(_resumable(folder))
        if fabric.is_global_zero:
            note_recipe(folder, prepared.recipe)
            _record_data(prepared, split, folder, watch)
        trainer = build_trainer(prepared, game, fabric, folder, (split.training, split.held_out), watch)
        if fabric.is_global_zero and not (folder / "model" / LEARNED_FROM).is_file():
            pipeline = cast(RunCallbacks, trainer.callbacks).pipeline
            pipeline.learn_from(prepared.source, prepared.description.name)
        return _play(trainer, folder)


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Say of a run that is stopped at once how to go on with it."""
    try:
        yield
    except Left as left:
        left.words = f"Stopped; {goes_on(folder)}"
        raise


def _play(trainer: Trainer, folder: Path) -> Run:
    """Let a run be played to its end; one that a budget ends is noted as long as it was."""
    recipe = trainer.recipe
    try:
        ending = trainer.run()
    except torch.OutOfMemoryError:
        raise ValueError("The device's memory is full; lower batch, or raise accumulate, in a new run.") from None
    if ending == "budget" and trainer.fabric.is_global_zero:
        write_text(folder / PLANNED, dump_yaml(recipe.model_copy(update={"minutes": None})))
        write_text(folder / "recipe.yaml", dump_yaml(cut_short(recipe, trainer.progress.images)))
    return Run(folder, ending, trainer.signal)


def _over(folder: Path, recipe: Recipe, watch: Watch) -> Run | None:
    """Leave a run alone that has nothing to go on with but what the user changed of it; None where it has."""
    checkpoints = CheckpointFolder(folder / "state", recipe.checkpoint.keep)
    images, converged = _reached(checkpoints.glance() or {})
    met = converged and recipe.referee.stop_on == "rule"
    if not (images >= total_images(recipe) or met):
        return None
    if is_first() and (newest := checkpoints.newest()):  # Where it is damaged, those before it stay.
        checkpoints.prepare()
        checkpoints.let_go(newest["best"]["images"])
        note_recipe(folder, recipe)
    further = "referee.stop_on=never" if met else f"images=N (more than {images:,})"
    watch.notify(f"{folder} is finished already, after {images:,} images; to go on, add --set {further}.")
    return Run(folder, "converged" if met else "finished", over=True)


def _reached(checkpoint: Mapping[str, Any]) -> tuple[int, bool]:
    """After how many images a checkpoint was written, and whether the game had converged; -1 where it does not say."""
    try:
        return int(checkpoint["progress"]["images"]), checkpoint.get("ending") == "converged"
    except (LookupError, TypeError, ValueError):  # Reading all of it will say what is wrong.
        return -1, False


def configure(target: str, data: str | Path, changes: Mapping[str, Any], start_from: str | Path) -> Recipe:
    """Write data, changes and origin into the recipe.

    Paths are made absolute, and what lies on a hub is named by its commit, so that it can be resumed and repeated.
    """
    changes = dict(changes)
    if data:
        changes["data.source"] = full_name(data)
    if start_from:
        changes["start_from"] = absolute(str(start_from), "model")
    recipe = load_recipe(target, changes)
    several = tuple(one.model_copy(update={"source": full_name(one.source)}) for one in recipe.data.sources)
    named = recipe.data.model_copy(update={"source": full_name(recipe.data.source), "sources": several})
    recipe = recipe.model_copy(update={"data": named, "start_from": absolute(recipe.start_from, "model")})
    if not recipe.start_from:
        return recipe
    adopted = find_task(recipe.task.name).adopt(recipe, load_trained(recipe.start_from).config)
    for key in changes:
        asked, got = _value_at(recipe, key), _value_at(adopted, key)
        if asked != got:
            raise ValueError(f"{key}={asked} does not fit the model to start from, which has {got}; leave it out.")
    return adopted


def _value_at(recipe: Recipe, key: str) -> Any:
    value: Any = recipe.model_dump()
    for step in key.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def prepare(recipe: Recipe) -> Prepared:
    """Find the task, open the data, describe it, and resolve what the recipe leaves open."""
    task = find_task(recipe.task.name)
    source = open_data(recipe, task.media(recipe), recipe.data.checked(task.Data), task.labels(recipe))
    description = task.describe(recipe, source)
    return Prepared(task.resolve(recipe, description), task, source, description)


def split_of(prepared: Prepared, watch: Watch | None = None) -> Split:
    """Load the samples, decoded and split; Stopped when whoever watches wants that meanwhile."""
    recipe, task = prepared.recipe, prepared.task
    return load_samples(recipe, prepared.source, task.fields(recipe, prepared.description), task.labels(recipe), watch)


def build_game(prepared: Prepared, fabric: Fabric, resumed: Path | None = None) -> Game:
    """Give the game with its networks on the device, from the recipe's seed or from the weights it starts from.

    Args:
        resumed: the folder of a run whose checkpoint will be loaded; what it once started from is not needed then.
    """
    recipe = prepared.recipe
    with drawing:
        torch.manual_seed(address(recipe.seed, "weights"))
        game = prepared.task.game(recipe, prepared.description)
    continues = resumed is not None and CheckpointFolder(resumed / "state", 1).paths()
    if recipe.start_from and not continues:
        _start_from(game, recipe.start_from, prepared.description.classes)
    for network in game.networks.values():
        network.to(fabric.device).train()
        put_channels_last(network)
    return game


def build_trainer(
    prepared: Prepared, game: Game, fabric: Fabric, folder: Path, samples: Sides, watch: Watch
) -> Trainer:
    """Bring game, average, observers and callbacks together."""
    recipe, task, description = prepared.recipe, prepared.task, prepared.description
    kept = {name: game.networks[name] for name in game.kept}
    average = RunningAverage(kept, recipe.average)
    pipeline = task.pipeline(recipe, description, average.networks)
    watching = task.observers(recipe, description, game, pipeline, samples)
    rates = {player: recipe.optimizer.get(player, Optimizer()).learning_rate for player in game.networks}
    updates = Updates(rates, watch.notify if fabric.is_global_zero else None)
    # Before whoever looks at what it keeps; a task with a referee brings one of its own, of which that speaks.
    observers: dict[str, Observer] = {"updates": updates, **game.observers, **watching}
    referee, sheets = cast("Referee | None", observers.get("referee")), None
    if fabric.is_global_zero:
        write_curves(folder, {**watching, **game.observers, "updates": observers["updates"]})
        look = task.sheet(recipe, description, pipeline, samples)
        judge = referee.light_judge if referee else None
        if widths := recipe.average.widths:
            observers["averages"] = PowerAverages(kept, widths, recipe.batch, folder / SNAPSHOTS)
        observers["sheets"] = sheets = Sheets(look, judge, _reals(prepared, samples), folder, recipe.log.sheet_every)
    callbacks = RunCallbacks(pipeline, sheets, referee, folder, watch)
    setup = TrainingSetup(game, average, observers, task.judged_by)
    return Trainer(recipe, setup, samples[0], fabric, folder, callbacks)


def _reals(prepared: Prepared, samples: Sides) -> Reals:
    """Held-out samples by the part that they are known by."""
    name, medium = next(iter(prepared.task.media(prepared.recipe).items()))
    return Reals(medium, lambda count: samples[1].spread(count)[name])


def _record_data(prepared: Prepared, split: Split, folder: Path, watch: Watch) -> None:
    """Note which data the run learns from; a resumed run is told when they are not the same any more."""
    path = folder / "data.json"
    facts = {
        "fingerprint": prepared.source.fingerprint(),
        "description": prepared.description.model_dump(mode="json"),
        "training": len(split.training),
        "held_out": len(split.held_out),
    }
    facts |= {"left_out": list(split.notes)} if split.notes else {}
    for note in split.notes:
        watch.notify(note)
    if path.is_file() and not _same_data(path, facts):
        watch.notify("The data changed since this run began; it goes on with them as they are now.")
    write_json(path, facts)


def _same_data(path: Path, facts: Mapping[str, Any]) -> bool:
    """Tell whether a run began with these data; what else is noted of them depends on the version that noted it."""
    try:
        before = read_facts(path)
    except (OSError, ValueError):  # What cannot be read does not say that they are the same.
        return False
    return all(before.get(name) == facts[name] for name in ("fingerprint", "training", "held_out"))


def _resumed(folder: Path, changes: Mapping[str, Any]) -> Recipe:
    """The recipe of a run to continue; one that a budget ended is to last as planned when its length changes."""
    run = Run(folder)
    recipe = run.recipe
    for key in changes:
        if key not in CHANGEABLE and key.split(".")[0] not in CHANGEABLE:
            raise ValueError(
                f"{key} cannot change when a run is resumed (allowed: {', '.join(CHANGEABLE)}); "
                f"start a new run with `--from {folder}`."
            )
    if not LENGTHS.isdisjoint(changes) and "stages" not in changes:
        changes = {**_lasting(recipe, run.planned, changes.get("images")), **changes}
    return load_recipe(str(folder / "recipe.yaml"), changes) if changes else recipe


def _refuse_others(data: str | Path, recipe: Recipe, folder: Path) -> None:
    """A run goes on with the data that it began with."""
    if data and full_name(data) != recipe.data.source:
        raise ValueError(
            f"{folder} learns from {recipe.data.source or 'several sources'}, and what is given is {full_name(data)}: "
            f"give the same, or start a new run from it (start_from={str(folder)!r})."
        )


def _lasting(recipe: Recipe, plan: Recipe, images: Any) -> dict[str, Any]:
    """The length of a run that goes on to so many images (None: as planned), with its stages."""
    images = plan.images if images is None else images
    if not (plan.stages and isinstance(images, int)):
        return {"images": images}
    within = recipe.images <= images < plan.images
    kept = cut_short(plan, images).stages if within else lengthened(plan.stages, images)
    return {"images": images, "stages": [stage.model_dump() for stage in kept]}


def _start_from(game: Game, origin: str, classes: Sequence[str]) -> None:
    """Fill the networks from a model, and from the run around it those that a model does not keep.

    Args:
        classes: the names of those that the networks are to know.
    """
    pipeline = load_trained(origin)
    learned = getattr(getattr(pipeline.config, "description", None), "classes", ())
    state = Path(origin) / "state"
    checkpoint = CheckpointFolder(state, 1).newest() if state.is_dir() else None
    weights = {**(checkpoint["networks"] if checkpoint else {})}
    weights |= {name: network.state_dict() for name, network in pipeline.networks.items()}
    for name, network in game.networks.items():
        if name not in weights:
            continue
        try:
            network.load_state_dict(for_classes_of(network, weights[name], learned, classes))
        except RuntimeError:
            raise ValueError(f"The model in {origin} does not fit: {_misfit(name, network, weights[name])}.") from None


def _misfit(name: str, network: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """What of a network's weights is of another shape, in words."""
    own = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    there = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    key = next(key for key in sorted(own.keys() | there.keys()) if own.get(key) != there.get(key))
    return (
        f"{name}.{key} is {there.get(key, 'missing')} there and {own.get(key, 'missing')} here; "
        "the data's size and channels must be those it was trained for, and with classes if it had some"
    )


def fit(recipe: Recipe, watch: Watch | None = None) -> tuple[Pipeline, Samples]:
    """Train a recipe on the way to something else; the run is not kept.

    Raises:
        Stopped: whoever watches wants it to stop.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.yaml"
        write_text(path, dump_yaml(recipe))
        try:
            run = train(str(path), out=Path(folder) / "run", watch=watch)
        except Left as left:  # With what is not kept nobody can go on.
            raise Left(left.number) from None
        if run.ending == "interrupted" and watch and watch.stopping:
            raise Stopped(f"Stopped while training {recipe.name} to compare with; nothing was judged.")
        if run.signal:
            signal.raise_signal(run.signal)  # It meant all of it.
        if run.ending == "interrupted":
            raise ValueError(f"Stopped while training {recipe.name} to compare with; nothing was judged.")
        prepared = prepare(run.recipe)
        return run.pipeline(), split_of(prepared).held_out
