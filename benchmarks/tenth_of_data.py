"""What lets a tenth of the data serve, or a hundredth? A table, a plot, and the pictures themselves.

    GANNET_DATA=... python benchmarks/tenth_of_data.py --out FOLDER [--images 200000] [--seeds 0 1 2]
        [--shares "a hundredth"] [--ways none from]

Fashion-MNIST: all of it without augmentation and with ADA, and a tenth and a hundredth each with none, with classical
augmentation of the files (`gannet augment --times 4`), with DiffAugment, with ADA, with LeCam and with CHAIN, each
alone and with ADA, and from a model that has learned MNIST's digits by the same recipe (`--from`), without and with
DiffAugment. Every run sees as many images; its final and its best weights draw 10,000 fakes, held against the 10,000
of the test file by the Frechet distance over judge-v1. Of the final weights' fakes the table says besides how many lie
as near to a training picture as the nearest 1 % of the test pictures do (relative to its fifth nearest neighbour): more
than 1 % are learned by heart. What was found is kept in FOLDER, and the same command goes on where it was broken off.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import Lines, features, frechet, loaders, plot_lines, real_features
from scipy import stats

import gannet
from gannet.api import AugmentOptions, augment
from gannet.commands.augment.images import GROUP
from gannet.media.grids import draw_grid
from gannet.metrics.memorization import CopyAudit

SHARES = {"all": 1.0, "a tenth": 0.1, "a hundredth": 0.01}
ADA, LECAM, CHAIN = {"augment.name": "ada"}, {"loss.lecam.weight": 0.01}, {"network.normalization": "chain"}
WAYS: dict[str, dict[str, Any]] = {
    "none": {},
    "classical": {},
    "diffaugment": {"augment.name": "diffaugment"},
    "ada": ADA,
    "lecam, 0.3": {"loss.lecam.weight": 0.3},
    "lecam": LECAM,
    "lecam, ada": {**LECAM, **ADA},
    "chain": CHAIN,
    "chain, ada": {**CHAIN, **ADA},
    "from": {},
    "from, diffaugment": {"augment.name": "diffaugment"},
}
CELLS = [("all", "none"), ("all", "ada"), *((share, way) for share in ("a tenth", "a hundredth") for way in WAYS)]
WEIGHTS = ("model", "best")
FAKES, SHOWN = 10_000, 64


def chosen_rows(share: float, seed: int) -> np.ndarray:
    """The rows of that share of the training pictures."""
    training, _ = loaders("fashion-mnist")
    return np.sort(np.random.default_rng(seed).permutation(training.chosen)[: round(share * len(training))])


def subset(share: float, seed: int, folder: Path) -> Path:
    """A file of that share of the training pictures, and all of the test pictures."""
    training, test = loaders("fashion-mnist")
    chosen = chosen_rows(share, seed)
    arrays = {}
    for name, rows in (("train", chosen), ("test", test.chosen)):
        arrays[f"x_{name}"] = training.columns["real"].values[rows].transpose(0, 2, 3, 1)
        arrays[f"y_{name}"] = training.columns["label"].values[rows]
    path = folder / "subset.npz"
    np.savez(path, **arrays)
    return path


def play(share: str, way: str, seed: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Train a cell once; the distances of its final and its best weights."""
    with tempfile.TemporaryDirectory() as temporary:
        data, changes = subset(SHARES[share], seed, Path(temporary)), {**WAYS[way]}
        if way == "classical":
            data = augment(data, Path(temporary) / "augmented", AugmentOptions(times=4, seed=seed)).path
            changes["data.group"] = GROUP
        changes |= {"images": asked.images, "seed": seed, "log.sheet_every": 10**9}
        start = digits(asked) if way.startswith("from") else ""
        run = whole(gannet.train("fashion-mnist", data, Path(temporary) / "run", changes, start_from=start))
        found: dict[str, Any] = {"share": share, "way": way, "seed": seed}
        for weights in WEIGHTS:
            pipeline: Any = gannet.load(run.folder, weights)
            fakes = torch.cat(list(pipeline.stream(FAKES, seed=0)))
            found[weights] = frechet(fakes, "fashion-mnist")
            if weights == "model":
                found |= copies(fakes, share, seed)
        line = list(run.log())[-1]
        found["augmented"] = line.get("augmentation", {}).get("share")
        found["normalized"] = line.get("chain", {}).get("share")
        found["minutes"] = line["clock"]["seconds"] / 60
        draw_grid(fakes[:SHOWN]).save(asked.out / f"{share}-{way}-{seed}.png".replace(" ", "-"))
    return found


def copies(fakes: torch.Tensor, share: str, seed: int) -> dict[str, float]:
    """How far fakes give the training pictures back: the share of near copies, and how often a fake is the nearer."""
    training, _ = loaders("fashion-mnist")
    pixels = torch.from_numpy(training.columns["real"].values[chosen_rows(SHARES[share], seed)])
    audit = CopyAudit(features(pixels.float() / 127.5 - 1), real_features("fashion-mnist"))(features(fakes))
    return {"near_copies": audit.near_copies, "closer": audit.closer} if audit else {}


def whole(run: gannet.Run) -> gannet.Run:
    """The run, unless it was broken off."""
    if run.ending == "interrupted":
        raise SystemExit("Broken off; the same command goes on.")
    return run


