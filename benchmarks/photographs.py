"""How long do models of photographs take, and how much memory? A table.

    python benchmarks/photographs.py super-resolution [colorization ...] [--sides 512 2449]

Each is applied to noise of so many pixels a side, in a process of its own; a mask that covers all but a row is given to
those that take one, after restoration has looked for damage. Memory is the peak above PyTorch's own.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

BLOCKS = 3
WORK = """
import time, gannet
from gannet.media.photograph import Photograph, read_photograph
pipeline, photograph = gannet.load({model!r}), read_photograph({file!r})
mask = Photograph(photograph.values[..., :1] * 0 + 255)
mask.values[0] = 0
start = time.perf_counter()
if pipeline.task == "restoration":
    pipeline.find(photograph)
made = pipeline.improve(photograph, mask if pipeline.task in ("inpainting", "restoration") else None)
seconds = time.perf_counter() - start
made.save({out!r})
import resource
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure(model: str, side: int, base: float) -> None:
    """Print a row."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "noise.png"
        values = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(values).save(file, compress_level=0)
        words = WORK.format(model=model, file=str(file), out=str(Path(folder) / "made.png"))
        found = [
            subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True).stdout.split()
            for _ in range(BLOCKS if side <= 1024 else 1)
        ]
    seconds, memory = (statistics.median(float(one[index]) for one in found) for index in range(2))
    print(f"| {model} | {side}x{side} | {seconds:.2f} | {memory - base:,.0f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--sides", nargs="+", type=int, default=[512, 2449])
    asked = parser.parse_args()
    words = "import torch, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    base = float(subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True).stdout)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, torch {torch.__version__}, {datetime.date.today()}\n")
    print("| model | photograph | seconds | MiB above PyTorch's own |\n|---|---|---|---|")
    for model in asked.models:
        for side in asked.sides:
            measure(str(Path(model).resolve()) if Path(model).exists() else model, side, base)


if __name__ == "__main__":
    main()
