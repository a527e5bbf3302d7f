"""A dry run: what a recipe comes to on this machine, without leaving anything behind."""

import sys
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from gannet.adversarial.discriminator_augment import told_of_moves
from gannet.adversarial.game import Game
from gannet.commands.cost import Activations, cautions, check_memory, check_networks, most_tried
from gannet.commands.options import PlanOptions
from gannet.commands.train import Prepared, build_game, build_trainer
from gannet.data.grouping import check_group
from gannet.data.loader import Samples
from gannet.data.samples import Labels, noise
from gannet.data.sources.several import parts_of
from gannet.recipe import Recipe, dump_yaml
from gannet.runtime.devices import choose_precision, launch, processes
from gannet.runtime.progress import Watch
from gannet.runtime.wording import duration
from gannet.schedule import stages
from gannet.training.trainer import Trainer

WARM_ROUNDS, USUAL = 3, PlanOptions()
FEWEST = 2
"""Samples that a round is played with first."""
TOO_LARGE = "not tried, for the networks alone take more than 1 GiB: `gannet bench` measures it,"
LONGEST_TIMED = 5.0
"""Seconds after which no further round of a stage is timed."""


@dataclass(frozen=True)
class Plan:
    """What a run would be.

    Attributes:
        recipe: resolved.
        parameters: numbers to learn, by network.
        memory: bytes; the highest seen in a few rounds of each stage, on noise; of what is large, counted beforehand.
        seconds: estimated training time, from the same rounds; None for networks that are too large to be tried.
        device: what it would run on, and in which precision.
        notes: what is out of the ordinary.
    """

    recipe: Recipe
    parameters: dict[str, int]
    memory: int
    seconds: float | None
    device: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the plan as plain data."""
        return {**vars(self), "recipe": self.recipe.model_dump(mode="json")}

    def lines(self) -> list[str]:
        """Give the plan in words, the recipe first."""
        counts = ", ".join(f"{name} {count:,}" for name, count in self.parameters.items())
        time = f"about {duration(self.seconds)}" if self.seconds is not None else TOO_LARGE
        return [
            dump_yaml(self.recipe).rstrip(),
            *(f"# note: {note}" for note in self.notes),
            *([f"# augment: {moves}"] if (moves := told_of_moves(self.recipe.augment)) else []),
            f"# parameters: {counts}",
            f"# memory: about {self.memory / 2**20:,.0f} MiB",
            f"# time: {time} on {self.device}; nothing was written",
        ]


def plan(prepared: Prepared, options: PlanOptions = USUAL, watch: Watch | None = None) -> Plan:
    """Build the game, play a few rounds on noise, and extrapolate; Stopped when whoever watches wants that.

    Of a batch that would take much memory a part is played, so that nothing takes what it tells the cost of.

    Raises:
        ValueError: the run would take more memory than there is.
    """
    recipe, fabric = prepared.recipe, launch(prepared.recipe.device, prepared.recipe.precision)
    for part in parts_of(prepared.source):  # Training does it where it decodes.
        check_group(part, recipe.data.group)
    weights = check_networks(prepared, fabric.device)
    memory, seconds = weights.size, None
    if weights.size <= most_tried(fabric.device):
        memory, seconds = _tried(prepared, fabric, weights.size, options.rounds, watch or Watch())
        seconds = min(seconds, 60 * recipe.minutes) if recipe.minutes else seconds
    return Plan(
        recipe=recipe,
        parameters=weights.parameters,
        memory=memory,
        seconds=seconds,
        device=f"{fabric.device.type}, {choose_precision(recipe.precision, fabric.device.type)}",
        notes=cautions(prepared),
    )


def _tried(prepared: Prepared, fabric: Fabric, size: int, rounds: int, watch: Watch) -> tuple[int, float]:
    """Play, and give the bytes of memory and the seconds of the whole run; the networks take `size`."""
    recipe, most = prepared.recipe, most_tried(fabric.device)
    with tempfile.TemporaryDirectory() as folder:
        game = build_game(prepared, fabric)
        a_sample = _kept_of_a_sample(prepared, game, fabric, Path(folder) / "few")
        needed = size + a_sample * recipe.batch // recipe.accumulate
        check_memory(needed, fabric.device, "The batch")
        part = _with_batch(prepared, min(recipe.batch, max(FEWEST, most // max(1, a_sample))))
        seconds = whole_time(_trainer_on_noise(part, game, fabric, Path(folder) / "part"), rounds, watch)
    return peak_memory(fabric.device) if part.recipe.batch == recipe.batch else needed, seconds


def _trainer_on_noise(prepared: Prepared, game: Game, fabric: Fabric, folder: Path) -> Trainer:
    folder.mkdir()
    meaningless = noise_of(prepared)
    return build_trainer(prepared, game, fabric, folder, (meaningless, meaningless), Watch())


def _kept_of_a_sample(prepared: Prepared, game: Game, fabric: Fabric, folder: Path) -> int:
    """Give the most bytes that a sample takes in a round of any stage, from one of very few in each."""
    counter, few = Activations(), _with_batch(prepared, FEWEST * processes())
    trainer = _trainer_on_noise(few, game, fabric, folder)
    for start in _starts(few.recipe):
        trainer.progress.images, trainer.progress.rounds = start, 0  # In the first round every turn is due.
        with counter.counted():
            trainer.round()
    of_data = sum(field.row_bytes for field in prepared.task.fields(prepared.recipe, prepared.description).values())
    return of_data + counter.most * processes() // few.recipe.batch


def _starts(recipe: Recipe) -> tuple[int, ...]:
    """Give the images after which each stage begins."""
    return (0, *accumulate(stage.images for stage in stages(recipe)[:-1]))


def _with_batch(prepared: Prepared, batch: int) -> Prepared:
    """The same with another batch; one that is whole is cut as it was to be."""
    recipe = prepared.recipe
    changed = {"batch": batch, "accumulate": recipe.accumulate if batch == recipe.batch else 1}
    return replace(prepared, recipe=recipe.model_copy(update=changed))


def noise_of(prepared: Prepared) -> Samples:
    """Give noise of the data's shape and types, so that nothing needs to be decoded for an estimate."""
    recipe, task, description = prepared.recipe, prepared.task, prepared.description
    classes = len(description.classes) if task.labels(recipe) is not Labels.UNUSED else 0
    return noise(task.fields(recipe, description), classes, recipe.batch)


def whole_time(trainer: Trainer, rounds: int = USUAL.rounds, watch: Watch | None = None) -> float:
    """Give the seconds of a whole run, from a few rounds of each of its stages."""
    recipe, progress, seconds = trainer.recipe, trainer.progress, 0.0
    parts, watch = stages(recipe), watch or Watch()
    for number, (stage, start) in enumerate(zip(parts, _starts(recipe), strict=True)):
        watch.step(number, len(parts), f"Timing {stage.name}")
        progress.images = start
        seconds += _time_rounds(trainer, rounds) * stage.images / recipe.batch
    return seconds


def _time_rounds(trainer: Trainer, rounds: int) -> float:
    """The median seconds of a round, which a machine that is busy for a moment does not change; of slow ones few."""
    seconds: list[float] = []
    for _ in range(WARM_ROUNDS + rounds):
        if sum(seconds) > LONGEST_TIMED:
            break
        start = time.monotonic()
        trainer.round()
        if trainer.fabric.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.monotonic() - start)
    return float(np.median(seconds[WARM_ROUNDS:] or seconds[-1:]))


def peak_memory(device: torch.device) -> int:
    """Give the most bytes that this process has held."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows has no such count.
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
