"""A judgement: every measure of fakes against reals that their number allows, and the memorization audit."""

from collections.abc import Container, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from textwrap import TextWrapper
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gannet.metrics.augmentation_leak import Leak
from gannet.metrics.baseline_comparison import PRINTED, BaselineResult, printed_table
from gannet.metrics.distances import corrected_distances, frechet_distance, kernel_distance, sliced_distance
from gannet.metrics.fidelity import fidelity
from gannet.metrics.measure import Best, Halves, Measure, Statistics, draw_halves, measure
from gannet.metrics.memorization import CopyAudit, Memorization
from gannet.metrics.two_sample import classify_apart
from gannet.metrics.utility import Utility
from gannet.runtime.plugins import find_part, names_of

CORRECTED, SLICED = "frechet distance, corrected", "sliced wasserstein distance"
MOST, MOST_PAIRWISE, FEWEST, FEWEST_OF_CLASS = 10_000, 2_500, 50, 20
FEWEST_OF_NEIGHBOURS = 6
"""Samples of a half, of which each has five others."""
MOST_SLICED = 5_000
"""Samples a side that say along lines what 50,000 say to a Frechet distance (Berthet et al., 2026)."""


@dataclass(frozen=True)
class Evidence:
    """What is judged, as features (n, d).

    Attributes:
        real, fake: held-out reals, and fakes.
        training, held_out: what the model learned from, and what was held out of the same data; None when that is not
            known.
        features: the features' name.
        fake_traced: the fakes in what training and held-out samples are given in, where those are other features.
        real_label, fake_label: (n,), where there are classes.
        classes: their names.
        groups: (n,) which group a real belongs to, such as its person.
        fewest: samples of a half, below which no distances are taken: fewer of what is dear to have and to draw.
    """

    real: Tensor
    fake: Tensor
    training: Tensor | None
    features: str
    held_out: Tensor | None = None
    fake_traced: Tensor | None = None
    real_label: Tensor | None = None
    fake_label: Tensor | None = None
    classes: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    fewest: int = FEWEST


