"""A run that is asked to stop is saved, from any thread, and goes on as if nothing had happened."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from contracts import check_equal_states

import gannet
from gannet.commands.summary import summarize
from gannet.commands.train import fit, prepare, split_of
from gannet.recipe import dump_yaml, load_recipe
from gannet.runtime.progress import Progress
from gannet.runtime.signals import Left
from gannet.tasks import generation
from gannet.training.callbacks import Status
from gannet.training.checkpoint import CheckpointFolder
from gannet.training.trainer import Trainer

IMAGES = 1_600
PROCESSES = """
import sys, gannet
from pathlib import Path
from gannet.runtime.devices import is_first
from gannet.runtime.process import own_process
own_process()
seen = []
run = gannet.train(sys.argv[1], out=sys.argv[2], should_stop=lambda: seen.append(0) or len(seen) == (3, 9)[is_first()])
Path(sys.argv[2] + ("-first" if is_first() else "-second")).write_text(f"{run.ending} {len(seen)}")
"""


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "stopped.yaml"
    recipe = generation.example().model_copy(update={"images": IMAGES, "name": "stopped"})
    path.write_text(dump_yaml(recipe))
    split_of(prepare(recipe))  # Decoding would be the first to be asked, and leave no run.
    return str(path)


def saved(run: Path) -> int:
    newest = CheckpointFolder(run / "state", 1).newest()
    assert newest is not None
    return int(newest["progress"]["images"])


def test_a_run_in_a_thread_is_stopped_from_outside_and_goes_on(recipe: str, tmp_path: Path) -> None:
    started, stop, seen, ended = threading.Event(), threading.Event(), list[Progress](), list[gannet.Run]()

    def watch(progress: Progress, words: str) -> None:
        assert isinstance(progress, Status) and (progress.done, progress.total) == (progress.images, IMAGES)
        assert not {"rule", "undecided", "healthy"} & set(words.split())
        seen.append(progress)
        started.set()
        stop.wait(60)

    def work() -> None:
        run = gannet.train(recipe, out=tmp_path / "run", should_stop=stop.is_set, on_progress=watch)
        ended.append(run)

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(60)
    stop.set()
    thread.join(60)
    batch = ended[0].recipe.batch
    assert [run.ending for run in ended] == ["interrupted"]
    assert [progress.done for progress in seen] == [batch]  # It was asked within the first round, and left after it.
    assert saved(tmp_path / "run") == batch
    assert gannet.train(resume=tmp_path / "run").ending == "finished"
    gannet.train(recipe, out=tmp_path / "whole")
    check_equal_states(tmp_path / "whole", tmp_path / "run")


def test_two_runs_at_once_do_not_disturb_each_other(recipe: str, tmp_path: Path) -> None:
    outs = [{"out": tmp_path / name} for name in ("one", "two")]
    runs = [threading.Thread(target=gannet.train, args=(recipe,), kwargs=out) for out in outs]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    check_equal_states(tmp_path / "one", tmp_path / "two")


def test_a_run_asked_before_it_begins_is_saved_at_once(recipe: str, tmp_path: Path) -> None:
    run = gannet.train(recipe, out=tmp_path / "run", should_stop=lambda: True)
    assert run.ending == "interrupted"
    assert saved(run.folder) == 0
    words = f"has not learned yet; go on with: gannet train --resume {run.folder}"
    assert summarize(run)[1] == [f"Stopped before the first round was over, so it {words}"]
    for use in (gannet.load, gannet.judge, gannet.apply):
        for target in (run.folder, run.folder / "model"):
            with pytest.raises(ValueError, match=re.escape(f"{target} {words}")):
                use(target)
    gannet.train(resume=run.folder, set={"images": 64})
    assert gannet.load(run.folder)


def test_a_run_that_is_left_before_it_is_saved_says_how_it_goes_on(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(trainer: Trainer) -> None:
        raise Left(signal.SIGINT)

    monkeypatch.setattr(Trainer, "run", leave)
    run = tmp_path / "run"
    for given in ({"target": recipe, "out": run}, {"resume": run}):
        with pytest.raises(Left) as left:
            gannet.train(**given)
        assert left.value.words == f"Stopped; go on with: gannet train --resume {run}"
    with pytest.raises(Left) as left:
        fit(load_recipe(recipe))
    assert left.value.words == "Stopped."


@pytest.mark.skipif(os.name == "nt", reason="torchrun needs a system like Unix")
def test_processes_agree_to_stop_when_one_is_asked(recipe: str, tmp_path: Path) -> None:
    script, out = tmp_path / "stop.py", tmp_path / "run"
    script.write_text(PROCESSES)
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", script, recipe, out]
    ended = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr
    (one, asked), (other, said_so) = (Path(f"{out}-{name}").read_text().split() for name in ("first", "second"))
    assert (one, other, said_so) == ("interrupted", "interrupted", "3")
    assert 3 <= int(asked) < 9  # The first was taken along.
    assert 0 < saved(out) < IMAGES
