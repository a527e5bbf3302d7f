"""How fast is sampling by each engine, how far are their pictures apart, and what do many samples on disk cost?

    python benchmarks/sampling.py MODEL [--num 100000]

Engines take turns with the plainest way, the same generator in single precision as PyTorch runs it, a batch of 64 from
fresh noise; they draw noise by address and collect the samples, as `gannet apply` does. Then `gannet apply` writes a
tenth of the samples and all of them to each format; memory is the process's highest above one that has loaded PyTorch.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import gannet
from gannet.engines import ENGINES, make_engine

SAMPLES, BLOCKS = 4_096, 5
MEASURED = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"


def eager(pipeline: Any) -> Callable[[], None]:
    """What anyone would write."""
    network, inputs = pipeline.traced()
    label = inputs.get("label")

    @torch.no_grad()
    def draw() -> None:
        for _ in range(0, SAMPLES, pipeline.BATCH):
            network(torch.randn(pipeline.BATCH, network.latent), label)

    return draw


def engine(pipeline: Any) -> Callable[[], None]:
    """As `gannet apply` draws."""

    def draw() -> None:
        for _ in pipeline.stream(SAMPLES, seed=0):
            pass

    return draw


def compare(model: str) -> None:
    """Let engines take turns, and print a row each."""
    plain: Any = gannet.load(model)
    first = plain(num=256, seed=1).values
    deeds, apart = {"eager, single precision": eager(plain)}, {"eager, single precision": 0.0}
    for name in ENGINES[1:]:
        pipeline: Any = gannet.load(model)
        _, pipeline.compute = make_engine(name, pipeline)
        deeds[name] = engine(pipeline)
        apart[name] = float((pipeline(num=256, seed=1).values - first).abs().max() * 127.5)
    rates: dict[str, list[float]] = {name: [] for name in deeds}
    for block in range(BLOCKS + 1):
        for name, draw in deeds.items():
            start = time.perf_counter()
            draw()
            if block:  # The first is for warming up.
                rates[name].append(SAMPLES / (time.perf_counter() - start))
    base = statistics.median(rates["eager, single precision"])
    print("| engine | samples/s, median | times eager | largest difference, of 255 levels |\n|---|---|---|---|")
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"| {name} | {rate:,.0f} | {rate / base:.2f} | {apart[name]:.2f} |")


def deliver(model: str, num: int) -> None:
    """Write samples to disk in processes of their own, and print a row each."""
    words = [sys.executable, "-c", "import torch; " + MEASURED]
    base = float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    print("\n| samples | to | seconds | MiB on disk | MiB of memory above PyTorch's own |\n|---|---|---|---|---|")
    for ending in ("", ".zip", ".parquet"):
        for count in (num // 10, num):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"samples{ending}"
                asked = f"gannet.apply({model!r}, {str(path)!r}, gannet.Request(num={count}))"
                start = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, "-c", f"import gannet; {asked}; {MEASURED}"],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                taken, memory = time.perf_counter() - start, float(done.stdout) - base
                files = path.rglob("*.png") if path.is_dir() else [path]
                size = sum(file.stat().st_size for file in files) / 2**20
            print(f"| {count:,} | {ending or 'a folder'} | {taken:.1f} | {size:,.0f} | {memory:,.0f} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--num", type=int, default=100_000)
    asked = parser.parse_args()
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{asked.model}, {machine}, torch {torch.__version__}, {datetime.date.today()}\n")
    compare(asked.model)
    deliver(str(Path(asked.model).resolve()) if Path(asked.model).exists() else asked.model, asked.num)


if __name__ == "__main__":
    main()
