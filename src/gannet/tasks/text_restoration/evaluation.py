"""Judging a restorer of texts by gaps that are made in texts which it did not learn from, beside an n-gram."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gannet.metrics.baseline_comparison import BaselineResult
from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Best, Measure, share_interval
from gannet.task import Exam
from gannet.tasks._image_restoration.evaluation import measures
from gannet.tasks._text.alternatives import Alternative
from gannet.tasks._text.ngram import Ngram
from gannet.tasks._text.normalization import folded
from gannet.tasks._text.protocol import BINS, calibration_error, edit_distance
from gannet.tasks.text_restoration.alphabet import FIRST, UNKNOWN
from gannet.tasks.text_restoration.damage import fixed_damage
from gannet.tasks.text_restoration.game import language_numbers, languages_of
from gannet.tasks.text_restoration.pipeline import TextRestorationPipeline

MOST_JUDGED, LONGEST, ALTERNATIVES = 300, 10, 20
"""Gaps that are judged by at most, characters of the longest of them, and alternatives among which the truth counts."""
MODEL, NGRAM = "model", "n-gram"
ACCURACY, TOP, TOP_MANY = "character accuracy", "top-1", f"top-{ALTERNATIVES}"
ERRORS, BITS, CALIBRATION = "character error rate", "bits per character", "expected calibration error"
BEST: dict[str, Best] = {ACCURACY: "high", TOP: "high", TOP_MANY: "high", ERRORS: "low", BITS: "low"}
PROTOCOL = (
    "gaps of 1 to 10 characters, of known length, one in each text, capitals aside; an n-gram beside them learned the "
    "same texts; bits are those of characters, words and half lines that are hidden at once"
)


@dataclass(frozen=True)
class Hole:
    """A gap whose content is known to who judges.

    Attributes:
        left, true, right: the text around it and in it.
        language: of the text.
    """

    left: str
    true: str
    right: str
    language: str


def evaluate(pipeline: TextRestorationPipeline, exam: Exam) -> Judgement:
    """Measure how often gaps in held-out texts are filled rightly, how sure the model is, and how sure it may be.

    Beside it stands an interpolated n-gram that looks both ways and learned from the same texts, where those are known.
    """
    most = exam.query.num or exam.query.reach(MOST_JUDGED)
    holes = list(holes_of(pipeline, exam, most))
    if not holes:
        raise ValueError("There is no text to judge by that is long enough; give some of a few lines.")
    ours, taken = _filled(pipeline.restorer, holes)
    found = shares([figures(one, hole) for one, hole in zip(ours, holes, strict=True)])
    found += [*_bits(pipeline, exam, most), calibration(ours, holes)]
    table = [BaselineResult(MODEL, None, taken, found)]
    ngrams = _ngrams(pipeline, exam, {hole.language for hole in holes})
    if all(hole.language in ngrams for hole in holes):
        theirs, taken = _filled(_Several(ngrams), holes)
        rows = [figures(one, hole) for one, hole in zip(theirs, holes, strict=True)]
        beside = [*shares(rows), calibration(theirs, holes)]
        table.append(BaselineResult(NGRAM, None, taken, beside))
    return Judgement(found, baselines=tuple(table))


def holes_of(pipeline: TextRestorationPipeline, exam: Exam, most: int) -> Iterator[Hole]:
    """Make a gap in each of the texts that are judged by, of 1 to 10 characters in turn, within a line."""
    random = np.random.default_rng(exam.query.seed)
    names = (*pipeline.languages, "")
    number = 0
    for signs, languages in _texts(pipeline, exam, most):
        for row, language in zip(signs.tolist(), languages.tolist(), strict=True):
            length, size = number % LONGEST + 1, sum(sign > 0 for sign in row)
            free = [at for at in range(size - length) if min(row[at : at + length]) >= FIRST]
            if free:
                at = int(random.choice(free))
                parts = (row[:at], row[at : at + length], row[at + length : size])
                left, true, right = map(pipeline.alphabet.text, parts)
                yield Hole(left, true, right, names[language])
                number += 1


def _texts(pipeline: TextRestorationPipeline, exam: Exam, most: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Give signs (b, t) and languages (b,) of the texts that are judged by."""
    numbers = language_numbers(pipeline.settings.description)
    for part in exam.reals.parts(16, most):
        yield pipeline.alphabet.read(part["text"]), languages_of(part, numbers)


