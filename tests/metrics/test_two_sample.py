"""The classifier two-sample test: one half where nothing tells the sets apart, near one where something does."""

import torch

from gannet.metrics.two_sample import classify_apart


def cloud(count: int, seed: int, centre: float = 0.0) -> torch.Tensor:
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) + centre


def test_one_distribution_cannot_be_told_apart() -> None:
    found = [classify_apart(cloud(600, seed), cloud(600, 100 + seed), seed) for seed in range(20)]
    assert sum(low <= 0.5 <= high for _, low, high in found) >= 17  # 19 are expected of a 95 % interval.


def test_shifted_fakes_are_told_apart_with_the_accuracy_that_theory_allows() -> None:
    """Two unit Gaussians at distance d: the best accuracy is Phi(d / 2)."""
    accuracy, low, high = classify_apart(cloud(4000, 0), cloud(4000, 1, 0.5), 0)
    best = float(torch.distributions.Normal(0, 1).cdf(torch.tensor(0.5 * 6**0.5 / 2)))
    assert low < best < high and abs(accuracy - best) < 0.02


def test_it_is_judged_on_samples_that_it_did_not_learn_from() -> None:
    accuracy, _, _ = classify_apart(torch.randn(60, 200), torch.randn(60, 200), 0)
    assert accuracy < 0.75
