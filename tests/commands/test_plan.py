"""A dry run: the counts are those of the run itself, and nothing is left behind."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gannet
from gannet.adversarial.game import Outcome, Pass, Turn
from gannet.commands.plan import Plan, _kept_of_a_sample, plan, whole_time
from gannet.commands.train import build_game, configure, prepare
from gannet.recipe import Stage
from gannet.runtime.devices import launch
from gannet.schedule import position
from gannet.schema import check
from gannet.training.trainer import Progress


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, with a cache that does not exist yet."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GANNET_CACHE", str(tmp_path / "cache"))
    return tmp_path


def planned(target: str, **changes: object) -> Plan:
    return plan(prepare(configure(target, "", {key.replace("__", "."): value for key, value in changes.items()}, "")))


@pytest.mark.parametrize("target", ["digits", "digits-mlp", "ring"])
def test_parameters_are_those_of_the_networks(target: str, elsewhere: Path) -> None:
    prepared = prepare(configure(target, "", {"device": "cpu"}, ""))
    networks = build_game(prepared, launch(prepared.recipe.device, prepared.recipe.precision)).networks
    found = plan(prepared)
    assert found.parameters == {
        name: sum(parameter.numel() for parameter in network.parameters()) for name, network in networks.items()
    }
    assert found.recipe == prepared.recipe
    assert [path.name for path in elsewhere.rglob("*")] == ["here"]


def test_a_plan_is_known_in_advance(elsewhere: Path) -> None:
    found = planned("digits-mlp", network__width=16, network__depth=1, network__latent=4, device="cpu")
    generator = 10 * 4 + (8 * 16 + 16) + (16 * 64 + 64)
    discriminator = (64 * 16 + 16) + (16 + 1) + 10 * 16
    assert found.parameters == {"generator": generator, "discriminator": discriminator}
    assert found.device == "cpu, 32"
    assert found.memory > 2**20
    assert elsewhere.is_dir()


def test_time_grows_with_the_images_and_ends_with_the_budget(elsewhere: Path) -> None:
    short = planned("ring", images=10_000, network__width=8)
    long = planned("ring", images=10_000_000, network__width=8)
    assert 0 < short.seconds < long.seconds / 50
    assert planned("ring", images=10**12, minutes=0.5, network__width=8).seconds == 30
    assert elsewhere.is_dir()


def test_each_stage_takes_its_own_time() -> None:
    recipe = configure("ring", "", {}, "").model_copy(
        update={"batch": 50, "stages": (Stage(name="quick", images=100), Stage(name="slow", images=1000))}
    )
    trainer: Any = SimpleNamespace(recipe=recipe, progress=Progress(), fabric=launch(recipe.device, recipe.precision))
    slow = {"quick": 0.0, "slow": 0.01}
    trainer.round = lambda: time.sleep(slow[position(recipe, trainer.progress.images).stage.name])
    assert 0.2 <= whole_time(trainer) < 0.4


def test_a_plan_is_plain_data_and_words(elsewhere: Path) -> None:
    found = planned("ring", network__width=8)
    said = json.loads(json.dumps(found.to_json()))
    assert set(said) == {"recipe", "parameters", "memory", "seconds", "device", "notes"}
    assert check(type(found.recipe), said["recipe"]) == found.recipe
    words = "\n".join(found.lines())
    assert all(f"{name} {count:,}" in words for name, count in found.parameters.items())
    assert words.endswith("nothing was written")
    assert elsewhere.is_dir()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network__latent": 10**10}, "networks, .* would take about .* of memory, more than the"),
        ({"batch": 10**9}, "batch would take about .* of memory, more than the .*; lower batch"),
    ],
)
def test_what_no_memory_holds_is_refused_before_it_is_taken(
    change: dict[str, object], words: str, elsewhere: Path
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=words):
        planned("digits", device="cpu", **change)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18, "kibibytes were taken"


@pytest.mark.parametrize(("key", "value"), [("network.latent", 10**10), ("batch", 10**12)])
def test_training_refuses_it_in_the_same_words_and_begins_nothing(key: str, value: int, elsewhere: Path) -> None:
    changes, out = {key: value, "device": "cpu"}, elsewhere / "run"
    with pytest.raises(ValueError, match="would take about .* of memory, more than the .*; lower batch") as trained:
        gannet.train("digits", out=out, set=changes)
    assert not out.exists()
    if key != "batch":  # How much a batch takes beyond its own samples, a dry run finds by trying.
        with pytest.raises(ValueError, match="of memory") as told:
            planned("digits", network__latent=value, device="cpu")
        assert str(told.value) == str(trained.value)


def test_large_networks_are_counted_and_not_made(elsewhere: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = planned("digits", network__width=100_000, device="cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18, "kibibytes were taken"
    assert found.parameters == {"generator": 54_800_001, "discriminator": 19_300_001}
    assert found.seconds is None and found.memory > 4 * 4 * 74_100_002
    assert "not tried" in found.lines()[-1]


def test_a_large_batch_is_told_by_its_part(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = planned("digits", batch=256, network__width=8, images=10_000, device="cpu")
    monkeypatch.setattr("gannet.commands.plan.most_tried", lambda _: 2**21)
    part = planned("digits", batch=256, network__width=8, images=10_000, device="cpu")
    assert part.parameters == whole.parameters and part.recipe.batch == 256
    assert part.memory > 0 and part.seconds is not None and whole.seconds is not None
    assert part.seconds > whole.seconds / 4


def test_an_expression_on_names_that_are_not_there_is_refused_as_training_does(elsewhere: Path) -> None:
    with pytest.raises(ValueError, match=r"no file names that data\.group"):
        planned("digits", data__group="(.)")


def pictures(folder: Path, count: int, side: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)).save(folder / f"{index}.png")
    return folder


TINY = {"network__width": 4, "batch": 2, "device": "cpu"}


def test_few_and_small_photographs_are_told_with_their_figures(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "few", 10, 64)
    changes = {"network__width": 4, "network__blocks": 1, "batch": 2, "device": "cpu", "task__discriminator_width": 4}
    found = planned("super-resolution", data__source=str(folder), **changes)
    few, small = found.notes
    assert "few has 10 samples" in few and "1,000" in few
    assert "64 pixels" in small and "enlarged to 256" in small
    assert all(f"# note: {note}" in found.lines() for note in found.notes)
    assert not planned("digits-mlp", network__width=4, device="cpu").notes


def test_memory_is_that_of_the_hungriest_stage(elsewhere: Path) -> None:
    prepared = prepare(configure("digits", "", {"device": "cpu", "network.width": 8}, ""))
    fabric = launch("cpu", "32")
    light, hungry = Stage(name="light", images=32), Stage(name="hungry", images=32)
    found = {}
    for name, order in {"first": (hungry, light), "last": (light, hungry), "never": (light,)}.items():
        part = replace(prepared, recipe=prepared.recipe.model_copy(update={"stages": order}))
        game = build_game(part, fabric)
        *turns, last = game.turns
        game = replace(game, turns=(*turns, last, replace(last, name="more", play=keeping(last), stages=("hungry",))))
        found[name] = _kept_of_a_sample(part, game, fabric, elsewhere / name)
    assert min(found["first"], found["last"]) > found["never"] + 10**6


def keeping(turn: Turn) -> Callable[[Pass], Outcome]:
    """Play a turn that keeps four million bytes more."""

    def play(run: Pass) -> Outcome:
        outcome = turn.play(run)
        kept = (torch.zeros(10**6, requires_grad=True) * 1).exp().sum() * 0
        losses = {player: {name: loss + kept for name, loss in some.items()} for player, some in outcome.losses.items()}
        return replace(outcome, losses=losses)

    return play


def test_small_pictures_are_told_a_size_that_the_recipe_can_have(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "small", 4, 53)
    (small,) = planned("images", data__source=str(folder), data__size=64, **TINY).notes[1:]
    assert small.endswith("or set data.size=52.")
    assert len(planned("images", data__source=str(folder), data__size=52, **TINY).notes) == 1
    *_, without = planned("super-resolution", data__source=str(folder), **TINY).notes
    assert without.endswith("give larger ones."), "its patches are larger"
