"""Moving MNIST as others measure it: two digits bounce, ten frames are given, and the ten that follow predicted.

    GANNET_DATA=... python benchmarks/moving_mnist.py --make clips.npz --count 10000
    gannet train video-prediction clips.npz --out runs/moving --set data.length=20 --set task.given=10 \
--set task.draws=1 --set network.parts=2
    GANNET_DATA=... python benchmarks/moving_mnist.py runs/moving

The digits are drawn from `mnist` in `$GANNET_DATA` (after Srivastava, Mansimov and Salakhutdinov, 2015, "Unsupervised
Learning of Video Representations using LSTMs"): those of its training file to learn from, those of its test file to be
judged by, each clip by its number, always the same. RUN is a run, or a model. The squared error of a frame is the sum
over its 64x64 pixels in [0, 1], SSIM that of scikit-image 0.19 for single precision, which takes values to be 2
apart at most: both are what OpenSTL computes. Its table goes by a file of 10,000 clips of the same kind that is not at
hand, by which checkpoints were chosen, too, of networks that learned from 200 times 10,000 clips: near to what is
measured here, but not the same. Intervals are Student's t over clips. A model that goes on from fewer than ten frames
is given the last of them: between ten a digit has bounced, and its way is not that from the first to the last.
"""

import argparse
import datetime
import os
import platform
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from figures import interval
from skimage.metrics import structural_similarity
from torch import Tensor
from video import data, in_tensor

import gannet
from gannet.data.sources.idx import IdxFolder
from gannet.media.medium import Pixels
from gannet.tasks.video_prediction.game import parts_of

LENGTH, GIVEN, SIDE, DIGITS = 20, 10, 64, 2
STEP = 0.1
"""Of the room that a digit has, how far it goes a frame."""
WINDOW, RANGE = 7, 2.0
"""Pixels of a side over which SSIM is taken, and how far apart it takes values to be at most."""
JUDGED, WRITTEN_TOGETHER = 1_000, 500
"""Clips that are judged by unless more are asked for, and those that are written at a time."""
PUBLISHED = {
    "ConvLSTM-S (Shi et al., 2015)": (29.80, 0.9288),
    "SimVP v2, gSTA-S (Tan et al., 2022)": (26.69, 0.9402),
    "PredRNN++ (Wang et al., 2018)": (22.06, 0.9509),
}
"""Mean squared error of a frame and SSIM, learned for 200 epochs on a GPU."""
SOURCE = "OpenSTL, docs/en/model_zoos/video_benchmarks.md at c74deb5, best of three trials"
ERROR, SIMILARITY = "squared error", "SSIM"
MODEL, COPIED, BLACK = "model", "last given frame", "black frames"
Values = npt.NDArray[np.float64]


def digits(split: str) -> Pixels:
    """The digits of MNIST's training or test file, (n, 28, 28)."""
    folder = data("mnist")
    chunks = IdxFolder(folder, sorted(folder.iterdir())).arrays()
    return np.concatenate([chunk.values for chunk in chunks if chunk.split == split])


def path_of(start: Values, angle: float) -> Values:
    """Where a digit is in each frame (20, 2), from 0 to 1 of its room: evenly on, and back where it meets an edge.

    Args:
        start: where it was a step before the first frame.
        angle: whither it goes, in radians.
    """
    place, velocity = start.copy(), STEP * np.array([np.sin(angle), np.cos(angle)])
    places = np.empty((LENGTH, 2))
    for frame in places:
        place += velocity
        velocity[(place <= 0) | (place >= 1)] *= -1
        place = place.clip(0, 1)
        frame[:] = place
    return places


def draw_clip(shapes: Pixels, number: int) -> Pixels:
    """The clip of that number, (20, 64, 64): where digits meet, the lighter pixel is seen."""
    random, side = np.random.default_rng(number), shapes.shape[1]
    frames = np.zeros((LENGTH, SIDE, SIDE), np.uint8)
    for _ in range(DIGITS):
        shape = shapes[random.integers(len(shapes))]
        places = path_of(random.random(2), random.uniform(0, 2 * np.pi))
        for frame, (top, left) in zip(frames, (places * (SIDE - side)).astype(int), strict=True):
            inside = np.s_[top : top + side, left : left + side]
            frame[inside] = np.maximum(frame[inside], shape)
    return frames


