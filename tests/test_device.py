"""On a GPU everything is as it is on the processor, up to rounding; skipped where there is none.

python -m pytest -m device tests/test_device.py
"""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts import check_equal_states, check_gradients, make_trainer, tensors_of
from PIL import Image
from torch import Tensor

import gannet
from gannet.recipe import dump_yaml
from gannet.runtime.files import load_tree
from gannet.task import find_task, task_names

DEVICE, RUN_ON = "cuda", 128
TASKS = sorted(task_names())
ROUNDING = {"rtol": 2e-2, "atol": 2e-2}
"""Convolutions on a GPU are computed in TF32, of ten bits."""
MOST_APART = 2.0
"""Levels of 255 that pictures may differ by in the mean."""

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch's CUDA finds"),
]


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def train(name: str, out: Path, **changes: Any) -> Path:
    """A run of a task's example on the GPU; changes are keys with `__` for dots."""
    file = out.parent / f"{out.name}.yaml"
    file.write_text(dump_yaml(find_task(name).example()), encoding="utf-8")
    usual = {"device": DEVICE, "checkpoint.keep": 9, "log.every": 16}
    changed = {key.replace("__", "."): value for key, value in changes.items()}
    return gannet.train(file.as_posix(), out=out, set=usual | changed).folder


