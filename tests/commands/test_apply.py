"""Photographs go through a model to where they are wanted, and nothing that was there is lost."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import gannet
from gannet.augmentation.lab import to_lab
from gannet.commands import inputs
from gannet.commands.judge import judge_features
from gannet.commands.options import ExportOptions
from gannet.data.sources import open_source
from gannet.media.grids import GAP
from gannet.media.photograph import Photograph, PhotographMedium, read_photograph
from gannet.media.pyramid import lost_pixels
from gannet.media.scores import medium as scores_medium
from gannet.pipelines.hub import seal
from gannet.pipelines.manifest import MANIFEST
from gannet.pipelines.onnx import run_onnx
from gannet.pipelines.scales import names_by_scale
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, SYNTHETIC, read_facts
from gannet.recipe import Recipe, dump_yaml
from gannet.runtime.progress import OnProgress
from gannet.schema import Choice
from gannet.tasks import recognition
from gannet.tasks._image_restoration.evaluation import (
    LARGEST_JUDGED,
    EvaluationPair,
    colour_figures,
    fidelity_figures,
    perceptual_features,
    photographs,
)
from gannet.tasks.inpainting import InpaintingPipeline
from gannet.tasks.inpainting import task as inpainting
from gannet.tasks.restoration import LARGE, MISTAKEN, RestorationPipeline, found_shares
from gannet.tasks.restoration import task as restoration

RANDOM = np.random.default_rng(0)
STAGES = [{"name": "pixel", "images": 48}, {"name": "game", "images": 48}]


@pytest.fixture(scope="module")
def enlarger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny enlarger, both stages played."""
    folder = tmp_path_factory.mktemp("photos")
    for index in range(24):
        Image.fromarray(RANDOM.integers(0, 256, (20, 20, 3), np.uint8)).save(folder / f"{index}.png")
    changes = {
        **{"task.patch": 16, "task.discriminator_width": 8, "data.size": 16, "network.width": 8, "network.blocks": 1},
        **{"task.scale": 2, "stages": STAGES, "batch": 16, "device": "cpu"},
    }
    return gannet.train("super-resolution", folder, folder.parent / f"{folder.name}-run", changes).folder


