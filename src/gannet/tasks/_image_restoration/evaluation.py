"""Judging what makes photographs better: against the ground truth, beside baselines that need no learning."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any, Generic, TypeAlias
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from gannet.adversarial.similarity import Frozen, perceptual_distance
from gannet.augmentation.draws import Drawn
from gannet.data.records import Record
from gannet.data.survey import sample
from gannet.media.photograph import Photograph, read_photograph
from gannet.media.pixels import natural_pixels
from gannet.media.pyramid import Mask
from gannet.media.tiling import as_tensor, as_values
from gannet.metrics.baseline_comparison import BaselineResult
from gannet.metrics.features import Features
from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Best, Measure
from gannet.metrics.patches import chroma_histogram, chroma_histogram_distance, patch_distance, patch_features
from gannet.metrics.restoration import (
    WINDOW,
    chroma_distance,
    chroma_error,
    colourfulness,
    fine_detail,
    luma,
    signal_to_noise,
    structural_similarity,
    without_border,
)
from gannet.metrics.upsampling_grid import grid_energy
from gannet.runtime.later import later
from gannet.runtime.randomness import generator
from gannet.task import Exam
from gannet.tasks._image_restoration.config import Keys

stats = later("scipy.stats")

MOST_JUDGED = 500
LARGEST_JUDGED = 1024
"""Pixels a side of photographs that are judged whole."""
FLAT, GREY = 1e-6, 5.0
"""Up to which fine detail or colourfulness a photograph has none, so that there is no share of it."""
MODEL, PIXEL, REAL, PERCEPTUAL = "model", "before the game", "real", "perceptual distance"
GRID = "energy at the grid of enlargement, of the real"
EDGES = "edges found again (F1)"
BEST: dict[str, Best] = {
    "PSNR": "high",
    "PSNR within": "high",
    "SSIM": "high",
    "fine detail, of the real": 1.0,
    GRID: 1.0,
    PERCEPTUAL: "low",
    "chroma error": "low",
    "distance of the chroma's distribution": "low",
    "colourfulness, of the real": 1.0,
    EDGES: "high",
}
"""Which values are best, by the figure's name."""


@dataclass(frozen=True)
class EvaluationPair:
    """What a model is judged by: an input, and the ground truth.

    Attributes:
        input: what the model is shown.
        target: the ground truth, which it should make of that.
        baselines: what is made of the input without learning, by name.
        border: pixels along the edges that do not count.
        scale: how many times larger the target is.
        mask: what the model is told of where something is lost.
        hole_mask: (h, w), where something is lost, and so where errors count.
    """

    input: Photograph
    target: Photograph
    baselines: Mapping[str, Photograph]
    border: int = 0
    scale: int = 1
    mask: Photograph | None = None
    hole_mask: Mask | None = None


def photographs(exam: Exam, most: int) -> Iterator[Photograph]:
    """Take up to `most` of the photographs given, as they lie, of large ones the middle; else held-out pictures."""
    if exam.source is None:
        for part in exam.reals.parts(1, most):
            yield Photograph(as_values(part["real"], "uint8"))
    else:
        for record in sample(exam.source, most):
            yield middle(whole_photograph(record))


