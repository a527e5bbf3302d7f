"""How fast is sampling by each engine, how far are their pictures apart, and what do many samples on disk cost?

    python benchmarks/sampling.py MODEL [--num 100000]

Engines take turns, each in a process of its own, with the plainest way: the same generator in single precision as
PyTorch runs it, a batch of 64 from fresh noise. Engines draw noise by address and collect the samples as `gannet apply`
does. Then `gannet apply` writes a tenth of the samples and all of them to each format; memory is the process's highest
above one that has loaded PyTorch.
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
from gannet.pipelines.backends import ENGINES
from gannet.runtime.devices import choose_device

SAMPLES, BLOCKS, EAGER = 4_096, 5, "eager"
MEASURED = """
import re
print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


def eager(pipeline: Any) -> Callable[[], None]:
    """What anyone would write."""
    network, inputs = pipeline.traced()
    device = choose_device("auto")
    label = inputs["label"].to(device) if "label" in inputs else None
    network.to(device)

    @torch.no_grad()
    def draw() -> None:
        for _ in range(0, SAMPLES, pipeline.BATCH):
            network(torch.randn(pipeline.BATCH, network.latent, device=device), label).cpu()

    return draw


def by_engine(pipeline: Any, name: str) -> Callable[[], None]:
    """As `gannet apply` draws."""
    engine = pipeline.engine(name)

    def draw() -> None:
        for _ in pipeline.stream(SAMPLES, seed=0, engine=engine):
            pass

    return draw


def serve(model: str, name: str) -> None:
    """Draw for each line that is read; print samples a second."""
    pipeline: Any = gannet.load(model)
    draw = eager(pipeline) if name == EAGER else by_engine(pipeline, name)
    draw()
    for _ in sys.stdin:
        start = time.perf_counter()
        draw()
        print(SAMPLES / (time.perf_counter() - start), flush=True)


def ask(server: subprocess.Popen[str]) -> float:
    """The rate of a block."""
    assert server.stdin and server.stdout
    server.stdin.write("\n")
    server.stdin.flush()
    return float(server.stdout.readline())


def compare(model: str) -> None:
    """Let engines take turns, and print a row each."""
    names = [EAGER, *ENGINES[1:]]
    words = [sys.executable, __file__, model, "--serve"]
    servers = [
        subprocess.Popen([*words, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in names
    ]
    for server in servers:
        ask(server)
    rates = [[ask(server) for server in servers] for _ in range(BLOCKS)]
    for server in servers:
        server.communicate()
    medians = [statistics.median(found) for found in zip(*rates, strict=True)]
    print(
        "| engine | samples/s, median | times eager | largest and mean difference, of 255 levels |\n|---|---|---|---|"
    )
    for name, rate in zip(names, medians, strict=True):
        print(f"| {name} | {rate:,.0f} | {rate / medians[0]:.2f} | {difference(model, name)} |")


def difference(model: str, name: str) -> str:
    """How far an engine's pictures are from those in single precision."""
    if name == EAGER:
        return ""
    pipeline: Any = gannet.load(model)
    plain, other = (pipeline(num=256, seed=1, engine=engine).values for engine in ("torch", name))
    apart = (plain - other).abs() * 127.5
    return f"{float(apart.max()):.2f}, {float(apart.mean()):.3f}"


def deliver(model: str, num: int) -> None:
    """Write samples to disk in processes of their own, and print a row each."""
    words = [sys.executable, "-c", "import torch" + MEASURED]
    base = float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    print("\n| samples | to | seconds | MiB on disk | MiB of memory above PyTorch's own |\n|---|---|---|---|---|")
    for ending in ("", ".zip", ".parquet"):
        for count in (num // 10, num):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"samples{ending}"
                asked = f"gannet.apply({model!r}, out={str(path)!r}, num={count})"
                start = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, "-c", f"import gannet; {asked}{MEASURED}"],
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
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.model, asked.serve)
        return
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{asked.model}, {machine}, torch {torch.__version__}, {datetime.date.today()}\n")
    compare(asked.model)
    deliver(str(Path(asked.model).resolve()) if Path(asked.model).exists() else asked.model, asked.num)


if __name__ == "__main__":
    main()
