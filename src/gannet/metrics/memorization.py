"""The memorization audit: do fakes lie nearer to the training samples than samples that were held out do?"""

from dataclasses import dataclass
from typing import Any

import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

NEAR, ROWS = 0.01, 500


@dataclass(frozen=True)
class Memorization:
    """What the audit found.

    Attributes:
        near_copies: the share of fakes nearer to a training sample than the nearest 1 % of held-out ones; 0.01 is
            what held-out samples themselves would give.
        closer: the probability that a fake lies nearer to the training samples than a held-out one does (Meehan et
            al., 2020, "A Non-Parametric Test to Detect Data-Copying", section 3); one half: no nearer.
        pairs: rows of the fakes and of the training samples, the closest pairs first, (p, 2).
        distances: of these pairs, over the median held-out distance, (p,).
    """

    near_copies: float
    closer: float
    pairs: Tensor
    distances: Tensor

    @property
    def memorizes(self) -> bool:
        """Whether fakes are copies: many more near ones than held-out samples have."""
        return self.near_copies > 10 * NEAR or self.closer > 0.9

    def words(self) -> str:
        """The audit in one sentence."""
        figures = f"{self.near_copies:.1%} of the fakes lie nearer to a training sample than 99 % of held-out reals"
        said = "memorizes: it gives training samples back" if self.memorizes else "does not give training samples back"
        return f"The model {said} ({figures}; a fake is the nearer one in {self.closer:.0%} of all comparisons)."

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "memorizes": self.memorizes,
            "words": self.words(),
            "near_copies": self.near_copies,
            "closer": self.closer,
            "pairs": self.pairs.tolist(),
            "distances": self.distances.tolist(),
        }


def audit_memorization(fake: Tensor, training: Tensor, held_out: Tensor, shown: int = 8) -> Memorization:
    """Compare the fakes' nearest training neighbours with those of held-out samples.

    Args:
        fake, training, held_out: features (n, d), (m, d), (k, d).
        shown: how many of the closest pairs to name.
    """
    known, _ = nearest(held_out, training)
    found, partner = nearest(fake, training)
    order = found.argsort()[:shown]
    closer = mannwhitneyu(known, found).statistic / (len(known) * len(found))
    return Memorization(
        near_copies=float((found < known.quantile(NEAR)).float().mean()),
        closer=float(closer),
        pairs=torch.stack([order, partner[order]], 1),
        distances=found[order] / known.median().clamp_min(1e-12),
    )


def nearest(samples: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The distance of each row (n, d) to the nearest of `known` (m, d), and which that is."""
    parts = [_exact_nearest(part, known) for part in samples.double().split(ROWS)]
    return torch.cat([distance for distance, _ in parts]), torch.cat([index for _, index in parts])


def _exact_nearest(part: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Found by matrix products, then measured again: a copy's distance must be zero, not a rounding error."""
    index = torch.cdist(part.float(), known.float()).argmin(1)
    return (part - known[index].double()).norm(dim=1), index
