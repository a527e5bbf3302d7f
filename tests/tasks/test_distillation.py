"""A model learns what another would make."""

from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import untrained

import gannet
from gannet.augmentation.draws import Drawn
from gannet.recipe import load_recipe
from gannet.runtime.randomness import generator
from gannet.tasks.super_resolution import Config, training_pair


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model for pictures of one channel, twice as large, with random weights."""
    pipeline = untrained("super-resolution")
    torch.manual_seed(1)
    torch.nn.init.normal_(pipeline.networks["generator"].exit.weight, std=0.1)
    return pipeline.save_pretrained(tmp_path_factory.mktemp("teacher") / "model")


def drawn(count: int) -> Drawn:
    return Drawn(count, generator(0, "pair"))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("degradation", ["bicubic", "world"])
def test_what_is_learned_is_what_the_teacher_makes_of_the_same_input(
    channels: int, degradation: Any, teacher: Path
) -> None:
    pictures = torch.rand(3, channels, 24, 24) * 2 - 1
    usual = Config(scale=2, patch=16, degradation=degradation)
    true, taught = (
        training_pair(pictures, drawn(3), config)
        for config in (usual, usual.model_copy(update={"teacher": str(teacher)}))
    )
    assert torch.equal(true.input, taught.input) and not taught.target.is_inference()
    network = gannet.load(teacher).networks["generator"]
    each = true.input.flatten(0, 1)[:, None]
    torch.testing.assert_close(taught.target.flatten(0, 1)[:, None], network(each).clamp(-1, 1))
    assert (taught.target - true.target).abs().mean() > 0.01


def test_a_run_learns_by_a_teacher_and_its_model_does_not_name_it(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(teacher.parent)
    stages = [{"name": "pixel", "images": 32}, {"name": "game", "images": 32}]
    keys: dict[str, object] = {
        **{"task.scale": 2, "task.patch": 16, "task.teacher": "model", "task.discriminator_width": 4, "batch": 16},
        **{"network": {"name": "compact", "width": 4, "layers": 1}, "data.channels": 1, "data.size": 16},
        **{"stages": stages, "task.perceptual": 0, "data.limit": 64, "device": "cpu", "precision": "32"},
    }
    run = gannet.train("super-resolution", "digits", tmp_path / "run", keys)
    assert load_recipe(run.folder / "recipe.yaml").task.options["teacher"] == str(teacher)
    assert "teacher" not in (run.folder / "model" / "config.json").read_text()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"task.scale": 4}, "enlarges 2 times and task.scale is 4; set it to 2"),
        ({"task.teacher": "nowhere"}, "no run or model at 'nowhere'"),
        ({"task.teacher": "inpainting"}, "is a model for inpainting; give one that enlarges"),
        ({"task.teacher": "judge-v1"}, "is a model for recognition; give one that enlarges"),
        ({"task.teacher_strength": 0.5}, "keeps no weights 'pixel'"),
    ],
)
def test_a_teacher_that_cannot_teach_is_told_before_anything_is_learned(
    keys: dict[str, object], words: str, teacher: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        gannet.train(
            "super-resolution",
            "digits",
            set={"task.teacher": str(teacher), "task.scale": 2, "task.patch": 32, "data.size": 32, **keys},
        )
