"""Figures of models of clips, and whether faults in time are told from real clips at all.

    GANNET_DATA=... python benchmarks/video.py RUN
    GANNET_DATA=... python benchmarks/video.py --faults

RUN: distances to held-out clips beside real ones frozen and shuffled; mask IoU against a rule that knows nothing of the
generator; the time of one clip. --faults: a half of the real clips is spoilt and held against the other half; the
chance is that of a permutation test, 0.001 at least; "none" is what real clips themselves score.
"""

import argparse
import datetime
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gannet
from gannet.augmentation.levels import from_levels
from gannet.augmentation.time_faults import FAULTS
from gannet.commands.judge import JUDGE_OF_CLIPS, judge_features
from gannet.data.sources.moving_digits import COUNT, TESTED, draw_clip
from gannet.media import clip
from gannet.metrics.distances import frechet_distance
from gannet.metrics.features import Features
from gannet.metrics.foreground import overlap, tell_moving
from gannet.metrics.motion import DISTANCE, motion_distance, motion_of, on_one_scale
from gannet.metrics.two_sample import permutation_test
from gannet.runs.folder import read_recipe
from gannet.tasks.video_generation.pipeline import MASK

LENGTH, SIDE, RATE, PART = 32, 64, 25, 16
FALLING, SHAPES, MASKED, TIMED, PEOPLE = 100, 100, 100, 20, 8
"""Clips that are drawn, that are taken of the shapes, whose masks are compared, that are timed; numbers a person."""
STRENGTHS = (1.0, 0.5)


def data(name: str) -> Path:
    """A folder of `$GANNET_DATA`."""
    return Path(os.environ["GANNET_DATA"]) / name


def films(folder: Path) -> list[Path]:
    """All films of a folder, by their numbers."""
    return sorted(folder.rglob("*.mp4"), key=lambda path: path.stem)


def middle_window(path: Path) -> Tensor:
    """The middle of a film: (1, 3, 32, 64, 64)."""
    field = clip.medium.field((SIDE, SIDE), 3, RATE, LENGTH)
    levels = clip.medium.fit(clip.medium.read(path.read_bytes()), field)
    start = round((len(levels) - LENGTH) / 2)
    return in_tensor(levels[None, start : start + LENGTH])


def in_tensor(levels: Any) -> Tensor:
    """Clips (n, t, h, w, c) as (n, c, t, h, w) in [-1, 1]."""
    return from_levels(torch.from_numpy(np.ascontiguousarray(levels)).permute(0, 4, 1, 2, 3).float())


