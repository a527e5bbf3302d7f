"""Everything that the README and the guide to tasks show is run, and every file they name is there."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import gannet
from gannet import cli
from gannet.adversarial.discriminator_augment import AUGMENTS
from gannet.adversarial.losses import LOSSES
from gannet.augmentation.kinds import KINDS
from gannet.augmentation.mixing import MIXES
from gannet.augmentation.texts import TEXT_KINDS
from gannet.networks import PAIRS
from gannet.pipelines.hub import shipped_models
from gannet.recipe import Recipe, preset_names
from gannet.runtime import plugins
from gannet.schema import Section
from gannet.task import find_task

ROOT = Path(__file__).parents[1]
README, PERSIAN, USING = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.fa.md", "docs/using.md")
)
GUIDE = (ROOT / "docs" / "write-a-task.md").read_text(encoding="utf-8")
SHORT = ["--set", "images=128", "--set", "batch=16", "--set", "network.width=4", "--set", "data.size=16"]


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for index in range(40):
        Image.fromarray(random.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(tmp_path / "photos" / f"{index}.png")
    return tmp_path


def shorten(words: list[str], plain: bool = False) -> list[str]:
    """The same command, with fewer and smaller pictures where it trains; plain: with fewer ones only."""
    if words[0] != "train":
        return words
    if "--resume" in words:
        return ["train", "--resume", words[2], "--set", "images=256"]
    return [*words, *(SHORT[:4] if plain or "--from" in words else SHORT)]


def run_gannet(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["gannet", *words])
    try:
        cli.main()
    except SystemExit as left:
        assert left.code in {0, None}, words


def commands(page: str) -> list[str]:
    return [line for block in blocks("sh", page) for line in block.splitlines() if line.startswith("gannet ")]


def test_the_commands_of_the_readme_run_in_their_order(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(commands(README)) == 3
    for line in commands(README):
        run_gannet(monkeypatch, shorten(shlex.split(line)[1:]))
    assert (photos / "grid.png").is_file()


def test_the_readme_in_persian_says_the_same_commands_and_code() -> None:
    assert commands(PERSIAN) == commands(README) and blocks("python", PERSIAN) == blocks("python")
    assert re.findall(r"^    \w.*", PERSIAN, re.MULTILINE) == re.findall(r"^    \w.*", README, re.MULTILINE)


def test_the_commands_of_the_guide_to_all_of_them_run_in_their_order(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(commands(USING)) >= 8
    for line in commands(USING):
        run_gannet(monkeypatch, shorten(shlex.split(line)[1:]))
    names = {path.name for path in photos.iterdir()}
    assert {"grid.png", "singles", "walk.gif"} <= names
    assert len(list((photos / "singles").iterdir())) == 16


def test_the_kinds_of_augmentation_are_listed_with_their_strengths() -> None:
    words = (ROOT / "docs" / "augmentation.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        assert f"| {kind.name} | {kind.usual:g} | {kind.lowest:g} to {kind.highest:g} | {kind.unit} |" in words
    for name, usual in [(kind.name, kind.usual) for kind in (*MIXES.values(), *TEXT_KINDS.values())]:
        assert f"| {name} | {usual:g} |" in words


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(compile(code.replace("20_000", "256"), "README.md", "exec"), {})
    assert (tmp_path / "digits.png").exists()


def test_the_python_of_the_guide_to_all_commands_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plugins, "_REGISTERED", {})
    usual, *own = blocks("python", USING)
    assert len(own) == 3
    for code in (usual, *own):
        assert len([line for line in code.splitlines() if line.strip()]) < 10
        exec(compile(code.replace("20_000", "256"), "using.md", "exec"), {})
    assert (tmp_path / "digits.png").exists() and (tmp_path / "my-digits" / "config.json").exists()
    assert gannet.Run(tmp_path / "runs" / "mine").recipe.network.name == "mine"
    assert gannet.Run(tmp_path / "runs" / "squared").recipe.loss.name == "squared"
    assert "mean distance" in capsys.readouterr().out


def test_the_python_of_data_in_memory_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "data.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(code.splitlines()) < 10
    exec(compile(code.replace("2_000", "128").replace("4_000", "256"), "data.md", "exec"), {})
    assert (tmp_path / "one.png").exists() and gannet.Run(tmp_path / "runs" / "memory").recipe.images == 256


def test_the_commands_and_the_code_of_the_guide_run_in_their_order(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = re.findall(r"```(\w*)\n(.*?)```", GUIDE, re.DOTALL)
    assert len(shown) == GUIDE.count("```") / 2 > 8
    for language, block in shown:
        first, _, rest = block.partition("\n")
        if first.startswith("# examples/"):  # Quoted from a file that `test_examples.py` runs.
            assert rest in (ROOT / first.removeprefix("# ")).read_text(encoding="utf-8"), first
        elif language == "python":
            exec(compile(block, "write-a-task.md", "exec"), {})
        else:
            assert language == "sh"
            for line in block.splitlines():
                run_line(monkeypatch, shlex.split(line))
    made = [json.loads(path.read_text().splitlines()[0][2:]) for path in (tmp_path / "drawn").rglob("*.csv")]
    assert len(made) == 20 and all(told["model"] == "curves" for told in made)
    judged = json.loads((tmp_path / "runs" / "digits" / "judgement.json").read_text())
    assert "sliced distance" in {measure["name"] for measure in judged["measures"]}


def run_line(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """A line of the guide; what it installs is on the path by the fixture."""
    if words[:2] == ["pip", "install"]:
        assert (ROOT / words[-1] / "pyproject.toml").is_file()
    elif words[0] == "python":
        places = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        subprocess.run([sys.executable, *words[1:]], check=True, cwd=ROOT, env=places)
    else:
        assert words[0] == "gannet"
        run_gannet(monkeypatch, shorten(words[1:], plain=True))


def test_the_readme_opens_with_the_two_targets_of_the_makefile() -> None:
    first = blocks("sh")[0]
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)", first, re.MULTILINE)
    assert targets == ["demo", "test"] and README.index("make demo") < 300
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_every_recipe_and_loss_is_in_the_documents() -> None:
    assert all(f"`{name}`" in USING for name in preset_names())
    losses = (ROOT / "docs" / "losses.md").read_text()
    assert all(f"`{name}`" in losses for name in LOSSES)


def shipping(name: str) -> ModuleType:
    """A command that writes what is kept in the repository."""
    place = importlib.util.spec_from_file_location(name, ROOT / "shipping" / f"{name}.py")
    assert place and place.loader
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def keys_page() -> ModuleType:
    """The command that writes `docs/keys.md`."""
    return shipping("keys_page")


def test_the_table_of_models_is_as_their_cards_state_them() -> None:
    table = shipping("models_table").table()
    assert table in README, "write it anew with: python shipping/models_table.py"
    assert all(f"| `{name}` |" in table for name in shipped_models())
    assert not [line for line in table.splitlines() if line.endswith("|  |")], "a card does not say what it cannot do"


def test_the_page_of_keys_is_as_the_schemas_state_them(keys_page: ModuleType) -> None:
    written = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert written == keys_page.page(), "write it anew with: python shipping/keys_page.py"


def unexplained(keys_page: ModuleType) -> list[str]:
    """Keys, options of models, and words and flags of commands that say nothing of themselves."""
    parts = {"": keys_page.own_keys(), **keys_page.chosen_keys(), **keys_page.model_options()}
    keys = [f"{part} {key.name}" for part, some in parts.items() for key in some if not (key.about and key.type)]
    flags = keys_page.flags().items()
    return keys + [f"{verb} {row[0]}" for verb, rows in flags for row in rows if not (row[1] and row[2])]


def test_no_key_option_or_flag_lacks_an_explanation(keys_page: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unexplained(keys_page) == []
    kinds = {heading for heading in keys_page.chosen_keys() if "network" in heading or "augment" in heading}
    names = {*PAIRS, *AUGMENTS, "unet", "srresnet", "compact", "flow", "recognizer"}
    assert names <= {heading.split("=")[1].strip("`") for heading in kinds}
    monkeypatch.setattr(
        find_task("generation"),
        "Config",
        type("Config", (Section,), {"__doc__": "Keys.", "__annotations__": {"new": int}}),
    )
    assert unexplained(keys_page) == ["`task.name=generation` task.new"], "a planted one is found"


def test_every_key_of_a_recipe_says_what_it_is() -> None:
    schema = Recipe.model_json_schema()
    sections = {"Recipe": schema, **{name: part for name, part in schema["$defs"].items() if name != "Choice"}}
    referring = ("data", "loss", "average", "referee", "checkpoint", "log", "name")
    silent = [
        f"{name}.{key}"
        for name, part in sections.items()
        for key, field in part["properties"].items()
        if "description" not in field and key not in referring
    ]
    assert not silent
