"""No display ends a training: pipes and terminals close, disks fill up, viewers break, and the run comes to its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from contracts import check_equal_states, logged, make_trainer

import gannet
from gannet.commands import callbacks
from gannet.commands.summary import summarize
from gannet.recipe import dump_yaml
from gannet.runtime.files import load_tree
from gannet.runtime.progress import Progress, Watch
from gannet.runtime.signals import AGAIN, Interruption, Left, exit_code, leaving
from gannet.tasks import generation
from gannet.training import checkpoint
from gannet.training.logbook import Logbook
from gannet.training.progress import Terminal

unix = pytest.mark.skipif(os.name == "nt", reason="Windows has other terminals")


class Gone:
    """A stream whose reader is gone."""

    encoding = "utf-8"

    def __init__(self, error: Exception, terminal: bool) -> None:
        self.error, self.terminal = error, terminal

    def write(self, _: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "short.yaml"
    path.write_text(dump_yaml(generation.example().model_copy(update={"images": 64, "name": "short"})))
    return path


@pytest.fixture(scope="module")
def whole(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that is seen to its end."""
    return gannet.train(str(recipe), out=tmp_path_factory.mktemp("whole") / "run").folder


def train(recipe: Path, out: Path, **streams: Any) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "gannet", "train", recipe, "--out", out]
    return subprocess.Popen(list(map(str, words)), **streams)


def check_finished(process: subprocess.Popen[bytes], run: Path, whole: Path) -> None:
    assert process.wait(timeout=120) == 0
    check_equal_states(whole, run)


@unix
def test_a_closed_pipe_ends_no_run(recipe: Path, whole: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = train(recipe, tmp_path / "run", stdout=writing, stderr=writing)
    os.close(reading)
    os.close(writing)
    check_finished(process, tmp_path / "run", whole)


@unix
def test_a_closed_terminal_ends_no_run_that_was_told_to_stay(recipe: Path, whole: Path, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    process = train(recipe, tmp_path / "run", stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.close(ours)
    check_finished(process, tmp_path / "run", whole)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_under_the_output_ends_no_run(recipe: Path, whole: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        check_finished(train(recipe, tmp_path / "run", stdout=full, stderr=full), tmp_path / "run", whole)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize(("place", "code"), [("pipe", 0), ("/dev/full", 2)])
def test_a_list_that_nobody_reads_is_no_traceback(place: str, code: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    output = writing if place == "pipe" else os.open(place, os.O_WRONLY)
    command = [sys.executable, "-m", "gannet", "recipes"]
    ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == code
    assert ended.stderr.count("\n") == (code == 2)
    assert "No space left on device" in ended.stderr or not code


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "full"), ValueError("closed file")], ids=repr)
def test_a_display_falls_silent(error: Exception, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone(error, terminal))
    monkeypatch.setenv("TERM", "xterm")
    with Terminal() as shown:
        for done in range(3):
            shown(Progress(done, 3, "a note"), "words")
    assert shown.silent


def test_a_broken_viewer_is_told_of_once_and_the_log_goes_on(tmp_path: Path) -> None:
    class Broken:
        def add_scalar(self, *_: object) -> None:
            raise RuntimeError("the disk of the viewer is full")

    said: list[str] = []
    logbook = Logbook(tmp_path / "log.jsonl", None, said.append)
    logbook.writer = Broken()
    for images in (1, 2):
        logbook.append(images, {"losses": {"generator": 0.5}})
    assert len(said) == 1 and "TensorBoard" in said[0]
    assert [line["images"] for line in logged(tmp_path)] == [1, 2]


def test_a_report_that_cannot_be_written_stops_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run: Path) -> Path:
        raise ValueError("somebody holds it open")

    monkeypatch.setattr(callbacks, "write_report", fail)
    said: list[str] = []
    trainer = make_trainer(generation.example(), tmp_path)
    object.__setattr__(trainer.callbacks, "watch", Watch(lambda progress, _: said.append(progress.note)))
    assert trainer.run() == "finished"
    assert any("The report was not written (somebody holds it open)" in note for note in said)


def test_exit_codes_say_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert (exit_code(signal.SIGINT), exit_code(signal.SIGTERM)) == (130, 143)
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    assert (exit_code(signal.SIGINT), exit_code(signal.SIGTERM)) == (130, AGAIN)


@unix
def test_what_was_ignored_stays_ignored_and_a_program_keeps_its_own_signals() -> None:
    heard: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # As `nohup` does.
        signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGUSR1)
            assert (interruption.asked, heard) == (0, [signal.SIGUSR1])
            signal.raise_signal(signal.SIGTERM)
            assert interruption.asked == signal.SIGTERM
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_script_starts_in_the_background_ignores_ctrl_c_as_it_was_told(number: int) -> None:
    before = signal.signal(number, signal.SIG_IGN)  # As a shell without job control does of `command &`.
    try:
        with leaving(), Interruption() as interruption:
            signal.raise_signal(number)
            assert not interruption.asked
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@unix
def test_what_other_code_than_python_listens_to_stays_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr("gannet.runtime.signals.signal.getsignal", lambda _: None)
        with Interruption():
            patched.undo()
            assert signal.getsignal(signal.SIGINT) is before


