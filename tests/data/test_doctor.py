from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from gannet.adversarial.discriminator_augment import told_of_moves
from gannet.commands.augment.images import choose_changes
from gannet.commands.doctor import examine
from gannet.commands.options import PlanOptions
from gannet.commands.plan import plan
from gannet.commands.train import configure, prepare
from gannet.data.doctor import Report
from gannet.data.sources import open_source


def visit(target: str, side: int) -> Report:
    return examine(target, side)


def test_defects_are_found_and_named(write_pictures):
    folder = write_pictures(
        *(f"train/cat/{i}.png" for i in range(6)), "train/dog/1.png", "test/dog/9.png", size=(40, 52)
    )
    shutil.copy(folder / "train/cat/2.png", folder / "train/cat/5.png")
    shutil.copy(folder / "train/cat/3.png", folder / "test/dog/9.png")
    (folder / "train/cat/0.png").write_bytes(b"nothing")
    report = visit(str(folder), 40)
    assert (report.count, report.held_out, report.classes, report.imbalance) == (
        7,
        1,
        {"cat": 5, "dog": 2},
        2.5,
    )
    assert report.unreadable[0][0] == "train/cat/0.png" and report.unreadable_count == 1
    assert report.exact_duplicates.count == 2 and report.leaked == 1
    assert set(report.exact_duplicates.groups) == {
        ("test/dog/9.png", "train/cat/3.png"),
        ("train/cat/2.png", "train/cat/5.png"),
    }
    text = "\n".join(report.lines())
    for words in (
        "train/cat/0.png",
        "2 exact duplicates",
        "the largest 2.5 times",
        "strongly advised",
        "cat, dog",
    ):
        assert words in text
    assert json.loads(json.dumps(report.to_json()))["advice"]["settings"] == {
        "data.size": 40,
        "task.conditional": "true",
    }


def test_near_duplicates_are_named(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    picture = Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "b.jpg", quality=90)
    Image.fromarray(255 - np.asarray(picture)).save(tmp_path / "c.png")
    report = visit(str(tmp_path), 64)
    assert report.near_duplicates.groups == (("a.png", "b.jpg"),) and report.exact_duplicates.count == 0


def save_npz(path, *shape, labels=True):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.savez(path, images=images, **({"labels": np.arange(shape[0]) % 10} if labels else {}))
    return str(path)


@pytest.mark.parametrize(
    ("shape", "labels", "name", "recipe", "settings"),
    [
        ((20, 28, 28), True, "a.npz", "mnist", {}),
        ((20, 28, 28), True, "my-fashion.npz", "fashion-mnist", {}),
        ((20, 28, 28), False, "a.npz", "images", {"data.size": 28}),
        ((20, 8, 8), True, "a.npz", "digits", {}),
        ((20, 32, 32, 3), True, "a.npz", "cifar10", {}),
        ((20, 32, 32, 3), False, "a.npz", "images", {"data.size": 32}),
        ((20, 3, 5), False, "a.npz", "images", {"data.size": 8}),
        ((3, 150, 130, 3), False, "a.npz", "images", {"data.size": 64}),
    ],
)
def test_recipe_fits_the_pictures(tmp_path, shape, labels, name, recipe, settings):
    report = visit(save_npz(tmp_path / name, *shape, labels=labels), 28)
    assert (report.advice.recipe, report.advice.settings) == (recipe, settings)
    assert ("without a GPU" in report.advice.reasons[0]) == (shape[1] > 64)


@pytest.mark.parametrize("data", ["digits", "garments"])
def test_embedded_pictures_have_the_recipe_of_their_name(data):
    assert visit(data, 0).advice.recipe == data


def test_grey_is_not_to_be_mirrored(tmp_path):
    assert "no mirroring" in visit(save_npz(tmp_path / "a.npz", 9, 9, 9), 8).advice.augmentation
    assert "mirroring is right" in visit(save_npz(tmp_path / "b.npz", 9, 9, 9, 3), 8).advice.augmentation


def test_clean_data_has_short_words():
    lines = visit("digits", 8).lines()
    assert lines[0] == "digits: 1,797 pictures, 171 of them held out."
    assert all(0 < len(line) < 250 for line in lines) and len(lines) < 12


