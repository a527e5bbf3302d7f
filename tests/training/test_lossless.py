"""Nothing is ever lost: real processes are killed, disks fill, files are damaged, and the run goes on as if not."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from contracts import check_equal_states, make_trainer

import gannet
from gannet.recipe import dump_yaml
from gannet.tasks import generation
from gannet.training.checkpoint import CheckpointFolder

RECIPE = generation.example().model_copy(update={"images": 3_200, "name": "killed"})
# Kills the process, without a chance to clean up, in the middle of its n-th synced write.
KILL_IN_A_WRITE = """
import os, signal, sys
from gannet import cli
from gannet.runtime import files
whole, left = os.fsync, [int(sys.argv.pop(1))]
def fsync(handle):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(handle)
os.fsync = fsync
cli.main()
"""
PLAIN = "from gannet.cli import main; main()"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nobody interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    finish(folder)
    return folder / "run"


def begin(
    folder: Path, code: str = PLAIN, *first: object, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start the run, or go on with it where it exists."""
    run = folder / "run"
    recipe = folder / "killed.yaml"
    if not recipe.exists():
        recipe.write_text(dump_yaml(RECIPE))
    words = ["--resume", run] if run.exists() else [recipe, "--out", run]
    whole_command = [sys.executable, "-c", code, *map(str, first), "train", *map(str, words)]
    variables = {**os.environ, **(environment or {})}
    return subprocess.Popen(whole_command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=variables)


