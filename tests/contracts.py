"""Contracts that every task, game and loss must keep; each is itself tested by a planted breakage."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gannet.adversarial.losses import AdversarialLoss
from gannet.commands.plan import noise_of
from gannet.commands.train import build_game, build_trainer, prepare, split_of
from gannet.pipelines.pipeline import ConverterPipeline, Pipeline
from gannet.recipe import Recipe
from gannet.runtime.devices import launch
from gannet.runtime.files import load_tree
from gannet.runtime.progress import Watch
from gannet.schema import Choice
from gannet.task import Task, find_task
from gannet.training.trainer import Trainer


def make_trainer(recipe: Recipe, folder: Path) -> Trainer:
    """A trainer for the recipe in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    prepared = prepare(recipe)
    fabric = launch(prepared.recipe.device, prepared.recipe.precision)
    split = split_of(prepared)
    samples = split.training, split.held_out
    return build_trainer(prepared, build_game(prepared, fabric), fabric, folder, samples, Watch())


@cache
def untrained(name: str) -> ConverterPipeline:
    """The pipeline of a task's example, which has learned nothing."""
    task = find_task(name)
    prepared = prepare(task.example())
    torch.manual_seed(0)
    game = task.game(prepared.recipe, prepared.description)
    made = task.pipeline(prepared.recipe, prepared.description, {kept: game.networks[kept] for kept in game.kept})
    assert isinstance(made, ConverterPipeline)
    return made


def tensors_of(tree: Any, path: str = "") -> dict[str, Any]:
    """The leaves of a state by their path."""
    if isinstance(tree, dict):
        return {k: v for name, below in tree.items() for k, v in tensors_of(below, f"{path}/{name}").items()}
    if isinstance(tree, list | tuple):
        return {k: v for index, below in enumerate(tree) for k, v in tensors_of(below, f"{path}/{index}").items()}
    return {path: tree}


def check_equal_states(one: Path, other: Path) -> None:
    """Two runs ended in the same weights, optimizer and observer states and logged values, bit for bit."""
    unequal = unequal_states(one, other)
    assert not unequal, f"{', '.join(unequal)} differs"


def unequal_states(one: Path, other: Path) -> list[str]:
    """What of the last states, the logs and the models of two runs is not the same, bit for bit."""
    first, second = (sorted((run / "state").glob("*.safetensors"))[-1] for run in (one, other))
    left, right = (tensors_of(load_tree(path)) for path in (first, second))
    # Wall-clock values are exempt, and so is the length of the log, which holds them.
    names = (left.keys() | right.keys()) - {"/progress/seconds", "/log"}
    unequal = [name for name in sorted(names) if not _same(left.get(name), right.get(name))]
    models = [{path.name: path.read_bytes() for path in (run / "model").iterdir()} for run in (one, other)]
    files = sorted(models[0].keys() | models[1].keys())
    unequal += [f"model/{name}" for name in files if models[0].get(name) != models[1].get(name)]
    return [*unequal, *["name"] * (first.name != second.name), *["log"] * (logged(one) != logged(other))]


