"""What is exported computes what PyTorch computes; what differs is not written."""

from pathlib import Path

import pytest
import torch

import gannet
from gannet import exporting
from gannet.engines import ENGINES, choose_engine, make_engine
from gannet.pipeline import Pipeline
from gannet.samples import latents

onnx = pytest.importorskip("onnx", reason="the extra gannet[onnx] is not installed")


@pytest.fixture(scope="module")
def generator(tiny_run: Path) -> Pipeline:
    return gannet.load(tiny_run)


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


def test_an_export_that_computes_something_else_is_refused(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = exporting.run_onnx
    monkeypatch.setattr(exporting, "run_onnx", lambda content: lambda *given: right(content)(*given) + 0.05)
    with pytest.raises(ValueError, match="differ"):
        gannet.export(tiny_run, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "auto"])
def test_engines_agree(engine: str, tiny_run: Path) -> None:
    pipeline = gannet.load(tiny_run)
    expected = pipeline(num=70, seed=5).values
    name, pipeline.compute = make_engine(engine, pipeline)
    found = pipeline(num=70, seed=5).values
    assert name == engine
    levels = (found - expected).abs().max() * 127.5
    assert levels <= (8 if engine == "bf16" else 1)
    assert torch.equal(found[:3], pipeline(num=3, seed=5).values)


def test_the_engine_is_chosen_by_the_hardware_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for precision, expected in (("bf16", "bf16"), ("32", "torch")):
        monkeypatch.setattr("gannet.engines.choose_precision", lambda *_, told=precision: told)
        assert choose_engine("auto", "cpu", (1, 8, 8)) == expected
        assert choose_engine("auto", "cpu", (2,)) == "torch"
    with pytest.raises(ValueError, match="no engine 'fast'"):
        choose_engine("fast", "cpu", (2,))
