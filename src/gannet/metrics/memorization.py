"""The memorization audit: do fakes lie nearer to the training samples than samples that were held out do?

It takes training, held-out and generated samples (as the Feature Likelihood Divergence does: Jiralerspong et al., 2023)
and asks two questions: whether fakes are copies by and large, and whether some are, however few.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from gannet.runtime.later import later

stats = later("scipy.stats")

NEAR, NEIGHBOUR, FEWEST, ROWS = 0.01, 5, 50, 100
NEARER = 0.9
"""In which share of comparisons with held-out samples a copier's fakes are the nearer ones."""
SAME = 1e-4
"""Relative distance up to which samples are the same one: networks round differently in batches of other sizes."""
RARE = 1e-4
"""The most held-out samples that lie as near to a training sample as what is called a copy, as a share."""
ALLOWED = 8.0
"""How many times that share a poor generator may have without copying: of fakes shrunk towards where training samples
are dense, up to eight times as many as of held-out samples lie among the nearest."""
TWINS = 3.0
"""How many times the share of held-out samples that look like copies fakes may have: some data hold twins."""
CHANCE, UNLIKE = 1e-3, 0.05
"""Fakes surely are copies where so many would be by a lesser chance than the first, and where the chance is less than
the second that they and the held-out samples hold equal shares of what looks like copies."""
NEAREST_SHARE, FEWEST_NEAREST = 0.1, 10
"""The held-out samples nearest to training samples, which tell how distances thin out towards zero."""
SAID = {
    "none": "does not give training samples back",
    "some": "gives some training samples back",
    "many": "memorizes: it gives training samples back",
}


@dataclass(frozen=True)
class Memorization:
    """What the audit found.

    Distances to the nearest training sample are taken relative to that of the fifth nearest: a poor generator, whose
    fakes crowd where training samples are dense, is near to many of them, a copier to one.

    Attributes:
        near_copies: the share of fakes relatively nearer to one training sample than surely no more than 1 % of
            held-out ones are; held-out samples themselves would give at most 0.01.
        closer: the probability that a fake lies relatively nearer than a held-out one does; one half: no nearer
            (after Meehan et al., 2020, "A Non-Parametric Test to Detect Data-Copying", section 3).
        searched: how many training samples were looked through.
        pairs: rows of the fakes and of the searched training samples, the closest pairs first, (p, 2).
        distances: of these pairs, over the distance of the fifth nearest, (p,).
        copied: the share of fakes that are copies: nearer to one training sample than all but one of ten thousand
            held-out samples are.
        copied_low, copied_high: its 95 % interval.
        copied_floor: the share of held-out samples that would be called copies.
        surely: whether more training samples are copied than chance, a poor generator, or twins in the data explain.
        nearer: how high `closer` is of what memorizes.
    """

    near_copies: float
    closer: float
    searched: int
    pairs: Tensor
    distances: Tensor
    copied: float
    copied_low: float
    copied_high: float
    copied_floor: float
    surely: bool
    nearer: float = NEARER

    @property
    def extent(self) -> Literal["none", "some", "many"]:
        """How many fakes are copies: many where far more lie near than held-out samples do, some where a few surely
        are.
        """
        if self.near_copies > 10 * NEAR or self.closer > self.nearer:
            return "many"
        return "some" if self.surely else "none"

    @property
    def memorizes(self) -> bool:
        """Whether fakes are copies, many or some."""
        return self.extent != "none"

    def words(self) -> str:
        """Give the audit in one sentence."""
        return (
            f"The model {SAID[self.extent]} ({self.copied:.1%} of the fakes are copies, {self.copied_low:.1%} to "
            f"{self.copied_high:.1%}; reals: {self.copied_floor:.1%}; {self.near_copies:.1%} lie as near to one of "
            f"{self.searched:,} training samples as at most 1 % of held-out reals do; a fake is the nearer one in "
            f"{self.closer:.0%} of comparisons)."
        )

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "memorizes": self.memorizes,
            "words": self.words(),
            "near_copies": self.near_copies,
            "closer": self.closer,
            "searched": self.searched,
            "pairs": self.pairs.tolist(),
            "distances": self.distances.tolist(),
            "extent": self.extent,
            "copied": self.copied,
            "copied_low": self.copied_low,
            "copied_high": self.copied_high,
            "copied_floor": self.copied_floor,
        }


class CopyAudit:
    """Compares the nearest training neighbours of fakes with those of held-out samples, again and again.

    Args:
        training, held_out: features (m, d), (k, d), m at least 5; held-out samples that are exact copies of training
            samples count as twins of the data, and for nothing else.
    """

    def __init__(self, training: Tensor, held_out: Tensor) -> None:
        assert len(training) >= NEIGHBOUR, "too few training samples to tell copies by"
        usual, _ = relative_nearest(held_out, training)
        self.training, self.criterion = training, CopyCriterion(usual, len(training))

    def __call__(self, fake: Tensor, shown: int = 8) -> Memorization | None:
        """Audit fakes (n, d) and name the closest pairs; None with fewer than 50 held-out samples."""
        if not self.criterion.enough:
            return None
        return self.criterion(*relative_nearest(fake, self.training), shown)


