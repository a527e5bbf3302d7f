"""Adversarial losses against hand-worked values, the theory of the optimal discriminator, and the signs they need."""

from math import exp, log

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from scipy.stats import norm
from torch import Tensor

from gannet.adversarial.losses import LOSSES, midpoint, pairwise, zero

NAMES = sorted(LOSSES)
REAL, FAKE = (2.0, -1.0), (0.5, -3.0)


def log_sigmoid(score: float) -> float:
    return -log(1 + exp(-score))


CROSS_ENTROPY = -(log_sigmoid(2) + log_sigmoid(-0.5) + log_sigmoid(-1) + log_sigmoid(3)) / 2
BY_HAND = {
    "minimax": (CROSS_ENTROPY, (log_sigmoid(-0.5) + log_sigmoid(3)) / 2),
    "non-saturating": (CROSS_ENTROPY, -(log_sigmoid(0.5) + log_sigmoid(-3)) / 2),
    # max(0, 1 - D(x)): 0 and 2; max(0, 1 + D(G(z))): 1.5 and 0.
    "hinge": (1 + 0.75, 1.25),
    # Reals miss 1 by 1 and 2, fakes miss -1 by 1.5 and 2; the generator's fakes miss 1 by 0.5 and 4.
    "least-squares": (5 / 4 + 6.25 / 4, 16.25 / 4),
    "wasserstein": (-1.25 - 0.5, 1.25),
    # D(x) - D(G(z)) is 1.5 and 2.
    "relativistic": (-(log_sigmoid(1.5) + log_sigmoid(2)) / 2, -(log_sigmoid(-1.5) + log_sigmoid(-2)) / 2),
}


def scores(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def players(name: str) -> tuple:
    return LOSSES[name].discriminator, LOSSES[name].generator


@pytest.mark.parametrize("name", NAMES)
def test_both_losses_have_the_values_worked_out_by_hand(name: str) -> None:
    found = [float(loss(scores(*REAL), scores(*FAKE))) for loss in players(name)]
    assert found == pytest.approx(BY_HAND[name], rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@given(values=st.lists(st.floats(-5, 5), min_size=8, max_size=8))
@settings(max_examples=10, deadline=None)
def test_gradients_equal_finite_differences(name: str, values: list[float]) -> None:
    real, fake = scores(*values[:4]).requires_grad_(), scores(*values[4:]).requires_grad_()
    corners = torch.cat([(real - 1).abs(), (fake + 1).abs()])
    assume(name != "hinge" or corners.min().item() > 1e-3)
    for loss in players(name):
        assert torch.autograd.gradcheck(loss, (real, fake))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("real", "fake"), [(1e4, -1e4), (-1e4, 1e4), (1e4, 1e4), (-1e4, -1e4)])
def test_extreme_scores_give_finite_losses_and_gradients(name: str, real: float, fake: float) -> None:
    for loss in players(name):
        inputs = [torch.full((3,), score, requires_grad=True) for score in (real, fake)]
        value = loss(*inputs)
        gradients = torch.autograd.grad(value, inputs, allow_unused=True)
        assert value.isfinite()
        assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)


def test_the_discriminator_still_learns_where_its_probabilities_round_to_zero() -> None:
    """A loss computed as log(sigmoid(x)) would be infinite here, one clamped would have no gradient."""
    real = torch.tensor([-200.0], requires_grad=True)
    value = LOSSES["minimax"].discriminator(real, torch.tensor([-200.0]))
    (gradient,) = torch.autograd.grad(value, real)
    assert (value.item(), gradient.item()) == pytest.approx((200.0, -1.0))


def minimax_value(real_density: np.ndarray, fake_density: np.ndarray, logit: np.ndarray) -> float:
    """E_p[log D] + E_q[log(1 - D)] by the code under test, which only knows means over samples."""
    tensors = torch.from_numpy(logit).split(1)
    nothing = scores(0.0)
    at_zero = float(LOSSES["minimax"].discriminator(nothing, nothing)) / 2
    log_real = np.array([-float(LOSSES["minimax"].discriminator(one, nothing)) + at_zero for one in tensors])
    log_fake = np.array([-float(LOSSES["minimax"].discriminator(nothing, one)) + at_zero for one in tensors])
    return float(real_density @ log_real + fake_density @ log_fake)


probabilities = arrays(np.float64, 6, elements=st.floats(0.01, 1)).map(lambda weights: weights / weights.sum())


@given(probabilities, probabilities)
@settings(max_examples=50, deadline=None)
def test_the_optimal_minimax_value_is_the_jensen_shannon_divergence(p: np.ndarray, q: np.ndarray) -> None:
    """Goodfellow et al., 2014, theorem 1: -log 4 + 2 JSD(p, q)."""
    middle = (p + q) / 2
    expected = -log(4) + (rel_entr(p, middle) + rel_entr(q, middle)).sum()
    assert minimax_value(p, q, np.log(p) - np.log(q)) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (1.0, 1.0), (3.0, 0.5)])
def test_the_optimal_value_for_two_gaussians_is_their_divergence(mean: float, deviation: float) -> None:
    grid = np.linspace(-12, 12, 2001)
    step = grid[1] - grid[0]
    p, q = norm.pdf(grid), norm.pdf(grid, mean, deviation)
    logit = norm.logpdf(grid) - norm.logpdf(grid, mean, deviation)
    divergence = jensenshannon(p, q) ** 2
    assert minimax_value(p * step, q * step, logit) == pytest.approx(-log(4) + 2 * divergence, abs=1e-6)


