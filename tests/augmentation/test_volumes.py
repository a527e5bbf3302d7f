"""Augmentation of volumes: labels go where the volume goes, and only what is seen changes its brightness."""

import pytest
import torch
from torch import Tensor

from gannet.augmentation.draws import Drawn
from gannet.augmentation.kinds import Kind, augment, choose_kinds
from gannet.augmentation.volumes import augment_volumes, is_usual


def draws(count: int = 8) -> Drawn:
    return Drawn(count, torch.Generator().manual_seed(3))


def volumes(count: int = 8) -> Tensor:
    """Volumes beside labels (ones and zeros) of where they are bright."""
    seen = torch.rand(count, 1, 8, 10, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.cat([seen, (seen <= 0).float(), (seen > 0).float()], 1)


def test_a_shift_moves_volume_and_labels_alike_by_whole_voxels_along_each_axis() -> None:
    given = volumes()
    moved = augment_volumes(given, choose_kinds({"shift": 0.25}), 1.0, draws())
    assert torch.equal(moved[:, 2], (moved[:, 0] > 0).float()) and torch.equal(moved[:, 1], 1 - moved[:, 2])
    inner = given[:, 0, 3:5, 3:7, 4:8].flatten(1)
    steps = set()
    for one, before in zip(moved[:, 0], inner, strict=True):
        found = [
            (x - 3, y - 3, z - 4)
            for x in range(7) for y in range(7) for z in range(9)
            if torch.equal(one[x : x + 2, y : y + 4, z : z + 4].flatten(), before)
        ]  # fmt: skip
        steps.update(found)
        assert len(found) == 1
    assert all(len({step[axis] for step in steps}) > 2 for axis in range(3))


def test_brightness_is_of_what_is_seen_only_and_that_of_a_picture() -> None:
    given, chosen = volumes(), choose_kinds({"brightness": 0.3, "contrast": 1.5}, 1)
    changed = augment_volumes(given, chosen, 1.0, draws())
    assert torch.equal(changed[:, 1:], given[:, 1:])
    for at in range(given.shape[2]):
        torch.testing.assert_close(changed[:, :1, at], augment(given[:, :1, at], chosen, 1.0, draws()))


def test_a_flip_is_from_left_to_right() -> None:
    given = volumes()
    changed = augment_volumes(given, choose_kinds({"flip": 1.0}, 1), 1.0, draws())
    torch.testing.assert_close(changed, given.flip(2))


def test_a_share_of_the_volumes_is_hit_and_none_where_it_is_zero() -> None:
    given, chosen = volumes(400), choose_kinds({"shift": 0.25})
    changed = augment_volumes(given, chosen, 0.3, draws(400))
    share = (changed != given).flatten(1).any(1).float().mean()
    assert 0.2 < float(share) < 0.35  # Some shifts are of no voxel at all.
    assert augment_volumes(given, chosen, 0.0, draws(400)) is given


def test_what_labels_cannot_follow_is_refused() -> None:
    with pytest.raises(ValueError, match="cutout is not done to volumes"):
        augment_volumes(volumes(), choose_kinds({"shift": 0.1, "cutout": 0.5}), 1.0, draws())


@pytest.mark.parametrize(("name", "usual"), [("shift", True), ("contrast", True), ("flip", False), ("rotation", False)])
def test_nothing_that_mirrors_or_turns_is_done_unasked(name: str, usual: bool) -> None:
    ((kind, _),) = choose_kinds([name], 1)
    assert isinstance(kind, Kind) and is_usual(kind) is usual
