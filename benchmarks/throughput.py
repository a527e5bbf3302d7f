"""How fast are training and sampling, against others in the same run and against the machine's own limit? A table.

    python benchmarks/throughput.py [--sides 32 64] [--unet] [--residual] [--torchgan PATH/TO/python]
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/throughput.py    # as an older processor would

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

from gannet.runtime.processor import LIMITS

WARM_UP = 2.0


def compare(size: str, contenders: list[ContenderProcess], asked: argparse.Namespace, draws: bool) -> None:
    """Let all contenders take turns, the plain loop first, and print a row each."""
    deeds = (ContenderProcess.train, *((ContenderProcess.sample,) if draws else ()))
    for contender in contenders:
        for deed in deeds:
            deed(contender, WARM_UP)
    found = [
        medians([[deed(contender, asked.seconds) for contender in contenders] for _ in range(asked.blocks)])
        for deed in deeds
    ]
    for number, contender in enumerate(contenders):
        contender.leave()
        cells = [f"{each[number]:,.{1 if each[number] < 100 else 0}f} | {each[number] / each[0]:.2f}" for each in found]
        print(f"| {size} | {contender.name} | {' | '.join(cells if draws else [*cells, ' | '])} |", flush=True)


def dcgans(side: int, asked: argparse.Namespace) -> list[ContenderProcess]:
    """The contenders at one size."""
    options = ["--side", str(side), "--batch", str(asked.batch), "--device", asked.device]
    settings = [f"--set={change}" for change in asked.set]
    others = [ContenderProcess("torchgan", options, asked.torchgan)] if asked.torchgan else []
    return [ContenderProcess("plain", options), ContenderProcess("gannet", [*options, *settings]), *others]


def pairs(kind: str, asked: argparse.Namespace) -> list[ContenderProcess]:
    """A plain loop and Gannet on the networks of one of Gannet's recipes; the same settings change both."""
    options = ["--device", asked.device, *(f"--set={change}" for change in asked.set)]
    return [ContenderProcess(f"{name}-{kind}", options) for name in ("plain", "gannet")]


def medians(blocks: list[list[float]]) -> list[float]:
    """Of each contender over all blocks."""
    return [statistics.median(found) for found in zip(*blocks, strict=True)]


def limit(asked: argparse.Namespace) -> None:
    """Gannet's own figures, as `gannet bench` takes them."""
    for side in asked.sides:
        same = ["data.channels=3", "network.width=64", "network.latent=128", "loss.r1=null", f"device={asked.device}"]
        changes = [f"data.size={side}", f"batch={asked.batch}", *same, *asked.set]
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
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--unet", action="store_true", help="also the U-Net of colorization")
    parser.add_argument("--residual", action="store_true", help="also the R3GAN-like pair, for a GPU")
    parser.add_argument("--set", action="append", default=[], help="key=value of Gannet's recipes")
    parser.add_argument("--torchgan", default="", help="the Python of an environment that has it")
    asked = parser.parse_args()
    held = "".join(f", {name}={os.environ[name]}" for name in (*LIMITS, "ATEN_CPU_CAPABILITY") if name in os.environ)
    name = torch.cuda.get_device_name() if asked.device == "cuda" else platform.processor() or platform.machine()
    machine = f"{name}, {os.cpu_count()} cores{held}"
    print(f"{machine}, torch {torch.__version__}, {datetime.date.today()}\n")
    print(
        "| size | contender | trained, images/s | times plain | sampled, images/s | times plain |\n" + "|---" * 6 + "|"
    )
    for side in asked.sides:
        compare(f"{side}x{side}", dcgans(side, asked), asked, draws=True)
    if not asked.torchgan:
        print("torchgan is not installed here.")
    if asked.unet:
        compare("U-Net, 192x192", pairs("unet", asked), asked, draws=False)
    if asked.residual:
        compare("residual, 32x32", pairs("residual", asked), asked, draws=False)
    limit(asked)


if __name__ == "__main__":
    main()