@unix
def test_whoever_presses_is_told_at_once_and_once(capfd: pytest.CaptureFixture[str]) -> None:
    with Interruption("Stopping.") as interruption:
        signal.raise_signal(signal.SIGTERM)
        assert interruption.asked and not capfd.readouterr().err
    with Interruption("Stopping."):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert capfd.readouterr().err == "\nStopping.\n"


@unix
def test_a_second_press_acts_at_once_but_not_the_echo_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10.0, 10.1, 11.0])
    monkeypatch.setattr("gannet.runtime.signals.time.monotonic", lambda: next(moments))
    with pytest.raises(Left) as left, leaving(), Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert interruption.asked == signal.SIGINT
        signal.raise_signal(signal.SIGINT)
    assert left.value.number == signal.SIGINT


def files(run: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of everything in a run, but for the lock that tells nothing."""
    found = [path for path in run.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(run).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


@pytest.mark.parametrize("changes", [{}, {"referee": "rule"}], ids=["finished", "converged"])
def test_a_run_that_is_over_is_left_alone(changes: dict[str, str], tmp_path: Path) -> None:
    referee = {"referee.stop_on": "rule", "referee.share": 0.0} if changes else {}
    path = tmp_path / "over.yaml"
    path.write_text(dump_yaml(generation.example()))
    run = gannet.train(str(path), out=tmp_path / "run", set=referee)
    assert run.ending == ("converged" if changes else "finished")
    before, said = files(run.folder), list[str]()
    again = gannet.train(resume=run.folder, on_progress=lambda progress, _: said.append(progress.note))
    assert again.ending == run.ending and files(run.folder) == before
    (told,) = said
    assert "is finished already, after" in told
    assert ("--set referee.stop_on=never" if changes else "--set images=N") in told
    assert summarize(again)[1] == [], "what was said when it ended is not said again"


def test_a_run_goes_on_after_its_checkpoint_was_read_whole_once(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "over.yaml"
    path.write_text(dump_yaml(generation.example()))
    run = gannet.train(str(path), out=tmp_path / "run")
    read: list[Path] = []
    monkeypatch.setattr(checkpoint, "load_tree", lambda path: read.append(path) or load_tree(path))
    gannet.train(resume=run.folder, set={"images": run.recipe.images + run.recipe.batch})
    assert len(read) == 1


def test_a_damaged_checkpoint_of_a_finished_run_is_told_and_those_before_it_stay(tmp_path: Path) -> None:
    path = tmp_path / "over.yaml"
    path.write_text(dump_yaml(generation.example()))
    run = gannet.train(str(path), out=tmp_path / "run")
    before = sorted((run.folder / "state").iterdir())
    content = bytearray(before[-1].read_bytes())
    content[-1] ^= 1
    before[-1].write_bytes(content)
    with pytest.raises(ValueError, match="Delete it to continue from the checkpoint before it"):
        gannet.train(resume=run.folder, set={"checkpoint.keep": 1})
    assert sorted((run.folder / "state").iterdir()) == before
