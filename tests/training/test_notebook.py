"""In a notebook a line below the cell tells how far a verb is, without anybody having asked for it."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import gannet
from gannet.runtime.process import in_notebook
from gannet.runtime.progress import Progress
from gannet.training.progress import Terminal


def ipython(**shell: object) -> SimpleNamespace:
    """IPython as it is loaded; a notebook's shell has a kernel."""
    return SimpleNamespace(get_ipython=lambda: SimpleNamespace(**shell) if shell else None)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", ipython(kernel=object()))  # type: ignore[arg-type]


def test_a_notebook_is_told_by_the_kernel_of_its_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for shell, told in (
        ({"kernel": object()}, True),
        ({"kernel": None}, False),
        ({"colors": "no"}, False),
        ({}, False),
    ):
        monkeypatch.setitem(sys.modules, "IPython", ipython(**shell))  # type: ignore[arg-type]
        assert in_notebook() == told
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def seen(printed: str) -> list[str]:
    """What stands there once carriage returns have written over what was before them."""
    lines = []
    for line in printed.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def test_a_line_is_written_over_and_notes_stay(notebook: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal("Judging") as shown:
        shown.screen.every = 0
        shown(Progress(1, 9), "reading a long list of words")
        shown(Progress(1, 9, "2 cannot be read"), "")
        shown(Progress(9, 9), "done")
    printed, complaints = capsys.readouterr()
    assert not complaints
    assert seen(printed) == ["2 cannot be read", "Judging · 9/9 · done", ""]


def test_it_changes_a_few_times_a_second_at_most(notebook: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal() as shown:
        for done in range(500):
            shown(Progress(done, 500), "words")
    assert capsys.readouterr().out.count("\r") < 100


def test_a_verb_in_a_notebook_shows_how_far_it_is(
    notebook: None, tiny_yaml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gannet.train(str(tiny_yaml), out=tmp_path / "run")
    *_, last, end = seen(capsys.readouterr().out)
    assert last.startswith("Training · 100% · ") and " 512/512 pictures" in last and not end


def test_nothing_is_shown_beside_what_was_asked_for_nor_outside_of_notebooks(
    tiny_yaml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gannet.doctor("digits")
    monkeypatch.setitem(sys.modules, "IPython", ipython(kernel=object()))  # type: ignore[arg-type]
    told: list[object] = []
    gannet.doctor("digits", on_progress=lambda *words: told.append(words))
    assert told and capsys.readouterr() == ("", "")


def test_a_line_that_cannot_be_written_ends_nothing(notebook: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    with Terminal() as shown:
        shown(Progress(1, 2), "words")
    assert shown.silent
