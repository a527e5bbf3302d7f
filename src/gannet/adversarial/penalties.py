"""Gradient penalties on the discriminator. The score must treat each sample alone: no batch normalization."""

from collections.abc import Callable

import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]


def squared_gradient(score: Score, sample: Tensor) -> Tensor:
    """Give R1 on reals, R2 on fakes: mean ||grad D(x)||^2 / 2 (Mescheder et al., 2018, equations 9 and 10).

    Args:
        score: maps samples (b, ...) to scores (b,).
        sample: (b, ...).
    """
    return squared_gradient_norms(score, sample).mean() / 2


def gradient_penalty(score: Score, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Give the penalty of WGAN-GP: mean (||grad D(x)|| - 1)^2 between reals and fakes (Gulrajani et al., 2017,
    equation 3).

    Args:
        score: maps samples (b, ...) to scores (b,).
        real, fake: (b, ...).
        mix: (b,) in [0, 1], the share of the real in each mixture.
    """
    mix = mix.view(-1, *[1] * (real.ndim - 1))
    # The root has no derivative at zero, where a flat critic starts.
    norms = (squared_gradient_norms(score, mix * real + (1 - mix) * fake) + 1e-12).sqrt()
    return (norms - 1).square().mean()


def squared_gradient_norms(score: Score, sample: Tensor) -> Tensor:
    """Give the squared norm of each score's gradient with respect to its own sample, (b,), differentiable."""
    sample = sample.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(sample).sum(), sample, create_graph=True)
    return gradient.flatten(1).square().sum(1)
