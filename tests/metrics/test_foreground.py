"""Where something moves, told by a rule."""

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from gannet.augmentation.levels import from_levels
from gannet.data.sources.moving_digits import draw_clip
from gannet.metrics.foreground import overlap, still_ground, tell_moving


def with_square() -> tuple[Tensor, Tensor]:
    """A square that crosses a still ground in 16 frames, two pixels a frame, and where it is."""
    ground = torch.rand(3, 1, 32, 32, generator=Generator().manual_seed(0)) * 0.4 - 1
    clip, mask = ground.repeat(1, 16, 1, 1), torch.zeros(16, 32, 32, dtype=torch.bool)
    for frame in range(16):
        mask[frame, 10:18, 2 * frame : 2 * frame + 6] = True
    clip[:, mask] = 0.9
    return clip[None], mask[None]


def test_what_crosses_a_still_ground_is_told_to_the_pixel() -> None:
    clip, mask = with_square()
    assert torch.equal(tell_moving(clip), mask)
    ground = still_ground(clip)
    assert ground.shape == (1, 3, 1, 32, 32) and torch.equal(ground[0, :, 0, :10], clip[0, :, 0, :10])


def test_nothing_moves_where_nothing_does() -> None:
    assert not tell_moving(torch.zeros(2, 1, 8, 8, 8)).any()


def test_the_overlap_is_that_of_both_in_either() -> None:
    first, second = torch.zeros(3, 2, 4, 4, dtype=torch.bool), torch.zeros(3, 2, 4, 4, dtype=torch.bool)
    first[0, :, :2], second[0, :, 1:3] = True, True
    first[1], second[1] = True, False
    assert overlap(first, second).tolist() == pytest.approx([1 / 3, 0, 1])


def test_moving_digits_are_told_apart_from_their_grounds() -> None:
    drawn = [draw_clip(number) for number in range(900, 912)]
    clips = from_levels(torch.from_numpy(np.stack([clip for clip, _, _ in drawn])).permute(0, 4, 1, 2, 3).float())
    masks = torch.from_numpy(np.stack([mask for _, mask, _ in drawn]))
    assert overlap(tell_moving(clips), masks).mean() > 0.8
    assert overlap(torch.ones_like(masks), masks).mean() < 0.2


def test_nothing_moves_in_a_single_frame() -> None:
    assert not tell_moving(torch.rand(2, 3, 1, 8, 8)).any()


def test_clips_of_more_values_than_a_quantile_takes_are_told() -> None:
    clips = torch.zeros(1, 1, 260, 256, 256)
    clips[:, :, :100, :64, :64] = 1
    moving = tell_moving(clips)
    assert moving[:, :100, :64, :64].all() and not moving[:, 100:].any() and not moving[:, :, 64:].any()
