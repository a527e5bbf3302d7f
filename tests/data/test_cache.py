from __future__ import annotations

import errno
import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture_dataset
from PIL import Image

from gannet.data import cache, cache_space
from gannet.data.holding_out import hold_out
from gannet.data.records import Record
from gannet.data.sources import open_source


class Noise:
    """A source of pictures from memory that counts how many are read."""

    def __init__(self, count: int, side: int = 8, name: str = "noise") -> None:
        self.name, self.classes, self.reads = name, ("a", "b"), 0
        self._count, self._side = count, side

    def fingerprint(self) -> str:
        return f"{self.name} {self._count}"

    def records(self):
        for index in range(self._count):
            yield Record(f"{index}", {"value": lambda index=index: self._read(index)}, index % 2, "")

    def _read(self, index: int) -> np.ndarray:
        self.reads += 1
        return np.random.default_rng(index).integers(0, 256, (self._side, self._side, 3), np.uint8)


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.startswith("data-") and path.suffix != ".lock")


def test_pixels_labels_and_counts_are_kept():
    source = Noise(40)
    dataset = picture_dataset(source, 8, 8, 3)
    assert dataset.first.shape == (40, 3, 8, 8) and dataset.first.dtype == np.uint8
    for index, record in enumerate(source.records()):
        np.testing.assert_array_equal(dataset.first[index], record.read().transpose(2, 0, 1))
    assert dataset.labels.tolist() == [0, 1] * 20 and dataset.labels.dtype == np.int64
    assert dataset.sizes == {"8x8": 40} and dataset.modes == {"RGB": 40} and dataset.classes == ("a", "b")
    assert len(np.unique(dataset.digests)) == 40 and dataset.digests.dtype == np.uint64
    assert not dataset.first.flags.writeable


def test_reused_when_nothing_changed_and_rebuilt_when_a_file_did(write_pictures):
    folder = write_pictures("1.png", "2.png", "3.png")
    first = picture_dataset(open_source(str(folder)), 8, 8, 3)
    (folder / "1.png").chmod(0o644)
    assert picture_dataset(open_source(str(folder)), 8, 8, 3).fingerprint == first.fingerprint
    Image.new("RGB", (8, 8), (1, 2, 3)).save(folder / "2.png")
    second = picture_dataset(open_source(str(folder)), 8, 8, 3)
    assert second.fingerprint != first.fingerprint
    assert second.first[1, :, 0, 0].tolist() == [1, 2, 3]


def test_decodes_once(own_cache):
    source = Noise(20)
    picture_dataset(source, 8, 8, 3)
    picture_dataset(source, 8, 8, 3)
    assert source.reads == 20
    for other in ((4, 8, 3, "crop"), (8, 8, 1, "crop"), (8, 8, 3, "pad")):
        picture_dataset(source, *other)
    assert source.reads == 80 and len(entries(own_cache)) == 4


@pytest.mark.parametrize("name", ["images.raw", "labels.npy", "held_out.npy", "digests.npy", "index.json"])
def test_torn_entry_is_rebuilt(own_cache, name):
    whole = picture_dataset(Noise(20), 8, 8, 3)
    pixels = np.array(whole.first)
    del whole
    path = entries(own_cache)[0] / name
    path.write_bytes(path.read_bytes()[:-3])
    np.testing.assert_array_equal(picture_dataset(Noise(20), 8, 8, 3).first, pixels)


def test_what_a_killed_process_left_is_replaced(own_cache):
    picture_dataset(Noise(20), 8, 8, 3)
    entry = entries(own_cache)[0]
    entry.rename(entry.with_name(entry.name + ".building"))
    assert len(picture_dataset(Noise(20), 8, 8, 3).first) == 20
    assert entries(own_cache) == [entry]


def test_unreadable_pictures_are_skipped_and_named(write_pictures):
    folder = write_pictures(*(f"{i}.png" for i in range(5)))
    (folder / "1.png").write_bytes(b"nothing")
    (folder / "3.png").write_bytes((folder / "2.png").read_bytes()[:100])
    dataset = picture_dataset(open_source(str(folder)), 8, 8, 3)
    assert (
        len(dataset.first) == 3 and dataset.skipped_count == 2 and [n for n, _ in dataset.skipped] == ["1.png", "3.png"]
    )
    assert "not a picture" in dataset.skipped[0][1] and all(reason for _, reason in dataset.skipped)


