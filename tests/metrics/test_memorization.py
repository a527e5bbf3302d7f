"""The memorization audit: planted copiers are caught however few, a healthy and a poor generator are not."""

import pytest
import torch
from torch import Tensor

from gannet.metrics.memorization import CopyAudit, relative_nearest, tail_quantile


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


def split(dimensions: int, seed: int) -> tuple[Tensor, Tensor, Tensor, torch.Generator]:
    """Training, held-out and new samples of the same distribution, and what to draw more from."""
    generator = torch.Generator().manual_seed(seed)
    sizes = (3_000, 500, 600)
    training, held_out, new = (torch.randn(size, dimensions, generator=generator) for size in sizes)
    return training, held_out, new, generator


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("dimensions", [8, 16, 64])
def test_planted_copiers_are_found_and_counted(dimensions: int, share: float, seed: int) -> None:
    training, held_out, fake, generator = split(dimensions, seed)
    count = round(share * len(fake))
    fake[:count] = training[:count] + 0.03 * torch.randn(count, dimensions, generator=generator)
    found = CopyAudit(training, held_out)(fake)
    assert found.extent == ("many" if share == 0.2 else "some") and found.memorizes
    assert found.copied == pytest.approx(share, abs=0.004)
    assert found.copied_low < share < found.copied_high and found.copied_floor <= 0.004
    assert "training samples back" in found.words() and "does not" not in found.words()
    assert found.to_json()["memorizes"] and found.to_json()["copied"] == found.copied


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dimensions", [2, 8, 64])
def test_held_out_reals_and_poor_fakes_are_acquitted_to_the_last_copy(dimensions: int, seed: int) -> None:
    training, held_out, new, generator = split(dimensions, seed)
    audit = CopyAudit(training, held_out)
    one = torch.randn(1, dimensions, generator=generator)
    poor = [new * scale for scale in (0.1, 0.3, 0.5, 0.8, 1.2, 3.0)]
    collapsed = [one + 1e-3 * new, torch.cat([new[:300] * 0.3, new[300:] * 2])]
    for fake in (new, *poor, *collapsed):
        found = audit(fake)
        assert not found.surely and found.copied < 0.02


def test_a_generator_of_one_sample_is_not_convicted_by_where_it_happens_to_lie() -> None:
    """All fakes lie beside one training sample: that is one accident, however many they are."""
    training, held_out, new, _ = split(8, 0)
    found = CopyAudit(training, held_out)(torch.cat([new[:595], training[:1] + 1e-4 * new[595:]]))
    assert not found.surely and found.copied == pytest.approx(5 / 600)


def test_copies_of_data_with_many_twins_of_their_own_are_not_told_from_them() -> None:
    """Where one in ten held-out samples is a near twin of a training sample, so may be one in ten fakes."""
    training, held_out, new, _ = split(16, 0)
    held_out[:50] = training[:50] + 0.05 * held_out[:50]
    new[:30] = training[100:130] + 0.05 * new[:30]
    assert CopyAudit(training, held_out)(new).extent == "none"


@pytest.mark.parametrize("seed", range(3))
def test_a_few_twins_in_the_data_acquit_as_many_fakes_and_no_more(seed: int) -> None:
    """One held-out sample of two hundred is a twin, as some data sets have them."""
    training, _, _, generator = split(16, seed)
    held_out, new = (torch.randn(2_000, 16, generator=generator) for _ in range(2))
    held_out[:10] = training[:10] + 0.05 * held_out[:10]
    new[:10] = training[100:110] + 0.05 * new[:10]
    audit = CopyAudit(training, held_out)
    assert not audit(new).surely
    new[:100] = training[100:200] + 0.05 * new[:100]
    assert audit(new).surely


@pytest.mark.parametrize("seed", range(3))
def test_exact_twins_in_the_data_acquit_fakes_of_the_same(seed: int) -> None:
    """One sample in twenty is one of two hundred icons, in training, held out and generated alike."""
    generator = torch.Generator().manual_seed(seed)
    icons = torch.randn(200, 16, generator=generator)

    def drawn(count: int) -> Tensor:
        samples = torch.randn(count, 16, generator=generator)
        samples[: count // 20] = icons[torch.randint(200, (count // 20,), generator=generator)]
        return samples

    audit = CopyAudit(drawn(4_000), drawn(1_000))
    fake = drawn(1_000)
    found = audit(fake + 1e-3 * torch.randn(fake.shape, generator=generator))
    assert not found.surely and found.copied_floor > 0.02


@pytest.mark.parametrize(("share", "least"), [(1e-4, 1e-6), (0.01, 1e-3)])
@pytest.mark.parametrize("dimensions", [1, 2, 8])
def test_below_the_quantile_lies_less_than_its_share_of_new_samples(
    dimensions: int, share: float, least: float
) -> None:
    """Uniform samples: the share nearer than r, relative to the fifth, is 1 - (1 - r^d)^4."""
    uniform = torch.linspace(0, 1, 1_002).double()[1:-1]
    usual = (1 - (1 - uniform) ** 0.25) ** (1 / dimensions)
    below = 1 - (1 - tail_quantile(usual, share) ** dimensions) ** 4
    assert least < below < share


def below_quantiles(count: int) -> Tensor:
    """The true shares below quantiles of 1 % that are told by so many samples of one local dimension, (2000,)."""
    generator = torch.Generator().manual_seed(0)
    usual = 1 - (1 - torch.rand(2_000, count, generator=generator).double()) ** 0.25
    quantiles = torch.tensor([tail_quantile(row, 0.01) for row in usual]).double()
    return 1 - (1 - quantiles) ** 4


@pytest.mark.parametrize("count", [50, 100, 400])
def test_few_held_out_samples_do_not_tell_too_large_a_quantile(count: int) -> None:
    """The empirical quantile of 1 % of a hundred samples lies above the true one three times of four."""
    assert float((below_quantiles(count) > 0.01).double().mean()) < 0.04


@pytest.mark.parametrize("held_out", [50, 100])
def test_new_samples_beside_few_held_out_ones_are_not_called_copies(held_out: int) -> None:
    generator = torch.Generator().manual_seed(0)
    training = torch.randn(300, 8, generator=generator)
    new, alarms = torch.randn(20_000, 8, generator=generator), 0
    for _ in range(400):
        drawn = new[torch.randperm(len(new), generator=generator)[: held_out + 200]]
        alarms += CopyAudit(training, drawn[:held_out])(drawn[held_out:]).memorizes
    assert alarms == 0


def test_twins_that_few_held_out_samples_happen_not_to_hold_acquit_fakes_of_the_same() -> None:
    """One sample of a hundred is one of two hundred icons; of a hundred held-out ones a third hold none."""
    generator = torch.Generator().manual_seed(0)
    icons = torch.randn(200, 16, generator=generator)
    training = torch.cat([torch.randn(900, 16, generator=generator), icons])
    held_out = torch.randn(100, 16, generator=generator)
    fake = torch.randn(1_000, 16, generator=generator)
    fake[:10] = icons[:10] + 1e-3 * fake[:10]
    assert not CopyAudit(training, held_out)(fake).surely
    fake[:50] = icons[:50] + 1e-3 * fake[:50]
    assert CopyAudit(training, held_out)(fake).surely, "a copier is caught all the same"


def test_the_nearest_is_that_of_a_full_search() -> None:
    ratios, index = relative_nearest(HELD_OUT, TRAINING)
    full = torch.cdist(HELD_OUT.double(), TRAINING.double()).sort(1)
    torch.testing.assert_close(ratios, full.values[:, 0] / full.values[:, 4])
    assert (index == full.indices[:, 0]).all()
