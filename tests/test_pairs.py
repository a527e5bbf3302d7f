"""Two processes at one run, one order or one cache: one works, the other waits or is told who works."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from contracts import check_equal_states, logged
from PIL import Image

import gannet
from gannet.recipe import dump_yaml
from gannet.runtime.locks import NO_LOCKS, locked
from gannet.tasks import generation

SOAKED = 20
TOLD = r"gannet: Another process is {} \(number \d+ on \S+, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\S+\); wait for it"
DECODE = "from gannet.data.cache import build_dataset; from gannet.data.sources import open_source; "
DECODE += "from gannet.media import image; import sys; "
DECODE += "print(build_dataset(open_source(sys.argv[1]), {'real': image.medium.field(64, 64, 3)}).digests.sum())"


def start(*words: object, code: str = "", **variables: str) -> subprocess.Popen[str]:
    program = ["-c", code] if code else ["-m", "gannet"]
    command = [sys.executable, *program, *map(str, words)]
    environment = {**os.environ, **variables}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def ends(*processes: subprocess.Popen[str]) -> list[tuple[int, str, str]]:
    """The exit code and the words of each, the one that came furthest first."""
    told = [process.communicate(timeout=240) for process in processes]
    return sorted((process.returncode, *words) for process, words in zip(processes, told, strict=True))


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run that was stopped at its beginning."""
    recipe = tmp_path / "begun.yaml"
    recipe.write_text(dump_yaml(generation.example().model_copy(update={"images": 3_200, "name": "begun"})))
    return gannet.train(str(recipe), out=tmp_path / "begun", should_stop=(tmp_path / "begun").exists).folder


def check_two_resumes(begun: Path, whole: Path, again: Path) -> None:
    shutil.copytree(begun, again)
    (first, _, errors), (second, _, told) = ends(*(start("train", "--resume", again) for _ in range(2)))
    assert first == 0, errors
    if second:
        assert second == 2 and re.search(TOLD.format(f"training {re.escape(str(again))}"), told), told
    else:  # The machine was so busy that it began when the other had ended.
        assert "finished already" in told + errors
    check_equal_states(whole, again)


def test_of_two_resumes_one_works_and_one_is_told(begun: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(begun, tmp_path / "whole"))
    gannet.train(resume=whole)
    check_two_resumes(begun, whole, tmp_path / "again")


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_of_many_pairs_at_one_run_nothing_is_lost(begun: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(begun, tmp_path / "whole"))
    gannet.train(resume=whole)
    for pair in range(SOAKED):
        check_two_resumes(begun, whole, tmp_path / f"again-{pair}")


def test_a_run_that_trains_is_judged_and_applied_and_free_when_it_is_killed(begun: Path, tmp_path: Path) -> None:
    training = start("train", "--resume", begun, "--set", "images=1_000_000")
    while training.poll() is None and not (begun / "log.jsonl").read_text():
        time.sleep(0.05)
    for _ in range(2):  # Within one process as well.
        with pytest.raises(ValueError, match=rf"Another process is training .*\(number {training.pid} on "):
            gannet.train(resume=begun)
    assert gannet.load(begun)(num=2).values.shape == (2, 1, 8, 8)
    gannet.judge(begun, query=gannet.api.JudgeOptions(num=100))
    training.send_signal(signal.SIGKILL)
    training.communicate()
    reached = len(logged(begun))
    assert gannet.train(resume=begun, set={"images": 64 * (reached + 1)}).ending == "finished"
    assert not (begun / ".lock.json").exists()


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_two_orders(run: Path, whole: Path, out: Path) -> None:
    words = ("apply", run, "--num", "1500", "--out", out)
    (first, _, errors), (second, _, told) = ends(start(*words), start(*words))
    assert (first, second) == (0, 2), errors + told
    assert re.search(TOLD.format(f"writing {re.escape(str(out))}") + "|exists; choose another name", told), told
    assert files_in(out) == files_in(whole)
    assert not out.with_name(f"{out.name}.partial").exists()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_of_many_pairs_at_one_order_nothing_is_lost(tiny_run: Path, tmp_path: Path) -> None:
    gannet.apply(tiny_run, out=tmp_path / "whole", num=1500)
    for pair in range(SOAKED):
        check_two_orders(tiny_run, tmp_path / "whole", tmp_path / f"new-{pair}")


def check_two_caches(pictures: Path, cache: Path) -> None:
    """The second one waits, and opens what the first one made."""
    decoding = [start(pictures, code=DECODE, GANNET_CACHE=str(cache)) for _ in range(2)]
    (first, one, errors), (second, other, told) = ends(*decoding)
    assert (first, second) == (0, 0), errors + told
    assert one == other
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 1


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_of_many_pairs_at_one_cache_nothing_is_lost(tmp_path: Path) -> None:
    random, pictures = np.random.default_rng(0), tmp_path / "pictures"
    pictures.mkdir()
    for index in range(400):
        Image.fromarray(random.integers(0, 256, (96, 96, 3), np.uint8)).save(pictures / f"{index}.png")
    for pair in range(SOAKED):
        check_two_caches(pictures, tmp_path / f"cache-{pair}")


NOTES = ["", "[]", "[" * 100_000, '{"process": 0, "host": "", "since": ""}', '{"process": "x"}']


@pytest.mark.parametrize("note", NOTES, ids=range(len(NOTES)))
def test_a_damaged_note_names_nobody(note: str, tmp_path: Path) -> None:
    with locked(tmp_path / "lock", "Held", "wait.", lambda: None):
        assert json.loads((tmp_path / "lock.json").read_text())["process"] == os.getpid()
        (tmp_path / "lock.json").write_text(note)
        with pytest.raises(ValueError, match="^Held; wait.$"), locked(tmp_path / "lock", "Held", "wait.", lambda: None):
            raise AssertionError
    assert not (tmp_path / "lock.json").exists()


@pytest.mark.parametrize("code", NO_LOCKS)
def test_where_there_are_no_locks_work_goes_on_and_it_is_said(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*words: object, **options: object) -> None:
        raise OSError(code, "no locks")

    monkeypatch.setattr("gannet.runtime.locks.FileLock.acquire", refuse)
    said: list[str] = []
    with locked(tmp_path / "lock", "Held", "wait.", lambda: said.append("none")):
        assert said == ["none"] and not (tmp_path / "lock.json").exists()
