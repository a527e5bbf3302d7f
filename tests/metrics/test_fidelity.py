"""Precision, recall, density, coverage: against a plain double loop over scikit-learn's neighbours, and at extremes."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from gannet.metrics import fidelity as module
from gannet.metrics.fidelity import fidelity


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


def test_fakes_from_elsewhere_have_none_of_the_four() -> None:
    assert set(fidelity(cloud(60, 0), cloud(60, 1, 50)).values()) == {0.0}


def test_fakes_of_the_same_distribution_have_most_of_each() -> None:
    found = fidelity(cloud(1500, 0), cloud(1500, 1))
    assert min(found.values()) > 0.85 and found["density"] == pytest.approx(1, abs=0.1)


def test_one_mode_of_two_is_precise_and_covers_half() -> None:
    real = torch.cat([cloud(200, 0), cloud(200, 1, 20)])
    found = fidelity(real, cloud(400, 2))
    assert found["precision"] > 0.8 and found["recall"] < 0.55 and 0.4 < found["coverage"] <= 0.5
