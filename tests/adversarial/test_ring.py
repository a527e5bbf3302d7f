"""Every loss covers the ring of eight Gaussians, and one of the wrong sign does not: the whole path, in seconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

import gannet
from gannet.adversarial.losses import LOSSES
from gannet.data.sources.points import RING_DEVIATION, RING_MODES, ring, ring_centres

CHANGES = {"images": 60_000, "average.half_life": 5000, "checkpoint.every": 10**7, "log.sheet_every": 10**7}


def modes_covered(points: np.ndarray) -> int:
    """The ring's modes that hold at least 2 % of the points (n, 2) within four deviations."""
    near = np.linalg.norm(points[:, None] - ring_centres()[None], axis=2) < 4 * RING_DEVIATION
    return int((near.mean(0) >= 0.02).sum())


def covered_by(loss: str, out: Path) -> int:
    gannet.train("ring", out=out, set={**CHANGES, "loss.name": loss})
    return modes_covered(gannet.load(out)(num=1024).values.numpy())


def test_the_measure_counts_the_modes_that_samples_reach() -> None:
    points = ring(4096, seed=1)
    assert modes_covered(points) == RING_MODES
    assert modes_covered(points[points[:, 0] > 0.5]) == 3
    assert modes_covered(0 * points) == 0


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_covers_the_ring(loss: str, tmp_path: Path) -> None:
    assert covered_by(loss, tmp_path / "run") >= 6


@pytest.mark.parametrize("loss", ["non-saturating", "relativistic"])
def test_a_generator_that_descends_the_wrong_way_does_not(
    loss: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = LOSSES[loss].generator

    def wrong(real: Tensor, fake: Tensor) -> Tensor:
        return -right(real, fake)

    monkeypatch.setitem(LOSSES, loss, replace(LOSSES[loss], generator=wrong))
    assert covered_by(loss, tmp_path / "run") < 6
