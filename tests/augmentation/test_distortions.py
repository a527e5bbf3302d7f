"""Distortions: nothing at strength zero, more with more strength, in range, and the same for the same seed."""

import pytest
import torch
from torch import Generator, Tensor

from gannet.augmentation.distortions import DISTORTIONS, blockiness, blur, rotation, salt_and_pepper

NAMES = sorted(DISTORTIONS)


def pictures(count: int = 16, channels: int = 3, height: int = 32, width: int = 32) -> Tensor:
    """Smooth colours with edges on them."""
    coarse = torch.empty(count, channels, 5, 5).uniform_(-0.8, 0.8, generator=Generator().manual_seed(0))
    drawn = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    drawn[:, :, height // 4 : height // 2, width // 4 :] *= -1
    return drawn


def spoilt(name: str, strength: float, seed: int = 0, **sizes: int) -> Tensor:
    return DISTORTIONS[name](pictures(**sizes), strength, Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NAMES)
def test_no_strength_changes_nothing(name: str) -> None:
    torch.testing.assert_close(spoilt(name, 0.0), pictures(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_more_strength_changes_more(name: str) -> None:
    changes = [float((spoilt(name, strength) - pictures()).square().mean()) for strength in (0.25, 0.5, 0.75, 1.0)]
    assert changes == sorted(changes) and changes[0] > 0


@pytest.mark.parametrize("sizes", [{"channels": 1}, {"height": 20, "width": 37}, {"height": 8, "width": 8}], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_shape_and_range_stay(name: str, sizes: dict[str, int]) -> None:
    found = spoilt(name, 1.0, **sizes)
    assert found.shape == pictures(**sizes).shape
    assert found.isfinite().all() and found.abs().max() <= 1 + 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_pictures(name: str) -> None:
    assert torch.equal(spoilt(name, 0.7, seed=3), spoilt(name, 0.7, seed=3))


def test_a_blur_keeps_the_mean_of_a_point_and_spreads_it_as_a_gaussian_does() -> None:
    point = torch.zeros(1, 1, 65, 65)
    point[0, 0, 32, 32] = 1
    spread = blur(point, 0.5, Generator())
    assert float(spread.sum()) == pytest.approx(1, abs=1e-3)
    places = torch.arange(65.0) - 32
    variance = float((spread[0, 0].sum(0) * places.square()).sum())
    assert variance == pytest.approx((0.5 * 65 / 16) ** 2, rel=0.02)


def test_salt_and_pepper_strike_the_share_that_they_say() -> None:
    grey = torch.full((20, 3, 64, 64), 0.1)
    found = salt_and_pepper(grey, 1.0, Generator().manual_seed(0))
    struck = (found != 0.1).all(1)
    assert float(struck.float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float((found.amax(1) == 1)[struck].float().mean()) == pytest.approx(0.5, abs=0.03)


def test_a_rotation_moves_no_point_further_from_the_middle() -> None:
    down, across = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    rings = (down.square() + across.square()).sqrt().cos().expand(4, 1, 64, 64)
    inside = (down.square() + across.square()) < 0.8
    found = rotation(rings, 1.0, Generator().manual_seed(1))
    assert (found - rings)[:, :, inside].abs().max() < 0.01


def test_blocks_are_rounded_each_by_itself() -> None:
    whole = pictures(height=24, width=24)
    changed = whole.clone()
    changed[:, :, :8, :8] += 0.05
    spoilt_whole, spoilt_changed = (blockiness(each, 0.5, Generator()) for each in (whole, changed))
    assert torch.equal(spoilt_whole[:, :, 8:, :], spoilt_changed[:, :, 8:, :])
