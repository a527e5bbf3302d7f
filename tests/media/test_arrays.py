"""A picture in an array or a tensor, as pipelines are given it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gannet.media import find_medium
from gannet.media.arrays import picture_levels
from gannet.media.photograph import read_photograph

LEVELS = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)


@pytest.mark.parametrize(
    ("given_", "values"),
    [
        (LEVELS, LEVELS),
        (LEVELS.transpose(2, 0, 1), LEVELS),
        (torch.from_numpy(LEVELS).permute(2, 0, 1), LEVELS),
        (torch.from_numpy(LEVELS), LEVELS),
        (LEVELS[..., 0], LEVELS[..., :1]),
        (LEVELS[::-1, ::2], LEVELS[::-1, ::2]),
        (LEVELS.astype(np.uint16) * 257, LEVELS.astype(np.uint16) * 257),
        (LEVELS / 255, LEVELS.astype(np.uint16) * 257),
        (torch.from_numpy(LEVELS / 255).permute(2, 0, 1).float(), LEVELS.astype(np.uint16) * 257),
        (LEVELS / 255 * (1 + 1e-7) - 1e-7, LEVELS.astype(np.uint16) * 257),
        (LEVELS[..., 0] > 99, (LEVELS[..., :1] > 99) * np.uint8(255)),
    ],
)
def test_a_photograph_in_memory_is_read_as_it_is(given_: Any, values: np.ndarray) -> None:
    photograph = read_photograph(given_)
    assert photograph.values.dtype == values.dtype and photograph.alpha is None
    np.testing.assert_array_equal(photograph.values, values)


def test_a_fourth_channel_is_transparency() -> None:
    pixels = np.dstack([LEVELS, LEVELS[..., 0]])
    photograph = read_photograph(pixels)
    np.testing.assert_array_equal(photograph.values, LEVELS)
    np.testing.assert_array_equal(photograph.alpha, LEVELS[..., 0])
    read = read_photograph(Image.fromarray(pixels))
    np.testing.assert_array_equal(read.alpha, photograph.alpha)


@given(st.integers(0, 2**16 - 1))
def test_no_level_of_sixteen_bits_is_lost_by_floats(level: int) -> None:
    picture = np.full((8, 8), level, np.uint16)
    np.testing.assert_array_equal(picture_levels(picture.astype(np.float32) / 65535), picture[..., None])


def test_a_picture_to_be_named_has_eight_bits() -> None:
    medium = find_medium("image")
    for given_ in (LEVELS, LEVELS / 255, torch.from_numpy(LEVELS).permute(2, 0, 1), LEVELS.astype(np.uint16) * 257):
        np.testing.assert_array_equal(medium.open(given_), LEVELS)
    picture = Image.fromarray(LEVELS)
    assert medium.open(picture) is picture


@pytest.mark.parametrize("read", [read_photograph, lambda given_: find_medium("image").open(given_)])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (LEVELS.astype(np.int64), "its numbers are int64; give uint8, uint16, or floats in 0..1"),
        (LEVELS * 1.0, "its numbers reach from 0 to 255; scale floats to 0..1"),
        (LEVELS / 127.5 - 1, "its numbers reach from -1 to 1"),
        (LEVELS * np.nan, "its numbers reach from nan to nan"),
        (LEVELS[None], "is no picture"),
        (np.zeros((8, 8, 2)), "is no picture"),
        (np.zeros((0, 8)), "is no picture"),
        (np.array(7.0), "is no picture"),
        (torch.zeros(()), "is no picture"),
        ([[0, 1]], "it is list"),
        (None, "it is NoneType"),
        (torch.zeros(3, 8, 8, device="meta"), "cannot be read"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(read: Callable[[Any], Any], wrong: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as told:
        read(wrong)
    assert str(told.value).startswith("The picture in memory cannot be used: ") and "\n" not in str(told.value)
