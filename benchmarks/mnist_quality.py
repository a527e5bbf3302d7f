"""How good are digits trained for so many minutes? A table for `mnist` and `mnist-mlp`, and a grid of each.

    GANNET_DATA=... python benchmarks/mnist_quality.py --minutes 5 --out /tmp/mnist-quality

A classifier trained on the real digits labels 10,000 fakes. Reported are the share it is surer of than 0.9, the
smallest and largest share of a digit, and the share of fakes that lie nearer to a training digit (Euclidean, in
pixels) than the nearest 1 % of the held-out digits do, and the mean distance between
two pictures of one digit. The held-out digits themselves are the first row.
"""

import argparse
import datetime
import os
import platform
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import gannet
from gannet.commands.train import configure, prepare, split_of
from gannet.training.progress import Terminal

FAKES, SURE = 10_000, 0.9


def digits() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """All training and held-out digits with their labels."""
    prepared = prepare(configure("mnist", "", {"task.conditional": True}, ""))
    split = split_of(prepared)
    training, held_out = split.training, split.held_out
    return training.spread(len(training)), held_out.spread(len(held_out))


def train_classifier(training: dict[str, Tensor], passes: int = 4) -> nn.Module:
    """A small convolutional network."""
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)),
    )
    steps = passes * (len(training["real"]) // 128)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps)
    for _ in range(steps):
        rows = torch.randint(len(training["real"]), (128,))
        optimizer.zero_grad()
        cross_entropy(network(training["real"][rows]), training["label"][rows]).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def probabilities(classifier: nn.Module, pictures: Tensor) -> Tensor:
    """Class probabilities (n, 10)."""
    return torch.cat([classifier(part).softmax(1) for part in pictures.split(500)])


def nearest_distances(pictures: Tensor, training: Tensor) -> Tensor:
    """The Euclidean distance of each picture to its nearest training picture, (n,)."""
    known = training.flatten(1)
    return torch.cat([torch.cdist(part.flatten(1), known).amin(1) for part in pictures.split(250)])


def spread_within(pictures: Tensor, labels: Tensor, most: int = 200) -> float:
    """The mean distance between two pictures of one digit: a generator that draws one picture a digit has none."""
    means = []
    for digit in range(10):
        flat = pictures[labels == digit][:most].flatten(1)
        if len(flat) > 1:
            means.append(torch.cdist(flat, flat).sum() / (len(flat) * (len(flat) - 1)))
    return float(torch.stack(means).mean())


def row(name: str, pictures: Tensor, classifier: nn.Module, near: Tensor, known: Tensor) -> str:
    """A line of the table."""
    sure, labels = probabilities(classifier, pictures).max(1)
    shares = torch.bincount(labels, minlength=10) / len(labels)
    copies = (nearest_distances(pictures, known) < near).float().mean()
    return (
        f"| {name} | {(sure > SURE).float().mean():.1%} | {shares.min():.1%} | {shares.max():.1%} "
        f"| {copies:.2%} | {spread_within(pictures, labels):.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--recipes", nargs="+", default=["mnist", "mnist-mlp"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    training, held_out = digits()
    lines = []
    for name in options.recipes:
        changes = {"minutes": options.minutes, "images": 10**8, "seed": options.seed}
        run = gannet.train(name, out=options.out / name, set=changes, on_progress=Terminal())
        seen = run.recipe.images
        lines.append((f"{name}, {seen:,} images", gannet.load(options.out / name)(num=FAKES, seed=1)))
        gannet.load(options.out / name)(num=100, seed=1).save(options.out / f"{name}.png")
    classifier = train_classifier(training)
    accuracy = (probabilities(classifier, held_out["real"]).argmax(1) == held_out["label"]).float().mean()
    near = nearest_distances(held_out["real"], training["real"]).quantile(0.01)
    print(
        f"MNIST, {options.minutes:g} minutes each, seed {options.seed}, {platform.processor() or platform.machine()},"
    )
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, {datetime.date.today()}; classifier {accuracy:.2%}\n")
    heads = ("what", "confidence > 0.9", "rarest digit", "commonest digit", "nearer than 1 % of held-out")
    print(f"| {' | '.join(heads)} | distance within a digit |")
    print("|---|---|---|---|---|---|")
    print(row("held-out digits", held_out["real"], classifier, near, training["real"]))
    for name, samples in lines:
        print(row(name, samples.values, classifier, near, training["real"]))


if __name__ == "__main__":
    main()
