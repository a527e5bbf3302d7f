"""The memorization audit: a planted copier is caught, a healthy and a poor generator are not."""

import pytest
import torch
from torch import Tensor

from gannet.metrics.memorization import CopyAudit, relative_nearest


def cloud(count: int, seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


TRAINING, HELD_OUT = cloud(2000, 0), cloud(400, 1)


def test_a_copier_is_caught_with_its_originals() -> None:
    fake = TRAINING[100:500] + cloud(400, 2, 0.01)
    found = CopyAudit(TRAINING, HELD_OUT)(fake)
    assert found.memorizes and found.near_copies > 0.95 and found.closer > 0.99
    assert (found.pairs[:, 1] == found.pairs[:, 0] + 100).all()
    assert found.distances.max() < 0.1


def test_a_few_copies_among_new_samples_are_caught() -> None:
    fake = torch.cat([cloud(340, 2), TRAINING[:60]])
    found = CopyAudit(TRAINING, HELD_OUT)(fake)
    assert found.memorizes and found.near_copies == pytest.approx(0.15, abs=0.04)
    assert float(found.distances.max()) == 0


def test_copies_are_caught_although_some_held_out_samples_are_copies_too() -> None:
    fake = torch.cat([cloud(340, 2), TRAINING[:60]])
    assert CopyAudit(TRAINING, torch.cat([HELD_OUT, TRAINING[:100]]))(fake).memorizes


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.5, 1.0, 3.0])
def test_new_samples_and_poor_samples_are_not_called_copies(scale: float) -> None:
    """Shrunk towards the middle, where training samples are dense, or far outside."""
    found = CopyAudit(TRAINING, HELD_OUT)(cloud(400, 3, scale))
    assert not found.memorizes and found.near_copies < 0.08 and found.closer < 0.65


def test_the_nearest_is_that_of_a_full_search() -> None:
    ratios, index = relative_nearest(HELD_OUT, TRAINING)
    full = torch.cdist(HELD_OUT.double(), TRAINING.double()).sort(1)
    torch.testing.assert_close(ratios, full.values[:, 0] / full.values[:, 4])
    assert (index == full.indices[:, 0]).all()