def falling(count: int) -> Tensor:
    """Discs that fall on a still ground and spring back lower each time, which tells whither time goes."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[:SIDE, :SIDE]
    clips = np.empty((count, LENGTH, SIDE, SIDE, 3), np.uint8)
    for one in clips:
        one[:] = random.integers(40, 110, (1, SIDE, SIDE, 1))
        place, speed, radius = np.array([8.0, random.uniform(12, 52)]), np.zeros(2), random.uniform(5, 9)
        speed[1], pull, kept = random.uniform(-0.8, 0.8), random.uniform(0.3, 0.7), random.uniform(0.5, 0.8)
        for frame in one:
            frame[(down - place[0]) ** 2 + (across - place[1]) ** 2 < radius**2] = random.integers(200, 210)
            speed[0] += pull
            place += speed
            if place[0] > SIDE - radius:
                place[0], speed[0] = SIDE - radius, -kept * speed[0]
    return in_tensor(clips)


def in_halves(name: str) -> tuple[Tensor, Tensor]:
    """Two halves of the real clips; of the actions other people in each."""
    if name == "video/actions":
        found = [(int(path.stem) // PEOPLE, middle_window(path)) for path in films(data(name))]
        middle = len({person for person, _ in found}) // 2
        sides = [[one for person, one in found if (person > middle) == late] for late in (False, True)]
        return torch.cat(sides[0]), torch.cat(sides[1])
    if name == "video/shapes":
        paths = films(data(name))
        clips = torch.cat([middle_window(path) for path in paths[:: len(paths) // SHAPES][:SHAPES]])
    elif name == "moving-digits":
        clips = torch.cat([in_tensor(draw_clip(number)[0][None]) for number in range(COUNT - TESTED, COUNT)])
    else:
        clips = falling(FALLING)
    return clips[::2], clips[1::2]


def looked_at(features: Features, clips: Tensor) -> Tensor:
    """Features of clips, some at a time."""
    return torch.cat([features(part) for part in clips.split(PART)])


def fault_rows(name: str) -> Iterator[str]:
    """How far each fault is from real clips, by motion and by the network, and by what chance."""
    real, others = in_halves(name)
    features = judge_features("", JUDGE_OF_CLIPS)
    assert features is not None
    known, moving = looked_at(features, real), motion_of(real)
    for fault, strength in [("none", 0.0), *((fault, strength) for fault in FAULTS for strength in STRENGTHS)]:
        generator = torch.Generator().manual_seed(0)
        spoilt = FAULTS[fault](others, strength, generator) if strength else others
        scaled = on_one_scale(moving, motion_of(spoilt))
        apart, chance = motion_distance(*scaled)[DISTANCE], permutation_test(*scaled, seed=0)[1]
        seen = looked_at(features, spoilt)
        by_network = permutation_test(known, seen, seed=0)[1]
        far = frechet_distance(known, seen)
        yield f"| {name} | {fault} | {strength:g} | {apart:.3f} | {chance:.3f} | {far:.3f} | {by_network:.3f} |"


def print_faults() -> None:
    """The table of planted faults."""
    print(f"| real clips | fault | strength | {DISTANCE} | chance | frechet distance ({JUDGE_OF_CLIPS}) | chance |")
    print("|---|---|---|---|---|---|---|")
    for name in ("moving-digits", "video/shapes", "video/actions", "falling"):
        for row in fault_rows(name):
            print(row, flush=True)


def generation_figures(run: Path, pipeline: Any) -> None:
    """Distances, the overlap of masks, and the time of a clip."""
    for line in gannet.judge(run).lines():
        print(f"- {line}")
    found = masks_of(pipeline)
    print(f"- mask IoU: {float(found.mean()):.3f} (median {float(found.median()):.3f}), {len(found)} generated clips")
    if read_recipe(run).data.source == "moving-digits":
        print(f"- the rule's own IoU on real moving digits: {float(rule_overlap().mean()):.3f}")
    times = [timed(part) for part in pipeline.parts(TIMED, 1)]
    print(f"- one clip: {min(times):.3f} s at best, {float(np.median(times)):.3f} s in the middle")


def masks_of(pipeline: Any) -> Tensor:
    """The overlap of a generator's masks with where its clips move."""
    both = zip(pipeline.parts(MASKED, 0), pipeline.parts(MASKED, 0, None, MASK), strict=True)
    return torch.cat([overlap(tell_moving(clips()), masks()[:, 0] > 0) for clips, masks in both])


def rule_overlap() -> Tensor:
    """The overlap of where real moving digits are said to move with where they do."""
    drawn = [draw_clip(number) for number in range(COUNT - TESTED, COUNT)]
    return torch.cat(
        [overlap(tell_moving(in_tensor(one[None])), torch.from_numpy(mask[None])) for one, mask, _ in drawn]
    )


def timed(part: Callable[[], Tensor]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    part()
    return time.perf_counter() - start


FIGURES: dict[str, Callable[[Path, Any], None]] = {"video-generation": generation_figures}
"""By task, what prints a run's figures."""


def print_figures(run: Path) -> None:
    """The figures of a run of a task of clips."""
    pipeline = gannet.load(run)
    if pipeline.task not in FIGURES:
        raise SystemExit(f"{run} is a run of {pipeline.task}; figures are known of {', '.join(FIGURES)}.")
    FIGURES[pipeline.task](run, pipeline)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--faults", action="store_true")
    options = parser.parse_args()
    if not (options.run or options.faults):
        parser.error("give a run, or --faults")
    print(f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}, {datetime.date.today()}\n")
    if options.faults:
        print_faults()
    if options.run:
        print_figures(options.run)


if __name__ == "__main__":
    main()
