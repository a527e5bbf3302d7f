"""Gradient penalties against closed forms, per sample, and differentiable once more."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gannet.adversarial.penalties import gradient_penalty, squared_gradient, squared_gradient_norms

SLOPE = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)
SAMPLES = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.5, -1.0]], dtype=torch.float64)


def linear(sample: Tensor) -> Tensor:
    return sample.flatten(1) @ SLOPE.to(sample.dtype) + 7


def quadratic(sample: Tensor) -> Tensor:
    """|x|^2 / 2, whose gradient is x itself."""
    return sample.flatten(1).square().sum(1) / 2


def unit_slope(sample: Tensor) -> Tensor:
    return linear(sample) / 3


def test_a_linear_score_pays_half_its_squared_slope() -> None:
    assert squared_gradient(linear, SAMPLES).item() == pytest.approx((1 + 4 + 4) / 2)


def test_a_quadratic_score_pays_half_the_mean_squared_norm_of_the_samples() -> None:
    assert squared_gradient(quadratic, SAMPLES).item() == pytest.approx((14 + 1.25) / 2 / 2)


def test_each_squared_norm_belongs_to_its_own_sample() -> None:
    assert squared_gradient_norms(quadratic, SAMPLES).tolist() == pytest.approx([14, 1.25])
    alone = squared_gradient_norms(quadratic, SAMPLES[1:])
    assert alone.tolist() == pytest.approx([1.25])


def test_pictures_are_summed_over_every_axis_but_the_batch() -> None:
    picture = torch.arange(24.0).reshape(2, 3, 2, 2)
    expected = [sum(value**2 for value in range(12)), sum(value**2 for value in range(12, 24))]
    assert squared_gradient_norms(quadratic, picture).tolist() == pytest.approx(expected)


@given(real_share=st.lists(st.floats(0, 1), min_size=2, max_size=2))
@settings(deadline=None)
def test_a_unit_slope_pays_no_gradient_penalty_wherever_it_is_measured(real_share: list[float]) -> None:
    mix = torch.tensor(real_share, dtype=torch.float64)
    assert gradient_penalty(unit_slope, SAMPLES, -SAMPLES, mix).item() == pytest.approx(0, abs=1e-20)


def test_a_slope_of_three_pays_four() -> None:
    assert gradient_penalty(linear, SAMPLES, -SAMPLES, torch.rand(2)).item() == pytest.approx((3 - 1) ** 2)


def test_the_gradient_penalty_is_measured_between_the_pair_at_the_share_of_the_real() -> None:
    """Gradient x at 1/4 real + 3/4 fake: (4, 0) and (0, 8) make norms 1 x 4 / 4 = 1 and 3 x 8 / 4 = 6."""
    real, fake = torch.tensor([[4.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, 8.0]])
    found = gradient_penalty(quadratic, real, fake, torch.tensor([0.25, 0.25]))
    assert found.item() == pytest.approx(((1 - 1) ** 2 + (6 - 1) ** 2) / 2)


def test_each_pair_has_its_own_share() -> None:
    real, fake = torch.tensor([[3.0], [3.0]]).double(), torch.zeros(2, 1).double()
    found = gradient_penalty(quadratic, real, fake, torch.tensor([1.0, 0.0]).double())
    assert found.item() == pytest.approx(((3 - 1) ** 2 + (0 - 1) ** 2) / 2, abs=1e-5)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()


def score_with(weight: Tensor, sample: Tensor) -> Tensor:
    return (sample @ weight).tanh().sum(1)


def test_the_penalties_gradient_in_the_weights_equals_finite_differences() -> None:
    """The second derivative of the score: what training descends; and the third, as gradgradcheck asks."""
    weight = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    mix = torch.tensor([0.3, 0.6], dtype=torch.float64)

    def r1(matrix: Tensor) -> Tensor:
        return squared_gradient(lambda sample: score_with(matrix, sample), SAMPLES)

    def between(matrix: Tensor) -> Tensor:
        return gradient_penalty(lambda sample: score_with(matrix, sample), SAMPLES, -SAMPLES.flip(0), mix)

    for penalty in (r1, between):
        assert torch.autograd.gradcheck(penalty, (weight,))
        assert torch.autograd.gradgradcheck(penalty, (weight,))


@pytest.mark.parametrize("kind", ["squared gradient", "gradient penalty"])
def test_a_flat_discriminator_has_a_finite_gradient(kind: str) -> None:
    flat = network()
    for parameter in flat.parameters():
        nn.init.zeros_(parameter)

    def score(sample: Tensor) -> Tensor:
        return flat(sample).squeeze(1)

    if kind == "squared gradient":
        penalty, expected = squared_gradient(score, SAMPLES), 0.0
    else:
        penalty, expected = gradient_penalty(score, SAMPLES, -SAMPLES, torch.rand(2)), 1.0
    penalty.backward()
    assert penalty.item() == pytest.approx(expected, abs=1e-5)
    # The last bias moves no gradient of the score, so the penalty does not reach it.
    reached = [parameter.grad for parameter in flat.parameters() if parameter.grad is not None]
    assert len(reached) >= 2 and all(gradient.isfinite().all() for gradient in reached)


def test_the_samples_are_left_without_gradients_and_their_makers_too() -> None:
    maker = nn.Linear(3, 3).double()
    fake, discriminator = maker(SAMPLES), network()
    squared_gradient(lambda sample: discriminator(sample).squeeze(1), fake).backward()
    assert all(parameter.grad is None for parameter in maker.parameters())
    assert discriminator[0].weight.grad is not None
