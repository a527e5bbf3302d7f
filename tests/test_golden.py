"""What commit a93b08a made is opened for good; `golden/make.py` made it, see there for what it is."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from pictures import picture_dataset
from PIL import Image
from torch import Tensor

import gannet
from gannet.api import JudgeOptions
from gannet.commands.callbacks import draw_sheet
from gannet.commands.train import prepare, split_of
from gannet.data.cache import Dataset
from gannet.data.loader import Loader
from gannet.data.sources import open_source
from gannet.media.medium import Shown
from gannet.recipe import Recipe, load_recipe
from gannet.runs.folder import Run
from gannet.runs.report import write_report
from gannet.runtime.files import load_tensors, load_tree
from gannet.task import task_names

GOLDEN = Path(__file__).parent / "golden"
STAMP = 1_700_000_000
"""Seconds, the time of change of every picture when the fixtures were made: fingerprints of folders go by it."""
TASKS = tuple(path.parent.name for path in sorted(GOLDEN.glob("*/end")))
DRAWING = ("generation", "flow-matching")
PHOTOGRAPHS = tuple(name for name in TASKS if name not in {*DRAWING, "recognition"})
BATCHES = json.loads((GOLDEN / "batches.json").read_text(encoding="utf-8"))
DECODED = {
    "crop": (3, "crop", ""),
    "pad": (4, "pad", ""),
    "stretch": (1, "stretch", ""),
    "middle": (3, "middle", ""),
    "grouped": (1, "crop", "/(p[0-9]+)"),
}
"""Channels, fit and group of each file in `decoded`; all are of 12 rows and columns."""
RENAMED = {"piece": "patch", "police": "discriminator_width", "moves": "update", "in-turn": "alternating"}
"""What keys and choices of recipes were called then, and are called now."""
ROUNDING = 0.01
"""By how much of their way from the middle to the end weights may differ from those of another processor: measured
are 1e-5, a learning rate 5 % higher makes 0.05."""


def loaders_of(recipe: Recipe) -> tuple[Loader, Loader]:
    """The training and the held-out samples of a recipe."""
    split = split_of(prepare(recipe))
    assert isinstance(split.training, Loader) and isinstance(split.held_out, Loader)
    return split.training, split.held_out


def open_cache(data: str | Path, side: int, channels: int, fit: str, group: str, folder: Path) -> Dataset:
    """The data as the cache in that folder holds them, built when they are not there."""
    return picture_dataset(open_source(str(data)), side, side, channels, fit, group, folder)


def sheet_of(run: Run) -> Callable[[], Shown]:
    """What shows the things that a run shows of its model."""
    prepared = prepare(run.recipe)
    look = prepared.task.sheet(prepared.recipe, prepared.description, run.pipeline(), loaders_of(run.recipe))
    assert look is not None
    return look


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A copy of the pictures with the times of change that they had."""
    copy = Path(shutil.copytree(GOLDEN / "pictures", tmp_path / "pictures"))
    for path in copy.rglob("*.*"):
        os.utime(path, (STAMP, STAMP))
    return copy


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Path]:
    """Copy a part of the fixtures to where it may be changed."""
    return lambda name: Path(shutil.copytree(GOLDEN / name, tmp_path / Path(name).name))


def as_digest(array: np.ndarray) -> list[Any]:
    """The type, the shape and a digest of an array."""
    return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]


def digests(batch: dict[str, Tensor]) -> dict[str, Any]:
    return {name: as_digest(tensor.contiguous().numpy()) for name, tensor in batch.items()}


def levels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def assert_within_one_level(made: Path, golden: Path) -> None:
    ours, theirs = levels(made), levels(golden)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1, made.name


def names_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_every_task_of_then_is_still_there() -> None:
    assert len(TASKS) == 7 and set(TASKS) <= set(task_names())


@pytest.mark.parametrize("name", BATCHES)
def test_the_first_batches_are_the_same_to_the_byte(name: str, pictures: Path) -> None:
    golden = BATCHES[name]
    changes = {key: str(pictures) if value == "PICTURES" else value for key, value in golden["changes"].items()}
    recipe = load_recipe(str(GOLDEN / golden["task"] / "middle" / "recipe.yaml"), changes)
    training, held_out = loaders_of(recipe)
    assert as_digest(training.chosen) == golden["training"], "other samples are learned from"
    assert as_digest(held_out.chosen) == golden["held_out"], "other samples are held out"
    assert digests(held_out.spread(32)) == golden["shown"]
    for number, batch in enumerate(golden["batches"]):
        start, count = number * recipe.batch, recipe.batch
        assert training.chosen[training.order(np.arange(start, start + count))].tolist() == batch["rows"]
        assert digests(training.gather(start, count)) == batch["tensors"]


