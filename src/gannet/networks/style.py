"""The style in which each class of a picture is painted: a network that sees it, and a bank of those that were seen."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gannet.networks.convolution import Convolution, side_by_side
from gannet.networks.painting import COLOURS, SLOPE
from gannet.networks.unet import he_init

ENCODED, KEPT = 48, 512
"""Channels of what is averaged over regions; pictures whose styles are kept."""
FINEST = 255


class StyleEncoder(nn.Module):
    """Sees in which style each class of a picture is painted: its mean colour, and what else was learned to matter.

    Attributes:
        size: numbers of a style; the first three are the mean colour, in [-1, 1].
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        layers: list[nn.Module] = []
        for before, after in ((COLOURS, 24), (24, ENCODED), (ENCODED, ENCODED)):
            layers += [he_init(Convolution(before, after, 4, 2, 1)), nn.LeakyReLU(SLOPE)]
        self.body = nn.Sequential(*layers)
        self.exit = nn.Linear(ENCODED, size - COLOURS)

    def forward(self, picture: Tensor, shares: Tensor) -> Tensor:
        """Give the style of each class (b, n, s) of pictures (b, 3, h, w); 0 for classes that are not there.

        Args:
            shares: what part of each pixel each class has, (b, n, h, w).
        """
        features = self.body(side_by_side(picture))
        seen = averaged(features, avg_pool2d(shares, 8))
        learned = torch.tanh(self.exit(seen.to(features.dtype)).float())
        there = (shares.sum((2, 3)) > 0)[..., None]
        return torch.cat([averaged(picture, shares), learned * there], 2)


def averaged(values: Tensor, shares: Tensor) -> Tensor:
    """Average values (b, c, h, w) over the region of each class (b, n, h, w): (b, n, c), 0 where there is none."""
    flat, weights = values.float().flatten(2), shares.float().flatten(2)
    with torch.autocast(values.device.type, enabled=False):
        return weights @ flat.transpose(1, 2) / weights.sum(2, keepdim=True).clamp_min(1e-3)


class StyleBank(nn.Module):
    """The styles of the pictures that were seen last, so that styles can be drawn that go together.

    Kept in whole numbers: a running average over styles of different pictures would be the style of none.
    """

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.register_buffer("styles", torch.zeros(KEPT, classes, size, dtype=torch.uint8))
        self.register_buffer("there", torch.zeros(KEPT, classes, dtype=torch.uint8))
        self.register_buffer("seen", torch.zeros(1, dtype=torch.int64))
        self.styles: Tensor
        self.there: Tensor
        self.seen: Tensor

    @torch.no_grad()
    def keep(self, styles: Tensor, there: Tensor) -> None:
        """Keep styles (b, n, s) in [-1, 1] of the classes that are there (b, n), instead of the oldest."""
        places = (self.seen + torch.arange(len(styles), device=styles.device)) % KEPT
        self.styles[places] = ((styles.float().clamp(-1, 1) + 1) / 2 * FINEST).round().to(torch.uint8)
        self.there[places] = there.to(torch.uint8)
        self.seen += len(styles)

    def kept(self) -> tuple[Tensor, Tensor]:
        """Give the styles (k, n, s), and which classes were there, (k, n); where none is kept yet, a grey one."""
        count = max(1, min(KEPT, int(self.seen)))
        return self.styles[:count].float() / FINEST * 2 - 1, self.there[:count] > 0


def completed(styles: Tensor, there: Tensor) -> Tensor:
    """Give each picture the styles (b, n, s) of classes that it lacks from the picture most like it that has them.

    Likeness is the mean squared difference over the classes that two pictures share. A class that none has stays as
    it is.

    Args:
        there: (b, n), which classes pictures have.
    """
    has = there.float()
    products = (styles.float() * has[..., None]).flatten(1)
    with torch.autocast(styles.device.type, enabled=False):
        squares = (styles.float().square().sum(2) * has) @ has.T
        shared = has @ has.T
        apart = (squares + squares.T - 2 * products @ products.T).clamp_min(0)
    # Pictures that share nothing are farther from each other than any that do.
    distance = torch.where(shared > 0, apart / shared.clamp_min(1), torch.full_like(apart, 1e6))
    distance = distance[:, :, None].expand(-1, -1, has.shape[1])
    distance = distance.masked_fill(~there[None], torch.inf)
    nearest = distance.argmin(1)
    taken = styles.gather(0, nearest[..., None].expand_as(styles))
    return torch.where(there.any(0)[None, :, None] & ~there[..., None], taken, styles)