def test_bomb_is_skipped(write_pictures, monkeypatch):
    folder = write_pictures("1.png", "2.png")
    Image.new("L", (100, 100)).save(folder / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 70)
    dataset = picture_dataset(open_source(str(folder)), 8, 8, 3)
    ((name, reason),) = dataset.skipped
    assert name == "bomb.png" and reason.startswith("it has more pixels than the limit of 70; where you trust it, set ")
    assert "GANNET_MEGAPIXELS" in reason and "PIL" not in reason
    monkeypatch.setenv("GANNET_MEGAPIXELS", "0.01")
    assert len(picture_dataset(open_source(str(folder)), 8, 8, 3)) == 3, "what was skipped before is looked at again"


def test_thousands_of_unreadable_pictures_are_counted_and_a_thousand_kept():
    source = Noise(1300)
    source._read = lambda index: np.zeros((4, 4), np.uint8) if index < 2 else 1 / 0
    dataset = picture_dataset(source, 4, 4, 1)
    assert len(dataset.skipped) == 1000 and dataset.skipped_count == 1298


def test_very_many_sizes_are_summed_up():
    source = Noise(1100)
    source._read = lambda index: np.zeros((1, index + 1), np.uint8)
    sizes = picture_dataset(source, 1, 1, 1).sizes
    assert len(sizes) == 1001 and sizes["other"] == 100


@pytest.mark.parametrize(("count", "sentence"), [(0, "holds no pictures;"), (1, "holds only one readable picture;")])
def test_too_few_pictures_is_one_sentence(own_cache, count, sentence):
    with pytest.raises(ValueError, match=sentence):
        picture_dataset(Noise(count), 8, 8, 3)
    assert entries(own_cache) == []


def test_none_readable_is_one_sentence(write_pictures, own_cache):
    folder = write_pictures("1.png", "2.png")
    for path in folder.iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"no readable picture \(2 unreadable, first 1.png: it is not a picture"):
        picture_dataset(open_source(str(folder)), 8, 8, 3)
    assert entries(own_cache) == []


def test_impossible_wishes_are_refused():
    for wish in ((0, 8, 3, "crop"), (8, 8, 2, "crop"), (8, 8, 3, "squeeze")):
        with pytest.raises(ValueError, match="choose"):
            picture_dataset(Noise(3), *wish)


def build_slowly(folder: str, report: str) -> None:
    source = Noise(2000)
    dataset = picture_dataset(source, 8, 8, 3, folder=Path(folder))
    Path(report).write_text(json.dumps([source.reads, int(dataset.first.sum(dtype=np.int64))]), "utf-8")


def test_two_processes_at_once_build_one_whole_cache(tmp_path):
    context = multiprocessing.get_context("spawn")
    reports = [tmp_path / f"{i}.json" for i in range(2)]
    processes = [context.Process(target=build_slowly, args=(str(tmp_path / "shared"), str(r))) for r in reports]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
        process.close()
    results = [json.loads(report.read_text("utf-8")) for report in reports]
    assert sorted(reads for reads, _ in results) == [0, 2000] and results[0][1] == results[1][1]
    assert len(entries(tmp_path / "shared")) == 1


def test_disk_that_fills_up_leaves_nothing_behind(own_cache, monkeypatch):
    def full(_rows, _block, files):
        files["real"].write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache._Rows, "append", full)
    with pytest.raises(ValueError, match=r"needs .* bytes .* free; choose a smaller data.size, .*GANNET_CACHE"):
        picture_dataset(Noise(50), 8, 8, 3)
    assert entries(own_cache) == []


def test_interruption_leaves_nothing_behind(own_cache):
    source = Noise(50)
    source.records = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        picture_dataset(source, 8, 8, 3)
    assert entries(own_cache) == []


def test_more_than_the_bound_is_refused_and_removes_nothing(own_cache, monkeypatch):
    picture_dataset(Noise(20, name="old"), 8, 8, 3)
    monkeypatch.setenv("GANNET_CACHE_GIB", "0.0001")  # 107 kB, less than is asked for ahead
    with pytest.raises(
        ValueError, match=r"more than the 107,374 bytes .* that GANNET_CACHE_GIB allows; choose a smaller"
    ):
        picture_dataset(open_source("digits"), 8, 8, 1)
    assert len(entries(own_cache)) == 1


