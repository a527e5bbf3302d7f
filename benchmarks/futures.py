"""Futures of the moving digits, held against what came and against baselines that may try as often.

    python benchmarks/futures.py RUN

RUN is a run of video prediction, or a model. PSNR by frame of one future, of the nearest of ten, and of the last given
frame, the mean frame and the moving thing erased, alone and as the nearest of ten tries (as they are, shifted evenly
eight ways, shrunk evenly); IoU of the mask with where the digit is, by frame; and how much moves. All clips are held
out, and their digits were never shown.
"""

import argparse
import datetime
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

import gannet
from gannet.augmentation.levels import from_levels
from gannet.data.sources.moving_digits import COUNT, TESTED, draw_clip
from gannet.metrics.foreground import overlap
from gannet.tasks.video_prediction.evaluation import as_written, energies_of, figures, foreground_energy, nearest
from gannet.tasks.video_prediction.game import parts_of

FUTURES, MEANT, HALF = 10, 64, 0.5
"""Futures and tries of which the nearest counts, clips that the mean frame is of, and the mask of what is seen."""
SHIFT, SHRINK = 1.5, 0.01
"""Pixels, and share of the size, a frame: digits move 1 to 2.5 pixels."""
TURNS = np.arange(8) * np.pi / 4
SHOWN = (1, 2, 4, 8, 16)
ONE, NEAREST = "one future", f"nearest of {FUTURES} futures"


def clip_of(number: int) -> tuple[Tensor, Tensor]:
    """A clip (1, 3, t, h, w) in [-1, 1], and where its digit is (1, t, h, w)."""
    frames, mask, _ = draw_clip(number)
    levels = torch.from_numpy(np.ascontiguousarray(frames[None])).permute(0, 4, 1, 2, 3).float()
    return from_levels(levels), torch.from_numpy(mask[None])


def mean_frame() -> Tensor:
    """The mean of all frames of some clips that were learned from, (1, c, 1, h, w)."""
    return torch.stack([clip_of(number)[0].mean((0, 2)) for number in range(MEANT)]).mean(0)[None, :, None]


def tries(frame: Tensor, length: int) -> Iterator[Tensor]:
    """Ten clips of a frame (1, c, 1, h, w): as it is, shifted evenly eight ways, and shrunk evenly to its middle."""
    ways = [(0.0, 0.0, 0.0), *((SHIFT * np.cos(turn), SHIFT * np.sin(turn), 0.0) for turn in TURNS), (0.0, 0.0, SHRINK)]
    for way in ways:
        moved = [at_time(frame[:, :, 0], time, *way) for time in range(1, length + 1)]
        yield as_written(torch.stack(moved, 2))


def at_time(frame: Tensor, time: int, across: float, down: float, shrink: float) -> Tensor:
    """A frame (1, c, h, w) after so much time, moved by so many pixels a frame; its edges go on beyond."""
    size, side = (1 - shrink) ** -time, frame.shape[-1] / 2
    matrix = torch.tensor([[[size, 0, -across * time / side], [0, size, -down * time / side]]], dtype=torch.float32)
    grid = affine_grid(matrix, list(frame.shape), align_corners=False)
    return grid_sample(frame, grid, padding_mode="border", align_corners=False)


class Table:
    """Collects what is measured of each clip.

    Attributes:
        rows: figures of each way, a clip after the other.
        energies: of each way, its own and the true one.
        overlaps: of the nearest future's mask, by frame.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, float]]] = {}
        self.energies: dict[str, list[tuple[float, float]]] = {ONE: [], NEAREST: []}
        self.overlaps: list[list[float]] = []

    def add(self, pipeline: Any, number: int, mean: Tensor) -> None:
        """Measure one clip."""
        (clip, mask), given = clip_of(number), pipeline.settings.given
        seen, future = parts_of(clip, given)
        futures = pipeline.futures(seen, 0, range(FUTURES))
        made = [as_written(one.clip()) for one in futures]
        ways = {ONE: made[0], NEAREST: nearest(made, future)}
        still = clip.median(2, keepdim=True).values
        for way, energies in self.energies.items():
            energies.append(energies_of(ways[way], future, still))
        told = next(one.mask[:, 0] > HALF for one, clips in zip(futures, made, strict=True) if clips is ways[NEAREST])
        true = mask[:, given:]
        self.overlaps.append([float(overlap(told[:, at - 1 : at], true[:, at - 1 : at])) for at in SHOWN])
        for name, frame in {
            "last given frame": seen[:, :, -1:],
            "mean frame": mean,
            "moving thing erased": still,
        }.items():
            ways[name] = frame.expand_as(future)
            ways[f"{name}, nearest of {FUTURES} tries"] = nearest(list(tries(frame, future.shape[2])), future)
        for name, one in ways.items():
            self.rows.setdefault(name, []).append(figures(one, future, None))

    def print(self) -> None:
        """Print all."""
        print(f"| PSNR, frame | {' | '.join(map(str, SHOWN))} |\n|---|{'---|' * len(SHOWN)}")
        for way, rows in self.rows.items():
            means = (np.mean([row[f"PSNR, frame {at}"] for row in rows]) for at in SHOWN)
            print(f"| {way} | {' | '.join(f'{one:.1f}' for one in means)} |")
        print(f"| mask IoU, {NEAREST} | {' | '.join(f'{one:.2f}' for one in np.mean(self.overlaps, 0))} |\n")
        for way, energies in self.energies.items():
            (one,) = foreground_energy("foreground energy", energies)
            print(
                f"- foreground energy, frame 16, {way}: {one.value:.2f} of the real ({one.low:.2f} to {one.high:.2f})"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--most", type=int, default=TESTED, help="clips to judge by")
    parser.add_argument("--weights", default="model", help="of a stage, such as pixel; left out, the model's")
    asked = parser.parse_args()
    if asked.most < 1:
        parser.error(f"--most is {asked.most}; give at least 1")
    try:
        pipeline: Any = gannet.load(Path(asked.run) if Path(asked.run).exists() else asked.run, asked.weights)
    except ValueError as error:
        parser.error(str(error))
    if pipeline.task != "video-prediction":
        parser.error(f"{asked.run} is a model of {pipeline.task}; give one of video-prediction")
    print(f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}, {datetime.date.today()}")
    print(f"{asked.run}, {min(asked.most, TESTED)} clips\n")
    table, mean = Table(), mean_frame()
    for number in range(COUNT - TESTED, COUNT - TESTED + min(asked.most, TESTED)):
        table.add(pipeline, number, mean)
    table.print()


if __name__ == "__main__":
    main()