def middle(photograph: Photograph) -> Photograph:
    """Give the middle of a photograph, as large as can be judged at once."""
    beyond = [max(0, side - LARGEST_JUDGED) // 2 for side in photograph.values.shape[:2]]
    rows, columns = (slice(begin, begin + LARGEST_JUDGED) for begin in beyond)
    alpha = photograph.alpha if photograph.alpha is None else photograph.alpha[rows, columns]
    return replace(photograph, values=photograph.values[rows, columns], alpha=alpha)


def whole_photograph(record: Record) -> Photograph:
    """Give the photograph of a record, whole. ValueError, which names it, when it cannot be read."""
    try:
        picture = record.encoded() if record.encoded else record.read()
        if not isinstance(picture, np.ndarray):
            return read_photograph(picture)
        values = natural_pixels(picture)
    except (OSError, ValueError) as error:
        raise ValueError(f"{record.name} cannot be judged by ({error}); take it away, or mend it.") from None
    if values.shape[2] <= 3:
        return Photograph(values)
    return Photograph(values[..., :3], values[..., 3])


Figures: TypeAlias = "Callable[[Photograph, EvaluationPair, Frozen | None], dict[str, float]]"


def judge_pairs(
    pipeline: Any, pairs: Iterator[EvaluationPair], evaluation: "Evaluation[Any]", features: Features | None
) -> Judgement:
    """Take every measure of the model, and of the baselines beside it."""
    perceptual, earlier = perceptual_features(features), pipeline.blended(0.0) if pipeline.earlier() else None
    figures: dict[str, list[dict[str, float]]] = {}
    patches: dict[str, list[Tensor]] = {}
    colours: dict[str, list[Tensor]] = {}
    seconds = 0.0
    for pair in pairs:
        start = time.perf_counter()
        made = pipeline.improve(pair.input, pair.mask)
        seconds += time.perf_counter() - start
        before = {PIXEL: earlier.improve(pair.input, pair.mask)} if earlier else {}
        ways = {MODEL: made, **before, **pair.baselines}
        for name, photograph in ways.items():
            figures.setdefault(name, []).append(evaluation.figures(photograph, pair, perceptual))
        if features and pair.hole_mask is None:
            for name, photograph in {REAL: pair.target, **ways}.items():
                patches.setdefault(name, []).append(patch_features(features, as_tensor(photograph.values)))
        if evaluation.all_colours:
            for name, photograph in {REAL: pair.target, **ways}.items():
                colours.setdefault(name, []).append(chroma_histogram(as_tensor(photograph.values)))
    if MODEL not in figures:
        raise ValueError("There is no photograph to judge by; give a folder of some.")
    found = {name: measures(rows, features, evaluation.protocol) for name, rows in figures.items()}
    for name in figures.keys() & colours.keys():
        found[name] += chroma_histogram_distance(colours[REAL], colours[name])
    for name in figures.keys() & patches.keys():
        found[name] += patch_distance(patches[REAL], patches[name], features.name if features else "")
    own, others = found[MODEL], [name for name in figures if name != MODEL]
    compared = [[name] for name in others] + ([others] if len(others) > 1 else [])
    shares = [_nearer(figures, which, features) for which in compared] if perceptual else []
    baselines = [BaselineResult(name, None, None, found[name]) for name in others]
    milliseconds = 1000 * seconds / len(figures[MODEL])
    return Judgement([*own, *shares], baselines=(BaselineResult(MODEL, None, milliseconds, own), *baselines))


def perceptual_features(features: Features | None) -> Frozen | None:
    """Give the network that features come from, where it tells its activations."""
    network = getattr(features, "network", None)
    return Frozen(network, 3) if network is not None and hasattr(network, "activations") else None


@torch.inference_mode()
def fidelity_figures(made: Photograph, pair: EvaluationPair, perceptual: Frozen | None) -> dict[str, float]:
    """Take PSNR and SSIM of the luma, fine detail, the grid's energy, the perceptual distance; within holes the first
    and the last.
    """
    ours, theirs = (without_border(as_tensor(one.values), pair.border) for one in (made, pair.target))
    bright, true = luma(ours), luma(theirs)
    lost = None if pair.hole_mask is None else torch.from_numpy(pair.hole_mask).expand_as(bright)
    if lost is not None:
        within, there = (values[lost].view(1, 1, 1, -1) for values in (bright, true))
        found: dict[str, Any] = {"PSNR within": signal_to_noise(within, there)}
    else:
        found = {"PSNR": signal_to_noise(bright, true)}
        if min(bright.shape[2:]) >= WINDOW:
            found["SSIM"] = structural_similarity(bright, true)
            if (detail := fine_detail(true)) > FLAT:
                found["fine detail, of the real"] = fine_detail(bright) / detail
        if (grid := grid_energy(bright, true, pair.scale)) is not None:
            found[GRID] = grid
    if perceptual:
        found[PERCEPTUAL] = perceptual_distance(ours, theirs, perceptual, None if lost is None else lost.float())
    return {name: float(value) for name, value in found.items()}


@torch.inference_mode()
def colour_figures(made: Photograph, pair: EvaluationPair, perceptual: Frozen | None) -> dict[str, float]:
    """Measure how far colours are from those of the ground truth, in Lab, and how many there are."""
    ours, theirs = (as_tensor(one.values).expand(-1, 3, -1, -1) for one in (made, pair.target))
    found = {
        "chroma error": chroma_error(ours, theirs),
        "distance of the chroma's distribution": chroma_distance(ours, theirs),
    }
    if (true := colourfulness(theirs)) > GREY:
        found["colourfulness, of the real"] = colourfulness(ours) / true
    if perceptual:
        found[PERCEPTUAL] = perceptual_distance(ours, theirs, perceptual)
    return {name: float(value) for name, value in found.items()}


def measures(
    rows: Sequence[Mapping[str, float]],
    features: Features | None,
    words: str,
    best: Mapping[str, Best] = BEST,
    plural: str = "photographs",
) -> list[Measure]:
    """Take the mean of each figure over photographs, with its interval (Student's t).

    Args:
        rows: the figures of each photograph.
        words: how they were taken.
        best: which values are best, by the figure's name, or by what stands before a comma in it.
        plural: what else they may be.
    """
    found = []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if name in row]
        count, middle, reach = len(values), fmean(values), 0.0
        if count > 1:
            reach = float(stats.t.ppf(0.975, count - 1)) * stdev(values) / count**0.5
        kind = name if name in best else name.split(",")[0]
        seen = features.name if features and kind == PERCEPTUAL else "none"
        protocol = f"mean of {count:,} {plural}; {'all channels' if kind == PERCEPTUAL else words}"
        found.append(
            Measure(name, middle, middle - reach, middle + reach, None, seen, count, count, protocol, best[kind])
        )
    return found


