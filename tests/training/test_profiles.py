"""Profiles of averages: the paper's numbers, and integrals that are taken one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.training.profiles import Profile, combine, decay, exponent, overlaps

KEPT = (0.05, 0.1, 0.2)


def kept(count: int, noise: float = 0.0) -> list[Profile]:
    """Averages of three widths after each of so many equal parts of a run, the last ones without noise."""
    return [
        Profile(1000 * part, width, noise if part < count else 0.0) for part in range(1, count + 1) for width in KEPT
    ]


@pytest.mark.parametrize(("width", "power"), [(0.05, 16.97), (0.10, 6.94), (0.25, 0.72), (1 / 12**0.5, 0.0)])
def test_a_width_has_the_power_of_the_paper_and_none_is_the_plain_mean(width: float, power: float) -> None:
    assert exponent(width) == pytest.approx(power, abs=5e-3)


@given(st.floats(0.01, 0.25))
def test_a_profile_is_as_wide_as_is_asked(width: float) -> None:
    moments = (np.arange(200_000) + 0.5) / 200_000
    shares = moments ** exponent(width)
    mean = np.average(moments, weights=shares)
    assert np.average((moments - mean) ** 2, weights=shares) ** 0.5 == pytest.approx(width, rel=1e-4)


@given(st.floats(0, 100), st.lists(st.integers(1, 10**6), min_size=3, max_size=3, unique=True).map(sorted))
def test_what_is_added_at_once_weighs_what_it_weighs_in_two_parts(power: float, images: list[int]) -> None:
    first, between, last = images
    assert decay(power, first, last) == pytest.approx(decay(power, first, between) * decay(power, between, last))
    assert decay(power, 0, last) == 0


def test_overlaps_are_the_integrals_of_products() -> None:
    times, powers = np.array([0.4, 1.0, 1.0, 0.7]), np.array([17.0, 7.0, 1.8, 90.0])
    moments = (np.arange(200_000) + 0.5) / 200_000
    shares = (powers + 1)[:, None] / times[:, None] * (moments / times[:, None]) ** powers[:, None]
    shares[moments > times[:, None]] = 0
    assert overlaps(times, powers) == pytest.approx(shares @ shares.T / len(moments), rel=1e-3)


@given(st.floats(0.05, 0.2), st.integers(8, 16))
def test_any_width_between_can_be_made(width: float, count: int) -> None:
    shares, distance = combine(kept(count, 2**-11), Profile(1000 * count, width))
    assert shares.sum() == pytest.approx(1) and distance < 2e-3
    assert np.linalg.norm(shares) < 3, "noise would grow"


@pytest.mark.parametrize("width", KEPT)
def test_a_width_that_was_kept_is_what_was_kept(width: float) -> None:
    shares, distance = combine(kept(12, 2**-11), Profile(12_000, width))
    expected = np.zeros(len(shares))
    expected[KEPT.index(width) - len(KEPT)] = 1
    assert shares == pytest.approx(expected, abs=1e-9) and distance < 1e-6


def test_more_snapshots_come_nearer_and_a_width_beyond_is_told_to_be_far() -> None:
    far = [combine(kept(count), Profile(1000 * count, 0.07))[1] for count in (1, 2, 4, 8, 16)]
    assert far == sorted(far, reverse=True) and far[0] > 0.02
    assert combine(kept(16), Profile(16_000, 0.01))[1] > 0.1