def test_full_disk_is_told_ahead(own_cache, monkeypatch):
    monkeypatch.setattr(cache_space.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(ValueError, match=r"needs 159,933 bytes .* has 1,000 bytes"):
        picture_dataset(open_source("digits"), 8, 8, 1)
    assert entries(own_cache) == []


@pytest.mark.parametrize("given", ["many", "0", "-1", "nan"])
def test_bound_that_is_no_number_is_refused(given, monkeypatch):
    monkeypatch.setenv("GANNET_CACHE_GIB", given)
    with pytest.raises(ValueError, match="GANNET_CACHE_GIB is"):
        picture_dataset(Noise(3), 8, 8, 3)


def test_least_recently_used_entries_make_room(own_cache, monkeypatch):
    monkeypatch.setattr(cache, "STEP", 0)
    for age, name in enumerate(("first", "second", "third")):
        picture_dataset(Noise(100, name=name), 8, 8, 3)
        (index,) = (p / "index.json" for p in entries(own_cache) if (p / "index.json").stat().st_mtime > 1e9)
        os.utime(index, (100 + age, 100 + age))
    (own_cache / "precious.txt").write_text("not ours", "utf-8")
    picture_dataset(Noise(100, name="first"), 8, 8, 3)  # used again: now the youngest
    kept = 3.9 * 100 * (8 * 8 * 3 + 17)
    monkeypatch.setenv("GANNET_CACHE_GIB", str(kept / 2**30))
    picture_dataset(Noise(100, name="fourth"), 8, 8, 3)
    reads = {}
    for name in ("first", "third", "fourth", "second"):
        source = Noise(100, name=name)
        picture_dataset(source, 8, 8, 3)
        reads[name] = source.reads
    assert reads == {"first": 0, "third": 0, "fourth": 0, "second": 100}
    assert (own_cache / "precious.txt").exists()


def test_entry_that_is_being_built_is_not_removed(own_cache, monkeypatch):
    monkeypatch.setattr(cache, "STEP", 0)
    picture_dataset(Noise(100, name="busy"), 8, 8, 3)
    entry = entries(own_cache)[0]
    monkeypatch.setenv("GANNET_CACHE_GIB", str(1.5 * 100 * (8 * 8 * 3 + 17) / 2**30))
    with cache_space.entry_lock(entry):
        picture_dataset(Noise(100, name="new"), 8, 8, 3)
        assert entry in entries(own_cache)


def test_cache_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"cannot be made .* set GANNET_CACHE"):
        picture_dataset(Noise(3), 8, 8, 3, folder=tmp_path / "file" / "below")


def test_own_split_is_held_out(write_pictures):
    folder = write_pictures(*(f"train/{i}.png" for i in range(6)), "test/1.png", "test/2.png")
    dataset = picture_dataset(open_source(str(folder)), 8, 8, 3)
    assert dataset.held_out.tolist() == [True] * 2 + [False] * 6


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=400), st.randoms(use_true_random=False))
def test_neither_side_is_empty_and_copies_stay_together(values, random):
    digests = np.array([*values, random.choice(values)], np.uint64)
    held_out = hold_out(digests, np.zeros(len(digests), np.bool_))
    assert 0 < held_out.sum() < len(held_out)
    if len(set(values)) > 1:
        assert not set(digests[held_out].tolist()) & set(digests[~held_out].tolist())


def test_about_a_tenth_is_held_out():
    assert 0.08 < picture_dataset(Noise(3000, side=2), 2, 2, 3).held_out.mean() < 0.12


def test_only_test_pictures_are_split_anew(write_pictures):
    folder = write_pictures(*(f"test/{i}.png" for i in range(8)))
    assert 0 < picture_dataset(open_source(str(folder)), 8, 8, 3).held_out.sum() < 8


def test_dataset_is_plain_and_frozen():
    dataset = picture_dataset(Noise(3), 8, 8, 3)
    assert replace(dataset, name="other").name == "other"
    with pytest.raises(AttributeError):
        dataset.name = "other"  # type: ignore[misc]


def test_entry_that_is_too_long_is_rebuilt():
    picture_dataset(Noise(20), 8, 8, 3)
    with (entries(cache.cache_folder())[0] / "images.raw").open("ab") as file:
        file.write(b"more")
    source = Noise(20)
    picture_dataset(source, 8, 8, 3)
    assert source.reads == 20


def test_large_jpeg_is_decoded_small_and_described_as_it_was(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    picture = Image.fromarray(coarse).resize((128, 128), Image.Resampling.BICUBIC)
    for name in ("a", "b"):
        picture.save(tmp_path / f"{name}.jpg", quality=95, subsampling=0)
    dataset = picture_dataset(open_source(str(tmp_path)), 32, 32, 3)
    assert dataset.sizes == {"128x128": 2}
    wanted = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS)).transpose(2, 0, 1)
    assert np.abs(dataset.first[0].astype(int) - wanted).mean() < 2
    middle = picture_dataset(open_source(str(tmp_path)), 32, 32, 3, "middle").first[0]
    with Image.open(tmp_path / "a.jpg") as whole:
        assert np.array_equal(middle, np.asarray(whole)[48:80, 48:80].transpose(2, 0, 1))


