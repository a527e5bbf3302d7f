"""How long is one kept waiting for help?

    python benchmarks/help_times.py [--starts 9]

The commands take turns, each start a process of its own, and the median of its wall clock is held against the bar.
Before, every command is started once, so that its files are in memory. Ends with 1 where a bar is missed. A
machine that does something else meanwhile misses them: look at its load, which is told, before you believe it.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from gannet.pipelines.hub import shipped_models

HELP, APPLY = 0.4, 0.6
"""Seconds that `gannet --help` and the help of a model may take."""


def bars() -> dict[tuple[str, ...], float]:
    """Commands, each with its bar: the help, and that of every shipped model."""
    return {("--help",): HELP, **{("apply", name, "--help"): APPLY for name in shipped_models()}}


def seconds(words: Sequence[str]) -> float:
    """The wall clock of one start."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gannet", *words], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=9, help="of each command")
    starts, asked = parser.parse_args().starts, bars()
    for words in asked:
        seconds(words)
    found: dict[tuple[str, ...], list[float]] = {words: [] for words in asked}
    for _ in range(starts):
        for words, times in found.items():
            times.append(seconds(words))
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.date.today()}\n"
    )
    print("| command | median of starts, s | fastest, s | bar, s | |\n|---|---|---|---|---|")
    missed = False
    for words, times in found.items():
        median = statistics.median(times)
        missed |= median > asked[words]
        told = "kept" if median <= asked[words] else "missed"
        print(f"| `gannet {' '.join(words)}` | {median:.2f} | {min(times):.2f} | {asked[words]} | {told} |")
    sys.exit(missed)


if __name__ == "__main__":
    main()
