"""How far from the real pictures are a contender's, minute by minute? A table, a plot, and the pictures themselves.

    GANNET_DATA=... python benchmarks/time_to_quality.py --out FOLDER [--minutes 10] [--torchgan PATH/TO/python]

Contenders learn Fashion-MNIST one after the other, so that none disturbs another; only training counts. At each mark
10,000 of their pictures are held against the 10,000 of the test file, by the Frechet distance over the features of
judge-v1 and over those of a classifier of garments, which is trained first and never judges what it did not learn.
The plain loop and torchgan are as their tutorials have them: width 64, no classes, no running average, single
precision, rates of 2e-4 (torchgan: 1e-4 and 3e-4); they learn the pictures with a frame that makes them 32x32, which
is cut away again. Gannet plays its recipe: width 32, classes, a running average, bf16 where the hardware has it; the
recipe's last stage lasts to the end. `--width 32` narrows the plain loop too.
"""

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from contender_process import ContenderProcess
from PIL import Image, ImageDraw
from torch import Tensor

import gannet
from gannet.augmentation.levels import to_levels
from gannet.commands.judge import judge_features
from gannet.commands.train import configure, prepare, split_of
from gannet.media.grids import draw_grid
from gannet.metrics.distances import frechet_distance
from gannet.recipe import load_recipe

MARKS, FAKES, SHOWN = (0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30), 10_000, 64
COLOURS = {"gannet": "#1f5fbf", "plain": "#c0392b", "torchgan": "#27864b"}
Judges = dict[str, Callable[[Tensor], Tensor]]


def real_pictures(recipe: str) -> tuple[Tensor, Tensor]:
    """The training and the test pictures (n, c, h, w)."""
    split = split_of(prepare(configure(recipe, "", {}, "")))
    training, held_out = (side.spread(len(side))["real"] for side in (split.training, split.held_out))
    return training, held_out


def judges(recipe: str, images: int, folder: Path) -> Judges:
    """The features that pictures are compared in, by name."""
    told = gannet.train(
        "recognition", load_recipe(recipe).data.source, folder / "classifier", {"images": images, "stages": []}
    )
    network: Any = told.pipeline().networks["recognizer"]
    shipped = judge_features()
    assert shipped is not None
    return {"judge-v1": shipped, "classifier": own_channels(network)}


def own_channels(network: Any) -> Callable[[Tensor], Tensor]:
    """The features of a classifier, which learned pictures of as many channels as are judged."""

    @torch.no_grad()
    def look(pictures: Tensor) -> Tensor:
        found: Tensor = network.features(pictures)
        return found

    return look


def looked_at(judge: Callable[[Tensor], Tensor], pictures: Tensor) -> Tensor:
    """Features (n, d)."""
    return torch.cat([judge(part) for part in pictures.split(200)])


def play(
    contender: ContenderProcess,
    marks: list[float],
    folder: Path,
    side: int,
    judged: Callable[[Tensor], dict[str, float]],
) -> list[Any]:
    """Train from mark to mark, and judge at each; `side` is of the pictures without a frame."""
    found, minutes = [], 0.0
    for mark in marks:
        rate = contender.train(60 * (mark - minutes))
        minutes = mark
        file = folder / "pictures.npz"
        contender.draw(FAKES, file)
        pictures = torch.from_numpy(np.load(file)["pictures"])
        edge = (pictures.shape[2] - side) // 2
        pictures = pictures[:, :, edge : edge + side, edge : edge + side]
        distances = judged(pictures)
        found.append({"contender": contender.name, "minutes": mark, "images_per_second": rate, **distances})
        shown = ", ".join(f"{name} {value:.3f}" for name, value in distances.items())
        print(f"{contender.name:9} {mark:5.1f} min  {rate:6.0f} images/s  {shown}", flush=True)
        draw_grid(pictures[:SHOWN]).save(folder / f"{contender.name}-{mark:g}.png")
    contender.leave()
    return found


def reached(rows: list[Any], name: str, contender: str, distance: float) -> float:
    """The minutes after which a contender was as near, between marks by the straight line through the logarithms."""
    own = [(row["minutes"], row[name]) for row in rows if row["contender"] == contender]
    for (before, far), (after, near) in zip([(0.0, float("inf")), *own], own, strict=False):
        if near <= distance:
            if before == 0:
                return after
            way = (np.log(far) - np.log(distance)) / (np.log(far) - np.log(near))
            return float(before + way * (after - before))
    return float("inf")


