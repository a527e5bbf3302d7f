"""How well lost text is restored: error, rank, calibration and diversity, by the protocol of the field.

Gaps of 1 to 10 characters and their measures are those of Ithaca and Aeneas (Assael et al., 2022, "Restoring and
attributing ancient texts"; 2025, "Contextualizing ancient texts"). All is compared in lower case, normalized.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import log2
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gannet.runtime.randomness import address
from gannet.tasks._text.alternatives import Alternative, Restorer
from gannet.tasks._text.damage import REACH, Hidden, Kind, Passage, hide_share
from gannet.tasks._text.gaps import LOST
from gannet.tasks._text.normalization import folded
from gannet.tasks._text.parallels import Corpus

RANKED, DIVERSE, BINS, RESAMPLES = 20, 10, 15, 1_000
"""Alternatives that count, those whose diversity does, bins of confidences, and draws of a bootstrap."""
LEAST = 1e-4
"""The probability that a character is taken to have which is among no alternatives."""
PAGE, PAGE_SHARE = 2_000, 0.15


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval, by a percentile bootstrap (Efron and Tibshirani, 1993, section 13.3).

    Attributes:
        value, low, high: the figure and its interval.
        count: of how many it is taken.
    """

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Restored:
    """What was put into a gap that had been made."""

    hidden: Hidden
    alternatives: tuple[Alternative, ...]

    @property
    def right(self) -> list[bool]:
        """Tell of each character of the first alternative whether it is right, from the left."""
        first = self.alternatives[0].text if self.alternatives else ""
        return [a == b for a, b in zip(folded(first), folded(self.hidden.truth).ljust(len(first)), strict=False)]

    @property
    def error_rate(self) -> float:
        """Give the edit distance of the first alternative as a share of what is lost."""
        first = self.alternatives[0].text if self.alternatives else ""
        return edit_distance(folded(first), folded(self.hidden.truth)) / len(self.hidden.truth)

    def among(self, count: int) -> bool:
        """Tell whether what is lost is among the first alternatives."""
        return folded(self.hidden.truth) in {folded(one.text) for one in self.alternatives[:count]}

    @property
    def bits(self) -> float:
        """Give the bits a character that the truth has left to tell, from the probabilities of alternatives."""
        likely = sum(one.probability for one in self.alternatives if folded(one.text) == folded(self.hidden.truth))
        return -log2(max(likely, LEAST)) / len(self.hidden.truth)

    @property
    def diversity(self) -> float:
        """Give the mean edit distance between the first ten alternatives, as a share of what is lost."""
        texts = [one.text for one in self.alternatives[:DIVERSE]]
        distances = [edit_distance(one, other) for one, other in combinations(texts, 2)]
        return float(np.mean(distances)) / len(self.hidden.truth) if distances else 0.0


def edit_distance(one: str, other: str) -> int:
    """Count the insertions, deletions and substitutions that make one text another (Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for at, a in enumerate(one, 1):
        before, row[0] = row[0], at
        for place, b in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (a != b))
    return row[-1]


def restore_gaps(
    restorer: Restorer, hidden: Sequence[Hidden], language: str, known: bool, count: int = RANKED
) -> list[Restored]:
    """Fill gaps that were made.

    Args:
        known: whether the restorer is told how many characters are lost.
        count: alternatives to each.
    """
    return [
        Restored(one, tuple(restorer.fill(one.left, len(one.truth) if known else None, one.right, count, language)))
        for one in hidden
    ]


def gap_figures(restored: Sequence[Restored]) -> dict[str, Figure]:
    """Give the measures of all gaps, and of each length `error rate, 3`."""
    groups = {"": list(restored)}
    for length in sorted({len(one.hidden.truth) for one in restored}):
        groups[f", {length}"] = [one for one in restored if len(one.hidden.truth) == length]
    measures: Mapping[str, Callable[[Restored], float]] = {
        "error rate": lambda one: one.error_rate,
        "top-1": lambda one: one.among(1),
        f"top-{RANKED}": lambda one: one.among(RANKED),
        "bits a character": lambda one: one.bits,
        "diversity": lambda one: one.diversity,
    }
    return {
        f"{name}{suffix}": mean_over([measure(one) for one in group], [one.hidden.passage for one in group])
        for suffix, group in groups.items()
        for name, measure in measures.items()
    }


def mean_over(values: Sequence[float], passages: Sequence[int], weights: Sequence[float] | None = None) -> Figure:
    """Give a mean, and its interval by drawing whole passages anew.

    Args:
        passages: of which each value is.
        weights: of each value; all the same where there are none.
    """
    heavy = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    names, which = np.unique(np.asarray(passages), return_inverse=True)
    sums = np.bincount(which, heavy * np.asarray(values, float), len(names))
    counts = np.bincount(which, heavy, len(names))
    found = percentiles(lambda drawn: float(sums[drawn].sum() / counts[drawn].sum()), len(names))
    return replace(found, count=len(values))


def percentiles(statistic: Callable[[NDArray[np.int64]], float], count: int) -> Figure:
    """Give a statistic of all numbers below `count`, and its interval by drawing as many of them anew."""
    random = np.random.default_rng(address(0, "bootstrap"))
    drawn = random.integers(0, count, (RESAMPLES, count))
    low, high = np.percentile([statistic(one) for one in drawn], [2.5, 97.5])
    return Figure(statistic(np.arange(count)), float(low), float(high), count)


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Give the expected calibration error over 15 bins of equal width (Guo et al., 2017, equation 3)."""
    sure, true = np.asarray(confidences, float), np.asarray(right, float)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.abs(np.bincount(bins, sure - true, BINS))
    return float(gaps.sum() / len(sure))