def digits(asked: argparse.Namespace) -> Path:
    """A run of the same recipe that has learned MNIST, to start from."""
    folder: Path = asked.out / f"digits-{asked.images}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=asked.out) as temporary:
            changes = {"images": asked.images}
            whole(gannet.train("fashion-mnist", "mnist", Path(temporary) / "run", changes)).folder.rename(folder)
    return folder


def table(rows: list[dict[str, Any]]) -> None:
    """Distances, and the share of the gap to all data that each way closes."""
    print("\n| data | way | final weights | best weights | share of the gap closed (final, best) | near copies |")
    print("|---|---|---|---|---|---|")
    means = {}
    for share, way in CELLS:
        own = [row for row in rows if (row["share"], row["way"]) == (share, way)]
        if not own:
            continue
        found = [[row[weights] for row in own] for weights in WEIGHTS]
        means[share, way] = [statistics.mean(values) for values in found]
        cells = [f"{statistics.mean(values):.3f} ± {deviation(values):.3f}" for values in found]
        print(f"| {share} | {way} | {cells[0]} | {cells[1]} | {closed(means, share, way)} | {near_copies(own)} |")
    for share in ("a tenth", "a hundredth"):
        print(gap(rows, share))
    print(ratio(rows))


def near_copies(rows: list[dict[str, Any]]) -> str:
    """The share of the fakes that are near copies, its mean and deviation between seeds; empty where none was found."""
    found = [100 * row["near_copies"] for row in rows if "near_copies" in row]
    return f"{statistics.mean(found):.1f} ± {deviation(found):.1f} %" if found else ""


def deviation(values: list[float]) -> float:
    """The deviation between seeds."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def distances(rows: list[dict[str, Any]], share: str, way: str) -> list[float]:
    """The distances of a cell's final weights, by seed."""
    return [
        row["model"] for row in sorted(rows, key=lambda row: row["seed"]) if (row["share"], row["way"]) == (share, way)
    ]


def gap(rows: list[dict[str, Any]], share: str) -> str:
    """Whether fewer data are worse at all, beyond what another seed does."""
    lesser, full = distances(rows, share, "none"), distances(rows, "all", "none")
    if not (lesser and full):
        return ""
    wide = statistics.mean(lesser) - statistics.mean(full)
    return (
        f"{share} without augmentation against all data: {wide:+.3f}, "
        f"{wide / max(deviation(lesser), deviation(full), 1e-9):.1f} seed deviations."
    )


def ratio(rows: list[dict[str, Any]]) -> str:
    """What ADA costs where data suffice: the ratio of distances, with its 95 % bound over seeds (Student's t)."""
    without, augmented = distances(rows, "all", "none"), distances(rows, "all", "ada")
    ratios = [one / other for one, other in zip(augmented, without, strict=False)]
    if len(ratios) < 2:
        return ""
    bound = statistics.mean(ratios) + stats.t.ppf(0.95, len(ratios) - 1) * deviation(ratios) / len(ratios) ** 0.5
    return f"All data with ADA against without: {statistics.mean(ratios):.2f} times the distance, {bound:.2f} at most."


def closed(means: dict[tuple[str, str], list[float]], share: str, way: str) -> str:
    """How much of the gap between this share without augmentation and all data is closed."""
    if way == "none" or share == "all" or ("all", "none") not in means or (share, "none") not in means:
        return ""
    gaps = zip(means[share, "none"], means[share, way], means["all", "none"], strict=True)
    return ", ".join(f"{(without - found) / (without - full):.0%}" for without, found, full in gaps)


def main() -> None:
    """Play what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--shares", nargs="+", choices=SHARES, default=list(SHARES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    file = asked.out / f"figures-{asked.images}.json"
    rows = json.loads(file.read_text()) if file.exists() else []
    for seed in asked.seeds:
        for share, way in CELLS:
            done = any((row["share"], row["way"], row["seed"]) == (share, way, seed) for row in rows)
            if done or share not in asked.shares or way not in asked.ways:
                continue
            rows.append(play(share, way, seed, asked))
            file.write_text(json.dumps(rows, indent=1) + "\n")
            shown = ", ".join(f"{name} {rows[-1][name]:.3f}" for name in WEIGHTS)
            print(f"{share}, {way}, seed {seed}: {shown}, near copies {near_copies(rows[-1:])}", flush=True)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(
        f"\nfashion-mnist, {asked.images:,} images a run, {machine}, torch {torch.__version__}, {datetime.date.today()}"
    )
    table(rows)
    title = "Frechet distance over judge-v1 (final) of 1: a hundredth of the data, 2: a tenth, 3: all"
    plot_lines(lines(rows), title, asked.out / "tenth-of-data.png")


def lines(rows: list[dict[str, Any]]) -> Lines:
    """A line a way, from a hundredth of the data to all."""
    found: Lines = {}
    for way in WAYS:
        for number, share in enumerate(("a hundredth", "a tenth", "all"), 1):
            own = [row["model"] for row in rows if (row["share"], row["way"]) == (share, way)]
            if own:
                found.setdefault(way, []).append((number, statistics.mean(own)))
    return found


if __name__ == "__main__":
    main()