def told_to(said: list[str]) -> OnProgress:
    """Note what is told of progress, and what is out of the ordinary."""
    return lambda progress, words: said.append(f"{progress.done} of {progress.total}: {progress.note or words}")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "deep/b.jpg", "deep/c.bmp"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RANDOM.integers(0, 256, (9, 13, 3), np.uint8)).save(path)
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "photos"


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_one_photograph_becomes_one_file(enlarger: Path, photos: Path, tmp_path: Path) -> None:
    told = gannet.apply(enlarger, photos / "a.png", out=tmp_path / "large.png")
    assert size(tmp_path / "large.png") == (26, 18) and told.count == 1
    with pytest.raises(ValueError, match="exists"):
        gannet.apply(enlarger, photos / "a.png", out=tmp_path / "large.png")
    direct = gannet.load(enlarger)(photos / "a.png")
    with Image.open(tmp_path / "large.png") as picture:
        assert np.array_equal(np.asarray(picture), direct.value.values)
        assert json.loads(picture.text["Comment"])["source"] == "a.png"  # type: ignore[attr-defined]


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_a_folder_keeps_its_shape_and_says_what_is_left_out(
    ending: str, enlarger: Path, photos: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    told = gannet.apply(
        enlarger,
        photos,
        out=tmp_path / f"new{ending}",
        on_progress=told_to(said),
    )
    made = tmp_path / f"new{ending}"
    names = (
        {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
        if not ending
        else set(zipfile.ZipFile(made).namelist())
    )
    assert names - {"record.csv", MANIFEST} == {"a.png", "deep/b.jpg", "deep/c.bmp.png"}
    assert len(told.left_out) == 1 and "broken.png cannot be read" in told.left_out[0]
    assert sum("of 4" in words and words.endswith(" s)") for words in said) == 3


@pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights on Windows")
def test_what_is_no_file_of_the_folders_own_is_never_opened_and_named(enlarger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    picture = Image.new("RGB", (12, 12))
    picture.save(folder / "a.png")
    picture.save(tmp_path / "secret.png")
    picture.save(folder / "b.jpg")
    for name in ("pipe.png", "pipe.jpg"):  # Whether a result can be a JPEG goes by what is in the file.
        os.mkfifo(folder / name)
    for name, target in (
        ("far.png", "../secret.png"),
        ("zero.png", "/dev/zero"),
        ("zero.jpg", "/dev/zero"),
        ("self.png", "self.png"),
        ("up", ".."),
    ):
        (folder / name).symlink_to(target)
    (folder / "phone.HEIC").write_bytes(b"ftypheic")
    told = gannet.apply(enlarger, folder, out=tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"a.png", "b.jpg", MANIFEST}
    left_out = sorted(told.left_out)
    names = [Path(words.split(" is not read: ")[0]).name for words in left_out]
    assert names == ["far.png", "phone.HEIC", "pipe.jpg", "pipe.png", "self.png", "up", "zero.jpg", "zero.png"]
    assert "leads out" in left_out[0] and "does not read HEIC" in left_out[1] and "a pipe" in left_out[2]
    with pytest.raises(ValueError, match=r"pipe\.jpg is not read: it is no regular file but a pipe"):
        gannet.apply(enlarger, folder / "pipe.jpg", out=tmp_path / "one.png")


def test_it_goes_on_where_it_was_broken_off(
    enlarger: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, opened = PhotographMedium.open, []

    def failing(medium: PhotographMedium, path: Path) -> object:
        opened.append(path.name)
        if path.name == "c.bmp" and opened.count("c.bmp") == 1:
            raise KeyboardInterrupt
        return read(medium, path)

    monkeypatch.setattr(PhotographMedium, "open", failing)
    with pytest.raises(KeyboardInterrupt):
        gannet.apply(enlarger, photos, out=tmp_path / "new")
    gannet.apply(enlarger, photos, out=tmp_path / "new")
    assert opened.count("a.png") == 1 and (tmp_path / "new" / "deep" / "c.bmp.png").is_file()


def test_two_results_of_one_name_are_refused(enlarger: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "deep" / "b.jpg").rename(photos / "deep" / "a.png")
    with pytest.raises(ValueError, match="a.png and .*deep/a.png would both become a.png"):
        gannet.apply(enlarger, photos / "a.png", photos / "deep" / "a.png", out=tmp_path / "new")
    assert not list(tmp_path.glob("new*"))
    gannet.apply(enlarger, photos, out=tmp_path / "new")


def test_results_within_what_is_given_are_not_made_better_again(
    enlarger: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = PhotographMedium.open

    def failing(medium: PhotographMedium, path: Path) -> object:
        if path.name == "c.bmp":
            raise KeyboardInterrupt
        return read(medium, path)

    with monkeypatch.context() as broken:
        broken.setattr(PhotographMedium, "open", failing)
        with pytest.raises(KeyboardInterrupt):
            gannet.apply(enlarger, photos, out=photos / "new")
    told = gannet.apply(enlarger, photos, out=photos / "new", compare=photos.parent / "sheet.png")
    assert size(photos.parent / "sheet.png")[1] == 3 * 18 + 2 * GAP, "what was made before is not on the sheet"
    (left_out,) = told.left_out
    assert told.count == 3 and left_out.startswith(f"{photos / 'broken.png'} cannot be read")
    assert sum(path.is_file() for path in (photos / "new").rglob("*")) == 4


def test_an_archive_begun_of_other_photographs_is_not_gone_on_with(
    enlarger: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(PhotographMedium, "open", stop)
        with pytest.raises(KeyboardInterrupt):
            gannet.apply(enlarger, photos, out=tmp_path / "new.zip")
    Image.fromarray(RANDOM.integers(0, 256, (5, 5, 3), np.uint8)).save(photos / "a.png")
    with pytest.raises(ValueError, match="the beginning of something else"):
        gannet.apply(enlarger, photos, out=tmp_path / "new.zip")


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_where_nothing_can_be_made_nothing_is_left(ending: str, enlarger: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "more").mkdir()
    (photos / "broken.png").rename(photos / "more" / "broken.png")
    with pytest.raises(ValueError, match=r"broken.png cannot be read: [^.]*\.$"):
        gannet.apply(enlarger, photos / "more", out=tmp_path / f"new{ending}")
    (photos / "more" / "worse.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="broken.png cannot be read.*Nothing could be made of the other 1 either"):
        gannet.apply(enlarger, photos / "more", out=tmp_path / f"new{ending}")
    assert not list(tmp_path.glob("new*"))


def test_a_sheet_shows_deep_greys_as_they_are(enlarger: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((12, 12), 40 << 8, np.uint16)).save(tmp_path / "grey.png")
    gannet.apply(enlarger, tmp_path / "grey.png", out=tmp_path / "large.webp", compare=tmp_path / "sheet.png")
    for name in ("large.webp", "sheet.png"):
        with Image.open(tmp_path / name) as picture:
            assert abs(float(np.asarray(picture.convert("L"))[:, :12].mean()) - 40) < 8


def test_strength_goes_from_the_first_stage_to_the_last(enlarger: Path, photos: Path) -> None:
    ours, first = gannet.load(enlarger), gannet.load(enlarger, "pixel")
    batch = torch.rand(1, 3, 8, 8) * 2 - 1
    assert torch.equal(ours.blended(1.0).compute(batch), ours.compute(batch))
    assert torch.equal(ours.blended(0.0).compute(batch), first.compute(batch))
    assert not torch.equal(ours.compute(batch), first.compute(batch))
    with pytest.raises(ValueError, match="strength is 1.5"):
        ours.blended(1.5)


def test_a_model_without_an_earlier_stage_says_so(enlarger: Path, tmp_path: Path) -> None:
    alone = gannet.load(gannet.load(enlarger).save_pretrained(tmp_path / "alone"))
    assert alone.earlier() is None and gannet.load(enlarger, "pixel").earlier() is None
    with pytest.raises(ValueError, match="keeps no weights 'pixel'"):
        alone.blended(0.5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.jpg"], "There is no photograph at nowhere.jpg"),
        (["PHOTOS/a.png", "--strength", "2"], "strength is 2"),
        (["PHOTOS", "--out", "x.jpg"], "go to a folder or a .zip"),
        (["PHOTOS/broken.png"], "broken.png cannot be read"),
        (["PHOTOS/a.png", "--out", "x.xyz"], "go to a folder or a .zip"),
        (["PHOTOS/a.png", "--out", "PHOTOS/broken.png/x.png"], "x.png cannot be written, for "),
        (["PHOTOS/a.png", "--compare", "PHOTOS/broken.png/x.png"], "takes no files"),
        (["PHOTOS/a.png", "--compare", "PHOTOS/a.png"], "exists"),
        (["PHOTOS/a.png", "--compare", "sheet.xyz"], "sheet.xyz: pictures are saved as"),
        (["PHOTOS/a.png", "--input", "mask=nowhere.png"], "leave the mask out"),
        (["PHOTOS/a.png", "--out", "x.png", "--compare", "x.png"], "are both x.png"),
        (["PHOTOS/a.png", "--num", "4"], "There is no option --num"),
        (
            ["PHOTOS/a.png", "--scale", "2"],
            "no option --scale; each model enlarges as it learned to (super-resolution-x2",
        ),
        (["--mask", "PHOTOS/a.png"], "There is no option --mask"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: list[str],
    message: str,
    enlarger: Path,
    photos: Path,
    gannet_command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(photos.parent)
    before = sorted(photos.parent.rglob("*"))
    ended = gannet_command("apply", enlarger, *(word.replace("PHOTOS", str(photos)) for word in words))
    assert ended.code == 2 and message in ended.err and ended.err.count("\n") == 1
    assert sorted(photos.parent.rglob("*")) == before


def test_whoever_asks_for_a_scale_is_told_the_models_of_each(enlarger: Path, photos: Path) -> None:
    assert {scale: names[0] for scale, names in names_by_scale().items()} == {
        2: "super-resolution-x2",
        4: "super-resolution",
    }
    with pytest.raises(ValueError, match=r"takes no scale; .*super-resolution-x2 2 times, super-resolution 4 times"):
        gannet.apply(enlarger, photos / "a.png", out=photos / "b.png", scale=2)


def test_a_model_is_exported_at_the_strength_that_is_asked_for(enlarger: Path, tiny_run: Path, tmp_path: Path) -> None:
    path, (network, inputs) = tmp_path / "first.onnx", gannet.load(enlarger, "pixel").traced()
    batch = torch.rand(1, *next(iter(inputs.values())).shape[1:]) * 2 - 1
    gannet.export(enlarger, path, options=ExportOptions(strength=0))
    with torch.no_grad():
        torch.testing.assert_close(run_onnx(path.read_bytes())(batch), network(batch), atol=1e-3, rtol=0)
        assert not torch.allclose(gannet.load(enlarger).traced()[0](batch), network(batch), atol=1e-3)
    with pytest.raises(ValueError, match="A model for generation has no strength"):
        gannet.export(tiny_run, tmp_path / "drawn.onnx", options=ExportOptions(strength=0.5))
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_names_its_result_and_compares(
    enlarger: Path, photos: Path, gannet_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    ended = gannet_command("apply", enlarger, photos / "a.png", "--compare", "sheet.png")
    assert ended.code == 0 and "a-super-resolution.png" in ended.out
    assert size(photos.parent / "a-super-resolution.png") == (26, 18) and size(photos.parent / "sheet.png") == (54, 18)


def test_a_model_that_draws_takes_no_photographs(tiny_run: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="makes samples from nothing and takes no files"):
        gannet.apply(tiny_run, photos / "a.png", out=tmp_path / "x.png")


def test_a_model_of_photographs_draws_nothing(enlarger: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name the photographs"):
        gannet.apply(enlarger, out=tmp_path / "x.png")


def test_it_is_judged_beside_what_needs_no_learning(enlarger: Path, photos: Path) -> None:
    (photos / "broken.png").unlink()
    for index in range(2):
        Image.fromarray(RANDOM.integers(0, 256, (40, 41, 3), np.uint8)).save(photos / f"more{index}.png")
    judgement = gannet.judge(enlarger, photos)
    assert [one.name for one in judgement.baselines] == ["model", "before the game", "bicubic", "Lanczos"]
    assert ["ms a sample" in one.line() for one in judgement.baselines] == [True, False, False, False]
    names = [found.name for found in judgement.measures]
    assert "perceptually nearest of all" in names
    assert {"PSNR", "SSIM", "fine detail, of the real", "perceptual distance"} < set(names)
    assert all(found.features != "loss-v1" for found in judgement.measures)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of a tiny colourist and of a tiny network that fills holes."""
    folder = tmp_path_factory.mktemp("more")
    for index in range(24):
        Image.fromarray(RANDOM.integers(0, 256, (20, 20, 3), np.uint8)).save(folder / f"{index}.png")
    changes = {
        **{"task.patch": 16, "task.discriminator_width": 8, "data.size": 16, "network.width": 4, "network.depth": 2},
        **{"stages": STAGES, "batch": 16, "device": "cpu"},
    }
    return {
        name: gannet.train(name, folder, folder.parent / f"{folder.name}-{name}", {**changes, **more}).folder
        for name, more in (("colorization", {}), ("inpainting", {}), ("restoration", {"task.detector": 6}))
    }


@pytest.fixture(scope="module")
def fillers(others: dict[str, Path]) -> dict[str, InpaintingPipeline]:
    """What fills holes with each of the networks there are."""
    settings: Any = gannet.load(others["inpainting"]).config
    unet = settings.model_copy(update={"network": Choice(name="unet", width=4, depth=2)})
    pyramid: Any = gannet.load(others["inpainting"])
    return {"unet": InpaintingPipeline.build(unet), "pyramid": pyramid}


@pytest.mark.parametrize("name", ["colorization", "inpainting", "restoration"])
@torch.no_grad()
def test_what_is_exported_makes_a_picture_of_what_it_is_given(name: str, others: dict[str, Path]) -> None:
    network, inputs = gannet.load(others[name]).traced()
    assert network(*inputs.values()).shape == (1, 3, 16, 16)


def test_restoration_goes_on_from_a_model_with_its_detector(others: dict[str, Path]) -> None:
    settings: Any = gannet.load(others["restoration"]).config
    assert restoration.adopt(restoration.example(), settings).task.options["detector"] == 6


def test_only_what_is_lost_changes(others: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    values = RANDOM.integers(0, 65536, (50, 41)).astype(np.uint16)
    lost = np.zeros((50, 41), np.uint8)
    lost[10:20, 5:30] = 255
    Image.fromarray(values).save(tmp_path / "deep.png")
    Image.fromarray(lost).save(tmp_path / "mask.png")
    made = gannet.load(others["inpainting"])(tmp_path / "deep.png", mask=tmp_path / "mask.png").value
    assert made.values.dtype == np.uint16
    assert np.array_equal(made.values[..., 0][lost == 0], values[lost == 0])
    assert (made.values[..., 0][lost > 0] != values[lost > 0]).mean() > 0.9
    with pytest.raises(ValueError, match="The mask has 41x50 pixels and the photograph 13x9"):
        gannet.load(others["inpainting"])(photos / "a.png", mask=tmp_path / "mask.png")
    Image.fromarray(lost * 0).save(tmp_path / "dark.png")
    Image.fromarray(lost * 0 + 255).save(tmp_path / "light.png")
    for mask, words in ((None, "give a mask"), ("dark.png", "dark all over"), ("light.png", "light all over")):
        with pytest.raises(ValueError, match=words):
            gannet.load(others["inpainting"])(tmp_path / "deep.png", mask=mask and tmp_path / mask)
    with pytest.raises(ValueError, match="give a mask"):
        gannet.apply(others["inpainting"], photos, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_mask_is_light_only_where_it_is_not_transparent() -> None:
    mask = np.full((4, 6, 2), 255, np.uint8)
    mask[:, 3:, 1] = 0
    lost = lost_pixels(read_photograph(Image.fromarray(mask)), Photograph(np.zeros((4, 6, 3), np.uint8)))
    assert lost[:, :3].all() and not lost[:, 3:].any()


@pytest.mark.parametrize(("network", "smallest"), [("unet", (125, 103)), ("pyramid", (250, 206))])
def test_holes_wider_than_the_network_sees_are_filled_from_coarse_to_fine(
    network: str,
    smallest: tuple[int, int],
    fillers: dict[str, InpaintingPipeline],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = fillers[network]
    values = np.full((500, 411, 3), 40, np.uint8)
    values[:, 200:] = 210
    lost = np.zeros((500, 411), bool)
    lost[50:450, 30:380] = True
    spoiled = np.where(lost[..., None], RANDOM.integers(0, 256, values.shape).astype(np.uint8), values)
    seen: list[tuple[tuple[int, ...], float]] = []
    compute = pipeline._made

    def told(given: torch.Tensor) -> torch.Tensor:
        seen.append((tuple(given.shape[2:]), float(given[:, -1:].max())))
        return compute(given)

    monkeypatch.setattr(pipeline, "_made", told)
    made = pipeline.improve(Photograph(spoiled), Photograph(lost[..., None].astype(np.uint8) * 255)).values
    assert np.array_equal(made[~lost], values[~lost])
    assert seen[0] == (smallest, 1.0) and {sign for _, sign in seen[1:]} == {0.5}
    again = pipeline.improve(Photograph(values), Photograph(lost[..., None].astype(np.uint8) * 255)).values
    assert np.array_equal(made, again)  # What is lost is never looked at.


@pytest.mark.parametrize("shape", [(1, 1, 3), (4, 90, 1), (60, 30, 3)])
def test_something_is_lost_of_every_photograph_that_holes_are_judged_by(shape: tuple[int, ...]) -> None:
    for value in range(60):
        pair = inpainting.evaluation.pair(Photograph(np.full(shape, value, np.uint8)), inpainting.Config())
        assert pair.mask and pair.mask.values.any()


def test_found_damage_is_scored_by_its_pixels(others: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline: Any = gannet.load(others["restoration"])
    lost = np.zeros((20, 20), bool)
    lost[:10] = True
    for found, score in ((lost, 1.0), (~lost, 0.0), (np.ones_like(lost), 2 / 3)):
        monkeypatch.setattr(type(pipeline), "damaged", lambda *_, found=found: found)
        shares = found_shares(pipeline, Photograph(np.zeros((20, 20, 3), np.uint8)), lost, "learned")
        assert len(shares) == 2 and list(shares.values()) == pytest.approx([score, score])


def test_damage_is_looked_for_on_a_soft_scan_as_well(others: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline: Any = gannet.load(others["restoration"])
    spoiled = np.zeros((20, 20, 3), np.uint8)
    spoiled[4, 4] = 255
    monkeypatch.setattr(type(pipeline), "damaged", lambda _, scan: scan.values[..., 0] > 200)
    shares = found_shares(pipeline, Photograph(spoiled), spoiled[..., 0] > 0, "learned")
    assert shares == {
        "damage of kinds learned found, F1": 1.0,
        "damage of kinds learned found on a soft scan, F1": 0.0,  # Its white is a ninth as light there.
    }


def test_masks_in_a_folder_go_by_name(others: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    (photos / "broken.png").unlink()
    for name in ("a.jpg", "deep/b.png", "deep/c.1.png"):
        (tmp_path / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.eye(9, 13, dtype=np.uint8) * 255).save(tmp_path / "masks" / name)
    told = gannet.apply(others["inpainting"], photos, out=tmp_path / "new", mask=tmp_path / "masks")
    assert list(told.left_out) == [f"There is no mask for deep/c.bmp in {tmp_path / 'masks'}; name it deep/c.png."]
    assert (tmp_path / "new" / "a.png").is_file() and (tmp_path / "new" / "deep" / "b.jpg.png").is_file()


@pytest.mark.skipif(os.name == "nt", reason="links and pipes need rights on Windows")
def test_masks_are_regular_files_of_their_own_folder(others: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    (photos / "broken.png").unlink()
    (tmp_path / "masks").mkdir()
    (tmp_path / "far").mkdir()
    hole = Image.fromarray(np.eye(9, 13, dtype=np.uint8) * 255)
    for name in ("masks/good.png", "secret.png", "far/b.png"):
        hole.save(tmp_path / name)
    shutil.copy(photos / "a.png", photos / "good.png")
    shutil.copy(photos / "a.png", photos / "pipe.png")
    (tmp_path / "masks" / "a.png").symlink_to("../secret.png")
    (tmp_path / "masks" / "deep").symlink_to("../far")
    os.mkfifo(tmp_path / "masks" / "pipe.png")
    told = gannet.apply(others["inpainting"], photos, out=tmp_path / "new", mask=tmp_path / "masks")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"good.png", MANIFEST}
    assert len(told.left_out) == 4 and sum("leads out of the data" in words for words in told.left_out) == 3
    assert sum(f"{tmp_path / 'masks' / 'pipe.png'} is not read: it is no regular" in words for words in told.left_out)
    with pytest.raises(ValueError, match=r"pipe\.png cannot be read: it is no regular file"):
        mask = tmp_path / "masks" / "pipe.png"
        gannet.apply(others["inpainting"], photos / "a.png", out=tmp_path / "one.png", mask=mask)


def test_a_folder_of_masks_is_listed_once(
    others: dict[str, Path], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "a.png").rename(tmp_path / "a.png")
    (tmp_path / "masks").mkdir()
    for number in range(4):
        shutil.copy(tmp_path / "a.png", photos / f"{number}.png")
        Image.fromarray(np.eye(9, 13, dtype=np.uint8) * 255).save(tmp_path / "masks" / f"{number}.png")
    listed, seen = inputs.contents, list[Path]()
    monkeypatch.setattr(inputs, "contents", lambda folder: seen.append(folder) or listed(folder))
    gannet.apply(others["inpainting"], photos, out=tmp_path / "new", mask=tmp_path / "masks")
    assert sorted(seen) == [tmp_path / "masks", photos]


def test_what_is_not_lost_is_not_compressed_anew(others: dict[str, Path], tmp_path: Path) -> None:
    Image.fromarray(RANDOM.integers(0, 256, (30, 20, 3), np.uint8)).save(tmp_path / "old.jpg", quality=60)
    lost = np.zeros((30, 20), np.uint8)
    lost[5:9] = 255
    Image.fromarray(lost).save(tmp_path / "mask.png")
    old, mask = tmp_path / "old.jpg", tmp_path / "mask.png"
    out = tmp_path / "delivered"
    gannet.apply(others["inpainting"], old, out=out, mask=mask)
    made, given = (read_photograph(path).values for path in (out / "old.jpg.png", tmp_path / "old.jpg"))
    assert np.array_equal(made[lost == 0], given[lost == 0])
    gannet.apply(others["inpainting"], old, out=tmp_path / "asked.jpg", mask=mask)
    assert (tmp_path / "asked.jpg").read_bytes()[:2] == b"\xff\xd8"


@pytest.mark.parametrize("shape", [(30, 41), (700, 20), (1, 1), (3, 600)])
def test_colours_are_added_and_lightness_stays(shape: tuple[int, int], others: dict[str, Path]) -> None:
    grey = Image.fromarray(RANDOM.integers(60, 200, shape).astype(np.uint8))
    made = gannet.load(others["colorization"])(grey).value
    assert made.values.shape == (*shape, 3)
    lightness = [
        to_lab(torch.from_numpy(values.transpose(2, 0, 1).copy())[None] / 127.5 - 1)[:, 0]
        for values in (made.values, np.repeat(np.asarray(grey)[..., None], 3, 2))
    ]
    assert float((lightness[0] - lightness[1]).abs().max()) < 0.03
    with pytest.raises(ValueError, match="leave the mask out"):
        gannet.load(others["colorization"])(grey, mask=grey)


@pytest.mark.parametrize(
    ("shape", "copy"), [((64, 80), (16, 20)), ((12, 20), (12, 20)), ((16, 2048), (4, 512)), ((4000, 16), (512, 2))]
)
def test_colours_are_found_on_a_copy_as_small_as_what_was_learned_from(
    shape: tuple[int, int], copy: tuple[int, int], others: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, seen = gannet.load(others["colorization"]), []
    compute = pipeline._made
    monkeypatch.setattr(pipeline, "_made", lambda given: seen.append(tuple(given.shape[2:])) or compute(given))
    pipeline(Image.fromarray(np.zeros(shape, np.uint8)))
    assert seen == [copy]


def test_grey_photographs_have_no_share_of_colours() -> None:
    values = RANDOM.integers(0, 256, (20, 20, 3), np.uint8)
    for real, told in ((values, True), (np.repeat(values[..., :1], 3, 2), False)):
        found = colour_figures(Photograph(values), EvaluationPair(Photograph(values), Photograph(real), {}), None)
        assert ("colourfulness, of the real" in found) == told


def test_errors_count_only_where_something_was_lost() -> None:
    real, lost = RANDOM.integers(0, 256, (40, 40, 3), np.uint8), np.zeros((40, 40), bool)
    lost[:20] = True
    pair = EvaluationPair(Photograph(real), Photograph(real), {}, hole_mask=lost)
    perceptual = perceptual_features(judge_features())
    without, within = real.copy(), real.copy()
    without[30:], within[:10] = 0, 0
    right, wrong = (fidelity_figures(Photograph(made), pair, perceptual) for made in (without, within))
    assert right["PSNR within"] == fidelity_figures(Photograph(real), pair, perceptual)["PSNR within"]
    assert right["PSNR within"] > wrong["PSNR within"]
    # What the network sees of a place includes some of what is around it.
    assert right["perceptual distance"] < 0.1 * wrong["perceptual distance"]
    assert {"PSNR", "PSNR within"} <= set(restoration.evaluation.figures(Photograph(within), pair, None))


def exam_of(folder: Path) -> Any:
    return SimpleNamespace(source=open_source(str(folder)))


def test_large_photographs_are_judged_by_their_middle(tmp_path: Path) -> None:
    values = RANDOM.integers(0, 256, (LARGEST_JUDGED + 40, 30, 3), np.uint8)
    Image.fromarray(values).save(tmp_path / "tall.png")
    (found,) = photographs(exam_of(tmp_path), 5)
    assert np.array_equal(found.values, values[20:-20])


def test_photographs_to_judge_by_come_from_all_over(tmp_path: Path) -> None:
    for index in range(10):
        Image.fromarray(np.full((4, 4), index, np.uint8)).save(tmp_path / f"{index}.png")
    for most in (1, 3, 7, 10, 20):
        shades = [int(one.values[0, 0, 0]) for one in photographs(exam_of(tmp_path), most)]
        assert len(shades) == min(most, 10) and shades == sorted(set(shades))
        assert most == 1 or shades[-1] >= 6


def test_colours_and_holes_are_judged(others: dict[str, Path], photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (photos / "broken.png").unlink()
    for index in range(3):
        Image.fromarray(RANDOM.integers(0, 256, (40, 41, 3), np.uint8)).save(photos / f"more{index}.png")
    colours, filled = (gannet.judge(others[name], photos) for name in ("colorization", "inpainting"))
    assert {"chroma error", "colourfulness, of the real"} < {found.name for found in colours.measures}
    assert [one.name for one in colours.baselines] == ["model", "before the game", "grey", "the true mean chroma"]
    assert "PSNR within" in {found.name for found in filled.measures}
    assert "biharmonic" in {one.name for one in filled.baselines}
    (photos / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="a.png cannot be judged by"):
        gannet.judge(others["colorization"], photos)
    (photos / "a.png").unlink()
    monkeypatch.setattr(RestorationPipeline, "find", lambda _, scan: Photograph(scan.values * 0 + 255))
    restored = {found.name: found for found in gannet.judge(others["restoration"], photos).measures}
    assert {"PSNR", "SSIM", "PSNR within"} < set(restored)
    learned, unknown = (restored[f"damage of kinds {words} found, F1"] for words in ("learned", "not learned"))
    assert "scratches" in learned.protocol and "creases" in unknown.protocol
    assert restored[MISTAKEN].value == 1 and restored[MISTAKEN].protocol.endswith("without damage")


def test_damage_is_found_or_named_and_all_else_stays(
    others: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = gannet.load(others["restoration"])
    values = RANDOM.integers(0, 256, (60, 50, 3), np.uint8)
    found = pipeline.find(Photograph(values)).values[..., 0]
    assert set(np.unique(found)) <= {0, 255} and found.shape == (60, 50)
    lost = np.zeros((60, 50, 1), np.uint8)
    lost[5:9] = 255
    for mask, given in ((Photograph(lost), None), (None, Photograph(lost))):
        monkeypatch.setattr(type(pipeline), "find", lambda *_, given=given: given)
        made = pipeline.improve(Photograph(values), mask)
        assert np.array_equal(made.values[lost[..., 0] == 0], values[lost[..., 0] == 0])
        assert (made.values[5:9] != values[5:9]).mean() > 0.5
    for nothing_or_all in (lost * 0, lost * 0 + 255):
        monkeypatch.setattr(type(pipeline), "find", lambda *_, found=nothing_or_all: Photograph(found))
        assert np.array_equal(pipeline.improve(Photograph(values)).values, values)
    with pytest.raises(ValueError, match="dark all over"):
        pipeline.improve(Photograph(values), Photograph(lost * 0))


@pytest.mark.parametrize(("damaged", "words"), [(0, "(as it was, "), (255, "13x9 to 13x9")])
def test_a_photograph_without_damage_is_said_to_be_as_it_was(
    damaged: int, words: str, others: dict[str, Path], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, said = np.zeros((9, 13, 1), np.uint8), list[str]()
    found[2:4] = damaged
    monkeypatch.setattr(type(gannet.load(others["restoration"])), "find", lambda *_: Photograph(found))
    gannet.apply(
        others["restoration"],
        photos / "a.png",
        out=tmp_path / "new.png",
        on_progress=told_to(said),
    )
    assert words in said[-1]
    same = np.array_equal(read_photograph(tmp_path / "new.png").values, read_photograph(photos / "a.png").values)
    assert same == (damaged == 0)


def test_strength_leaves_the_detector_as_it_is(others: dict[str, Path]) -> None:
    whole: Any = gannet.load(others["restoration"])
    first = whole.blended(0.0)
    for kind, same in (("detector", True), ("generator", False)):
        pairs = zip(whole.networks[kind].parameters(), first.networks[kind].parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs) == same


def test_damage_wider_than_the_detector_knows_is_found_in_a_smaller_copy(
    others: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline: Any = gannet.load(others["restoration"])
    values = np.zeros((LARGE + 16, 40, 3), np.uint8)
    values[20:40] = 255

    def only_small(tile: torch.Tensor) -> torch.Tensor:
        small = tile.shape[3] <= 20
        both = tile[:, :1].expand(-1, 2, -1, -1)
        return both.sign() if small else -torch.ones_like(both)

    monkeypatch.setattr(pipeline, "_seen", only_small)
    assert np.array_equal(pipeline.damaged(Photograph(values)), values[..., 0] > 0)
    assert not pipeline.damaged(Photograph(values[:LARGE])).any()


def test_a_vgg_of_the_user_s_own_teaches_and_its_path_stays_at_home(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "broken.png").unlink()
    for index in range(30):
        Image.fromarray(RANDOM.integers(0, 256, (20, 20, 3), np.uint8)).save(photos / f"more{index}.png")
    tensors = {"features.0.weight": torch.zeros(1, 3, 3, 3), "features.0.bias": torch.ones(1)}
    save_file(tensors, tmp_path / "vgg.safetensors")
    changes = {
        **{"task.patch": 16, "task.discriminator_width": 8, "data.size": 16, "network.width": 8, "network.blocks": 1},
        **{"task.scale": 2, "stages": [{"name": "game", "images": 32}], "batch": 16, "device": "cpu"},
    }
    monkeypatch.chdir(tmp_path)
    run = gannet.train("super-resolution", photos, "run", {**changes, "task.perceptual_network": "vgg.safetensors"})
    # To a network that sees the same everywhere nothing is apart: any other would have seen a difference.
    assert list(run.log())[-1]["losses"]["generator/generator/perceptual"] == pytest.approx(0, abs=1e-6)
    assert "vgg" not in (run.folder / "model" / "config.json").read_text()
    monkeypatch.chdir(photos)
    assert gannet.train(resume=tmp_path / "run").ending == "finished"


@pytest.mark.parametrize(
    ("recipe", "changes", "words"),
    [
        ("colorization", {"data.channels": 1}, "learns from pictures of 3 channels"),
        ("super-resolution", {"data.channels": 4}, "learns from pictures of 1 or 3 channels"),
        ("super-resolution", {"task.patch": 50}, "multiple of 32"),
        ("inpainting", {"task.patch": 512}, "at most the 256"),
        ("restoration", {"task.damages": ["scratch"]}, "did you mean 'scratches'"),
        ("super-resolution", {"augment.name": "ada"}, "knows neither augment"),
        ("super-resolution", {"task.scale": 3}, "task.scale"),
        ("super-resolution", {"task.perceptual_network": "vgg.pth"}, "vgg.pth does not exist; give loss-v1"),
        ("restoration", {"task.damages": []}, "there is no damage in it"),
        ("restoration", {"optimizer.detektor.learning_rate": 0.1}, "did you mean 'optimizer.detector'"),
    ],
)
def test_what_a_task_cannot_learn_is_refused(
    recipe: str, changes: dict[str, Any], words: str, photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        gannet.train(recipe, photos, tmp_path / "run", changes)
    assert not (tmp_path / "run").exists()


def marks_of(path: Path) -> dict[str, Any]:
    with Image.open(path) as picture:
        return read_facts(picture)


def test_what_was_changed_says_so_with_its_model_and_what_was_not_says_nothing(
    enlarger: Path, others: dict[str, Path], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = gannet.load(enlarger)
    told = marks_of(model(photos / "a.png").save(tmp_path / "large.png"))
    assert told == {SOURCE_TYPE: COMPOSITE, "model": model.name, "weights": "model"}
    told = marks_of(model(photos / "a.png", strength=0.5).save(tmp_path / "half.webp"))
    assert told["strength"] == 0.5
    assert marks_of(read_photograph(photos / "a.png").save(tmp_path / "same.png")) == {}
    monkeypatch.setattr(RestorationPipeline, "find", lambda _, scan: Photograph(scan.values[..., :1] * 0))
    for name in ("whole.png", "whole.jpg", "whole.tif"):
        gannet.apply(others["restoration"], photos / "a.png", out=tmp_path / name)
        assert marks_of(tmp_path / name) == {}


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif"])
def test_marks_that_an_input_carries_are_kept(ending: str, enlarger: Path, tiny_run: Path, tmp_path: Path) -> None:
    gannet.load(tiny_run)(num=4, seed=3, engine="torch").save(tmp_path / "drawn.png")
    made = gannet.load(enlarger)(tmp_path / "drawn.png").save(tmp_path / f"large{ending}")
    told = marks_of(made)
    assert told[SOURCE_TYPE] == SYNTHETIC, "what was synthetic stays so"
    assert told["before"] == {SOURCE_TYPE: SYNTHETIC, "model": "example", "seed": 3}
    again = read_photograph(made).save(tmp_path / f"again{ending}")
    assert marks_of(again) == told


def test_a_further_output_is_written_beside_the_first(others: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    run = others["restoration"]
    gannet.apply(run, photos / "a.png", out=tmp_path / "one.png", save=["mask"])
    assert size(tmp_path / "one.mask.png") == (13, 9)
    gannet.apply(run, photos, out=tmp_path / "all", save=["mask"])
    made = {path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*") if path.is_file()}
    assert {"a.png", "a.mask.png", "deep/b.jpg.png", "deep/b.jpg.mask.png"} < made
    mask = gannet.load(run)(photos / "a.png")["mask"]
    with Image.open(tmp_path / "all" / "a.mask.png") as picture:
        assert np.array_equal(np.asarray(picture), mask.values[..., 0])
    with pytest.raises(ValueError, match="has no further output 'masc' to save; it has: mask"):
        gannet.apply(run, photos, out=tmp_path / "more", save=["masc"])


def test_a_long_name_is_shortened_and_said_and_the_others_are_made(
    others: dict[str, Path], photos: Path, tmp_path: Path
) -> None:
    long = photos / f"{'x' * 245}.jpg"
    shutil.copy(photos / "deep" / "b.jpg", long)
    applied = gannet.apply(others["restoration"], photos, out=tmp_path / "all", save=["mask"])
    made = {path.name for path in (tmp_path / "all").rglob("*.png")}
    assert {"a.png", "a.mask.png"} < made and sum(name.startswith("xxx") for name in made) == 2
    (told,) = (words for words in applied.to_json()["notices"] if long.name in words)
    assert (
        "cannot be kept" in told
        and next(name for name in made if name.startswith("xxx") and "mask" not in name) in told
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("out", ["new", "new.zip"])
def test_names_that_are_no_utf8_stop_no_order(out: str, enlarger: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "a.png").rename(photos / "\udcff.png")
    applied = gannet.apply(enlarger, photos, out=tmp_path / out)
    made = tmp_path / out
    names = zipfile.ZipFile(made).namelist() if made.is_file() else [path.name for path in made.rglob("*")]
    assert "%FF.png" in names and any("%FF.png" in words for words in applied.notices)


def test_a_models_own_options_are_flags_and_a_wrong_one_names_the_nearest(
    enlarger: Path, others: dict[str, Path], tiny_run: Path, gannet_command: Callable[..., Any]
) -> None:
    told = {name: gannet_command("apply", run, "--help").out for name, run in {"draw": tiny_run, **others}.items()}
    assert "--num" in told["draw"] and "--class" in told["draw"] and "--strength" not in told["draw"]
    assert "--strength" in told["inpainting"] and "--mask" in told["inpainting"]
    assert "--mask" not in told["colorization"]
    ended = gannet_command("apply", enlarger, "a.png", "--strenght", "1")
    assert ended == (2, "", "gannet: There is no option --strenght; did you mean --strength?\n")


def test_help_comes_from_the_config_alone(enlarger: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    shutil.copy(enlarger / "model" / "config.json", tmp_path / "model")
    code = "import sys; from gannet.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    words = [sys.executable, "-c", code, "apply", str(tmp_path / "model"), "--help"]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0 and "--strength" in done.stdout, done.stderr


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recognizer")
    return gannet.train(dump_yaml_of(recognition.example(), folder), out=folder / "run").folder


@pytest.mark.parametrize("refused", ["a.heic", "a.jpg"])
def test_what_is_refused_has_no_result_that_another_could_meet(
    recognizer: Path, photos: Path, tmp_path: Path, refused: str
) -> None:
    (photos / refused).write_bytes(b"no picture")
    (photos / "broken.png").unlink()
    told = gannet.apply(recognizer, photos, out=tmp_path / "new")
    assert told.count == 3 and sorted(path.name for path in (tmp_path / "new").rglob("*.csv")) == [
        "a.csv",
        "b.csv",
        "c.csv",
    ]
    assert len(told.left_out) == 1 and refused in told.left_out[0]
    shutil.copy(photos / "a.png", photos / "a.bmp")
    with pytest.raises(ValueError, match=r"a\.bmp and .*a\.png would both become a\.csv"):
        gannet.apply(recognizer, photos, out=tmp_path / "newer")


def test_a_recognizer_names_what_pictures_are_of(recognizer: Path, tmp_path: Path) -> None:
    run = recognizer
    for number in range(3):
        Image.fromarray(RANDOM.integers(0, 256, (12, 10, 3), np.uint8)).save(tmp_path / f"{number}.jpg")
    told = gannet.apply(run, *sorted(tmp_path.glob("*.jpg")), out=tmp_path / "named")
    assert told.count == 3 and sorted(path.name for path in (tmp_path / "named").glob("*.csv")) == [
        "0.csv",
        "1.csv",
        "2.csv",
    ]
    scores = gannet.load(run)(tmp_path / "0.jpg").value
    assert sum(scores.values()) == pytest.approx(1) and len(scores) == 10
    assert scores_medium.read((tmp_path / "named" / "0.csv").read_bytes()) == pytest.approx(scores, abs=1e-5)
    assert json.loads(gannet.load(run)(tmp_path / "0.jpg").save(tmp_path / "0.json").read_text())["model"] == "example"


def dump_yaml_of(recipe: Recipe, folder: Path) -> str:
    path = folder / "recipe.yaml"
    path.write_text(dump_yaml(recipe), encoding="utf-8")
    return str(path)


def test_a_further_output_takes_no_place_that_is_taken(others: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    run = others["restoration"]
    (tmp_path / "one.mask.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"one.mask.png exists"):
        gannet.apply(run, photos / "a.png", out=tmp_path / "one.png", save=["mask"])
    assert (tmp_path / "one.mask.png").read_bytes() == b"mine" and not (tmp_path / "one.png").exists()
    (photos / "a.png").rename(photos / "a.mask.png")
    shutil.copy(photos / "a.mask.png", photos / "a.png")
    with pytest.raises(ValueError, match=r"would both become a.mask.png"):
        gannet.apply(run, photos, out=tmp_path / "all", save=["mask"])


def test_an_input_without_a_name_is_none(others: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    for number, mask in enumerate(("", None)):
        gannet.apply(others["restoration"], photos / "a.png", out=tmp_path / f"{number}.png", mask=mask)
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_an_input_sets_no_keyword(enlarger: Path, photos: Path, gannet_command: Callable[..., Any]) -> None:
    ended = gannet_command("apply", enlarger, photos / "a.png", "--input", "weights=pixel")
    assert ended.code == 2 and "names a further input of the model once (none)" in ended.err


HOSTILE: dict[str, dict[str, Any]] = {
    "the name of a common flag": {"properties": {"out": {"type": "string"}}},
    "the name of a parameter": {"properties": {"inputs": {"type": "string"}}},
    "no name of a flag": {"properties": {"a b": {"type": "string"}}},
    "a reference to nothing": {"properties": {"a": {"$ref": "#/$defs/b"}}},
    "a reference to itself": {
        "properties": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}},
        "$defs": {"b": {"anyOf": [{"$ref": "#/$defs/b"}]}},
    },
    "a property that is none": {"properties": {"a": 5}},
    "branches without end": {
        "properties": {"a": {"$ref": "#/$defs/d0"}},
        "$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)},
    },
}


@pytest.mark.parametrize("options", HOSTILE.values(), ids=HOSTILE)
def test_options_that_a_file_tells_wrongly_are_one_sentence(
    options: dict[str, Any], enlarger: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    config = json.loads((enlarger / "model" / "config.json").read_text(encoding="utf-8"))
    del config["digest"]
    config["interface"]["options"] = options
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(seal(config)), encoding="utf-8")
    ended = gannet_command("apply", tmp_path / "model", "--help")
    assert ended == (
        2,
        "",
        "gannet: The model's config.json tells of options that cannot be flags; use it in Python.\n",
    )


def test_a_description_is_no_markup(enlarger: Path, tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    config = json.loads((enlarger / "model" / "config.json").read_text(encoding="utf-8"))
    del config["digest"]
    config["interface"]["options"] = {"properties": {"a": {"type": "string", "description": "[/b] x"}}}
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(seal(config)), encoding="utf-8")
    assert "[/b] x" in gannet_command("apply", tmp_path / "model", "--help").out


def test_what_is_told_in_the_end_counts_results_and_names_all_files_and_what_was_left_out_once(
    others: dict[str, Path], photos: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    words = ("apply", others["restoration"], photos, "--save", "mask")
    told = gannet_command(*words, "--out", tmp_path / "all", "--compare", tmp_path / "sheet.png")
    first, second, third, counts = told.out.splitlines()
    assert first == f"Saved 3 results in {tmp_path / 'all'}, each with its mask (*.mask.*) beside it."
    assert second == f"Saved {tmp_path / 'sheet.png'}."
    assert third.startswith(f"Left out: {photos / 'broken.png'} cannot be read") and told.code == 3
    assert (told.out + told.err).count("broken.png") == 1
    assert counts == f"3 done, 1 failed (named in {tmp_path / 'all' / MANIFEST}), 0 skipped."
    told = gannet_command(*words, "--out", tmp_path / "zipped.zip", "--json")
    result = json.loads(told.out)["result"]
    assert told.code == 3 and result["count"] == 3 and len(result["left_out"]) == 1 and not told.err
    told = gannet_command(*words[:2], photos / "a.png", *words[3:], "--out", tmp_path / "one.png")
    saved = f"Saved {tmp_path / 'one.png'}.\nSaved {tmp_path / 'one.mask.png'}.\n"
    share = np.asarray(Image.open(tmp_path / "one.mask.png")).mean() / 255
    assert told == (0, f"{saved}{photos / 'a.png'}: {share:.2%} damaged.\n".replace("%", " %"), told.err)
    assert result["shares"].keys() == {str(photos / name) for name in ("a.png", "deep/b.jpg", "deep/c.bmp")}


def test_what_is_made_is_shown_in_a_line_and_an_output_that_there_is_not_is_named(
    others: dict[str, Path], photos: Path, tmp_path: Path
) -> None:
    made: Any = gannet.load(others["restoration"])(photos / "a.png")
    assert repr(made).startswith("<Made photograph: 13x9 RGB, 8 bits, mask: 13x9 L, 8 bits") and len(repr(made)) < 200
    for ask in (
        lambda: made["masc"],
        lambda: made.save(tmp_path / "x.png", "masc"),
        lambda: made.encode(".png", "masc"),
    ):
        with pytest.raises(ValueError, match="There is no output 'masc'; did you mean 'mask'?"):
            ask()
    assert not (tmp_path / "x.png").exists()


def test_what_is_transparent_stays_so_whatever_its_file_is_called(enlarger: Path, tmp_path: Path) -> None:
    values = RANDOM.integers(0, 256, (9, 13, 4), np.uint8)
    (tmp_path / "photos").mkdir()
    for name, kept in (("clear.jpg", values), ("opaque.jpg", values[..., :3])):
        Image.fromarray(kept).save(tmp_path / "photos" / name, "PNG")
    gannet.apply(enlarger, tmp_path / "photos", out=tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"clear.jpg.png", "opaque.jpg", MANIFEST}
    assert read_photograph(tmp_path / "new" / "clear.jpg.png").alpha is not None
    with Image.open(tmp_path / "new" / "opaque.jpg") as picture:
        assert picture.format == "JPEG"


def test_pages_and_frames_that_are_not_used_are_left_out_and_said_once(
    enlarger: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    frames = [Image.fromarray(RANDOM.integers(0, 256, (9, 13, 3), np.uint8)) for _ in range(3)]
    (tmp_path / "photos").mkdir()
    frames[0].save(tmp_path / "photos" / "film.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "photos" / "plain.png")
    said: list[str] = []
    told = gannet.apply(enlarger, tmp_path / "photos", out=tmp_path / "new", on_progress=told_to(said))
    words = f"{tmp_path / 'photos' / 'film.gif'}: it holds several frames, of which only the first is used."
    assert told.left_out == (words,) and told.count == 2 and sum(words in one for one in said) == 1
    assert told.to_json()["left_out"] == [words] and "notices" not in told.to_json()
    frames[0].save(tmp_path / "scan.tif", save_all=True, append_images=frames[1:])
    ended = gannet_command("apply", enlarger, tmp_path / "scan.tif", "--out", tmp_path / "large.tif")
    assert ended.code == 3 and "it holds several pages, of which only the first is used." in ended.out


def test_what_is_not_used_is_left_out_also_where_it_was_made_before(
    enlarger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [Image.fromarray(RANDOM.integers(0, 256, (9, 13, 3), np.uint8)) for _ in range(2)]
    (tmp_path / "photos").mkdir()
    frames[0].save(tmp_path / "photos" / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "photos" / "b.png")
    read = PhotographMedium.open

    def failing(medium: PhotographMedium, path: Path) -> object:
        if path.name == "b.png":
            raise KeyboardInterrupt
        return read(medium, path)

    with monkeypatch.context() as broken:
        broken.setattr(PhotographMedium, "open", failing)
        with pytest.raises(KeyboardInterrupt):
            gannet.apply(enlarger, tmp_path / "photos", out=tmp_path / "new")
    told = gannet.apply(enlarger, tmp_path / "photos", out=tmp_path / "new")
    assert told.count == 2 and [Path(words.split(":")[0]).name for words in told.left_out] == ["a.gif"]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A file of three pages, no two of one size."""
    pages = [Image.fromarray(RANDOM.integers(0, 256, (9, side, 3), np.uint8)) for side in (11, 12, 13)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    return tmp_path / "scan.tif"


def test_pages_are_inputs_of_their_own_where_they_are_asked_for(
    enlarger: Path, scan: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    new = tmp_path / "new"
    ended = gannet_command("apply", enlarger, f"{scan}#2", f"{scan}#3", f"{scan}#2", "--out", new)
    assert ended.code == 0 and "Left out" not in ended.out
    made = {path.name: size(path) for path in new.iterdir() if path.name != MANIFEST}
    assert made == {"scan-2.tif": (24, 18), "scan-3.tif": (26, 18)}
    told = gannet.apply(enlarger, scan, f"{scan}#3", out=tmp_path / "more")
    assert told.count == 2 and len(told.left_out) == 1, "the whole file has other pages, whoever names one of them"
    assert np.array_equal(gannet.load(enlarger)(f"{scan}#3").value.values, read_photograph(new / "scan-3.tif").values)
    shutil.copy(new / "scan-3.tif", f"{scan}#2")
    made = gannet.load(enlarger)(f"{scan}#2").value
    assert made.values.shape == (36, 52, 3), "a file that is called so goes before a page"


def test_one_page_becomes_one_file(enlarger: Path, scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = gannet.apply(enlarger, f"{scan.name}#3")
    assert told.out == Path("scan-3-super-resolution.tif") and size(told.out) == (26, 18) and not told.left_out


@pytest.mark.parametrize("page", [0, 4, 999_999_999])
def test_pages_that_are_not_there_are_refused_by_how_many_there_are(
    enlarger: Path, scan: Path, tmp_path: Path, gannet_command: Callable[..., Any], page: int
) -> None:
    ended = gannet_command("apply", enlarger, f"{scan}#1", f"{scan}#{page}", "--out", tmp_path / "new")
    assert ended.code == 2 and f"scan.tif#{page} cannot be read: it has 3 pages and no page {page}." in ended.err
    assert not (tmp_path / "new").exists()
    with pytest.raises(ValueError, match=f"it has 3 pages and no page {page}"):
        gannet.load(enlarger)(f"{scan}#{page}")


def test_an_order_of_a_page_is_not_gone_on_with_for_another(
    enlarger: Path, scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(PhotographMedium, "open", stop)
        with pytest.raises(KeyboardInterrupt):
            gannet.apply(enlarger, f"{scan}#1", f"{scan}#2", out=tmp_path / "new.zip")
    with pytest.raises(ValueError, match="the beginning of something else"):
        gannet.apply(enlarger, f"{scan}#2", f"{scan}#3", out=tmp_path / "new.zip")


def test_a_further_input_may_be_a_page(others: dict[str, Path], photos: Path, tmp_path: Path) -> None:
    lost, none = np.zeros((9, 13), np.uint8), np.zeros((9, 13), np.uint8)
    lost[2:5, 3:8] = 255
    pages = [Image.fromarray(page) for page in (none, lost)]
    pages[0].save(tmp_path / "masks.tif", save_all=True, append_images=pages[1:])
    told = gannet.apply(others["inpainting"], photos / "a.png", mask=f"{tmp_path}/masks.tif#2", out=tmp_path / "a.png")
    before, after = (read_photograph(path).values for path in (photos / "a.png", tmp_path / "a.png"))
    assert not told.left_out and np.array_equal(before[lost == 0], after[lost == 0])
    assert not np.array_equal(before[lost > 0], after[lost > 0])
    with pytest.raises(ValueError, match=r"masks.tif#3 cannot be read: it has 2 pages and no page 3\."):
        gannet.apply(others["inpainting"], photos, mask=f"{tmp_path}/masks.tif#3", out=tmp_path / "new")
    with pytest.raises(ValueError, match=r"There is no mask at .*nowhere.tif#2; give a file, or a folder"):
        gannet.apply(others["inpainting"], photos, mask=f"{tmp_path}/nowhere.tif#2", out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_order_with_a_page_is_not_gone_on_with_for_another(
    others: dict[str, Path], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [Image.fromarray(RANDOM.integers(0, 256, (9, 13), np.uint8)) for _ in range(2)]
    pages[0].save(tmp_path / "masks.tif", save_all=True, append_images=pages[1:])

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(PhotographMedium, "open", stop)
        with pytest.raises(KeyboardInterrupt):
            gannet.apply(others["inpainting"], photos, out=tmp_path / "new.zip", mask=f"{tmp_path}/masks.tif#1")
    with pytest.raises(ValueError, match="the beginning of something else"):
        gannet.apply(others["inpainting"], photos, out=tmp_path / "new.zip", mask=f"{tmp_path}/masks.tif#2")
