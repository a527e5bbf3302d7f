"""Judging what restores photographs: how much of the damage it finds, how much else, and what becomes of both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import exp
from statistics import fmean
from typing import Any

from gannet.adversarial.similarity import Frozen
from gannet.augmentation.damage import DAMAGES, USUAL, Manner, damage
from gannet.media.photograph import Photograph
from gannet.media.pyramid import Mask
from gannet.media.tiling import as_tensor, as_values
from gannet.metrics.measure import Measure
from gannet.task import Exam
from gannet.tasks._image_restoration.evaluation import (
    MOST_JUDGED,
    EvaluationPair,
    draws_for,
    fidelity_figures,
    measures,
    photographs,
)
from gannet.tasks.restoration.config import Config
from gannet.tasks.restoration.detector import f1_of_masks, softened
from gannet.tasks.restoration.pipeline import RestorationPipeline

MISTAKEN = "share of a whole photograph taken for damage"
"""What the judge calls it."""
LOGITS, HALVINGS = (-9.0, 3.0), 8
"""Between which logits a sensitivity is sought, and how often what is between them is halved."""
HALF_TRANSPARENT = Manner(soft=1.0, least=0.1)


@dataclass(frozen=True)
class Mistakes:
    """What share of undamaged photographs may be taken for damage: of all of them, and of the worst."""

    mean: float = 0.003
    worst: float = 0.02

    def kept(self, shares: Sequence[float]) -> bool:
        """Tell whether these are no more."""
        return fmean(shares) <= self.mean and max(shares) <= self.worst


def found_in_photographs(pipeline: Any, exam: Exam, config: Config) -> list[Measure]:
    """Measure how much of the damage the model finds, and how much else.

    Damage is found by F1 of the pixels, on sharp and on soft scans; else by the share that it would fill anew.
    """
    unknown = tuple(name for name in DAMAGES if name not in config.damages)
    found, most = list[Measure](), exam.query.num or exam.query.reach(MOST_JUDGED)
    for kinds, words in ((config.damages, "learned"), (unknown, "not learned")):
        if kinds:
            rows = [_found(pipeline, real, kinds, words) for real in photographs(exam, most)]
            found += measures(rows, None, ", ".join(kinds), dict.fromkeys(rows[0] if rows else (), "high"))
    taken = [{MISTAKEN: share_taken(pipeline, real)} for real in photographs(exam, most)]
    return found + measures(taken, None, "without damage", {MISTAKEN: "low"}) + _worst(taken)


def share_taken(pipeline: RestorationPipeline, photograph: Photograph) -> float:
    """Tell the share of a photograph that a model would fill anew."""
    return float((pipeline.find(photograph).values > 0).mean())


def calibrated(pipeline: RestorationPipeline, undamaged: Sequence[Photograph], aim: Mistakes) -> RestorationPipeline:
    """Give a model as sensitive as it may be without taking more of undamaged photographs for damage than is aimed at.

    Raises:
        ValueError: it takes more at any sensitivity.
    """
    low, high = LOGITS
    best: RestorationPipeline | None = None
    for _ in range(HALVINGS):
        tried = pipeline.at(1 / (1 + exp(-(low + high) / 2)))
        if aim.kept([share_taken(tried, one) for one in undamaged]):
            best, low = tried, (low + high) / 2
        else:
            high = (low + high) / 2
    if best is None:
        raise ValueError(f"{pipeline.name} takes more of undamaged photographs for damage at any sensitivity.")
    return best


def _worst(taken: list[dict[str, float]]) -> list[Measure]:
    """The largest share of a photograph taken for damage."""
    most, count = max((row[MISTAKEN] for row in taken), default=0.0), len(taken)
    words = f"worst of {count:,} photographs; without damage"
    return [Measure(f"largest {MISTAKEN}", most, most, most, None, "none", count, count, words, "low")] if taken else []


def _found(pipeline: RestorationPipeline, real: Photograph, kinds: tuple[str, ...], words: str) -> dict[str, float]:
    """How much a model finds of damage with hard edges, and of half-transparent damage with soft ones."""
    spoiled, lost = _damaged(real, kinds, HALF_TRANSPARENT)
    soft = f1_of_masks(lost, pipeline.damaged(spoiled))
    hard = found_shares(pipeline, *_damaged(real, kinds), words)
    return {**hard, f"half-transparent damage of kinds {words} found, F1": soft}


def evaluation_pair(real: Photograph, config: Config) -> EvaluationPair:
    """Draw damage on a photograph, the same for the same photograph; the model has to find it."""
    damaged, lost = _damaged(real, config.damages)
    return EvaluationPair(damaged, real, {"untouched": damaged}, hole_mask=lost)


def figures(made: Photograph, pair: EvaluationPair, perceptual: Frozen | None) -> dict[str, float]:
    """Measure the whole photograph, for what was whole may suffer, and what was lost."""
    whole = fidelity_figures(made, replace(pair, hole_mask=None), perceptual)
    return {**whole, **fidelity_figures(made, pair, None)}


def _damaged(real: Photograph, kinds: tuple[str, ...], manner: Manner = USUAL) -> tuple[Photograph, Mask]:
    """Give a photograph with damage of some kinds, and where it is; drawn until there is some."""
    draws, values = draws_for(real, "damage"), as_tensor(real.values)
    drawn = (damage(values, kinds, draws, manner=manner) for _ in count())
    spoiled = next(one for one in drawn if one.lost.any())
    return Photograph(as_values(spoiled.pictures, real.values.dtype)), spoiled.lost[0, 0].numpy() > 0


def found_shares(pipeline: RestorationPipeline, spoiled: Photograph, lost: Mask, words: str) -> dict[str, float]:
    """Give the F1 of the pixels that a model finds damaged, as the photograph is and where a scan of it is soft."""
    soft = Photograph(as_values(softened(as_tensor(spoiled.values)), spoiled.values.dtype))
    return {
        f"damage of kinds {words} found{how}, F1": f1_of_masks(lost, pipeline.damaged(scan))
        for how, scan in (("", spoiled), (" on a soft scan", soft))
    }
