"""How far a network of others sees is found out, or said not to be known."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, pixel_unshuffle

from gannet.pipelines.reach import MOST, receptive_radius


def convolutions(count: int, side: int = 3) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv2d(2, 2, side, 1, side // 2) for _ in range(count)))


class Halving(nn.Module):
    """Sees pixels two by two, and as many to either side as it has convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.entry, self.body = nn.Conv2d(8, 2, 1), convolutions(3)

    def forward(self, pictures: Tensor) -> Tensor:
        return interpolate(self.body(self.entry(pixel_unshuffle(pictures, 2))), scale_factor=2.0, mode="nearest")


def in_windows(pictures: Tensor) -> Tensor:
    """Every pixel becomes the mean of its window of eight by eight."""
    return interpolate(avg_pool2d(pictures, 8, ceil_mode=True), pictures.shape[2:], mode="nearest")


def enlarged(pictures: Tensor) -> Tensor:
    return interpolate(convolutions(2, 5)(pictures), scale_factor=3.0, mode="nearest")


@pytest.mark.parametrize(
    ("network", "multiple", "scale", "radius"),
    [
        (convolutions(4), 1, 1, 4),
        (convolutions(2, 7), 1, 1, 6),
        (enlarged, 1, 3, 4),
        (Halving(), 2, 1, 6),
        (in_windows, 1, 1, None),
        (lambda pictures: pictures + pictures.mean(), 1, 1, None),
        (convolutions(MOST + 1), 1, 1, None),
        (lambda pictures: pictures, 64, 1, None),
        (lambda pictures: pictures.nan_to_num(), 1, 1, None),
    ],
)
@torch.no_grad()
def test_a_pixel_reaches_as_far_as_the_network_sees(
    network: nn.Module, multiple: int, scale: int, radius: int | None
) -> None:
    assert receptive_radius(network, 2, multiple, scale) == radius


def test_a_network_that_takes_no_such_numbers_is_not_known() -> None:
    def refuse(pictures: Tensor) -> Tensor:
        raise RuntimeError("not a number")

    assert receptive_radius(refuse, 3, 1, 1) is None