class CopyCriterion:
    """Says what is a copy, by how near reals lie to training samples that are not theirs.

    Args:
        usual: relative distances (k,) of such reals, by the same search as those of fakes; zeros count as twins.
        searched: how many training samples were looked through.
        nearer: in which share of comparisons with these reals a copier's fakes are the nearer ones.
    """

    def __init__(self, usual: Tensor, searched: int, nearer: float = NEARER) -> None:
        self.usual, self.searched, self.nearer = usual[usual > SAME], searched, nearer
        self.near, self.bound = (tail_quantile(self.usual, share) if self.enough else 0.0 for share in (NEAR, RARE))
        self.counts = int((usual < self.bound).sum()), len(usual)
        self.floor = float((usual < self.bound).float().mean())

    @property
    def enough(self) -> bool:
        """Whether there are reals enough to say it by."""
        return len(self.usual) >= FEWEST

    def __call__(self, found: Tensor, partner: Tensor, shown: int = 8) -> Memorization:
        """Judge fakes by their relative distances (n,) and which training samples those are to, (n,)."""
        order = found.argsort()[:shown]
        closer = stats.mannwhitneyu(self.usual, found).statistic / (len(self.usual) * len(found))
        copies = found < self.bound
        interval = stats.binomtest(int(copies.sum()), len(found)).proportion_ci(method="wilson")
        # A generator that makes one sample again and again may happen to make it beside one training sample.
        originals = len(partner[copies].unique())
        return Memorization(
            near_copies=float((found < self.near).float().mean()),
            closer=float(closer),
            searched=self.searched,
            pairs=torch.stack([order, partner[order]], 1),
            distances=found[order],
            copied=float(copies.float().mean()),
            copied_low=float(interval.low),
            copied_high=float(interval.high),
            copied_floor=self.floor,
            surely=self._exceeds(originals, len(found)),
            nearer=self.nearer,
        )

    def _exceeds(self, originals: int, fakes: int) -> bool:
        """Tell whether so many of so many fakes are too many copies to be explained otherwise.

        Few held-out samples may hold no twin though the data have some: the counts of both are also held against equal
        shares (the conditional test of two Poisson means: Przyborowski and Wilenski, 1940).
        """
        allowed = max(ALLOWED * RARE, TWINS * self.floor) * fakes
        twins, held_out = self.counts
        alike = stats.binom.sf(originals - 1, originals + twins, fakes / (fakes + held_out))
        return bool(stats.poisson.sf(originals - 1, allowed) < CHANCE and alike < UNLIKE)


def tail_quantile(usual: Tensor, share: float) -> float:
    """Give the relative distance (see `relative_nearest`) below which surely no more than a share of held-out samples
    lies, however few of them are known.

    Where samples have d local dimensions, the share of those nearer than r grows as r^d. The nearest held-out samples
    tell d (Hill, 1975): their logarithms add up to what is gamma-distributed, so that the lower end of its 95 %
    interval is known, and that power is followed to where too few of them are to be counted. The second nearest of a
    hundred, which is about the empirical quantile of 1 %, has more than 1 % of the others below it in three cases of
    four, and more than 7 % in one of two hundred.

    Args:
        usual: relative distances of held-out samples (n,), at least 50, none of them zero.
        share: at most a tenth.
    """
    count = max(FEWEST_NEAREST, int(NEAREST_SHARE * len(usual)))
    nearest = usual.double().sort().values[:count]
    total = float((nearest[-1] / nearest[:-1]).log().sum())
    dimensions = float(stats.gamma.ppf(0.025, count - 1)) / max(total, 1e-12)
    return float(float(nearest[-1]) * (share * len(usual) / count) ** (1 / dimensions))


def relative_nearest(samples: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Give the distance of each row (n, d) to the nearest of `known` (m, d), over that to the fifth nearest;
    which it is.
    """
    parts = [_relative_nearest(part, known) for part in samples.double().split(ROWS)]
    return torch.cat([ratio for ratio, _ in parts]), torch.cat([index for _, index in parts])


def _relative_nearest(part: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Found by matrix products, then measured again: a copy's distance must be zero, not a rounding error."""
    near = torch.cdist(part.float(), known.float()).topk(NEIGHBOUR, largest=False).indices
    distances = (part[:, None] - known[near].double()).norm(dim=2)
    nearest, order = distances.min(1)
    ratio = nearest / distances.amax(1).clamp_min(1e-12)
    return ratio, near.gather(1, order[:, None]).squeeze(1)
