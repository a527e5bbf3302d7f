"""Super-resolution at every scale, by every recipe of it: what is learned from, what comes out, what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

import gannet
from gannet.augmentation.draws import Drawn
from gannet.commands.train import prepare, split_of
from gannet.media.photograph import Photograph
from gannet.recipe import load_recipe, preset_names
from gannet.runtime.randomness import generator
from gannet.schema import Choice, check
from gannet.tasks.super_resolution import NETWORKS, Config, cut_reduced, evaluation_pair, task, training_pair

SCALES = {"super-resolution": 4, "super-resolution-clean": 4, "super-resolution-x2": 2, "denoising": 1}
SHORT: dict[str, Any] = {
    **{"task.patch": 32, "task.discriminator_width": 4, "network.width": 4, "network.blocks": 1, "data.size": 64},
    **{"stages": [{"name": "pixel", "images": 32}, {"name": "game", "images": 32}], "batch": 8, "device": "cpu"},
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts of a photograph, 72 pixels a side."""
    folder, whole = tmp_path_factory.mktemp("photos"), load_sample_image("flower.jpg")
    for index in range(24):
        row, column = 72 * (index // 8), 72 * (index % 8)
        Image.fromarray(whole[row : row + 72, column : column + 72]).save(folder / f"{index}.png")
    return folder


def drawn(count: int) -> Drawn:
    return Drawn(count, generator(0, "pair"))


def test_there_is_a_recipe_for_every_scale_and_the_former_name_is_understood() -> None:
    found = {name for name in preset_names() if load_recipe(name).task.name == "super-resolution"}
    assert found == set(SCALES)
    for name, scale in SCALES.items():
        config = check(Config, load_recipe(name).task.options, "task")
        assert config.scale == scale and (config.degradation == "bicubic") == name.endswith("clean")
    former, today = (load_recipe(name) for name in ("super-resolution-world", "super-resolution"))
    assert former.model_copy(update={"name": today.name}) == today and former.name == "super-resolution-world"


@pytest.mark.parametrize("name", SCALES)
def test_each_recipe_learns_is_judged_and_applied_at_its_scale(name: str, photos: Path, tmp_path: Path) -> None:
    run = gannet.train(name, photos, tmp_path / "run", SHORT)
    made: Any = gannet.load(run.folder)(Photograph(np.full((20, 28, 3), 90, np.uint8)))
    assert made.value.values.shape == (20 * SCALES[name], 28 * SCALES[name], 3)
    told = {found.name for found in gannet.judge(run.folder).measures}
    assert ("energy at the grid of enlargement, of the real" in told) == (SCALES[name] > 1)
    assert ("perceptually nearer than untouched" in told) == (SCALES[name] == 1)


@pytest.mark.parametrize("network", [{"name": name, "width": 4} for name in NETWORKS])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_what_has_learned_nothing_gives_a_flat_photograph_as_it_is(scale: int, network: dict[str, Any]) -> None:
    recipe = task.example()
    options = {**recipe.task.options, "scale": scale, "degradation": "world", "patch": 32}
    recipe = recipe.model_copy(
        update={
            "task": Choice(name="super-resolution", **options),
            "network": Choice(**network),
            "data": recipe.data.with_options(size=32),
        }
    )
    prepared = prepare(recipe)
    game = task.game(prepared.recipe, prepared.description)
    pipeline: Any = task.pipeline(prepared.recipe, prepared.description, {"generator": game.networks["generator"]})
    flat = np.full((9, 7, 1), 77, np.uint8)
    assert np.array_equal(pipeline(Photograph(flat)).value.values, np.full((9 * scale, 7 * scale, 1), 77))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task.scale": 3}, r"task\.scale: input should be 1, 2 or 4 \(given: 3\)"),
        ({"task.scale": 0}, r"task\.scale: input should be 1, 2 or 4 \(given: 0\)"),
        (
            {"task.scale": 1, "task.degradation": "bicubic"},
            "task: with task.scale=1 bicubic reduction takes nothing away",
        ),
        ({"task.reductions": []}, r"task\.reductions: .*at least 1"),
        ({"task.reductions": [0]}, r"task\.reductions\.0: .*greater than or equal to 1"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_a_sentence(changes: dict[str, Any], words: str, photos: Path) -> None:
    with pytest.raises(ValueError, match=words):
        gannet.train("super-resolution", photos, set=changes)


def test_a_model_of_another_scale_is_not_started_from(photos: Path, tmp_path: Path) -> None:
    run = gannet.train("super-resolution-x2", photos, tmp_path / "run", SHORT)
    for recipe, changes in (("super-resolution", {}), ("denoising", {}), ("super-resolution-x2", {"task.scale": 4})):
        with pytest.raises(ValueError, match=r"task\.scale=[14] does not fit the model to start from, which has 2;"):
            gannet.plan(recipe, photos, start_from=run.folder, set=changes)
    gannet.plan("super-resolution", photos, start_from=run.folder, set={**SHORT, "task.scale": 2, "network.width": 4})


def test_it_learns_from_mixed_sources_at_several_scales(photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "large"
    other.mkdir()
    for index in range(12):
        Image.fromarray(np.full((90, 150, 3), 20 * index, np.uint8)).save(other / f"{index}.jpg")
    sources = [{"source": str(photos), "weight": 3}, {"source": str(other)}]
    run = gannet.train("super-resolution", out=tmp_path / "run", set={**SHORT, "data.sources": sources})
    assert [one.source for one in run.recipe.data.sources] == [str(photos), str(other)]
    assert run.recipe.task.options["reductions"] == [1, 2]


def test_a_reduced_patch_shows_as_many_times_as_much_as_far_as_there_is_room() -> None:
    ramp = torch.linspace(-0.9, 0.9, 64)[:, None].expand(64, 64).expand(60, 1, 64, 64)
    step = float(ramp[0, 0, 1, 0] - ramp[0, 0, 0, 0])

    def steps(patch: int, *reductions: int) -> list[float]:
        patches = cut_reduced(ramp, Config(patch=patch, reductions=reductions), drawn(60))
        assert patches.shape == (60, 1, patch, patch)
        inner = patches[:, 0, 4:-4, 4:-4]
        steepest = torch.maximum(inner.diff(dim=1).abs().amax((1, 2)), inner.diff(dim=2).abs().amax((1, 2)))
        return sorted({round(one, 2) for one in (steepest / step).tolist()})

    assert steps(32, 1) == [1] and steps(32, 2) == [2] and steps(32, 1, 2) == [1, 2]
    assert steps(32, 4) == [2] and steps(64, 2) == [1] and steps(16, 1, 2, 4) == [1, 2, 4]


def test_recipes_of_old_runs_learn_and_are_written_as_they_were() -> None:
    old = Config(scale=2, degradation="bicubic")
    assert not {"teacher", "teacher_strength", "reductions"} & set(old.model_dump(mode="json"))
    assert Config(reductions=(1, 2)).model_dump(mode="json")["reductions"] == [1, 2]
    pictures = torch.rand(3, 3, 40, 40, generator=torch.Generator().manual_seed(0)) * 2 - 1
    pair = training_pair(pictures, drawn(3), Config(patch=16, scale=2, degradation="bicubic"))
    again = training_pair(pictures, drawn(3), Config(patch=16, scale=2, degradation="bicubic", reductions=(1,)))
    assert torch.equal(pair.input, again.input) and torch.equal(pair.target, again.target)


def test_what_is_judged_at_scale_one_stands_beside_the_untouched_photograph() -> None:
    real = Photograph(load_sample_image("flower.jpg")[:90, :100].copy())
    pair = evaluation_pair(real, Config(scale=1))
    assert list(pair.baselines) == ["untouched"] and pair.baselines["untouched"] is pair.input
    assert pair.input.values.shape == real.values.shape and not np.array_equal(pair.input.values, real.values)


@pytest.fixture(scope="module")
def teacher(photos: Path) -> str:
    """A model that makes all black: nothing could be further from the truth."""
    pipeline: Any = gannet.load(gannet.train("super-resolution-x2", photos, photos.parent / "taught", SHORT).folder)
    torch.nn.init.constant_(pipeline.networks["generator"].exit.bias, -5)
    return str(pipeline.save_pretrained(photos.parent / "teacher"))


def look_of(options: dict[str, Any], photos: Path) -> dict[str, float]:
    """What a run that has learned nothing tells of held-out photographs."""
    changes = {**SHORT, "data.source": str(photos), "data.size": 64, "task.patch": 64, **options}
    prepared = prepare(load_recipe("super-resolution-x2", changes))
    torch.manual_seed(0)
    game, split = task.game(prepared.recipe, prepared.description), split_of(prepared)
    pipeline = task.pipeline(prepared.recipe, prepared.description, {"generator": game.networks["generator"]})
    samples = split.training, split.held_out
    held_out: Any = task.observers(prepared.recipe, prepared.description, game, pipeline, samples)["held_out"]
    figures: dict[str, float] = held_out.look()
    return figures


def test_the_best_of_a_distilled_run_is_chosen_by_the_truth(teacher: str, photos: Path) -> None:
    alone, taught = (look_of(keys, photos) for keys in ({}, {"task.teacher": teacher}))
    assert alone == taught and {"error", "perceptual", "grid"} <= set(alone) and task.judged_by == "held_out/perceptual"
    assert alone["error"] < 0.5, "black is further"
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    config = Config(scale=2, patch=32, teacher=teacher)
    assert float(training_pair(pictures, drawn(2), config).target.max()) == -1, "what is learned is the teacher's"
