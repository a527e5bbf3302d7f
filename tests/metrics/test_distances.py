"""Distances between feature sets: closed forms, an independent library, and what must not change them."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gannet.metrics.distances import (
    directions,
    frechet_distance,
    gaussian_distance,
    kernel_distance,
    moments,
    sliced_distance,
)


def features(count: int, size: int, seed: int, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(size, size, generator=generator, dtype=torch.double)
    return torch.randn(count, size, generator=generator, dtype=torch.double) @ mixing + shift


def test_the_distance_of_axis_aligned_gaussians_is_the_sum_over_the_axes() -> None:
    """(m - m')^2 + (s - s')^2 on each axis."""
    mean, other = torch.tensor([0.0, 1.0, -2.0]).double(), torch.tensor([0.5, 1.0, 2.0]).double()
    deviation, second = torch.tensor([1.0, 2.0, 0.0]).double(), torch.tensor([3.0, 0.5, 1.0]).double()
    found = gaussian_distance(mean, deviation.square().diag(), other, second.square().diag())
    expected = float(((mean - other).square() + (deviation - second).square()).sum())
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size", [1, 4, 16])
def test_the_frechet_distance_agrees_with_scipys_matrix_root(size: int) -> None:
    real, fake = features(60, size, 0), features(80, size, 1, 0.3)
    mean, covariance = np.mean(real.numpy(), 0), np.atleast_2d(np.cov(real.numpy(), rowvar=False))
    other, second = np.mean(fake.numpy(), 0), np.atleast_2d(np.cov(fake.numpy(), rowvar=False))
    root = scipy.linalg.sqrtm(covariance @ second)
    expected = np.sum((mean - other) ** 2) + np.trace(covariance + second - 2 * np.real(root))
    assert frechet_distance(real, fake) == pytest.approx(float(expected), abs=1e-6)


def test_both_distances_agree_with_torchmetrics() -> None:
    from torchmetrics.image import fid, kid

    real, fake = features(60, 8, 0), features(60, 8, 1, 0.3)
    expected = fid._compute_fid(*moments(real), *moments(fake))
    assert frechet_distance(real, fake) == pytest.approx(float(expected), abs=1e-6)
    assert kernel_distance(real, fake) == pytest.approx(float(kid.poly_mmd(real, fake)), rel=1e-6)


def test_the_kernel_distance_is_the_mean_over_different_pairs() -> None:
    real, fake = features(7, 3, 0), features(5, 3, 1)

    def kernel(left: Tensor, right: Tensor) -> float:
        return (float(left @ right) / 3 + 1) ** 3

    among_real = np.mean([kernel(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j])
    among_fake = np.mean([kernel(a, b) for i, a in enumerate(fake) for j, b in enumerate(fake) if i != j])
    across = np.mean([kernel(a, b) for a in real for b in fake])
    assert kernel_distance(real, fake) == pytest.approx(among_real + among_fake - 2 * across, rel=1e-9)


@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_the_kernel_distance_of_one_distribution_is_zero_on_average(seed: int) -> None:
    """Unbiased: of both signs, and small beside the distance to a shifted set."""
    generator = torch.Generator().manual_seed(seed)
    one, two = (torch.randn(400, 4, generator=generator) for _ in range(2))
    assert abs(kernel_distance(one, two)) < 0.1 * kernel_distance(one, two + 1)


@given(turn=st.integers(0, 20), shift=st.floats(-3, 3))
@settings(max_examples=15, deadline=None)
def test_the_frechet_distance_does_not_see_rotations_and_common_shifts(turn: int, shift: float) -> None:
    real, fake = features(40, 5, 0), features(40, 5, 1, 0.5)
    rotation, _ = torch.linalg.qr(features(5, 5, 1000 + turn))
    moved = frechet_distance(real @ rotation + shift, fake @ rotation + shift)
    assert moved == pytest.approx(frechet_distance(real, fake), rel=1e-6)


def test_fewer_samples_than_dimensions_are_no_obstacle() -> None:
    real = features(5, 40, 0)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(real, real + 1) == pytest.approx(40, rel=1e-6)


@pytest.mark.parametrize(("count", "size"), [(7, 1), (60, 5), (101, 16)])
def test_the_sliced_distance_agrees_with_ranks_along_one_direction_at_a_time(count: int, size: int) -> None:
    real, fake = features(count, size, 0, 5.0), features(count, size, 1, 5.3)
    total = 0.0
    for direction in directions(size).numpy():
        ours, theirs = (sorted(float(np.dot(row, direction)) for row in side.numpy()) for side in (real, fake))
        total += sum((one - other) ** 2 for one, other in zip(ours, theirs, strict=True)) / count
    expected = 3 * size * total / len(directions(size))
    assert sliced_distance(real, fake) == pytest.approx(expected, rel=1e-6)


def test_the_sliced_distance_is_one_dimensional_transport_along_each_direction() -> None:
    real, fake = features(50, 4, 0), features(50, 4, 1, 0.4)
    along = directions(4)[:20]
    squares = []
    for direction in along:
        pairs = np.abs((real @ direction).numpy()[:, None] - (fake @ direction).numpy()[None]) ** 2
        squares.append(pairs[scipy.optimize.linear_sum_assignment(pairs)].mean())
    assert sliced_distance(real, fake, along) == pytest.approx(12 * np.mean(squares), rel=1e-6)


@given(seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_sliced_distance_goes_by_the_samples_and_not_by_their_order(seed: int) -> None:
    real, fake = features(30, 6, seed), features(30, 6, seed + 1)
    mixed = torch.randperm(30, generator=torch.Generator().manual_seed(seed))
    assert sliced_distance(real, real[mixed]) == 0
    assert sliced_distance(real[mixed], fake) == pytest.approx(sliced_distance(real, fake), rel=1e-5)


def test_where_only_the_means_differ_the_sliced_distance_is_three_times_that_of_frechet() -> None:
    real, shift = features(80, 8, 0), torch.linspace(-1, 1, 8).double()
    expected = 3 * float(shift.square().sum())
    assert sliced_distance(real, real + shift) == pytest.approx(expected, rel=0.1)
    assert torch.equal(directions(8), directions(8))


def test_the_sliced_distance_sees_what_moments_do_not() -> None:
    """Two points on each axis with the mean and covariance of a Gaussian: the distance of Frechet is blind to them."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(2_000, 2, generator=generator).double()
    fake = torch.randint(0, 2, (2_000, 2), generator=generator).double() * 2 - 1
    other = torch.randn(2_000, 2, generator=generator).double()
    assert frechet_distance(real, fake) < 0.02
    assert sliced_distance(real, fake) > 20 * sliced_distance(real, other)
