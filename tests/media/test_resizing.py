"""Photographs are brought to a width: in proportion, of as many bits, with all that came with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.media.photograph import Photograph
from gannet.media.resizing import of_width


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 80), st.sampled_from([1, 3]), st.integers(0, 65535))
def test_what_is_of_one_colour_stays_so_in_proportion(
    width: int, height: int, wanted: int, channels: int, value: int
) -> None:
    for kind in (np.uint8, np.uint16):
        level = value & np.iinfo(kind).max
        photograph = Photograph(np.full((height, width, channels), level, kind), np.full((height, width), level, kind))
        made = of_width(photograph, wanted)
        assert made.values.shape == (max(1, round(height * wanted / width)), wanted, channels)
        assert made.values.dtype == kind and (made.values == level).all()
        assert made.alpha is not None and made.alpha.dtype == kind and (made.alpha == level).all()


def test_one_of_that_width_is_not_touched() -> None:
    photograph = Photograph(np.zeros((5, 7, 3), np.uint8))
    assert of_width(photograph, 7) is photograph


def test_it_is_as_large_on_paper_as_before() -> None:
    made = of_width(Photograph(np.zeros((10, 20, 3), np.uint8), density=(300.0, 300.0)), 10)
    assert made.density == pytest.approx((150, 150))


def test_sixteen_bits_stay_sixteen() -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None].repeat(4, 0)
    made = of_width(Photograph(ramp), 128).values[0, :, 0]
    assert np.unique(made).size > 120 and np.abs(np.diff(made[8:-8].astype(int)) - 516).max() < 60


def test_more_pixels_than_a_picture_may_have_are_refused() -> None:
    with pytest.raises(ValueError, match="GANNET_MEGAPIXELS"):
        of_width(Photograph(np.zeros((100, 100, 1), np.uint8)), 99_999)
