"""How much faster than training is the loader, and what does a run keep in memory? A table.

    GANNET_DATA=... python benchmarks/loader.py [--recipe mnist] [--images 60000]

The run happens in a process of its own, whose peak memory is reported; the loader is timed alone, afterwards.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from gannet.commands.train import configure, prepare, split_of

TRAIN = """
import json, resource, sys, gannet
run = gannet.train(sys.argv[1], out=sys.argv[2], set={"images": int(sys.argv[3])})
clock = list(run.log())[-1]["clock"]
print(json.dumps({**clock, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def time_loader(recipe: str, rounds: int = 3_000) -> float:
    """Images a second of the loader alone, in the recipe's batches."""
    prepared = prepare(configure(recipe, "", {}, ""))
    training = split_of(prepared).training
    batch = prepared.recipe.batch
    training.batch(0, batch, batch)
    start = time.perf_counter()
    for index in range(1, rounds + 1):
        training.batch(index * batch, batch, batch)
    return rounds * batch / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="mnist")
    parser.add_argument("--images", type=int, default=60_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", TRAIN, options.recipe, str(Path(folder) / "run"), str(options.images)]
        trained = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    loaded = time_loader(options.recipe)
    print(f"{options.recipe}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores,", end=" ")
    print(f"torch {torch.__version__}, {datetime.date.today()}\n")
    print("| training, images/s | loader alone, images/s | ratio | peak memory of the run, MiB |")
    print("|---|---|---|---|")
    speed = trained["images_per_second"]
    print(f"| {speed:,.0f} | {loaded:,.0f} | {loaded / speed:.0f} | {trained['peak'] / 2**20:,.0f} |")


if __name__ == "__main__":
    main()
