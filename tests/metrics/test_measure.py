"""Values, intervals and floors: equal counts, whole groups, and a spread that is the true one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from gannet.metrics.distances import kernel_distance
from gannet.metrics.measure import draw_halves, measure, share_interval


@given(n_real=st.integers(4, 200), n_fake=st.integers(4, 200), most=st.integers(2, 80))
@settings(max_examples=40, deadline=None)
def test_halves_are_disjoint_and_all_counts_are_equal(n_real: int, n_fake: int, most: int) -> None:
    halves = draw_halves(n_real, n_fake, None, most, seed=0)
    for first, second, fake in zip(halves.first, halves.second, halves.fake, strict=True):
        assert len(first) == len(second) == len(fake) == min(n_real // 2, n_fake // 2, most)
        assert len(np.unique(np.concatenate([first, second]))) == 2 * len(first)
        assert len(np.unique(fake)) == len(fake) and fake.max() < n_fake


def test_a_group_is_never_on_both_sides() -> None:
    groups = np.repeat(np.arange(30), 4)
    halves = draw_halves(len(groups), 200, groups, 100, seed=0)
    for first, second in zip(halves.first, halves.second, strict=True):
        assert not set(groups[first]) & set(groups[second])
        assert len(first) == len(second) == 60


def difference(real: Tensor, fake: Tensor) -> dict[str, float]:
    return {"difference": float(fake.mean() - real.mean())}


@pytest.mark.parametrize(("n_real", "n_fake", "deviation"), [(400, 400, 1.0), (400, 200, 1.0), (400, 200, 3.0)])
def test_the_interval_holds_the_truth_as_often_as_it_says(n_real: int, n_fake: int, deviation: float) -> None:
    held = 0
    for seed in range(150):
        generator = torch.Generator().manual_seed(seed)
        real = torch.randn(n_real, 1, generator=generator)
        fake = deviation * torch.randn(n_fake, 1, generator=generator) + 1
        (found,) = measure(difference, real, fake, draw_halves(n_real, n_fake, None, 10**6, seed), "none", "low")
        held += found.low <= 1 <= found.high
    assert held >= 0.9 * 150  # Nearly 0.95; a few more where the reals' halves are smaller than half.


def test_the_floor_is_what_reals_score_against_reals() -> None:
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(600, 3, generator=generator), torch.randn(600, 3, generator=generator) + 0.7
    halves = draw_halves(600, 600, None, 10**6, seed=0)
    (found,) = measure(lambda x, y: {"kernel distance": kernel_distance(x, y)}, real, fake, halves, "none", "low")
    assert abs(found.floor) < 0.05 * found.value
    assert found.low < found.value < found.high and found.n_real == 600
    assert "300 reals against 300 fakes" in found.protocol


@pytest.mark.parametrize("sizes", [(40,), (30, 10), (39, 1), (10, 10, 10, 10)])
def test_halves_are_never_empty_however_unequal_the_groups_are(sizes: tuple[int, ...]) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    halves = draw_halves(40, 40, groups, most=100, seed=0)
    for first, second in zip(halves.first, halves.second, strict=True):
        assert len(first) and len(second)
        assert len(sizes) == 1 or not set(groups[first]) & set(groups[second])


@pytest.mark.parametrize(("right", "count"), [(0, 1), (60, 60), (59, 60), (0, 60), (13, 40), (1, 1000)])
def test_the_interval_of_a_share_is_wilsons(right: int, count: int) -> None:
    wanted = stats.binomtest(right, count).proportion_ci(method="wilson")
    assert share_interval(right / count, count) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
