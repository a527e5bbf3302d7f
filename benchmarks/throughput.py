"""How fast are training and sampling, against others in the same run and against the machine's own limit? A table.

    python benchmarks/throughput.py [--sides 32 64] [--torchgan PATH/TO/python]

Contenders take turns, block by block, each in a process of its own; reported are medians and ratios to the plain loop.
torchgan 0.1.0 wants an environment of its own (torchvision 0.28.0 without its dependencies, torch, wget): name its
Python.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

import torch
from contender_process import ContenderProcess

WARM_UP = 2.0


def compare(side: int, batch: int, asked: argparse.Namespace) -> None:
    """Let all contenders take turns at one size, and print a row each."""
    names = {"plain": sys.executable, "gannet": sys.executable} | (
        {"torchgan": asked.torchgan} if asked.torchgan else {}
    )
    contenders = [
        ContenderProcess(name, ["--side", str(side), "--batch", str(batch)], python) for name, python in names.items()
    ]
    for contender in contenders:
        contender.train(WARM_UP)
        contender.sample(WARM_UP)
    trained, sampled = (
        medians([[measure(contender, asked.seconds) for contender in contenders] for _ in range(asked.blocks)])
        for measure in (ContenderProcess.train, ContenderProcess.sample)
    )
    for contender, images, samples in zip(contenders, trained, sampled, strict=True):
        contender.leave()
        cells = f"{images:,.0f} | {images / trained[0]:.2f} | {samples:,.0f} | {samples / sampled[0]:.2f}"
        print(f"| {side}x{side} | {contender.name} | {cells} |", flush=True)
    if not asked.torchgan:
        print(f"| {side}x{side} | torchgan | not installed here | | | |")


def medians(blocks: list[list[float]]) -> list[float]:
    """Of each contender over all blocks."""
    return [statistics.median(found) for found in zip(*blocks, strict=True)]


def limit(asked: argparse.Namespace) -> None:
    """Gannet's own figures, as `gannet bench` takes them."""
    for side in asked.sides:
        same = ["data.channels=3", "network.width=64", "network.latent=128", "loss.r1=null", "device=cpu"]
        changes = [f"data.size={side}", f"batch={asked.batch}", *same]
        words = [sys.executable, "-m", "gannet", "bench", "images", "--json"]
        found = subprocess.run(
            [*words, *(f"--set={change}" for change in changes)], check=True, capture_output=True, text=True
        )
        result = json.loads(found.stdout)["result"]
        print(f"\n{side}x{side}: " + "; ".join(result["lines"]))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", nargs="+", type=int, default=[32, 64])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--torchgan", default="", help="the Python of an environment that has it")
    asked = parser.parse_args()
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, torch {torch.__version__}, {datetime.date.today()}\n")
    print(
        "| size | contender | trained, images/s | times plain | sampled, images/s | times plain |\n" + "|---" * 6 + "|"
    )
    for side in asked.sides:
        compare(side, asked.batch, asked)
    limit(asked)


if __name__ == "__main__":
    main()
