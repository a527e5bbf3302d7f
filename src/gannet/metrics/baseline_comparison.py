"""Is a GAN worth it? Other generative models learn from the same samples and are held to the same measures."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gannet.metrics.baselines import BASELINES, ByClass
from gannet.metrics.distances import corrected_distances, kernel_distance
from gannet.metrics.features import Features, extract
from gannet.metrics.fidelity import fidelity
from gannet.metrics.measure import Best, Measure, draw_halves, measure

MOST_SAMPLES, MOST_DRAWN, MOST_NUMBERS, MOST_PAIRWISE, PART = 10_000, 4_000, 1_200, 2_500, 500
SHOWN: dict[str, Best] = {
    "frechet distance, corrected": "low",
    "kernel distance": "low",
    "precision": "high",
    "recall": "high",
}
"""The measures that models are compared in, and which values are best."""


@dataclass(frozen=True)
class BaselineResult:
    """How a baseline does, or the judged model itself by the same measures.

    Attributes:
        name: the kind of model.
        fit_seconds: what it took to learn; not known for the model that is judged.
        sample_milliseconds: what one sample takes, where that was measured.
        measures: as for the model that is judged.
    """

    name: str
    fit_seconds: float | None
    sample_milliseconds: float | None
    measures: list[Measure]

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)

    def line(self) -> str:
        """Give the figures in a row."""
        learnt = "" if self.fit_seconds is None else f"{self.fit_seconds:8.1f} s to learn,"
        taken = "" if self.sample_milliseconds is None else f"{self.sample_milliseconds:7.3f} ms a sample;"
        figures = ", ".join(f"{found.name} {found.value:.4g}" for found in self.measures)
        return f"{self.name:20} {learnt:22} {taken:20} {figures}"


def judge_baselines(
    training: Tensor, label: Tensor | None, real: Tensor, features: Features, count: int, seed: int
) -> Iterator[BaselineResult]:
    """Fit each baseline to the training samples and judge as many of its samples.

    Args:
        training: (n, ...), values in [-1, 1]; at most 1,200 numbers a sample.
        label: (n,), where there are classes; each baseline is then one model a class.
        real: features of held-out reals (m, d).
    """
    assert training[0].numel() <= MOST_NUMBERS, "the samples are too large for these models"
    known = (training.flatten(1).double().numpy() + 1) / 2
    for name, kind in BASELINES.items():
        start = time.perf_counter()
        model: Any = kind.fit(known, seed) if label is None else ByClass.fit(kind, known, label.numpy(), seed)
        fitted = time.perf_counter() - start

        start = time.perf_counter()
        drawn: np.ndarray[Any, Any] = model.draw(count, seed) if label is None else model.draw(count, seed)[0]
        taken = 1000 * (time.perf_counter() - start) / count
        samples = torch.from_numpy(drawn * 2 - 1).float().view(count, *training.shape[1:])
        fake = extract(features, [partial(torch.clone, part) for part in samples.split(PART)])
        yield BaselineResult(name, fitted, taken, judge_briefly(real, fake, features.name, seed))


def judge_briefly(real: Tensor, fake: Tensor, features: str, seed: int) -> list[Measure]:
    """Take the corrected Frechet distance, the kernel distance, precision and recall of features (n, d) and (m, d)."""

    def statistics(some: Tensor, others: Tensor) -> dict[str, float]:
        kernel = {"kernel distance": kernel_distance(some, others)}
        figures = corrected_distances(some, others) | kernel | fidelity(some, others)
        return {name: figures[name] for name in SHOWN if name in figures}

    halves = draw_halves(len(real), len(fake), None, MOST_PAIRWISE, seed)
    return measure(statistics, real, fake, halves, features, SHOWN)
