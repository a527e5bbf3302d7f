"""How long is a round with other settings? The variants take turns round by round in one process, so that what else the
machine does falls on all of them; a table of medians, and of the median ratio to the first.

    python benchmarks/variants.py --side 32 --rounds 40 layout=rows loss.update=shared,layout=rows loss.update=shared

A variant is settings of the recipe `images` (or `--recipe`) on noise, `key=value` with commas between; `layout=rows`
puts its kernels' channels back behind one another, and `compile=networks` hands its networks to `torch.compile`, for
shapes that stay; that they are compiled first, and now and then again, is not counted: medians leave it out.
"""

import argparse
import datetime
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import torch
import torch._dynamo

from gannet.commands.bench import prepare_for
from gannet.commands.plan import noise_of
from gannet.commands.train import build_game, build_trainer
from gannet.recipe import parse_change
from gannet.runtime.devices import launch
from gannet.runtime.process import own_process
from gannet.runtime.processor import LIMITS
from gannet.runtime.progress import Watch
from gannet.training.trainer import Trainer

WARM_UP = 4
"""Rounds before any is timed."""
MOST_SHAPES = 256
"""How often code may be compiled anew: layers share it, and each has shapes of its own."""


def trainer_of(variant: str, side: int, recipe: str = "images") -> Trainer:
    """A trainer with the variant's settings: of `images`, the networks that throughput.py compares."""
    given = dict(parse_change(part) for part in variant.split(",") if part)
    rows, compiles = given.pop("layout", "") == "rows", given.pop("compile", "") == "networks"
    same = {"data.size": side, "data.channels": 3, "network.width": 64, "network.latent": 128, "loss.r1": None}
    same = {**same, "augment.name": "none"} if recipe == "images" else {}
    prepared = prepare_for(recipe, "", {**same, "device": "cpu", **given})
    fabric = launch("cpu", prepared.recipe.precision)
    game, noise = build_game(prepared, fabric), noise_of(prepared)
    for network in game.networks.values() if rows else ():
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    for network in game.networks.values() if compiles else ():
        compile_called(network)
    return build_trainer(prepared, game, fabric, Path(tempfile.mkdtemp()), (noise, noise), Watch())


def compile_called(network: torch.nn.Module) -> None:
    """Compile a network, or its parts where they are called one by one."""
    torch._dynamo.config.recompile_limit = MOST_SHAPES
    whole = type(network).forward is not torch.nn.Module.forward
    for part in [network] if whole else network.children():
        part.compile(dynamic=False)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--recipe", default="images")
    asked = parser.parse_args()
    own_process()
    trainers = [trainer_of(variant, asked.side, asked.recipe) for variant in asked.variants]
    seconds: list[list[float]] = [[] for _ in trainers]
    for number in range(WARM_UP + asked.rounds):
        for trainer, spent in zip(trainers, seconds, strict=True):
            start = time.perf_counter()
            trainer.round()
            if number >= WARM_UP:
                spent.append(time.perf_counter() - start)
    print("| variant | a round, ms | times as fast as the first |\n|---|---|---|")
    for variant, spent in zip(asked.variants, seconds, strict=True):
        ratio = statistics.median(first / own for first, own in zip(seconds[0], spent, strict=True))
        print(f"| {variant} | {1000 * statistics.median(spent):.0f} | {ratio:.2f} |")
    held = "".join(f", {name}={os.environ[name]}" for name in (*LIMITS, "ATEN_CPU_CAPABILITY") if name in os.environ)
    print(f"{platform.machine()}, {os.cpu_count()} cores{held}, torch {torch.__version__}, {datetime.date.today()}")


if __name__ == "__main__":
    main()
