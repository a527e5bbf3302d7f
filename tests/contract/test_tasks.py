"""Every task keeps the contracts; it is found by its name, with nothing written for it here."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from contracts import (
    check_adopted,
    check_gradients,
    check_parts,
    check_resumes,
    check_saved_equals_live,
    make_trainer,
)
from torch import Tensor

import gannet
from gannet.api import AverageOptions
from gannet.commands.plan import noise_of, plan
from gannet.commands.train import prepare, split_of
from gannet.pipelines.hub import CONFIG
from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Recipe, dump_yaml
from gannet.runtime.files import write_json
from gannet.schema import check
from gannet.task import Task, find_task, task_names

TASKS = sorted(task_names())
WAYS: dict[str, dict[str, Any]] = {"denoising": {"scale": 1, "degradation": "world", "reductions": [1, 2]}}
"""Other ways of super-resolution that are held to the same: what its example's task says then."""


@pytest.fixture(params=[*TASKS, *WAYS])
def task(request: pytest.FixtureRequest) -> Task:
    if request.param not in WAYS:
        return find_task(request.param)
    usual: Any = find_task("super-resolution")
    return replace(usual, example_options=WAYS[request.param])  # type: ignore[no-any-return]


def test_a_task_defines_every_name_of_the_protocol_with_the_same_parameters(task: Task) -> None:
    assert task.__doc__
    for name, member in vars(Task).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            wanted = [parameter for parameter in inspect.signature(member).parameters if parameter != "self"]
            assert len(inspect.signature(getattr(task, name)).parameters) == len(wanted), name
    for name in ("Config", "Data", "pipeline_class", "judged_by"):
        assert hasattr(task, name)


def test_every_option_of_a_task_says_what_it_is(task: Task) -> None:
    assert all(field.description for field in task.Config.model_fields.values())


def test_the_example_survives_yaml(task: Task) -> None:
    recipe = prepare(task.example()).recipe
    assert check(Recipe, yaml.safe_load(dump_yaml(recipe))) == recipe


def test_a_description_survives_json(task: Task) -> None:
    description = prepare(task.example()).description
    assert type(description).model_validate_json(description.model_dump_json()) == description


def test_a_dry_run_names_parameters_memory_and_time(task: Task) -> None:
    found = plan(prepare(task.example()))
    assert min(found.parameters.values()) > 0 and found.memory > 0 and found.seconds > 0


def test_networks_build_on_the_meta_device(task: Task) -> None:
    prepared = prepare(task.example())
    with torch.device("meta"):
        game = task.game(prepared.recipe, prepared.description)
    assert all(p.is_meta for network in game.networks.values() for p in network.parameters())


def test_gradients_reach_the_right_players_only(task: Task, tmp_path: Path) -> None:
    check_gradients(make_trainer(task.example(), tmp_path))


def test_an_interrupted_run_equals_a_whole_one(task: Task, tmp_path: Path) -> None:
    recipe = task.example()
    check_resumes(recipe, tmp_path)


def test_a_model_takes_an_average_of_any_width(task: Task, tmp_path: Path) -> None:
    example = task.example()
    recipe = example.model_copy(update={"average": example.average.model_copy(update={"widths": (0.05, 0.2)})})
    trainer = make_trainer(recipe, tmp_path)
    for _ in range(6):
        trainer.round()
    trainer.checkpoint()
    (tmp_path / "recipe.yaml").write_text(dump_yaml(recipe))
    made = gannet.average(tmp_path, AverageOptions(width=0.1))
    average, model = (gannet.load(tmp_path, weights).tensors() for weights in (made.path.stem, "model"))
    assert average.keys() == model.keys() and any(not torch.equal(average[name], model[name]) for name in model)
    assert all(bool(tensor.isfinite().all()) for tensor in average.values())


def test_what_is_saved_equals_what_was_trained(task: Task, tmp_path: Path) -> None:
    trainer = make_trainer(task.example(), tmp_path / "run")
    trainer.round()
    prepared = prepare(task.example())
    pipeline = task.pipeline(prepared.recipe, prepared.description, trainer.setup.average.networks)
    split = split_of(prepared)

    def use(loaded: Pipeline) -> Tensor:
        look = task.sheet(prepared.recipe, prepared.description, loaded, (split.training, split.held_out))
        return look().values if look else loaded.traced()[0](next(iter(noise_of(prepared).spread(5).values())))

    check_saved_equals_live(pipeline, tmp_path / "model", use)


def test_the_help_of_a_model_comes_from_its_config(
    task: Task, tmp_path: Path, gannet_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    prepared = prepare(task.example())
    with torch.device("meta"):
        game = task.game(prepared.recipe, prepared.description)
        pipeline = task.pipeline(
            prepared.recipe, prepared.description, {name: game.networks[name] for name in game.kept}
        )
    write_json(tmp_path / CONFIG, pipeline.sealed())
    ended = gannet_command("apply", tmp_path, "--help")
    words = " ".join(ended.out.split())
    assert ended.code == 0 and "Made: - " in words, ended.err
    for name, medium in pipeline.outputs.items():
        assert f"- {name} ({medium.name})" in words
    for name, one in pipeline.inputs.items():
        assert f"- {name} (" in words and all(ending in words for ending in one.medium.endings)
    assert all(f"--{name.replace('_', '-')} " in words for name in pipeline.interface()["options"]["properties"])
    unused = {
        "--input": len(pipeline.inputs) < 2,
        "--save": len(pipeline.outputs) - len(pipeline.always) < 2,
        "--compare": not pipeline.inputs,
    }
    assert not [flag for flag, useless in unused.items() if useless == (flag in words)]


def test_sheets_show_the_same_things_again(task: Task, tmp_path: Path) -> None:
    trainer: Any = make_trainer(task.example(), tmp_path / "run")
    look = trainer.callbacks.look
    if look is None:
        assert not list((tmp_path / "run" / "samples").iterdir())
        return
    first, second = look(), look()
    assert len(first.values) > 1 and torch.equal(first.values, second.values)
    assert torch.isfinite(first.values).all() and min(first.medium.preview(first.values).size) > 1
    for _ in range(12):  # What is told changes by whole classes, and not in the first round.
        trainer.round()
    assert not torch.equal(look().values, first.values)


def test_a_sample_has_the_parts_that_its_fields_say(task: Task) -> None:
    check_parts(task)


def test_a_model_reads_data_to_judge_by_as_it_read_its_own(task: Task) -> None:
    check_adopted(task)
