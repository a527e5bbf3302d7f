"""What is left of photographs is smaller, in range, the same for the same draws, and as bad as it is drawn."""

import pytest
import torch

from gannet.augmentation import degrading, filters
from gannet.augmentation.degrading import DEGRADATIONS, reduced
from gannet.augmentation.draws import Drawn
from gannet.metrics.restoration import luma

SEED = torch.Generator().manual_seed(0)
PICTURES = torch.rand(6, 3, 32, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def draws(seed: int = 0) -> Drawn:
    return Drawn(len(PICTURES), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
@pytest.mark.parametrize(("channels", "scale"), [(3, 4), (1, 2), (3, 1)])
def test_what_is_left_is_smaller_and_repeats(name: str, channels: int, scale: int) -> None:
    small = DEGRADATIONS[name](PICTURES[:, :channels], scale, draws())
    assert small.shape == (6, channels, 32 // scale, 48 // scale)
    assert float(small.abs().max()) <= 1
    assert torch.equal(small, DEGRADATIONS[name](PICTURES[:, :channels], scale, draws()))


def test_the_world_treats_each_picture_in_its_own_way() -> None:
    flat = torch.zeros(40, 3, 32, 32)
    flat[:, :, :, ::2] = 0.5
    small = DEGRADATIONS["world"](flat, 2, Drawn(40, torch.Generator().manual_seed(0)))
    grain = (small - reduced(flat, 2)).std((1, 2, 3))
    assert float(grain.max()) > 3 * float(grain.min()) > 0


def chroma_and_luma(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far red and blue are from the luma, and that."""
    light = 2 * (luma(pictures) - 16) / 219 - 1
    return pictures[:, ::2] - light, light


def fine(values: torch.Tensor) -> float:
    """How much neighbours differ."""
    return float(values.diff(dim=-1).abs().mean() + values.diff(dim=-2).abs().mean())


def test_subsampling_loses_detail_of_colours_alone() -> None:
    stripes = torch.zeros(3, 3, 32, 32)
    stripes[:, 0, :, ::2], stripes[:, 2, :, 1::2] = 0.5, 0.5  # Red and blue in turn: colours change at each column,
    stripes[:, 1] = torch.linspace(-0.6, 0.6, 32)[:, None].expand(32, 32)[torch.randperm(32, generator=SEED)]
    kept = filters.compress(stripes, torch.full((3,), 95.0), torch.tensor([0, 1, 2]))
    colours, light = chroma_and_luma(kept)
    true_colours, true_light = chroma_and_luma(stripes)
    lost = [1 - fine(one) / fine(true) for one, true in zip(colours, true_colours, strict=True)]
    assert lost[0] < 0.1 and lost[1] > 0.4 and lost[2] >= lost[1]
    rough = [fine(one) / fine(true) for one, true in zip(light, true_light, strict=True)]
    assert all(share == pytest.approx(1, abs=0.1) for share in rough)
    grey = stripes[:, 1:2]
    plain = filters.compress(grey, torch.full((3,), 95.0), torch.tensor([0, 1, 2]))
    assert torch.equal(plain[0], plain[2])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.Size, list[float], list[int]]]:
    """What the world asks of JPEG: of how large pictures, at which qualities, with which subsampling."""
    seen, compress = [], filters.compress

    def noted(pictures: torch.Tensor, quality: torch.Tensor, subsampling: torch.Tensor) -> torch.Tensor:
        seen.append((pictures.shape, quality.tolist(), subsampling.tolist()))
        return compress(pictures, quality, subsampling)

    monkeypatch.setattr(filters, "compress", noted)
    return seen


@pytest.mark.parametrize("scale", [2, 4])
def test_the_world_compresses_all_and_half_of_them_before_at_another_size(
    scale: int, asked: list[tuple[torch.Size, list[float], list[int]]]
) -> None:
    count = 200
    small = DEGRADATIONS["world"](PICTURES[:1].expand(count, -1, -1, -1), scale, Drawn(count, SEED.manual_seed(3)))
    *before, (shape, qualities, subsampling) = asked
    assert shape == small.shape and set(subsampling) == {0, 1, 2}
    qualities += [one for _, (one,), _ in before]
    assert 50 <= min(qualities) < 55 and 90 < max(qualities) <= 95
    assert len(before) / count == pytest.approx(0.5, abs=0.1)
    ratios = [of_one[2] / small.shape[2] for of_one, _, _ in before]
    assert 0.7 <= min(ratios) < 0.85 and 1.35 < max(ratios) <= 1.5


def only(monkeypatch: pytest.MonkeyPatch, **kept: object) -> None:
    """Let the world do nothing but what is named."""
    nothing = {"GRAIN": 0.0, "SHARPENED": 0.0, "AGAIN": 0.0, "BLURRED": degrading.SHARPEST / 2}
    for name, value in {**nothing, **kept}.items():
        monkeypatch.setattr(degrading, name, value)
    monkeypatch.setattr(filters, "compress", lambda pictures, *_: pictures)


def world(pictures: torch.Tensor, scale: int = 2) -> torch.Tensor:
    return DEGRADATIONS["world"](pictures, scale, Drawn(len(pictures), torch.Generator().manual_seed(5)))


def test_noise_is_as_strong_as_said_and_grey_on_half_of_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, GRAIN=0.06)
    noisy = world(torch.zeros(200, 3, 64, 64))
    deviations = noisy.std((1, 2, 3)) / 2
    assert float(deviations.max()) == pytest.approx(0.06, rel=0.1) and float(deviations.min()) < 0.002
    assert float(deviations.median()) == pytest.approx(0.06 / 4, rel=0.4), "little is likelier than much"
    grey = (noisy - noisy.mean(1, keepdim=True)).abs().amax((1, 2, 3)) < 1e-6
    assert float(grey.float().mean()) == pytest.approx(0.5, abs=0.1)


def test_a_camera_sharpens_edges_and_leaves_flat_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    edge = torch.full((40, 3, 64, 64), -0.5)
    edge[..., 32:] = 0.5
    only(monkeypatch)
    plain = world(edge)
    only(monkeypatch, SHARPENED=1.0)
    sharp = world(edge)
    beyond = (sharp.amax((1, 2, 3)) - plain.amax((1, 2, 3)), plain.amin((1, 2, 3)) - sharp.amin((1, 2, 3)))
    assert float(min(one.max() for one in beyond)) > 0.2 and float(min(one.min() for one in beyond)) > -1e-4
    torch.testing.assert_close(sharp[..., :8], plain[..., :8])


@pytest.mark.parametrize("scale", [2, 4])
def test_blur_grows_with_the_scale_and_is_half_a_pixel_of_what_is_left_at_most(
    scale: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, BLURRED=0.6)
    edge = torch.full((60, 1, 16 * scale, 64 * scale), -1.0)
    edge[..., 32 * scale :] = 1
    slope = world(edge, scale).diff(dim=3).amax((1, 2, 3))  # The steepest step, of two.
    assert float(slope.max()) > 1.1 * float(slope.min()) > 0.8


def test_what_stays_as_large_as_it_is_has_noise_and_is_compressed_and_no_more(
    monkeypatch: pytest.MonkeyPatch, asked: list[tuple[torch.Size, list[float], list[int]]]
) -> None:
    given = DEGRADATIONS["world"](PICTURES, 1, Drawn(len(PICTURES), SEED.manual_seed(3)))
    ((shape, qualities, _),) = asked
    assert shape == given.shape == PICTURES.shape and len(qualities) == len(PICTURES)
    only(monkeypatch, BLURRED=0.6, SHARPENED=1.0, AGAIN=1.0)
    torch.testing.assert_close(world(PICTURES, 1), PICTURES)


def test_what_was_passed_on_smaller_has_lost_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    fine_ones = torch.rand(30, 3, 64, 64, generator=SEED.manual_seed(1)) * 2 - 1
    detail = []
    for again, sizes in ((0.0, (1.0, 1.0)), (1.0, (0.75, 0.75)), (1.0, (1.5, 1.5))):
        only(monkeypatch, AGAIN=again, RESIZED=sizes)
        detail.append(fine(world(fine_ones)))
    assert detail[1] < 0.8 * detail[0] and detail[1] < detail[2] < detail[0]


def test_pictures_in_parts_become_what_they_become_together() -> None:
    class Part(Drawn):
        def __init__(self, whole: Drawn, rows: slice) -> None:
            self.whole, self.rows = whole, rows

        def normal(self, *shape: int) -> torch.Tensor:
            return self.whole.normal(*shape)[self.rows]

        def uniform(self, *shape: int) -> torch.Tensor:
            return self.whole.uniform(*shape)[self.rows]

    together = DEGRADATIONS["world"](PICTURES, 2, draws())
    parts = [DEGRADATIONS["world"](PICTURES[rows], 2, Part(draws(), rows)) for rows in (slice(0, 2), slice(2, 6))]
    torch.testing.assert_close(torch.cat(parts), together)


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
def test_what_learns_in_lower_precision_is_shown_the_same(name: str) -> None:
    plain = DEGRADATIONS[name](PICTURES, 2, draws())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(DEGRADATIONS[name](PICTURES, 2, draws()), plain)