def _nearer(
    figures: Mapping[str, Sequence[Mapping[str, float]]], others: list[str], features: Features | None
) -> Measure:
    """On how many photographs the model is perceptually nearer than each of the others."""
    apart = {name: np.array([row[PERCEPTUAL] for row in rows]) for name, rows in figures.items()}
    nearer = np.all([apart[MODEL] < apart[other] for other in others], 0)
    wins, count = int(nearer.sum()), len(nearer)
    interval = stats.binomtest(wins, count).proportion_ci(method="wilson")
    name = f"perceptually nearer than {others[0]}" if len(others) == 1 else "perceptually nearest of all"
    words = f"{wins:,} of {count:,} photographs"
    return Measure(
        name,
        wins / count,
        interval.low,
        interval.high,
        None,
        features.name if features else "",
        count,
        count,
        words,
        "high",
    )


@dataclass(frozen=True)
class Evaluation(Generic[Keys]):
    """How models are judged by photographs, each the ground truth of an evaluation pair.

    Attributes:
        pair: makes an input of a photograph, and what the baselines make of that.
        figures: measures what was made of a pair's input; takes the network that judges, where there is one.
        protocol: how the figures are taken.
        all_colours: whether the colours of all photographs together are compared as well.
    """

    pair: Callable[[Photograph, Keys], EvaluationPair]
    figures: Figures = fidelity_figures
    protocol: str = "Y of BT.601, eight bits; as many pixels cut from each side as the scale"
    all_colours: bool = False

    def judge(self, pipeline: Any, exam: Exam, config: Keys) -> Judgement:
        """Measure how near a model comes to photographs, beside what needs no learning."""
        pairs = (self.pair(real, config) for real in photographs(exam, exam.query.num or exam.query.reach(MOST_JUDGED)))
        return judge_pairs(pipeline, pairs, self, exam.features)


def draws_for(photograph: Photograph, purpose: str) -> Drawn:
    """Random numbers that are the same for the same photograph."""
    return Drawn(1, generator(crc32(photograph.values.tobytes()), purpose))


def resized(photograph: Photograph, size: tuple[int, int], how: Any) -> Photograph:
    """Bring a photograph to (width, height) by one of Pillow's resamplings."""
    return read_photograph(photograph.picture().resize(size, how))


def whole_multiple(photograph: Photograph, multiple: int) -> Photograph:
    """Crop a photograph's rows and columns beyond a multiple of so many."""
    height, width = (side - side % multiple for side in photograph.values.shape[:2])
    if not (height and width):
        raise ValueError(f"One of the photographs has fewer than {multiple} pixels a side; take those away.")
    return Photograph(photograph.values[:height, :width])
