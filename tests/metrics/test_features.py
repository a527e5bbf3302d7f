"""Features: what pictures become before a network looks, and components for those too small for one."""

from functools import partial

import pytest
import torch
from sklearn.decomposition import PCA

from gannet.metrics.features import PlaneFeatures, extract, fit_components, fitted, suits


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_grey_becomes_three_equal_channels_and_small_pictures_keep_their_pixels() -> None:
    grey = noise(2, 1, 28, 28)
    found = fitted(grey)
    assert found.shape == (2, 3, 28, 28) and torch.equal(found[:, 2:], grey)


def test_transparency_shows_grey_behind() -> None:
    picture = noise(1, 4, 32, 32)
    picture[:, 3] = -1
    assert fitted(picture).abs().max() == 0
    picture[:, 3] = 1
    assert torch.equal(fitted(picture), picture[:, :3])


@pytest.mark.parametrize(("size", "expected"), [((128, 128), (64, 64)), ((96, 200), (64, 133)), ((64, 500), (64, 500))])
def test_the_shorter_side_is_brought_down_to_64(size: tuple[int, int], expected: tuple[int, int]) -> None:
    found = fitted(noise(1, 3, *size))
    assert found.shape[2:] == expected
    assert float(found.mean()) == pytest.approx(float(noise(1, 3, *size).mean()), abs=0.01)


def test_components_are_those_of_scikit_learn_and_keep_distances() -> None:
    samples = noise(200, 1, 8, 8)
    components = fit_components(samples)
    assert components.name == "pixel-components-64"
    found = components(samples)
    torch.testing.assert_close(
        torch.cdist(found, found), torch.cdist(*[samples.flatten(1).double()] * 2), atol=1e-5, rtol=0
    )
    expected = PCA(64, random_state=0).fit_transform(samples.flatten(1).double().numpy())
    torch.testing.assert_close(found, torch.from_numpy(expected), atol=1e-5, rtol=0)


def test_parts_are_extracted_as_the_whole_is() -> None:
    samples = noise(50, 1, 8, 8)
    components = fit_components(samples)
    torch.testing.assert_close(
        extract(components, [partial(torch.clone, part) for part in samples.split(7)]), components(samples)
    )


@pytest.mark.parametrize(("shape", "expected"), [((1, 28, 28), True), ((3, 27, 64), False), ((2,), False)])
def test_networks_look_at_pictures_from_28_pixels_up(shape: tuple[int, ...], expected: bool) -> None:
    assert suits(shape) is expected


def test_components_of_one_sample_are_itself_and_nobody_is_warned() -> None:
    components = fit_components(torch.arange(6.0)[None])
    assert components(torch.arange(6.0)[None]).tolist() == [[0.0]]


class Sizes:
    """Tells of each picture its height, its width and its first pixel."""

    name = "sizes"

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        sizes = torch.tensor(pictures.shape[2:]).float().expand(len(pictures), 2)
        return torch.cat([sizes, pictures[:, :, 0, 0]], 1)


def test_volumes_are_looked_at_across_each_axis_at_every_second_plane() -> None:
    """Of x + 10 y + 100 z the first voxels of planes 0, 2 and 4 are on the mean twice the axis's share."""
    x, y, z = (torch.arange(side).float() for side in (30, 40, 50))
    volume = x[:, None, None] + 10 * y[:, None] + 100 * z
    look = PlaneFeatures(Sizes())
    assert look.name == "sizes on planes"
    found = look(torch.stack([volume, -volume])[:, None])
    torch.testing.assert_close(found[0], torch.tensor([40.0, 50, 14, 30, 50, 190, 30, 40, 2400]))
    torch.testing.assert_close(found[1, 2::3], -found[0, 2::3])


def test_planes_of_small_volumes_are_enlarged_to_what_networks_look_at() -> None:
    found = PlaneFeatures(Sizes())(torch.ones(1, 1, 14, 28, 42))
    assert found[0].tolist() == [28, 42, 1, 28, 84, 1, 28, 56, 1]
