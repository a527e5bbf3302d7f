"""Membership inference: no advantage where there is none to find, and the known one where scores are shifted."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import Tensor

from gannet.metrics.membership import advantage, measure_membership, nearby_share, nearness


def scores(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count) + shift


def test_equal_scores_give_no_advantage_although_their_best_threshold_has_one() -> None:
    found = [advantage(scores(200, seed), scores(200, 50 + seed), seed) for seed in range(6)]
    values = np.array([value for value, _, _ in found])
    assert abs(values.mean()) < 0.05 and (values < 0).any()
    assert sum(low <= 0 <= high for _, low, high in found) >= 5


@pytest.mark.parametrize("shift", [0.5, 2.0])
def test_shifted_normal_scores_give_the_advantage_of_the_formula(shift: float) -> None:
    """The best threshold lies in the middle: its rates differ by 2 Phi(shift / 2) - 1."""
    value, low, high = advantage(scores(4_000, 0, shift), scores(4_000, 1), 0)
    true = 2 * norm.cdf(shift / 2) - 1
    assert value == pytest.approx(true, abs=0.03) and low < true < high and high - low < 0.1


def test_scores_that_part_the_two_kinds_give_an_advantage_of_one_and_reversed_ones_none() -> None:
    assert advantage(np.arange(20.0) + 100, np.arange(20.0), 0) == (1, 1, 1)
    assert advantage(np.arange(20.0), np.arange(20.0) + 100, 0)[0] <= 0
    assert advantage(np.ones(20), np.ones(30), 0) == (0, 0, 0)


def test_too_few_scans_are_refused() -> None:
    with pytest.raises(ValueError, match="takes 20 scans that were learned from and 20 that were not; given: 20 and 5"):
        advantage(scores(20, 0), scores(5, 1), 0)


def cloud(count: int, seed: int) -> Tensor:
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))


MEMBERS, OTHERS = cloud(300, 0), cloud(300, 1)


@pytest.mark.parametrize("attack", [nearness, nearby_share])
def test_attacks_find_the_members_of_a_copier_and_none_of_an_honest_model(attack) -> None:
    both = torch.cat([MEMBERS, OTHERS])
    copier, honest = MEMBERS + 0.1 * cloud(300, 2), cloud(300, 3)
    found = [np.split(attack(both, generated), 2) for generated in (copier, honest)]
    assert advantage(*found[0], 0)[1] > 0.5
    assert advantage(*found[1], 0)[1] < 0.02


def test_nearness_is_the_distance_to_the_nearest_and_the_share_counts_those_within_the_radius() -> None:
    scans, generated = torch.tensor([[0.0], [10.0]]), torch.tensor([[1.0], [2.0], [13.0]])
    np.testing.assert_allclose(nearness(scans, generated), [-1, -3])
    assert nearby_share(scans, generated).argmax() == 0, "the radius of one pair reaches one sample, near the first"


def test_a_measure_names_its_attack_and_is_best_at_none() -> None:
    found = measure_membership("distance", (scores(40, 0), scores(30, 1)), 0.01, "pixels", seed=0)
    assert found.name == "membership advantage, distance" and found.best == 0 and found.floor == 0.01
    assert (found.n_real, found.n_fake) == (40, 30) and "40 scans" in found.protocol