def finish(folder: Path) -> None:
    process = begin(folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def kill_in_write(folder: Path, number: int) -> None:
    process = begin(folder, KILL_IN_A_WRITE, number)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL


def kill_when(folder: Path, ready: str, seconds: float) -> None:
    """Kill the process some time after files of this pattern appear in the run's folder."""
    process = begin(folder)
    while process.poll() is None and not list((folder / "run").glob(ready)):
        time.sleep(0.002)
    time.sleep(seconds)
    process.kill()
    process.communicate()


def test_a_killed_run_equals_a_whole_one(whole: Path, tmp_path: Path) -> None:
    kill_in_write(tmp_path, 4)  # While the very first checkpoint is written.
    kill_when(tmp_path, "state/[0-9]*[1-9]*.safetensors", 0.05)
    kill_in_write(tmp_path, 40)
    finish(tmp_path)
    check_equal_states(whole, tmp_path / "run")


def test_a_run_killed_before_its_first_checkpoint_starts_from_zero(whole: Path, tmp_path: Path) -> None:
    kill_when(tmp_path, "recipe.yaml", 0.0)
    assert not list((tmp_path / "run" / "state").glob("*.safetensors"))
    finish(tmp_path)
    check_equal_states(whole, tmp_path / "run")


@pytest.mark.soak
def test_a_run_killed_ten_times_at_random_equals_a_whole_one(tmp_path: Path) -> None:
    chance = random.Random(os.getpid())
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        (folder / "killed.yaml").write_text(dump_yaml(RECIPE.model_copy(update={"images": 25_600})))
    finish(whole)
    for _ in range(5):
        kill_in_write(killed, chance.randint(4, 30))
        kill_when(killed, "state/*.safetensors", chance.uniform(1.0, 4.0))
    assert CheckpointFolder(killed / "run" / "state", 1).newest()["progress"]["images"] < 25_600
    finish(killed)
    check_equal_states(whole / "run", killed / "run")


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals")
@pytest.mark.parametrize(
    ("name", "job", "code"),
    [("SIGTERM", "", 143), ("SIGHUP", "", 129), ("SIGINT", "", 130), ("SIGUSR1", "", 75), ("SIGTERM", "17", 75)],
)
def test_a_signal_saves_and_leaves(name: str, job: str, code: int, tmp_path: Path) -> None:
    process = begin(tmp_path, environment={"SLURM_JOB_ID": job} if job else {})
    while process.poll() is None and not list((tmp_path / "run" / "state").glob("*[1-9]*.safetensors")):
        time.sleep(0.002)
    for _ in range(2):  # `timeout` sends it to the process and to its group.
        process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert b"Traceback" not in errors
    saved = sorted((tmp_path / "run" / "state").glob("*.safetensors"))[-1]
    assert 0 < int(saved.stem) < RECIPE.images


def break_newest(run: Path, damage: bytes | None = None) -> Path:
    path = sorted((run / "state").glob("*.safetensors"))[-1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(damage if damage is not None else bytes(content))
    return path


@pytest.mark.parametrize("damage", [None, b"", b"cos\nsystem\n(S'touch hacked'\ntR."])
def test_a_damaged_checkpoint_is_refused_and_the_one_before_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | None
) -> None:
    monkeypatch.chdir(tmp_path)
    make_trainer(generation.example(), tmp_path / "run").run()
    (tmp_path / "run" / "recipe.yaml").write_text(dump_yaml(generation.example()))
    path = break_newest(tmp_path / "run", damage)
    with pytest.raises(ValueError, match="Delete it to continue from the checkpoint before it"):
        gannet.train(resume=tmp_path / "run")
    assert not (tmp_path / "hacked").exists()
    path.unlink()
    assert gannet.train(resume=tmp_path / "run").ending == "finished"


def test_a_full_disk_is_one_sentence_and_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    trainer = make_trainer(generation.example(), tmp_path)
    trainer.checkpoint()
    trainer.round()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # The kernel refuses to write more, as on a full disk.
    try:
        with pytest.raises(ValueError, match="The disk is full"):
            trainer.checkpoint()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["000000000000.safetensors"]
    assert make_trainer(generation.example(), tmp_path).resume()


def test_only_the_newest_and_the_best_checkpoints_stay(tmp_path: Path) -> None:
    trainer = make_trainer(generation.example(), tmp_path)
    trainer.run()
    kept = [int(path.stem) for path in trainer.checkpoints.paths()]
    assert kept[-2:] == [384, 512]
    assert set(kept[:-2]) <= {trainer.best["images"]}
    assert (tmp_path / "model" / "best.safetensors").exists()


def test_a_checkpoint_of_another_game_is_refused(tmp_path: Path) -> None:
    make_trainer(generation.example(), tmp_path).checkpoint()
    other = generation.example().model_copy(update={"network": generation.Choice(name="mlp", width=8)})
    with pytest.raises(ValueError, match="is of another game"):
        make_trainer(other, tmp_path).resume()


def test_what_a_killed_process_was_writing_is_removed_from_the_whole_run(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead = process.pid
    names = ("state/.1.partial", f"model/.model.safetensors.{dead}.partial", f"samples/.2.png.{dead}.partial.png")
    names = (*names, f"state/.1.safetensors.{os.getpid()}.partial", "samples/.2.partial.png")  # The last by old code.
    torn = [tmp_path / name for name in names]
    kept = [tmp_path / name for name in ("model/model.safetensors", "samples/2.png")]
    for path in [*torn, *kept]:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    CheckpointFolder(tmp_path / "state", 2).prepare()
    assert not any(path.exists() for path in torn) and all(path.exists() for path in kept)


def test_what_another_process_is_writing_into_the_run_stays(tmp_path: Path) -> None:
    """As `gannet judge` may while the run is resumed; a folder of such a name is nobody's to remove."""
    code = "from pathlib import Path; from gannet.runtime.partial import partial_path as p; "
    code += f"run = Path({str(tmp_path)!r}); p(run / 'judgement.json').touch(); "
    code += "p(run / 'samples' / '1.png', '.png').touch(); input()"
    (tmp_path / "samples").mkdir()
    folders = [tmp_path / name for name in (".mine.partial", ".old.999999999.partial", "state/.x.partial")]
    for folder in folders:
        folder.mkdir(parents=True)
    (tmp_path / ".mine.partial.txt").touch()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as other:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.rglob(f".*.{other.pid}.partial*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        CheckpointFolder(tmp_path / "state", 2).prepare()
        assert len(list(tmp_path.rglob(f".*.{other.pid}.partial*"))) == 2
        other.communicate(b"\n")
    CheckpointFolder(tmp_path / "state", 2).prepare()
    assert not list(tmp_path.rglob(f".*.{other.pid}.partial*"))
    assert all(folder.is_dir() for folder in folders) and (tmp_path / ".mine.partial.txt").exists()
