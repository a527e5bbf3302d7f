"""A dry run: what a recipe comes to on this machine, without leaving anything behind."""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gannet.commands.options import PlanOptions
from gannet.commands.train import Prepared, build_game, build_trainer
from gannet.data.loader import Samples
from gannet.data.samples import Labels, noise
from gannet.recipe import Recipe, dump_yaml
from gannet.runtime.devices import choose_precision, launch
from gannet.runtime.progress import Watch
from gannet.schedule import stages
from gannet.training.progress import duration
from gannet.training.trainer import Trainer

WARM_ROUNDS, USUAL = 3, PlanOptions()


@dataclass(frozen=True)
class Plan:
    """What a run would be.

    Attributes:
        recipe: resolved.
        parameters: numbers to learn, by network.
        memory: bytes; the highest seen in a few rounds of each stage, on noise.
        seconds: estimated training time, from the same rounds.
        device: what it would run on, and in which precision.
    """

    recipe: Recipe
    parameters: dict[str, int]
    memory: int
    seconds: float
    device: str

    def to_json(self) -> dict[str, Any]:
        """Give the plan as plain data."""
        return {**vars(self), "recipe": self.recipe.model_dump(mode="json")}

    def lines(self) -> list[str]:
        """Give the plan in words, the recipe first."""
        counts = ", ".join(f"{name} {count:,}" for name, count in self.parameters.items())
        return [
            dump_yaml(self.recipe).rstrip(),
            f"# parameters: {counts}",
            f"# memory: about {self.memory / 2**20:,.0f} MiB",
            f"# time: about {duration(self.seconds)} on {self.device}; nothing was written",
        ]


def plan(prepared: Prepared, options: PlanOptions = USUAL, watch: Watch | None = None) -> Plan:
    """Build the game, play a few rounds on noise, and extrapolate; Stopped when whoever watches wants that."""
    fabric = launch(prepared.recipe.device, prepared.recipe.precision)
    with tempfile.TemporaryDirectory() as folder:
        meaningless = noise_of(prepared)
        game = build_game(prepared, fabric)
        trainer = build_trainer(prepared, game, fabric, Path(folder), (meaningless, meaningless), Watch())
        seconds = whole_time(trainer, options.rounds, watch)
    recipe = prepared.recipe
    return Plan(
        recipe=recipe,
        parameters={name: _count(network) for name, network in trainer.networks.items()},
        memory=peak_memory(fabric.device),
        seconds=min(seconds, 60 * recipe.minutes) if recipe.minutes else seconds,
        device=f"{fabric.device.type}, {choose_precision(recipe.precision, fabric.device.type)}",
    )


def noise_of(prepared: Prepared) -> Samples:
    """Give noise of the data's shape and types, so that nothing needs to be decoded for an estimate."""
    recipe, task, description = prepared.recipe, prepared.task, prepared.description
    classes = len(description.classes) if task.labels(recipe) is not Labels.UNUSED else 0
    return noise(task.fields(recipe, description), classes, recipe.batch)


def whole_time(trainer: Trainer, rounds: int = USUAL.rounds, watch: Watch | None = None) -> float:
    """Give the seconds of a whole run, from a few rounds of each of its stages."""
    recipe, progress, seconds, start = trainer.recipe, trainer.progress, 0.0, 0
    parts, watch = stages(recipe), watch or Watch()
    for number, stage in enumerate(parts):
        watch.step(number, len(parts), f"Timing {stage.name}")
        progress.images = start
        seconds += _time_rounds(trainer, rounds) * stage.images / recipe.batch
        start += stage.images
    return seconds


def _time_rounds(trainer: Trainer, rounds: int) -> float:
    """The median seconds of a round, which a machine that is busy for a moment does not change."""
    seconds = []
    for _ in range(WARM_ROUNDS + rounds):
        start = time.monotonic()
        trainer.round()
        if trainer.fabric.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.monotonic() - start)
    return float(np.median(seconds[WARM_ROUNDS:]))


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


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
