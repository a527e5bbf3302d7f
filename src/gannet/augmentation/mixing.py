"""Two pictures in one, for labelled data: the label is then the first picture's, by the share that is its own."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gannet.augmentation.draws import Draws
from gannet.augmentation.filters import cut_mix, mix_up
from gannet.runtime.later import later

stats = later("scipy.stats")


@dataclass(frozen=True)
class Mix:
    """A way to mix pictures with others.

    Attributes:
        name: its own.
        blend: maps pictures and others (b, c, h, w), the pictures' shares (b,) and draws to the mixed ones and the
            shares that came about.
        usual: the usual strength, the alpha of the Beta distribution that shares are drawn from.
    """

    name: str
    blend: Callable[[Tensor, Tensor, Tensor, Draws], tuple[Tensor, Tensor]]
    usual: float


def mix(pictures: Tensor, others: Tensor, kind: Mix, alpha: float, draws: Draws) -> tuple[Tensor, Tensor]:
    """Mix pictures with others (b, c, h, w); each keeps the larger share, which is returned with them, (b,)."""
    drawn = torch.from_numpy(stats.beta.ppf(draws.uniform().double().numpy(), alpha, alpha)).float()
    return kind.blend(pictures, others, torch.maximum(drawn, 1 - drawn), draws)


def _mix_up(pictures: Tensor, others: Tensor, own: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:  # noqa: ARG001
    return mix_up(pictures, others, own), own


def _cut_mix(pictures: Tensor, others: Tensor, own: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    return cut_mix(pictures, others, own, draws.uniform(2))


LOWEST_ALPHA, HIGHEST_ALPHA = 0.01, 100.0
MIXES = {kind.name: kind for kind in (Mix("mixup", _mix_up, 0.4), Mix("cutmix", _cut_mix, 1.0))}
"""By name."""
