"""The models at hand are listed with what their cards state, and load by the names that are listed."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ended

import gannet
from gannet.api import Model, models
from gannet.pipelines.hub import SHIPPED, shipped_models

FASHION = shipped_models()["fashion-mnist-v1"]


def by_name() -> dict[str, Model]:
    found = models()
    assert len({model.name for model in found}) == len(found)
    return {model.name: model for model in found}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANNET_MODELS", raising=False)
    monkeypatch.setattr("gannet.pipelines.hub.RESEARCH", tmp_path / "models-research")


def test_every_shipped_model_states_what_it_is() -> None:
    found = by_name()
    assert list(found) == list(shipped_models())
    for model in found.values():
        assert model.task and model.data and model.licence and 0 < model.megabytes < 20
        assert model.scores or model.name in {"judge-v1", "judge-clips-v1", "loss-v1"}, model.name


def test_a_card_is_read() -> None:
    model = by_name()["fashion-mnist-v1"]
    assert (model.task, model.licence) == ("generation", "apache-2.0")
    assert model.data.startswith("the 60,000 training pictures of Fashion-MNIST") and "\n" not in model.data
    assert model.scores["frechet distance"] == 0.07679
    assert model.scores["kernel distance of 7"] == 0.0004331
    assert not [name for name in model.scores if "judge-v1" in name]
    several = by_name()["super-resolution-clean-v1"].scores
    assert several["set5: PSNR"] == 30.15 and "every ninth of photographs-test: PSNR" in several


def test_models_of_ones_own_are_found_and_load_by_name(
    tmp_path: Path, tiny_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FASHION, tmp_path / "many" / "garments-v3")
    shutil.copytree(FASHION, tmp_path / "one" / "alone")
    shutil.copytree(FASHION, tmp_path / "many" / "judge-v1")
    (tmp_path / "many" / "broken").mkdir()
    (tmp_path / "many" / "broken" / "config.json").write_text("{")
    shutil.copytree(tiny_run, tmp_path / "runs" / "tiny")
    places = [tmp_path / "many", tmp_path / "one" / "alone", tmp_path / "absent"]
    monkeypatch.setenv("GANNET_MODELS", os.pathsep.join(map(str, places)))
    found = by_name()
    assert list(found)[-3:] == ["alone", "garments-v3", str(Path("runs/tiny"))]
    assert found["judge-v1"].task == "recognition"  # None takes the place of a shipped one.
    assert (found[str(Path("runs/tiny"))].task, found[str(Path("runs/tiny"))].licence) == ("generation", "")
    for name in ("alone", "garments", "garments-v3", str(Path("runs/tiny"))):
        assert gannet.load(name).task == "generation"
    with pytest.raises(ValueError, match="did you mean 'garments'"):
        gannet.load("garmentz")


def test_a_checkouts_models_for_research_are_found_and_are_none_that_ship(tmp_path: Path) -> None:
    shutil.copytree(FASHION, tmp_path / "models-research" / "streets-v2")
    assert list(by_name()) == list(shipped_models()), "a folder of that name is none of a checkout"
    (tmp_path / "pyproject.toml").touch()
    assert list(by_name()) == [*shipped_models(), "streets-v2"]
    assert gannet.load("streets").task == "generation"


def test_the_command_line_lists_them(gannet_command: Callable[..., Ended]) -> None:
    document = json.loads(gannet_command("models", "--json").out)
    assert [model["name"] for model in document["result"]] == list(shipped_models())
    lines = gannet_command("models").out
    assert "fashion-mnist-v1  generation · " in lines and "frechet distance 0.07679" in lines


def test_the_command_line_prints_the_card_of_one(gannet_command: Callable[..., Ended], tmp_path: Path) -> None:
    card = (SHIPPED / "super-resolution-v4" / "README.md").read_text().strip()
    for name in ("super-resolution", "super-resolution-world"):
        ended = gannet_command("models", name)
        assert ended.code == 0 and ended.out.strip() == card
    card = (SHIPPED / "lost-words-v1" / "README.md").read_text().strip()
    assert gannet_command("models", "text-restoration").out.strip() == card, "a task's name stands for its model"
    (tmp_path / "none").mkdir()
    near = "did you mean 'super-resolution'"
    for wrong, words in (("super-resolutoin", near), (str(tmp_path / "none"), "has no card")):
        ended = gannet_command("models", wrong)
        assert ended.code == 2 and words in ended.err and "Traceback" not in ended.err
