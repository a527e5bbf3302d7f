"""How far all made photographs together are from real ones: the Frechet distance of patches, the colours they have."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gannet.metrics.distances import frechet_distance
from gannet.metrics.features import Features, as_patches
from gannet.metrics.measure import Measure
from gannet.metrics.restoration import chroma
from gannet.runtime.later import later

stats = later("scipy.stats")

NAME, CHROMA, FOLDS = "frechet distance of patches", "distance of all chroma's histogram", 10
"""What they are called, and how many times some photographs are left out to learn how sure they are."""
BIN, BINS = 8.0, 25
"""How wide a bin of a histogram of a* and b* is, and how many there are along each; grey is the middle of one."""


def patch_features(features: Features, picture: Tensor) -> Tensor:
    """Give the features (n, d) of a picture's patches (1, c, h, w); none of a picture that is smaller than a patch."""
    patches = as_patches(picture)
    return features(patches) if len(patches) else torch.zeros(0, 0)


def patch_distance(real: Sequence[Tensor], made: Sequence[Tensor], features: str) -> list[Measure]:
    """Give the distance over all photographs, with an interval (jackknife over tenths of them);
    none where they are few.

    Args:
        real, made: the features (n, d) of each photograph's patches.
    """
    real, made = ([one for one in parts if len(one)] for parts in (real, made))
    if len(real) < FOLDS:
        return []
    parts = list(zip(real, made, strict=True))
    value, reach = _jackknifed(parts, lambda kept: frechet_distance(*map(torch.cat, zip(*kept, strict=True))))
    count = sum(map(len, real))
    words = f"{count:,} patches of 64 pixels a side of {len(real):,} photographs"
    return [Measure(NAME, value, max(0.0, value - reach), value + reach, None, features, count, count, words, "low")]


def chroma_histogram(picture: Tensor) -> Tensor:
    """Tell how much of a picture (1, 3, h, w) has each a* and b*, in bins: (n,), of sum one."""
    bins = ((chroma(picture)[0].flatten(1) / BIN).round() + BINS // 2).clamp(0, BINS - 1).long()
    return torch.bincount(bins[0] * BINS + bins[1], minlength=BINS**2) / bins.shape[1]


def chroma_histogram_distance(real: Sequence[Tensor], made: Sequence[Tensor]) -> list[Measure]:
    """Give how far the colours of all photographs are from those of the real ones, wherever they lie: half of the sum
    of the differences of their mean histograms, from 0 to 1, with an interval as for patches; none where they are few.

    Args:
        real, made: the histogram (n,) of each photograph.
    """
    if len(real) < FOLDS:
        return []

    def apart(kept: Sequence[tuple[Tensor, Tensor]]) -> float:
        theirs, ours = (torch.stack(one).mean(0) for one in zip(*kept, strict=True))
        return float((theirs - ours).abs().sum() / 2)

    (value, reach), count = _jackknifed(list(zip(real, made, strict=True)), apart), len(real)
    words = f"a* and b* of all pixels of {count:,} photographs, in bins of {BIN:g}"
    return [Measure(CHROMA, value, max(0.0, value - reach), value + reach, None, "none", count, count, words, "low")]


def _jackknifed(
    parts: Sequence[tuple[Tensor, Tensor]], distance: Callable[[Sequence[tuple[Tensor, Tensor]]], float]
) -> tuple[float, float]:
    """Give a distance over all photographs, and how far it may be off at 95 %, by leaving tenths of them out."""
    less = [distance([one for index, one in enumerate(parts) if index % FOLDS != fold]) for fold in range(FOLDS)]
    found = torch.tensor(less, dtype=torch.float64)
    error = float(((FOLDS - 1) / FOLDS * (found - found.mean()).square().sum()).sqrt())
    return distance(parts), float(stats.t.ppf(0.975, FOLDS - 1)) * error
