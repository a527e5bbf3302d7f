"""Does a painter paint what its map says, in the style that is asked for? Two tables, the first beside baselines.

    python benchmarks/painting.py runs/landscapes --work runs/painting [--data landscapes] [--maps 200]

Held-out maps are painted. A segmenter that learned from the true pairs tells what was painted: its mean IoU with the
map, and the share of pixels it is right about. It sees little around each pixel, and learned from pictures whose
colours were changed (`--seeing all` lifts that): by colours, shapes and places it would tell flat fillings as well as
pictures. Beside them the Frechet distance and the kernel distance to the true pictures, over `judge-v1`. Baselines: the
mean colour of each class; a U-Net that learned to give the picture by its mean difference to it (L1); and the picture
of the training map that agrees with most pixels. The segmenter and the U-Net learn here, once, and are kept in
`--work`.

The second table is about control, over as many maps: the sky asked to be bright and to be dark, one region drawn anew,
how far apart seeds are, and the time that one map takes. `--sheet` shows map, truth and what every way makes of the
maps with which the painter's pictures agree best, and those with which they agree worst.
"""

import argparse
import datetime
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import gannet
from gannet.augmentation.levels import to_levels
from gannet.commands.judge import judge_features
from gannet.commands.train import configure, prepare, split_of
from gannet.data.loader import Samples, Sides
from gannet.media import label_map
from gannet.metrics.baseline_comparison import judge_briefly
from gannet.metrics.features import extract
from gannet.metrics.segmentation import confusion, segmentation_measures
from gannet.networks.unet import Unet
from gannet.runtime.digests import digest

PART, SHOWN, LEARNED_FROM, LUMA = 8, 4, 500, torch.tensor([0.299, 0.587, 0.114])
RISES, STAYS, FOLLOWS, RESTS = 10.0, 3.0, 10.0, 2.0
"""Levels of 255: by how much the sky is to rise, other labels may move, a region is to, and what is around it may."""
DISTANCES = ("frechet distance, corrected", "kernel distance")
"""Over the features of `judge-v1`; the first wants more maps than it has numbers."""
NEAR: dict[str, Any] = {
    "network.depth": 2,
    "task.kinds": {"flip": 0.5, "zoom": 1.3, "brightness": 0.3, "contrast": 1.6, "saturation": 2, "hue": 180},
    "task.share": 0.8,
}
"""A segmenter that sees up to 54 pixels around each, and cannot go by colours."""
Way = Callable[[Tensor, int], Tensor]
"""From maps (b, h, w) and the number of the first to pictures (b, 3, h, w) in [-1, 1]."""


def pairs(samples: Samples, most: int) -> tuple[Tensor, Tensor]:
    """Give pictures (n, 3, h, w) and maps (n, h, w) spread over samples."""
    found = list(samples.parts(PART, most))
    return torch.cat([one["image"] for one in found]), torch.cat([one["map"] for one in found])


def segmenter(work: Path, data: str, settings: dict[str, Any], images: int) -> Any:
    """Train a segmenter on the true pairs, or load the one that was trained with the same data and settings."""
    rest = images // 4
    stages = [
        {"name": "learn", "images": images - rest},
        {"name": "settle", "images": rest, "learning_rate_scale": 0.1},
    ]
    asked = {**settings, "data.channels": 3, "stages": stages}
    run = work / f"segmenter-{digest([data, asked])[:8]}"
    if not run.exists():
        gannet.train("segmentation", data, run, asked)
    else:
        gannet.train(resume=run)  # One that was broken off goes on.
    return gannet.load(run)


def plain_unet(work: Path, data: str, painter: Any, samples: Samples, images: int) -> Way:
    """Train a U-Net to give pictures of maps by their mean difference, or load the one of the same data and images."""
    key = digest([data, images, painter.settings.description.shape, painter.classes])[:8]
    file, network = work / f"unet-{key}.pt", Unet(24, depth=4, fold=2, overview=True).unet(len(painter.classes), 3)
    if file.exists():
        network.load_state_dict(torch.load(file, weights_only=True))
    else:
        optimizer = torch.optim.Adam(network.parameters(), 1e-3)
        for at in range(0, images, PART):
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * (1 if at < 0.75 * images else 0.1)
            batch = samples.batch(at, PART, PART)
            with torch.autocast("cpu", torch.bfloat16):
                made = network(painter.class_shares(batch["map"]))
            loss = (made.float() - batch["image"]).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        torch.save(network.state_dict(), file)
    network.eval()

    @torch.no_grad()
    def way(maps: Tensor, number: int) -> Tensor:  # noqa: ARG001
        return network(painter.class_shares(maps)).float().clamp(-1, 1)

    return way


