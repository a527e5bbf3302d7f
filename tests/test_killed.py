"""Whatever is killed before any of its durable calls goes on as if nothing had happened, and leaves nothing behind."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts import check_equal_states, logged
from PIL import Image

from gannet.pipelines.manifest import MANIFEST
from gannet.recipe import Recipe, dump_yaml
from gannet.tasks import generation

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
DURABLE = Path(__file__).parent / "durable.py"
MADE = ["out", "cache"]
"""Beside a result: what was said, and what the cache keeps."""


def short() -> Recipe:
    recipe = generation.example()
    more = {
        "average": {"widths": (0.05, 0.2)},
        "checkpoint": {"every": 64},
        "log": {"every": 32, "sheet_every": 64},
        "referee": {"window": 32, "every": 32},
    }
    changes = {name: getattr(recipe, name).model_copy(update=values) for name, values in more.items()}
    return recipe.model_copy(update={"images": 160, "name": "killed", **changes})


def write_photographs(folder: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("a/one.png", "a/two.png", "b/three.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(folder / name)


def start_training(start: Path, run: Path) -> dict[str, Any]:
    (start / "killed.yaml").write_text(dump_yaml(short()))
    return {"run": ["train", "killed.yaml", "--out", "run"], "again": ["train", "--resume", "run"], "result": "run"}


def start_drawing(start: Path, run: Path) -> dict[str, Any]:
    return {"run": ["apply", str(run), "--num", "20", "--out", "new"], "result": "new"}


def start_enlarging(start: Path, run: Path) -> dict[str, Any]:
    write_photographs(start / "photos")
    return {"run": ["apply", "super-resolution", "photos", "--out", "new.zip"], "result": "new.zip"}


def start_filling(start: Path, run: Path) -> dict[str, Any]:
    write_photographs(start / "photos")
    (start / "photos" / "b" / "broken.png").write_bytes(b"no picture")
    return {"run": ["apply", "super-resolution", "photos", "--out", "new"], "result": "new", "code": 3, "fills": True}


def start_copying(start: Path, run: Path) -> dict[str, Any]:
    write_photographs(start / "photos")
    return {"run": ["augment", "photos", "--out", "new", "--times", "2", "--kinds", "noise,blur"], "result": "new"}


def start_faking(start: Path, run: Path) -> dict[str, Any]:
    images, labels = np.zeros((40, 8, 8), np.uint8), np.arange(40) % 10
    np.savez(start / "digits.npz", images=images, labels=labels)
    words = ["augment", "digits.npz", "--out", "new", "--times", "2", "--with", str(run)]
    return {"run": words, "result": "new"}


CASES = [start_training, start_drawing, start_enlarging, start_filling, start_copying, start_faking]


def content(path: Path) -> Any:
    if path.name == MANIFEST:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [{name: line[name] for name in line.keys() - {"state", "why"}} for line in lines]
    return path.read_bytes() if path.is_file() else {one.name: content(one) for one in path.iterdir()}


def check_run(whole: Path, killed: Path) -> None:
    """Everything in a run is as it would have been, but for the clock and what is drawn from it."""
    check_equal_states(whole, killed)
    names = [{path.relative_to(run).as_posix() for path in run.rglob("*")} for run in (whole, killed)]
    assert names[0] == names[1]
    kept = [name for name in names[0] if name.startswith("averages/") or name.endswith((".png", ".json", ".yaml"))]
    assert "averages/000000000128.safetensors" in kept
    for name in kept:
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), f"{name} differs"
    assert [json.dumps(line) for line in logged(whole)] == [json.dumps(line) for line in logged(killed)]


def check_point(work: Path, point: dict[str, Any], case: dict[str, Any]) -> None:
    killed, whole, said = work / str(point["at"]), work / "whole", (work / str(point["at"]) / "out").read_text()
    assert point["killed"] == -9
    is_run = "again" in case
    # A whole result is told to be there; a folder that is filled is there from the beginning, and gone on with.
    told_to_be_there = point["there"] and not is_run and "fills" not in case
    assert point["code"] == (2 if told_to_be_there else case.get("code", 0)), said
    assert "Traceback" not in said
    left = {path.name for path in killed.iterdir()} - {path.name for path in whole.iterdir()}
    assert not left
    if is_run:
        check_run(whole / "run", killed / "run")
    else:
        assert content(killed / case["result"]) == content(whole / case["result"])


def kill_everywhere(start: Callable[..., dict[str, Any]], run: Path, work: Path, points: int) -> None:
    """Kill before so many of the durable calls, evenly spread; 0: before every one."""
    (work / "start").mkdir()
    case = start(work / "start", run)
    (work / "case.json").write_text(json.dumps({"again": case["run"], **case}))
    command = [sys.executable, DURABLE, work, str(points)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    first, *told = map(json.loads, ended.stdout.splitlines())
    assert len(told) == (points or first["calls"]) > 0
    for point in told:
        check_point(work, point, case)
        shutil.rmtree(work / str(point["at"]))


@pytest.mark.parametrize("start", [start_training, start_copying, start_filling])
def test_what_is_killed_before_some_durable_calls_goes_on(
    start: Callable[..., dict[str, Any]], tiny_run: Path, tmp_path: Path
) -> None:
    kill_everywhere(start, tiny_run, tmp_path, 2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("start", CASES)
def test_what_is_killed_before_any_durable_call_goes_on(
    start: Callable[..., dict[str, Any]], tiny_run: Path, tmp_path: Path
) -> None:
    kill_everywhere(start, tiny_run, tmp_path, 0)