def test_nobodys_pictures_are_on_both_sides_where_names_say_whose_they_are(write_pictures):
    folder = write_pictures(*(f"person-{index // 4:02d}/{index % 4}.png" for index in range(160)))
    dataset = picture_dataset(open_source(str(folder)), 8, 8, 3, group="^([^/]+)/")
    assert len(np.unique(dataset.groups)) == 40
    by_person = dataset.held_out.reshape(40, 4)
    assert (by_person.all(1) | ~by_person.any(1)).all() and 0 < by_person.any(1).sum() < 20
    alone = picture_dataset(open_source(str(folder)), 8, 8, 3)
    assert (alone.groups == 0).all()


def test_a_name_that_tells_nothing_is_a_group_of_its_own(write_pictures):
    folder = write_pictures("ann-1.png", "ann-2.png", "x.png", "y.png")
    groups = picture_dataset(open_source(str(folder)), 8, 8, 3, group="(.+)-").groups
    assert groups[0] == groups[1] and len(np.unique(groups)) == 3


def test_arrays_have_no_names_to_group_by():
    with pytest.raises(ValueError, match=r"no file names that data\.group could look at"):
        picture_dataset(open_source("digits"), 8, 8, 1, group="(.)")


@pytest.mark.parametrize("pattern", ["zzz(.)", "(p)"])
def test_a_pattern_that_groups_nothing_or_everything_is_refused(write_pictures, pattern):
    folder = write_pictures(*(f"p{index}.png" for index in range(6)))
    with pytest.raises(ValueError, match=r"data\.group puts the 6 pictures into [16] groups"):
        picture_dataset(open_source(str(folder)), 8, 8, 3, group=pattern)


@pytest.mark.parametrize("people", [2, 4, 5, 10, 40])
def test_about_a_tenth_is_held_out_and_two_people_where_there_are_five(people):
    groups = np.random.default_rng(people).integers(0, 2**63, people).repeat(10).astype(np.uint64)
    held_out = cache.hold_out_groups(groups, np.zeros(len(groups), bool))
    chosen = len(np.unique(groups[held_out]))
    assert chosen == (1 if people < 5 else max(2, people // 10)) or held_out.mean() < 0.25
    assert not set(groups[held_out]) & set(groups[~held_out])


class Films(Noise):
    """A source that knows which film a picture is from; pictures without a number are from none."""

    def __init__(self, groups: list[str]) -> None:
        super().__init__(len(groups), name=f"films {groups}")
        self._groups = groups

    def records(self):
        for record, group in zip(super().records(), self._groups, strict=True):
            yield replace(record, group=group)


def test_what_a_source_knows_to_belong_together_stays_on_one_side():
    dataset = picture_dataset(Films([f"film {index // 10}" for index in range(100)]), 8, 8, 3)
    sides = dataset.held_out.reshape(10, 10)
    assert (sides.all(1) | ~sides.any(1)).all() and 0 < sides.sum() < 50


def test_samples_that_belong_to_nothing_are_no_group_together():
    groups = [f"film {index // 10}" if index < 30 else "" for index in range(100)]
    dataset = picture_dataset(Films(groups), 8, 8, 3)
    sides = dataset.held_out[:30].reshape(3, 10)
    assert (sides.all(1) | ~sides.any(1)).all() and 0 < dataset.held_out.sum() < 50


def test_groups_of_one_each_split_as_if_there_were_none():
    dataset = picture_dataset(Films([f"film {index}" for index in range(60)]), 8, 8, 3)
    assert 0 < dataset.held_out.sum() < 20


@pytest.mark.parametrize(("mode", "kept"), [("L", True), ("RGB", False)])
def test_an_entry_from_before_colours_were_rounded_is_made_anew(write_pictures, own_cache, mode, kept):
    folder = write_pictures("1.png", "2.png", "3.png")
    for path in folder.iterdir():
        with Image.open(path) as picture:
            picture.convert(mode).save(path)
    before = picture_dataset(open_source(str(folder)), 8, 8, 3).first.copy()
    (entry,) = own_cache.glob("data-*/index.json")
    index = json.loads(entry.read_text(encoding="utf-8"))
    assert index.pop("rounded", False) is not kept
    entry.write_text(json.dumps(index), encoding="utf-8")
    (sums,) = own_cache.glob("*sums*")
    sums.unlink()  # Entries of that time that have sums have those of that index.
    assert np.array_equal(picture_dataset(open_source(str(folder)), 8, 8, 3).first, before)
    assert ("rounded" in json.loads(entry.read_text(encoding="utf-8"))) is not kept, "grey ones are as they were"
