"""What does augmentation in the game cost a step? A table.

    GANNET_DATA=... python benchmarks/augmentation_cost.py [--recipes fashion-mnist cifar10] [--blocks 3] [--seconds 4]

Each recipe without augmentation, with DiffAugment, and with ADA's kinds at a share of one half take turns, block by
block, each in a process of its own.
"""

import argparse
import datetime
import os
import platform
import statistics

import torch
from contender_process import ContenderProcess

WAYS = {
    "none": [],
    "DiffAugment": ["--set=augment.name=diffaugment"],
    "ADA's kinds, share 0.5": ["--set=augment.name=fixed", "--set=augment.share=0.5", "--set=augment.climb=1"],
}


def compare(recipe: str, blocks: int, seconds: float) -> None:
    """Let all ways take turns on one recipe, and print a row each."""
    contenders = {way: ContenderProcess("gannet", ["--recipe", recipe, *options]) for way, options in WAYS.items()}
    for contender in contenders.values():
        contender.train(seconds / 2)
    rounds = [[contender.train(seconds) for contender in contenders.values()] for _ in range(blocks)]
    for contender in contenders.values():
        contender.leave()
    rates = [statistics.median(found) for found in zip(*rounds, strict=True)]
    for way, rate in zip(WAYS, rates, strict=True):
        print(f"| {recipe} | {way} | {rate:,.0f} | {rates[0] / rate - 1:.0%} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["fashion-mnist", "cifar10"])
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    asked = parser.parse_args()
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, torch {torch.__version__}, {datetime.date.today()}\n")
    print("| recipe | augmentation | images/s, median | more a step |\n|---|---|---|---|")
    for recipe in asked.recipes:
        compare(recipe, asked.blocks, asked.seconds)


if __name__ == "__main__":
    main()
