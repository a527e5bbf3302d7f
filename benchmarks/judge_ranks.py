"""Does a distance grow as pictures get worse? Ten kinds of harm at four strengths.

    GANNET_DATA=... python benchmarks/judge_ranks.py --data cifar10

Pictures are compared with other pictures of the same kind, harmed at strengths of 0, 1/4, 1/2, 3/4 and 1. Reported is,
for each kind, the Frechet distance at each strength, and how many of the four steps go up. Three kinds were never
shown to the judge in training (swirl, missing classes, duplicates), and none of the pictures was.
"""

import argparse
import datetime
import os
import platform
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

from gannet.augmentation.distortions import DISTORTIONS
from gannet.commands.judge import judge_features
from gannet.commands.train import configure, prepare, split_of
from gannet.metrics.distances import frechet_distance
from gannet.metrics.features import Features, extract

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
LEARNT = ("blur", "noise", "salt-and-pepper", "warp", "contrast", "cutout", "blockiness")
Harm = Callable[[Tensor, Tensor, float, Generator], Tensor]


def swirl(pictures: Tensor, strength: float) -> Tensor:
    """Turned about the middle, by up to a full half turn there and not at all at the edge."""
    grid = affine_grid(torch.eye(2, 3).expand(len(pictures), 2, 3), list(pictures.shape), align_corners=False)
    angle = strength * torch.pi * (1 - grid.norm(dim=3)).clamp_min(0)
    cosine, sine = angle.cos(), angle.sin()
    turned = torch.stack([cosine * grid[..., 0] - sine * grid[..., 1], sine * grid[..., 0] + cosine * grid[..., 1]], 3)
    return grid_sample(pictures, turned, padding_mode="reflection", align_corners=False)


def without_classes(pictures: Tensor, label: Tensor, strength: float) -> Tensor:
    """Up to eight of ten classes replaced by more of the others."""
    kept = pictures[label >= round(0.8 * strength * (int(label.max()) + 1))]
    return kept[torch.arange(len(pictures)) % len(kept)]


def duplicated(pictures: Tensor, strength: float) -> Tensor:
    """Fewer and fewer different pictures: a hundredth of them at the end."""
    return pictures[torch.arange(len(pictures)) % round(len(pictures) * 0.01**strength)]


def thunks(pictures: Tensor) -> list[Callable[[], Tensor]]:
    """Parts of pictures, as `extract` takes them."""
    return [lambda part=part: part for part in pictures.split(500)]


def harms() -> dict[str, Harm]:
    """The ten kinds."""
    table: dict[str, Harm] = {
        name: lambda pictures, _, strength, generator, name=name: DISTORTIONS[name](pictures, strength, generator)
        for name in LEARNT
    }
    table["swirl"] = lambda pictures, _, strength, __: swirl(pictures, strength)
    table["missing classes"] = lambda pictures, label, strength, _: without_classes(pictures, label, strength)
    table["duplicates"] = lambda pictures, _, strength, __: duplicated(pictures, strength)
    return table


def pictures_of(data: str, size: int, count: int) -> tuple[Tensor, Tensor]:
    """Held-out pictures (2 * count, c, h, w) and labels, in random order."""
    changes = {"task.conditional": True, "data.size": size}
    loader = split_of(prepare(configure("images", data, changes, ""))).held_out
    batch = loader.gather(0, min(2 * count, len(loader)))
    return batch["real"], batch["label"]


def row(name: str, harm: Harm, features: Features, known: Tensor, pictures: Tensor, label: Tensor) -> tuple[str, int]:
    """A line of the table, and the number of steps that go up."""
    distances = []
    for strength in STRENGTHS:
        harmed = harm(pictures, label, strength, Generator().manual_seed(0))
        distances.append(frechet_distance(known, extract(features, thunks(harmed))))
    ups = sum(later > earlier for earlier, later in pairwise(distances))
    return f"| {name} | {' | '.join(f'{value:.4g}' for value in distances)} | {ups} of 4 |", ups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["cifar10"])
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--count", type=int, default=2_000)
    options = parser.parse_args()
    features = judge_features()
    assert features is not None, "judge-v1 does not ship here"
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, ", end="")
    print(f"{datetime.date.today()}; Frechet distance over {features.name}, strengths {STRENGTHS}")
    for data in options.data:
        pictures, label = pictures_of(data, options.size, options.count)
        half = len(pictures) // 2
        known = extract(features, thunks(pictures[:half]))
        print(f"\n{data}, {half:,} against {half:,}\n\n| harm | 0 | 1/4 | 1/2 | 3/4 | 1 | steps up |\n{'|---' * 7}|")
        total = 0
        for name, harm in harms().items():
            line, ups = row(name, harm, features, known, pictures[half:], label[half:])
            total += ups
            print(line, flush=True)
        print(f"\n{total} of {4 * len(harms())} steps go up.")


if __name__ == "__main__":
    main()
