"""Networks that do not lie on the processor are saved, digested, applied, judged and drawn from as those that do.

On a stand-in for a GPU that every machine has (`away`); what a real one computes is looked at in `test_device`.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from away import AWAY, Away, stand_in
from PIL import Image
from torch import nn

import gannet
from gannet.api import AugmentOptions, JudgeOptions, augment
from gannet.commands import judge
from gannet.commands.augment import fakes
from gannet.recipe import dump_yaml
from gannet.runtime.files import digest, load_tensors, save_tensors
from gannet.task import find_task

TASKS = ("super-resolution", "inpainting", "restoration")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """The device, which is chosen where none is named; models are brought there where commands load them."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: None)
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda _: None)
    for module in (fakes, judge):
        monkeypatch.setattr(module, "load", moved(module.load))
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


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_a_run_is_judged(tiny_run: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    here = gannet.judge(run, query=JudgeOptions(num=100)).to_json()
    request.getfixturevalue("away")
    assert gannet.judge(run, query=JudgeOptions(num=100)).to_json() == here
