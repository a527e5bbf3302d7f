"""A whole judgement: what it finds, what it leaves out and why, and that a seed fixes it."""

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gannet.metrics.baseline_comparison import SHOWN, BaselineResult, printed_table
from gannet.metrics.distances import frechet_distance, sliced_distance
from gannet.metrics.judgement import Evidence, Judgement, glance_at, judge_samples
from gannet.metrics.measure import Measure
from gannet.metrics.modes import measure_modes
from gannet.metrics.patches import patch_distance
from gannet.tasks._image_restoration.evaluation import BEST, PERCEPTUAL


def cloud(count: int, seed: int, centre: float = 0.0) -> Tensor:
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)) + centre


def evidence(fake: Tensor, **more: object) -> Evidence:
    return Evidence(
        real=cloud(600, 0), fake=fake, training=cloud(1500, 1), held_out=cloud(400, 9), features="planted", **more
    )


def figures(found: Evidence) -> dict[str, float]:
    return {measure.name: measure.value for measure in judge_samples(found, seed=0).measures}


NAMES = {
    "frechet distance",
    "frechet distance, corrected",
    "kernel distance",
    "sliced wasserstein distance",
    "precision",
    "recall",
    "density",
    "coverage",
    "clipped density",
    "clipped coverage",
    "classifier accuracy",
}


def test_equal_distributions_score_as_the_floor_does_and_others_do_not() -> None:
    same, other = (judge_samples(evidence(cloud(600, 2, centre)), seed=0) for centre in (0.0, 1.0))
    assert {measure.name for measure in same.measures} == NAMES
    for measure in same.measures:
        assert measure.value == pytest.approx(measure.floor, abs=max(0.12, 0.35 * abs(measure.floor))), measure.name
    distances = {measure.name: measure for measure in other.measures}
    assert distances["frechet distance"].low > 3 and distances["classifier accuracy"].low > 0.8
    assert distances["precision"].high < distances["precision"].floor


def test_the_correction_takes_the_bias_of_few_samples_away() -> None:
    found = figures(evidence(cloud(600, 2)))
    assert abs(found["frechet distance, corrected"]) < 0.3 * found["frechet distance"]


def test_the_seed_fixes_every_figure() -> None:
    one, two = (judge_samples(evidence(cloud(300, 2)), seed=5).to_json() for _ in range(2))
    assert json.dumps(one) == json.dumps(two)
    assert one != judge_samples(evidence(cloud(300, 2)), seed=6).to_json()


def test_a_glance_gives_the_figures_of_a_whole_judgement_and_says_what_it_leaves_out() -> None:
    whole, glance = judge_samples(evidence(cloud(300, 2)), seed=5), glance_at(evidence(cloud(300, 2)), seed=5)
    assert {one.name for one in glance.measures} == NAMES - {
        "frechet distance",
        "frechet distance, corrected",
        "kernel distance",
        "classifier accuracy",
    }
    assert all(one in whole.measures for one in glance.measures)
    assert set(glance.left_out) == {"memorization"} and glance.memorization is None
    few = replace(evidence(cloud(49, 2)), training=None)
    assert not glance_at(few, seed=0).measures and set(glance_at(few, seed=0).left_out) == {"distances", "memorization"}


def test_with_the_features_of_inception_the_published_distances_stand_beside_the_others() -> None:
    real, fake = cloud(400, 0), cloud(400, 1, 0.5)
    found = {one.name: one for one in judge_samples(Evidence(real, fake, None, "test (FID)"), seed=0).measures}
    assert found["FID"].value == frechet_distance(real, fake) and found["MIND"].value == sliced_distance(real, fake)
    assert found["MIND"].floor is None and "400 reals against 400" not in found["MIND"].protocol


def test_the_published_distances_do_not_go_by_the_order_of_the_files() -> None:
    """Reals of a folder come class by class; a part of them must not be the first classes alone."""
    centres = 5 * torch.randn(10, 8, generator=torch.Generator().manual_seed(2))
    real = cloud(4_000, 0) + centres.repeat_interleave(400, 0)
    fake = cloud(1_000, 1) + centres.repeat(100, 1)
    found = {one.name: one for one in judge_samples(Evidence(real, fake, None, "test (FID)"), seed=0).measures}
    assert found["MIND"].value < 0.1 * sliced_distance(real[:1_000], fake)


def test_the_class_that_fails_is_named() -> None:
    label = torch.arange(600) % 3
    fake = cloud(600, 2) + 2.0 * (label == 1)[:, None]
    found = judge_samples(evidence(fake, real_label=label, fake_label=label, classes=("cat", "dog", "owl")), seed=0)
    assert list(found.by_class) == ["cat", "dog", "owl"]
    assert found.by_class["dog"].low > 10 * max(found.by_class["cat"].high, found.by_class["owl"].high)
    assert any(line.startswith("kernel distance of dog") for line in found.lines())


