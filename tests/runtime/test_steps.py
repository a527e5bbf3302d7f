"""Steps of long work: they are taken once, whatever breaks it off, and those of other work are taken anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gannet.pipelines.writer import tidy
from gannet.runtime.progress import Stopped
from gannet.runtime.steps import KeptSteps, Steps


def nothing(done: int, total: int) -> None:
    """Let every step be taken."""


def work(steps: Steps, taken: list[int], most: int = 9) -> list[Any]:
    """Three steps, each of which notes that it was taken; broken off before another than `most` are."""

    def make(number: int) -> Callable[[], Any]:
        def step() -> Any:
            if len(taken) >= most:
                raise Stopped("enough")
            taken.append(number)
            return {"number": number, "tenth": number / 10}

        return step

    return [steps.take("part", number, 3, make(number)) for number in range(3)]


def test_work_that_was_broken_off_goes_on_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder, taken = tmp_path / "result.partial", list[int]()
    with pytest.raises(Stopped):
        work(KeptSteps(folder, lambda: {"seed": 1}, nothing), taken, most=2)
    steps = KeptSteps(folder, lambda: {"seed": 1}, nothing)
    assert work(steps, taken) == work(Steps(), [])
    assert taken == [0, 1, 2], "none of them twice"
    steps.finish()
    assert list(tmp_path.iterdir()) == []


def test_steps_of_other_work_are_not_taken_over_and_nothing_of_anybody_else_is_removed(tmp_path: Path) -> None:
    folder, taken = tmp_path / "new" / "result.partial", list[int]()
    work(KeptSteps(folder, lambda: {"seed": 1}, nothing), taken)
    (folder / "my own.json").write_text("{}")
    steps = KeptSteps(folder, lambda: {"seed": 2}, nothing)
    work(steps, taken)
    assert taken == [0, 1, 2] * 2
    steps.finish()
    assert [path.name for path in folder.iterdir()] == ["my own.json"]
    (tmp_path / "file.partial").write_text("a file")
    with pytest.raises(ValueError, match="file.partial cannot be written"):
        work(KeptSteps(tmp_path / "file.partial", dict, nothing), taken)
    KeptSteps(tmp_path / "file.partial", dict, nothing).finish()
    assert (tmp_path / "file.partial").read_text() == "a file"


@pytest.mark.parametrize("foreign", [(), ("my own.json",)])
def test_steps_that_a_kill_left_beside_a_whole_result_are_removed_once_it_is_asked_for_again(
    foreign: tuple[str, ...], tmp_path: Path
) -> None:
    result, folder = tmp_path / "result", tmp_path / "result.partial"
    work(KeptSteps(folder, dict, nothing), [])
    for name in foreign:
        (folder / name).write_text("{}")
    tidy(result)
    assert len(list(folder.iterdir())) == 3 + len(foreign), "the result is not there yet"
    result.write_text("whole")
    tidy(result)
    assert [path.name for path in tmp_path.rglob("*.json")] == list(foreign) and folder.exists() == bool(foreign)


def test_work_of_one_step_keeps_nothing_and_whoever_watches_is_told_before_each(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    steps = KeptSteps(tmp_path / "result.partial", dict, lambda done, total: told.append((done, total)))
    assert steps.take("part", 0, 1, lambda: 7) == 7
    assert list(tmp_path.iterdir()) == []
    work(steps, [])
    assert told == [(0, 1), (0, 3), (1, 3), (2, 3)]
    steps.finish()