class _Several:
    """N-grams of several languages as one that restores."""

    def __init__(self, ngrams: dict[str, Ngram]) -> None:
        self.ngrams = ngrams

    def fill(self, left: str, length: int | None, right: str, count: int, language: str) -> list[Alternative]:
        return self.ngrams[language].fill(left, length, right, count)


def _filled(restorer: Any, holes: list[Hole]) -> tuple[list[list[Alternative]], float]:
    """Fill all gaps; gives also the milliseconds that one takes."""
    start = time.perf_counter()
    found = [restorer.fill(one.left, len(one.true), one.right, ALTERNATIVES, one.language) for one in holes]
    return found, 1000 * (time.perf_counter() - start) / len(holes)


def figures(found: list[Alternative], hole: Hole) -> dict[str, float]:
    """Hold the alternatives for a gap of known length against the truth."""
    true, texts = folded(hole.true), [folded(one.text) for one in found]
    best = texts[0] if texts else ""
    right = sum(one == other for one, other in zip(best, true, strict=False)) / len(true)
    return {
        ACCURACY: right,
        ERRORS: edit_distance(best, true) / len(true),
        TOP: float(best == true),
        TOP_MANY: float(true in texts),
    }


def shares(rows: Sequence[Mapping[str, float]]) -> list[Measure]:
    """Take the mean of figures from 0 to 1 over gaps, with its interval."""
    found, count, words = [], len(rows), f"mean of {len(rows):,} gaps; {PROTOCOL}"
    for name in rows[0]:
        value = fmean(row[name] for row in rows)
        found.append(Measure(name, value, *share_interval(value, count), None, "none", count, count, words, BEST[name]))
    return found


def calibration(found: list[list[Alternative]], holes: list[Hole]) -> Measure:
    """Measure how far confidences are from how often characters are right, on average over ten bins of confidence."""
    sure: list[float] = []
    right: list[bool] = []
    for alternatives, hole in zip(found, holes, strict=True):
        if alternatives:
            sure += alternatives[0].confidences
            right += [folded(one) == folded(other) for one, other in zip(alternatives[0].text, hole.true, strict=False)]
    value = calibration_error(sure, right)
    words = f"{BINS} equal bins of the confidences of {len(sure):,} characters"
    return Measure(CALIBRATION, value, value, value, None, "none", len(sure), len(sure), words, "low")


@torch.inference_mode()
def _bits(pipeline: TextRestorationPipeline, exam: Exam, most: int) -> list[Measure]:
    """Measure the bits that each hidden character takes, text by text."""
    rows = []
    for signs, languages in _texts(pipeline, exam, most):
        damaged = fixed_damage(signs, pipeline.alphabet, pipeline.settings.reach)
        logits, _ = pipeline.told(damaged.shown, languages)
        told = logits.float().cpu().log_softmax(-1).gather(-1, damaged.wanted.clamp_min(UNKNOWN)[..., None])[..., 0]
        where = damaged.wanted >= FIRST
        rows += [{BITS: -float(one[own].mean()) / log(2)} for one, own in zip(told, where, strict=True) if own.any()]
    return measures(rows, None, PROTOCOL, BEST, "texts")


def _ngrams(pipeline: TextRestorationPipeline, exam: Exam, languages: set[str]) -> dict[str, Ngram]:
    """Let n-grams learn what the model learned from; none where that is not known."""
    found = {name: pipeline.corpora.ngram(name) for name in languages}
    return {name: ngram for name, ngram in found.items() if ngram is not None}