def write_clips(path: Path, shapes: Pixels, count: int) -> None:
    """Write clips as `images` of an .npz, some at a time: ten thousand are 0.8 GB."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, LENGTH, SIDE, SIDE)}
    with (
        zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("images.npy", "w", force_zip64=True) as stream,
    ):
        np.lib.format.write_array_header_1_0(stream, header)
        for start in range(0, count, WRITTEN_TOGETHER):
            numbers = range(start, min(start + WRITTEN_TOGETHER, count))
            stream.write(np.stack([draw_clip(shapes, number) for number in numbers]).tobytes())


class Scores(NamedTuple):
    """How near a future comes, frame by frame, (t,) each."""

    error: Values
    similarity: Values


def scores(made: Tensor, true: Tensor) -> Scores:
    """Hold a future (1, 1, t, h, w) in [-1, 1] against what came."""
    ours, theirs = (((one[0, 0] + 1) / 2).double().numpy() for one in (made, true))
    alike = [
        structural_similarity(one, other, win_size=WINDOW, data_range=RANGE)
        for one, other in zip(ours, theirs, strict=True)
    ]
    return Scores(((ours - theirs) ** 2).sum((1, 2)), np.array(alike))


def futures(pipeline: Any, given: Tensor) -> dict[str, Tensor]:
    """What a model predicts after ten frames (1, 1, 10, 64, 64), the last of them over again, and nothing at all.

    Digits out of place count twice, where they are and where they are not: black frames come nearer than copied ones.
    """
    last = pipeline.settings.given
    made = pipeline.future(given[:, :, -last:], 0, 0, last + LENGTH - GIVEN).clip()
    copied = given[:, :, -1:].expand(-1, -1, LENGTH - GIVEN, -1, -1)
    return {MODEL: made, COPIED: copied, BLACK: torch.full_like(copied, -1)}


def measured(pipeline: Any, clips: Iterator[Pixels]) -> dict[str, Scores]:
    """Measure what is predicted of clips (20, 64, 64), (n, 10) each."""
    rows: dict[str, list[Scores]] = {}
    for levels in clips:
        given, future = parts_of(in_tensor(levels[None, ..., None]), GIVEN)
        for name, made in futures(pipeline, given).items():
            rows.setdefault(name, []).append(scores(made, future))
    return {name: Scores(*map(np.stack, zip(*some, strict=True))) for name, some in rows.items()}


def print_table(found: Mapping[str, Scores]) -> None:
    """Print each frame and the mean of all, beside what is published."""
    print(f"| | {' | '.join(f'frame {at}' for at in range(1, LENGTH - GIVEN + 1))} | mean (95 %) |")
    print(f"|---|{'---|' * (LENGTH - GIVEN + 1)}")
    for name, (error, similarity) in found.items():
        print(row_of(f"{ERROR}, {name}", error, 2))
        print(row_of(f"{SIMILARITY}, {name}", similarity, 4))
    print(f"\n| published ({SOURCE}) | {ERROR} | {SIMILARITY} |\n|---|---|---|")
    for name, (one, alike) in PUBLISHED.items():
        print(f"| {name} | {one:.2f} | {alike:.4f} |")


def row_of(name: str, values: Values, places: int) -> str:
    """A line of the table of values (n, 10)."""
    mean, low, high = interval(values.mean(1))
    frames = " | ".join(f"{one:.{places}f}" for one in values.mean(0))
    return f"| {name} | {frames} | {mean:.{places}f} ({low:.{places}f} to {high:.{places}f}) |"


def opened(target: str) -> Any:
    """Open a run or a model; ValueError where it does not predict grey frames of 64x64 from ten at most."""
    pipeline: Any = gannet.load(Path(target) if Path(target).exists() else target)
    if pipeline.task != "video-prediction":
        raise ValueError(f"{target} is a model of {pipeline.task}; give one of video-prediction.")
    given, (channels, _, *sides) = pipeline.settings.given, pipeline.settings.description.shape
    if given > GIVEN or (channels, *sides) != (1, SIDE, SIDE):
        raise ValueError(
            f"{target} goes on from {given} frames of {sides[1]}x{sides[0]} in {channels} channels; give a model of "
            f"task.given={GIVEN} at most, data.size={SIDE} and data.channels=1."
        )
    return pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?")
    parser.add_argument("--make", type=Path, help="an .npz to write clips to learn from")
    parser.add_argument("--count", type=int, default=10_000, help="clips that are written")
    parser.add_argument("--num", type=int, default=JUDGED, help="clips that are judged by")
    asked = parser.parse_args()
    if asked.num < 2 or asked.count < 2 or bool(asked.run) == bool(asked.make):
        parser.error("give either a run or --make with a file, and at least 2 clips")
    try:
        if asked.make:
            write_clips(asked.make, digits("train"), asked.count)
            return
        pipeline = opened(asked.run)
    except (ValueError, FileExistsError) as error:
        parser.error(str(error))
    shapes = digits("test")
    print(f"{os.cpu_count()} cores ({platform.machine()}), torch {torch.__version__}, {datetime.date.today()}")
    print(f"{asked.run}, {asked.num:,} clips\n")
    print_table(measured(pipeline, (draw_clip(shapes, number) for number in range(asked.num))))


if __name__ == "__main__":
    main()