def _same(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return type(one) is type(other) and one == other


def check_resumes(recipe: Recipe, folder: Path) -> None:
    """A run that is stopped twice and gone on with ends as one that was not."""
    make_trainer(recipe, folder / "whole").run()
    first = make_trainer(recipe, folder / "parts")
    first.checkpoint()
    while first.progress.images < 0.4 * recipe.images:
        first.round()
        first._after_round()
    first.checkpoint()
    make_trainer(recipe, folder / "parts").run()
    check_equal_states(folder / "whole", folder / "parts")


def logged(run: Path) -> list[dict[str, Any]]:
    """The lines of the log without the clock."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "clock"} for line in lines]


def check_gradients(trainer: Trainer) -> None:
    """In each turn the players move; the others keep their weights and get no gradient."""
    for turn in trainer.setup.game.turns:
        before = {
            name: [(p.detach().clone(), None if p.grad is None else p.grad.clone()) for p in network.parameters()]
            for name, network in trainer.networks.items()
        }
        outcomes = trainer._take(turn, [trainer._load(part) for part in trainer.slices])
        for player in turn.players:
            named = outcomes[0].losses[player]
            assert named and all(loss.ndim == 0 and bool(loss.isfinite()) for loss in named.values())
        for name, network in trainer.networks.items():
            after = [(p.detach(), p.grad) for p in network.parameters()]
            if name in turn.players:
                moved = any(not torch.equal(old, new) for (old, _), (new, _) in zip(before[name], after, strict=True))
                assert moved, f"{name} does not move in its turn {turn.name}"
                continue
            for (old, old_gradient), (new, gradient) in zip(before[name], after, strict=True):
                assert torch.equal(old, new), f"{name} moved in the turn {turn.name}"
                kept = gradient is old_gradient or (
                    gradient is not None and old_gradient is not None and torch.equal(gradient, old_gradient)
                )
                assert kept, f"a gradient of {turn.name} leaked into {name}"


def check_saved_equals_live(pipeline: Pipeline, folder: Path, use: Callable[[Pipeline], Tensor]) -> None:
    """What is loaded again gives the output of what was saved, bit for bit."""
    pipeline.save_pretrained(folder)
    loaded = Pipeline.from_pretrained(folder)
    assert type(loaded) is type(pipeline)
    assert torch.equal(use(pipeline), use(loaded))


def check_parts(task: Task) -> None:
    """Samples, and the noise that stands for them, have the parts, shapes and types that the fields say."""
    prepared = prepare(task.example())
    fields, batch = task.fields(prepared.recipe, prepared.description), split_of(prepared).training.gather(0, 4)
    assert list(fields) == list(task.media(prepared.recipe)) == list(batch)[: len(fields)], "other parts than fields"
    for name, values in noise_of(prepared).gather(0, 4).items():
        assert values.shape == batch[name].shape and values.dtype == batch[name].dtype, f"{name} has another shape"
    for name, field in fields.items():
        given = field.medium.to_array(field.noise(1, np.random.default_rng(0)))
        assert tuple(batch[name].shape[1:]) == given.shape[1:], f"{name} is not what its field gives"


def check_adopted(task: Task) -> None:
    """What a model keeps of itself is enough to read other data as its run read its own."""
    prepared = prepare(task.example())
    with torch.device("meta"):
        game = task.game(prepared.recipe, prepared.description)
    kept = {name: game.networks[name] for name in game.kept}
    config = task.pipeline(prepared.recipe, prepared.description, kept).config
    plain = Recipe(name="judged", task=Choice(name=prepared.recipe.task.name))
    recipes = [task.adopt(recipe, config) for recipe in (prepared.recipe, plain)]
    fields = [task.fields(recipe, prepared.description) for recipe in (prepared.recipe, *recipes)]
    assert fields[0] == fields[1], "a run's own options are lost"
    shapes = [{name: field.given for name, field in one.items()} for one in fields]
    assert shapes[0] == shapes[2], "a model does not tell the shape of what it learned from"
    assert recipes[0].task == prepared.recipe.task, "the options of the task are lost"


def check_signs(loss: AdversarialLoss) -> None:
    """The discriminator wants reals up and fakes down, the generator wants fakes up."""
    real, fake = (torch.linspace(-0.9, 0.9, 7, dtype=torch.float64).requires_grad_() for _ in range(2))
    up_real, up_fake = torch.autograd.grad(loss.discriminator(real, fake), (real, fake))
    assert (up_real < 0).all() and (up_fake > 0).all(), "the discriminator's loss has the wrong sign"
    (up_fake,) = torch.autograd.grad(loss.generator(real, fake), fake)
    assert (up_fake < 0).all(), "the generator's loss has the wrong sign"
