"""The distance of patches is zero for equal photographs, grows as they blur, and says how sure it is."""

import pytest
import torch

from gannet.augmentation import filters
from gannet.metrics.features import as_patches
from gannet.metrics.patches import chroma_histogram, chroma_histogram_distance, patch_distance, patch_features


class Means:
    """Features that are known: mean and deviation of each channel."""

    name = "means"

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        return torch.cat([samples.mean((2, 3)), samples.std((2, 3))], 1)


def photographs(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(1, 3, 130, 200, generator=generator) * 2 - 1 for _ in range(count)]


def features(pictures: list[torch.Tensor]) -> list[torch.Tensor]:
    return [patch_features(Means(), picture) for picture in pictures]


def test_patches_lie_side_by_side() -> None:
    (picture,) = photographs(1)
    patches = as_patches(picture)
    assert patches.shape == (6, 3, 64, 64)
    assert torch.equal(patches[4], picture[0, :, 64:128, 64:128])
    assert len(as_patches(picture[..., :63])) == 0


def test_equal_photographs_are_not_apart_and_blurred_ones_are() -> None:
    real = photographs(12)
    blurred = [filters.blur(one, torch.ones(1), 1.0) for one in real]
    (none,), (some,) = (patch_distance(features(real), features(made), "means") for made in (real, blurred))
    assert none.value == pytest.approx(0, abs=1e-8) and none.high < 1e-6
    assert some.low > 0 and some.low < some.value < some.high and some.n_real == 72


def test_few_photographs_are_not_measured_by_it() -> None:
    assert patch_distance(features(photographs(3)), features(photographs(3)), "means") == []


def coloured(*colours: tuple[float, float, float]) -> list[torch.Tensor]:
    """Histograms of pictures that each have one colour."""
    return [chroma_histogram(torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 6, 5)) for colour in colours]


def test_the_colours_of_all_pictures_count_and_not_which_picture_has_them() -> None:
    red, blue, grey = (0.8, -0.8, -0.8), (-0.8, -0.8, 0.8), (0.1, 0.1, 0.1)
    real = coloured(*[red, blue] * 10)
    for made, expected in (
        (real, 0.0),
        (coloured(*[blue, red] * 10), 0.0),
        (coloured(*[red] * 20), 0.5),
        (coloured(*[red, grey] * 10), 0.5),
        (coloured(*[grey] * 20), 1.0),
    ):
        (found,) = chroma_histogram_distance(real, made)
        assert found.value == pytest.approx(expected, abs=1e-6) and found.low <= found.value <= found.high
        assert found.best == "low" and found.n_real == 20
    assert chroma_histogram_distance(real[:3], real[:3]) == []


def test_a_histogram_is_of_chroma_alone_and_of_sum_one() -> None:
    light, dark = (chroma_histogram(torch.full((1, 3, 4, 4), level)) for level in (0.9, -0.5))
    assert torch.equal(light, dark) and float(light.max()) == 1
    noise = torch.rand(1, 3, 30, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert float(chroma_histogram(noise).sum()) == pytest.approx(1) and int((chroma_histogram(noise) > 0).sum()) > 50
