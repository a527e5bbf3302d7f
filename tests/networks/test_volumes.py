"""Networks for volumes: grown evenly, with grain voxel by voxel, and labels beside what is seen."""

from itertools import pairwise

import pytest
import torch

from gannet.networks.two_stream import Growth
from gannet.networks.volumes import Volumes, evenly
from gannet.runtime.processor import put_channels_last

TINY = Volumes(latent=8, width=4)


@pytest.mark.parametrize("shape", [(1, 8, 8, 8), (4, 12, 8, 12), (3, 16, 20, 9), (2, 24, 16, 24)])
@pytest.mark.parametrize("classes", [0, 3])
def test_volumes_of_any_size_are_made_and_scored(shape: tuple[int, ...], classes: int) -> None:
    generator, discriminator = TINY.generator(shape, classes), TINY.discriminator(shape, classes)
    label = torch.tensor([0, 2]) if classes else None
    made = generator(torch.randn(2, generator.latent), label)
    assert made.shape == (2, *shape) and made[:, 0].abs().max() <= 1
    assert discriminator(made, label).shape == (2,)


def test_all_sides_are_doubled_from_where_the_shortest_is_of_three_or_four() -> None:
    assert Growth.evenly((4, 32, 48, 32)) == Growth((4, 6, 4), (True,) * 3)
    assert Growth.evenly((1, 48, 56, 48)) == Growth((3, 4, 3), (True,) * 4)


def test_what_is_even_stays_even_when_it_is_enlarged() -> None:
    double = evenly(2, 3, in_time=True)
    made = double(torch.ones(1, 2, 4, 4, 4))
    inside = made[:, :, 1:-1, 1:-1, 1:-1]
    torch.testing.assert_close(inside, inside[:, :, :1, :1, :1].expand_as(inside))


def test_grain_is_random_from_voxel_to_voxel_and_loud_only_once_it_is_learned() -> None:
    generator = TINY.generator((1, 16, 16, 16), 0).eval()
    one, other = torch.randn(2, generator.latent)
    alike = torch.cat([one[: generator.numbers], other[generator.numbers :]])
    assert torch.equal(generator(one[None]), generator(alike[None])), "grain before any was learned"
    torch.nn.init.ones_(generator.loudness[1])
    apart = (generator(one[None]) - generator(alike[None]))[0, 0].detach()
    neighbours = torch.stack([apart[:-2].flatten(), apart[2:].flatten()])
    assert float(apart.abs().mean()) > 0 and abs(float(torch.corrcoef(neighbours)[0, 1])) < 0.5


def test_an_order_in_memory_that_is_faster_changes_no_number() -> None:
    torch.manual_seed(0)
    generator, discriminator = TINY.generator((3, 16, 16, 16), 0).eval(), TINY.discriminator((3, 16, 16, 16), 0)
    latent = torch.randn(2, generator.latent)
    made = generator(latent)
    score = discriminator(made)
    for network in (generator, discriminator):
        put_channels_last(network)
    assert generator.fine.weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(generator(latent), made)
    torch.testing.assert_close(discriminator(made), score)


def test_gradients_reach_all_of_both_networks() -> None:
    generator, discriminator = TINY.generator((3, 16, 16, 16), 2), TINY.discriminator((3, 16, 16, 16), 2)
    label = torch.tensor([0, 1])
    discriminator(generator(torch.randn(2, generator.latent), label), label).sum().backward()
    for network in (generator, discriminator):
        assert all(one.grad is not None and bool(one.grad.isfinite().all()) for one in network.parameters())
    assert all(bool(one.grad.any()) for one in generator.loudness)


def test_the_width_is_chosen_by_the_size_and_a_model_of_32_voxels_takes_less_than_a_megabyte_and_a_half() -> None:
    widths = [Volumes().sized((1, side, side, side)).width for side in (16, 32, 64, 128)]
    assert widths == [24, 24, 12, 8] and all(one >= other for one, other in pairwise(widths))
    generator = Volumes().generator((4, 32, 48, 32), 0)
    assert 2 * sum(one.numel() for one in generator.parameters()) < 1_500_000


@pytest.mark.parametrize("shape", [(1, 4, 16, 16), (1, 16, 16, 256), (66, 16, 16, 16)])
def test_what_cannot_be_made_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="8 to 128 voxels a side with up to 64 labels"):
        TINY.generator(shape, 0)
    with pytest.raises(ValueError, match="makes volumes"):
        TINY.discriminator(shape[1:], 0)
    with pytest.raises(ValueError, match="must be at least 1"):
        Volumes(width=0)
