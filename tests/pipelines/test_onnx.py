"""What is exported computes what PyTorch computes; what differs is not written."""

from pathlib import Path

import pytest
import torch

import gannet
from gannet.commands.train import build_game, prepare
from gannet.pipelines import onnx as onnx_module
from gannet.pipelines.backends import ENGINES, choose_engine
from gannet.pipelines.samples import latents
from gannet.recipe import Loss, Recipe
from gannet.runtime.devices import launch
from gannet.schema import Choice
from gannet.tasks import flow_matching, generation, recognition, super_resolution

onnx = pytest.importorskip("onnx", reason="the extra gannet[onnx] is not installed")


def test_an_exported_generator_gives_the_same_samples(tiny_run: Path, tmp_path: Path) -> None:
    import onnxruntime

    found = gannet.export(tiny_run, tmp_path / "model.onnx")
    assert found.difference < 1e-4
    onnx.checker.check_model(onnx.load(found.path))
    session = onnxruntime.InferenceSession(found.path, providers=["CPUExecutionProvider"])
    pipeline = gannet.load(tiny_run)
    network = pipeline.networks["generator"]
    for count in (1, 5):
        latent, label = latents(network, 7, 0, count), torch.arange(count)
        (got,) = session.run(None, {"latent": latent.numpy(), "label": label.numpy()})
        torch.testing.assert_close(torch.from_numpy(got), network(latent, label), atol=1e-4, rtol=0)


KINDS = [
    generation.example(),
    generation.example().model_copy(update={"network": Choice(name="mlp", width=8, latent=4), "loss": Loss()}),
    generation.example().model_copy(update={"network": Choice(name="residual", width=4, latent=4)}),
    generation.example().model_copy(update={"network": Choice(name="residual", width=4, latent=4, stem=2)}),
    recognition.example(),
    flow_matching.example(),
    super_resolution.task.example().model_copy(update={"network": Choice(name="compact", width=4, layers=1)}),
]


@pytest.mark.parametrize(
    "recipe", KINDS, ids=lambda recipe: f"{recipe.task.name} {recipe.network.name} {recipe.network.options}"
)
def test_every_kind_of_model_can_be_exported(recipe: Recipe, tmp_path: Path) -> None:
    prepared = prepare(recipe)
    game = build_game(prepared, launch(prepared.recipe.device, prepared.recipe.precision))
    pipeline = prepared.task.pipeline(prepared.recipe, prepared.description, game.networks)
    found = onnx_module.export(pipeline, tmp_path / "model.onnx")
    assert found.path.is_file() and found.count == len(next(iter(pipeline.traced()[1].values()))) // 2 + 1


def test_a_failure_of_the_exporter_is_one_sentence(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("no\n  such operator.")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(ValueError, match=r"^This model for generation cannot be exported: no such operator\.$"):
        onnx_module.to_onnx(gannet.load(tiny_run))


def test_an_export_that_computes_something_else_is_refused(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = onnx_module.run_onnx
    monkeypatch.setattr(onnx_module, "run_onnx", lambda content: lambda *given: right(content)(*given) + 0.05)
    with pytest.raises(ValueError, match="differ"):
        gannet.export(tiny_run, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "auto"])
def test_engines_agree(engine: str, tiny_run: Path) -> None:
    """Held against the network as it stands, on all latent vectors at once."""
    pipeline = gannet.load(tiny_run)
    network = pipeline.networks["generator"]
    with torch.no_grad():
        expected = network(latents(network, 5, 0, 70), torch.arange(70) % 10)
    made = pipeline(num=70, seed=5, engine=engine)
    found = made.values
    assert made.facts.get("engine", "torch") == engine
    levels = (found - expected).abs().max() * 127.5
    assert levels <= (8 if engine == "bf16" else 1)
    assert torch.equal(found[:3], pipeline(num=3, seed=5, engine=engine).values)


def test_the_engine_is_chosen_by_the_hardware_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for precision, expected in (("bf16", "bf16"), ("32", "torch")):
        monkeypatch.setattr("gannet.pipelines.backends.choose_precision", lambda *_, told=precision: told)
        assert choose_engine("auto", "cpu", (1, 8, 8)) == expected
        assert choose_engine("auto", "cpu", (2,)) == "torch"
    with pytest.raises(ValueError, match="no engine 'fast'"):
        choose_engine("fast", "cpu", (2,))
