"""How fast this machine trains and samples a recipe, and how far that is from its own limit."""

import math
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from gannet.commands.options import BenchOptions
from gannet.commands.plan import noise_of, peak_memory
from gannet.commands.train import Prepared, build_game, build_trainer, configure, prepare
from gannet.data.sources.points import POINTS
from gannet.recipe import load_recipe
from gannet.runtime.devices import choose_precision, launch
from gannet.runtime.progress import Watch
from gannet.task import find_task
from gannet.training.trainer import Trainer

SIDES, SAMPLES, USUAL = {"cpu": 2048, "cuda": 8192}, 2048, BenchOptions()
"""Of matrices that a device multiplies at its full rate, and how many samples are drawn at once."""


class Operations(TorchDispatchMode):
    """Counts floating-point operations; unlike PyTorch's own counter, also where a gradient is differentiated again."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count an operation and do it."""
        result = func(*args, **(kwargs or {}))
        packet = func._overloadpacket
        if packet in flop_registry:
            self.total += flop_registry[packet](*args, **(kwargs or {}), out_val=result)
        if packet is torch.ops.aten.convolution_backward and args[-2] > 1 and args[-1][1]:
            # PyTorch counts the weight's gradient as if all channels met.
            dense = flop_registry[packet](*args[:-1], [False, True, False], out_val=result)
            self.total -= dense * (1 - 1 / args[-2])
        return result


@dataclass(frozen=True)
class Speed:
    """What was measured, alternating, as medians.

    Attributes:
        what: the recipe and the shape of a sample.
        device: and the precision computed in.
        trained, sampled: images a second.
        work: floating-point operations that a trained image takes, as PyTorch counts them.
        rate: of the machine's matrix products in the same precision, operations a second.
        memory: bytes; the highest of the process.
    """

    what: str
    device: str
    trained: float
    sampled: float | None
    work: float
    rate: float
    memory: int

    @property
    def share(self) -> float:
        """Which share of its matrix-product rate the machine trains at."""
        return self.trained * self.work / self.rate

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {**vars(self), "share": self.share, "lines": self.lines()}

    def lines(self) -> list[str]:
        """Say it in words."""
        return [
            f"{self.what} on {self.device}: training {self.trained:,.0f} images/s",
            *([f"sampling {self.sampled:,.0f} images/s"] if self.sampled else []),
            f"{self.work / 1e9:.3g} GFLOP a trained image, {self.share:.1%} of the {self.rate / 1e9:,.0f} GFLOP/s that "
            "matrix products reach",
            f"peak memory {self.memory / 2**20:,.0f} MiB",
        ]


def prepare_for(target: str, data: str, changes: dict[str, Any]) -> Prepared:
    """Make a recipe ready without its data, which are not measured: those of the task's example stand for them.

    Pictures are given in the recipe's own size, or in 32x32 in colour where it leaves that open.
    """
    if data or "data.source" in changes:
        return prepare(configure(target, data, changes, ""))
    recipe = load_recipe(target, changes)
    if recipe.data.source in POINTS:
        return prepare(recipe)
    task = find_task(recipe.task.name)
    usual = {"size": 32, "channels": 3, "stack": 1}
    given = {
        f"data.{key}": value
        for key, value in usual.items()
        if key in task.Data.model_fields and (key == "stack" or recipe.data.options.get(key, "auto") == "auto")
    }
    plain: dict[str, Any] = {"data.group": "", "data.limit": None, "data.sources": []}
    return prepare(configure(target, task.example().data.source, given | plain | changes, ""))


def bench(prepared: Prepared, options: BenchOptions = USUAL, watch: Watch | None = None) -> Speed:
    """Train on noise, sample and multiply matrices in turn; Stopped when whoever watches wants that."""
    fabric = launch(prepared.recipe.device, prepared.recipe.precision)
    device = fabric.device
    precision = choose_precision(prepared.recipe.precision, device.type)
    with tempfile.TemporaryDirectory() as folder:
        noise = noise_of(prepared)
        game = build_game(prepared, fabric)
        trainer = build_trainer(prepared, game, fabric, Path(folder), (noise, noise), Watch())
        pipeline: Any = prepared.task.pipeline(prepared.recipe, prepared.description, trainer.setup.average.networks)
        usual = {"num": SAMPLES, "engine": "auto" if precision == "bf16" else "torch"}
        asked = pipeline.options({key: value for key, value in usual.items() if key in pipeline.Options.model_fields})
        side = SIDES.get(device.type, SIDES["cpu"])
        matrix = torch.rand(side, side, device=device, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
        work = _count_work(trainer)

        def train() -> int:
            trainer.round()
            return prepared.recipe.batch

        def sample() -> int:
            return sum(len(make()) for make in pipeline.batches(asked).makes)

        def multiply() -> int:
            torch.mm(matrix, matrix)
            return 2 * side**3

        deeds = (train, multiply) if pipeline.inputs else (train, sample, multiply)
        rates = _alternate(deeds, device, options, watch or Watch())
    sampled = statistics.median(rates[1]) if not pipeline.inputs else None
    shape = "x".join(map(str, prepared.description.shape))
    return Speed(
        f"{prepared.recipe.name} ({shape})",
        f"{device.type}, {precision}",
        statistics.median(rates[0]),
        sampled,
        work,
        statistics.median(rates[-1]),
        peak_memory(device),
    )


def _alternate(
    deeds: tuple[Callable[[], int], ...], device: torch.device, options: BenchOptions, watch: Watch
) -> list[list[float]]:
    """What each deed gets done a second, block by block in turn."""
    rates: list[list[float]] = [[] for _ in deeds]
    for block in range(options.blocks):
        watch.step(block, options.blocks, "Measuring")
        for deed, found in zip(deeds, rates, strict=True):
            deed()
            start, done = time.perf_counter(), 0
            while time.perf_counter() - start < options.seconds:
                done += deed()
                _wait_for(device)
            found.append(done / (time.perf_counter() - start))
    return rates


def _wait_for(device: torch.device) -> None:
    """Wait until what was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()


def _count_work(trainer: Trainer) -> float:
    """Floating-point operations for an image, over as many rounds as the rarest turn takes."""
    rounds = math.lcm(*(turn.every for turn in trainer.setup.game.turns))
    with Operations() as counted:
        for _ in range(rounds):
            trainer.round()
    return float(counted.total / rounds / trainer.recipe.batch)
