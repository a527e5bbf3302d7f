"""Compiled networks: tried where a run is long enough, without a trace, kept where they are faster, and resumed so."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from contracts import make_trainer
from torch import nn

from gannet.adversarial.penalties import squared_gradient
from gannet.recipe import Loss, Penalty, Recipe, dump_yaml, load_recipe
from gannet.schema import Choice
from gannet.tasks import generation
from gannet.training import compilation
from gannet.training.trainer import Trainer

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
"""PyTorch's compiler imports what PyTorch itself deprecates."""
MLP = Choice(name="mlp", width=16, depth=1, latent=4)


def recipe(compile: str) -> Recipe:  # noqa: A002
    return generation.example().model_copy(
        update={"network": MLP, "loss": Loss(r1=Penalty(every=2)), "images": 256, "compile": compile}
    )


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    from torch._dynamo import config

    before = config.recompile_limit, config.suppress_errors
    yield
    torch.compiler.reset()
    config.recompile_limit, config.suppress_errors = before


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many networks were compiled each time; the stand-in leaves them as they are written."""
    counts: list[int] = []
    monkeypatch.setattr(compilation, "compile_networks", lambda networks: counts.append(len(list(networks))))
    monkeypatch.setattr(compilation, "LEAST_SECONDS", 0.0)
    return counts


def rounds_take(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Let the rounds that are timed take so long: as written, and compiled."""
    count = compilation.WARM_UP + compilation.TIMED
    times = [time for taken in seconds for _ in range(count) for time in (0.0, taken)]
    monkeypatch.setattr(compilation, "time", SimpleNamespace(perf_counter=iter(times).__next__))


def played(settings: str, folder: Path) -> Trainer:
    trainer = make_trainer(recipe(settings), folder)
    trainer.run()
    return trainer


@pytest.mark.parametrize(("seconds", "stays"), [((1.0, 0.5), True), ((1.0, 0.99), False), ((1.0, 2.0), False)])
def test_a_trial_keeps_what_is_faster_and_leaves_no_other_trace(
    seconds: tuple[float, float],
    stays: bool,
    compiled: list[int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    plain = played("never", tmp_path / "plain")
    assert plain.compiled is None and not compiled
    rounds_take(monkeypatch, *seconds)
    tried = played("auto", tmp_path / "tried")
    assert tried.compiled is stays and compiled == [2]
    for name, network in plain.networks.items():
        other = tried.networks[name].state_dict()
        assert all(torch.equal(tensor, other[key]) for key, tensor in network.state_dict().items())
    assert (tmp_path / "plain" / "log.jsonl").read_text().count("\n") == (
        tmp_path / "tried" / "log.jsonl"
    ).read_text().count("\n")


def test_what_a_compiler_spoils_runs_as_it_is_written(
    compiled: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def spoilt(*_: object) -> None:
        raise AssertionError("expected size 3==3, stride 1==12288 at dim=1")

    def spoil(networks: Iterable[nn.Module]) -> None:
        for network in networks:
            network._compiled_call_impl = spoilt

    monkeypatch.setattr(compilation, "compile_networks", spoil)
    trainer = played("auto", tmp_path)
    assert trainer.compiled is False and trainer.progress.images == 256 and not compiled


def test_a_short_run_does_not_try(compiled: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compilation, "LEAST_SECONDS", 1e6)
    assert played("auto", tmp_path).compiled is False and not compiled


@pytest.mark.parametrize("found", [True, False])
def test_what_was_found_is_kept_and_a_run_that_goes_on_does_not_try_again(
    found: bool, compiled: list[int], tmp_path: Path
) -> None:
    trainer = make_trainer(recipe("auto"), tmp_path)
    trainer.compiled = found
    trainer.checkpoint()
    resumed = played("auto", tmp_path)
    assert resumed.compiled is found and compiled == [2] * found


def test_always_is_always_and_never_never_whatever_was_found(compiled: list[int], tmp_path: Path) -> None:
    for settings, counts in (("always", [2]), ("never", [2])):
        trainer = make_trainer(recipe(settings), tmp_path / settings)
        trainer.compiled = settings == "never"
        trainer.checkpoint()
        played(settings, tmp_path / settings)
        assert compiled == counts


def test_a_network_whose_parts_are_called_one_by_one_is_compiled_part_by_part() -> None:
    parts = nn.ModuleDict({"one": nn.Linear(2, 2), "other": nn.Sequential(nn.Tanh())})
    compilation.compile_networks([parts])
    assert [part._compiled_call_impl is not None for part in parts.values()] == [True, True]
    assert parts._compiled_call_impl is None
    compilation.run_as_written([parts])
    assert not any(part._compiled_call_impl for part in parts.values())


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))


def gradients(network: nn.Module, loss: Callable[[nn.Module], torch.Tensor]) -> list[torch.Tensor]:
    loss(network).backward()
    return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]


def test_a_compiled_discriminator_pays_the_same_penalty() -> None:
    """Compiled code can be differentiated once only, and a penalty's gradient is a second derivative."""
    sample = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    as_written, other = small(), small()
    other.compile(backend="aot_eager", dynamic=False)
    other(sample).sum()  # It is compiled now.
    ours, theirs = (gradients(one, lambda network: squared_gradient(network, sample)) for one in (other, as_written))
    assert len(ours) == len(theirs) >= 2
    assert all(torch.allclose(one, two) for one, two in zip(ours, theirs, strict=True))


def test_without_a_compiler_networks_run_as_they_are_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXX", str(tmp_path / "none"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    sample, plain, network = torch.randn(4, 3), small(), small()
    compilation.compile_networks([network])
    ours, theirs = (gradients(one, lambda made: made(sample).square().sum()) for one in (network, plain))
    assert all(torch.equal(one, two) for one, two in zip(ours, theirs, strict=True))
    assert not capfd.readouterr().err


def test_the_setting_is_written_where_it_is_given() -> None:
    assert "compile" not in dump_yaml(load_recipe("digits", {}))
    assert "compile: auto" in dump_yaml(load_recipe("digits", {"compile": "auto"}))
    with pytest.raises(ValueError, match="compile"):
        load_recipe("digits", {"compile": "sometimes"})
