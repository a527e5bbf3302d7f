"""A grid that is laid over pictures is found in proportion, and nothing else is taken for one."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation.degrading import reduced
from gannet.augmentation.filters import blur
from gannet.media.tiling import as_tensor
from gannet.metrics.restoration import luma
from gannet.metrics.upsampling_grid import WINDOW, grid_energy
from gannet.networks.srresnet import EvenSrresnet, Srresnet


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    """The luma of a photograph, (1, 1, 424, 640)."""
    return luma(as_tensor(np.array(load_sample_image("flower.jpg"))[:424]))


def rows(pictures: Tensor, scale: int) -> Tensor:
    pattern = torch.zeros_like(pictures)
    pattern[..., ::scale, :] = 1
    return pattern - 1 / scale


def dots(pictures: Tensor, scale: int) -> Tensor:
    pattern = torch.zeros_like(pictures)
    pattern[..., ::scale, ::scale] = 1
    return pattern - 1 / scale**2


def energy(made: Tensor, real: Tensor, scale: int) -> float:
    found = grid_energy(made, real, scale)
    assert found is not None
    return found


def noise(*shape: int, seed: int = 0) -> Tensor:
    return 20 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("pattern", [rows, dots])
def test_a_planted_grid_is_found_in_proportion_to_its_energy(scale: int, pattern: object, photograph: Tensor) -> None:
    assert callable(pattern)
    grid = pattern(photograph, scale)
    found = [energy(photograph + strength * grid, photograph, scale) - 1 for strength in (10.0, 20.0, 40.0)]
    assert found[0] > 0.2
    assert found[1] / found[0] == pytest.approx(4, rel=0.15) and found[2] / found[1] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("scale", [2, 4])
def test_of_white_noise_a_grid_has_the_energy_that_it_has(scale: int) -> None:
    real, other = noise(8, 1, 256, 256), noise(8, 1, 256, 256, seed=1)
    assert energy(other, real, scale) == pytest.approx(1, abs=0.06)
    grid = 5 * rows(real, scale)
    planted = [energy(other + grid, noise(8, 1, side, side, seed=2), scale) for side in (256, 128)]
    assert planted[0] > 1.3 and planted[0] == pytest.approx(planted[1], rel=0.1)


@pytest.mark.parametrize("scale", [2, 4])
def test_the_real_picture_has_no_grid_nor_has_one_that_is_softer_rougher_or_shifted(
    scale: int, photograph: Tensor
) -> None:
    assert energy(photograph, photograph, scale) == 1
    soft = 127.5 * blur(photograph.float() / 127.5, torch.tensor([1.0]), 1.0).double()
    for made in (soft, photograph + noise(*photograph.shape) / 4):
        assert energy(made, photograph, scale) == pytest.approx(1, abs=0.15)
    assert energy(photograph[..., 1:, 3:], photograph[..., :-1, :-3], scale) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("scale", [2, 4])
def test_neither_size_nor_where_a_picture_begins_matters(scale: int, photograph: Tensor) -> None:
    made = photograph + 20 * dots(photograph, scale)
    whole = energy(made, photograph, scale)
    for down, across in ((1, 0), (2, 3), (5, 7)):
        assert energy(made[..., down:, across:], photograph[..., down:, across:], scale) == pytest.approx(
            whole, rel=0.05
        )
    white, grid = noise(1, 1, 512, 512), 20 * dots(noise(1, 1, 512, 512), scale)
    sizes = [energy((white + grid)[..., :side, :side], white[..., :side, :side], scale) - 1 for side in (128, 512)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.25)


def test_without_enlargement_of_small_and_of_flat_pictures_nothing_is_told() -> None:
    white = noise(1, 1, 64, 64)
    assert grid_energy(white, white, 1) is None
    assert grid_energy(white[..., : WINDOW - 1], white[..., : WINDOW - 1], 4) is None
    assert grid_energy(white, torch.zeros_like(white), 4) is None


@pytest.mark.parametrize("kind", [Srresnet, EvenSrresnet])
@pytest.mark.parametrize("scale", [2, 4])
def test_an_enlarging_network_begins_without_a_grid(scale: int, kind: type[Srresnet], photograph: Tensor) -> None:
    network = kind(8, 1).enlarger(1, scale)
    small = reduced(photograph / 127.5 - 1, scale)
    made = (network(small).detach().double() + 1) * 127.5
    assert energy(made, photograph, scale) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("scale", [2, 4])
def test_whatever_was_learned_even_subpixels_leave_flat_areas_flat(scale: int) -> None:
    grids = {}
    for kind in (Srresnet, EvenSrresnet):
        torch.manual_seed(0)
        network = kind(8, 1).enlarger(3, scale)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        colour = torch.tensor([0.3, -0.2, 0.1])[None, :, None, None]
        made = network(colour.expand(1, 3, 24, 24)).detach()
        inner = made[:, :, 8 * scale : 16 * scale, 8 * scale : 16 * scale]
        grids[kind] = float(inner.std((2, 3)).max())
        ramp = network(interpolate(colour, (24, 24)) + torch.linspace(-0.3, 0.3, 24)).detach()
        assert float(ramp.diff(dim=3).abs().max()) > 1e-3, "where something changes, pixels differ"
    assert grids[EvenSrresnet] < 1e-5 < 1e-2 < grids[Srresnet]


def test_even_subpixels_still_answer_each_in_its_own_way_where_something_changes() -> None:
    torch.manual_seed(0)
    network = EvenSrresnet(8, 1).enlarger(1, 2)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    small = torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(1)) * 2 - 1
    detail = network(small).detach() - interpolate(small, scale_factor=2.0, mode="bicubic", antialias=True)
    phases = [detail[..., down::2, across::2] for down in range(2) for across in range(2)]
    assert all(not torch.allclose(phases[0], other, atol=1e-2) for other in phases[1:])
