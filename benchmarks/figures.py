"""What benchmarks share: distances to the real pictures, an interval of a mean, and a plot of lines."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import fmean, stdev

import torch
from PIL import Image, ImageDraw
from scipy import stats
from torch import Tensor

from gannet.commands.judge import judge_features
from gannet.commands.train import configure, prepare, split_of
from gannet.data.loader import Loader
from gannet.metrics.distances import frechet_distance

COLOURS = (
    *("#1f5fbf", "#c0392b", "#27864b", "#8e44ad", "#b9770e", "#555555"),
    *("#0b8f8f", "#d35fa0", "#7a5c3a", "#6b8e23"),
)
Lines = dict[str, list[tuple[float, float]]]


def loaders(recipe: str) -> tuple[Loader, Loader]:
    """The training and the held-out samples of a recipe's own data."""
    split = split_of(prepare(configure(recipe, "", {}, "")))
    assert isinstance(split.training, Loader) and isinstance(split.held_out, Loader)
    return split.training, split.held_out


@torch.no_grad()
def features(pictures: Tensor) -> Tensor:
    """Those of judge-v1, (n, d)."""
    judge = judge_features()
    assert judge is not None
    return torch.cat([judge(part) for part in pictures.split(200)])


@cache
def real_features(recipe: str) -> Tensor:
    """Of all held-out samples."""
    _, held_out = loaders(recipe)
    return features(held_out.spread(len(held_out))["real"])


def frechet(fakes: Tensor, recipe: str) -> float:
    """Frechet distance over judge-v1 of fakes (n, c, h, w) to all held-out samples."""
    return frechet_distance(real_features(recipe), features(fakes))


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of two values or more, and from where to where it is with 95 % certainty (Student's t)."""
    mean, count = fmean(values), len(values)
    reach = float(stats.t.ppf(0.975, count - 1)) * stdev(values) / count**0.5
    return mean, mean - reach, mean + reach


def plot_lines(lines: Lines, title: str, path: Path) -> None:
    """Lines through points, from zero to their highest, with a number at every point."""
    width, height, margin = 640, 400, 60
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    points = [point for line in lines.values() for point in line]
    right, top = (max(values) or 1.0 for values in zip(*points, strict=True))

    def place(across: float, up: float) -> tuple[float, float]:
        return margin + across / right * (width - 2 * margin), height - margin - up / top * (height - 2 * margin)

    pen.line([place(0, top), place(0, 0), place(right, 0)], "#888888")
    for (name, line), colour in zip(lines.items(), COLOURS, strict=False):
        line = sorted(line)
        pen.line([place(*point) for point in line], colour, 2)
        across, up = place(*line[-1])
        pen.text((across - 60, up - 14), name, colour)
    for across in sorted({point[0] for point in points}):
        pen.text((place(across, 0)[0] - 8, height - margin + 8), f"{across:g}", "black")
    for step in range(5):
        pen.text((6, place(0, top * step / 4)[1] - 5), f"{top * step / 4:.3g}", "black")
    pen.text((margin, 10), title, "black")
    sheet.save(path)