def mean_colour(painter: Any, samples: Samples) -> Way:
    """Fill maps with the mean colours of their classes in training pictures."""
    pictures, maps = pairs(samples, LEARNED_FROM)
    shares = torch.cat([painter.class_shares(part) for part in maps.split(PART)])
    known = shares.sum(1, keepdim=True)
    total = torch.einsum("bnhw,bchw->nc", shares, pictures * known)
    colours = total / shares.sum((0, 2, 3)).clamp_min(1)[:, None]
    return lambda maps, number: torch.einsum("bnhw,nc->bchw", painter.class_shares(maps), colours)  # noqa: ARG005


def nearest_map(samples: Samples) -> Way:
    """Give the training picture whose map agrees with most pixels of a small copy."""
    pictures, maps = pairs(samples, len(samples))
    small = maps[:, 4::8, 4::8].flatten(1)

    def way(asked: Tensor, number: int) -> Tensor:  # noqa: ARG001
        agreed = (asked[:, None, 4::8, 4::8].flatten(2) == small[None]).sum(2)
        return pictures[agreed.argmax(1)]

    return way


def agreement_table(painter: Any, teller: Any, sides: Sides, ways: dict[str, Way], most: int) -> dict[str, list[float]]:
    """Print what a segmenter and the features of a judge say of every way, and give the right pixels of each map."""
    pictures, maps = pairs(sides[1], most)
    features = judge_features()
    assert features is not None, "judge-v1 ships"
    real = extract(features, [partial(torch.clone, part) for part in pictures.split(PART)])
    ways = {"true pictures": lambda maps, number: pictures[number : number + len(maps)], **ways}
    agreed = {}
    print(f"| painted by | mean IoU | pixel accuracy | {' | '.join(DISTANCES)} |\n|---|---|---|---|---|")
    for name, way in ways.items():
        made = [way(part, number * PART) for number, part in enumerate(maps.split(PART))]
        told = torch.cat([teller.told(part) for part in made]).numpy()
        counts = [confusion(one, other, len(painter.classes)) for one, other in zip(maps.numpy(), told, strict=True)]
        agreed[name] = [float(np.trace(one) / max(1, one.sum())) for one in counts]
        iou, accuracy = segmentation_measures(counts, painter.classes, 0)[:2]
        fake = extract(features, [partial(torch.clone, part) for part in made])
        near = {one.name: one.value for one in judge_briefly(real, fake, features.name, 0)}
        distances = [f"{near[key]:.4g}" if key in near else "" for key in DISTANCES]
        shown = [f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})" for one in (iou, accuracy)]
        print(f"| {name} | {' | '.join([*shown, *distances])} |", flush=True)
    return agreed


def painted(painter: Any, told: Tensor, **options: Any) -> Tensor:
    """Paint a map (h, w) as `gannet apply` does: levels (h, w, 3)."""
    made = painter(Image.fromarray(told.numpy().astype(np.uint8)), **options).value
    return torch.from_numpy(made.values.astype(np.float32))


def control_table(painter: Any, sides: Sides, most: int) -> None:
    """Print whether a painter does what it is asked to, and how long it takes."""
    pictures, maps = pairs(sides[1], most)
    rises, others, follows, rests, apart = [], [], [], [], []
    for number, told in enumerate(maps):
        if "sky" in painter.classes and (told == painter.classes.index("sky")).float().mean() > 0.02:
            rise, other = words_moved(painter, told, number)
            rises.append(rise)
            others.append(other)
        region, rest = anew(painter, told, number)
        follows.append(region)
        rests.append(rest)
        seeds = [painted(painter, told, seed=3 * number + one) for one in range(3)]
        apart += [float((one - other).abs().mean()) for one, other in combinations(seeds, 2)]
    between = [float((to_float(one) - to_float(other)).abs().mean()) for one, other in pairwise(pictures)]
    rows = {}
    if rises:
        rise, other = (
            f"mean luma of the sky, bright over dark: + {median(rises):.0f} levels; {RISES:.0f} or more",
            f"the other labels' mean luma meanwhile: {median(others):.1f} levels; less than {STAYS:.0f}",
        )
        rows = {rise: share(np.array(rises) >= RISES), other: share(np.array(others) < STAYS)}
    rows |= {
        f"a region drawn anew moves: {median(follows):.0f} levels; more than {FOLLOWS:.0f}": share(
            np.array(follows) > FOLLOWS
        ),
        f"elsewhere meanwhile: {median(rests):.2f} levels; less than {RESTS:.0f}": share(np.array(rests) < RESTS),
        "both": share((np.array(follows) > FOLLOWS) & (np.array(rests) < RESTS)),
    }
    print(f"\n| asked for | share of {len(maps)} maps |\n|---|---|")
    for words, found in rows.items():
        print(f"| {words} | {found} |")
    print(
        f"| two seeds are apart by (of two true pictures: {median(between):.0f} levels) | {median(apart):.0f} levels |"
    )
    print(f"| one map to a picture | {1000 * seconds(painter, maps[0]):.0f} ms |")


