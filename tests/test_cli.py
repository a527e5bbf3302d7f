"""The command line: each verb once, and every mistake of a user in one sentence."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Ended
from PIL import Image

import gannet
from gannet.commands.bench import Operations, bench, prepare_for
from gannet.commands.options import BenchOptions
from gannet.commands.train import configure, prepare
from gannet.recipe import preset_names
from gannet.runs.folder import read_recipe
from gannet.runtime.files import load_tensors, load_tree

Command = Callable[..., Ended]
SECONDS_TO_WAIT = 120
INITIAL = "state/000000000000.safetensors"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with what users point at by mistake."""
    monkeypatch.delenv("GANNET_DATA", raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "notes.txt").touch()
    (tmp_path / "taken.png").touch()
    write_pictures(tmp_path / "lonely", 1)
    write_pictures(tmp_path / "flat", 6)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_pictures(folder: Path, count: int, side: int = 12) -> None:
    """Write so many pictures of noise."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(sum(map(ord, folder.name)))
    for index in range(count):
        Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)).save(folder / f"{index}.png")


def result(ended: Ended, verb: str) -> Any:
    """The result of a command that was asked for JSON: one document on standard output, and nothing else."""
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert set(document) == {"gannet", "verb", "result"}
    assert (document["gannet"], document["verb"]) == (gannet.__version__, verb)
    return document["result"]


def contents(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def logged(run: Path) -> list[int]:
    """The images seen at each line of the log."""
    return [json.loads(line)["images"] for line in (run / "log.jsonl").read_text().splitlines()]


def python(code: str) -> str:
    asked = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=SECONDS_TO_WAIT).stdout


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["train", "--help"], ["augment", "--help"], ["judge", "--help"], ["recipes"]]
)
def test_asking_for_help_does_not_wait_for_torch(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['gannet', *{words}]\nfrom gannet.cli import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules; print('light')"
    )
    assert python(code).rstrip().endswith("light")


def test_importing_is_light_and_names_load_when_used() -> None:
    code = (
        "import sys, gannet; assert 'torch' not in sys.modules; assert 'yaml' not in sys.modules\n"
        "assert set(gannet.__all__) <= set(dir(gannet)); gannet.load_recipe; assert 'torch' not in sys.modules\n"
        "assert all(getattr(gannet, name) is not None for name in gannet.__all__); print('torch' in sys.modules)"
    )
    assert python(code).strip() == "True"
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        gannet.trian  # noqa: B018


def test_version(gannet_command: Command) -> None:
    assert gannet_command("--version") == (0, f"gannet {gannet.__version__}\n", "")


@pytest.mark.parametrize("words", [(), ("train",), ("recipes",), ("apply", "fashion-mnist")])
def test_help_is_a_verb_too(words: tuple[str, ...], gannet_command: Command) -> None:
    told = gannet_command("help", *words)
    assert told == gannet_command(*words, "--help") and told.code == 0 and "Usage" in told.out


def test_the_keys_of_a_recipe_are_told(gannet_command: Command) -> None:
    found = result(gannet_command("recipes", "digits", "--json"), "recipes")
    keys = {key["name"]: key for key in found}
    assert keys["network.width"]["value"] == 64 and keys["network.width"]["default"] == "auto"
    assert keys["network.width"]["type"] == "whole number (at least 1) or auto"
    assert keys["optimizer.generator.learning_rate"]["value"] == 5e-4 and "task.conditional" in keys
    lines = gannet_command("recipes", "digits").out.splitlines()
    assert "network.width=64 · whole number (at least 1) or auto; default auto" in lines
    assert len(lines) == 2 * len(found)


def test_a_dot_in_a_folders_name_is_no_format(here: Path, tiny_run: Path, gannet_command: Command) -> None:
    assert gannet_command("apply", tiny_run, "--num", 3, "--out", "x_s0.3").code == 0
    assert len(list((here / "x_s0.3").rglob("*.png"))) == 3
    gannet.load(tiny_run)(num=3).save("y_s0.3")
    assert len(list((here / "y_s0.3").rglob("*.png"))) == 3


def test_recipes_are_listed(gannet_command: Command) -> None:
    found = result(gannet_command("recipes", "--json"), "recipes")
    assert sorted(found) == preset_names()
    lines = gannet_command("recipes").out.splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == preset_names()
    assert all(about in line for about, line in zip(found.values(), lines, strict=True))


def test_a_dry_run_leaves_nothing_behind(here: Path, gannet_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANNET_CACHE", str(here / "cache"))
    before = contents(here)
    words = ("train", "digits", "--dry-run", "--set", "images=256", "--set", "network.width=4", "--out", "new")
    found = result(gannet_command(*words, "--json"), "train")
    assert contents(here) == before
    assert found["recipe"]["images"] == 256
    assert found["parameters"].keys() == {"generator", "discriminator"}
    assert all(count > 0 for count in (found["memory"], found["seconds"], *found["parameters"].values()))
    plain = gannet_command(*words)
    assert plain.code == 0
    assert "images: 256" in plain.out
    assert contents(here) == before


MISTAKES = [
    ("augment digits --out new --kinds rotatoin", "did you mean 'rotation'"),
    ("augment digits --out new --kinds rotation=999", "from 0 to 180"),
    ("augment digits --out new --kinds hue", "are grey"),
    ("augment digits --out new --times 5", "20% of the data would be healthy"),
    ("augment digits --out new.parquet", "neither a folder's name nor a .zip"),
    ("augment digits --out RUN", "exists"),
    ("augment digits --out new --with absent", "absent is no run"),
    ("augment absent --out new", "no data called"),
    ("judge RUN --leaks nosie", "did you mean 'noise'"),
    ("train digits --set augment.name=adda", "did you mean 'ada'"),
    ("train digits --set augment.name=ada --set augment.cap=2", "augment.cap"),
    ("train digits --set augment.name=ada --set augment.caap=0.5", "did you mean 'augment.cap'"),
    ("train recognition digits --set augment.name=ada", "no discriminator"),
    ("train flow-matching digits --set augment.name=ada", "no discriminator"),
    ("train digits --set augment.name=ada --set augment.kinds=[jpeg]", "cannot learn through jpeg"),
    ("train ring --set augment.name=ada", "these samples are points"),
    ("train digts", "did you mean 'digits'"),
    ("train absent.yaml", "no recipe file 'absent.yaml'"),
    ("train", "takes either a recipe or --resume RUN"),
    ("train digits --resume RUN", "takes either a recipe or --resume RUN"),
    ("train digits --set imagse=5", "did you mean 'images'"),
    ("train digits --set epochs=5", "here it is images=N"),
    ("train digits --set lr=1", "optimizer.generator.learning_rate and optimizer.discriminator.learning_rate"),
    ("train digits --set optimizer.lr=1", "Unknown key 'optimizer.lr'; here it is optimizer.generator.learning_rate"),
    ("train digits --set devices=1", "did you mean 'device'"),
    ("train digits --set network.widht=5", "did you mean 'network.width'"),
    ("train digits --epochs 5", "There is no option --epochs; here it is images=N"),
    ("train digits --batch-size 5", "here it is batch=N"),
    ("train digits --lr=1e-3", "optimizer.generator.learning_rate"),
    ("train digits --gpus 2", "torchrun"),
    ("train digits --num-workers 2", "no option: data are decoded once"),
    ("train digits --images 5", "--set images=VALUE"),
    ("bench digits --network.width 5", "--set network.width=VALUE"),
    ("train digits --out -", "give a name instead of `-`"),
    ("apply RUN --out -", "give a name instead of `-`"),
    ("augment digits --out -", "give a name instead of `-`"),
    ("export RUN --out -", "give a name instead of `-`"),
    ("recipes digts", "did you mean 'digits'"),
    ("help trian", "Did you mean 'train'?"),
    ("train digits --set batch", "--set takes key=value"),
    ("train digits --set images=-5", "images: "),
    ("train digits --set network.name=dcgn", "did you mean 'dcgan'"),
    ("train digits --set task.name=genration", "did you mean 'generation'"),
    ("train digits --set device=gpu", "did you mean 'cpu'"),
    ("train digits --stop-on banana", "'never' or 'rule'"),
    ("train images absent", "no data called 'absent'"),
    ("train images empty", "empty holds no pictures"),
    ("train images falt", "did you mean flat?"),
    ("train images words", "1 other files were ignored"),
    ("train images flat/0.png", "single picture"),
    ("train mnist", "GANNET_DATA"),
    ("train images", "has no data of its own"),
    ("train images flat --set task.conditional=true", "has no labels"),
    ("train ring --set network.name=dcgan", "network"),
    ("train digits --out empty", "exists"),
    ("train digits --out RUN", "gannet train --resume"),
    ("train digits --from empty", "There is no model in"),
    ("train digits --from absent", "There is no run or model at 'absent'"),
    ("train --resume empty", "is not a run"),
    ("train --resume absent", "There is no run at absent"),
    ("train --resume RUN --set batch=32", "batch cannot change"),
    ("train --resume RUN --set network.width=32", "network.width cannot change"),
    ("train --resume RUN --set imagse=5", "imagse cannot change"),
    ("apply absent", "There is no run or model at 'absent'"),
    ("apply semantic-synthesis", "gannet train semantic-synthesis"),
    ("apply empty", "There is no model in"),
    ("apply RUN --out taken.png", "taken.png exists"),
    ("apply RUN --out empty", "empty exists"),
    ("apply RUN --out new.bmp", ".png, .jpg"),
    ("apply RUN --out new --frames 3", ".gif"),
    ("apply RUN --num 0", "num and frames are 1 or more"),
    ("apply RUN --seed -1", "seed 0 or more"),
    ("apply RUN --class eleven", "does not know the class 'eleven'"),
    ("apply RUN --weights ../state/x", "plain word"),
    ("apply RUN --weights absent", "it has: best, model"),
    ("doctor absent", "no data called 'absent'"),
    ("doctor empty", "holds no pictures"),
    ("train recognition digits --set task.foo=1", "Unknown key 'task.foo'; none is allowed here"),
    ("apply judge-v1", "name the pictures to use it on"),
    ("judge absent", "There is no run or model at 'absent'"),
    ("judge empty", "There is no model in"),
    ("judge RUN absent", "no data called 'absent'"),
    ("judge RUN --weights absent", "it has: best, model"),
    ("judge RUN --num -1", "num"),
    ("train digits --set loss.name=hing", "did you mean 'hinge'"),
    ("train images lonely --out new", "only one readable picture"),
    ("train digits --set accumulate=64 --out new", "must be a multiple"),
    ("train --resume RUN --dry-run", "--resume"),
    ("train --resume RUN --out new", "--out"),
    ("train --resume RUN --from RUN", "--from"),
    ("train digits --from RUN --set images=64 --set network.width=16 --out new", "network.width"),
    ("apply RUN --out taken.png/new.png", "cannot be written"),
    ("apply RUN --num 2 --frames 2 --out new.jpg", ".gif"),
    ("apply RUN --engine fast", "no engine 'fast'"),
    ("apply RUN --num 0 --out new.zip", "num and frames are 1 or more"),
    ("apply RUN --out taken.png/new.zip", "cannot be written"),
    ("apply RUN --out taken.png/new", "cannot be written"),
    ("apply RUN --frames 2 --out new.zip", ".gif"),
    ("average absent", "There is no run at absent"),
    ("average empty", "is not a run"),
    ("average RUN", "--set average.widths=[0.05,0.1,0.2]"),
    ("average RUN --width 0", "width: "),
    ("export absent", "There is no run or model at 'absent'"),
    ("export RUN --to tflite", "give --to onnx"),
    ("export RUN --out new.bin", ".onnx"),
    ("export RUN --out taken.png", "taken.png exists"),
    ("export RUN --out taken.png/new.onnx", "cannot be written"),
]


@pytest.mark.parametrize(("words", "named"), MISTAKES)
def test_a_mistake_ends_in_one_sentence(
    words: str, named: str, here: Path, tiny_run: Path, gannet_command: Command
) -> None:
    before, run_before = contents(here), contents(tiny_run)
    code, out, err = gannet_command(*(str(tiny_run) if word == "RUN" else word for word in words.split()))
    assert (code, out) == (2, "")
    assert err.startswith("gannet: ")
    assert err.count("\n") == 1
    assert err.rstrip()[-1] in ".?"
    assert named in err
    assert contents(here) == before
    assert contents(tiny_run) == run_before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_a_device_that_is_not_there_is_refused(here: Path, gannet_command: Command) -> None:
    before = contents(here)
    ended = gannet_command("train", "digits", "--set", "device=cuda", "--out", "new")
    assert ended == (2, "", "gannet: device=cuda was asked for, but this PyTorch finds none; set device=auto.\n")
    assert contents(here) == before


@pytest.mark.parametrize(
    "words", [["trian"], ["train", "digits", "--imges", "5"], ["apply"], ["judge", "x", "--num", "y"]]
)
def test_words_that_are_no_command_end_with_two(words: list[str], gannet_command: Command) -> None:
    code, out, err = gannet_command(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "--help" in err


@pytest.fixture(scope="module")
def trained(tiny_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run that a process of its own has trained with --json."""
    out = tmp_path_factory.mktemp("cli") / "run"
    words = ["train", str(tiny_yaml), "--out", str(out), "--set", "images=256", "--json"]
    asked = [sys.executable, "-m", "gannet", *words]
    return out, subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS_TO_WAIT)


