"""The range of numbers is told by the bulk of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gannet.media.pixels import read_picture
from gannet.media.value_range import FEW, find_range

FLOATS = ((0.0, 1.0), (-1.0, 1.0))
PLAIN = np.linspace(0, 1, 10_000)


@pytest.mark.parametrize("stray", [1.0000001, -1e-9, -0.04, 1.09, -0.9, 17.0, -1e9])
def test_one_extreme_value_turns_no_set_to_another_range(stray: float) -> None:
    values = PLAIN.copy()
    values[5_000] = stray
    found = find_range([values[:100], values[100:]], FLOATS)
    assert (found.low, found.high, found.clipped, found.total) == (0, 1, 1, 10_000)
    levels = found.to_levels(values)
    assert levels[5_000] == (0 if stray < 0 else 255)
    np.testing.assert_array_equal(np.delete(levels, 5_000), np.rint(np.delete(PLAIN, 5_000) * 255))
    assert found.note() == "its numbers are read as 0..1, and 1 of 10,000 that lie outside are clipped"


def test_overshoot_of_resampling_is_rounding_however_much_there_is() -> None:
    found = find_range([PLAIN * 1.15 - 0.08], FLOATS)
    assert (found.low, found.high) == (0, 1) and 1_000 < found.clipped < 2_000


def test_numbers_from_minus_one_are_read_so_though_few_are_dark() -> None:
    found = find_range([np.where(np.arange(10_000) < 50, -1.0, 0.9)], FLOATS)
    assert (found.low, found.high, found.clipped, found.note()) == (-1, 1, 0, "")


@pytest.mark.parametrize("odd", [[0.0, 2.0], [-3.0, 1.0], [0.0, np.nan], [0.0, np.inf], [-np.inf, 1.0]])
def test_what_lies_in_no_range_is_refused(odd: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^from \S+ to \S+$"):
        find_range([np.array(odd)], FLOATS)


@given(st.integers(0, 255), st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]))
def test_levels_come_back_as_they_were(level: int, ends: tuple[float, float]) -> None:
    every = np.arange(256) / 255 * (ends[1] - ends[0]) + ends[0]
    assert find_range([every], (ends,)).to_levels(every)[level] == level


def test_stray_values_are_less_than_a_thousandth() -> None:
    count = int(FEW * 10_000)
    for few, high in ((count - 1, 1.0), (count, 255.0)):
        values = PLAIN.copy()
        values[:few] = 200
        assert find_range([values], ((0, 1), (0, 255))).high == high


def test_a_picture_of_floats_with_rounding_is_not_black() -> None:
    values = PLAIN.reshape(100, 100).astype(np.float32)
    values[3, 3] = 1.0000001
    expected = np.rint(values.clip(0, 1) * 255)
    np.testing.assert_array_equal(read_picture(Image.fromarray(values), 1)[..., 0], expected)


def test_the_few_bright_stars_of_a_dark_picture_keep_their_brightness() -> None:
    values = np.zeros((100, 100), np.float32)
    values[3, 3], values[50, 7] = 40, 200
    found = read_picture(Image.fromarray(values), 1)[..., 0]
    assert (found[3, 3], found[50, 7], int(found.sum())) == (40, 200, 240)


def test_a_picture_with_one_number_out_of_all_ranges_is_refused() -> None:
    values = PLAIN.reshape(100, 100).astype(np.float32)
    values[3, 3] = 1e6
    with pytest.raises(ValueError, match="its values reach from"):
        read_picture(Image.fromarray(values), 1)
