"""Distances between two sets of feature vectors."""

import numpy as np
import torch
from torch import Tensor

DIRECTIONS = 1_000
"""How many directions a sliced distance goes along; it varies by some per cent from a thousand to another."""


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Give the squared Frechet distance of two Gaussians fitted to features (Heusel et al., 2017, equation 6).

    ||m - m'||^2 + tr(C + C' - 2 (C C')^(1/2)). Biased upwards by about 1/n: compare at equal counts only.

    Args:
        real, fake: (n, d), (m, d), at least two each.
    """
    return gaussian_distance(*moments(real), *moments(fake))


def corrected_distances(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Give the Frechet distance, and from 2 d samples on the same without its first-order bias.

    The bias falls as 1/n (Chong and Forsyth, 2020, "Effectively Unbiased FID ...", equation 6), so twice the distance
    of all less the mean distance of two halves has none of that order (Richardson's extrapolation).

    Args:
        real, fake: (n, d), (m, d), at least four each.
    """
    whole = frechet_distance(real, fake)
    if min(len(real), len(fake)) < 2 * real.shape[1]:  # The bias is not yet of the first order.
        return {"frechet distance": whole}
    halves = zip(real.chunk(2), fake.chunk(2), strict=True)
    smaller = [frechet_distance(some, others) for some, others in halves]
    return {"frechet distance": whole, "frechet distance, corrected": 2 * whole - sum(smaller) / 2}


def gaussian_distance(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> float:
    """Give the squared Frechet distance of two Gaussians (Dowson and Landau, 1982): means (d,), covariances (d, d)."""
    # tr (C C')^(1/2) is that of S C' S with S = C^(1/2), which is symmetric.
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * _roots(values) @ vectors.T
    shared = _roots(torch.linalg.eigvalsh(root @ other_covariance @ root)).sum()
    apart = (mean - other_mean).square().sum()
    return float(apart + covariance.trace() + other_covariance.trace() - 2 * shared)


def _roots(values: Tensor) -> Tensor:
    """Square roots of eigenvalues (d,); what is zero but for rounding is zero, or its root would not be small."""
    rounding = len(values) * torch.finfo(values.dtype).eps * values.abs().max()
    return torch.where(values > rounding, values, 0.0).sqrt()


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean (d,) and unbiased covariance (d, d) of features (n, d), in double precision."""
    features = features.double()
    mean = features.mean(0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def kernel_distance(real: Tensor, fake: Tensor) -> float:
    """Give the squared maximum mean discrepancy under (x . y / d + 1)^3, unbiased (Binkowski et al., 2018, section
    3.1).

    Args:
        real, fake: (n, d), (m, d), at least two each.
    """
    real, fake = real.double(), fake.double()
    return float(_among(real) + _among(fake) - 2 * _kernel_sum(real, fake) / (len(real) * len(fake)))


def _among(features: Tensor) -> Tensor:
    """The mean kernel of two different rows."""
    own = (features.square().sum(1) / features.shape[1] + 1).pow(3).sum()
    return (_kernel_sum(features, features) - own) / (len(features) * (len(features) - 1))


def _kernel_sum(left: Tensor, right: Tensor, rows: int = 1_000) -> Tensor:
    """The sum of the kernel over all pairs, some rows at a time."""
    return torch.stack([(part @ right.T / left.shape[1] + 1).pow(3).sum() for part in left.split(rows)]).sum()


def sliced_distance(real: Tensor, fake: Tensor, along: Tensor | None = None) -> float:
    """Give 3 d times the mean squared Wasserstein distance along directions (Berthet et al., 2026, "MIND: Monge
    Inception Distance for Generative Models Evaluation"), which is MIND where the features are Inception's.

    Along one direction the nearest way to bring one set to the other is by rank. Where only the means differ, it is
    three times the squared distance of Frechet.

    Args:
        real, fake: (n, d), equal counts.
        along: unit vectors (k, d); always the same thousand where none are given.
    """
    assert len(real) == len(fake), "ranks are compared, so that counts must be equal"
    centre = real.double().mean(0)
    along = directions(real.shape[1]) if along is None else along
    ours, theirs = (_sorted_along(features.double() - centre, along) for features in (real, fake))
    return float(3 * real.shape[1] * np.square(ours - theirs).mean(dtype=np.float64))


def directions(dimensions: int) -> Tensor:
    """Draw unit vectors (1000, d), the same each time."""
    drawn = torch.randn(DIRECTIONS, dimensions, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lengths: Tensor = drawn.norm(dim=1, keepdim=True)
    return drawn / lengths


def _sorted_along(features: Tensor, along: Tensor) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """Project features (n, d) on directions (k, d) and sort along each (k, n), by NumPy, ten times as fast as PyTorch.

    In single precision, which centred features leave enough of.
    """
    return np.sort((along.float() @ features.float().T).numpy(), axis=1)


def among(samples: Tensor, label: Tensor | None = None) -> Tensor:
    """Give E|X-X'|: the mean distance of two samples (n, d) of one class; of any two when no class has two."""
    pairs = ~torch.eye(len(samples), dtype=torch.bool)
    alike = pairs if label is None else pairs & (label[:, None] == label)
    distances = torch.cdist(samples, samples)[alike if alike.any() else pairs]
    return distances.sum() / max(1, len(distances))


def mean_distance(first: Tensor, second: Tensor) -> Tensor:
    """Give E|X-Y| over samples (n, d) and (m, d)."""
    return torch.cdist(first, second).mean()


def mean_unpaired_distance(first: Tensor, second: Tensor) -> Tensor:
    """Give E|X-Y| over samples (n, d) and (n, d) without the pairs (i, i), which belong together."""
    distances = torch.cdist(first, second)
    return (distances.sum() - distances.trace()) / (len(first) * (len(first) - 1))


def energy_distance(first: Tensor, second: Tensor) -> Tensor:
    """Give 2 E|X-Y| - E|X-X'| - E|Y-Y'| (Szekely and Rizzo, 2013, equation 2), unbiased, so it may be slightly below
    0.
    """
    return 2 * mean_distance(first, second) - among(first) - among(second)
