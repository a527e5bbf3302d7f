"""What is left of photographs is smaller, in range, the same for the same draws, and as bad as it is drawn."""

import pytest
import torch

from gannet.augmentation.degrading import DEGRADATIONS, reduced
from gannet.augmentation.draws import Drawn

PICTURES = torch.rand(6, 3, 32, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def draws(seed: int = 0) -> Drawn:
    return Drawn(len(PICTURES), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
@pytest.mark.parametrize(("channels", "scale"), [(3, 4), (1, 2)])
def test_what_is_left_is_smaller_and_repeats(name: str, channels: int, scale: int) -> None:
    small = DEGRADATIONS[name](PICTURES[:, :channels], scale, draws())
    assert small.shape == (6, channels, 32 // scale, 48 // scale)
    assert float(small.abs().max()) <= 1
    assert torch.equal(small, DEGRADATIONS[name](PICTURES[:, :channels], scale, draws()))


def test_the_world_treats_each_picture_in_its_own_way() -> None:
    flat = torch.zeros(40, 3, 32, 32)
    flat[:, :, :, ::2] = 0.5
    small = DEGRADATIONS["world"](flat, 2, Drawn(40, torch.Generator().manual_seed(0)))
    grain = (small - reduced(flat, 2)).std((1, 2, 3))
    assert float(grain.max()) > 3 * float(grain.min()) > 0
