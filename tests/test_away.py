"""Networks that do not lie on the processor are saved, digested, applied, judged and drawn from as those that do.

On a stand-in for a GPU that every machine has (`away`); what a real one computes is looked at in `test_device`.
"""

import copy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from away import AWAY, Away, stand_in
from contracts import check_equal_states, tensors_of
from lightning_fabric import Fabric
from PIL import Image
from torch import nn

import gannet
from gannet.api import AugmentOptions, JudgeOptions, augment
from gannet.commands import judge
from gannet.commands.augment import fakes
from gannet.pipelines import backends, onnx
from gannet.recipe import dump_yaml
from gannet.runtime.files import digest, load_tensors, save_tensors
from gannet.task import find_task, task_names
from gannet.training import trainer
from gannet.training.checkpoint import CheckpointFolder

TASKS = ("super-resolution", "inpainting", "restoration")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """The device, which is chosen where none is named; models are brought there where commands load them."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: None)
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda _: None)
    monkeypatch.setattr(fakes, "load", moved(fakes.load))
    monkeypatch.setattr(judge, "load_trained", moved(judge.load_trained))
    with stand_in() as device:
        yield device


def moved(load: Callable[..., Any]) -> Callable[..., Any]:
    def loaded(*words: Any, **more: Any) -> Any:
        pipeline = load(*words, **more)
        for network in pipeline.networks.values():
            network.to(AWAY)
        return pipeline

    return loaded


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_stand_in_fails_where_a_gpu_would(away: torch.device) -> None:
    there, here = torch.ones(2, 3).to(away), torch.ones(2, 3)
    assert there.device == away and (there * 2 + torch.tensor(1.0)).device == away
    assert type(there.cpu()) is torch.Tensor and torch.equal(there.cpu(), here)
    assert torch.arange(3, device=there.device).device == away == here.to(torch.device("mps")).device
    for fails in (there.numpy, lambda: np.asarray(there), lambda: there + here, lambda: torch.cat([here, there])):
        with pytest.raises((TypeError, RuntimeError), match="mps"):
            fails()
    network = nn.Conv2d(3, 2, 1).to(away)
    assert isinstance(network.weight, Away) and network(torch.ones(1, 3, 2, 2).to(away)).device == away
    with pytest.raises(RuntimeError, match="same device"):
        network(torch.ones(1, 3, 2, 2))


def test_what_crosses_over_is_a_copy_and_a_view_is_none(away: torch.device) -> None:
    here = torch.zeros(3)
    there = here.to(away)
    there[1:].add_(1)
    there.view(3, 1)[0] = 5
    assert there.tolist() == [5, 1, 1] and here.tolist() == [0, 0, 0]
    back = there.cpu()
    there.zero_()
    assert back.tolist() == [5, 1, 1]


def test_gradients_reach_what_lies_there(away: torch.device) -> None:
    """By the same chain, through a copy of the network and across devices."""
    network = nn.Linear(3, 1).to(away)
    copied, given = copy.deepcopy(network), torch.ones(2, 3).requires_grad_()
    assert all(isinstance(one, nn.Parameter) and one.is_leaf and one.device == away for one in copied.parameters())
    copied(given.to(away)).sum().backward(inputs=[*copied.parameters(), given])
    assert copied.weight.grad is not None and copied.weight.grad.device == away and network.weight.grad is None
    assert copied.weight.grad.tolist() == [[2, 2, 2]] and type(given.grad) is torch.Tensor
    torch.testing.assert_close(given.grad, copied.weight.detach().cpu().expand(2, 3))
    with pytest.raises(RuntimeError, match="same device"):
        copied.weight.grad = torch.zeros(1, 3)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_networks_are_digested_and_saved_as_on_the_processor(away: torch.device, tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    here = digest(network.state_dict(), {})
    save_tensors(tmp_path / "here", network.state_dict(), {})
    network.to(away)
    assert digest(network.state_dict(), {}) == here
    save_tensors(tmp_path / "there", network.state_dict(), {})
    assert (tmp_path / "there").read_bytes() == (tmp_path / "here").read_bytes()
    network.load_state_dict(load_tensors(tmp_path / "here")[0])
    assert network[0].weight.device == away


@pytest.mark.parametrize("out", ["folder", "samples.zip", "sheet.png", "walk.gif"])
def test_samples_are_drawn(out: str, tiny_run: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    asked: dict[str, Any] = {"num": 3, "frames": 2} if out == "walk.gif" else {"num": 70}
    gannet.apply(tiny_run, out=tmp_path / "here" / out, engine="torch", **asked)
    request.getfixturevalue("away")
    gannet.apply(tiny_run, out=tmp_path / "there" / out, engine="torch", **asked)
    assert files(tmp_path / "there") == files(tmp_path / "here")


def test_a_generator_is_exported_once_wherever_it_lies(
    tiny_run: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    written: list[bytes] = []
    write = backends.to_onnx
    monkeypatch.setattr(backends, "to_onnx", lambda pipeline: written.append(write(pipeline)) or written[-1])
    pipeline: Any = gannet.load(tiny_run)
    here = pipeline(num=70, engine="onnx").values
    away = request.getfixturevalue("away")
    for _ in range(2):
        pipeline.to(away)
        assert torch.equal(pipeline(num=70, engine="onnx").values, here) and pipeline.device == away
        assert torch.equal(pipeline.to("cpu")(num=70, engine="onnx").values, here)
    assert len(written) == 1


def test_what_is_exported_is_a_copy_on_the_processor(away: torch.device, tiny_run: Path) -> None:
    pipeline: Any = gannet.load(tiny_run)
    network, given = onnx.on_the_processor(pipeline)
    assert network is pipeline.networks["generator"], "without need nothing is copied"
    expected = network(*given.values())
    moved, given = onnx.on_the_processor(pipeline.to(away))
    assert pipeline.device == away and torch.equal(moved(*given.values()), expected)


@pytest.fixture(scope="module", params=TASKS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("away")
    (folder / "example.yaml").write_text(dump_yaml(find_task(request.param).example()), encoding="utf-8")
    changes = {"images": 32, "stages": [], "batch": 16}
    return gannet.train((folder / "example.yaml").as_posix(), out=folder / "run", set=changes).folder


@pytest.mark.parametrize("out", ["folder", "new.zip"])
def test_photographs_go_through_a_model(out: str, model: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for kind in ("photographs", "masks"):
        (tmp_path / kind).mkdir()
        for name in "ab":
            values = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
            mask = np.zeros((24, 20), np.uint8)
            mask[8:14, 6:12] = 255
            Image.fromarray(values if kind == "photographs" else mask).save(tmp_path / kind / f"{name}.png")
    loaded: Any = gannet.load(model)
    mask = {"mask": tmp_path / "masks"} if loaded.task == "inpainting" else {}
    for place in ("here", "there"):
        if place == "there":
            request.getfixturevalue("away")
        gannet.apply(model, tmp_path / "photographs", out=tmp_path / place / out, **mask)
    assert files(tmp_path / "there") == files(tmp_path / "here")


def test_a_data_set_is_augmented_with_a_run(tiny_run: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    np.savez(tmp_path / "some.npz", images=np.zeros((20, 8, 8), np.uint8), labels=np.arange(20) % 2)
    wish = AugmentOptions(times=2, model=str(tiny_run))
    augment(tmp_path / "some.npz", tmp_path / "here", wish)
    request.getfixturevalue("away")
    augment(tmp_path / "some.npz", tmp_path / "there", wish)
    assert files(tmp_path / "there") == files(tmp_path / "here")


def learned(run: Path) -> list[tuple[str, float]]:
    """Every figure of a run's log but the clock's, by its name."""
    lines = [tensors_of({**line, "clock": {}}) for line in gannet.Run(run).log()]
    return [(name, value) for line in lines for name, value in line.items() if isinstance(value, float)]


@pytest.mark.parametrize("name", sorted(task_names()))
def test_a_task_learns_and_goes_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "example.yaml").write_text(dump_yaml(find_task(name).example()), encoding="utf-8")

    def run(place: str, **more: Any) -> Path:
        changes = {"images": 64, "checkpoint.every": 32, "log.every": 64, "checkpoint.keep": 9}
        return gannet.train((tmp_path / "example.yaml").as_posix(), out=tmp_path / place, set=changes, **more).folder

    here = run("here")
    request.getfixturevalue("away")
    monkeypatch.setattr(Fabric, "device", AWAY)
    there = run("there")
    for (key, value), (other, expected) in zip(learned(there), learned(here), strict=True):
        assert key == other and value == pytest.approx(expected, rel=0.05, abs=0.02), key
    state = CheckpointFolder(there / "state", 1).newest()
    assert state and state["environment"]["device"] == "mps", "it was not there"
    shutil.copytree(there, tmp_path / "parts")
    (tmp_path / "parts" / "state" / f"{64:012d}.safetensors").unlink()
    assert gannet.train(resume=tmp_path / "parts").ending == "finished"
    check_equal_states(there, tmp_path / "parts")


def test_a_batch_left_on_the_processor_is_found(
    away: torch.device, tiny_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fabric, "device", away)
    monkeypatch.setattr(trainer, "moved", lambda tensor, _: tensor)
    with pytest.raises(RuntimeError, match="same device"):
        gannet.train(tiny_yaml.as_posix(), out=tmp_path / "run")


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_a_run_is_judged(tiny_run: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    here = gannet.judge(run, query=JudgeOptions(num=100)).to_json()
    request.getfixturevalue("away")
    assert gannet.judge(run, query=JudgeOptions(num=100)).to_json() == here