@pytest.mark.parametrize(("reals", "fakes"), [(99, 500), (500, 49)])
def test_too_few_samples_are_said_and_not_measured(reals: int, fakes: int) -> None:
    few = Evidence(real=cloud(reals, 0), fake=cloud(fakes, 1), training=None, features="planted")
    found = judge_samples(few, seed=0)
    assert not found.measures and set(found.left_out) == {"distances", "memorization"}
    assert found.left_out["distances"] == (
        f"there are {reals} held-out samples and {fakes} fakes, and 100 of each are needed; judge "
        "by more data, or train on more, a tenth of which is held out"
    )


def test_each_protocol_stands_once_behind_the_names_of_its_measures() -> None:
    first, *others = judge_samples(evidence(cloud(300, 2)), seed=0).measures
    found = Judgement([replace(first, name=name, protocol="BY HAND") for name in ("one", "two")] + others)
    assert found.lines().count(f"one, two: BY HAND; features: {first.features}.") == 1
    plain = Judgement([replace(first, name="three", protocol="BY EYE", features="none")])
    assert "three: BY EYE." in plain.lines()


def result(name: str, seconds: float | None, figures: dict[str, float]) -> BaselineResult:
    measures = [
        Measure(one, value, value, value, None, "none", 9, 9, f"the same of {one.split(',')[0]}", "low")
        for one, value in figures.items()
    ]
    return BaselineResult(name, seconds, None, measures)


def test_models_of_few_figures_stand_below_each_other_and_of_many_beside_each_other() -> None:
    few = [
        result("this model", None, {"recall": 0.5, "kernel distance": 1}),
        result("naive Bayes", 2, {"recall": 0.25}),
    ]
    assert printed_table(few) == [
        "             seconds to            kernel",
        "                  learn  recall  distance",
        "this model                  0.5         1",
        "naive Bayes         2.0    0.25",
    ]
    many = {f"PSNR, frame {number}": number / 8 for number in range(1, 13)}
    lines = printed_table([result("one future", None, many), result("last given frame", None, many)])
    assert lines[0].split() == ["last", "given"] and lines[1].split() == ["one", "future", "frame"]
    assert [line.rsplit(maxsplit=2) for line in lines[2:]] == [[n, f"{v:.4g}", f"{v:.4g}"] for n, v in many.items()]


def test_what_is_printed_fits_a_terminal_and_leaves_nothing_out() -> None:
    names = [f"{kind}, frame {number}" for kind in ("PSNR", "perceptual distance") for number in (1, 2, 4, 8, 16, 31)]
    table = [
        result(
            f"a model with quite a long name, number {model}", 1.0, {name: model + at for at, name in enumerate(names)}
        )
        for model in range(100, 2000, 100)
    ]
    found = Judgement(table[0].measures, left_out={"memorization": "it needs samples " * 20}, baselines=tuple(table))
    lines = found.printed()
    assert max(map(len, lines)) <= 100 < max(map(len, found.lines()))
    words = " ".join(lines).split()
    assert all(words.count(str(value)) >= 1 for model in table for value in map(int, (m.value for m in model.measures)))
    assert words.count("samples") == 20 and len(found.to_json()["rivals"]) == len(table)


def test_a_copier_is_told_in_words() -> None:
    found = judge_samples(evidence(cloud(1500, 1)[:300]), seed=0)
    assert found.memorization.memorizes
    assert "gives training samples back" in " ".join(found.lines())


def test_every_measure_says_which_of_its_values_are_best() -> None:
    """What was right of each name when a report guessed by names is declared where the measure is made."""
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(400, 8, generator=random).double() for _ in range(2))
    found = {one.name: one.best for one in judge_samples(Evidence(real, fake, None, "test (FID)"), seed=0).measures}
    told = torch.arange(400) % 10
    modes = measure_modes(told[:, None].repeat(1, 3), told, told, 1.0, seed=0)
    found |= (
        {one.name: one.best for one in [*modes, *patch_distance([real[:50]] * 20, [fake[:50]] * 20, "test")]}
        | BEST
        | SHOWN
    )
    assert found["precision"] == found["recall"] == found["modes found"] == found["PSNR within"] == "high"
    assert found["classifier accuracy"] == 0.5
    assert found["fine detail, of the real"] == found["colourfulness, of the real"] == 1
    low = ("frechet distance of patches", "FID", "kernel distance", "mode divergence (KL)", PERCEPTUAL, "chroma error")
    assert {found[name] for name in low} == {"low"}
    assert set(found.values()) == {"high", "low", 0.5, 1.0}


@pytest.mark.parametrize("take", [judge_samples, glance_at])
def test_of_so_few_reals_that_none_has_five_others_nothing_is_said_of_neighbours(take) -> None:
    few = Evidence(cloud(8, 0), cloud(60, 1), None, "planted", fewest=4)
    found = take(few, 0)
    assert "sliced wasserstein distance" in {one.name for one in found.measures}
    assert not {"precision", "coverage"} & {one.name for one in found.measures}
    assert "halves of 6 reals" in found.left_out["precision, recall, density, coverage"]
