"""The plain network that enlarges: what it gives before it has learned, and how far it sees."""

import pytest
import torch

from gannet.networks.compact import Compact
from gannet.pipelines.reach import receptive_radius
from gannet.schema import Choice
from gannet.tasks.super_resolution import SuperResolutionPipeline


@pytest.mark.parametrize(("scale", "channels"), [(2, 3), (4, 1)])
def test_without_learning_every_pixel_becomes_a_square(scale: int, channels: int) -> None:
    small = torch.rand(2, channels, 5, 7) * 2 - 1
    large = small.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    torch.testing.assert_close(Compact(4, 2).enlarger(channels, scale)(small), large)


@pytest.mark.parametrize("layers", [1, 3])
@torch.no_grad()
def test_it_sees_as_far_as_it_says(layers: int) -> None:
    network = Compact(4, layers).enlarger(3, 2)
    torch.nn.init.normal_(network.body[-1].weight)
    assert receptive_radius(network, 3, 1, 2) == network.receptive_radius == layers + 2


def test_everything_in_it_learns() -> None:
    network = Compact(4, 2).enlarger(3, 2)
    torch.nn.init.normal_(network.body[-1].weight)
    network(torch.randn(1, 3, 8, 8)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("keys", "words"), [({"width": 0}, "network.width"), ({"layers": 65}, "network.layers"), ({"blocks": 3}, "layers")]
)
def test_wrong_keys_are_named(keys: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SuperResolutionPipeline.choice(Choice(name="compact", **keys))
