"""How long do models of photographs take, and how much memory? And what do two judges say of enlarged ones? Tables.

    python benchmarks/photographs.py super-resolution [colorization ...] [--sides 512 2449]
    python benchmarks/photographs.py super-resolution runs/large --judge photographs/test [--strengths 0 0.5]

Each is applied to noise of so many pixels a side, in a process of its own; a mask that covers all but a row is given to
those that take one, after restoration has looked for damage. Memory is the peak above PyTorch's own.

`--judge` reduces photographs by the scale of a model for super-resolution, compresses them as JPEG or not, and holds
what becomes of them against the true ones: means over photographs, and the shares of photographs that come perceptually
nearer than by interpolation, by judge-v1 and by efficientnet-lite0 (extra `gannet[imagenet]`), a judge of another kind.
Where the two say opposite things of a way, it is marked so, and photographs that they disagree on are named: look.
"""

import argparse
import datetime
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image

import gannet
from gannet.adversarial.similarity import Frozen, perceptual_distance
from gannet.commands.judge import judge_features
from gannet.media.photograph import Photograph, read_photograph
from gannet.media.tiling import as_tensor
from gannet.metrics.backbones import EFFICIENTNET, efficientnet
from gannet.metrics.restoration import without_border
from gannet.tasks._image_restoration.evaluation import (
    GRID,
    EvaluationPair,
    fidelity_figures,
    middle,
    perceptual_features,
    resized,
    whole_multiple,
)

Row: TypeAlias = dict[str, float]
BLOCKS = 3
QUALITIES: Mapping[str, int | None] = {"clean": None, "JPEG 75": 75, "JPEG 50": 50}
"""What photographs go through before they are enlarged."""
NEAREST = Image.Resampling.BICUBIC
DETAIL = "fine detail, of the real"
JUDGES = ("judge-v1", EFFICIENTNET)
COLUMNS = ("PSNR", "SSIM", DETAIL, GRID, *JUDGES)
MARK = "**judges disagree**"
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


def compressed(photograph: Photograph, quality: int | None) -> Photograph:
    """Put a photograph through JPEG, as most programs write it (4:2:0)."""
    if quality is None:
        return photograph
    content = io.BytesIO()
    photograph.picture().convert("RGB").save(content, "JPEG", quality=quality)
    return read_photograph(content.getvalue())


