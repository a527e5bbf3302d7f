"""Moving digits: the same for a number, over a ground that stands still, with the mask of what moves."""

import numpy as np

from gannet.data.sources import open_source
from gannet.data.sources.moving_digits import COUNT, LENGTH, SIDE, TESTED, MovingDigits, draw_clip
from gannet.media.clip import medium

CLIPS = [draw_clip(number) for number in range(12)]


def test_a_number_gives_the_same_clip_and_another_another() -> None:
    clip, mask, label = draw_clip(3)
    assert np.array_equal(clip, CLIPS[3][0]) and np.array_equal(mask, CLIPS[3][1]) and label == CLIPS[3][2]
    assert clip.shape == (LENGTH, SIDE, SIDE, 3) and clip.dtype == np.uint8 and mask.dtype == np.bool_
    assert len({one.tobytes() for one, _, _ in CLIPS}) == len(CLIPS)


def test_the_ground_stands_still_and_the_digit_is_where_the_mask_says() -> None:
    for clip, mask, _ in CLIPS:
        changed = np.abs(clip.astype(int) - clip[:1]).max(3) > 60
        near = mask | mask[:1]
        for shift in (-2, -1, 1, 2):
            near |= np.roll(mask | mask[:1], shift, 1) | np.roll(mask | mask[:1], shift, 2)
        assert (changed & ~near).sum() < 0.01 * changed.size, "what moves lies outside the mask"
        assert clip[mask].mean() > clip[~mask].mean() + 60
        assert 0.01 < mask.mean() < 0.12


def test_digits_move_all_the_time_and_stay_whole() -> None:
    for _, mask, _ in CLIPS:
        sizes = mask.sum((1, 2))
        assert sizes.min() == sizes.max(), "a digit leaves the frame"
        places = np.array([np.argwhere(one).mean(0) for one in mask])
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        assert steps.mean() > 0.5 and steps.max() < 4


def test_grounds_differ_from_clip_to_clip() -> None:
    grounds = np.stack([np.median(clip, 0) for clip, _, _ in CLIPS])
    apart = [np.abs(grounds[one] - grounds[other]).mean() for one in range(6) for other in range(one)]
    assert min(apart) > 8


def test_held_out_clips_are_of_digits_that_are_not_learned() -> None:
    source = open_source("moving-digits", {"real": medium})
    assert isinstance(source, MovingDigits) and source.count() == COUNT
    chunk = next(source.arrays())
    assert chunk.split == "train" and np.array_equal(chunk.values[3], CLIPS[3][0])
    assert chunk.labels[:12].tolist() == [label for _, _, label in CLIPS] and set(chunk.labels.tolist()) == set(
        range(10)
    )
    assert np.array_equal(source.masks(3), CLIPS[3][1])
    assert TESTED / COUNT == 0.1
