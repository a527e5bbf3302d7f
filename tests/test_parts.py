"""A third party's network, loss and measure, found by entry points: trained with, judged by, and found again."""

import json
import sys
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Ended
from torch import nn

import gannet
from gannet.adversarial.losses import LOSSES, find_loss
from gannet.api import JudgeOptions
from gannet.networks import PAIRS, Pair, chosen
from gannet.recipe import load_recipe
from gannet.runtime import plugins
from gannet.runtime.plugins import installed
from gannet.schema import Choice

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
        ({"loss.name": "no-loss"}, "its entry point is to name an AdversarialLoss"),
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


def test_networks_of_two_functions_are_offered_by_an_entry_point(tiny_yaml: Path, tmp_path: Path) -> None:
    run = train(tiny_yaml, tmp_path / "run", **{"network": {"name": "flat", "latent": 6}})
    assert run.recipe.network.options == {"latent": 6}
    assert gannet.load(run.folder)(num=3).values.shape == (3, 1, 8, 8)


# What a process registers


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing yet, and nothing is left behind."""
    monkeypatch.setattr(plugins, "_REGISTERED", {})


def linear_generator(inputs: int, shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, prod(shape)), nn.Tanh(), nn.Unflatten(1, shape))


def linear_discriminator(shape: tuple[int, ...], outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), outputs))


class Twice(nn.Module):
    def forward(self, latent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return latent, latent


def linear(name: str = "linear") -> None:
    gannet.register_network(name, linear_generator, linear_discriminator)


@pytest.mark.usefixtures("registered")
def test_networks_of_this_process_train_resume_load_and_are_missed_elsewhere(
    tiny_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear()
    run = train(tiny_yaml, tmp_path / "run", **{"network": "linear", "loss.name": "hinge"})
    assert run.recipe.network.options == {"latent": 64}
    before = gannet.load(run.folder)(num=4, seed=1).values
    linear()  # A cell that is run again.
    assert torch.equal(gannet.load(run.folder)(num=4, seed=1).values, before)
    assert gannet.train(resume=run.folder, set={"images": 96}).ending == "finished"
    monkeypatch.setattr(plugins, "_REGISTERED", {})
    with pytest.raises(ValueError, match="no network 'linear'.* once this process has registered it"):
        gannet.load(run.folder)


@pytest.mark.usefixtures("registered")
def test_a_registered_generator_is_told_the_class_and_a_discriminator_asked_about_it() -> None:
    linear()
    pair = chosen(Choice(name="linear"), PAIRS)
    generator, discriminator = pair.generator((1, 2, 2), 3), pair.discriminator((1, 2, 2), 3)
    latent, label = torch.zeros(3, 64), torch.arange(3)
    weight, bias = generator.body[0].weight, generator.body[0].bias
    assert torch.allclose(generator(latent, label).flatten(1), (weight[:, 64:].T + bias).tanh())
    pictures = torch.randn(3, 1, 2, 2)
    assert torch.equal(discriminator(pictures, label), discriminator.body(pictures).diagonal())
    free = pair.discriminator((1, 2, 2), 0)
    assert torch.equal(free(pictures, label), free.body(pictures)[:, 0])


class Viewing(nn.Module):
    """What is written for rows, and has kernels of four and of five dimensions."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.flat, self.deep = nn.Conv2d(channels, 4, 3, padding=1), nn.Conv3d(1, 1, 3, padding=1)
        self.score = nn.LazyLinear(outputs)

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.deep(self.flat(sample)[:, None])[:, 0]
        logits: torch.Tensor = self.score(features.view(len(sample), -1))
        return logits


@pytest.mark.usefixtures("registered")
def test_networks_that_are_written_for_rows_train_and_load(tiny_yaml: Path, tmp_path: Path) -> None:
    gannet.register_network("viewing", linear_generator, lambda shape, outputs: Viewing(shape[0], outputs))
    run = train(tiny_yaml, tmp_path / "run", **{"network": "viewing", "loss.name": "hinge"})
    assert run.ending == "finished" and gannet.load(run.folder)(num=2).values.is_contiguous()


@pytest.mark.usefixtures("registered")
def test_a_network_of_a_wrong_shape_is_told_in_a_sentence(tiny_yaml: Path, tmp_path: Path) -> None:
    gannet.register_network("unshaped", lambda inputs, shape: nn.Linear(inputs, prod(shape)), linear_discriminator)
    gannet.register_network(
        "many", linear_generator, lambda shape, _: nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), 5))
    )
    gannet.register_network("blind", linear_generator, lambda *_: nn.Linear(7, 1))
    gannet.register_network("nothing", linear_generator, lambda *_: None)
    gannet.register_network("two", lambda *_: Twice(), linear_discriminator)
    for name, words in (
        ("unshaped", r"generator makes \(2, 64\) of inputs \(2, 74\); \(2, 1, 8, 8\) is wanted"),
        ("many", r"discriminator makes \(2, 5\) of inputs"),
        ("blind", r"discriminator cannot be built, or cannot take inputs \(2, 1, 8, 8\): "),
        ("nothing", r"discriminator cannot be built, or cannot take inputs"),
        ("two", r"generator makes a tuple of inputs \(2, 74\)"),
    ):
        with pytest.raises(ValueError, match=words):
            train(tiny_yaml, tmp_path / "run", **{"network": name, "loss.name": "hinge"})
        assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("registered")
