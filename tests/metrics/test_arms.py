"""Arms of a trial: intervals hold what they say, pairs take away what both share, and answers go by the bound."""

import numpy as np
import pytest
from scipy import stats

from gannet.metrics.arms import compare_arms, interval_of, ratio_of

RANDOM = np.random.default_rng(0)


def table(seeds: int, tried: int, by_seed: float, by_sample: float) -> np.ndarray:
    """Figures of mean 0 with effects of seeds and samples, and what is neither."""
    rest = 0.1 * RANDOM.standard_normal((seeds, tried))
    return rest + by_seed * RANDOM.standard_normal((seeds, 1)) + by_sample * RANDOM.standard_normal(tried)


@pytest.mark.parametrize(("by_seed", "by_sample"), [(1.0, 0.0), (0.0, 1.0), (0.1, 1.0)])
def test_intervals_hold_the_true_mean_in_nineteen_of_twenty_cases_or_more(by_seed: float, by_sample: float) -> None:
    found = [interval_of(table(3, 60, by_seed, by_sample)) for _ in range(400)]
    assert np.mean([one.low < 0 < one.high for one in found]) > 0.93


def test_where_seeds_do_not_differ_the_interval_is_that_of_the_samples_alone() -> None:
    row = RANDOM.standard_normal(50)
    found = interval_of(np.tile(row, (3, 1)))
    known = stats.ttest_1samp(row, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_of_one_seed_the_interval_is_that_of_the_samples_and_says_so() -> None:
    row = RANDOM.standard_normal(50)
    found, known = interval_of(row[None]), stats.ttest_1samp(row, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
    trial = compare_arms({"real": row[None], "both": row[None] + 1}, "real", "Dice", "scans")
    assert trial.protocol == "1 seed, tried on 50 scans; 95 % intervals over scans alone"


def test_what_both_arms_share_does_not_widen_their_difference() -> None:
    base = table(3, 80, 0.0, 5.0)
    trial = compare_arms({"real": base, "both": base + 0.05 + table(3, 80, 0.0, 0.05)}, "real", "Dice", "scans")
    assert trial.gains["both"].low > 0 and trial.scores["both"].low < trial.scores["real"].high
    assert trial.lines()[0].startswith("Learned from both: better than from real (+0.0")
    assert "3 seeds, tried on 80 scans" in trial.lines()[-1]


def test_what_is_not_sure_is_not_said() -> None:
    base = table(3, 20, 0.3, 0.3)
    trial = compare_arms(
        {"real": base, "same": base + table(3, 20, 0.3, 0.3), "worse": base - 9}, "real", "Dice", "scans"
    )
    assert "not surely other than" in trial.answer("same") and "worse than" in trial.answer("worse")


def test_an_interval_of_shares_ends_where_shares_do() -> None:
    arms = {"real": np.full((3, 8), 0.9), "fake": np.array([0.8, 0.1, 0.95])[:, None] + np.zeros(8)}
    found = compare_arms(arms, "real", "accuracy", "scans").scores["fake"]
    assert (found.low, found.high) == (0, 1) and found.value == pytest.approx(37 / 60)


def test_a_ratio_is_that_of_the_means_and_exact_where_all_keep_to_it() -> None:
    base = 0.5 + 0.1 * RANDOM.random((3, 30))
    exact = ratio_of(0.8 * base, base)
    assert (exact.value, exact.low, exact.high) == pytest.approx((0.8, 0.8, 0.8))
    found = ratio_of(0.8 * base + 0.05 * table(3, 30, 0, 1), base)
    assert found.low < 0.8 < found.high and found.high - found.low < 0.2


def test_arms_that_were_tried_on_other_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="Arms are tried on the same samples with as many seeds, and one is 'real'"):
        compare_arms({"real": table(3, 20, 0, 1), "both": table(3, 19, 0, 1)}, "real", "Dice", "scans")
