"""Precision, recall, density, coverage and their clipped kin: against plain loops and scikit-learn's neighbours, at
extremes, and where bad samples are planted.
"""

import numpy as np
import pytest
import torch
from scipy.stats import betabinom
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from gannet.metrics import fidelity as module
from gannet.metrics.fidelity import expected_coverage, fidelity, good_share


def cloud(count: int, seed: int, centre: float = 0.0) -> Tensor:
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(seed)) + centre


def radii(points: np.ndarray, which: int) -> np.ndarray:
    """Of each point, the distance to its k-th nearest other point."""
    distances, _ = NearestNeighbors(n_neighbors=which + 1).fit(points).kneighbors(points)
    return distances[:, which]


@pytest.mark.parametrize("rows", [7, 1000])
def test_all_four_agree_with_their_definitions(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", rows)
    real, fake = cloud(50, 0), cloud(40, 1, 0.8)
    x, y = real.numpy(), fake.numpy()
    across = np.linalg.norm(x[:, None] - y[None], axis=2)
    third, fifth, own = radii(x, 3), radii(x, 5), radii(y, 3)
    found = fidelity(real, fake)
    assert found["precision"] == pytest.approx((across <= third[:, None]).any(0).mean(), abs=1e-6)
    assert found["recall"] == pytest.approx((across <= own[None]).any(1).mean(), abs=1e-6)
    assert found["density"] == pytest.approx((across <= fifth[:, None]).sum() / (5 * 40), abs=1e-6)
    assert found["coverage"] == pytest.approx((across <= fifth[:, None]).any(1).mean(), abs=1e-6)


def naive_clipped(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Both clipped measures by loops over samples, from their definitions."""
    real, fake = real.astype(float), fake.astype(float)
    nearest = [sorted(np.linalg.norm(x - other) for other in real)[5] for x in real]
    reach = [min(radius, float(np.median(nearest))) for radius in nearest]

    def held(point: np.ndarray, own: int) -> float:
        balls = sum(np.linalg.norm(point - real[i]) <= reach[i] for i in range(len(real)) if i != own)
        return min(balls / 5, 1.0)

    density = np.mean([held(point, -1) for point in fake]) / np.mean([held(x, i) for i, x in enumerate(real)])
    inside = [sum(np.linalg.norm(y - x) <= radius for y in fake) for x, radius in zip(real, nearest, strict=True)]
    raw = np.mean([min(count / 5, 1.0) for count in inside])
    expected = []
    for good in range(len(fake) + 1):
        chances = betabinom.pmf(np.arange(good + 1), good, 5, len(real) - 5)
        expected.append(sum(min(count, 5) / 5 * chance for count, chance in enumerate(chances)))
    above = next((good for good, value in enumerate(expected) if value >= raw), len(fake))
    if above in {0, len(fake)} and (above == 0 or expected[above] <= raw):
        return {"clipped density": min(density, 1.0), "clipped coverage": above / len(fake)}
    step = (raw - expected[above - 1]) / (expected[above] - expected[above - 1])
    return {"clipped density": min(density, 1.0), "clipped coverage": (above - 1 + step) / len(fake)}


@pytest.mark.parametrize("rows", [7, 1000])
@pytest.mark.parametrize(("reals", "fakes", "centre"), [(50, 40, 0.8), (31, 64, 0.0), (12, 6, 0.3), (40, 40, 50.0)])
def test_clipped_measures_agree_with_loops_over_their_definitions(
    rows: int, reals: int, fakes: int, centre: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", rows)
    real, fake = cloud(reals, 0), cloud(fakes, 1, centre)
    found = fidelity(real, fake)
    for name, value in naive_clipped(real.numpy(), fake.numpy()).items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("dimensions", [16, 32, 64])
def test_planted_shares_of_bad_samples_are_read_off(dimensions: int, share: float) -> None:
    """Bad ones are far off, alike or wild: both measures read what is left, where the plain ones do not."""
    read: dict[str, list[float]] = {"clipped density": [], "clipped coverage": []}
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        real, fake = (torch.randn(1_500, dimensions, generator=generator) for _ in range(2))
        bad = round(share * len(fake))
        fake[:bad] = fake[:bad] * (0.1 if seed % 2 else 5.0) + (8.0 if seed % 2 else 0.0)
        found = fidelity(real, fake)
        for name, values in read.items():
            values.append(found[name])
    for name, values in read.items():
        assert np.mean(values) == pytest.approx(1 - share, abs=0.05), name


def test_outliers_among_the_reals_do_not_make_bad_fakes_good() -> None:
    """One in fifty reals lies far off, where its ball holds all that is bad: plain density is fooled."""
    real, fake = cloud(1_000, 0), cloud(1_000, 1)
    real[:20] *= 30
    fake[:500] *= 15
    found = fidelity(real, fake)
    assert found["precision"] > 0.8
    assert found["clipped density"] == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("reals", [6, 50, 3000])
def test_the_calibration_is_the_beta_binomial_expectation_and_is_turned_around(reals: int) -> None:
    good = np.array([0, 1, 3, 5, 6, 40, 400])
    expected = expected_coverage(good, reals)
    for count, value in zip(good, expected, strict=True):
        chances = betabinom.pmf(np.arange(count + 1), count, 5, reals - 5)
        assert value == pytest.approx((np.minimum(np.arange(count + 1), 5) * chances).sum() / 5, abs=1e-9)
        assert good_share(float(value), reals, 400) == pytest.approx(count / 400, abs=1e-9)
    assert good_share(1.0, reals, 400) == 1


def test_fakes_from_elsewhere_have_none_of_them() -> None:
    assert set(fidelity(cloud(60, 0), cloud(60, 1, 50)).values()) == {0.0}


def test_fakes_of_the_same_distribution_have_most_of_each() -> None:
    found = fidelity(cloud(1500, 0), cloud(1500, 1))
    assert min(found.values()) > 0.85 and found["density"] == pytest.approx(1, abs=0.1)


def test_one_mode_of_two_is_precise_and_covers_half() -> None:
    real = torch.cat([cloud(200, 0), cloud(200, 1, 20)])
    found = fidelity(real, cloud(400, 2))
    assert found["precision"] > 0.8 and found["recall"] < 0.55 and 0.4 < found["coverage"] <= 0.5
