"""Levels and values: the way there and back is exact, and arrays and tensors give the same bits."""

import numpy as np
import pytest
import torch

from gannet.augmentation.levels import from_levels, to_levels


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_every_level_comes_back(kind: type, white: int) -> None:
    levels = np.arange(white + 1).astype(kind)
    values = from_levels(levels, white)
    assert values.dtype == np.float32 and values[0] == -1 and values[-1] == 1
    assert np.array_equal(to_levels(torch.from_numpy(values), white).numpy().astype(kind), levels)


def test_arrays_and_tensors_give_the_same_bits() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert torch.equal(torch.from_numpy(from_levels(levels)), from_levels(torch.from_numpy(levels)))


def test_what_lies_beyond_the_range_counts_as_its_ends_and_the_layout_stays() -> None:
    assert to_levels(torch.tensor([-1.5, 0.0, 7.0])).tolist() == [0.0, 128.0, 255.0]
    turned = np.zeros((4, 5, 3), np.uint8).transpose(2, 0, 1)
    assert from_levels(turned).strides == tuple(4 * stride for stride in turned.strides)
