"""CHAIN: normalization of a discriminator for scarce data (Ni and Koniusz, 2024, "CHAIN: Enhancing ...").

Reals and fakes are normalized apart, which draws them together; what makes batch normalization fail in a discriminator
is left out. Instead of being centred, features descend their squared means; and no channel is scaled up: all are
brought down to the weakest, so that the layer's Lipschitz constant is one. How much of it is done goes by how far the
discriminator overfits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

DECAY = 0.9
"""Of the running mean squares, a round."""
EPSILON = 1e-5
"""Added to a mean square before its root."""
MEANS_WEIGHT = 20.0
"""Of the squared means in a discriminator's loss, once all is normalized: what served the authors throughout."""


@dataclass(frozen=True)
class Look:
    """A pass over samples of one side, and what the layers note on the way.

    Attributes:
        side: real or fake.
        squared_means: each layer's sum over its channels of the squared mean, times its share; scalars.
        squares: each layer's mean squares, a sample and channel, (b, c).
    """

    side: Literal["real", "fake"]
    squared_means: list[Tensor] = field(default_factory=list)
    squares: list[Tensor] = field(default_factory=list)


class Chain(nn.Module):
    """Adaptive normalization by root mean squares, with running statistics of each side's own.

    Attributes:
        share: p, the probability with which a sample's channel is normalized, a scalar.
        squares: running mean squares of reals and of fakes, (2, c).
    """

    share: Tensor
    squares: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("share", torch.zeros(()))
        self.register_buffer("squares", torch.ones(2, channels))

    def forward(self, picture: Tensor, look: Look | None = None) -> Tensor:
        """Map (b, c, h, w) to the same shape; without a look each sample alone, by what was seen so far, in the mean.

        Where samples are looked at together, they add a tenth to the running mean squares, and the gradient loses its
        part along the features of a channel, as that of any normalization does.
        """
        if look is None:
            factor = 1 + self.share * (_scale(self.squares.mean(0)) - 1)
            return picture * factor.to(picture.dtype)[:, None, None]
        values = picture.float()
        look.squared_means.append(self.share * values.mean((0, 2, 3)).square().sum())
        squares = values.square().mean((2, 3))
        look.squares.append(squares)
        mean = squares.mean(0)
        scale = _scale(torch.lerp(self.squares[int(look.side == "fake")], mean.detach(), 1 - DECAY))
        # One, but for its gradient: that of a root mean square.
        along = ((mean.detach() + EPSILON) / (mean + EPSILON)).sqrt()
        normalized = torch.rand_like(squares) < self.share
        factor = torch.where(normalized, scale * along, 1.0)
        return picture * factor.to(picture.dtype)[:, :, None, None]

    @torch.no_grad()
    def follow(self, share: float, squares: Iterable[Tensor]) -> None:
        """Take over the share, and let the running mean squares follow a round's of reals and fakes, (b, c) each."""
        self.share.fill_(share)
        for own, seen in zip(self.squares, squares, strict=True):
            own.lerp_(seen.mean(0), 1 - DECAY)


def _scale(squares: Tensor) -> Tensor:
    """What brings each channel to the weakest one's root mean square, one at most: (c,) of mean squares (c,)."""
    return squares.min().sqrt() / (squares + EPSILON).sqrt()