def test_an_entry_of_the_cache_opens_as_it_is(copied: Callable[[str], Path]) -> None:
    cache = copied("cache")
    (entry,) = cache.glob("data-*")
    os.utime(entry / "images.raw", (STAMP, STAMP))
    data = open_cache("digits", 8, 1, "crop", "", cache)
    assert (entry / "images.raw").stat().st_mtime == STAMP, "the entry was built anew"
    assert f"data-{data.fingerprint}" == entry.name
    assert data.first.tobytes() == (entry / "images.raw").read_bytes()
    assert (data.first.shape, len(data.classes), data.held_out.sum()) == ((1797, 1, 8, 8), 10, 171)


def test_an_entry_built_anew_is_the_same_to_the_byte(tmp_path: Path) -> None:
    open_cache("digits", 8, 1, "crop", "", tmp_path)
    (golden,) = (GOLDEN / "cache").glob("data-*")
    assert names_below(tmp_path / golden.name) == names_below(golden)
    for name in names_below(golden):
        assert (tmp_path / golden.name / name).read_bytes() == (golden / name).read_bytes(), name


@pytest.mark.parametrize("name", DECODED)
def test_pictures_are_decoded_and_split_the_same(name: str, tmp_path: Path, pictures: Path) -> None:
    channels, fit, group = DECODED[name]
    data = open_cache(pictures, 12, channels, fit, group, tmp_path / "cache")
    with np.load(GOLDEN / "decoded" / f"{name}.npz") as golden:
        for part in ("images", "labels", "held_out", "digests", "groups"):
            ours = np.asarray(data.first if part == "images" else getattr(data, part))
            assert ours.dtype == golden[part].dtype and np.array_equal(ours, golden[part]), part
        told = json.loads(str(golden["told"]))
    ours = {"fingerprint": data.fingerprint, "classes": list(data.classes), "sizes": data.sizes, "modes": data.modes}
    assert ours == told


def _weights(run: Path) -> dict[str, Tensor]:
    """A model's weights by name; counters are left out."""
    tensors, _ = load_tensors(run / "model" / "model.safetensors")
    return {name: tensor.double() for name, tensor in tensors.items() if tensor.is_floating_point()}


def _average(run: Path) -> dict[str, Tensor]:
    """The averaged networks of a run's only checkpoint, by the same names."""
    (state,) = (run / "state").glob("*.safetensors")
    networks = load_tree(state)["average"]
    return {f"{name}.{key}": tensor.double() for name, network in networks.items() for key, tensor in network.items()}


def strayed(run: Path, name: str) -> float:
    """How far a run's weights are from the golden ones, in the ways that these went since the middle; the median.

    The median, since weights without an effect, such as a bias before a normalization, go by rounding alone.
    """
    ours, theirs, before = _weights(run), _weights(GOLDEN / name / "end"), _average(GOLDEN / name / "middle")
    ways = {key: (theirs[key] - before[key]).norm() for key in theirs}
    return float(np.median([(ours[key] - theirs[key]).norm() / way for key, way in ways.items() if way > 0]))


@pytest.mark.parametrize("name", TASKS)
def test_a_run_goes_on_to_the_same_end(name: str, copied: Callable[[str], Path]) -> None:
    before, golden = GOLDEN / name / "middle", GOLDEN / name / "end"
    run = gannet.train(resume=copied(f"{name}/middle"))
    assert run.ending == "finished"
    assert strayed(run.folder, name) <= ROUNDING
    ours, theirs = list(run.log()), list(Run(golden).log())
    assert ours[:5] == list(Run(before).log()), "the lines that were there changed"
    assert [line["images"] for line in ours] == [line["images"] for line in theirs]
    assert ours[-1].keys() >= theirs[-1].keys()
    assert ours[-1]["losses"] == pytest.approx(theirs[-1]["losses"], rel=0.05, abs=0.02)
    if "verdict.json" in names_below(golden):
        assert run.verdict.keys() >= Run(golden).verdict.keys()
    for sheet in (golden / "samples").glob("*.png"):
        assert np.abs(levels(run.folder / "samples" / sheet.name) - levels(sheet)).mean() < 1


