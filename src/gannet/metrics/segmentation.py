"""How well label maps are told: counts of pixels by class, and what the field takes from them."""

from collections.abc import Iterable, Sequence

import numpy as np

from gannet.metrics.measure import Measure

RESAMPLES = 1_000
"""Of images, for an interval: enough for two digits of its ends."""


def confusion(truth: np.ndarray, told: np.ndarray, classes: int, ignored: Sequence[int] = ()) -> np.ndarray:
    """Count pixels by true class (row) and told class (column): (classes, classes), int64.

    A pixel whose truth is no class (below 0, or `classes` and more) or is ignored does not count. Where another class
    is true, an ignored id that is told counts in its own column, so as wrong.

    Args:
        truth, told: ids of equal shape, of one map (h, w) or a batch (b, h, w).

    Raises:
        ValueError: shapes differ, or what is told where the truth counts is no class.
    """
    if truth.shape != told.shape:
        raise ValueError(f"The truth is {truth.shape} and what was told {told.shape}; give maps of equal size.")
    counted = (truth >= 0) & (truth < classes) & ~np.isin(truth, np.array(ignored, np.int64))
    rows, columns = truth[counted].astype(np.int64), told[counted].astype(np.int64)
    outside = columns[(columns < 0) | (columns >= classes)]
    if len(outside):
        raise ValueError(f"The id {outside[0]} was told where a class is true; tell ids from 0 to {classes - 1}.")
    return np.bincount(classes * rows + columns, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def intersection_over_union(confusion: np.ndarray) -> np.ndarray:
    """Divide each class's right pixels by all that are it or are told it, 0 to 1: (..., c, c) to (..., c).

    NaN for a class that is neither true nor told anywhere (Everingham et al., 2010, section 4.2).
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    union = confusion.sum(-1) + confusion.sum(-2) - right
    shares: np.ndarray = np.divide(right, union, out=np.full(right.shape, np.nan), where=union > 0)
    return shares


def dice(confusion: np.ndarray) -> np.ndarray:
    """Divide twice each class's right pixels by those that are it and those that are told it, 0 to 1: (..., c, c) to
    (..., c).

    NaN for a class that is neither true nor told anywhere (Dice, 1945; Zijdenbos et al., 1994).
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    both = confusion.sum(-1) + confusion.sum(-2)
    shares: np.ndarray = np.divide(2 * right, both, out=np.full(right.shape, np.nan), where=both > 0)
    return shares


def mean_iou(confusion: np.ndarray) -> float:
    """Average the intersection over union of the classes that the truth of a (c, c) matrix has, 0 to 1; NaN if none.

    With the counts n_ij of class i told as j it is 1/c sum_i n_ii / (t_i + sum_j n_ji - n_ii), where t_i = sum_j n_ij
    (Long et al., 2015, section 5, "mean IU").
    """
    true = confusion.sum(1) > 0
    return float(intersection_over_union(confusion)[true].mean()) if true.any() else float("nan")


def pixel_accuracy(confusion: np.ndarray) -> float:
    """Divide the right pixels by all that count, 0 to 1; NaN if none (Long et al., 2015, section 5)."""
    total = confusion.sum()
    return float(np.trace(confusion) / total) if total else float("nan")


def commonest_class(maps: Iterable[np.ndarray], ignored: Sequence[int] = ()) -> int:
    """Find the class that most pixels of the maps have, the smallest id of equals: a baseline tells it everywhere.

    Args:
        maps: ids of 0 and more, each of any shape; one array is a batch of maps.

    Raises:
        ValueError: no pixel has a class.
    """
    total = np.zeros(0, np.int64)
    for one in maps:
        found = np.bincount(one.ravel(), minlength=len(total))
        found[: len(total)] += total
        total = found
    total[[number for number in ignored if 0 <= number < len(total)]] = 0
    if not total.any():
        raise ValueError("No pixel of the label maps has a class that counts; give maps that have some.")
    return int(total.argmax())


def segmentation_measures(confusions: Sequence[np.ndarray], names: Sequence[str], seed: int) -> list[Measure]:
    """Measure over all pixels of a set: mean IoU, pixel accuracy, and the IoU of each class that the truth has.

    The matrices are added up before anything is divided (Everingham et al., 2010, section 4.2). The intervals are
    those of a percentile bootstrap over images (Efron and Tibshirani, 1993, section 13.3).

    Args:
        confusions: one (c, c) matrix an image, by `confusion`.
        names: of the c classes.

    Raises:
        ValueError: no pixel counts.
    """
    counts = np.array(confusions, np.int64).reshape(-1, len(names), len(names))
    whole = counts.sum(0)
    if not whole.any():
        raise ValueError("No pixel of the label maps has a class that counts, so there is nothing to measure by.")
    true, shares = whole.sum(1) > 0, intersection_over_union(whole)
    iou, accuracy = _ratios(_resampled(counts, seed), whole)
    by_class = [(f"IoU of {name}", shares[one], iou[:, one]) for one, name in enumerate(names) if true[one]]
    return [
        _measured("mean IoU", mean_iou(whole), iou[:, true].mean(1), len(counts)),
        _measured("pixel accuracy", pixel_accuracy(whole), accuracy, len(counts)),
        *(_measured(name, value, drawn, len(counts)) for name, value, drawn in by_class),
    ]


def _resampled(counts: np.ndarray, seed: int) -> np.ndarray:
    """Add up the matrices (n, c, c) of n images drawn with replacement, so many times: (RESAMPLES, c, c)."""
    images = len(counts)
    times = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), RESAMPLES)
    # In double precision, which is exact for up to 2**53 pixels and, unlike integers, multiplied by BLAS.
    drawn: np.ndarray = times.astype(float) @ counts.reshape(images, -1).astype(float)
    return drawn.reshape(-1, *counts.shape[1:])


def _ratios(drawn: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take the IoU (r, c) and the pixel accuracy (r,) of resamples; what one has no pixel of keeps the whole's."""
    iou, total = intersection_over_union(drawn), drawn.sum((1, 2))
    right = np.trace(drawn, axis1=1, axis2=2)
    accuracy = np.divide(right, total, out=np.full(total.shape, pixel_accuracy(whole)), where=total > 0)
    return np.where(np.isnan(iou), intersection_over_union(whole), iou), accuracy


def _measured(name: str, value: float, drawn: np.ndarray, images: int) -> Measure:
    """Make the measure of a value and its resamples (r,); an interval that misses the value is widened to it."""
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Measure(
        name=name,
        value=float(value),
        low=float(min(low, value)),
        high=float(max(high, value)),
        floor=None,
        features="none",
        n_real=images,
        n_fake=images,
        protocol=f"over all pixels of {images:,} images; interval: percentile bootstrap, {RESAMPLES:,} draws of images",
        best="high",
    )