def test_a_registered_loss_is_played_with_and_sees_reals_unless_it_says_otherwise() -> None:
    gannet.register_loss(
        "own", discriminator=lambda real, fake: (fake - real).mean(), generator=lambda real, fake: (real - fake).mean()
    )
    assert find_loss("own").needs_real and "own" not in LOSSES
    gannet.register_loss(
        "own", lambda real, fake: (fake - real).mean(), generator=lambda _, fake: -fake.mean(), needs_real=False
    )
    loss = find_loss("own")
    assert not loss.needs_real and float(loss.generator(torch.zeros(2), torch.ones(2))) == -1


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("discriminator", "generator", "words"),
    [
        (lambda real, fake: fake - real, None, r"discriminator's loss of 'odd' is to give one number.*a tensor \(2,\)"),
        (lambda *_: None, None, "it gave None"),
        (lambda real, fake: (fake - real).mean().item(), None, "it gave 0.0"),
        (lambda real, fake: (fake - real).mean().detach(), None, "does not depend on the scores of fakes"),
        (lambda _, fake: fake.mean(), None, "does not depend on the scores of reals"),
        (None, lambda real, _: real.mean(), "generator's loss of 'odd' does not depend on the scores of fakes"),
        (None, lambda fake: fake.mean(), "generator's loss of 'odd' cannot take the scores of reals and fakes"),
        (None, lambda real, fake: (real - fake).mean(), "looks at the scores of reals; leave needs_real=False out"),
        ("hinge", None, "discriminator's loss of 'odd' cannot take"),
    ],
)
def test_a_loss_that_teaches_nothing_is_refused_where_it_is_registered(
    discriminator: Any, generator: Any, words: str
) -> None:
    sound = LOSSES["non-saturating"]
    with pytest.raises(ValueError, match=words):
        gannet.register_loss(
            "odd", discriminator or sound.discriminator, generator or sound.generator, needs_real=False
        )
    with pytest.raises(ValueError, match="no loss 'odd'"):
        find_loss("odd")


@pytest.mark.usefixtures("registered")
def test_a_discriminator_that_mixes_samples_takes_no_penalty_and_built_modules_no_place(
    tiny_yaml: Path, tmp_path: Path
) -> None:
    def mixing(shape: tuple[int, ...], outputs: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), 4), nn.BatchNorm1d(4), nn.Linear(4, outputs))

    gannet.register_network("mixing", linear_generator, mixing)
    given: dict[str, object] = {"network": "mixing", "loss.name": "hinge", "loss.r1": {"weight": 1}}
    with pytest.raises(ValueError, match="Batch normalization mixes the samples"):
        train(tiny_yaml, tmp_path / "run", **given)
    assert train(tiny_yaml, tmp_path / "run", **{**given, "loss.r1": None}).ending == "finished"
    with pytest.raises(ValueError, match="discriminator of 'built' is to be a function that builds a module"):
        gannet.register_network("built", linear_generator, nn.Linear(2, 1))  # type: ignore[arg-type]


@pytest.mark.usefixtures("registered")
def test_a_registered_measure_stands_beside_the_others(tiny_yaml: Path, tmp_path: Path) -> None:
    gannet.register_measure("size", lambda real, fake: fake.norm(dim=1).mean() / real.norm(dim=1).mean(), best=1.0)
    run = train(tiny_yaml, tmp_path / "run")
    (size,) = [one for one in gannet.judge(run.folder, query=JudgeOptions(num=150)).measures if one.name == "size"]
    assert size.best == 1.0 and size.low < size.value < size.high and size.floor == pytest.approx(1, abs=0.1)


@pytest.mark.usefixtures("registered")
def test_a_measure_that_cannot_be_taken_is_left_out_with_the_reason(tiny_yaml: Path, tmp_path: Path) -> None:
    gannet.register_measure("lost", lambda *_: float("nan"))
    gannet.register_measure("precision", lambda *_: 2.0)
    gannet.register_measure("narrow", lambda real: real.mean())  # type: ignore[arg-type, misc]
    run = train(tiny_yaml, tmp_path / "run")
    found = gannet.judge(run.folder, query=JudgeOptions(num=150))
    names = [one.name for one in found.measures]
    assert names.count("precision") == 1 and not {"lost", "narrow"} & set(names)
    assert found.left_out["lost"] == "it gave nan" and "choose another" in found.left_out["precision"]
    assert "positional argument" in found.left_out["narrow"]
    for wrong in ({"function": 3}, {"best": "lowest"}):
        with pytest.raises(ValueError, match=r"is to be a function|best is low, high or the number"):
            gannet.register_measure("odd", **{"function": lambda *_: 1.0, **wrong})  # type: ignore[arg-type]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("name", "words"),
    [("dcgan", "taken by Gannet"), ("plain", "taken by a package"), ("../x", "is no name"), ("", "is no name")],
)
def test_a_name_that_is_taken_or_none_is_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        linear(name)


def test_a_choice_is_changed_by_its_name_alone() -> None:
    named = load_recipe("images", {"network": "mlp", "network.latent": 8, "loss": "hinge"})
    assert named == load_recipe("images", {"network.name": "mlp", "network.latent": 8, "loss.name": "hinge"})
    assert named.loss.r1 == load_recipe("images").loss.r1
