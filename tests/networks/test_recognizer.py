"""Recognizers: shapes at any size, what features are, and what is refused."""

import pytest
import torch

from gannet.networks.recognizer import RecognizerChoice


@pytest.mark.parametrize("blocks", ["residual", "plain"])
def test_any_size_gives_logits_and_one_feature_a_channel_of_every_block_but_the_last(blocks: str) -> None:
    network = RecognizerChoice(width=4, depth=3, blocks=blocks).build((3, 28, 28), 5).eval()
    for size in ((28, 28), (33, 50), (64, 64)):
        pictures = torch.randn(2, 3, *size)
        assert network(pictures).shape == (2, 5) and network.features(pictures).shape == (2, 4 + 8)
        means = [activation.mean((2, 3)) for activation in network.activations(pictures)]
        torch.testing.assert_close(network.features(pictures), torch.cat(means[:-1], 1))
        torch.testing.assert_close(network(pictures), network.head(means[-1]))


def test_a_residual_block_adds_its_input() -> None:
    network = RecognizerChoice(width=4, depth=1).build((3, 8, 8), 2).eval()
    block, picture = network.blocks[0], torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        block.body[-1].weight.zero_()
    torch.testing.assert_close(block(picture), block.past(picture).relu())


@pytest.mark.parametrize("sizes", [{"width": 0}, {"depth": 0}, {"depth": 7}, {"width": 1000}])
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be 1 to"):
        RecognizerChoice(**sizes)
