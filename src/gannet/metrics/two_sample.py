"""Two-sample tests: can a fresh classifier tell fakes from reals it has not seen, and are the two sets one?"""

import numpy as np
import torch
from torch import Tensor

from gannet.runtime.later import later

stats = later("scipy.stats")
linear_model = later("sklearn.linear_model")
pipeline = later("sklearn.pipeline")
preprocessing = later("sklearn.preprocessing")


def classify_apart(real: Tensor, fake: Tensor, seed: int) -> tuple[float, float, float]:
    """Give the held-out accuracy of a fresh classifier, one half when nothing tells them apart, and its 95 % interval.

    A logistic regression learns from one half of both sets and is tested on the other (Lopez-Paz and Oquab, 2017,
    "Revisiting Classifier Two-Sample Tests", section 3); the interval is Wilson's.

    Args:
        real, fake: features (n, d), equal counts, at least four each.
    """
    count = min(len(real), len(fake))
    order = np.random.default_rng(seed).permutation(count)
    half = count // 2
    learnt, tested = order[:half], order[half:]
    classifier = pipeline.make_pipeline(
        preprocessing.StandardScaler(), linear_model.LogisticRegression(C=0.1, max_iter=300)
    )
    classifier.fit(_rows(real, fake, learnt), _truth(learnt))
    right = int((classifier.predict(_rows(real, fake, tested)) == _truth(tested)).sum())
    interval = stats.binomtest(right, 2 * len(tested)).proportion_ci(method="wilson")
    return right / (2 * len(tested)), float(interval.low), float(interval.high)


def permutation_test(real: Tensor, fake: Tensor, seed: int, permutations: int = 999) -> tuple[float, float]:
    """Give the energy distance of two sets, and by what chance one as large comes of one set parted at random
    (Szekely and Rizzo, 2013, section 4.1).

    The chance is at least 1 / (permutations + 1), and right for any number of samples that are drawn each by itself.

    Args:
        real, fake: (n, d), (m, d), at least two each.
    """
    together = torch.cat([real, fake]).double()
    distances = torch.cdist(together, together)
    random = np.random.default_rng(seed)
    first = torch.zeros(permutations + 1, len(together), dtype=torch.float64)
    first[0, : len(real)] = 1
    for row in first[1:]:
        row[torch.from_numpy(random.permutation(len(together))[: len(real)])] = 1
    near = first @ distances
    ours = (near * first).sum(1)
    across = near.sum(1) - ours
    theirs = distances.sum() - ours - 2 * across
    n, m = len(real), len(fake)
    found = 2 * across / (n * m) - ours / (n * (n - 1)) - theirs / (m * (m - 1))
    # What is as large but for rounding counts as large.
    return float(found[0]), float((found >= found[0] - 1e-9 * distances.mean()).double().mean())


def _rows(real: Tensor, fake: Tensor, chosen: np.ndarray) -> np.ndarray:
    return np.concatenate([real.numpy()[chosen], fake.numpy()[chosen]])


def _truth(chosen: np.ndarray) -> np.ndarray:
    return np.repeat([1, 0], len(chosen))
