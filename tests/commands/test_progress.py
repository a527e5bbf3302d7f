"""Every long verb tells how far it is in one shape, and leaves when it is asked to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gannet
from gannet.api import AugmentOptions, BenchOptions, JudgeOptions, PlanOptions, Progress, Stopped, Terminal

SMALL = {"network.width": 4, "data.size": 16, "batch": 16, "device": "cpu", "images": 64}


def garments(folder: Path) -> Path:
    """Write pictures that no other test has decoded into the cache."""
    values = np.random.default_rng(7).integers(0, 256, (48, 28, 28), np.uint8)
    np.savez(folder / "new.npz", images=values)
    return folder / "new.npz"


def verbs(folder: Path, run: Path) -> dict[str, Callable[..., Any]]:
    return {
        "plan": lambda **watch: gannet.plan("images", "digits", SMALL, options=PlanOptions(rounds=1), **watch),
        "bench": lambda **watch: gannet.bench("images", "digits", SMALL, BenchOptions(blocks=2, seconds=0.01), **watch),
        "judge": lambda **watch: gannet.judge(run, query=JudgeOptions(num=100), **watch),
        "augment": lambda **watch: gannet.augment("digits", folder / "more", AugmentOptions(times=2), **watch),
        "doctor": lambda **watch: gannet.doctor(garments(folder), **watch),
        "export": lambda **watch: gannet.export(run, folder / "model.onnx", **watch),
        "train": lambda **watch: gannet.train("images", garments(folder), folder / "run", SMALL, **watch),
    }


NAMES = ["plan", "bench", "judge", "augment", "doctor", "export", "train"]


@pytest.mark.parametrize("name", NAMES)
def test_a_verb_tells_how_far_it_is(name: str, tmp_path: Path, tiny_run: Path) -> None:
    told: list[tuple[Progress, str]] = []
    verbs(tmp_path, tiny_run)[name](on_progress=lambda progress, words: told.append((progress, words)))
    assert told
    for progress, words in told:
        assert isinstance(progress, Progress) and isinstance(words, str)
        assert progress.done >= 0 and (progress.done <= progress.total or not progress.total)


@pytest.mark.parametrize("name", NAMES)
def test_a_verb_leaves_when_it_is_asked_to(name: str, tmp_path: Path, tiny_run: Path) -> None:
    asked: list[bool] = []
    with pytest.raises(Stopped, match="Stopped while"):
        verbs(tmp_path, tiny_run)[name](should_stop=lambda: asked.append(True) or True)
    assert len(asked) == 1
    assert {path.name for path in tmp_path.iterdir()} <= {"new.npz", "more.partial"}


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_an_export_that_was_stopped_leaves_nothing(steps: int, tmp_path: Path, tiny_run: Path) -> None:
    asked: list[bool] = []
    with pytest.raises(Stopped, match="Stopped while (exporting|comparing|writing)"):
        gannet.export(tiny_run, tmp_path / "m.onnx", should_stop=lambda: asked.append(True) or len(asked) == steps)
    assert len(asked) == steps and not list(tmp_path.iterdir())


def test_an_export_to_a_place_that_is_taken_loads_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    with pytest.raises(ValueError, match="exists"):
        gannet.export("no such model", tmp_path / "m.onnx")


def test_an_augmentation_that_was_stopped_goes_on(tmp_path: Path) -> None:
    asked: list[bool] = []
    with pytest.raises(Stopped):
        gannet.augment("digits", tmp_path / "parts", should_stop=lambda: asked.append(True) or len(asked) > 9)
    one = gannet.augment("digits", tmp_path / "parts")
    other = gannet.augment("digits", tmp_path / "whole")
    assert (one.healthy, one.copies) == (other.healthy, other.copies)
    assert (tmp_path / "parts" / "record.csv").read_bytes() == (tmp_path / "whole" / "record.csv").read_bytes()


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("apply", ["MODEL", "--out", "new"]),
        ("augment", ["digits", "--out", "new"]),
        ("average", ["MODEL"]),
        ("bench", ["digits"]),
        ("doctor", ["digits"]),
        ("export", ["MODEL"]),
        ("judge", ["MODEL"]),
        ("train", ["digits"]),
    ],
)
def test_the_command_line_shows_how_far_a_verb_is_but_not_beside_json(
    verb: str, words: list[str], tiny_run: Path, gannet_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def recorded(*_: object, on_progress: object = None, **__: object) -> None:
        given.append(on_progress)
        raise ValueError("That is all.")

    monkeypatch.setattr(gannet.api, verb, recorded)
    words = [str(tiny_run) if word == "MODEL" else word for word in words]
    assert gannet_command(verb, *words).code == gannet_command(verb, *words, "--json").code == 2
    assert isinstance(given[0], Terminal) and given[1] is None
