"""Judging futures: frame by frame against what came, beside baselines that predict nothing."""

import time
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor

from gannet.adversarial.similarity import Frozen, perceptual_distance
from gannet.augmentation.levels import from_levels, to_levels
from gannet.metrics.baseline_comparison import BaselineResult
from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Best, Measure
from gannet.metrics.restoration import WINDOW, luma, signal_to_noise, structural_similarity
from gannet.runtime.later import later
from gannet.task import Exam
from gannet.tasks._image_restoration.evaluation import PERCEPTUAL, measures, perceptual_features
from gannet.tasks.video_prediction.game import parts_of
from gannet.tasks.video_prediction.pipeline import VideoPredictionPipeline

stats = later("scipy.stats")

MOST_JUDGED, FUTURES, MEANT = 100, 10, 64
"""Clips that are judged by at most, futures of which the nearest counts, and clips that the mean frame is taken of."""
FRAMES, STILL_MOVING = (1, 2, 4, 8, 16, 31), 16
"""The frames that are judged, counted from the last given one on, and the one whose foreground is measured."""
FLAT = 1e-5
"""Up to which mean square over all clips nothing moves in a frame, so that there is no share of it."""
ONE, NEAREST = "one future", f"nearest of {FUTURES} futures"
COPIED, MEAN, ERASED = "last given frame", "mean frame", "moving thing erased"
ENERGY = "foreground energy"
BEST: dict[str, Best] = {"PSNR": "high", "SSIM": "high", PERCEPTUAL: "low"}
"""Which values are best, by the figure's name."""
PROTOCOL = "Y of BT.601, eight bits"
ENERGY_PROTOCOL = (
    "the mean square of what differs from the true clip's median over time, as a share of the real one's: the sum over "
    "{count:,} clips by their sum"
)


def evaluate(pipeline: VideoPredictionPipeline, exam: Exam) -> Judgement:
    """Measure how near one future, and the nearest of ten, come to held-out clips, and how near baselines do.

    Those are the last given frame, the mean of the frames that were learned from (of those that are judged by, where
    that is not known), and what would be seen without what moves: the median over time of the true clip. How much
    moves is a ratio of sums over the clips (`foreground_energy`).
    """
    perceptual, given = perceptual_features(exam.features), pipeline.settings.given
    mean, rows, seconds = mean_frame(exam), dict[str, list[dict[str, float]]](), 0.0
    energies: dict[str, list[tuple[float, float]]] = {}
    for part in exam.reals.parts(1, exam.query.num or exam.query.reach(MOST_JUDGED)):
        clip = part["real"]
        frames, future = parts_of(clip, given)
        start = time.perf_counter()
        made = [as_written(one.clip()) for one in pipeline.futures(frames, exam.query.seed, range(FUTURES))]
        seconds += time.perf_counter() - start
        still = clip.median(2, keepdim=True).values
        stills = {COPIED: frames[:, :, -1:], MEAN: mean, ERASED: still}
        ways = {ONE: made[0], NEAREST: nearest(made, future)}
        ways |= {name: frame.expand_as(future) for name, frame in stills.items()}
        for name, clip_made in ways.items():
            rows.setdefault(name, []).append(figures(clip_made, future, perceptual))
            energies.setdefault(name, []).append(energies_of(clip_made, future, still))
    if not rows:
        raise ValueError("There is no clip to judge by; give a folder of some.")
    found = {name: measures(some, exam.features, PROTOCOL, BEST, "clips") for name, some in rows.items()}
    moving = f"{ENERGY}, frame {min(STILL_MOVING, future.shape[2])}"
    for name, pairs in energies.items():
        found[name] += foreground_energy(moving, pairs)
    taken = {ONE: 1000 * seconds / (FUTURES * len(rows[ONE]))}
    table = tuple(BaselineResult(name, None, taken.get(name), some) for name, some in found.items())
    return Judgement(found[ONE], baselines=table)


def mean_frame(exam: Exam) -> Tensor:
    """Give the mean of all frames of some clips, (1, c, 1, h, w)."""
    samples = exam.own[0] if exam.own else exam.reals
    means = [part["real"].mean((0, 2)) for part in samples.parts(1, MEANT)]
    return torch.stack(means).mean(0)[None, :, None]


def as_written(clips: Tensor) -> Tensor:
    """Give clips in [-1, 1] as they are when they were written in eight bits."""
    return from_levels(to_levels(clips))


def nearest(made: list[Tensor], true: Tensor) -> Tensor:
    """Give which of some clips (1, c, t, h, w) has the highest PSNR, on average over its frames."""
    came = luma(_frames(true))
    ratios = [float(signal_to_noise(luma(_frames(one)), came).mean()) for one in made]
    return made[ratios.index(max(ratios))]


@torch.inference_mode()
def figures(made: Tensor, true: Tensor, perceptual: Frozen | None) -> dict[str, float]:
    """Take PSNR, SSIM and the perceptual distance of frames of a clip (1, c, t, h, w), against those that came."""
    length = true.shape[2]
    numbers = sorted({min(number, length) for number in FRAMES})
    ours, theirs = (_frames(clip)[[number - 1 for number in numbers]] for clip in (made, true))
    bright, lit = luma(ours), luma(theirs)
    by_frame: dict[str, Any] = {"PSNR": signal_to_noise(bright, lit)}
    if min(true.shape[3:]) >= WINDOW:
        by_frame["SSIM"] = structural_similarity(bright, lit)
    if perceptual:
        by_frame[PERCEPTUAL] = perceptual_distance(ours, theirs, perceptual)
    return {
        f"{name}, frame {number}": float(value)
        for name, values in by_frame.items()
        for number, value in zip(numbers, values, strict=True)
    }


def energies_of(made: Tensor, true: Tensor, still: Tensor) -> tuple[float, float]:
    """Give the mean squares of what differs from what stands still (1, c, 1, h, w), in a frame of the middle of a clip
    (1, c, t, h, w) and of the one that came.
    """
    at = min(STILL_MOVING, true.shape[2]) - 1
    ours, theirs = (float((clip - still)[:, :, at].square().mean()) for clip in (made, true))
    return ours, theirs


def foreground_energy(name: str, energies: list[tuple[float, float]]) -> list[Measure]:
    """Tell how much moves in all clips together, as a share of what moves in the true ones: 1 is best.

    The ratio is that of the sums: a mean of each clip's ratio would be decided by clips that hardly move. Its
    interval (Student's t) is that of a ratio estimator (Cochran, 1977, "Sampling Techniques", equation 6.13). Empty
    where nothing moves in any clip.

    Args:
        name: what the measure is called.
        energies: of each clip, its own and that of what came.
    """
    count, true = len(energies), fmean(theirs for _, theirs in energies)
    if true <= FLAT:
        return []
    ratio, reach = fmean(ours for ours, _ in energies) / true, 0.0
    if count > 1:
        spread = stdev(ours - ratio * theirs for ours, theirs in energies)
        reach = float(stats.t.ppf(0.975, count - 1)) * spread / (true * count**0.5)
    protocol = ENERGY_PROTOCOL.format(count=count)
    return [Measure(name, ratio, max(0.0, ratio - reach), ratio + reach, None, "none", count, count, protocol, 1.0)]


def _frames(clip: Tensor) -> Tensor:
    """Give the frames of a clip (1, c, t, h, w), (t, c, h, w)."""
    return clip[0].transpose(0, 1)
