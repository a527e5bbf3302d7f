"""Halving keeps the mean of what is known, and doubling undoes it where nothing changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gannet.media.pyramid import doubled, halved

SIDES = st.integers(1, 9)


@given(height=SIDES, width=SIDES, seed=st.integers(0, 99), deep=st.booleans())
def test_a_half_is_the_mean_of_known_pixels(height: int, width: int, seed: int, deep: bool) -> None:
    random = np.random.default_rng(seed)
    kind = np.uint16 if deep else np.uint8
    values = random.integers(0, np.iinfo(kind).max + 1, (height, width, 3)).astype(kind)
    lost = random.random((height, width)) < 0.5
    half, gone = halved(values, lost)
    assert half.dtype == kind and half.shape[:2] == gone.shape == (-(-height // 2), -(-width // 2))
    for row in range(height // 2):
        for column in range(width // 2):
            place = np.s_[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            known = values[place][~lost[place]]
            assert gone[row, column] == (len(known) == 0)
            if len(known):
                assert np.abs(half[row, column] - known.astype(float).mean(0)).max() <= 0.5


@given(height=SIDES, width=SIDES)
def test_what_is_flat_comes_back(height: int, width: int) -> None:
    values = np.full((height, width, 2), 7, np.uint8)
    half, _ = halved(values, np.zeros((height, width), bool))
    assert np.array_equal(doubled(half, (height, width)), values)
