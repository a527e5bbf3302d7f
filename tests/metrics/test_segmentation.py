"""Segmentation's measures agree with counts by hand, with two other libraries, and with what must hold of any maps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score
from torchmetrics import JaccardIndex

from gannet.metrics.segmentation import (
    commonest_class,
    confusion,
    intersection_over_union,
    mean_iou,
    pixel_accuracy,
    segmentation_measures,
)

CLASSES, IGNORED = 5, 4
NAMES = ("sky", "road", "tree", "car", "unlabelled")


def maps(seed: int, images: int = 6, right: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Label maps (b, 8, 9) of five ids, and told ones of which about so large a share is right."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, CLASSES, (images, 8, 9)).astype(np.uint8)
    return truth, np.where(random.random(truth.shape) < right, truth, random.integers(0, CLASSES, truth.shape))


def matrices(truth: np.ndarray, told: np.ndarray) -> list[np.ndarray]:
    return [confusion(one, other, CLASSES, (IGNORED,)) for one, other in zip(truth, told, strict=True)]


def test_a_small_map_is_counted_as_by_hand() -> None:
    truth, told = np.array([[0, 0, 1], [1, 1, 2]], np.uint8), np.array([[0, 1, 1], [1, 0, 2]])
    counts = confusion(truth, told, 3)
    assert counts.dtype == np.int64 and counts.tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 1]]
    assert intersection_over_union(counts) == pytest.approx([1 / 3, 2 / 4, 1])
    assert mean_iou(counts) == pytest.approx((1 / 3 + 1 / 2 + 1) / 3)
    assert pixel_accuracy(counts) == pytest.approx(4 / 6)


@pytest.mark.parametrize("no_class", [-1, 3, 255])
def test_truth_that_is_no_class_does_not_count(no_class: int) -> None:
    truth, told = np.array([0, no_class, 2, no_class]), np.array([0, 1, 1, 200])
    assert confusion(truth, told, 3).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_an_ignored_id_that_is_told_is_wrong() -> None:
    counts = confusion(np.array([0, 0, 1, 2]), np.array([0, 2, 2, 0]), 3, ignored=(2, 255))
    assert counts.tolist() == [[1, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert pixel_accuracy(counts) == pytest.approx(1 / 3) and mean_iou(counts) == pytest.approx((1 / 2 + 0) / 2)


def test_a_class_that_is_absent_is_nan_and_one_that_is_only_told_is_not_averaged() -> None:
    counts = confusion(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1]), 3)
    assert intersection_over_union(counts) == pytest.approx([3 / 4, 0, np.nan], nan_ok=True)
    assert mean_iou(counts) == pytest.approx(3 / 4)


def test_nothing_that_counts_is_nan_or_refused() -> None:
    counts = confusion(np.full((2, 2), 255), np.zeros((2, 2), np.uint8), 3)
    assert counts.shape == (3, 3) and np.isnan(mean_iou(counts)) and np.isnan(pixel_accuracy(counts))
    with pytest.raises(ValueError, match="nothing to measure by"):
        segmentation_measures([counts], ("a", "b", "c"), 0)
    with pytest.raises(ValueError, match="nothing to measure by"):
        segmentation_measures([], ("a", "b", "c"), 0)


@pytest.mark.parametrize("told", [-1, 3, 255])
def test_told_ids_that_are_no_class_are_refused(told: int) -> None:
    with pytest.raises(ValueError, match=f"The id {told} was told"):
        confusion(np.array([0, 1]), np.array([0, told]), 3)


def test_maps_of_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="equal size"):
        confusion(np.zeros((2, 3), int), np.zeros((3, 2), int), 3)


def test_a_batch_is_the_sum_of_its_maps() -> None:
    truth, told = maps(0)
    assert np.array_equal(confusion(truth, told, CLASSES, (IGNORED,)), sum(matrices(truth, told)))


@pytest.mark.parametrize("seed", range(5))
def test_measures_are_torchmetrics_s(seed: int) -> None:
    truth, told = maps(seed)
    counts = confusion(truth, told, CLASSES, (IGNORED,))
    tensors = torch.from_numpy(told).long(), torch.from_numpy(truth).long()
    for average, ours in (("macro", mean_iou(counts)), ("none", intersection_over_union(counts)[:IGNORED])):
        index = JaccardIndex(task="multiclass", num_classes=CLASSES, average=average, ignore_index=IGNORED)
        theirs = index(*tensors).numpy()
        assert (theirs if average == "macro" else theirs[:IGNORED]) == pytest.approx(ours, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_measures_are_sklearn_s(seed: int) -> None:
    truth, told = maps(seed)
    counts, kept = confusion(truth, told, CLASSES, (IGNORED,)), truth != IGNORED
    real, found, labels = truth[kept], told[kept], list(range(IGNORED))
    assert np.array_equal(counts, confusion_matrix(real, found, labels=range(CLASSES)))
    assert mean_iou(counts) == pytest.approx(jaccard_score(real, found, labels=labels, average="macro"))
    assert intersection_over_union(counts)[:IGNORED] == pytest.approx(
        jaccard_score(real, found, labels=labels, average=None)
    )
    assert pixel_accuracy(counts) == pytest.approx(accuracy_score(real, found))


@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.uint8, np.int64]))
def test_perfect_maps_score_one(seed: int, dtype: type) -> None:
    truth = maps(seed)[0].astype(dtype)
    assert [(found.value, found.low, found.high) for found in measures_of(truth, truth)] == [(1, 1, 1)] * (IGNORED + 2)


def measures_of(truth: np.ndarray, told: np.ndarray, seed: int = 0) -> list:
    return segmentation_measures(matrices(truth, told), NAMES, seed)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_the_order_of_images_does_not_matter(seed: int) -> None:
    truth, told = maps(seed)
    order = np.random.default_rng(seed).permutation(len(truth))
    for one, other in zip(measures_of(truth, told), measures_of(truth[order], told[order]), strict=True):
        assert (one.name, one.value) == (other.name, pytest.approx(other.value))


@given(seed=st.integers(0, 2**32 - 1))
def test_ignored_pixels_never_matter(seed: int) -> None:
    truth, told = maps(seed)
    other = np.where(truth == IGNORED, np.random.default_rng(seed).integers(-300, 300, truth.shape), told)
    assert np.array_equal(
        confusion(truth, told, CLASSES, (IGNORED,)), confusion(truth, other, CLASSES, (IGNORED, 255, -1))
    )


@given(
    counts=st.lists(st.lists(st.integers(0, 9), min_size=9, max_size=9), min_size=1, max_size=8).filter(
        lambda images: any(map(any, images))
    )
)
@settings(max_examples=60)
def test_an_interval_holds_its_value_and_lies_within_zero_and_one(counts: list[list[int]]) -> None:
    for found in segmentation_measures([np.reshape(one, (3, 3)) for one in counts], ("a", "b", "c"), 0):
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_measures_are_those_of_all_pixels_with_their_counts_and_no_absent_class() -> None:
    truth, told = maps(1)
    truth[truth == 2] = 3
    whole = confusion(truth, told, CLASSES, (IGNORED,))
    found = measures_of(truth, told)
    assert [one.name for one in found] == ["mean IoU", "pixel accuracy", "IoU of sky", "IoU of road", "IoU of car"]
    shares = intersection_over_union(whole)
    assert [one.value for one in found] == [mean_iou(whole), pixel_accuracy(whole), *shares[[0, 1, 3]]]
    assert all(one.n_real == one.n_fake == len(truth) and one.floor is None and one.best == "high" for one in found)
    assert "6 images" in found[0].protocol and "1,000 draws" in found[0].protocol


def test_a_seed_gives_the_same_intervals_and_more_images_narrower_ones() -> None:
    few, many = maps(2, images=8), maps(2, images=128)
    assert measures_of(*few, seed=3) == measures_of(*few, seed=3) != measures_of(*few, seed=4)
    widths = [[one.high - one.low for one in measures_of(*pair)] for pair in (few, many)]
    assert all(0 < narrow < wide / 2 for wide, narrow in zip(*widths, strict=True))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Images differ in how well they are told, so that pixels of one go together; the truth is that of many images."""
    random = np.random.default_rng(0)

    def drawn(images: int) -> list[np.ndarray]:
        rates = random.beta(6, 3, images)
        return [np.stack([random.multinomial(50, [p, 1 - p]), random.multinomial(20, [1 - p, p])]) for p in rates]

    truth = mean_iou(np.sum(drawn(20_000), axis=0))
    found = [segmentation_measures(drawn(60), ("a", "b"), seed)[0] for seed in range(150)]
    assert 0.88 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.99


def test_a_class_of_one_image_does_not_shift_the_interval() -> None:
    """Resamples without it keep its figure; to leave it out of their mean would put most of them above the value."""
    rare = np.zeros((11, 12, 12), np.int64)
    rare[:, 0, 0], rare[range(11), range(1, 12), 0] = 95, 5
    mean = segmentation_measures(list(rare), [str(number) for number in range(12)], 0)[0]
    assert mean.value == pytest.approx(95 / 100 / 12) and mean.low == pytest.approx(mean.high)


def test_the_commonest_class_is_that_of_most_pixels() -> None:
    assert commonest_class([np.array([[1, 1, 0]], np.uint8), np.array([7, 7]), np.array([1])]) == 1
    assert commonest_class([np.array([4, 4, 4, 2, 2, 0])], ignored=(4, 255)) == 2
    assert commonest_class(np.array([[3, 1], [1, 3]])) == 1
    with pytest.raises(ValueError, match="No pixel"):
        commonest_class([np.array([4, 4])], ignored=(4,))
    with pytest.raises(ValueError, match="No pixel"):
        commonest_class([])