def plot(rows: list[Any], name: str, floor: float, path: Path) -> None:
    """Distance against minutes, both by their logarithms."""
    width, height, margin = 640, 400, 60
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    minutes = [row["minutes"] for row in rows]
    lows, highs = (np.log([min(minutes), floor]), np.log([max(minutes) + 1e-9, max(row[name] for row in rows)]))

    def place(at: float, distance: float) -> tuple[float, float]:
        across, up = (np.log([at, distance]) - lows) / (highs - lows)
        return margin + across * (width - 2 * margin), height - margin - up * (height - 2 * margin)

    for contender in dict.fromkeys(row["contender"] for row in rows):
        points = [place(row["minutes"], row[name]) for row in rows if row["contender"] == contender]
        pen.line(points, COLOURS[contender], 2)
        pen.text((points[-1][0] + 4, points[-1][1] - 5), contender, COLOURS[contender])
    for at in sorted(set(minutes)):
        pen.text((place(at, floor)[0] - 6, height - margin + 8), f"{at:g}", "black")
    for distance in (floor, *(10.0**power for power in range(-3, 4) if floor < 10.0**power < float(np.exp(highs[1])))):
        pen.text((6, place(min(minutes), distance)[1] - 5), f"{distance:.3g}", "black")
        pen.line([place(min(minutes), distance), place(max(minutes), distance)], "#dddddd")
    pen.text((margin, 10), f"Frechet distance over {name} against minutes of training; bottom: real pictures", "black")
    sheet.save(path)


def main() -> None:
    """Train all, print the table, save the plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--recipe", default="fashion-mnist")
    parser.add_argument("--set", action="append", default=[], help="for Gannet: key=value")
    parser.add_argument("--contenders", nargs="+", default=["gannet", "plain", "torchgan"])
    parser.add_argument("--width", type=int, default=64, help="of the plain loop's networks")
    parser.add_argument("--classifier-images", type=int, default=120_000)
    parser.add_argument("--torchgan", default="", help="the Python of an environment that has it")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    training, held_out = real_pictures(asked.recipe)
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "training.npz"
        np.savez(file, pictures=to_levels(training).byte().numpy())
        features = judges(asked.recipe, asked.classifier_images, Path(temporary))
        real = {name: looked_at(judge, held_out) for name, judge in features.items()}
        known = {name: looked_at(judge, training[: len(held_out)]) for name, judge in features.items()}
        floors = {name: frechet_distance(real[name], known[name]) for name in features}

        def judged(pictures: Tensor) -> dict[str, float]:
            return {name: frechet_distance(real[name], looked_at(judge, pictures)) for name, judge in features.items()}

        options = {
            "gannet": ["--recipe", asked.recipe, *(f"--set={change}" for change in asked.set)],
            "plain": ["--pictures", str(file), "--width", str(asked.width)],
            "torchgan": ["--pictures", str(file)],
        }
        marks = sorted({asked.minutes, *(mark for mark in MARKS if mark < asked.minutes)})
        rows = []
        for name in asked.contenders:
            if name == "torchgan" and not asked.torchgan:
                print("torchgan is not installed here")
                continue
            contender = ContenderProcess(name, options[name], asked.torchgan if name == "torchgan" else sys.executable)
            rows += play(contender, marks, asked.out, held_out.shape[2], judged)
            (asked.out / "figures.json").write_text(json.dumps({"floors": floors, "rows": rows}, indent=1) + "\n")
    report(rows, floors, asked)


def report(rows: list[Any], floors: dict[str, float], asked: argparse.Namespace) -> None:
    """Print what was found, and save the plots and the figures."""
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"\n{asked.recipe}, {machine}, torch {torch.__version__}, seed 0, {datetime.date.today()}")
    for name, floor in floors.items():
        plot(rows, name, floor, asked.out / f"{name}.png")
        references = [row for row in rows if row["contender"] != "gannet"]
        print(f"{name}: {floor:.3f} between the test pictures and as many that were learned from")
        if references:
            best = min(references, key=lambda row: row[name])
            took = reached(rows, name, "gannet", best[name])
            share = took / best["minutes"]
            print(
                f"{name}: {best['contender']} reaches {best[name]:.3f} in {best['minutes']:g} minutes, Gannet in "
                f"{took:.2f} ({share:.2f} of the time)"
            )


if __name__ == "__main__":
    main()