def test_training_answers_with_one_document(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, ended = trained
    assert ended.stderr == ""
    found = result(Ended(ended.returncode, ended.stdout, ended.stderr), "train")
    assert (found["run"], found["ending"]) == (str(out), "finished")
    assert found["verdict"] == json.loads((out / "verdict.json").read_text())
    assert read_recipe(out).images == 256
    assert logged(out) == [64, 128, 192, 256]
    assert contents(out) > {"model/model.safetensors", "model/config.json", "samples/000000000256.png", "data.json"}


def test_training_tells_what_to_do_next(tiny_yaml: Path, here: Path, gannet_command: Command) -> None:
    code, out, _ = gannet_command("train", tiny_yaml, "--out", "deep/new", "--set", "images=32")
    assert code == 0
    assert "gannet apply deep/new" in out
    assert (here / "deep" / "new" / "model" / "model.safetensors").is_file()


def test_without_an_out_runs_are_numbered(tiny_yaml: Path, here: Path, gannet_command: Command) -> None:
    for _ in range(2):
        assert gannet_command("train", tiny_yaml, "--set", "images=32", "--json").code == 0
    assert sorted(path.name for path in (here / "runs").iterdir()) == ["example", "example-2"]


def test_applying_gives_a_sheet_files_or_a_film(tiny_run: Path, here: Path, gannet_command: Command) -> None:
    found = result(gannet_command("apply", tiny_run, "--num", 9, "--seed", 4, "--out", "sheet.png", "--json"), "apply")
    assert found.pop("engine", "torch") in {"torch", "bf16"}
    assert found == {"out": "sheet.png", "model": "example", "seed": 4, "count": 9, "left_out": []}
    assert gannet_command("apply", tiny_run, "--num", 9, "--seed", 4, "--out", "files", "--class", 3).code == 0
    assert gannet_command("apply", tiny_run, "--num", 3, "--frames", 4, "--out", "walk.gif") == (
        0,
        "Saved walk.gif.\n",
        "",
    )
    assert len(list((here / "files" / "3").iterdir())) == 9
    with Image.open(here / "sheet.png") as sheet, Image.open(here / "walk.gif") as film:
        assert sheet.width == sheet.height > 400
        assert film.n_frames > 1


def test_the_same_seed_gives_the_same_file(tiny_run: Path, here: Path, gannet_command: Command) -> None:
    for name in ("one.png", "two.png"):
        gannet_command("apply", tiny_run, "--num", 4, "--seed", 8, "--out", name)
    gannet_command("apply", tiny_run, "--num", 4, "--seed", 9, "--out", "other.png")
    one, two, other = ((here / name).read_bytes() for name in ("one.png", "two.png", "other.png"))
    assert one == two != other


def test_a_finished_run_goes_on_when_given_more_images(tiny_run: Path, here: Path, gannet_command: Command) -> None:
    run = Path(shutil.copytree(tiny_run, here / "run"))
    found = result(gannet_command("train", "--resume", "run", "--set", "images=640", "--json"), "train")
    assert found["ending"] == "finished"
    seen = logged(run)
    assert seen == list(range(64, 641, 64))
    before = (tiny_run / "log.jsonl").read_text()
    assert (run / "log.jsonl").read_text().startswith(before)


def test_a_run_with_stages_goes_on_in_its_last(tiny_yaml: Path, here: Path, gannet_command: Command) -> None:
    stages = "stages=[{name: fast, images: 128}, {name: slow, images: 64, learning_rate_scale: 0.1}]"
    gannet_command("train", tiny_yaml, "--out", "run", "--set", stages, "--set", "images=192")
    before = (here / "run" / "model" / "fast.safetensors").read_bytes()
    ended = gannet_command("train", "--resume", "run", "--set", "images=128")
    assert ended.code == 2 and "before the last stage, slow" in ended.err
    assert gannet_command("train", "--resume", "run", "--set", "images=320").code == 0
    assert [stage.images for stage in read_recipe(here / "run").stages] == [128, 192]
    assert (here / "run" / "model" / "fast.safetensors").read_bytes() == before
    assert logged(here / "run")[-1] == 320


def test_a_budget_that_leaves_stages_out_says_which_and_how_to_go_on(
    tiny_yaml: Path, here: Path, gannet_command: Command
) -> None:
    stages = "stages=[{name: fast, images: 128}, {name: slow, images: 64}]"
    changes = ("--set", stages, "--set", "images=192")
    ended = gannet_command("train", tiny_yaml, "--out", "run", *changes, "--set", "minutes=1e-6")
    assert "more: --resume run --set images=192." in ended.out and "that are not over: fast, slow." in ended.out
    ended = gannet_command("train", "--resume", "run", "--set", "images=160")
    assert "more: --resume run --set images=192." in ended.out and "that are not over: slow." in ended.out
    assert [stage.images for stage in read_recipe(here / "run").stages] == [128, 32]
    assert gannet_command("train", "--resume", "run", "--set", "log.every=32").code == 0
    found = result(gannet_command("train", "--resume", "run", "--set", "minutes=9", "--json"), "train")
    assert found["ending"] == "finished" and "unfinished" not in found
    recipe = read_recipe(here / "run")
    assert (recipe.images, recipe.log.every, logged(here / "run")[-1]) == (192, 32, 192)


def test_a_file_that_the_system_refuses_is_named(tiny_run: Path, here: Path, gannet_command: Command) -> None:
    run = Path(shutil.copytree(tiny_run, here / "run"))
    (run / "log.jsonl").unlink()
    (run / "log.jsonl").mkdir()
    ended = gannet_command("train", "--resume", "run", "--set", "images=640")
    assert ended.code == 2 and "gannet: run/log.jsonl cannot be used (Is a directory)." in ended.err


def test_a_change_at_resuming_is_kept(tiny_run: Path, here: Path, gannet_command: Command) -> None:
    run = Path(shutil.copytree(tiny_run, here / "run"))
    gannet_command("train", "--resume", "run", "--set", "images=576")
    assert read_recipe(run).images == 576


def test_training_on_starts_from_equal_weights(
    tiny_yaml: Path, tiny_run: Path, here: Path, gannet_command: Command
) -> None:
    assert gannet_command("train", tiny_yaml, "--from", tiny_run, "--set", "images=16", "--out", "tuned").code == 0
    started = load_tree(here / "tuned" / INITIAL)
    generator, _ = load_tensors(tiny_run / "model" / "model.safetensors")
    discriminator = load_tree(max((tiny_run / "state").glob("*.safetensors")))["networks"]["discriminator"]
    assert len(generator) == len(started["networks"]["generator"])
    for name, tensor in started["networks"]["generator"].items():
        assert torch.equal(tensor, generator[f"generator.{name}"])
    for name, tensor in started["networks"]["discriminator"].items():
        assert torch.equal(tensor, discriminator[name])
    assert read_recipe(here / "tuned").start_from == str(tiny_run)


def test_training_on_takes_pictures_of_another_size(tiny_run: Path, here: Path, gannet_command: Command) -> None:
    for digit in "0123456789":
        write_pictures(here / "mine" / digit, 3, side=20)
    words = ("--from", tiny_run, "--set", "images=32", "--set", "batch=16", "--set", "device=cpu", "--out", "tuned")
    result(gannet_command("train", "images", "mine", *words, "--json"), "train")
    assert gannet.load(here / "tuned")(num=2).values.shape == (2, 1, 8, 8)
    assert read_recipe(here / "tuned").data.size == 8


def test_training_on_with_other_classes_takes_one_of_the_same_name_over_and_begins_others_as_the_mean(
    tiny_run: Path, here: Path, gannet_command: Command
) -> None:
    for name in ("gannet", "auk", "3"):
        write_pictures(here / "birds" / name, 3)
    words = ("--from", tiny_run, "--set", "images=16", "--set", "batch=16", "--set", "device=cpu", "--out", "tuned")
    assert gannet_command("train", "images", "birds", *words).code == 0
    started = load_tree(here / "tuned" / INITIAL)["networks"]["generator"]
    learned, _ = load_tensors(tiny_run / "model" / "model.safetensors")
    for name, tensor in started.items():
        theirs = learned[f"generator.{name}"]
        of_classes = tensor.shape != theirs.shape
        mean = theirs.mean(0) if of_classes else theirs
        assert torch.equal(tensor, torch.stack([theirs[3], mean, mean]) if of_classes else theirs)
    assert started["norms.0.scale.weight"].shape[0] == 3


def test_a_tuned_run_does_not_need_its_origin(
    tiny_yaml: Path, tiny_run: Path, here: Path, gannet_command: Command
) -> None:
    shutil.copytree(tiny_run, here / "origin")
    assert gannet_command("train", tiny_yaml, "--from", "origin", "--set", "images=16", "--out", "tuned").code == 0
    shutil.rmtree(here / "origin")
    assert gannet_command("train", "--resume", "tuned", "--set", "images=32").code == 0


def test_training_on_leaves_the_origin_alone(
    tiny_yaml: Path, tiny_run: Path, here: Path, gannet_command: Command
) -> None:
    origin = Path(shutil.copytree(tiny_run, here / "origin"))
    (origin / "state" / ".000000000640.safetensors.1.partial").touch()
    before = contents(origin)
    assert gannet_command("train", tiny_yaml, "--from", "origin", "--set", "images=16", "--out", "tuned").code == 0
    assert contents(origin) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send SIGINT to one process")
def test_an_interrupted_run_is_saved_and_goes_on(tiny_yaml: Path, here: Path, gannet_command: Command) -> None:
    words = [
        "train",
        str(tiny_yaml),
        "--out",
        "run",
        "--set",
        "images=10_000_000",
        "--set",
        "checkpoint.every=10_000_000",
    ]
    command = [sys.executable, "-m", "gannet", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + SECONDS_TO_WAIT
        log = here / "run" / "log.jsonl"
        while not (log.is_file() and log.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130, err
    assert "gannet train --resume run" in out
    assert "Traceback" not in err
    reached = max(int(path.stem) for path in (here / "run" / "state").glob("*.safetensors"))
    assert reached >= 64
    assert not list((here / "run").rglob("*.partial"))
    more = reached + 64
    found = result(gannet_command("train", "--resume", "run", "--set", f"images={more}", "--json"), "train")
    assert found["ending"] == "finished"
    seen = logged(here / "run")
    assert seen == sorted(set(seen))
    assert seen[-1] == more


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_bench_counts_only_the_channels_that_meet(groups: int) -> None:
    """A convolution and its two gradients are as many multiplications each (Chetlur et al., 2014)."""
    picture, weight = torch.rand(2, 8, 6, 6, requires_grad=True), torch.rand(4, 8 // groups, 3, 3, requires_grad=True)
    with Operations() as counted:
        torch.nn.functional.conv2d(picture, weight, padding=1, groups=groups).sum().backward()
    assert counted.total == 3 * 2 * (2 * 6 * 6 * 4) * (8 // groups * 9)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("fashion-mnist", (1, 28, 28)), ("ring", (2,)), ("images", (3, 32, 32)), ("stacked-mnist", (3, 28, 28))],
)
def test_bench_measures_the_size_of_the_recipe(name: str, shape: tuple[int, ...]) -> None:
    assert prepare_for(name, "", {}).description.shape == shape


def test_bench_measures_a_game_whose_gradient_is_differentiated_again() -> None:
    changes = {"network.width": 8, "device": "cpu", "data.size": 16}
    found = bench(prepare(configure("images", "digits", changes, "")), BenchOptions(blocks=2, seconds=0.05))
    assert found.trained > 0 and (found.sampled or 0) > 0 and 0 < found.share < 1
    assert found.work > 1e5 and len(found.lines()) == 4