@pytest.mark.parametrize("name", DRAWING)
def test_the_same_seeds_draw_the_same(name: str, tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    end, golden, out = GOLDEN / name / "end", GOLDEN / name / "made", tmp_path / "made"
    # In half precision, which `auto` takes where there is hardware for it, processors differ by more than a level.
    words = ["apply", end, "--num", 3, "--seed", 0, "--engine", "torch", "--out", out]
    assert gannet_command(*words).code == 0
    assert names_below(out) == names_below(golden)
    for path in golden.rglob("*.png"):
        assert_within_one_level(out / path.relative_to(golden), path)
    (sheet,) = (end / "samples").glob("*.png")
    draw_sheet(sheet_of(Run(end))(), tmp_path, int(sheet.stem))
    assert_within_one_level(tmp_path / sheet.name, sheet)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_same_becomes_of_a_photograph(name: str, tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    mask = ["--mask", GOLDEN / "mask.png"] if name == "inpainting" else []
    for file, strength in {"usual.png": [], "half.png": ["--strength", "0.5"]}.items():
        words = ["apply", GOLDEN / name / "end", GOLDEN / "photograph.png", *mask, *strength, "--out", tmp_path / file]
        assert gannet_command(*words).code == 0
        assert_within_one_level(tmp_path / file, GOLDEN / name / "made" / file)


def test_the_same_is_recognized() -> None:
    pictures = torch.linspace(-1, 1, 256).sin().view(4, 1, 8, 8)
    found = gannet.load(GOLDEN / "recognition" / "end").probabilities(pictures)
    golden = torch.from_numpy(np.load(GOLDEN / "recognition" / "made" / "probabilities.npy"))
    torch.testing.assert_close(found, golden, rtol=1e-4, atol=1e-5)


def in_todays_names(values: Any) -> Any:
    """The values of a recipe by the names that its keys and choices have today."""
    if isinstance(values, dict):
        return {RENAMED.get(key, key): in_todays_names(value) for key, value in values.items()}
    return RENAMED.get(values, values) if isinstance(values, str) else values


def _without(values: Any, known: Any) -> Any:
    """The values less the keys that were not known then."""
    if isinstance(values, dict) and isinstance(known, dict):
        return {key: _without(values[key], known[key]) for key in known if key in values}
    return values


@pytest.mark.parametrize("part", ["middle", "end"])
@pytest.mark.parametrize("name", TASKS)
def test_recipe_log_verdict_and_report_can_be_read(name: str, part: str, copied: Callable[[str], Path]) -> None:
    run = Run(copied(f"{name}/{part}"))
    told = in_todays_names(yaml.safe_load((run.folder / "recipe.yaml").read_text(encoding="utf-8")))
    known = in_todays_names(run.recipe.model_dump(mode="json"))
    assert _without(known, told) == told
    resolved = prepare(run.recipe).recipe.model_dump(mode="json")
    assert resolved == known, "the recipe was resolved, and is resolved in another way now"
    images = list(range(64, 321 if part == "middle" else 513, 64))
    assert [line["images"] for line in run.log()] == images
    report = unescape(write_report(run.folder).read_text(encoding="utf-8"))
    assert f"{images[-1]:,}" in report and f"name: {run.recipe.name}" in report
    assert not run.verdict or run.verdict["advice"] in report
    if part == "end":
        judged = json.loads((run.folder / "judgement.json").read_text(encoding="utf-8"))
        assert judged["measures"] and all(each["name"] in report for each in judged["measures"])


@pytest.mark.parametrize("name", TASKS)
def test_the_judgement_is_the_same(name: str, copied: Callable[[str], Path]) -> None:
    run = copied(f"{name}/end")
    golden = json.loads((run / "judgement.json").read_text(encoding="utf-8"))
    counts = {"generation": 120, "flow-matching": 120, "recognition": 0}
    found = gannet.judge(run, query=JudgeOptions(num=counts.get(name, 4))).to_json()
    ours = {each["name"]: each for each in found["measures"]}
    for then in golden["measures"]:
        now, near = ours[then["name"]], 1e-3 + 0.1 * (then["high"] - then["low"])
        assert now["value"] == pytest.approx(then["value"], rel=0.01, abs=near), then["name"]
        assert (now["n_real"], now["n_fake"]) == (then["n_real"], then["n_fake"])
        assert (now["floor"] is None) == (then["floor"] is None)
