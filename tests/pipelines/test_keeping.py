"""Models that stay loaded: the same object as long as the files are the same, no more than asked for, and only then."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import gannet
from gannet import api
from gannet.pipelines import keeping
from gannet.pipelines.hub import untrained


@pytest.fixture
def models(tiny_run: Path, tmp_path: Path) -> list[Path]:
    """Three copies of a model."""
    return [Path(shutil.copytree(tiny_run / "model", tmp_path / name)) for name in "abc"]


@pytest.fixture
def two_stay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two models stay loaded."""
    monkeypatch.setattr(keeping.keeper, "most", 0)
    api.keep_loaded(2)
    yield
    keeping.keeper._models.clear()


def test_nothing_stays_loaded_unasked(models: list[Path]) -> None:
    assert gannet.load(models[0]) is not gannet.load(models[0])
    assert not keeping.keeper._models


@pytest.mark.usefixtures("two_stay")
def test_a_model_is_loaded_once_and_tells_of_itself(models: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = gannet.load(models[0])
    assert untrained(models[0]) is loaded
    monkeypatch.chdir(models[0].parent)
    assert gannet.load("a") is loaded, "by whatever path"
    assert gannet.load(models[1]) is not loaded


@pytest.mark.usefixtures("two_stay")
@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_what_was_written_anew_is_loaded_anew(models: list[Path], tmp_path: Path, file: str) -> None:
    loaded = gannet.load(models[0])
    shutil.copy(models[1] / file, tmp_path / "new")  # With a time of its own.
    (tmp_path / "new").replace(models[0] / file)
    again = gannet.load(models[0])
    assert again is not loaded and gannet.load(models[0]) is again


@pytest.mark.usefixtures("two_stay")
def test_the_one_unused_for_longest_goes(models: list[Path]) -> None:
    first, second = map(gannet.load, models[:2])
    gannet.load(models[0])
    gannet.load(models[2])
    assert gannet.load(models[0]) is first
    assert gannet.load(models[1]) is not second
