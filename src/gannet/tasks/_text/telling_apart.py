"""Whether restored lines can be told from true ones, by a classifier that knows nothing of how they were restored."""

from collections.abc import Sequence

import numpy as np

from gannet.runtime.later import later
from gannet.tasks._text.normalization import folded
from gannet.tasks._text.protocol import Figure, percentiles

text_features = later("sklearn.feature_extraction.text")
linear = later("sklearn.linear_model")
metrics = later("sklearn.metrics")
selection = later("sklearn.model_selection")

FOLDS, GRAMS, FEATURES = 5, (1, 4), 2**16
"""Parts of which each is judged by what the others taught; characters of the sequences looked at; and their kinds."""


def told_apart(true: Sequence[str], restored: Sequence[str]) -> Figure:
    """Give the area under the curve with which restored lines are told from the true ones: 0.5 where they are not.

    A logistic regression of sequences of one to four characters, taught on four fifths and asked of the last, five
    times; a line and what was restored of it are always on one side. The interval is by a bootstrap over lines.

    Args:
        true, restored: as many lines of each, in the same order; at least ten.
    """
    assert len(true) == len(restored) >= 2 * FOLDS, "as many lines of each, and some for each part"
    reader = text_features.HashingVectorizer(analyzer="char", ngram_range=GRAMS, n_features=FEATURES, lowercase=False)
    features = reader.transform([folded(line) for line in (*true, *restored)])
    labels = np.repeat([0, 1], len(true))
    lines = np.tile(np.arange(len(true)), 2)
    classifier = linear.LogisticRegression(C=100.0, max_iter=1_000)
    parts = selection.GroupKFold(FOLDS)
    scores = selection.cross_val_predict(
        classifier, features, labels, groups=lines, cv=parts, method="decision_function"
    )
    by_line = scores.reshape(2, -1)
    return percentiles(lambda drawn: _area(by_line[:, drawn]), len(true))


def _area(scores: np.ndarray) -> float:
    return float(metrics.roc_auc_score(np.repeat([0, 1], scores.shape[1]), scores.ravel()))
