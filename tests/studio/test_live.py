"""What the page's script is told of runs that are watched: what changed, once, and not too often."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from gannet.studio import live
from gannet.studio.answers import answering
from gannet.studio.jobs import Jobs
from gannet.studio.settings import Settings


@pytest.fixture
def runs(tiny_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_run, tmp_path / "runs" / "tiny")
    return tmp_path / "runs"


@pytest.fixture
def looked(runs: Path) -> live.Live:
    settings = Settings(runs=runs, data=runs, work=runs.parent)
    return live.Live(Jobs(settings), settings, "en", lambda: [one.name for one in runs.iterdir()])


def touch(runs: Path, seconds: float) -> None:
    """Let a run's log be as if it had been written that much later."""
    log = runs / "tiny" / "log.jsonl"
    os.utime(log, (0, log.stat().st_mtime + seconds))


def test_what_is_shown_already_is_not_sent_again(looked: live.Live) -> None:
    first = looked.look({"names": ["tiny"]})
    assert "<h3>tiny" in first["html"]
    assert looked.look({"names": ["tiny"], "shown": first["mark"]}) == {}
    assert looked.look({"names": ["tiny"], "shown": "of another page"}) == first


def test_a_run_that_changes_is_drawn_anew_only_after_some_rest(
    looked: live.Live, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def draw(names: Any) -> str:
        drawn.append(1)
        return f"{names} {len(drawn)}"

    monkeypatch.setattr(looked, "_html", draw)
    monkeypatch.setattr(live, "PATIENCE", 1e9)
    looked.look({"names": ["tiny"]})
    touch(runs, 5)
    looked.look({"names": ["tiny"]})
    assert len(drawn) == 1, "it was drawn just before"
    monkeypatch.setattr(looked.jobs, "running", lambda _: True)
    looked.look({"names": ["tiny"]})
    assert len(drawn) == 2, "one began: that is shown at once"
    monkeypatch.setattr(live, "PATIENCE", 0)
    monkeypatch.setattr(looked.jobs, "running", lambda _: False)
    looked.look({"names": ["tiny"]})
    touch(runs, 5)
    assert looked.look({"names": ["tiny"]})["html"].endswith("4")


def test_only_runs_are_shown_and_few_choices_are_kept(looked: live.Live, runs: Path) -> None:
    (runs.parent / "secret").mkdir()
    assert looked.look({"names": ["../secret", "nosuch"]})["html"] == looked.look({})["html"]
    for number in range(2 * live.KEPT):
        (runs / f"empty-{number}").mkdir()
        looked.look({"names": [f"empty-{number}"]})
    assert len(looked._drawn) == live.KEPT


def test_a_training_that_begins_while_runs_are_named_disturbs_nobody(
    looked: live.Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, Any] = looked.jobs.started
    started["first"] = None
    with monkeypatch.context() as changed:
        changed.setattr(Path, "exists", lambda _: bool(started.update({f"run-{len(started)}": None})))
        assert looked.jobs.waiting() == ["first"]


@pytest.mark.parametrize(
    "given",
    [
        None,
        "tiny",
        ["tiny"],
        {"names": 3},
        {"names": [{}]},
        {"names": ["tiny"] * 100},
        {"shown": "x" * 10**6},
        {"more": 1},
    ],
)
def test_what_is_no_question_is_answered_in_a_sentence(looked: live.Live, given: Any) -> None:
    answer = answering(looked.look)(given)
    assert set(answer) == {"error"} and len(answer["error"]) < 500
