"""The Frechet distance of patches: do small parts of made photographs, all together, look like those of real ones?"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gannet.metrics.distances import frechet_distance
from gannet.metrics.features import Features, as_patches
from gannet.metrics.measure import Measure
from gannet.runtime.later import later

stats = later("scipy.stats")

NAME, FOLDS = "frechet distance of patches", 10
"""What it is called, and how many times some photographs are left out to learn how sure it is."""


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
    value = frechet_distance(torch.cat(real), torch.cat(made))
    less = torch.tensor([_without(real, made, fold) for fold in range(FOLDS)], dtype=torch.float64)
    error = float(((FOLDS - 1) / FOLDS * (less - less.mean()).square().sum()).sqrt())
    reach, count = float(stats.t.ppf(0.975, FOLDS - 1)) * error, sum(map(len, real))
    words = f"{count:,} patches of 64 pixels a side of {len(real):,} photographs"
    return [Measure(NAME, value, max(0.0, value - reach), value + reach, None, features, count, count, words, "low")]


def _without(real: Sequence[Tensor], made: Sequence[Tensor], fold: int) -> float:
    kept = [index for index in range(len(real)) if index % FOLDS != fold]
    return frechet_distance(*(torch.cat([parts[index] for index in kept]) for parts in (real, made)))
