"""Regions: what is reached, and things that are told from what lies behind them."""

import torch
from torch import Tensor

from gannet.augmentation.regions import grown, reached, told_apart


def test_only_what_is_passable_is_reached_and_only_so_far() -> None:
    passable = torch.ones(1, 1, 5, 9, dtype=torch.bool)
    passable[..., 4] = False
    begun = torch.zeros_like(passable)
    begun[0, 0, 2, 0] = True
    assert torch.equal(reached(begun, passable, 20)[0, 0, 2].int(), torch.tensor([1, 1, 1, 1, 0, 0, 0, 0, 0]).int())
    assert reached(begun, passable, 2)[0, 0, 2].sum() == 3
    assert grown(begun).sum() == 6


def scene(colour: tuple[float, float, float], noise: float = 0.05) -> tuple[Tensor, Tensor]:
    """A thing of a colour on a greenish background with some grain and shadow, and where it lies."""
    random = torch.Generator().manual_seed(0)
    picture = torch.tensor([-0.2, 0.3, -0.3]).view(1, 3, 1, 1) + noise * torch.randn(1, 3, 120, 90, generator=random)
    picture = picture + torch.linspace(-0.1, 0.1, 90)
    there = torch.zeros(1, 1, 120, 90)
    there[..., 25:95, 20:70] = 1
    return torch.lerp(picture, torch.tensor(colour).view(1, 3, 1, 1).expand_as(picture), there).clamp(-1, 1), there


def test_a_thing_is_told_from_its_background() -> None:
    for colour in ((0.8, -0.6, -0.6), (0.9, 0.9, 0.9), (-0.8, -0.8, -0.5)):
        picture, there = scene(colour)
        thing, (known,) = told_apart(picture)
        assert bool(known) and thing.shape == there.shape
        both, either = ((thing > 0.5) & (there > 0)).sum(), ((thing > 0.5) | (there > 0)).sum()
        assert float(both / either) > 0.9
        assert float(thing.min()) == 0 and float(thing.max()) == 1


def test_nothing_is_believed_where_nothing_stands_out_or_all_of_it_does() -> None:
    random = torch.Generator().manual_seed(0)
    even, noise = torch.zeros(1, 3, 80, 80), 2 * torch.rand(1, 3, 80, 80, generator=random) - 1
    alike, _ = scene((-0.2, 0.3, -0.3))
    for picture in (even, noise, alike):
        assert not bool(told_apart(picture)[1].any())
