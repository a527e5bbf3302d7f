"""The command line of one model: what its help says of it, where its name stands, and what is told before it loads."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gannet.pipelines.hub import interface, model_folder, seal, shipped_models

FILES = ("--input", "--save", "--compare", "[inputs]", "files")
Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help on long lines, so that no sentence of it is cut."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with photographs, and models of which only `config.json` is there."""
    for name in ("restoration", "inpainting", "fashion-mnist"):
        (tmp_path / name).mkdir()
        shutil.copy(model_folder(name) / "config.json", tmp_path / name)
    for name in ("a.png", "deep/b.png", "deep/c.png", "taken.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def help_of(command: Command, model: object) -> str:
    ended = command("apply", model, "--help")
    assert ended.code == 0, ended.err
    return " ".join(ended.out.split())


@pytest.mark.parametrize("name", shipped_models())
def test_the_help_of_a_model_says_what_it_is_given_and_makes(name: str, gannet_command: Command) -> None:
    told, words = interface(name), help_of(gannet_command, name)
    for input_name, one in told["inputs"].items():
        how = "needed" if one["required"] else "may be left out"
        assert f"{how}): {one['about']} ({', '.join(one['endings'])})" in words and one["endings"], input_name
    first, *further = told["outputs"]
    assert f"Made: - {first} ({told['outputs'][first]})" in words
    asked = set(further) - set(told["always"])
    assert all(f"with --save {name}" in words for name in asked) and ("--save" in words) == bool(asked)
    assert all(f"- {name} ({told['outputs'][name]}), beside it" in words for name in told["always"])
    assert ("--input" in words) == (len(told["inputs"]) > 1) and ("--compare" in words) == bool(told["inputs"])
    assert all(f"--{option.replace('_', '-')} " in words for option in told["options"]["properties"])
    assert "gannet apply MODEL" not in words
    if not told["inputs"]:
        assert not [word for word in FILES if word != "--save" and word in words]


def test_the_help_of_a_generator_names_its_classes_and_defaults(
    tiny_run: Path, tmp_path: Path, gannet_command: Command
) -> None:
    words = help_of(gannet_command, tiny_run)
    assert "all classes in turn. (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)" in words
    assert "gives the same samples. [default: (0)]" in words and "their number is. [default: (1)]" in words
    config = json.loads((tiny_run / "model" / "config.json").read_text(encoding="utf-8"))
    del config["digest"]
    names = [f"\x1b[31mkind [b]{number}[/b]" for number in range(40)]
    config["interface"]["options"]["properties"]["class"]["examples"] = names
    (tmp_path / "config.json").write_text(json.dumps(seal(config)), encoding="utf-8")
    words = help_of(gannet_command, tmp_path)
    assert "kind [b]11[/b], and 28 more)" in words and "\x1b" not in words


def test_the_help_of_a_model_from_before_there_were_any_is_told_by_its_task(gannet_command: Command) -> None:
    golden = Path(__file__).parents[1] / "golden"
    words = help_of(gannet_command, golden / "restoration" / "end" / "model")
    assert "- mask (photograph), with --save mask" in words and "--mask PATH, may be left out): light where" in words


def test_without_a_model_the_help_says_where_more_is(gannet_command: Command) -> None:
    words = " ".join(gannet_command("apply", "--help").out.split())
    assert "`gannet apply MODEL --help` lists" in words and all(word in words for word in FILES)


def test_the_help_of_what_is_no_model_says_so(here: Path, gannet_command: Command) -> None:
    ended = gannet_command("apply", "restoratoin", "--help")
    assert ended.code == 2 and "There is no run or model at 'restoratoin'" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        "--out fashion-mnist inpainting a.png --mask a.png",
        "--compare fashion-mnist --json inpainting a.png --mask a.png",
        "--out=fashion-mnist inpainting --mask a.png a.png",
        "--input mask=fashion-mnist inpainting a.png",
        "--mask a.png inpainting a.png",
        "--strength 0.5 --mask deep inpainting a.png",
        "inpainting --strength 0.5 fashion-mnist --mask a.png",
        "-- inpainting fashion-mnist",
    ],
)
def test_the_model_is_found_wherever_it_stands(words: str, here: Path, gannet_command: Command) -> None:
    """What flags take and what stands behind the model names models too, and is none."""
    before, _, behind = words.partition("-- ")
    asked = ["apply", *before.split(), "--help", *(["--", *behind.split()] if behind else [])]
    ended = gannet_command(*asked)
    assert ended.code == 0 and "--mask" in ended.out and "--num" not in ended.out, ended.err


