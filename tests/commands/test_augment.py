"""Augmented data sets: what is healthy stays bit for bit, and every copy is accounted for."""

import csv
import io
import json
import pickle
import subprocess
import sys
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

import gannet
from gannet.api import AugmentOptions, augment
from gannet.augmentation.kinds import KINDS
from gannet.commands.augment import copies, images
from gannet.commands.augment.fakes import FakeSource, open_fake_source
from gannet.data.sources import open_source
from gannet.pipelines import writer
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, metadata, read_facts

Wish = dict[str, Any]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes, two splits, three formats, and a broken file."""
    random, folder = np.random.default_rng(0), tmp_path / "photos"
    for split, label, name in (
        ("train", "cats", "a.jpg"),
        ("train", "cats", "b.png"),
        ("train", "dogs", "a.JPG"),
        ("train", "dogs", "deep/c.webp"),
        ("test", "cats", "z.png"),
        ("test", "dogs", "z.png"),
    ):
        path = folder / split / label / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (12, 17, 3), np.uint8)).save(path)
    (folder / "train" / "dogs" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "record.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_healthy_stays_and_every_copy_is_accounted_for(photos: Path, tmp_path: Path) -> None:
    made = augment(photos, tmp_path / "new", AugmentOptions(times=3, kinds="rotation=20,noise+blur"))
    written, told = files(tmp_path / "new"), rows(tmp_path / "new")
    before = {name: content for name, content in files(photos).items() if "broken" not in name}
    assert {name: written[name] for name in before} == before
    copies = [row for row in told if row["augmentation"]]
    assert {row["file"] for row in told} == set(written) - {"record.csv"}
    assert len(copies) == 2 * 4 and {row["source"] for row in copies} == {name for name in before if "train" in name}
    assert {(row["augmentation"], row["strength"]) for row in copies} == {("rotation", "20"), ("noise+blur", "0.05+1")}
    assert (made.healthy, made.copies) == (6, 8) and "broken.png" in made.left_out[0]
    for row in copies:
        with Image.open(tmp_path / "new" / row["file"]) as copy, Image.open(photos / row["source"]) as source:
            assert copy.size == source.size and copy.format == source.format
            assert not np.array_equal(np.asarray(copy), np.asarray(source))
    source = open_source(str(tmp_path / "new"))
    assert source.classes == ("cats", "dogs")


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_what_cannot_be_read_is_named_wherever_it_lies(ending: str, photos: Path, tmp_path: Path) -> None:
    broken = ["test/cats/0.png", "train/cats/ab.png", "train/dogs/broken.png", "train/dogs/z.png"]
    for name in broken:
        (photos / name).write_bytes(b"nothing")
    made = augment(photos, tmp_path / f"new{ending}", AugmentOptions(times=3, kinds="noise"))
    assert made.left_out == tuple(broken) and (made.healthy, made.copies) == (6, 8)


def test_what_is_left_out_shows_in_the_exit_code(
    photos: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    words = ["augment", photos, "--kinds", "noise", "--times", 2]
    told = gannet_command(*words, "--out", tmp_path / "some")
    assert told.code == 3 and "1 could not be read, the first train/dogs/broken.png" in told.out
    (photos / "train" / "dogs" / "broken.png").unlink()
    assert gannet_command(*words, "--out", tmp_path / "all").code == 0


def test_colours_under_a_transparent_picture_are_found_once_for_all_of_its_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = io.BytesIO()
    Image.new("RGBA", (8, 8), (200, 0, 0, 0)).save(content, "PNG")
    visible, seen = copies.visible, list[object]()
    monkeypatch.setattr(copies, "visible", lambda photograph: seen.append(photograph) or visible(photograph))
    wanted = tuple(copies.Copy(number, copies.Change("", "")) for number in range(1, 4))
    sample = copies.Sample("a.png", content.getvalue())
    made = copies.make_families(0, [copies.Family(sample, PurePosixPath("a.png"), -1, wanted)])
    assert len(made) == 4 and len(seen) == 1


def test_parts_can_be_sent_to_processes_that_are_started_anew(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS and Windows, and everywhere from Python 3.14 on."""

    def send(function: object, items: object, workers: int) -> Iterator[object]:
        for item in items:  # type: ignore[attr-defined]
            yield pickle.loads(pickle.dumps(function))(pickle.loads(pickle.dumps(item)))  # noqa: S301

    monkeypatch.setattr(writer, "map_in_processes", send)
    augment(photos, tmp_path / "sent", AugmentOptions(kinds="all", seed=3))
    monkeypatch.undo()
    augment(photos, tmp_path / "here", AugmentOptions(kinds="all", seed=3))
    assert files(tmp_path / "sent") == files(tmp_path / "here")