def test_equal_distributions_give_minus_log_four() -> None:
    p = np.full(4, 0.25)
    assert minimax_value(p, p, np.zeros(4)) == pytest.approx(-log(4), abs=1e-12)


def repeated(counts: tuple[int, ...]) -> Tensor:
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_the_log_density_ratio_is_the_minimum_of_the_discriminators_loss(name: str) -> None:
    """Goodfellow et al., 2014, proposition 1, on samples of three points; an optimizer finds it from elsewhere."""
    real, fake = (6, 3, 1), (1, 4, 5)
    real_rows, fake_rows = repeated(real), repeated(fake)

    def loss(table: np.ndarray) -> tuple[float, np.ndarray]:
        logits = torch.from_numpy(table).requires_grad_()
        value = LOSSES[name].discriminator(logits[real_rows], logits[fake_rows])
        (gradient,) = torch.autograd.grad(value, logits)
        return value.item(), gradient.numpy()

    found = minimize(loss, np.array([-1.0, 2.0, 0.5]), jac=True, tol=1e-10)
    assert found.x == pytest.approx(np.log(np.array(real) / np.array(fake)), abs=1e-5)


def test_least_squares_is_minimal_at_twice_the_optimal_probability_less_one() -> None:
    """Mao et al., 2017, equation 5: (b p + a q) / (p + q) with a = -1, b = 1."""
    real, fake = (6, 3, 1), (1, 4, 5)
    best = torch.tensor([(p - q) / (p + q) for p, q in zip(real, fake, strict=True)]).double().requires_grad_()
    value = LOSSES["least-squares"].discriminator(best[repeated(real)], best[repeated(fake)])
    (gradient,) = torch.autograd.grad(value, best)
    assert gradient.numpy() == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
@given(values=st.lists(st.floats(-0.9, 0.9), min_size=6, max_size=6))
@settings(max_examples=20, deadline=None)
def test_descent_moves_every_score_the_way_its_player_wants(name: str, values: list[float]) -> None:
    real, fake = scores(*values[:3]).requires_grad_(), scores(*values[3:]).requires_grad_()
    by_real, by_fake = torch.autograd.grad(LOSSES[name].discriminator(real, fake), (real, fake))
    (pulled,) = torch.autograd.grad(LOSSES[name].generator(real, fake), fake)
    assert (by_real < 0).all() and (by_fake > 0).all(), "the discriminator raises reals and lowers fakes"
    assert (pulled < 0).all(), "the generator raises its fakes"


@pytest.mark.parametrize("name", NAMES)
def test_needs_real_says_whether_the_generators_loss_looks_at_reals(name: str) -> None:
    fake = scores(0.3, -0.4)
    changed = LOSSES[name].generator(scores(1, 2), fake) != LOSSES[name].generator(scores(-2, 5), fake)
    assert bool(changed) == LOSSES[name].needs_real


def test_minimax_saturates_on_caught_fakes_where_non_saturating_does_not() -> None:
    fake = scores(-20.0).requires_grad_()
    slopes = [
        torch.autograd.grad(LOSSES[name].generator(fake, fake), fake)[0] for name in ("minimax", "non-saturating")
    ]
    assert float(slopes[0]) == pytest.approx(0, abs=1e-8)
    assert float(slopes[1]) == pytest.approx(-1, abs=1e-8)


PASSED_BY_HAND = {
    "minimax": ([True, False], [True, False]),
    "non-saturating": ([True, False], [True, False]),
    "hinge": ([True, False], [True, False]),
    "least-squares": ([True, False], [True, False]),
    # The means are 0.5 and -1.25: the middle is -0.375.
    "wasserstein": ([True, False], [True, False]),
    # 2 > 0.5 and -1 > -3.
    "relativistic": ([True, True], [False, False]),
}


@pytest.mark.parametrize("name", NAMES)
def test_who_passes_for_real_is_as_worked_out_by_hand(name: str) -> None:
    real, fake = LOSSES[name].pass_for_real(scores(*REAL), scores(*FAKE))
    assert (real.tolist(), fake.tolist()) == PASSED_BY_HAND[name]


def test_each_decision_holds_the_same_scores_against_its_own_threshold() -> None:
    real, fake = scores(5, 1), scores(2, 0)
    assert [float(threshold) for threshold in zero(real, fake)] == [0, 0]
    assert [threshold.tolist() for threshold in pairwise(real, fake)] == [[2, 0], [5, 1]]
    assert [float(threshold) for threshold in midpoint(real, fake)] == [2, 2]


@given(shift=st.floats(-100, 100))
@settings(deadline=None)
def test_critics_without_a_fixed_zero_judge_alike_when_all_scores_shift(shift: float) -> None:
    real, fake = scores(5, 1), scores(2.5, 0)
    for name in ("wasserstein", "relativistic"):
        before, after = LOSSES[name].pass_for_real(real, fake), LOSSES[name].pass_for_real(real + shift, fake + shift)
        assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_half_of_the_fakes_pass_when_they_score_like_reals(name: str) -> None:
    draws = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(0))
    passed = LOSSES[name].pass_for_real(*draws)
    assert [float(one.double().mean()) for one in passed] == pytest.approx([0.5, 0.5], abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_a_discriminator_that_knows_them_apart_passes_reals_and_no_fakes(name: str) -> None:
    real, fake = LOSSES[name].pass_for_real(scores(3, 4, 5), scores(-3, -5, -4))
    assert real.all() and not fake.any()


def test_every_loss_is_tested_by_hand() -> None:
    assert set(BY_HAND) == set(PASSED_BY_HAND) == set(LOSSES)
