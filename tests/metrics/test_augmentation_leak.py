"""Leak rates: intervals by another library's formula, and the share behind a detector's mistakes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture_column
from torch import Tensor

from gannet.augmentation.kinds import KINDS
from gannet.data.loader import Loader
from gannet.metrics.augmentation_leak import Leak, rate
from gannet.recipe import load_recipe
from gannet.tasks.generation.leak_detectors import INTERPOLATING, measure_leaks, strengths_of


@given(count=st.integers(1, 10_000), part=st.floats(0, 1))
def test_an_interval_is_wilsons(count: int, part: float) -> None:
    hits, z = round(part * count), 1.959963984540054
    found, share = rate(hits, count), round(part * count) / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    assert found.low == pytest.approx(centre - half, abs=1e-9) and found.high == pytest.approx(centre + half, abs=1e-9)


@given(share=st.floats(0, 1), base=st.floats(0, 0.4), hits=st.floats(0.6, 1))
def test_the_share_is_found_behind_the_mistakes_of_the_detector(share: float, base: float, hits: float) -> None:
    count = 1_000_000
    seen = share * hits + (1 - share) * base
    leak = Leak("noise", 0.1, *(rate(round(count * part), count) for part in (seen, base, hits)))
    assert leak.share == pytest.approx(share, abs=1e-3)
    assert leak.accuracy == pytest.approx((1 - base + hits) / 2, abs=1e-5)
    assert ("too often wrong" in leak.line()) == (leak.accuracy < 0.95)


def loaders(count: int = 400) -> tuple[Loader, Loader]:
    pictures = np.random.default_rng(0).integers(0, 100, (count, 1, 8, 8), np.uint8)
    half = np.arange(count // 2)
    return Loader({"real": picture_column(pictures)}, half, 0), Loader(
        {"real": picture_column(pictures)}, half + count // 2, 0
    )


def test_fakes_are_shown_to_a_detector_of_what_was_learned() -> None:
    """The detector that is learned here tells by the mean, so brightened fakes look augmented and others do not."""
    examples: list[tuple[np.ndarray, np.ndarray]] = []

    def fit(path: object) -> object:
        with np.load(str(path)) as file:
            examples.append((file["images"], file["labels"]))

        def detector(pictures: Tensor) -> Tensor:
            bright = pictures.mean((1, 2, 3)) > -0.4
            return torch.stack([~bright, bright], 1).float()

        return detector

    dark, bright = torch.full((30, 1, 8, 8), -0.6), torch.full((10, 1, 8, 8), 0.0)
    (leak,) = measure_leaks([dark, bright], loaders(), fit, {"brightness": 0.5}, seed=0)
    assert leak.fakes.value == 0.25 and leak.fakes.count == 40
    assert leak.base.value == 0.0 and leak.hits.value == pytest.approx(0.4, abs=0.1)
    images, labels = examples[0]
    means = images.mean((1, 2, 3))
    assert images.shape == (200, 8, 8, 1) and labels.tolist() == [0] * 100 + [1] * 100
    assert means[:100].std() < 5 < means[100:].std()


def test_a_runs_own_augmentations_are_those_of_its_recipe() -> None:
    recipe = load_recipe("digits", {"augment": {"name": "fixed", "kinds": {"noise": 0.2}}})
    assert strengths_of("own", recipe) == {"noise": 0.2}
    assert strengths_of("rotation=5,hue", recipe) == {"rotation": 5, "hue": 20}
    with pytest.raises(ValueError, match="augmented nothing"):
        strengths_of("own", load_recipe("digits"))
    with pytest.raises(ValueError, match="did you mean 'noise'"):
        strengths_of("nosie", recipe)


def test_data_that_lie_class_by_class_teach_the_augmentation_and_not_the_class() -> None:
    pictures = np.zeros((400, 1, 8, 8), np.uint8)
    pictures[200:] = 200
    examples: list[tuple[np.ndarray, np.ndarray]] = []

    def fit(path: object) -> object:
        with np.load(str(path)) as file:
            examples.append((file["images"], file["labels"]))
        return lambda shown: torch.zeros(len(shown), 2)

    everything = Loader({"real": picture_column(pictures)}, np.arange(400), 0)
    measure_leaks([torch.zeros(10, 1, 8, 8)], (everything, everything), fit, {"blur": 1.0}, seed=0)
    (images, labels) = examples[0]
    for told in (0, 1):
        assert images[labels == told].mean() == pytest.approx(100, abs=3)


@pytest.mark.parametrize(("kind", "resampled"), [("rotation", 0.5), ("quarter-turn", 0.0), ("brightness", 0.0)])
def test_blur_by_interpolation_tells_a_detector_nothing(kind: str, resampled: float) -> None:
    """Of turned pictures and of healthy ones alike, half are interpolated once more; whole pixels need not."""
    examples: dict[str, np.ndarray] = {}

    def fit(path: object) -> object:
        with np.load(str(path)) as file:
            examples.update(file)
        return lambda pictures: torch.zeros(len(pictures), 2)

    assert set(KINDS) >= INTERPOLATING
    own = loaders()
    measure_leaks([torch.zeros(4, 1, 8, 8)], own, fit, {kind: 0.5}, seed=0)
    known = {picture.tobytes() for picture in own[0].columns["real"].values}
    healthy = examples["images"][examples["labels"] == 0]
    untouched = np.mean([np.ascontiguousarray(picture[..., 0]).tobytes() in known for picture in healthy])
    assert 1 - untouched == pytest.approx(resampled, abs=0.02)
