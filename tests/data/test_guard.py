"""A cache whose bytes were changed behind our back: what was decoded is learned from, or nothing is."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import picture_dataset
from PIL import Image

from gannet.data import cache_space
from gannet.data.cache import Dataset, build_dataset
from gannet.data.cache_space import sums_of
from gannet.data.loader import Loader
from gannet.data.records import Record
from gannet.media import image
from gannet.runtime.progress import Progress, Watch

COUNT, SIDE = 24, 6
BESIDE = ["labels.npy", "held_out.npy", "digests.npy", "groups.npy", "index.json"]


class Pairs:
    """Pictures and pictures of another size, from memory; counts how often they are gone through."""

    name, classes = "pairs", ("a", "b")

    def __init__(self) -> None:
        self.passes, self.shift, self.largest = 0, 0, 1

    def fingerprint(self) -> str:
        return "always the same"

    def records(self) -> Iterator[Record]:
        self.passes += 1
        for index in range(COUNT):
            parts = {
                name: (lambda side=side, index=index: self._drawn(index, side))
                for name, side in (("real", SIDE), ("other", 2))
            }
            yield Record(f"{index}", parts, min(index, self.largest))

    def _drawn(self, index: int, side: int) -> np.ndarray:
        return np.random.default_rng(index + self.shift).integers(0, 256, (side, side, 3), np.uint8)


FIELDS = {"real": image.medium.field(SIDE, SIDE, 3, "crop"), "other": image.medium.field(2, 2, 3, "crop")}


def opened(source: Pairs, notes: list[str]) -> Dataset:
    def tell(progress: Progress, _: str) -> None:
        if progress.note:
            notes.append(progress.note)

    return build_dataset(source, FIELDS, watch=Watch(tell))


def entry_of(cache: Path) -> Path:
    (entry,) = (path for path in cache.glob("data-*") if path.is_dir())
    return entry


def flip(path: Path, at: int) -> None:
    """Change one bit in place, as a failing disk does: maps of the file see it."""
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 16]))


def everything(dataset: Dataset) -> list[np.ndarray]:
    columns = [np.array(column.read(np.arange(COUNT), np.empty((COUNT, 0)))) for column in dataset.columns.values()]
    return [*columns, dataset.labels, dataset.held_out, dataset.digests, dataset.groups]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("opened_before", [False, True])
def test_one_changed_bit_anywhere_is_found_and_mended(own_cache, opened_before, data):
    source, notes = Pairs(), []
    whole = everything(opened(source, notes))
    names = ["images.raw", "other.raw"] if opened_before else ["images.raw", "other.raw", *BESIDE]
    path = entry_of(own_cache) / data.draw(st.sampled_from(names))
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    dataset = opened(source, notes)
    flip(path, data.draw(st.integers(0, path.stat().st_size - 1)))
    if not opened_before:
        dataset = opened(source, notes)
    for ours, theirs in zip(everything(dataset), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(notes) == 1 and "damaged" in notes[0] and "made anew" in notes[0]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_what_is_not_damaged_is_not_decoded_again(own_cache):
    source, notes = Pairs(), []
    opened(source, notes)
    everything(opened(source, notes))
    assert source.passes == 1 and not notes


def test_training_goes_on_with_the_right_pictures_and_the_note_comes_in_the_callers_thread(own_cache):
    source, notes, threads = Pairs(), [], set()

    def tell(progress: Progress, _: str) -> None:
        if progress.note:
            notes.append(progress.note)
            threads.add(threading.get_ident())

    watch = Watch(tell)
    right = Loader(opened(source, []).columns, np.arange(COUNT), seed=1)
    expected = [right.gather(start, 4) for start in range(0, COUNT, 4)]
    dataset = build_dataset(source, FIELDS, watch=watch)
    for row in range(COUNT):
        flip(entry_of(own_cache) / "images.raw", row * SIDE * SIDE * 3)
    loader = Loader(dataset.columns, np.arange(COUNT), seed=1)
    for start, batch in zip(range(0, COUNT, 4), expected, strict=True):
        found = loader.batch(start, 4, 4)
        assert all((found[name] == batch[name]).all() for name in batch)
        watch.show(Progress(start, COUNT))
    assert len(notes) == 1 and threads == {threading.get_ident()}


def test_data_that_changed_since_are_not_mixed_with_what_was_decoded(own_cache):
    source = Pairs()
    dataset = opened(source, [])
    source.shift = 1000
    flip(entry_of(own_cache) / "images.raw", 5)
    with pytest.raises(ValueError, match=r"cache of pairs is damaged .* ask for the same again"):
        everything(dataset)
    assert everything(opened(source, []))[0].shape == (COUNT, 3, SIDE, SIDE)


def test_an_entry_without_sums_is_still_read_and_its_pictures_are_held_to_their_digests(own_cache):
    source, notes = Pairs(), []
    whole = everything(opened(source, notes))
    sums_of(entry_of(own_cache)).unlink()
    flip(entry_of(own_cache) / "images.raw", 77)
    found = everything(opened(source, notes))
    np.testing.assert_array_equal(found[0], whole[0])
    assert len(notes) == 1


@pytest.mark.parametrize("wrong", [99, 2])
def test_labels_beyond_the_classes_in_an_entry_without_sums_are_decoded_again(own_cache, wrong):
    source, notes = Pairs(), []
    whole = opened(source, notes).labels
    sums_of(entry_of(own_cache)).unlink()
    path = entry_of(own_cache) / "labels.npy"
    np.save(path, np.where(np.arange(COUNT) == 7, wrong, whole))
    np.testing.assert_array_equal(opened(source, notes).labels, whole)
    assert len(notes) == 1


def test_labels_of_the_data_beyond_their_classes_are_one_sentence(own_cache):
    source = Pairs()
    source.largest = 5
    with pytest.raises(ValueError, match="pairs: a label is 5, but there are 2 classes"):
        opened(source, [])
    assert not list(own_cache.glob("data-*[0-9a-f]"))


@pytest.mark.parametrize("name", BESIDE)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_content_of_the_small_files_is_never_a_traceback(own_cache, name, content):
    whole = everything(opened(Pairs(), []))
    (entry_of(own_cache) / name).write_bytes(content)
    for ours, theirs in zip(everything(opened(Pairs(), [])), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def look_at_all(folder: str) -> None:
    everything(build_dataset(Pairs(), FIELDS, folder=Path(folder)))


def test_two_processes_mend_one_cache(tmp_path):
    folder = tmp_path / "shared"
    whole = everything(build_dataset(Pairs(), FIELDS, folder=folder))
    for at in range(0, COUNT * SIDE * SIDE * 3, 100):
        flip(entry_of(folder) / "images.raw", at)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=look_at_all, args=(str(folder),)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
        process.close()
    for ours, theirs in zip(everything(build_dataset(Pairs(), FIELDS, folder=folder)), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_doctor_looks_at_all_of_it(write_pictures, own_cache, gannet_command):
    folder = write_pictures(*(f"{index}.png" for index in range(30)))
    report = gannet_command("doctor", folder, "--size", 8)
    assert report.code == 0 and "damaged" not in report.err
    flip(entry_of(own_cache) / "images.raw", 29 * 3 * 64)
    again = gannet_command("doctor", folder, "--size", 8)
    assert again.out == report.out and "damaged" in again.err
    assert "damaged" not in gannet_command("doctor", folder, "--size", 8).err


def test_the_sums_of_an_entry_go_with_it(own_cache, monkeypatch, write_pictures):
    monkeypatch.setattr("gannet.data.cache.STEP", 0)
    opened(Pairs(), [])
    entry = entry_of(own_cache)
    assert sums_of(entry).is_file()
    Image.new("RGB", (8, 8)).save(write_pictures("1.png", "2.png") / "3.png")
    monkeypatch.setenv("GANNET_CACHE_GIB", str(3000 / 2**30))
    from gannet.data.sources import open_source

    picture_dataset(open_source(str(write_pictures("1.png", "2.png"))), 8, 8, 3)
    assert not entry.exists() and not sums_of(entry).exists()


def test_what_is_torn_goes_without_the_sums_of_the_whole_entry_beside_it(own_cache):
    opened(Pairs(), [])
    entry = entry_of(own_cache)
    torn = entry.with_name(f"{entry.name}.building")
    torn.mkdir()
    assert cache_space._remove(torn)
    assert entry.exists() and sums_of(entry).is_file() and not torn.exists()
    assert cache_space._remove(entry)
    assert not list(own_cache.glob("*-*[0-9a-f]")) and not sums_of(entry).exists()
