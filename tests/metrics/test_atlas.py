"""The atlas: whatever is only shifted is told to the voxel, what is not is told by the majority."""

import numpy as np
import pytest

from gannet.metrics.atlas import Atlas, best_shift, shifted, standardized
from gannet.metrics.segmentation import confusion, dice


def pair(by: tuple[int, int, int] = (0, 0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """A scan of noise with a bright box, which has two labelled halves, all of it shifted."""
    scan = np.random.default_rng(0).normal(size=(12, 16, 14))
    label = np.zeros(scan.shape, np.int64)
    label[4:8, 5:9, 4:7], label[4:8, 5:9, 7:10] = 1, 2
    scan[label > 0] += 5
    return shifted(scan[None], by)[0], shifted(label[None].astype(float), by)[0].astype(int)


@pytest.mark.parametrize("by", [(0, 0, 0), (2, -3, 1), (-3, 0, -3)])
def test_the_shift_between_two_volumes_is_found(by: tuple[int, int, int]) -> None:
    assert best_shift(standardized(pair()[0]), standardized(pair(by)[0])) == by


def test_scans_that_are_shifted_alone_are_told_to_the_voxel() -> None:
    pairs = [pair(by) for by in [(0, 0, 0), (1, 0, 0), (0, -1, 0), (0, 0, 1)]]
    atlas = Atlas.fit(np.stack([scan for scan, _ in pairs]), np.stack([label for _, label in pairs]), 3)
    scan, label = pair((-1, 2, -2))
    np.testing.assert_array_equal(atlas(scan), label)
    np.testing.assert_allclose(atlas.shares.sum(0), 1)


def test_where_labels_disagree_the_majority_is_told() -> None:
    scan, label = pair()
    other = np.where(label == 2, 1, label)
    atlas = Atlas.fit(np.stack([scan] * 3), np.stack([label, other, other]), 3)
    np.testing.assert_array_equal(atlas(scan), other)


def test_dice_is_twice_the_shared_over_the_sum() -> None:
    truth, told = np.array([[0, 1, 1, 2]]), np.array([[0, 1, 0, 2]])
    np.testing.assert_allclose(dice(confusion(truth, told, 4))[:3], [2 / 3, 2 / 3, 1])
    assert np.isnan(dice(confusion(truth, told, 4))[3])
