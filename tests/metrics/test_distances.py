"""Distances between feature sets: closed forms, an independent library, and what must not change them."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gannet.metrics.distances import frechet_distance, gaussian_distance, kernel_distance, moments


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
