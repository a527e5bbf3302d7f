"""Shipped models: small, loadable, with a card; and the one that judges is not the one that losses use."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from moving import squares
from PIL import Image
from sklearn.datasets import load_sample_image
from torch.nn.functional import interpolate

import gannet
from gannet.augmentation.time_faults import FAULTS
from gannet.commands.judge import JUDGE_OF_CLIPS, judge_features
from gannet.media.photograph import Photograph
from gannet.media.pyramid import as_mask
from gannet.media.tiling import as_tensor
from gannet.metrics.restoration import colourfulness, fine_detail, luma
from gannet.metrics.two_sample import permutation_test
from gannet.pipelines.hub import RESEARCH, shipped_models
from gannet.tasks._image_restoration.evaluation import resized

MODELS = shipped_models()
FOR_RESEARCH = {folder.name: folder for folder in sorted(RESEARCH.glob("*"))}
MEGABYTE = 1_000_000


@pytest.mark.parametrize("name", [*MODELS, *FOR_RESEARCH])
def test_a_shipped_model_is_small_and_its_card_says_what_it_is_made_of(name: str) -> None:
    folder: Path = {**MODELS, **FOR_RESEARCH}[name]
    assert (folder / "model.safetensors").stat().st_size <= 5 * MEGABYTE
    card = (folder / "README.md").read_text(encoding="utf-8")
    for heading in ("license:", "Learned from", "Command", "Scores", "Limits"):
        assert heading in card, heading
    assert "{" not in card


@pytest.mark.parametrize("name", [*MODELS, *FOR_RESEARCH])
def test_a_shipped_model_loads_by_its_name(name: str) -> None:
    pipeline = gannet.load(name)
    assert pipeline.name == name
    assert all(
        tensor.isfinite().all() for network in pipeline.networks.values() for tensor in network.state_dict().values()
    )


def test_all_shipped_models_together_stay_below_fifty_megabytes() -> None:
    assert sum(path.stat().st_size for folder in MODELS.values() for path in folder.iterdir()) < 50 * MEGABYTE


def test_the_judge_is_small_and_another_network_than_the_losses() -> None:
    judge, loss = (gannet.load(name).networks["recognizer"] for name in ("judge-v1", "loss-v1"))
    assert (MODELS["judge-v1"] / "model.safetensors").stat().st_size <= 3 * MEGABYTE
    assert {name for name, _ in judge.named_parameters()} != {name for name, _ in loss.named_parameters()}
    assert judge.head.weight.shape != loss.head.weight.shape


def test_the_judge_looks_at_grey_and_colour_pictures_of_many_sizes() -> None:
    features = judge_features()
    assert features is not None and features.name == "judge-v1"
    for shape in ((1, 28, 28), (3, 32, 32), (4, 64, 64), (3, 100, 130)):
        pictures = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        found = features(pictures)
        assert found.shape == (3, 224) and found.isfinite().all()
        torch.testing.assert_close(found[:1], features(pictures[:1]), atol=1e-4, rtol=1e-4)


def test_the_judge_of_clips_is_small_looks_at_clips_of_many_sizes_and_sees_the_order_of_frames() -> None:
    features = judge_features("", JUDGE_OF_CLIPS)
    assert features is not None and features.name == JUDGE_OF_CLIPS
    assert (MODELS[JUDGE_OF_CLIPS] / "model.safetensors").stat().st_size <= MEGABYTE
    for channels, length, side in ((1, 4, 16), (3, 16, 64), (3, 32, 96)):
        clips = torch.rand(2, channels, length, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
        found = features(clips)
        assert found.shape == (2, 168) and found.isfinite().all()
        torch.testing.assert_close(found[:1], features(clips[:1]), atol=1e-4, rtol=1e-4)
    real, others = (squares(40, seed, falling=True) for seed in (1, 2))
    spoilt = FAULTS["shuffled"](others, 0.5, torch.Generator().manual_seed(0))
    untouched, shuffled = (permutation_test(features(real), features(one), 0)[1] for one in (others, spoilt))
    assert shuffled == 0.001 < 0.01 < untouched


@pytest.fixture(scope="module")
def flower() -> Photograph:
    """A photograph that no shipped model has learned from, from scikit-learn's own."""
    return Photograph(load_sample_image("flower.jpg")[100:340, 160:480].copy())