def share(which: Any) -> str:
    """Give a share in words."""
    return f"{np.mean(which):.1%}"


def to_float(picture: Tensor) -> Tensor:
    """Give a picture (3, h, w) in [-1, 1] in levels."""
    return to_levels(picture).float()


def words_moved(painter: Any, told: Tensor, seed: int) -> tuple[float, float]:
    """Tell by how many levels a bright sky is brighter than a dark one, and by how many the other labels moved most."""
    bright, dark = (painted(painter, told, seed=seed, words=f"sky: {word}") @ LUMA for word in ("bright", "dark"))
    moved = {}
    for number in told.unique().tolist():
        lies = told == number
        if number < len(painter.classes) and lies.float().mean() > 0.005:
            moved[painter.classes[number]] = float((bright - dark)[lies].mean())
    rise = moved.pop("sky")
    return rise, max((abs(one) for one in moved.values()), default=0.0)


def anew(painter: Any, told: Tensor, seed: int) -> tuple[float, float]:
    """Draw the region of the commonest class anew: by how many levels it moves on average, and what is around it."""
    number = int(told.flatten().bincount(minlength=256)[: len(painter.classes)].argmax())
    lies = told == number
    first = painted(painter, told, seed=seed)
    second = painted(painter, told, seed=seed, region=painter.classes[number], region_seed=seed + 1)
    apart = (first - second).abs().mean(2)
    return float(apart[lies].mean()), float(apart[~lies].mean()) if bool((~lies).any()) else 0.0


def seconds(painter: Any, told: Tensor) -> float:
    """Give how long one map takes, the median of nine."""
    taken = []
    for seed in range(10):
        start = time.perf_counter()
        painted(painter, told, seed=seed)
        taken.append(time.perf_counter() - start)
    return median(taken[1:])


def write_sheet(file: Path, sides: Sides, ways: dict[str, Way], agreed: list[float]) -> None:
    """Show maps, true pictures, and what every way makes of them, a row each: of the best and of the worst."""
    pictures, maps = pairs(sides[1], len(agreed))
    order = np.argsort(agreed)[::-1]
    numbers = [*order[:SHOWN].tolist(), *order[-SHOWN:].tolist()]
    made = [torch.cat([way(maps[one : one + 1], one) for one in numbers]) for way in ways.values()]
    rows = [label_map.coloured(maps[numbers]), pictures[numbers], *made]
    whole = torch.cat([torch.cat(list(row), 2) for row in rows], 1)
    Image.fromarray(to_levels(whole).byte().permute(1, 2, 0).numpy()).save(file)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", default="landscapes")
    parser.add_argument("--maps", type=int, default=200)
    parser.add_argument("--learn", type=int, default=8_000, help="images that segmenter and U-Net learn from")
    parser.add_argument("--seeing", choices=["near", "all"], default="near", help="what the segmenter may go by")
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    painter: Any = gannet.load(asked.model)
    split = split_of(prepare(configure("semantic-synthesis", asked.data, {}, asked.model)))
    sides = (split.training, split.held_out)
    size = list(painter.settings.description.shape[1:])
    ignored = list(painter.settings.task.options.get("ignore", []))
    settings = {"data.size": size, "task.ignore": ignored, **(NEAR if asked.seeing == "near" else {})}
    teller = segmenter(asked.work, asked.data, settings, asked.learn)
    ways: dict[str, Way] = {
        "this model": lambda maps, number: painter.painted(maps, number),
        "mean colour of each class": mean_colour(painter, sides[0]),
        "U-Net with L1": plain_unet(asked.work, asked.data, painter, sides[0], asked.learn),
        "nearest training map": nearest_map(sides[0]),
    }
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {datetime.date.today()}; {asked.data}\n"
    )
    agreed = agreement_table(painter, teller, sides, ways, asked.maps)
    control_table(painter, sides, min(asked.maps, len(sides[1])))
    if asked.sheet:
        write_sheet(asked.sheet, sides, ways, agreed["this model"])


if __name__ == "__main__":
    main()