def evaluation_pairs(real: Photograph, scale: int) -> Iterator[tuple[str, EvaluationPair]]:
    """Give what a model is shown of a photograph, by what it went through; uncompressed only where it was reduced."""
    real = whole_multiple(middle(Photograph(real.values)), scale)
    height, width = real.values.shape[:2]
    small = resized(real, (width // scale, height // scale), NEAREST) if scale > 1 else real
    for name, quality in QUALITIES.items():
        if scale > 1 or quality is not None:
            given = compressed(small, quality)
            plain = {"bicubic": resized(given, (width, height), NEAREST)} if scale > 1 else {"untouched": given}
            yield name, EvaluationPair(given, real, plain, border=scale, scale=scale)


@torch.inference_mode()
def measured(made: Photograph, pair: EvaluationPair, judges: Mapping[str, Frozen]) -> Row:
    """Take all figures of what was made, the distance by each judge among them."""
    found = fidelity_figures(made, pair, None)
    ours, theirs = (without_border(as_tensor(one.values), pair.border) for one in (made, pair.target))
    distances = {name: float(perceptual_distance(ours, theirs, network)) for name, network in judges.items()}
    return {**found, **distances}


@dataclass(frozen=True)
class Opinions:
    """What was measured of one way, a row a photograph, and of the baseline on the same photographs."""

    rows: Sequence[Row]
    baseline: Sequence[Row]

    def nearer(self, judge: str) -> list[bool]:
        """Tell on which photographs a judge holds it for nearer than the baseline."""
        return [ours[judge] < theirs[judge] for ours, theirs in zip(self.rows, self.baseline, strict=True)]

    def disagreed(self) -> list[int]:
        """Give the numbers of the photographs on which one judge holds it for nearer, and another does not."""
        verdicts = zip(*(self.nearer(judge) for judge in JUDGES), strict=True)
        return [number for number, said in enumerate(verdicts) if len(set(said)) > 1]

    def opposed(self) -> bool:
        """Tell whether by their means one judge holds it for nearer, and another does not."""
        return len({fmean(self._apart(judge)) < 0 for judge in JUDGES}) > 1

    def _apart(self, judge: str) -> list[float]:
        return [ours[judge] - theirs[judge] for ours, theirs in zip(self.rows, self.baseline, strict=True)]

    def line(self) -> list[str]:
        """Give the cells of a table."""
        means = [_mean([row[name] for row in self.rows if name in row]) for name in COLUMNS]
        if self.rows is self.baseline:
            return [*means, *("" for _ in JUDGES), "", ""]
        shares = [f"{fmean(self.nearer(judge)):.0%}" for judge in JUDGES]
        return [*means, *shares, str(len(self.disagreed())), MARK if self.opposed() else ""]


def _mean(values: list[float]) -> str:
    return f"{fmean(values):.3f}" if values else ""


def judge(model: str, files: Sequence[Path], judges: Mapping[str, Frozen], strengths: Sequence[float]) -> None:
    """Print a table of what becomes of photographs, and on which the judges disagree."""
    pipeline: Any = gannet.load(model)
    if pipeline.task != "super-resolution":
        raise SystemExit(f"--judge holds models for super-resolution against interpolation; {model} is another.")
    ways: dict[str, Any] = {"default": pipeline}
    if pipeline.earlier():
        ways |= {f"--strength {strength:g}": pipeline.blended(strength) for strength in strengths}
    found: dict[str, dict[str, list[Row]]] = {}
    for file in files:
        for given, pair in evaluation_pairs(read_photograph(file.read_bytes()), pipeline.enlarged(1)):
            made = {**pair.baselines, **{name: way.improve(pair.input) for name, way in ways.items()}}
            for name, photograph in made.items():
                found.setdefault(given, {}).setdefault(name, []).append(measured(photograph, pair, judges))
    nearer = (f"nearer by {name}" for name in JUDGES)
    head = ["given", "way", *COLUMNS, *nearer, "photographs they disagree on", "by their means"]
    print(f"\n{model}, {len(files)} photographs\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    notes = []
    for given, rows in found.items():
        plain = next(iter(rows.values()))
        for name, own in rows.items():
            opinions = Opinions(own, plain)
            print(f"| {given} | {name} | {' | '.join(opinions.line())} |", flush=True)
            named = ", ".join(files[number].name for number in opinions.disagreed())
            notes += [f"- {given}, {name}: {named}"] if named else []
    print("\n".join(["", "They disagree on:", *notes] if notes else []), flush=True)


def strength(given: str) -> float:
    """Read one from 0 to 1."""
    if 0 <= float(given) <= 1:
        return float(given)
    raise argparse.ArgumentTypeError(f"{given} is not from 0 to 1")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--sides", nargs="+", type=int, default=[512, 2449])
    parser.add_argument("--judge", type=Path, help="a folder of photographs")
    parser.add_argument("--strengths", nargs="+", type=strength, default=[0.0], help="to judge beside the default")
    parser.add_argument("--most", type=int, default=40, help="photographs to judge by")
    asked = parser.parse_args()
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, torch {torch.__version__}, {datetime.date.today()}")
    models = [str(Path(model).resolve()) if Path(model).exists() else model for model in asked.models]
    if asked.judge:
        files = sorted(file for file in asked.judge.rglob("*.*") if file.suffix in (".webp", ".jpg", ".png"))
        if not files:
            parser.error(f"{asked.judge} holds no photographs")
        networks = (perceptual_features(judge_features()), perceptual_features(efficientnet()))
        judges = {name: network for name, network in zip(JUDGES, networks, strict=True) if network is not None}
        for model in models:
            judge(model, files[:: -(-len(files) // asked.most)], judges, asked.strengths)
        return
    words = "import torch, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    base = float(subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True).stdout)
    print("\n| model | photograph | seconds | MiB above PyTorch's own |\n|---|---|---|---|")
    for model in models:
        for side in asked.sides:
            measure(model, side, base)


if __name__ == "__main__":
    main()
