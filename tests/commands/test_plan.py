"""A dry run: the counts are those of the run itself, and nothing is left behind."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gannet.commands.plan import Plan, plan, whole_time
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
    assert set(said) == {"recipe", "parameters", "memory", "seconds", "device"}
    assert check(type(found.recipe), said["recipe"]) == found.recipe
    words = "\n".join(found.lines())
    assert all(f"{name} {count:,}" in words for name, count in found.parameters.items())
    assert words.endswith("nothing was written")
    assert elsewhere.is_dir()
