"""The memorization audit: do fakes lie nearer to the training samples than samples that were held out do?"""

from dataclasses import dataclass
from typing import Any

import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

NEAR, NEIGHBOUR, FEWEST, ROWS = 0.01, 5, 50, 100


@dataclass(frozen=True)
class Memorization:
    """What the audit found.

    Distances to the nearest training sample are taken relative to that of the fifth nearest: a poor generator, whose
    fakes crowd where training samples are dense, is near to many of them, a copier to one.

    Attributes:
        near_copies: the share of fakes relatively nearer to one training sample than the nearest 1 % of held-out ones;
            0.01 is what held-out samples themselves would give.
        closer: the probability that a fake lies relatively nearer than a held-out one does; one half: no nearer
            (after Meehan et al., 2020, "A Non-Parametric Test to Detect Data-Copying", section 3).
        searched: how many training samples were looked through.
        pairs: rows of the fakes and of the searched training samples, the closest pairs first, (p, 2).
        distances: of these pairs, over the distance of the fifth nearest, (p,).
    """

    near_copies: float
    closer: float
    searched: int
    pairs: Tensor
    distances: Tensor

    @property
    def memorizes(self) -> bool:
        """Whether fakes are copies: many more near ones than held-out samples have."""
        return self.near_copies > 10 * NEAR or self.closer > 0.9

    def words(self) -> str:
        """Give the audit in one sentence."""
        said = "memorizes: it gives training samples back" if self.memorizes else "does not give training samples back"
        return (
            f"The model {said} ({self.near_copies:.1%} of the fakes lie as near to one of {self.searched:,} training "
            f"samples as only 1 % of held-out reals do; a fake is the nearer one in {self.closer:.0%} of comparisons)."
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
        }


class CopyAudit:
    """Compares the nearest training neighbours of fakes with those of held-out samples, again and again.

    Args:
        training, held_out: features (m, d), (k, d), m at least 5; held-out samples that are exact copies of training
            samples do not count.
    """

    def __init__(self, training: Tensor, held_out: Tensor) -> None:
        assert len(training) >= NEIGHBOUR, "too few training samples to tell copies by"
        usual, _ = relative_nearest(held_out, training)
        self.training, self.usual = training, usual[usual > 0]

    def __call__(self, fake: Tensor, shown: int = 8) -> Memorization | None:
        """Audit fakes (n, d) and name the closest pairs; None with fewer than 50 held-out samples."""
        if len(self.usual) < FEWEST:
            return None
        found, partner = relative_nearest(fake, self.training)
        order = found.argsort()[:shown]
        closer = mannwhitneyu(self.usual, found).statistic / (len(self.usual) * len(found))
        return Memorization(
            near_copies=float((found < self.usual.quantile(NEAR)).float().mean()),
            closer=float(closer),
            searched=len(self.training),
            pairs=torch.stack([order, partner[order]], 1),
            distances=found[order],
        )


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