@pytest.mark.parametrize(("count", "way"), [(900, "diffaugment"), (2_000, "ada"), (7_000, None)])
def test_what_the_doctor_says_of_few_pictures_is_what_their_recipe_does(tmp_path, count, way):
    path = save_npz(tmp_path / "a.npz", count, 9, 9, labels=False)
    reasons = " ".join(visit(path, 8).advice.reasons)
    assert f"augment.name=auto becomes {way})" in reasons if way else "augment" not in reasons
    recipe = prepare(configure("images", path, {}, "")).recipe
    assert recipe.augment.name == (way or "none")


@pytest.mark.parametrize(("count", "channels"), [(900, 1), (2_000, 1), (2_000, 3), (7_000, 3)])
def test_doctor_and_dry_run_agree_about_mirroring_and_turning(tmp_path, count, channels):
    shape = (count, 9, 9, 3) if channels == 3 else (count, 9, 9)
    path = save_npz(tmp_path / "a.npz", *shape, labels=False)
    tiny = {"data.size": 8, "network.width": 4, "network.latent": 4, "batch": 16, "device": "cpu"}
    planned = plan(prepare(configure("images", path, tiny, "")), PlanOptions(rounds=1))
    told, kinds = told_of_moves(planned.recipe.augment), planned.recipe.augment.options.get("kinds", {})
    assert bool(told) == bool(kinds) == (count < 5_000)
    assert not told or (f"# augment: {told}" in planned.lines() and told in visit(path, 8).advice.reasons)
    assert ("mirrored (flip)" in told) == ("flip" in kinds)
    assert ("turned (quarter-turn, rotation)" in told) == ("rotation" in kinds)
    assert ("neither mirrored nor turned" in told) == (bool(kinds) and not {"flip", "rotation"} & set(kinds))


def test_the_doctor_advises_what_copies_undergo(tmp_path):
    """What decides whether `gannet augment` mirrors decides what is said of it."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (200, 9, 9), np.uint8)
    sided = (noise * np.linspace(0, 1, 9)).astype(np.uint8)
    for name, pictures, words in (("noise", noise, "mirroring is right"), ("sided", sided, "no mirroring")):
        np.savez(tmp_path / f"{name}.npz", images=pictures)
        path = str(tmp_path / f"{name}.npz")
        assert words in visit(path, 8).advice.augmentation
        copies = {change.name for change in choose_changes("auto", open_source(path), 1)}
        assert ("flip" in copies) == (words == "mirroring is right")


def test_a_sources_own_test_pictures_do_not_make_few_many(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6_600, 9, 9), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images[:600], x_test=images[600:])
    assert "becomes diffaugment" in " ".join(visit(str(tmp_path / "a.npz"), 8).advice.reasons)
    assert prepare(configure("images", tmp_path / "a.npz", {}, "")).recipe.augment.name == "diffaugment"


def test_classes_splits_and_what_has_none_are_named(write_pictures):
    inside = [f"{split}/{name}/{i}.png" for split in ("train", "val") for name in ("cat", "dog") for i in range(3)]
    report = visit(str(write_pictures(*inside, "train/loose.png", "README.png")), 8)
    assert report.splits == {"train": 7, "test": 6} and report.classes == {"cat": 6, "dog": 6}
    lines = report.lines()
    assert "2 classes (cat, dog) of 6 pictures each." in lines
    assert "1 pictures have no class." in lines and "Splits of its own: train (7), test (6)." in lines
    assert any("README.png: it lies beside the folders of splits" in line for line in lines)


def test_of_many_classes_the_first_are_named(write_pictures):
    report = visit(str(write_pictures(*(f"{i}/1.png" for i in range(9)))), 8)
    assert any(line.startswith("9 classes (0, 1, 2, 3, 4, 5 and 3 more) of") for line in report.lines())


def test_how_numbers_are_read_is_told(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.random.default_rng(0).integers(0, 2, (9, 8, 8)))
    lines = visit(str(tmp_path / "a.npz"), 8).lines()
    assert "a.npz: its whole numbers are 0 and 1 alone, and are read as black and white." in lines


@pytest.mark.parametrize("parent", ["", "deep/", "train/"])
def test_why_a_single_folder_is_no_class_is_said_where_others_lie_beside_it(write_pictures, parent):
    folder = write_pictures(*(f"{parent}cats/{number}.png" for number in range(4)), f"{parent}5.png", size=(8, 8))
    told = "No classes: cats/ is the only folder, with pictures beside it; give each class a folder of its own."
    assert told in visit(str(folder), 8).lines()
    (folder / parent / "5.png").unlink()
    assert "No classes." in visit(str(folder), 8).lines(), "a single folder around everything means nothing"