@dataclass(frozen=True)
class Judgement:
    """What came out.

    Attributes:
        measures: of all samples.
        by_class: the kernel distance of each class.
        memorization: the audit, where the training samples are known.
        left_out: what could not be measured, and why.
        utility: whether the fakes help classifiers, where that was asked.
        baselines: the model and others beside it, by the same measures, where that was asked.
        leaks: how many fakes look augmented, where that was asked.
        notes: what was done to the data before.
        closest: the pictures of the audit's closest pairs, fakes first, (2 p, c, h, w).
        sentence: how near the fakes are, and how much of its plan the run has seen; empty until somebody says it.
    """

    measures: list[Measure]
    by_class: dict[str, Measure] = field(default_factory=dict)
    memorization: Memorization | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    utility: Utility | None = None
    baselines: tuple[BaselineResult, ...] = ()
    leaks: tuple[Leak, ...] = ()
    notes: tuple[str, ...] = ()
    closest: Tensor | None = field(default=None, repr=False, compare=False)
    sentence: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "measures": [asdict(found) for found in self.measures],
            "by_class": {name: asdict(found) for name, found in self.by_class.items()},
            "memorization": self.memorization.to_json() if self.memorization else None,
            "left_out": self.left_out,
            "rivals": [one.to_json() for one in self.baselines],  # The name that reports of older runs read.
            "leaks": [leak.to_json() for leak in self.leaks],
            "notes": list(self.notes),
            "sentence": self.sentence,
            "utility": self.utility.to_json() if self.utility else None,
        }

    def lines(self) -> list[str]:
        """Say it in words: one sentence, a line a measure, then the audit, the classes, and what was left out."""
        return [*self._told(), *(one.line() for one in self.baselines)]

    def printed(self) -> list[str]:
        """Say it for a terminal: no line is longer than that is wide, and models stand in a table."""
        lines = TextWrapper(PRINTED, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        told = chain.from_iterable(map(lines.wrap, self._told()))
        return [*told, *(["", *printed_table(self.baselines)] if self.baselines else [])]

    def named(self) -> list[tuple[str, Measure]]:
        """Give every figure by its name: those of all samples, then those of each class."""
        named = [(found.name, found) for found in self.measures]
        return [*named, *((f"kernel distance of {name}", found) for name, found in self.by_class.items())]

    def remarks(self) -> list[str]:
        """Say all but the sentence and the figures, in lines."""
        return [*self.notes, *self._remarks(), *(one.line() for one in self.baselines)]

    def _told(self) -> list[str]:
        named = self.named()
        widest = max((len(name) for name, _ in named), default=0)
        rows = [f"{name:{widest}} {_figure(found)}" for name, found in named]
        return [*([self.sentence] if self.sentence else []), *self.notes, *rows, *self._remarks()]

    def _remarks(self) -> list[str]:
        audit = [self.memorization.words()] if self.memorization else []
        left_out = [f"{name}: left out, {reason}." for name, reason in self.left_out.items()]
        utility = self.utility.lines() if self.utility else []
        leaks = [leak.line() for leak in self.leaks]
        return [*audit, *left_out, *self._protocols(), *utility, *leaks]

    def _protocols(self) -> list[str]:
        """Each protocol once, behind the names of the measures that followed it."""
        names: dict[str, list[str]] = {}
        for found in self.measures:
            features = "" if found.features in ("", "none") else f"; features: {found.features}"
            names.setdefault(f"{found.protocol}{features}.", []).append(found.name)
        return [f"{_list(measures)}: {words}" for words, measures in names.items()]


def judge_samples(evidence: Evidence, seed: int) -> Judgement:
    """Take every measure that there are samples enough for; the same seed gives the same figures."""
    real, fake = evidence.real, evidence.fake
    memorization, left_out = _audit(evidence)
    if short := _shortage(evidence):
        return Judgement([], {}, memorization, short | left_out)
    whole = draw_halves(len(real), len(fake), evidence.groups, MOST, seed)
    pairwise = draw_halves(len(real), len(fake), evidence.groups, MOST_PAIRWISE, seed)
    measures = [
        *measure(corrected_distances, real, fake, whole, evidence.features, "low"),
        *measure(_kernel, real, fake, pairwise, evidence.features, "low"),
        *_few_tell(evidence, seed),
        _two_sample(evidence, seed),
    ]
    if evidence.features.endswith("(FID)"):
        measures += _published(evidence, measures, seed)
    if not any(found.name == CORRECTED for found in measures):
        reason = f"it needs {4 * real.shape[1]} of each for these features of {real.shape[1]} numbers"
        left_out = left_out | {CORRECTED: reason}
    left_out = left_out | _without_neighbours(measures)
    theirs, failed = _installed_measures(evidence, pairwise, {one.name for one in measures})
    return Judgement([*measures, *theirs], dict(_by_class(evidence, seed)), memorization, left_out | failed)


def glance_at(evidence: Evidence, seed: int) -> Judgement:
    """Take in seconds what a thousand or two samples tell, and look for no copies; the same seed gives the same
    figures.
    """
    left_out = {"memorization": "a fast look does not search for copies; judge without --fast"}
    if short := _shortage(evidence):
        return Judgement([], {}, None, short | left_out)
    left_out |= dict.fromkeys(names_of("gannet.measures"), "a fast look takes Gannet's own measures only")
    measures = _few_tell(evidence, seed)
    return Judgement(measures, {}, None, left_out | _without_neighbours(measures))


def _shortage(evidence: Evidence) -> dict[str, str]:
    """Why distances cannot be measured; empty where there are samples enough."""
    if min(len(evidence.real), len(evidence.fake)) >= 2 * evidence.fewest:
        return {}
    there = f"there are {len(evidence.real):,} held-out samples and {len(evidence.fake):,} fakes"
    more = "judge by more data, or train on more, a tenth of which is held out"
    return {"distances": f"{there}, and {2 * evidence.fewest} of each are needed; {more}"}


def _few_tell(evidence: Evidence, seed: int) -> list[Measure]:
    """The measures that are worth something of few samples already."""
    real, fake, groups = evidence.real, evidence.fake, evidence.groups
    sliced, pairwise = (draw_halves(len(real), len(fake), groups, most, seed) for most in (MOST_SLICED, MOST_PAIRWISE))
    enough = len(pairwise.first[0]) >= FEWEST_OF_NEIGHBOURS
    return [
        *measure(_sliced, real, fake, sliced, evidence.features, "low"),
        *(measure(fidelity, real, fake, pairwise, evidence.features, "high") if enough else []),
    ]


def _without_neighbours(measures: list[Measure]) -> dict[str, str]:
    """Why there is no precision and the like; empty where there is."""
    if any(found.name == "precision" for found in measures):
        return {}
    return {"precision, recall, density, coverage": f"they take halves of {FEWEST_OF_NEIGHBOURS} reals and more"}


def _installed_measures(
    evidence: Evidence, halves: Halves, taken: Container[str]
) -> tuple[list[Measure], dict[str, str]]:
    """Measures of third parties, by entry points of `gannet.measures`, and why some could not be taken.

    Each is a function of features (n, d) of reals and of fakes that gives figures by name; its attribute `best` says
    which values are better, as in `Measure`, and is `low` where it has none.
    """
    found, failed = list[Measure](), dict[str, str]()
    for name in names_of("gannet.measures"):
        try:
            take: Statistics = find_part(name, {}, "gannet.measures", "measure")
            best: Best = getattr(take, "best", "low")
            theirs = measure(take, evidence.real, evidence.fake, halves, evidence.features, best)
            if ours := next((one.name for one in theirs if one.name in taken), ""):
                raise ValueError(f"{ours} is the name of a measure of Gannet's; choose another")
            found += theirs
        except Exception as error:  # What others wrote raises anything, and our own measures stand beside it.
            failed[name] = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return found, failed


def _published(evidence: Evidence, halves: list[Measure], seed: int) -> Iterator[Measure]:
    """FID and MIND as they are published: one distance between all reals and all fakes (Heusel et al., 2017), and one
    between 5,000 of each (Berthet et al., 2026).
    """
    real, fake, found = evidence.real, evidence.fake, {one.name: one for one in halves}
    count = min(len(real), len(fake), MOST_SLICED)
    value = frechet_distance(real, fake)
    yield _one_distance("FID", value, found["frechet distance"], (len(real), len(fake)))
    # Drawn, since reals come in the order of their files, which is often that of classes.
    random = np.random.default_rng(seed)
    value = sliced_distance(*(side[random.permutation(len(side))[:count]] for side in (real, fake)))
    yield _one_distance("MIND", value, found[SLICED], (count, count))


def _one_distance(name: str, value: float, halves: Measure, counts: tuple[int, int]) -> Measure:
    reach = (halves.high - halves.low) / 2
    protocol = f"one distance between {counts[0]:,} reals and {counts[1]:,} fakes; interval from halves of them"
    return Measure(name, value, value - reach, value + reach, None, halves.features, *counts, protocol, "low")


def _sliced(real: Tensor, fake: Tensor) -> dict[str, float]:
    return {SLICED: sliced_distance(real, fake)}


def _kernel(real: Tensor, fake: Tensor) -> dict[str, float]:
    return {"kernel distance": kernel_distance(real, fake)}


def _two_sample(evidence: Evidence, seed: int) -> Measure:
    """A fresh classifier's held-out accuracy, and what it scores on reals against reals: one half."""
    count = min(len(evidence.real), len(evidence.fake), MOST)
    order = np.random.default_rng(seed).permutation(len(evidence.real))
    real = evidence.real[torch.from_numpy(order[:count])]
    value, low, high = classify_apart(real, evidence.fake[:count], seed)
    floor, _, _ = classify_apart(real[: count // 2], real[count // 2 :], seed)
    protocol = f"logistic regression on one half of {count:,} reals and {count:,} fakes, tested on the other half"
    return Measure(
        "classifier accuracy", value, low, high, floor, evidence.features, len(real), len(evidence.fake), protocol, 0.5
    )


def _by_class(evidence: Evidence, seed: int) -> Iterator[tuple[str, Measure]]:
    if evidence.real_label is None or evidence.fake_label is None:
        return
    for number, name in enumerate(evidence.classes):
        real, fake = evidence.real[evidence.real_label == number], evidence.fake[evidence.fake_label == number]
        if len(real) >= 2 * FEWEST_OF_CLASS and len(fake) >= 2 * FEWEST_OF_CLASS:
            halves = draw_halves(len(real), len(fake), None, MOST_PAIRWISE, seed)
            yield name, measure(_kernel, real, fake, halves, evidence.features, "low")[0]


def _audit(evidence: Evidence) -> tuple[Memorization | None, dict[str, str]]:
    if evidence.training is None or evidence.held_out is None:
        return None, {"memorization": "the model's training data are not known here; judge the run, with its data"}
    if len(evidence.training) < FEWEST:
        return None, {"memorization": f"it needs {FEWEST} training samples; there are {len(evidence.training)}"}
    fake = evidence.fake if evidence.fake_traced is None else evidence.fake_traced
    found = CopyAudit(evidence.training, evidence.held_out)(fake)
    reason = f"it needs {FEWEST} held-out reals that are no copies of training samples"
    return found, {} if found else {"memorization": reason}


def _list(names: list[str]) -> str:
    """Give names in a row; some have commas of their own."""
    return ("; " if any("," in name for name in names) else ", ").join(names)


def _figure(found: Measure) -> str:
    floor = "" if found.floor is None else f"; reals: {found.floor:.4g}"
    interval = f"{found.low:.4g} to {found.high:.4g}{floor}" if found.low < found.high else floor.removeprefix("; ")
    return f"{found.value:.4g}" + (f"  ({interval})" if interval else "")
