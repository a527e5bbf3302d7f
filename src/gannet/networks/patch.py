"""A discriminator of patches: each of its scores judges a small part of a picture of any size."""

from torch import Tensor, nn

from gannet.networks.convolution import Convolution


class PatchDiscriminator(nn.Module):
    """Convolutions that halve the picture, and a score for each place left (Isola et al., 2017, section 3.2.2).

    A penalty on its gradient takes all scores of a picture together, so its weight is to be smaller by their number.
    """

    def __init__(self, channels: int, width: int, depth: int = 3) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(depth)]
        layers: list[nn.Module] = []
        for before, after in zip([channels, *widths], widths, strict=False):
            layers += [Convolution(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers, Convolution(widths[-1], widths[-1], 3, 1, 1), nn.LeakyReLU(0.2))
        self.exit = nn.Conv2d(widths[-1], 1, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Score the patches of (b, c, h, w): logits (b, patches)."""
        logits: Tensor = self.exit(self.body(picture)).flatten(1)
        return logits
