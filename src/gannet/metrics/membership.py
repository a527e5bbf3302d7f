"""Membership inference: can an attacker tell which scans a model learned from, by what it generates or how it scores?

An attack gives every scan a score that should be higher where the model has seen it; its advantage is how much oftener
it says so of scans that were learned from than of others (Yeom et al., 2018, definition 4).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gannet.metrics.fidelity import ROWS
from gannet.metrics.measure import Measure

RESAMPLES = 1_000
FEWEST = 20
"""Scans of either kind: a threshold is chosen by half of them, and tried on the others."""
NEAR_SHARE = 0.001
"""The share of pairs of a scan and a sample that counts as near in the attack by numbers."""
Scores = npt.NDArray[np.float64]


def advantage(members: Scores, others: Scores, seed: int) -> tuple[float, float, float]:
    """Give an attack's true positive rate less its false positive rate, and a 95 % interval; 0 is chance.

    The threshold is the best one of one half, and the rates are those of the other, and the other way round: the best
    threshold of the same scans would find an advantage in any scores. So it may come out below 0. The interval is that
    of a percentile bootstrap of scans within the halves, widened to the value where it misses that.

    Args:
        members: scores (n,) of scans that were learned from, at least 20; higher means rather learned from.
        others: scores (m,) of scans that were not, at least 20.

    Raises:
        ValueError: there are too few scans.
    """
    if min(len(members), len(others)) < FEWEST:
        raise ValueError(
            f"Membership inference takes {FEWEST} scans that were learned from and {FEWEST} that were not; "
            f"given: {len(members)} and {len(others)}."
        )
    random = np.random.default_rng(seed)
    halves = [np.array_split(random.permutation(scores), 2) for scores in (members, others)]
    sides = list(zip(*halves, strict=True))
    value = _crossed(*sides)
    drawn = [_crossed(*([random.choice(part, len(part)) for part in side] for side in sides)) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return value, float(min(low, value)), float(max(high, value))


def _crossed(first: object, second: object) -> float:
    """The mean advantage of either side at the other's threshold."""
    return (_at(_threshold(*first), *second) + _at(_threshold(*second), *first)) / 2  # type: ignore[misc]


def _threshold(members: Scores, others: Scores) -> float:
    """The score from which on to call scans members, where that is best: halfway between two that occur."""
    values = np.unique(np.concatenate([members, others]))
    values[1:] = (values[1:] + values[:-1]) / 2
    rates = [1 - np.searchsorted(np.sort(scores), values) / len(scores) for scores in (members, others)]
    return float(values[(rates[0] - rates[1]).argmax()])


def _at(threshold: float, members: Scores, others: Scores) -> float:
    return float((members >= threshold).mean() - (others >= threshold).mean())


def nearness(scans: Tensor, generated: Tensor) -> Scores:
    """Score scans by the nearest generated sample, the nearest highest (Chen et al., 2020, "GAN-Leaks", the full
    black-box attack).

    Args:
        scans, generated: features (n, d) and (m, d).
    """
    return -np.concatenate([near.amin(1).numpy() for near in _distances(scans, generated)])


def nearby_share(scans: Tensor, generated: Tensor) -> Scores:
    """Score scans by the share of generated samples that lie near them (Hilprecht et al., 2019, "Monte Carlo and
    Reconstruction Membership Inference Attacks against Generative Models", the Monte Carlo attack).

    Near is what one of a thousand pairs is, over all scans together: the attacker knows no better radius. Ties go by
    the distance to the nearest.

    Args:
        scans, generated: features (n, d) and (m, d).
    """
    distances = torch.cat(list(_distances(scans, generated)))
    nearest = distances.amin(1).double()
    radius = distances.flatten().kthvalue(max(1, round(NEAR_SHARE * distances.numel()))).values
    counts = (distances <= radius).sum(1).double()
    return ((counts + 0.5 * (1 - nearest / nearest.max().clamp_min(1e-12))) / len(generated)).numpy()


def _distances(scans: Tensor, generated: Tensor) -> Iterator[Tensor]:
    """Distances (r, m) of scans to generated samples, some rows at a time."""
    return (torch.cdist(part.float(), generated.float()) for part in scans.split(ROWS))


def measure_membership(
    name: str, scores: tuple[Scores, Scores], floor: float | None, features: str, seed: int
) -> Measure:
    """Measure the advantage of an attack that is called by a name; 0 is best.

    Args:
        scores: of scans that were learned from, and of scans that were not.
        floor: what it scores without a model, such as by other scans that were learned from in place of samples.
        features: what distances were taken in, or whose scores they are.
    """
    members, others = scores
    value, low, high = advantage(members, others, seed)
    protocol = (
        f"{len(members):,} scans that were learned from against {len(others):,} that were not, thresholds chosen by "
        f"one half and tried on the other; interval: bootstrap, {RESAMPLES:,} draws of scans"
    )
    return Measure(
        f"membership advantage, {name}", value, low, high, floor, features, len(members), len(others), protocol, 0.0
    )