def calibration_of(restored: Sequence[Restored]) -> float:
    """Give the calibration error of the confidences of all first alternatives' characters."""
    told = confidences_of(restored)
    return calibration_error([sure for sure, _ in told], [right for _, right in told])


def confidences_of(restored: Sequence[Restored]) -> list[tuple[float, bool]]:
    """Give the confidence of each character of all first alternatives, and whether it is right."""
    return [
        (sure, right)
        for one in restored
        if one.alternatives
        for sure, right in zip(one.alternatives[0].confidences, one.right, strict=True)
    ]


@runtime_checkable
class RestorerOfPassages(Protocol):
    """What has its own order in which it fills the gaps of a passage."""

    def restore(self, text: str, language: str) -> str:
        """Replace every LOST of a text; all else stays."""


def restore_passage(restorer: Restorer, text: str, language: str) -> str:
    """Replace every LOST of a text: in the restorer's own order, or from the left, what is filled being read then."""
    if isinstance(restorer, RestorerOfPassages):
        return restorer.restore(text, language)
    done = ""
    while LOST in text:
        left, _, rest = text.partition(LOST)
        done, right = done + left, rest.lstrip(LOST)
        length = 1 + len(rest) - len(right)
        found = restorer.fill(done[-REACH:], length, right[:REACH], 1, language)
        done, text = done + (found[0].text if found else " " * length), right
    return done + text


def character_accuracy(
    restorer: Restorer, passages: Sequence[Passage], language: str, kind: Kind, share: float
) -> Figure:
    """Give the share of hidden characters that are restored, of passages of which that share is missing."""
    shares, counts, which = [], [], []
    for at, passage in enumerate(passages):
        damaged = hide_share(passage, kind, share, seed=0)
        places = [place for place, one in enumerate(damaged) if one == LOST != passage.text[place]]
        if places:
            truth, found = folded(passage.text), folded(restore_passage(restorer, damaged, language))
            shares.append(sum(truth[place] == found[place] for place in places) / len(places))
            counts.append(len(places))
            which.append(at)
    return mean_over(shares, which, counts)


def parallels_found(corpus: Corpus, count: int, seed: int) -> Figure:
    """Give the share of lines that are among the ten nearest of themselves when half of their characters are lost.

    Args:
        count: lines of at least 20 characters that are drawn; words are hidden, in any order, until half is lost.
    """
    random = np.random.default_rng(address(seed, "parallels"))
    long = [at for at, line in enumerate(corpus.lines) if len(line) >= 20 and " " in line]
    drawn = random.permutation(long)[:count].tolist()
    found = []
    for at in drawn:
        line = corpus.lines[at]
        passage = Passage(line, tuple(one != "\n" for one in line), (False,) * len(line))
        nearest = corpus.nearest(hide_share(passage, "words", 0.5, seed), 10)
        found.append(any(folded(one.line) == folded(line) for one in nearest))
    return mean_over(found, drawn)


def seconds_a_page(restorer: Restorer, passages: Sequence[Passage], language: str) -> float:
    """Measure the seconds that a page of 2,000 characters takes, of which 15 % are missing in words."""
    text = ""
    for passage in passages:
        text += hide_share(passage, "words", PAGE_SHARE, seed=0) + "\n"
        if len(text) >= PAGE:
            break
    started = time.perf_counter()
    restore_passage(restorer, text[:PAGE], language)
    return (time.perf_counter() - started) * PAGE / len(text[:PAGE])
