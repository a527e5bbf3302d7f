"""The classifier two-sample test: can a fresh classifier tell fakes from reals it has not seen?"""

import numpy as np
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


def _rows(real: Tensor, fake: Tensor, chosen: np.ndarray) -> np.ndarray:
    return np.concatenate([real.numpy()[chosen], fake.numpy()[chosen]])


def _truth(chosen: np.ndarray) -> np.ndarray:
    return np.repeat([1, 0], len(chosen))
