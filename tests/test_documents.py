"""Everything that the README shows is run, and every file it names is there."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gannet import cli
from gannet.adversarial.losses import LOSSES
from gannet.augmentation.kinds import KINDS
from gannet.augmentation.mixing import MIXES
from gannet.augmentation.texts import TEXT_KINDS
from gannet.recipe import Recipe, preset_names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHORT = ["--set", "images=128", "--set", "batch=16", "--set", "network.width=4", "--set", "data.size=16"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for index in range(40):
        Image.fromarray(random.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(tmp_path / "photos" / f"{index}.png")
    return tmp_path


def shorten(words: list[str]) -> list[str]:
    """The same command, with fewer and smaller pictures where it trains."""
    if words[0] != "train":
        return words
    if "--resume" in words:
        return ["train", "--resume", words[2], "--set", "images=256"]
    return [*words, *(SHORT[:4] if "--from" in words else SHORT)]


def test_the_commands_of_the_readme_run_in_their_order(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("gannet ")]
    assert len(lines) >= 8
    for line in lines:
        monkeypatch.setattr(sys, "argv", ["gannet", *shorten(shlex.split(line)[1:])])
        try:
            cli.main()
        except SystemExit as left:
            assert left.code in {0, None}, line
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
    assert (tmp_path / "digits.png").exists() and (tmp_path / "my-digits" / "config.json").exists()


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
    assert all(f"`{name}`" in README for name in preset_names())
    losses = (ROOT / "docs" / "losses.md").read_text()
    assert all(f"`{name}`" in losses for name in LOSSES)


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
