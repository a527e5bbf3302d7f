"""Whatever is killed before any of its durable calls goes on as if nothing had happened, and leaves nothing behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts import logged, unequal_states
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


def differing(whole: Path, killed: Path) -> list[str]:
    """What of a run is not as it would have been, but for the clock and what is drawn from it."""
    names = [{path.relative_to(run).as_posix() for path in run.rglob("*")} for run in (whole, killed)]
    kept = [name for name in names[0] if name.startswith("averages/") or name.endswith((".png", ".json", ".yaml"))]
    assert "averages/000000000128.safetensors" in kept
    there = [name for name in kept if name in names[1]]
    changed = [name for name in there if (whole / name).read_bytes() != (killed / name).read_bytes()]
    # Written again, for a figure that is none is not equal to itself.
    lines = [[json.dumps(line) for line in logged(run)] for run in (whole, killed)]
    return [*sorted(names[0] ^ names[1]), *changed, *["log"] * (lines[0] != lines[1]), *unequal_states(whole, killed)]


def faults(work: Path, point: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """What is wrong after a command was killed at a point and called again."""
    killed, whole, said = work / str(point["at"]), work / "whole", (work / str(point["at"]) / "out").read_text()
    is_run, result = "again" in case, case["result"]
    # A whole result is told to be there; a folder that is filled is there from the beginning, and gone on with.
    told_to_be_there = point["there"] and not is_run and "fills" not in case
    code = 2 if told_to_be_there else case.get("code", 0)
    left = {path.name for path in killed.iterdir()} - {path.name for path in whole.iterdir()}
    found = {
        "it was not killed": point["killed"] != -9,
        f"it ended with {point['code']} and not {code}: {said}": point["code"] != code,
        f"a traceback: {said}": "Traceback" in said,
        f"{sorted(left)} are left behind": bool(left),
        "another result": not is_run and content(killed / result) != content(whole / result),
    }
    return [
        *(words for words, wrong in found.items() if wrong),
        *(differing(whole / result, killed / result) if is_run else ()),
    ]


def kill_everywhere(start: Callable[..., dict[str, Any]], run: Path, work: Path, points: int) -> dict[int, list[str]]:
    """Kill before so many of the durable calls, evenly spaced, or with 0 before every one; give what is wrong after
    each, by its number.
    """
    (work / "start").mkdir()
    case = start(work / "start", run)
    (work / "case.json").write_text(json.dumps({"again": case["run"], **case}))
    command = [sys.executable, DURABLE, work, str(points)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    first, *told = map(json.loads, ended.stdout.splitlines())
    assert len(told) == (points or first["calls"])
    return {point["at"]: faults(work, point, case) for point in told}


@pytest.mark.parametrize("start", [start_training, start_copying, start_filling])
def test_what_is_killed_before_some_durable_calls_goes_on(
    start: Callable[..., dict[str, Any]], tiny_run: Path, tmp_path: Path
) -> None:
    found = kill_everywhere(start, tiny_run, tmp_path, 2)
    assert list(found.values()) == [[], []], found


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("start", CASES)
def test_what_is_killed_before_any_durable_call_goes_on(
    start: Callable[..., dict[str, Any]], tiny_run: Path, tmp_path: Path
) -> None:
    found = kill_everywhere(start, tiny_run, tmp_path, 0)
    assert found and not any(found.values()), found


def test_what_is_wrong_after_a_kill_is_found(tmp_path: Path) -> None:
    """One point of a planted fault of every kind, and one of none."""
    for name, text in (("whole", "all"), ("1", "all"), ("2", "a part")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "new").write_text(text)
        (tmp_path / name / "out").write_text("Traceback" if name == "2" else "")
    (tmp_path / "2" / "new.building").touch()
    case = {"result": "new"}
    assert faults(tmp_path, {"at": 1, "killed": -9, "there": False, "code": 0}, case) == []
    found = faults(tmp_path, {"at": 2, "killed": 0, "there": True, "code": 0}, case)
    assert [words.split(":")[0] for words in found] == [
        "it was not killed",
        "it ended with 0 and not 2",
        "a traceback",
        "['new.building'] are left behind",
        "another result",
    ]
