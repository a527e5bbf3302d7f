"""How well are the pixels of a test set told apart without a network, and by a model? Mean IoU over the classes.

    GANNET_DATA=... python benchmarks/segmentation.py [RUN ...] [--data PATH]

The data are folders train and test, each with images and with labels of the same names: grey PNGs of ids, of which the
last, `unlabelled`, does not count. Baselines: the commonest class everywhere; a random forest that learned from the
colours of so many pixels of train; and one that was given the row and column too. Forests weigh all classes alike,
which on val gave a better mean IoU. A run is judged as `gannet judge` does.
"""

import argparse
import datetime
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.ensemble import RandomForestClassifier

import gannet
from gannet.metrics.measure import Measure
from gannet.metrics.segmentation import commonest_class, confusion, segmentation_measures

NAMES = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist")
UNLABELLED = len(NAMES)
TREES, FEWEST_IN_LEAF = 30, 10
Teller = Callable[[np.ndarray], np.ndarray]
"""From a picture (h, w, 3) of values 0 to 255 to a label map (h, w)."""


def pairs(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pictures (h, w, 3) of a folder and their label maps (h, w), in the order of their names."""
    labels = sorted((folder / "labels").glob("*.png"))
    if not labels:
        raise SystemExit(f"{folder / 'labels'} holds no .png; give --data the folder that has train and test.")
    for label in labels:
        picture = Image.open(next((folder / "images").glob(f"{label.stem}.*"))).convert("RGB")
        yield np.asarray(picture), np.asarray(Image.open(label))


def colours(picture: np.ndarray) -> np.ndarray:
    """Give one row a pixel: red, green and blue, (h * w, 3)."""
    return picture.reshape(-1, 3).astype(np.float32)


def colours_and_places(picture: np.ndarray) -> np.ndarray:
    """Give one row a pixel: red, green and blue, then row and column from 0 to 1, (h * w, 5)."""
    height, width = picture.shape[:2]
    rows, columns = np.repeat(np.linspace(0, 1, height), width), np.tile(np.linspace(0, 1, width), height)
    return np.column_stack([colours(picture), rows, columns]).astype(np.float32)


def everywhere(train: Path) -> Teller:
    """Tell the commonest class of train at every pixel."""
    number = commonest_class((label for _, label in pairs(train)), ignored=(UNLABELLED,))
    return lambda picture: np.full(picture.shape[:2], number)


def forest(train: Path, describe: Callable[[np.ndarray], np.ndarray], asked: argparse.Namespace) -> Teller:
    """Let a random forest learn from pixels of train, as many of each picture, drawn at random."""
    random, known, true = np.random.default_rng(asked.seed), [], []
    count = -(-asked.pixels // len(list((train / "labels").glob("*.png"))))
    for picture, label in pairs(train):
        labelled = np.flatnonzero(label.ravel() < UNLABELLED)
        drawn = random.choice(labelled, min(count, len(labelled)), replace=False)
        known.append(describe(picture)[drawn])
        true.append(label.ravel()[drawn])
    # Few trees, unlike boosting, tell eleven million pixels in a minute on one core.
    settings = {"min_samples_leaf": FEWEST_IN_LEAF, "class_weight": "balanced", "n_jobs": asked.jobs}
    trees = RandomForestClassifier(TREES, random_state=asked.seed, **settings)
    trees.fit(np.concatenate(known), np.concatenate(true))
    return lambda picture: trees.predict(describe(picture)).reshape(picture.shape[:2])


def of_baseline(tell: Teller, test: Path, seed: int) -> list[Measure]:
    """Measure a baseline on every labelled pixel of test."""
    counts = [confusion(label, tell(picture), UNLABELLED, (UNLABELLED,)) for picture, label in pairs(test)]
    return segmentation_measures(counts, NAMES, seed)


def of_run(run: str, test: Path) -> list[Measure]:
    """Measure a run by what `gannet judge` says of it."""
    return gannet.judge(run, test).measures


def row(name: str, measure: Callable[[], list[Measure]]) -> str:
    """Measure, and give a line of the table: figures with their intervals, the IoU of each class, and the seconds."""
    start = time.perf_counter()
    found = {one.name: one for one in measure()}
    both = (found["mean IoU"], found["pixel accuracy"])
    whole = [f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})" for one in both]
    # A run whose data name no classes calls them by their numbers.
    by_class = [found.get(f"IoU of {name}", found.get(f"IoU of {number}")) for number, name in enumerate(NAMES)]
    shares = [f"{one.value:.1%}" if one else "" for one in by_class]
    return f"| {' | '.join([name, *whole, *shares, f'{time.perf_counter() - start:.0f}'])} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GANNET_DATA", "."), "camvid"))
    parser.add_argument("--pixels", type=int, default=200_000, help="of train that a forest learns from")
    parser.add_argument("--jobs", type=int, default=1, help="cores for the forests")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    train, test = asked.data / "train", asked.data / "test"
    rows: dict[str, Callable[[], list[Measure]]] = {
        "commonest class": lambda: of_baseline(everywhere(train), test, asked.seed),
        "colour": lambda: of_baseline(forest(train, colours, asked), test, asked.seed),
        "colour and place": lambda: of_baseline(forest(train, colours_and_places, asked), test, asked.seed),
    }
    rows |= {run: lambda run=run: of_run(run, test) for run in asked.runs}
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {datetime.date.today()}; ", end="")
    print(f"{test}, {asked.pixels:,} pixels of train, seed {asked.seed}; 95 % intervals over images\n")
    heads = ["told by", "mean IoU", "pixel accuracy", *NAMES, "seconds"]
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    for name, measure in rows.items():
        print(row(name, measure), flush=True)


if __name__ == "__main__":
    main()
