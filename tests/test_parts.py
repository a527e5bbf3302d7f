"""A third party's network, loss and measure, found by entry points: trained with, judged by, and found again."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ended

import gannet
from gannet.adversarial.losses import LOSSES, find_loss
from gannet.api import JudgeOptions
from gannet.networks import PAIRS, Pair
from gannet.runtime.plugins import installed

PARTS = Path(__file__).parent / "plugin" / "parts"


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package as if it were installed."""
    monkeypatch.syspath_prepend(str(PARTS))


def train(tiny_yaml: Path, out: Path, **changes: object) -> gannet.Run:
    given = {"network": {"name": "plain", "latent": 4}, "loss.name": "squared-hinge", "images": 64, **changes}
    return gannet.train(str(tiny_yaml), out=out, set=given)


def test_a_run_is_trained_judged_and_used_with_them(tiny_yaml: Path, tmp_path: Path) -> None:
    run = train(tiny_yaml, tmp_path / "run")
    assert (run.recipe.network.name, run.recipe.loss.name) == ("plain", "squared-hinge")
    found = gannet.judge(run.folder, query=JudgeOptions(num=150))
    spread = next(measure for measure in found.measures if measure.name == "spread")
    assert spread.best == 1.0 and spread.low < spread.value < spread.high and spread.floor is not None
    assert found.left_out["broken"] == "it fell over"
    assert type(gannet.load(run.folder).networks["generator"]).__module__ == "gannet_parts"
    gannet.apply(run.folder, out=tmp_path / "sheet.png")
    assert gannet.train(resume=run.folder, set={"images": 96}).ending == "finished"


def test_its_recipes_go_by_name(tmp_path: Path, gannet_command: Callable[..., Ended]) -> None:
    listed = gannet_command("recipes").out.splitlines()
    assert sum(line.endswith(" (of gannet-parts)") and line.startswith("tiny-digits ") for line in listed) == 1
    assert any(line.startswith("digits ") and "of gannet-parts" not in line for line in listed), "ours is not replaced"
    assert gannet_command("train", "tiny-digits", "--out", tmp_path / "run").code == 0
    assert gannet.Run(tmp_path / "run").recipe.network.options["width"] == 4
    assert gannet_command("train", "--resume", tmp_path / "run", "--set", "images=96").code == 0
    assert "task.part=8 · " in gannet_command("recipes", "short-waves").out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lost", "The recipe 'lost' of gannet-parts cannot be read: there is no file lost.yaml in gannet_shelf."),
        ("homeless", "'homeless' of gannet-parts cannot be read: No module named 'gannet_nowhere'."),
        ("torn", "torn is not YAML"),
        ("tiny-digts", "did you mean 'tiny-digits'"),
    ],
)
def test_what_is_wrong_with_its_recipes_is_one_sentence(
    name: str, words: str, gannet_command: Callable[..., Ended]
) -> None:
    ended = gannet_command("train", name)
    assert ended.code == 2 and words in ended.err and ended.err.count("\n") == 1
    assert gannet_command("recipes").code == 0


def test_without_its_package_a_model_says_what_is_missing(
    tiny_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gannet_command: Callable[..., Ended]
) -> None:
    run = train(tiny_yaml, tmp_path / "run")
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(PARTS)])
    assert not installed("gannet.networks")
    ended = gannet_command("apply", run.folder, "--out", tmp_path / "sheet.png")
    assert ended.code == 2 and ended.err.count("\n") == 1
    assert "no network 'plain'" in ended.err and "offers 'plain' among the entry points of gannet.networks" in ended.err
    with pytest.raises(ValueError, match="no loss 'squared-hinge'.* of gannet.losses"):
        find_loss("squared-hinge")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": {"name": "lame"}}, "'lame' is none for this task: it offers no discriminator, sized."),
        ({"network": {"name": "gone"}}, "'gone' of gannet-parts cannot be imported"),
        ({"network": {"name": "plian"}}, "did you mean 'plain'"),
        ({"network": {"name": "plain", "width": 3}}, "Unknown key 'network.width'"),
        ({"loss.name": "no-loss"}, "it is no AdversarialLoss"),
        ({"loss.name": "squared-hnge"}, "did you mean 'squared-hinge'"),
        ({"network": {"name": "os.system"}}, "no network 'os.system'"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    changes: dict[str, object], words: str, tiny_yaml: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError) as error:
        train(tiny_yaml, tmp_path / "run", **changes)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_ours_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "sly-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: sly\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[gannet.losses]\nhinge = gannet_parts:SQUARED_HINGE\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_loss("hinge") is LOSSES["hinge"]


def test_our_own_pairs_are_networks() -> None:
    for kind in PAIRS.values():
        assert issubclass(kind, Pair) and all(hasattr(kind, name) for name in ("generator", "discriminator", "sized"))


def test_what_plug_ins_are_written_with_is_at_the_top() -> None:
    for name in ("Task", "Medium", "Field", "Game", "Turn", "Outcome", "Pipeline", "Network", "Measure"):
        assert name in gannet.__all__ and getattr(gannet, name).__name__ == name
    assert json.dumps(gannet.__all__)