def test_a_model_that_is_none_is_not_looked_for_among_its_inputs(here: Path, gannet_command: Command) -> None:
    ended = gannet_command("apply", "typo", "fashion-mnist", "--num", 3)
    assert ended == (2, "", ended.err) and "There is no run or model at 'typo'" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        "inpainting a.png --mask a.png --mask deep/b.png",
        "inpainting a.png --mask a.png --out x.png --out y.png",
        "fashion-mnist --num 1 --seed 2 --num 3",
    ],
)
def test_what_takes_one_value_takes_no_second(words: str, here: Path, gannet_command: Command) -> None:
    flags = [word for word in words.split() if word.startswith("--")]
    twice = next(flag for flag in flags if flags.count(flag) == 2)
    assert gannet_command("apply", *words.split()) == (2, "", f"gannet: {twice} is given 2 times; give it once.\n")


MISTAKES = {
    "inpainting a.png": "needs its mask",
    "inpainting": "name the photographs to use it on",
    "inpainting nowhere.png --mask a.png": "There is no photograph at nowhere.png",
    "inpainting a.png --mask nowhere.png": "There is no mask at nowhere.png",
    "inpainting a.png --mask deep": "There is no mask for a.png in deep",
    "inpainting a.png --mask a.png --out taken.png": "taken.png exists",
    "inpainting a.png --mask a.png --out taken.png/x.png": "cannot be written",
    "inpainting a.png --mask a.png --out new.xyz": "go to a folder or a .zip",
    "inpainting deep --mask a.png --out new.png": "2 photographs were given, whose results go to a folder or a .zip",
    "inpainting deep --mask a.png --out new.parquet": "go to a folder or a .zip",
    "inpainting a.png --mask a.png --compare taken.png": "taken.png exists",
    "inpainting a.png --mask a.png --strength 2": "strength",
    "inpainting a.png --mask a.png --save mask": "has no further output 'mask' to save; it has: none",
    "restoration a.png --save masc": "it has: mask",
    "restoration a.png deep/../a.png --out new --save mask": "would both become",
    "fashion-mnist a.png": "takes no files",
    "fashion-mnist --compare new.png": "takes no files",
    "fashion-mnist --num 0": "num and frames are 1 or more",
    "fashion-mnist --num many": "num",
    "fashion-mnist --class eleven": "does not know the class 'eleven'",
    "fashion-mnist --engine fast": "no engine 'fast'",
    "fashion-mnist --out taken.png": "taken.png exists",
    "fashion-mnist --out taken.png/new": "cannot be written",
    "fashion-mnist --out new.xyz": ".png, .jpg",
    "fashion-mnist --frames 3 --out new.jpg": ".gif",
}


@pytest.mark.parametrize(("words", "named"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_told_before_weights_are_read(words: str, named: str, here: Path, gannet_command: Command) -> None:
    before = sorted(here.rglob("*"))
    code, out, err = gannet_command("apply", *words.split())
    assert (code, out) == (2, "") and named in err
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("words", ["fashion-mnist", "inpainting a.png --mask a.png", "restoration deep --save mask"])
def test_what_is_asked_for_rightly_wants_weights(words: str, here: Path, gannet_command: Command) -> None:
    """So that the models above fail for what is asked of them, and for nothing else."""
    before = sorted(here.rglob("*"))
    ended = gannet_command("apply", *words.split())
    assert ended.code == 2 and "has no weights 'model'" in ended.err
    assert sorted(here.rglob("*")) == before


def test_a_model_is_applied_without_what_only_training_needs(here: Path) -> None:
    """Each of these would take as long to load as torch itself."""
    code = (
        "import sys; from gannet.cli import main\n"
        "try: main()\nexcept SystemExit: print([m for m in ('lightning_fabric', 'torch._dynamo') if m in sys.modules])"
    )
    words = [sys.executable, "-c", code, "apply", "inpainting", "a.png", "--mask", "nowhere.png"]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.stdout == "[]\n" and "There is no mask" in done.stderr