def off(made: Photograph, real: Photograph) -> float:
    """The mean squared difference of pixels."""
    return float(np.square(made.values.astype(float) - real.values.astype(float)).mean())


def as_jpeg(photograph: Photograph, quality: int) -> Photograph:
    """What JPEG leaves of it."""
    file = io.BytesIO()
    Image.fromarray(photograph.values).save(file, "JPEG", quality=quality)
    return Photograph(np.asarray(Image.open(file)))


@pytest.mark.parametrize(("name", "quality"), [("super-resolution-clean", None), ("super-resolution", 75)])
def test_super_resolution_comes_nearer_than_bicubic_and_draws_what_it_lacks(
    flower: Photograph, name: str, quality: int | None
) -> None:
    """Each on what it is for: photographs that were never compressed, and all others."""
    model: Any = gannet.load(name)
    given = resized(flower, (80, 60), Image.Resampling.BICUBIC)
    given = as_jpeg(given, quality) if quality else given
    plain = resized(given, (320, 240), Image.Resampling.BICUBIC)
    assert off(model.blended(0.0).improve(given), flower) < off(plain, flower)
    ways = (plain, model.blended(0.0).improve(given), model.improve(given))
    detail = [float(fine_detail(luma(as_tensor(one.values)))) for one in ways]
    assert detail == sorted(detail), "the game was to add detail"


def test_inpainting_comes_nearer_than_the_mean_of_what_is_left_and_leaves_the_rest(flower: Photograph) -> None:
    lost = np.zeros(flower.values.shape[:2], bool)
    lost[60:100, 80:240] = lost[20:220, 150:170] = True
    flat = np.where(lost[..., None], flower.values[~lost].mean(0).astype(np.uint8), flower.values)
    made: Any = gannet.load("inpainting")(Photograph(flat), Photograph(as_mask(lost))).value
    assert np.array_equal(made.values[~lost], flower.values[~lost])
    assert off(made, flower) < 0.5 * off(Photograph(flat), flower)


def test_restoration_finds_a_scratch_and_leaves_a_whole_photograph_nearly_alone(flower: Photograph) -> None:
    model: Any = gannet.load("restoration")
    scratched = flower.values.copy()
    scratched[:, 100:103] = scratched[40:43, 30:300] = 255
    lost = (scratched != flower.values).any(2)
    assert model.find(Photograph(scratched)).values[lost].mean() > 0.8 * 255
    assert off(model.improve(Photograph(scratched)), flower) < 0.25 * off(Photograph(scratched), flower)
    assert (model(flower).value.values != flower.values).any(2).mean() < 0.07


def test_colorization_adds_colours(flower: Photograph) -> None:
    grey = Photograph(np.asarray(flower.picture().convert("L"))[..., None])
    made: Any = gannet.load("colorization")(grey).value
    assert made.values.shape == flower.values.shape
    assert float(colourfulness(as_tensor(made.values))) > 3


def test_what_judges_calls_drawn_garments_by_the_names_that_they_were_asked_for_by() -> None:
    drawing, judge = gannet.load("fashion-mnist"), gannet.load("judge-v1")
    names = {model: model.config.description.classes for model in (drawing, judge)}  # type: ignore[attr-defined]
    assert len(names[judge]) == 69 and not any(name.isdecimal() for one in names.values() for name in one)
    for number, name in enumerate(names[drawing]):
        drawn: Any = drawing(num=40, **{"class": name, "engine": "torch"})
        large = interpolate(drawn.values, (32, 32), mode="bicubic", antialias=True).clamp(-1, 1).expand(-1, 3, -1, -1)
        told = judge.probabilities(large).argmax(1).mode().values  # type: ignore[attr-defined]
        assert names[judge][told] == f"fashion-mnist {number} {name}"
