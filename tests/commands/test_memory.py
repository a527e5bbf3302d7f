"""Verbs on data in memory do what they do with the same pictures in files, to the byte."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset

import gannet
from gannet.api import AugmentOptions, JudgeOptions, PlanOptions

COUNT, SIDE = 48, 16
SMALL = {"network.width": 4, "data.size": SIDE, "batch": 16, "device": "cpu", "images": 64, "task.conditional": True}
PICTURES = np.random.default_rng(3).integers(0, 256, (COUNT, SIDE, SIDE, 3), np.uint8)
LABELS = [number * 2 // COUNT for number in range(COUNT)]


class Pairs(Dataset):
    classes = ("0", "1")

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(PICTURES[index]).permute(2, 0, 1) / 255, LABELS[index]


WAYS: dict[str, Callable[[], Any]] = {
    "arrays": lambda: (PICTURES, LABELS),
    "floats": lambda: (PICTURES.transpose(0, 3, 1, 2) / 127.5 - 1, np.array(LABELS)),
    "tensors": lambda: (torch.from_numpy(PICTURES).permute(0, 3, 1, 2), torch.tensor(LABELS)),
    "Pillow": lambda: ([Image.fromarray(one) for one in PICTURES], LABELS),
    "pairs": lambda: [(Image.fromarray(one), label) for one, label in zip(PICTURES, LABELS, strict=True)],
    "Dataset": Pairs,
}


def in_folder(folder: Path) -> Path:
    for number, (pixels, label) in enumerate(zip(PICTURES, LABELS, strict=True)):
        path = folder / "data" / str(label) / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder / "data"


def weights(run: gannet.Run) -> bytes:
    return (run.folder / "model" / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def of_files(tmp_path_factory: pytest.TempPathFactory) -> gannet.Run:
    folder = tmp_path_factory.mktemp("files")
    return gannet.train("images", in_folder(folder), folder / "run", SMALL)


@pytest.fixture
def of_memory(tmp_path: Path) -> gannet.Run:
    return gannet.train("images", WAYS["arrays"](), tmp_path / "run", SMALL)


@pytest.mark.parametrize("way", WAYS)
def test_a_run_learns_the_same_however_its_pictures_are_held(way: str, of_files: gannet.Run, tmp_path: Path) -> None:
    run = gannet.train("images", WAYS[way](), tmp_path / "run", SMALL)
    assert weights(run) == weights(of_files)
    assert run.recipe.data.source.startswith("memory:")


def test_a_file_of_one_array_is_learned_from_as_the_same_pictures_in_a_folder(
    tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, pixels in enumerate(PICTURES):
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
    np.save(tmp_path / "photos.npy", PICTURES)
    changes = [word for key, value in SMALL.items() if key[:4] != "task" for word in ("--set", f"{key}={value}")]
    runs = [tmp_path / "one", tmp_path / "other"]
    for data, run in zip((folder, tmp_path / "photos.npy"), runs, strict=True):
        assert gannet_command("train", "images", data, "--out", run, *changes).code == 0
    assert len({weights(gannet.Run(run)) for run in runs}) == 1


@pytest.mark.parametrize("way", ["arrays", "pairs"])
def test_a_run_goes_on_with_the_same_data_to_the_byte(way: str, of_memory: gannet.Run, tmp_path: Path) -> None:
    whole = gannet.train("images", WAYS["arrays"](), tmp_path / "whole", {**SMALL, "images": 128})
    again = gannet.train(resume=of_memory.folder, data=WAYS[way](), set={"images": 128})
    assert weights(again) == weights(whole)


def test_a_run_goes_on_with_no_other_data(
    of_memory: gannet.Run, of_files: gannet.Run, gannet_command: Callable[..., Any]
) -> None:
    more, before = {"images": 128}, (of_memory.folder / "recipe.yaml").read_bytes()
    with pytest.raises(ValueError, match="give the same again in Python"):
        gannet.train(resume=of_memory.folder, set=more)
    for data in (PICTURES, (PICTURES, LABELS[::-1]), (PICTURES[::-1], LABELS), "digits"):
        with pytest.raises(ValueError, match="learns from memory:.*give the same, or start a new run"):
            gannet.train(resume=of_memory.folder, data=data, set=more)
    with pytest.raises(ValueError, match="give the same, or start a new run"):
        gannet.train(resume=of_files.folder, data=WAYS["arrays"](), set=more)
    ended = gannet_command("train", "--resume", of_memory.folder, "--set", "images=128")
    assert ended.code == 2 and "give the same again in Python" in ended.err
    assert (of_memory.folder / "recipe.yaml").read_bytes() == before


def test_a_run_that_is_over_needs_its_data_no_more(of_memory: gannet.Run) -> None:
    assert gannet.train(resume=of_memory.folder).ending == "finished"
    assert len(of_memory.pipeline()(num=4, seed=0)) == 4


def test_a_run_is_judged_by_what_it_held_out_where_its_data_are_given_again(
    of_memory: gannet.Run, of_files: gannet.Run
) -> None:
    query = JudgeOptions(num=20)
    with pytest.raises(ValueError, match="give the same again in Python"):
        gannet.judge(of_memory.folder, query=query)
    again = gannet.judge(of_memory.folder, WAYS["Pillow"](), query)
    assert again.lines() == gannet.judge(of_files.folder, query=query).lines()
    asked = json.loads((of_memory.folder / "judgement.json").read_text())["asked"]
    assert asked["data"] == ""
    other = gannet.judge(of_memory.folder, PICTURES[:40], query)
    assert "there are 40 held-out samples and 20 fakes, and" in " ".join(other.lines())


def test_the_doctor_finds_in_memory_what_is_in_files(tmp_path: Path) -> None:
    files, memory = gannet.doctor(in_folder(tmp_path)).to_json(), gannet.doctor(WAYS["Pillow"]()).to_json()
    assert memory.pop("name") == "memory" and files.pop("name") == "data"
    assert memory == files


def test_a_plan_and_a_measurement_open_data_in_memory() -> None:
    plan = gannet.plan("images", WAYS["arrays"](), {"device": "cpu"}, options=PlanOptions(rounds=1))
    assert plan.recipe.data.options["size"] == SIDE and plan.recipe.data.options["channels"] == 3
    with pytest.raises(ValueError, match=r"memory\[0\] is of type str"):
        gannet.bench("images", ["a.png", "b.png"])


def test_copies_are_made_of_pictures_in_memory(tmp_path: Path) -> None:
    wish = AugmentOptions(times=2, kinds="flip")
    for name, data in (("arrays", WAYS["arrays"]()), ("Dataset", Pairs())):
        made = gannet.augment(data, tmp_path / name, wish)
        assert (made.healthy, made.copies) == (COUNT, COUNT)
        for label in (0, 1):
            files = sorted((tmp_path / name / "train" / str(label)).glob("*[0-9].png"))
            copies = [path for path in files if "~" in path.name]
            assert (len(files), len(copies)) == (COUNT, COUNT // 2)
            plain = np.asarray(Image.open(next(path for path in files if "~" not in path.name)))
            mirrored = np.asarray(Image.open(copies[0]))
            np.testing.assert_array_equal(mirrored, plain[:, ::-1])


@pytest.mark.parametrize("data", ["phtoos/", Path("photos.npy"), "memory:0123"])
def test_a_word_or_a_path_is_never_taken_for_pictures(
    data: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="There is no data called|The data were in memory"):
        gannet.train("images", data, tmp_path / "run", SMALL)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "picture", [PICTURES[0], torch.from_numpy(PICTURES[0]), Image.fromarray(PICTURES[0])], ids=type
)
def test_apply_says_where_a_picture_in_memory_goes(picture: object, tmp_path: Path) -> None:
    for words in (("inpainting", picture), ("inpainting", "a.png")):
        with pytest.raises(ValueError, match=r"give a picture in memory to the model itself: gannet.load\(MODEL\)"):
            gannet.apply(*words, mask=picture, out=tmp_path / "new.png")


def test_groups_are_told_by_names_which_pictures_in_memory_have_not(tmp_path: Path) -> None:
    for data in ((PICTURES, LABELS), (list(PICTURES), LABELS)):
        with pytest.raises(ValueError, match="memory has no file names that data.group could look at"):
            gannet.train("images", data, tmp_path / "run", {**SMALL, "data.group": "(.)"})
    changes = {**SMALL, "data.group": r"/\d*(\d)\.", "task.conditional": False}
    run = gannet.train("images", in_folder(tmp_path), tmp_path / "run", changes)
    for data in (PICTURES, list(PICTURES)):
        assert gannet.judge(run.folder, data, JudgeOptions(num=20)).lines()


def test_other_tasks_say_that_they_learn_from_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="What is in memory are pictures, and pictures with label maps are wanted"):
        gannet.train("segmentation", PICTURES, tmp_path / "run")
    assert not list(tmp_path.iterdir())