@pytest.fixture(scope="module")
def run(task: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of the example; copy it before changing anything."""
    return train(task, tmp_path_factory.mktemp("device") / task)


def resumed(run: Path, copy: Path, **changes: Any) -> Path:
    """A copy of a run that was killed after its first checkpoint, gone on with to its end."""
    shutil.copytree(run, copy)
    for checkpoint in (copy / "state").glob("*.safetensors"):
        if int(checkpoint.stem) > RUN_ON:
            checkpoint.unlink()
    (copy / "model" / "model.safetensors").unlink()
    assert gannet.train(resume=copy, set=changes).ending == "finished"
    return copy


def losses(run: Path) -> list[dict[str, float]]:
    return [line["losses"] for line in gannet.Run(run).log()]


def check_finite(run: Path) -> None:
    found = [value for line in losses(run) for value in line.values()]
    assert found and all(map(math.isfinite, found))
    weights = gannet.load(run).tensors().values()
    assert all(bool(tensor.isfinite().all()) for tensor in weights if tensor.is_floating_point())


def answer(run: Path, device: str) -> list[Tensor]:
    """What a run's network gives on a device for its own example of an input."""
    network, inputs = gannet.load(run).traced()
    with torch.no_grad():
        given = network.to(device)(*(value.to(device) for value in inputs.values()))
    results = given if isinstance(given, tuple | list) else (given,)
    assert all(result.device.type == device for result in results)
    return [result.float().cpu() for result in results]


def apart(one: Path, other: Path) -> float:
    """How far the last states of two runs are from one another: of all weights the largest relative distance."""
    states = [load_tree(sorted((run / "state").glob("*.safetensors"))[-1]) for run in (one, other)]
    left, right = (tensors_of({"networks": state["networks"], "average": state["average"]}) for state in states)
    pairs = ((value.double(), right[name].double()) for name, value in left.items() if isinstance(value, Tensor))
    return max(float((a - b).norm() / a.norm().clamp_min(1e-9)) for a, b in pairs)


def told(command: Callable[..., Any], *words: object) -> Any:
    """What a command's JSON says."""
    ended = command(*words, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["result"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Some photographs, and beside them a mask of each."""
    folder, random = tmp_path_factory.mktemp("given"), np.random.default_rng(0)
    for name, (height, width) in {"a.png": (24, 32), "deep/b.png": (33, 20)}.items():
        for kind in ("photographs", "masks"):
            (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
        smooth = Image.fromarray(random.integers(0, 256, (4, 4, 3), np.uint8)).resize((width, height))
        smooth.save(folder / "photographs" / name)
        mask = np.zeros((height, width), np.uint8)
        mask[8:14, 6:12] = 255
        Image.fromarray(mask).save(folder / "masks" / name)
    yield folder / "photographs"


def files(folder: Path) -> dict[str, np.ndarray]:
    """The pictures of a folder, by their path in it."""
    return {str(path.relative_to(folder)): pixels(path) for path in sorted(folder.rglob("*.png"))}


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(np.float32)


def check_alike(one: Path, other: Path) -> float:
    """Two folders hold the same pictures, up to rounding; returns the mean difference in levels."""
    first, second = files(one), files(other)
    assert first.keys() == second.keys() and len(first) > 1
    assert all(values.shape == second[name].shape for name, values in first.items())
    mean = float(np.mean([np.abs(values - second[name]).mean() for name, values in first.items()]))
    assert mean <= MOST_APART
    return mean


def without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_a_run_on_a_gpu_is_finite_and_says_so(run: Path) -> None:
    check_finite(run)
    assert gannet.Run(run).recipe.device == DEVICE


def test_a_run_in_bf16_is_finite_and_starts_near_that_in_single_precision(task: str, run: Path, tmp_path: Path) -> None:
    half = train(task, tmp_path / "half", precision="bf16")
    check_finite(half)
    first, whole = losses(half)[0], losses(run)[0]
    assert first.keys() == whole.keys()
    assert all(first[name] == pytest.approx(whole[name], rel=0.1, abs=0.1) for name in whole)


def test_the_first_round_is_that_of_the_processor(task: str, run: Path, tmp_path: Path) -> None:
    first, plain = losses(run)[0], losses(train(task, tmp_path / "plain", device="cpu", images=32))[0]
    assert first.keys() == plain.keys()
    assert all(first[name] == pytest.approx(plain[name], rel=2e-2, abs=2e-2) for name in plain)


def test_an_interrupted_run_is_as_near_to_a_whole_one_as_a_second_whole_one(
    task: str, run: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    parts = resumed(run, tmp_path / "parts")
    again = train(task, tmp_path / "again")
    ours, theirs = apart(run, parts), apart(run, again)
    record_property(f"{task}: resumed and whole differ by", f"{ours:.2g}; two whole runs by {theirs:.2g}")
    assert ours <= (20 * theirs + 1e-4 if theirs else 0)
    if not theirs:
        check_equal_states(run, parts)


def test_an_interrupted_game_equals_a_whole_one_where_the_discriminator_sees_samples_as_they_are(
    tmp_path: Path,
) -> None:
    whole = train("generation", tmp_path / "whole", augment__name="none")
    check_equal_states(whole, resumed(whole, tmp_path / "parts"))


def test_a_model_answers_on_the_processor_as_on_the_gpu(
    task: str, run: Path, record_property: Callable[[str, object], None]
) -> None:
    ours, theirs = answer(run, "cpu"), answer(run, DEVICE)
    most = max(float((one - other).abs().max()) for one, other in zip(ours, theirs, strict=True))
    record_property(f"{task}: processor and GPU differ by", f"{most:.2g}")
    for one, other in zip(ours, theirs, strict=True):
        assert bool(one.isfinite().all())
        torch.testing.assert_close(one, other, **ROUNDING)


def test_a_run_of_the_gpu_goes_on_on_the_processor(run: Path, tmp_path: Path) -> None:
    moved = resumed(run, tmp_path / "moved", device="cpu")
    check_finite(moved)
    assert gannet.Run(moved).recipe.device == "cpu"


def test_a_run_of_the_processor_goes_on_on_the_gpu(task: str, tmp_path: Path) -> None:
    plain = train(task, tmp_path / "plain", device="cpu")
    check_finite(resumed(plain, tmp_path / "moved", device=DEVICE))


def test_weights_of_the_gpu_are_a_start_on_the_processor(task: str, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(dump_yaml(find_task(task).example()), encoding="utf-8")
    started = gannet.train(
        file.as_posix(), out=tmp_path / "started", start_from=run, set={"device": "cpu", "images": 64}
    )
    check_finite(started.folder)


def test_batches_arrive_as_they_are_on_the_processor(task: str, tmp_path: Path) -> None:
    example = find_task(task).example()
    trainers = [
        make_trainer(example.model_copy(update={"device": device}), tmp_path / device) for device in (DEVICE, "cpu")
    ]
    batches: list[list[dict[str, Tensor]]] = [[], []]
    for _ in range(8):
        for trainer, found in zip(trainers, batches, strict=True):
            found.extend(trainer._load(part) for part in trainer.slices)
            trainer.progress.images += example.batch
    for there, here in zip(*batches, strict=True):
        assert there.keys() == here.keys()
        for name, tensor in here.items():
            assert there[name].device.type == DEVICE and there[name].dtype == tensor.dtype
            assert torch.equal(there[name].cpu(), tensor), name


def test_gradients_reach_the_right_players_only(task: str, tmp_path: Path) -> None:
    example = find_task(task).example().model_copy(update={"device": DEVICE})
    check_gradients(make_trainer(example, tmp_path / "run"))


def test_a_run_is_judged(run: Path, gannet_command: Callable[..., Any]) -> None:
    found = told(gannet_command, "judge", run, "--num", 200)
    assert found and (run / "judgement.json").is_file()
    # A figure that has no meaning there is null; not a number is what arithmetic gone wrong gives.
    assert "NaN" not in (run / "judgement.json").read_text()


@pytest.mark.parametrize("side", [32])
def test_pictures_are_judged_by_the_shipped_network(
    side: int, tmp_path: Path, gannet_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train("generation", tmp_path / "run", data__size=side)
    there = told(gannet_command, "judge", run, "--num", 200)["measures"][0]
    without_a_gpu(monkeypatch)
    here = told(gannet_command, "judge", run, "--num", 200)["measures"][0]
    assert there["name"] == here["name"] and there["value"] == pytest.approx(here["value"], rel=0.05)


@pytest.mark.parametrize("out", ["folder", "samples.zip", "sheet.png", "walk.gif"])
def test_samples_are_drawn(task: str, run: Path, out: str, tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    if gannet.load(run).inputs:
        pytest.skip(f"{task} draws nothing")
    more = ("--num", 2, "--frames", 3) if out == "walk.gif" else ("--num", 70)
    told(gannet_command, "apply", run, *more, "--out", tmp_path / out)
    if out == "folder":
        assert len(files(tmp_path / out)) == 70
    assert (tmp_path / out).exists()


@pytest.mark.parametrize("engine", ["torch", "bf16"])
def test_samples_of_the_gpu_are_those_of_the_processor(
    task: str,
    run: Path,
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    if gannet.load(run).inputs:
        pytest.skip(f"{task} draws nothing")
    asked = {"num": 70, "seed": 3, "engine": engine}
    gannet.apply(run, out=tmp_path / "there", **asked)
    without_a_gpu(monkeypatch)
    gannet.apply(run, out=tmp_path / "here", **asked)
    record_property(f"{task}, {engine}: samples differ by", f"{check_alike(tmp_path / 'there', tmp_path / 'here'):.3g}")


@pytest.fixture
def masked(task: str, run: Path, photographs: Path) -> tuple[object, ...]:
    """The words that give photographs to a model, with masks where it wants some."""
    model: Any = gannet.load(run)
    if not hasattr(model, "accept"):
        pytest.skip(f"{task} takes no photographs")
    try:
        model.accept(False)
    except ValueError:
        return (photographs, "--mask", photographs.parent / "masks")
    return (photographs,)


@pytest.mark.parametrize("out", ["folder", "new.zip"])
def test_photographs_go_through_a_model(
    run: Path, masked: tuple[object, ...], out: str, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    found = told(gannet_command, "apply", run, *masked, "--out", tmp_path / out)
    assert found["photographs"] == 2 and not found["left_out"] and (tmp_path / out).exists()


def test_one_photograph_goes_through_a_model(
    run: Path, masked: tuple[object, ...], tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    given, *mask = masked
    words = [Path(str(word)) / "a.png" if "masks" in str(word) else word for word in mask]
    told(gannet_command, "apply", run, Path(str(given)) / "a.png", *words, "--out", tmp_path / "new.png")
    assert pixels(tmp_path / "new.png").size


def test_photographs_come_back_as_from_the_processor(
    task: str,
    run: Path,
    masked: tuple[object, ...],
    tmp_path: Path,
    gannet_command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    told(gannet_command, "apply", run, *masked, "--out", tmp_path / "there")
    without_a_gpu(monkeypatch)
    told(gannet_command, "apply", run, *masked, "--out", tmp_path / "here")
    record_property(f"{task}: photographs differ by", f"{check_alike(tmp_path / 'there', tmp_path / 'here'):.3g}")


def test_a_dry_run_names_the_gpu_and_its_memory(task: str, tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(dump_yaml(find_task(task).example()), encoding="utf-8")
    found = told(gannet_command, "train", file, "--dry-run", "--set", f"device={DEVICE}")
    assert DEVICE in found["device"] and found["memory"] > 0 and found["seconds"] > 0


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_bench_measures_the_gpu(precision: str, gannet_command: Callable[..., Any]) -> None:
    brief = ("--blocks", 2, "--seconds", 0.1)
    changes = ("--set", f"device={DEVICE}", "--set", f"precision={precision}")
    found = told(gannet_command, "bench", "digits", *brief, *changes)
    assert found["device"] == f"{DEVICE}, {precision}"
    assert min(found["trained"], found["sampled"], found["work"], found["rate"], found["memory"]) > 0


def test_auto_is_the_gpu_and_bf16_where_it_multiplies_in_it(tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    words = ("--dry-run", "--set", "device=auto", "--set", "precision=auto")
    expected = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    found = told(gannet_command, "train", "digits", *words)
    assert DEVICE in found["device"] and expected in found["device"]


def test_a_full_memory_is_told_in_one_sentence(tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    words = ("--set", f"device={DEVICE}", "--set", "data.size=64", "--set", "data.channels=3", "--set", "batch=1024")
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.005)
    try:
        ended = gannet_command("train", "images", "digits", *words, "--out", tmp_path / "run")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert ended.code == 2 and "memory is full" in ended.err and "Traceback" not in ended.err
