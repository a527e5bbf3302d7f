"""How much of an augmentation shows in what is generated, by the share of healthy data? A table and a plot.

    GANNET_DATA=... python benchmarks/healthy_share.py --out FOLDER [--images 60000]

Fashion-MNIST, quarter turns and noise: augmented pictures *kept in the data*, and augmentation *in the game* with
probability one less the healthy share, from the first picture on (*at once*) or climbed to over half of the run
(*climbing*). A detector of each augmentation, which learned healthy and augmented pictures, is shown 10,000 fakes of
each run, and as many held-out pictures, healthy and augmented. An honest GAN gives back what it was given: augmented
files show in its fakes by their share. In the game they need not. What was found is kept in FOLDER, and the same
command goes on where it was broken off.
"""

import argparse
import datetime
import json
import os
import platform
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import frechet, loaders, plot_lines

import gannet
from gannet.augmentation.draws import Drawn
from gannet.augmentation.kinds import augment, choose_kinds
from gannet.augmentation.levels import from_levels, to_levels
from gannet.media.grids import draw_grid
from gannet.tasks.generation.leak_detectors import learn_detector, looking_augmented

KINDS = {"quarter-turn": 1.0, "noise": 0.1}
IN_GAME = {**KINDS, "quarter-turn": 0.75}
"""In the game a turn is drawn from all four, no turn among them, as ADA has it: where all four are as common, nothing
tells which is healthy. Were pictures always turned, that would be so at a probability of three quarters."""
SHARES = (1.0, 0.6, 0.4, 0.3, 0.2, 0.1)
WAYS = {"kept": SHARES, "at once": (*SHARES, 0.0), "climbing": SHARES[1:]}
"""With the healthy shares of each; without any healthy picture an augmentation must show."""
FAKES, SHOWN = 10_000, 64
RECIPE = "fashion-mnist"


def learn_from_file(data: Path) -> Any:
    """A small classifier of the labelled pictures in a file."""
    with tempfile.TemporaryDirectory() as folder:
        changes = {"images": 240_000, "stages": [], "log.sheet_every": 10**9, "data.size": 28, "data.channels": 1}
        return gannet.train("recognition", data, Path(folder) / "run", changes).pipeline().probabilities


@cache
def detector(kind: str) -> Any:
    """The detector of one augmentation."""
    ((one, strength),) = choose_kinds({kind: KINDS[kind]})
    training, _ = loaders(RECIPE)
    return learn_detector(one, strength, training.spread(20_000)["real"], learn_from_file, seed=0)


def kept(kind: str, share: float, folder: Path) -> Path:
    """A file of the training pictures of which only that share stays healthy, and of the test pictures."""
    training, test = loaders(RECIPE)
    pictures = training.columns["real"].values[training.chosen].copy()
    spoilt = np.random.default_rng(0).random(len(pictures)) >= share
    rows = np.flatnonzero(spoilt)
    draws = Drawn(len(rows), torch.Generator().manual_seed(0))
    values = from_levels(torch.from_numpy(pictures[rows]))
    changed = augment(values, choose_kinds({kind: KINDS[kind]}), 1.0, draws).clamp(-1, 1)
    pictures[rows] = to_levels(changed).byte().numpy()
    path = folder / "kept.npz"
    label = training.columns["label"].values
    x_test = test.columns["real"].values[test.chosen].transpose(0, 2, 3, 1)
    np.savez(
        path,
        x_train=pictures.transpose(0, 2, 3, 1),
        y_train=label[training.chosen],
        x_test=x_test,
        y_test=label[test.chosen],
    )
    return path


def play(kind: str, way: str, share: float, asked: argparse.Namespace) -> dict[str, Any]:
    """Train once, and show the fakes to the detector."""
    with tempfile.TemporaryDirectory() as temporary:
        changes: dict[str, Any] = {"images": asked.images, "log.sheet_every": 10**9}
        data: str | Path = RECIPE
        if way == "kept":
            data = kept(kind, share, Path(temporary))
        elif share < 1:
            climb = 1 if way == "at once" else max(1, asked.images // 2)
            changes["augment"] = {"name": "fixed", "share": 1 - share, "climb": climb, "kinds": {kind: IN_GAME[kind]}}
        run = gannet.train(RECIPE, data, Path(temporary) / "run", changes)
        pipeline: Any = run.pipeline()
        fakes = torch.cat(list(pipeline.stream(FAKES, seed=0)))
    draw_grid(fakes[:SHOWN]).save(asked.out / f"{kind}-{way}-{share:g}.png".replace(" ", "-"))
    found = looking_augmented(detector(kind), fakes)
    return {"kind": kind, "way": way, "healthy": share, **vars(found), "distance": frechet(fakes, RECIPE)}


def known(kind: str) -> dict[str, float]:
    """What the detector makes of held-out pictures, healthy and augmented."""
    _, held_out = loaders(RECIPE)
    real = held_out.spread(FAKES)["real"]
    spoilt = augment(real, choose_kinds({kind: KINDS[kind]}), 1.0, Drawn(len(real), torch.Generator().manual_seed(1)))
    rates = [looking_augmented(detector(kind), pictures).value for pictures in (real, spoilt)]
    return dict(zip(("base", "hits"), rates, strict=True))


def table(rows: list[dict[str, Any]], told: dict[str, dict[str, float]]) -> None:
    """What looks augmented, by the healthy share."""
    print(
        "\n| augmentation | where | healthy | fakes that look augmented | less the base | Frechet distance, judge-v1 |"
    )
    print("|---|---|---|---|---|---|")
    for row in rows:
        above = row["value"] - told[row["kind"]]["base"]
        interval = f"{row['value']:.1%} ({row['low']:.1%} to {row['high']:.1%})"
        print(
            f"| {row['kind']} | {row['way']} | {row['healthy']:.0%} | {interval} | {above:+.1%} | "
            f"{row['distance']:.3f} |"
        )
    for kind, rates in told.items():
        print(
            f"{kind}: of held-out pictures {rates['base']:.1%} look augmented, of augmented ones {rates['hits']:.1%}."
        )


def main() -> None:
    """Play what is missing, print the table, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, default=60_000)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    file, beside = asked.out / f"figures-{asked.images}.json", asked.out / "detectors.json"
    rows = json.loads(file.read_text()) if file.exists() else []
    for kind in KINDS:
        for way, shares in WAYS.items():
            for share in shares:
                if not any((row["kind"], row["way"], row["healthy"]) == (kind, way, share) for row in rows):
                    rows.append(play(kind, way, share, asked))
                    file.write_text(json.dumps(rows, indent=1) + "\n")
                    print(f"{kind}, {way}, {share:.0%} healthy: {rows[-1]['value']:.1%}", flush=True)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(
        f"\n{RECIPE}, {asked.images:,} images a run, {machine}, torch {torch.__version__}, seed 0, "
        f"{datetime.date.today()}"
    )
    told = json.loads(beside.read_text()) if beside.exists() else {kind: known(kind) for kind in KINDS}
    beside.write_text(json.dumps(told, indent=1) + "\n")
    table(rows, told)
    lines = {
        f"{kind}, {way}": [
            (1 - row["healthy"], row["value"]) for row in rows if (row["kind"], row["way"]) == (kind, way)
        ]
        for kind in KINDS
        for way in WAYS
    }
    plot_lines(lines, "Share of fakes that look augmented, by the share augmented", asked.out / "healthy-share.png")


if __name__ == "__main__":
    main()
