"""Damage lies where its mask says, and nowhere else."""

from math import hypot

import pytest
import torch

from gannet.augmentation.damage import DAMAGES, WHOLE, View, damage, fade, holes, laid, near_lines, patches
from gannet.augmentation.draws import Drawn

COUNT, SIDE = 64, 64


def draws(seed: int = 0) -> Drawn:
    return Drawn(COUNT, torch.Generator().manual_seed(seed))


def pictures() -> torch.Tensor:
    return torch.rand(COUNT, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(9)) * 1.2 - 0.6


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_damage_lies_within_its_mask_and_shows_there(name: str) -> None:
    before = pictures()
    found = laid(before, DAMAGES[name](before, draws(), WHOLE))
    changed = (found.pictures != before).any(1, keepdim=True)
    assert set(found.lost.unique().tolist()) == {0.0, 1.0}
    assert not bool((changed & (found.lost == 0)).any())
    assert float(changed[found.lost > 0].float().mean()) > 0.95
    assert 0.002 < float(found.lost.mean()) < 0.3


@pytest.mark.parametrize("name", sorted({*DAMAGES} - {"dust"}))
def test_a_piece_shows_what_stands_there_in_the_whole_photograph(name: str) -> None:
    before = pictures()
    count, side = len(before), before.shape[2]
    corner, share = torch.tensor([[0.25, 0.5]]).expand(count, 2), torch.tensor([0.25]).expand(count)
    rows, columns = (slice(int(at * side), int((at + 0.25) * side)) for at in (0.25, 0.5))
    whole = laid(before, DAMAGES[name](before, draws(), WHOLE))
    seen = before[:, :, rows, columns]
    patch = laid(seen, DAMAGES[name](seen, draws(), View(corner, share)))
    assert bool(patch.lost.any())
    assert torch.equal(patch.lost, whole.lost[:, :, rows, columns])
    assert torch.equal(patch.pictures, whole.pictures[:, :, rows, columns])


def test_pieces_lie_within_photographs() -> None:
    side = torch.linspace(0.1, 1, len(pictures()))
    view = patches(side, draws())
    assert bool((view.corner >= 0).all()) and bool((view.corner + side[:, None] <= 1 + 1e-6).all())


def test_lines_reach_as_far_as_they_are_wide() -> None:
    bends = torch.tensor([[[[0.2, 0.1], [0.5, 0.4], [0.1, 0.5]], [[0.4, 0.5], [0.4, 0.5], [0.4, 0.5]]]])
    mask = near_lines(torch.zeros(1, 1, 20, 30), bends, torch.tensor([[0.1, 0.2]]))[0, 0]
    for row in range(20):
        for column in range(30):
            y, x = (row + 0.5) / 30, (column + 0.5) / 30
            line = min(apart(y, x, *bends[0, 0, at : at + 2].flatten().tolist()) for at in range(2))
            assert bool(mask[row, column]) == (line < 0.05 or hypot(y - 0.4, x - 0.5) < 0.1)


def apart(y: float, x: float, top: float, left: float, bottom: float, right: float) -> float:
    """How far a point is from the nearest of a thousand points of a line."""
    shares = [index / 1000 for index in range(1001)]
    return min(hypot(y - top - share * (bottom - top), x - left - share * (right - left)) for share in shares)


def test_several_damages_share_a_mask() -> None:
    before = pictures()
    found = damage(before, tuple(DAMAGES), draws())
    assert torch.equal(
        (found.pictures != before).any(1, keepdim=True) & (found.lost == 0), torch.zeros_like(found.lost) > 0
    )
    assert torch.equal(damage(before, (), draws()).pictures, before)


def test_the_same_draws_give_the_same_damage() -> None:
    one, other, third = (damage(pictures(), tuple(DAMAGES), draws(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.pictures, other.pictures) and not torch.equal(one.pictures, third.pictures)


def test_holes_are_about_a_fifth_of_the_area() -> None:
    shares = holes(pictures(), draws()).mean((1, 2, 3))
    assert 0.12 < float(shares.mean()) < 0.3 and float(shares.max()) < 0.8


def test_fading_takes_contrast_and_warms() -> None:
    before = pictures()
    after = fade(before, draws())
    assert bool((after.std((2, 3)) <= before.std((2, 3)) + 1e-6).all())
    assert float((after[:, 0] - after[:, 2]).mean()) > float((before[:, 0] - before[:, 2]).mean())
    assert float(after.abs().max()) <= 1
