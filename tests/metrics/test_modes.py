"""Modes and divergence: known answers, and the counting noise that reals themselves give."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from gannet.metrics.modes import count_modes, measure_modes


def test_modes_are_counted_and_the_divergence_is_that_of_scipy() -> None:
    random = np.random.default_rng(0)
    modes, known = random.integers(0, 7, 500), random.dirichlet(np.ones(10))
    shares = np.bincount(modes, minlength=10) / 500
    found = count_modes(modes, known)
    assert found["modes found"] == 7
    assert found["mode divergence (KL)"] == pytest.approx(entropy(shares, known), abs=1e-12)


def test_one_mode_of_a_thousand_diverges_by_the_logarithm() -> None:
    found = count_modes(np.full(100, 42), np.full(1000, 1e-3))
    assert found == {"modes found": 1.0, "mode divergence (KL)": pytest.approx(np.log(1000))}


def told(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Single pictures of unequal classes, all told rightly."""
    label = torch.from_numpy(np.random.default_rng(1).choice(10, count, p=np.arange(1, 11) / 55))
    return label, label


def test_uniform_fakes_score_what_balanced_reals_do_counting_noise_alone() -> None:
    fake = torch.randint(0, 10, (26_000, 3), generator=torch.Generator().manual_seed(0))
    modes, divergence = measure_modes(fake, *told(5_000), accuracy=1.0, seed=0)
    assert (modes.value, modes.floor) == (1000, 1000)
    # A thousand shares of 26,000 draws: (1000 - 1) / (2 * 26000).
    assert divergence.value == pytest.approx(999 / 52_000, rel=0.1)
    assert divergence.floor == pytest.approx(999 / 52_000, rel=0.1)
    assert divergence.low < divergence.value < divergence.high


def test_fakes_that_lack_a_digit_lack_its_modes() -> None:
    fake = torch.randint(0, 9, (26_000, 3), generator=torch.Generator().manual_seed(0))
    modes, divergence = measure_modes(fake, *told(5_000), accuracy=1.0, seed=0)
    assert modes.value == 729
    assert divergence.value == pytest.approx(np.log(1000 / 729) + 728 / 52_000, rel=0.05)
