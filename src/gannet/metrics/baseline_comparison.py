"""Is a GAN worth it? Other generative models learn from the same samples and are held to the same measures."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from textwrap import wrap
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
PRINTED, HEADING = 100, 12
"""Characters of a line in a terminal, and those after which the heading of a column goes on in the next line."""
LEARNT, TAKEN = "seconds to learn", "ms a sample"


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

    def cells(self) -> dict[str, str]:
        """Give the figures by what they are called in a table; empty where one is not known."""
        learnt = "" if self.fit_seconds is None else f"{self.fit_seconds:.1f}"
        taken = "" if self.sample_milliseconds is None else f"{self.sample_milliseconds:.3f}"
        return {LEARNT: learnt, TAKEN: taken, **{found.name: f"{found.value:.4g}" for found in self.measures}}

    def line(self) -> str:
        """Give the figures in a row."""
        learnt = "" if self.fit_seconds is None else f"{self.fit_seconds:8.1f} s to learn,"
        taken = "" if self.sample_milliseconds is None else f"{self.sample_milliseconds:7.3f} ms a sample;"
        figures = ", ".join(f"{found.name} {found.value:.4g}" for found in self.measures)
        return f"{self.name:20} {learnt:22} {taken:20} {figures}"


def printed_table(results: Sequence[BaselineResult]) -> list[str]:
    """Lay results out for a terminal: a line for each where all its figures fit into that, else a line for each figure.

    Where there are too many for that as well, the others follow below.
    """
    cells = {one.name: one.cells() for one in results}
    names = [name for name in dict.fromkeys(chain(*cells.values())) if any(own.get(name) for own in cells.values())]
    rows = [["", *names], *([result, *(own.get(name, "") for name in names)] for result, own in cells.items())]
    upright = _blocks(rows)
    blocks = upright if len(upright) == 1 else _blocks(list(zip(*rows, strict=True)))
    return ["  ".join(line).rstrip() for block in blocks for line in zip(*block, strict=True)]


def _blocks(rows: Sequence[Sequence[str]]) -> list[list[list[str]]]:
    """Give the columns of a table, cell by cell, in blocks as wide as a terminal; each begins with the first column."""
    headings = [wrap(cell, HEADING, break_long_words=False) for cell in rows[0]]
    height = max(map(len, headings))
    columns = [
        [*[""] * (height - len(heading)), *heading, *(row[at] for row in rows[1:])]
        for at, heading in enumerate(headings)
    ]
    widths = [max(map(len, column)) for column in columns]
    first = [cell.ljust(widths[0]) for cell in columns[0]]
    blocks, room = [[first]], PRINTED - widths[0]
    for column, width in zip(columns[1:], widths[1:], strict=True):
        room -= 2 + width
        if room < 0 and len(blocks[-1]) > 1:
            blocks.append([first])
            room = PRINTED - widths[0] - 2 - width
        blocks[-1].append([cell.rjust(width) for cell in column])
    return blocks


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
