"""How clips move: known answers, what is seen of faults, and what cannot be."""

from math import log

import numpy as np
import pytest
import torch
from moving import squares
from torch import Generator, Tensor

from gannet.augmentation.time_faults import FAULTS
from gannet.metrics.measure import draw_halves
from gannet.metrics.motion import (
    DISTANCE,
    PLAIN,
    STATISTICS,
    measure_motion,
    motion_distance,
    motion_of,
    on_one_scale,
)
from gannet.metrics.two_sample import permutation_test


def named(clips: Tensor) -> dict[str, float]:
    """The statistics of one clip by their names."""
    return dict(zip(STATISTICS, motion_of(clips).statistics[0].tolist(), strict=True))


def test_every_statistic_has_a_name_and_is_finite_even_of_clips_that_stand_still() -> None:
    noise = torch.rand(2, 3, 8, 9, 9, generator=Generator().manual_seed(0)) * 2 - 1
    for clips in (noise, torch.zeros(2, 1, 4, 8, 8), noise[:, :, :1].expand(-1, -1, 8, -1, -1)):
        found = motion_of(clips)
        assert found.statistics.shape == (2, len(STATISTICS)) and found.statistics.isfinite().all()
        assert found.plain.shape == (2, len(PLAIN))
    with pytest.raises(ValueError, match="4 frames or more, not 3"):
        motion_of(noise[:, :, :3])


def test_brightness_that_alternates_is_flicker_and_motion_of_known_size() -> None:
    clip = torch.zeros(1, 3, 9, 16, 16)  # An even number of changes, so that their frequency is one of the spectrum's.
    clip[:, :, ::2] = 20 / 127.5
    motion, flicker, still = motion_of(clip).plain[0].tolist()
    assert (motion, flicker, still) == pytest.approx((20, 20, 0), abs=1e-4)
    found = named(clip)
    assert found["succession"] == pytest.approx(-1, abs=1e-3) and found["halts"] == 0
    # Second and third differences of +1, -1, +1, ... are 2 and 4 times as large.
    assert found["acceleration"] == pytest.approx(log(2), abs=0.01)
    assert found["jerk"] == pytest.approx(log(4), abs=0.01)
    # All power lies at the highest frequency, in the last band.
    assert found["band 4 of 4 at scale 1"] == pytest.approx(log(1.01), abs=0.02)
    assert found["band 1 of 4 at scale 2"] < log(0.1)


def test_a_pixel_that_flickers_alone_averages_out_and_is_no_flicker_of_the_frame() -> None:
    clip = torch.zeros(1, 1, 8, 16, 16)
    signs = torch.ones(16, 16)
    signs[::2] *= -1
    signs[:, ::2] *= -1
    clip[0, 0] = 0.2 * signs * torch.tensor([1.0, -1] * 4)[:, None, None]
    motion, flicker, _ = motion_of(clip).plain[0].tolist()
    assert motion == pytest.approx(0.4 * 127.5, rel=1e-4) and flicker == pytest.approx(0, abs=1e-4)
    assert named(clip)["coarse motion"] < -5


def test_the_share_that_holds_still_is_that_of_the_ground() -> None:
    clip = torch.zeros(1, 1, 8, 16, 16)
    clip[:, :, ::2, :4] = 1.0
    assert motion_of(clip).plain[0, 2] == pytest.approx(0.75)


def test_growth_and_the_arrow_turn_their_signs_backwards_and_nothing_else_does() -> None:
    clips = squares(20, 0, falling=True)
    onwards, backwards = motion_of(clips).statistics, motion_of(clips.flip(2)).statistics
    odd = torch.tensor([name in {"growth", "arrow"} for name in STATISTICS])
    torch.testing.assert_close(onwards[:, ~odd], backwards[:, ~odd], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(onwards[:, odd], -backwards[:, odd], atol=1e-4, rtol=1e-3)
    assert onwards[:, STATISTICS.index("growth")].abs().min() > 0.01


@pytest.mark.parametrize("strength", [1.0, 0.5])
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_told_from_real_clips_with_certainty(fault: str, strength: float) -> None:
    real, others = squares(40, 1, falling=True), squares(40, 2, falling=True)
    spoilt = FAULTS[fault](others, strength, Generator().manual_seed(0))
    scaled = on_one_scale(motion_of(real), motion_of(spoilt))
    untouched = on_one_scale(motion_of(real), motion_of(others))
    apart, chance = permutation_test(*scaled, seed=0)
    assert chance == 0.001 and apart > 0
    assert permutation_test(*untouched, seed=0)[1] > 0.01
    assert motion_distance(*scaled)[DISTANCE] > 0.05 > abs(motion_distance(*untouched)[DISTANCE])


def test_even_motion_to_and_fro_looks_the_same_backwards() -> None:
    real, others = (motion_of(clips) for clips in (squares(40, 1, False), squares(40, 2, False).flip(2)))
    assert permutation_test(*on_one_scale(real, others), seed=0)[1] > 0.01


def test_measures_of_motion_have_a_floor_and_know_what_is_best() -> None:
    clips = squares(80, 3, falling=False)
    frozen = FAULTS["frozen"](clips, 1.0, Generator())
    halves = draw_halves(80, 80, None, 100, seed=0)
    found = {one.name: one for one in measure_motion(motion_of(clips), motion_of(frozen), halves)}
    assert list(found) == [DISTANCE, *PLAIN]
    distance, motion, _, still = found.values()
    assert distance.low > 1 and abs(distance.floor) < 0.1 and distance.best == "low"
    assert motion.value == 0 and motion.best == pytest.approx(motion.floor, rel=0.1) and motion.best > 1
    assert still.value == 1 and 0.3 < still.best < 0.95


def test_the_permutation_test_is_right_as_often_as_it_says() -> None:
    chances = []
    for seed in range(60):
        drawn = torch.randn(24, 3, generator=Generator().manual_seed(seed))
        chances.append(permutation_test(drawn[:10], drawn[10:], seed, permutations=99)[1])
    assert 0 < sum(chance <= 0.2 for chance in chances) <= 24  # 12 are expected; more than 24 once in 10,000.
    assert min(chances) >= 0.01 and 0.35 < float(np.mean(chances)) < 0.65


def test_the_permutation_test_gives_the_energy_distance_and_counts_equal_ones() -> None:
    first, second = torch.tensor([[0.0], [1.0]]), torch.tensor([[10.0], [12.0]])
    apart, chance = permutation_test(first, second, seed=0, permutations=999)
    assert apart == pytest.approx(2 * 10.5 - 1 - 2)
    # Two of the six ways to part four samples in two pairs are as far apart: the one at hand, either way round.
    assert chance == pytest.approx(1 / 3, abs=0.06)
