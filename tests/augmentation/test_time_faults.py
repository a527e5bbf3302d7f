"""Faults in time: what they do to frames, and that single frames stay what they were."""

import pytest
import torch
from torch import Generator, Tensor

from gannet.augmentation.time_faults import FAULTS


def numbered(count: int = 3, length: int = 8) -> Tensor:
    """Clips whose frames are flat and show their number, (b, 1, t, 6, 6)."""
    return torch.linspace(-1, 1, length).view(1, 1, -1, 1, 1).expand(count, 1, length, 6, 6).clone()


def spoilt(name: str, strength: float, clips: Tensor | None = None) -> Tensor:
    return FAULTS[name](numbered() if clips is None else clips, strength, Generator().manual_seed(1))


def order(clips: Tensor) -> list[list[int]]:
    """Which frame of `numbered` each one is."""
    return ((clips[:, 0, :, 0, 0] + 1) * 3.5).round().int().tolist()


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_happens_at_no_strength_and_something_at_all_others(name: str) -> None:
    clips = torch.rand(4, 3, 8, 6, 6, generator=Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(FAULTS[name](clips, 0.0, Generator().manual_seed(0)), clips)
    for strength in (0.5, 1.0):
        changed = FAULTS[name](clips, strength, Generator().manual_seed(0))
        assert changed.shape == clips.shape and not torch.equal(changed, clips) and changed.abs().max() <= 1


def test_shuffled_frames_are_the_same_frames_in_another_order_for_every_clip() -> None:
    found = order(spoilt("shuffled", 1.0))
    assert all(sorted(one) == list(range(8)) for one in found) and found[0] != found[1]
    half = order(spoilt("shuffled", 0.5))
    assert all(sum(at != frame for at, frame in enumerate(one)) <= 4 for one in half)


def test_frozen_clips_stand_still_from_some_frame_on() -> None:
    assert order(spoilt("frozen", 1.0))[0] == [0] * 8
    assert order(spoilt("frozen", 0.5))[0] == [0, 1, 2, 3, 3, 3, 3, 3]


def test_reversed_clips_are_played_backwards_as_many_as_asked_for() -> None:
    assert order(spoilt("reversed", 1.0)) == [list(range(7, -1, -1))] * 3
    backwards = [one[0] == 7 for one in order(spoilt("reversed", 0.5, numbered(8)))]
    assert sum(backwards) == 4


def test_slow_clips_show_the_first_half_in_all_their_time() -> None:
    assert order(spoilt("half speed", 1.0))[0] == [0, 0, 1, 1, 2, 2, 3, 3]
    mixed = ((spoilt("half speed, mixed", 1.0)[0, 0, :, 0, 0] + 1) * 3.5).tolist()
    assert mixed == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5], abs=1e-5)


def test_jittering_frames_are_moved_by_whole_pixels_and_nothing_is_lost_in_the_middle() -> None:
    still = torch.rand(1, 3, 1, 12, 12, generator=Generator().manual_seed(0)).expand(1, 3, 8, 12, 12)
    moved = spoilt("jittering", 1.0, still)
    where = [
        [
            (down, across)
            for down in range(-2, 3)
            for across in range(-2, 3)
            if torch.equal(frame[:, 4:8, 4:8], still[0, :, 0, 4 + down : 8 + down, 4 + across : 8 + across])
        ]
        for frame in moved[0].unbind(1)
    ]
    assert all(len(one) == 1 for one in where) and len({one[0] for one in where}) > 3


def test_flickering_changes_brightness_only() -> None:
    clips = 0.1 * torch.rand(2, 3, 8, 6, 6, generator=Generator().manual_seed(0))
    change = spoilt("flickering", 0.5, clips) - clips
    assert change.flatten(3).std(3).max() < 1e-6 and change[0, 0, :, 0, 0].std() > 0.05