def test_what_a_process_cannot_write_is_told_in_one_sentence(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(writer.FORMATS, ".zip", replace(writer.FORMATS[".zip"], write=full))
    with pytest.raises(ValueError, match=r"^\S*new.zip cannot be written .No space left on device.; [^\n]*$"):
        augment(photos, tmp_path / "new.zip", AugmentOptions(kinds="noise"))


def test_a_decoder_that_raises_anything_costs_its_picture_only(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = copies.open_picture

    def failing(content: bytes) -> Image.Image:
        if content[:3] == b"\xff\xd8\xff":
            raise zipfile.BadZipFile
        return opened(content)

    monkeypatch.setattr(copies, "open_picture", failing)
    made = augment(photos, tmp_path / "new", AugmentOptions(times=2, kinds="noise"))
    assert (made.healthy, len(made.left_out)) == (4, 3)


def test_the_smallest_picture_goes_through_every_kind(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for size in ((1, 1), (1, 9), (2, 1)):
        Image.fromarray(np.full((*size, 3), 99, np.uint8)).save(tmp_path / "data" / f"{size[0]}x{size[1]}.png")
    made = augment(tmp_path / "data", tmp_path / "new", AugmentOptions(times=len(KINDS) + 1, kinds="all", force=True))
    assert made.healthy == 3 and made.copies == 3 * len(KINDS)


def test_the_same_seed_gives_the_same_files_however_many_processes_make_them(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = AugmentOptions(kinds="all", seed=3)
    for name, cores in (("one", 1), ("two", 2)):
        monkeypatch.setattr(images, "cores", lambda cores=cores: cores)
        augment(photos, tmp_path / name, wish)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    augment(photos, tmp_path / "other", AugmentOptions(kinds="all", seed=4))
    assert files(tmp_path / "one") != files(tmp_path / "other")


def test_arrays_become_files_by_split_and_class(tmp_path: Path) -> None:
    augment("digits", tmp_path / "new.zip", AugmentOptions(times=2, kinds="rotation"))
    with zipfile.ZipFile(tmp_path / "new.zip") as archive:
        names = archive.namelist()
    source = open_source(str(tmp_path / "new.zip"))
    assert len(source.classes) == 10 and len(names) == 1 + len(list(source.records()))
    healthy = [np.asarray(r.read()) for r in source.records() if "~" not in r.name]
    original = [np.asarray(record.read()) for record in open_source("digits").records()]
    assert sorted(p.tobytes() for p in healthy) == sorted(p.tobytes() for p in original)


def test_pictures_of_several_tables_do_not_take_each_others_place(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    for table in ("en/data", "fr/data"):
        (tmp_path / table).parent.mkdir()
        cells = [{"bytes": copies.to_file(np.full((8, 8, 1), value, np.uint8), ".png")} for value in range(5)]
        parquet.write_table(pyarrow.table({"image": cells}), tmp_path / f"{table}.parquet")
    made = augment(tmp_path, tmp_path.parent / f"{tmp_path.name}-new", AugmentOptions(times=2, kinds="noise"))
    assert (made.healthy, made.copies) == (10, 10)
    assert len([name for name in files(made.path) if name.endswith(".png")]) == 20


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixtures_name_the_other_picture_and_their_own_share(name: str, photos: Path, tmp_path: Path) -> None:
    augment(photos, tmp_path / "new", AugmentOptions(times=4, kinds=name))
    copies = [row for row in rows(tmp_path / "new") if row["augmentation"]]
    assert all(row["other"] and 0.5 <= float(row["share"]) <= 1 for row in copies)
    assert len({row["share"] for row in copies}) > 3


def test_a_broken_picture_is_mixed_into_no_other(photos: Path, tmp_path: Path) -> None:
    made = augment(photos, tmp_path / "new", AugmentOptions(times=4, kinds="mixup"))
    assert (made.healthy, made.copies) == (6, 3 * 4) and made.left_out == ("train/dogs/broken.png",)
    assert not any("broken" in row["other"] or "test" in row["other"] for row in rows(tmp_path / "new"))


def test_a_mixture_of_pictures_without_classes_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mixup mixes classes"):
        augment(photos / "train" / "cats", tmp_path / "new", AugmentOptions(kinds="mixup"))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"times": 5}, "20% of the data would be healthy"),
        ({"times": 1}, "give 2 or more"),
        ({"seed": -1}, "--seed is -1"),
        ({"kinds": "noise+mixup"}, "done to a copy alone"),
        ({"kinds": "rotatoin"}, "did you mean 'rotation'"),
        ({"kinds": "rotation=900"}, "from 0 to 180"),
        ({"kinds": "rotation=much"}, "is no number"),
        ({"kinds": "mixup=0"}, "from 0.01 to 100"),
        ({"kinds": ""}, "no augmentation ''"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(wish: Wish, words: str, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        augment(photos, tmp_path / "new", AugmentOptions(**wish))
    assert not (tmp_path / "new").exists()


def test_what_exists_is_not_overwritten(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with pytest.raises(ValueError, match="exists"):
        augment(photos, tmp_path / "new")
    with pytest.raises(ValueError, match="neither a folder's name nor a .zip"):
        augment(photos, tmp_path / "new.parquet")


def test_a_side_that_tells_classes_apart_is_not_mirrored(tmp_path: Path) -> None:
    """Of all pictures together as many point left as right."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 60, (300, 16, 16), np.uint8)
    labels = np.repeat([0, 1], 150)
    pictures[:150, 4:12, :6] += 150
    pictures[150:, 4:12, 10:] += 150
    np.savez(tmp_path / "sides.npz", images=pictures, labels=labels)
    assert "flip" not in images.symmetries(open_source(str(tmp_path / "sides.npz")))
    np.savez(tmp_path / "mixed.npz", images=pictures)
    assert "flip" in images.symmetries(open_source(str(tmp_path / "mixed.npz")))


def test_arrays_are_looked_at_from_end_to_end(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((9000, 8, 8), np.uint8), labels=np.repeat(np.arange(3), 3000))
    source = open_source(str(tmp_path / "a.npz"))
    assert Counter(record.label for record in images._readable(source)).keys() == {0, 1, 2}


def test_an_output_within_the_data_would_become_a_part_of_them(photos: Path) -> None:
    with pytest.raises(ValueError, match="lies within"):
        augment(photos, photos / "sub")
    assert not (photos / "sub").exists()


@pytest.mark.parametrize("name", ["flip", "vertical-flip", "quarter-turn"])
def test_kept_copies_are_all_mirrored_or_turned(name: str, photos: Path, tmp_path: Path) -> None:
    augment(photos, tmp_path / "new", AugmentOptions(times=4, kinds=name))
    for row in rows(tmp_path / "new"):
        with Image.open(tmp_path / "new" / row["file"]) as copy, Image.open(photos / row["source"]) as source:
            same = np.abs(np.asarray(copy).astype(int) - np.asarray(source)).mean() < 20
        assert same == (not row["augmentation"]), row


def test_force_allows_what_is_known_to_leak(photos: Path, tmp_path: Path) -> None:
    made = augment(photos, tmp_path / "new", AugmentOptions(times=6, kinds="noise", force=True))
    assert made.copies == 5 * 4 and made.share == 6 / 26


def test_it_goes_on_where_it_was_broken_off(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, wish = tmp_path / "whole", AugmentOptions(times=3, kinds="noise,flip")
    monkeypatch.setattr(images, "RECORDS_IN_PART", 2)
    monkeypatch.setattr(images, "cores", lambda: 1)
    augment(photos, whole, wish)
    read, left = images._read, [3]

    def failing(record: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return read(record)  # type: ignore[arg-type]

    monkeypatch.setattr(images, "_read", failing)
    with pytest.raises(KeyboardInterrupt):
        augment(photos, tmp_path / "new", wish)
    left[0] = 5  # Two of seven lie in the part that was there.
    augment(photos, tmp_path / "new", wish)
    assert files(tmp_path / "new") == files(whole)


@pytest.mark.parametrize("ending", ["", ".zip"])
def test_fakes_go_on_where_they_were_broken_off(
    ending: str, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "some.npz", images=np.zeros((200, 8, 8), np.uint8), labels=np.arange(200) % 2)
    whole, new = (tmp_path / f"{name}{ending}" for name in ("whole", "new"))
    wish, draw, left = AugmentOptions(times=3, model=str(tiny_run), keep=1.0), FakeSource.draw, [2]
    augment(tmp_path / "some.npz", whole, wish)

    def failing(self: FakeSource, *words: int) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return draw(self, *words)

    monkeypatch.setattr(FakeSource, "draw", failing)
    with pytest.raises(KeyboardInterrupt):
        augment(tmp_path / "some.npz", new, wish)
    left[0] = 6  # Two of eight parts were there.
    augment(tmp_path / "some.npz", new, wish)
    assert files(new) == files(whole) if ending == "" else new.read_bytes() == whole.read_bytes()


def test_auto_mirrors_only_what_does_not_mind() -> None:
    """Handwritten digits have sides; noise has none."""
    assert images.symmetries(open_source("digits")) == set()


def test_auto_leaves_out_colours_of_grey_pictures_and_mirrorings_of_digits() -> None:
    names = {change.name for change in images.choose_changes("auto", open_source("digits"), 1)}
    assert not names & {"hue", "saturation", "flip", "vertical-flip", "quarter-turn"}
    assert names == {n for n, kind in KINDS.items() if not kind.coloured and not kind.mirrors}


def test_few_pictures_cannot_tell_whether_they_mind_being_mirrored(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for index in range(99):
        Image.fromarray(random.integers(0, 256, (16, 16), np.uint8)).save(tmp_path / f"{index}.png")
    assert images.symmetries(open_source(str(tmp_path))) == set()


def test_noise_may_be_mirrored_and_turned(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for index in range(100):
        Image.fromarray(random.integers(0, 256, (16, 16), np.uint8)).save(tmp_path / f"{index}.png")
    assert images.symmetries(open_source(str(tmp_path))) == {"flip", "vertical-flip", "quarter-turn"}


def test_copies_belong_to_their_source(photos: Path, tmp_path: Path) -> None:
    import re

    augment(photos, tmp_path / "new", AugmentOptions(times=3, kinds="noise"))
    for row in rows(tmp_path / "new"):
        found, source = (re.search(images.GROUP, row[name]) for name in ("file", "source"))
        assert found and source and found[1] == source[1]


def test_fakes_of_a_run_are_sifted_marked_and_counted(tiny_run: Path, tmp_path: Path) -> None:
    made = augment("digits", tmp_path / "new", AugmentOptions(times=2, model=str(tiny_run)))
    told = rows(tmp_path / "new")
    fakes = [row for row in told if row["augmentation"] == "synthetic"]
    source = open_source("digits")
    known = Counter(record.label for record in source.records() if record.split != "test")
    assert Counter(source.classes.index(row["file"].split("/")[1]) for row in fakes) == known
    with pytest.raises(ValueError, match="was augmented before"):
        augment(made.path, tmp_path / "again", AugmentOptions(times=2))
    assert made.copies == sum(known.values()) and made.healthy == sum(1 for _ in source.records())
    with Image.open(tmp_path / "new" / fakes[0]["file"]) as picture:
        assert SYNTHETIC in str(picture.text)  # type: ignore[attr-defined]


def test_sifting_keeps_what_the_discriminator_believes(tiny_run: Path) -> None:
    all_of_them, best = (open_fake_source(str(tiny_run), keep, seed=0) for keep in (1.0, 0.25))
    every, scores, _ = all_of_them.draw(3, 0, 64)
    kept, kept_scores, _ = best.draw(3, 0, 16)
    assert torch.equal(kept_scores, scores[scores >= scores.sort(descending=True).values[15]])
    assert all(any(torch.equal(one, other) for other in every) for one in kept)


def test_a_classifier_keeps_what_it_takes_for_the_class_that_was_asked_for(tiny_run: Path, tmp_path: Path) -> None:
    changes = {"images": 2_000, "stages": [], "data.size": 8, "network.width": 8, "network.depth": 2}
    classifier = gannet.train("recognition", "digits", tmp_path / "classifier", changes)
    kept, scores, _ = open_fake_source(str(tiny_run), 0.25, 0, str(classifier.folder)).draw(3, 0, 16)
    every, _, _ = open_fake_source(str(tiny_run), 1.0, 0, str(classifier.folder)).draw(3, 0, 64)
    told = torch.cat([classifier.pipeline().probabilities(part) for part in (kept, every)])[:, 3]
    assert torch.allclose(scores, told[:16], atol=1e-5)
    assert float(scores.min()) >= float(told[16:].sort(descending=True).values[15]) - 1e-5


def test_a_classifier_of_other_pictures_sifts_nothing(tiny_run: Path, tmp_path: Path) -> None:
    changes = {"images": 64, "stages": [], "data.size": 16, "network.width": 8, "network.depth": 2}
    classifier = gannet.train("recognition", "digits", tmp_path / "classifier", changes)
    with pytest.raises(ValueError, match="names 10 classes of pictures of 1x16x16"):
        augment("digits", tmp_path / "new", AugmentOptions(times=2, model=str(tiny_run), sieve=str(classifier.folder)))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"model": "nowhere"}, "nowhere is no run"),
        ({"model": "RUN", "keep": 0}, "keep is 0"),
        ({"model": "RUN", "sieve": "RUN"}, "is a model of generation"),
        ({"sieve": "RUN"}, "sifts the fakes of --with"),
        ({"model": "RUN", "kinds": "noise"}, "leave out --kinds"),
        ({"model": "RUN", "times": 7}, "would be healthy"),
    ],
)
def test_fakes_that_cannot_be_had_are_refused(wish: Wish, words: str, tiny_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        named = {name: str(tiny_run) for name in wish if wish[name] == "RUN"}
        augment("digits", tmp_path / "new", AugmentOptions(**{**wish, **named}))
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.partial").exists()


@pytest.mark.parametrize(
    ("wish", "out", "words"),
    [
        ({"model": "nowhere"}, "new", "is no run"),
        ({"model": "RUN", "sieve": "nowhere"}, "new", "no run or model at 'nowhere'"),
        ({"model": "RUN"}, "taken", "exists"),
        ({"model": "RUN", "kinds": "flip"}, "new", "leave out --kinds"),
    ],
)
def test_what_is_wrong_with_a_run_shows_before_the_data_are_read(
    wish: Wish, out: str, words: str, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").mkdir()
    monkeypatch.setattr(images, "open_source", lambda _: pytest.fail("the data are read first"))
    asked = {name: str(tiny_run) if value == "RUN" else value for name, value in wish.items()}
    with pytest.raises(ValueError, match=words):
        augment("digits", tmp_path / out, AugmentOptions(**asked))


def test_classes_that_a_run_does_not_draw_show_before_all_data_are_looked_through(
    photos: Path, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "survey", lambda _: pytest.fail("all data are looked through first"))
    with pytest.raises(ValueError, match="that the model does not draw"):
        augment(photos, tmp_path / "new", AugmentOptions(times=2, model=str(tiny_run)))


KILLED = """
import os, sys
from gannet.cli import main
from gannet.commands.augment.fakes import FakeSource
draw, left = FakeSource.draw, [2]
def killed(self, *words):
    left[0] -= 1
    if left[0] < 0:
        os._exit(9)
    return draw(self, *words)
FakeSource.draw = killed
main()
"""


def test_the_command_goes_on_where_it_was_killed(
    tiny_run: Path, tmp_path: Path, gannet_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "some.npz", images=np.zeros((200, 8, 8), np.uint8), labels=np.arange(200) % 2)
    command = ["augment", tmp_path / "some.npz", "--with", tiny_run, "--times", 3]
    assert gannet_command(*command, "--out", tmp_path / "whole").code == 0
    words = [*map(str, command), "--out", str(tmp_path / "new")]
    assert subprocess.run([sys.executable, "-c", KILLED, *words], check=False).returncode == 9
    assert len(list((tmp_path / "new.partial" / "parts").iterdir())) == 25 + 2, "the data's own parts and two of fakes"
    made, draw = list[object](), FakeSource.draw
    monkeypatch.setattr(FakeSource, "draw", lambda self, *asked: made.append(asked) or draw(self, *asked))
    assert gannet_command(*words).code == 0
    assert len(made) == 8 - 2 and files(tmp_path / "new") == files(tmp_path / "whole")


def test_a_fake_says_how_to_draw_it_again(tiny_run: Path, tmp_path: Path) -> None:
    augment("digits", tmp_path / "new", AugmentOptions(times=2, model=str(tiny_run), seed=5))
    row = next(row for row in rows(tmp_path / "new") if row["augmentation"] == "synthetic" and "/3/" in row["file"])
    with Image.open(tmp_path / "new" / row["file"]) as picture:
        facts, pixels = json.loads(picture.text["Comment"]), np.asarray(picture)  # type: ignore[attr-defined]
    again = gannet.load(tiny_run)(num=facts["index"] + 1, seed=facts["seed"], label=facts["class"], engine="torch")
    assert np.array_equal(np.asarray(again.pictures()[-1]), pixels)


def test_a_loose_picture_beside_classes_has_no_fakes(tiny_run: Path, tmp_path: Path) -> None:
    for name in ("3/a.png", "3/b.png", "5/c.png", "loose.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "data" / name)
    made = augment(tmp_path / "data", tmp_path / "new", AugmentOptions(times=2, model=str(tiny_run)))
    assert (made.healthy, made.copies) == (4, 3)


def test_a_classifier_draws_nothing(tmp_path: Path) -> None:
    changes = {"images": 64, "stages": [], "data.size": 8, "network.width": 8, "network.depth": 2}
    run = str(gannet.train("recognition", "digits", tmp_path / "classifier", changes).folder)
    with pytest.raises(ValueError, match="draws no fakes"):
        augment("digits", tmp_path / "new", AugmentOptions(times=2, model=run, sieve=run))


def test_data_without_classes_are_no_match_for_a_model_of_classes(photos: Path, tiny_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no classes"):
        augment(photos / "train" / "cats", tmp_path / "new", AugmentOptions(model=str(tiny_run)))


def test_names_that_differ_by_their_format_only_do_not_collide(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for ending, value in (("bmp", 10), ("png", 100), ("gif", 200)):
        Image.new("RGB", (9, 9), (value,) * 3).save(tmp_path / "data" / f"a.{ending}")
    made = augment(tmp_path / "data", tmp_path / "new", AugmentOptions(times=2, kinds="noise"))
    assert len(files(made.path)) == 1 + made.healthy + made.copies == 7
    with pytest.raises(ValueError, match="was augmented before .a~1"):
        augment(made.path, tmp_path / "again")


def test_classes_that_a_model_does_not_draw_are_refused(photos: Path, tiny_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="classes .cats, dogs"):
        augment(photos, tmp_path / "new", AugmentOptions(model=str(tiny_run)))


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text('text,stars\n"good, very good",5\nبد می‌شود,1\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".txt", ".csv"])
def test_of_two_orders_of_one_text_the_second_is_told_who_writes_it(ending: str, tmp_path: Path) -> None:
    source, out = tmp_path / f"a{ending}", tmp_path / "new" / f"b{ending}"
    source.write_text("text\none two three\nfour five six\n", encoding="utf-8")
    told: list[str] = []

    def order_again(*_: object) -> None:
        with pytest.raises(
            ValueError, match=rf"Another process is writing .*b{ending} \(number \d+ on .*, since "
        ) as no:
            augment(source, out)
        told.append(str(no.value))

    assert augment(source, out, on_progress=order_again).copies
    assert told and all(one.endswith("; wait for it, or choose another name.") for one in told)
    assert {path.name for path in out.parent.iterdir()} <= {out.name, "b.record.csv"}
    with pytest.raises(ValueError, match="exists; choose another name"):
        augment(source, out)


def test_texts_keep_their_columns_and_say_what_was_done(reviews: Path, tmp_path: Path) -> None:
    made = augment(reviews, tmp_path / "new.csv", AugmentOptions(times=3, kinds="swap=1,masking=1", label="stars"))
    with (tmp_path / "new.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert (made.healthy, made.copies) == (2, 4)
    assert [row["text"] for row in told if not row["augmentation"]] == ["good, very good", "بد می‌شود"]
    assert [(row["stars"], row["source"]) for row in told] == [("5", "1")] * 3 + [("1", "2")] * 3
    assert {row["augmentation"] for row in told} == {"", "swap=1", "masking=1"}
    assert "[MASK] [MASK]" in {row["text"] for row in told}


def test_lines_stay_lines_with_a_record_beside_them(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one two three\nfour five six\n", encoding="utf-8")
    augment(tmp_path / "lines.txt", tmp_path / "new.txt", AugmentOptions(times=2, kinds="repeat=1"))
    lines = (tmp_path / "new.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["one two three", "one one two two three three", "four five six", "four four five five six six"]
    record = (tmp_path / "new.record.csv").read_text(encoding="utf-8").splitlines()
    assert record == ["line,source,augmentation", "1,1,", "2,1,repeat=1", "3,2,", "4,2,repeat=1"]


@pytest.mark.parametrize(
    ("wish", "out", "words"),
    [
        ({"text": "txt"}, "new.csv", "no text column 'txt'; --text names one of: text, stars"),
        ({"label": "star"}, "new.csv", "no label column 'star'; --label names one of: text, stars"),
        ({"synonyms": "none.tsv"}, "new.csv", "There is no file none.tsv"),
        ({"kinds": "swpa"}, "new.csv", "did you mean 'swap'"),
        ({"kinds": "swap=2"}, "new.csv", "from 0 to 1"),
        ({"kinds": "synonyms"}, "new.csv", "needs a table"),
        ({}, "new.txt", "ends in .csv"),
        ({"model": "runs/a"}, "new.csv", "leave them out for texts"),
        ({}, "reviews.csv", "exists"),
        ({"times": 9}, "new.csv", "would be healthy"),
    ],
)
def test_a_mistake_with_texts_is_one_sentence(wish: Wish, out: str, words: str, reviews: Path, tmp_path: Path) -> None:
    before = reviews.read_bytes()
    with pytest.raises(ValueError, match=words):
        augment(reviews, tmp_path / out, AugmentOptions(**wish))
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.csv"] and reviews.read_bytes() == before


def test_lines_are_numbered_as_in_the_file_and_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("one two\r\n\n\x0cthree four\u2028five\n".encode())
    augment(tmp_path / "a.txt", tmp_path / "new.txt", AugmentOptions(times=2, kinds="repeat=1"))
    record = (tmp_path / "new.record.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in record[1:]] == ["1", "1", "2", "3", "3"]
    (tmp_path / "new.txt").unlink()
    with pytest.raises(ValueError, match="new.record.csv exists"):
        augment(tmp_path / "a.txt", tmp_path / "new.txt", AugmentOptions(times=2))


def test_quotes_are_letters_where_tabs_separate(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('text\tn\n5" pipe\t1\n6" hose\t2\n', encoding="utf-8")
    made = augment(tmp_path / "a.tsv", tmp_path / "new.tsv", AugmentOptions(times=2, kinds="repeat=1"))
    lines = (tmp_path / "new.tsv").read_text(encoding="utf-8").splitlines()
    assert made.healthy == 2 and lines[1] == '5" pipe\t1\t1\t' and lines[2].startswith('5" 5" pipe pipe\t1')
    with pytest.raises(ValueError, match="was augmented before"):
        augment(tmp_path / "new.tsv", tmp_path / "again.tsv")


@pytest.mark.parametrize(
    ("content", "words"), [("text\n" + "x" * 200_000, "no table that can be read"), ("", "no text column")]
)
def test_a_table_that_cannot_be_read_is_one_sentence(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        augment(tmp_path / "a.csv", tmp_path / "new.csv")


def test_every_copy_of_a_text_differs_and_what_cannot_change_has_none(tmp_path: Path) -> None:
    lines = ["good", "very good", "", "a much longer line of eight words here"]
    (tmp_path / "texts.csv").write_text("text\n" + "\n".join(f'"{line}"' for line in lines) + "\n", encoding="utf-8")
    wish = AugmentOptions(times=4, kinds="swap,delete,typing-errors=0.01")
    augment(tmp_path / "texts.csv", tmp_path / "new.csv", wish)
    with (tmp_path / "new.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    copies = [row for row in told if row["augmentation"]]
    assert all(row["text"] != lines[int(row["source"]) - 1] for row in copies)
    assert Counter(row["source"] for row in copies) == {"1": 3, "2": 3, "4": 3}


def test_a_table_of_synonyms_is_used_without_being_named(reviews: Path, tmp_path: Path) -> None:
    (tmp_path / "syn.tsv").write_text("good\tfine\n", encoding="utf-8")
    made = augment(reviews, tmp_path / "new.csv", AugmentOptions(synonyms=str(tmp_path / "syn.tsv")))
    assert "synonyms" in made.kinds


@pytest.mark.parametrize("ending", [".txt", ".csv"])
def test_texts_are_never_in_memory_together(ending: str, tmp_path: Path) -> None:
    data, size = tmp_path / f"a{ending}", 8 << 20
    with data.open("w", encoding="utf-8") as file:
        file.write("text\n")
        file.writelines(f"{index:06d}{'x' * 2000}\n" for index in range(size // 2000))
    tracemalloc.start()
    made = augment(data, tmp_path / f"new{ending}", AugmentOptions(times=2, kinds="swap=0"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.healthy >= size // 2000 and made.copies == 0 and most < size / 2
    assert (tmp_path / f"new{ending}").stat().st_size >= size


@pytest.mark.parametrize("before", [0, 7, (1 << 20) - 1, 1 << 20])
def test_where_a_text_is_not_utf8_is_told_exactly(before: int, tmp_path: Path) -> None:
    for content in (b"\xff", "\u20ac".encode()[:2]):
        (tmp_path / "a.txt").write_bytes(b"x" * before + content)
        with pytest.raises(ValueError, match=f"not in UTF-8 .*at byte {before:,}"):
            augment(tmp_path / "a.txt", tmp_path / "new.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def as_file(path: Path, values: np.ndarray, form: str = "PNG", **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, form, **options)


def test_copies_keep_what_lies_beside_the_pixels_of_their_picture(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (12, 17, 3), np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    facts = metadata(".png", {"model": "earlier"})
    as_file(tmp_path / "photos" / "a.png", values, dpi=(300, 300), icc_profile=profile, **facts)
    as_file(tmp_path / "photos" / "b.jpg", values, "JPEG", dpi=(300, 300), comment=b"by the lake")
    augment(tmp_path / "photos", tmp_path / "new", AugmentOptions(times=2, kinds="rotation=20"))
    with Image.open(tmp_path / "new" / "a~1.png") as copy:
        assert read_facts(copy) == {SOURCE_TYPE: SYNTHETIC, "model": "earlier"}
        assert copy.info["icc_profile"] == profile and copy.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    with Image.open(tmp_path / "new" / "b~1.jpg") as copy:
        assert copy.info["dpi"] == (300, 300) and copy.info["comment"] == b"by the lake" and read_facts(copy) == {}


def test_copies_of_what_is_transparent_are_so_whatever_it_is_called_and_show_no_hidden_colour(tmp_path: Path) -> None:
    values = np.zeros((32, 32, 4), np.uint8)
    values[8:24, 8:24] = 255
    as_file(tmp_path / "photos" / "disc.jpg", values)
    as_file(tmp_path / "photos" / "other.png", values)
    augment(tmp_path / "photos", tmp_path / "new", AugmentOptions(times=2, kinds="rotation=20"))
    for name in ("disc~1.jpg.png", "other~1.png"):
        with Image.open(tmp_path / "new" / name) as copy:
            made = np.asarray(copy)
        assert made.shape == (32, 32, 4) and 0 < (made[..., 3] > 0).mean() < 1
        assert made[made[..., 3] > 0][:, :3].min() == 255, "black bled into the edges"


def test_copies_of_a_long_name_have_shortened_ones_that_the_record_tells(tmp_path: Path) -> None:
    folder, random = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for index in range(2):
        Image.fromarray(random.integers(0, 256, (9, 9, 3), np.uint8)).save(folder / f"{'x' * 249}{index}.png")
    augment(folder, tmp_path / "new", AugmentOptions(kinds="rotation", force=True))
    copied = [row for row in rows(tmp_path / "new") if row["augmentation"]]
    assert copied and all(row["source"].startswith("xxx") for row in copied)
    column = next(iter(copied[0]))
    assert all((tmp_path / "new" / row[column]).is_file() for row in copied)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("ending", ["", ".zip"])
def test_pictures_whose_names_are_no_utf8_stay_with_their_copies(ending: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    as_file(tmp_path / "photos" / "a.png", random.integers(0, 256, (9, 9, 3), np.uint8))
    as_file(tmp_path / "photos" / "b.png", random.integers(0, 256, (9, 9, 3), np.uint8))
    (tmp_path / "photos" / "a.png").rename(tmp_path / "photos" / "\udcff\udcfe.png")
    made = augment(tmp_path / "photos", tmp_path / f"new{ending}", AugmentOptions(times=2, kinds="rotation=20"))
    assert (made.healthy, made.copies, made.left_out) == (2, 2, ())
    if not ending:
        assert {path.name for path in (tmp_path / "new").glob("*FF*")} == {"%FF%FE.png", "%FF%FE~1.png"}
