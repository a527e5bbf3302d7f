"""Copies in disguise: shifted, mirrored, sized and brightened training scans are caught, new ones acquitted."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from gannet.metrics.copies import NEARER, Change, aligned_nearest, audit_disguised, calibrate, change
from gannet.metrics.memorization import CopyCriterion

SIDE = {2: 32, 3: 16}


def scans(count: int, seed: int, axes: int = 2) -> Tensor:
    """A head that all share, and what each has of its own, in [0, 1]."""
    side, generator = SIDE[axes], torch.Generator().manual_seed(seed)
    places = torch.stack(torch.meshgrid([torch.linspace(-1, 1, side)] * axes, indexing="ij"))
    head = (1 - places.square().sum(0)).clamp_min(0).sqrt()
    own = torch.randn([count, 1, *[6] * axes], generator=generator)
    smooth = interpolate(own, [side] * axes, mode="bilinear" if axes == 2 else "trilinear", align_corners=True)
    return (head * (0.6 + 0.2 * smooth)).clamp(0, 1)


def shifted(samples: Tensor) -> Tensor:
    amount = [2, -1] if samples.ndim == 4 else [1, -1, 0]
    return samples.roll(amount, list(range(2, samples.ndim)))


def smaller(samples: Tensor) -> Tensor:
    side = samples.shape[-1]
    mode = "bilinear" if samples.ndim == 4 else "trilinear"
    less = interpolate(samples, [side - 2] * (samples.ndim - 2), mode=mode)
    return pad(less, [1, 1] * (samples.ndim - 2))


DISGUISES: dict[str, Callable[[Tensor], Tensor]] = {
    "exact": torch.clone,
    "shifted": shifted,
    "mirrored": lambda samples: samples.flip(-1),
    "smaller": smaller,
    "brighter": lambda samples: 0.1 + 0.6 * samples,
    "gamma": lambda samples: samples**1.4,
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_copy_is_found_at_its_original_and_relatively_near(disguise: str) -> None:
    known = scans(40, 0)
    found, partner = aligned_nearest(DISGUISES[disguise](known[:12]), known)
    assert (partner == torch.arange(12)).all()
    assert float(found.median()) < 0.3 and float(found.max()) < 0.6


@pytest.mark.parametrize("axes", [2, 3])
def test_copiers_of_a_few_scans_are_caught_and_ten_honest_models_acquitted(axes: int) -> None:
    """Few held-out scans, so that training scans are held against each other, as whoever has 60 volumes must."""
    training, held_out = scans(42, 0, axes), scans(10, 1, axes)
    criterion = CopyCriterion(calibrate(training, held_out), len(training), NEARER)
    honest, partners = aligned_nearest(scans(40, 2, axes), training)
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        drawn = torch.randperm(40, generator=generator)[:25]
        assert not criterion(honest[drawn], partners[drawn]).memorizes
    for name in ("exact", "shifted", "mirrored", "brighter"):
        found, partner = aligned_nearest(DISGUISES[name](training[:4]), training)
        verdict = criterion(torch.cat([honest[:25], found]), torch.cat([partners[:25], partner]))
        assert verdict.memorizes, name


def test_blurred_samples_of_little_variety_are_no_copies() -> None:
    """A poor generator lies near to many scans, and to none alone."""
    training = scans(60, 0)
    poor = training.mean(0) + 0.2 * (scans(30, 2) - training.mean(0))
    verdict = audit_disguised(poor, training, scans(5, 1))
    assert verdict is not None and not verdict.memorizes


def test_a_change_moves_what_it_says_and_backwards_it_is_undone() -> None:
    samples = scans(2, 0)
    still = Change(torch.ones(2, 2), torch.zeros(2, 2), torch.zeros(2))
    torch.testing.assert_close(change(samples, still), samples)
    mirrored = Change(torch.tensor([[-1.0, 1.0]] * 2), torch.zeros(2, 2), torch.zeros(2))
    torch.testing.assert_close(change(samples, mirrored), samples.flip(-1))
    by_two = still.moved(torch.tensor([[2 * 2 / 32, 0.0, 0.0]] * 2))
    torch.testing.assert_close(change(samples, by_two)[..., :-2], samples[..., 2:])


def test_a_scan_is_not_its_own_copy_and_too_few_are_not_judged() -> None:
    known = scans(12, 0)
    _, partner = aligned_nearest(known, known, torch.arange(12))
    assert (partner != torch.arange(12)).all()
    assert audit_disguised(known[:4], known, scans(3, 1)) is None
