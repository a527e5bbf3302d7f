from __future__ import annotations

import gzip
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gannet.data.records import notes_of
from gannet.data.sources import open_source
from gannet.data.sources.idx import GARMENTS, STACKED
from gannet.data.sources.labels import ClassTable
from gannet.media.image import Options
from gannet.schema import check

IMAGES = np.arange(5 * 3 * 2, dtype=np.uint8).reshape(5, 3, 2)
LABELS = np.array([0, 1, 2, 1, 0])


def pixels_of(source):
    return np.stack([record.read() for record in source.records()])


def test_digits_are_embedded():
    source = open_source("digits")
    records = list(source.records())
    assert len(records) == source.count() == 1797 and source.classes == tuple("0123456789")
    assert records[0].label == 0 and records[0].read().max() in (239, 255) and records[0].read().dtype == np.uint8


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_gives_the_bytes_that_were_written(write_idx, ending):
    write_idx("train", IMAGES, LABELS, ending)
    source = open_source(str(write_idx("t10k", IMAGES[:2] + 1, LABELS[:2], ending)))
    np.testing.assert_array_equal(pixels_of(source), np.concatenate([IMAGES, IMAGES[:2] + 1]))
    records = list(source.records())
    assert [record.label for record in records] == [0, 1, 2, 1, 0, 0, 1]
    assert [record.split for record in records] == ["train"] * 5 + ["test"] * 2
    assert records[6].name == "test[1]" and source.classes == ("0", "1", "2") and source.count() == 7


def test_idx_without_labels(write_idx):
    source = open_source(str(write_idx("train", IMAGES, None)))
    assert source.classes == () and [record.label for record in source.records()] == [-1] * 5


def test_the_classes_of_a_known_data_set_have_names_and_those_of_others_numbers(write_idx, tmp_path):
    folder = write_idx("train", np.zeros((10, 28, 28)), np.arange(10))
    assert open_source(str(folder)).classes == tuple("0123456789")
    folder.rename(tmp_path / "fashion-mnist")
    assert open_source(str(tmp_path / "fashion-mnist")).classes == GARMENTS and GARMENTS[5] == "Sandal"
    (tmp_path / "less").mkdir()
    write_idx("train", IMAGES, LABELS).rename(tmp_path / "less" / "fashion-mnist")
    assert open_source(str(tmp_path / "less" / "fashion-mnist")).classes == ("0", "1", "2")


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_cut_short_is_one_sentence(write_idx, ending):
    folder = write_idx("train", np.random.default_rng(0).integers(0, 256, (50, 9, 9)), np.zeros(50), ending)
    path = folder / f"train-images-idx3-ubyte{ending}"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"train-images.* is cut short or damaged; copy or download it again\.$"):
        pixels_of(open_source(str(folder)))


def test_idx_of_another_kind_is_one_sentence(write_idx):
    folder = write_idx("train", IMAGES, LABELS)
    (folder / "train-images-idx3-ubyte").write_bytes(b"\0\0\x0d\3" + bytes(40))
    with pytest.raises(ValueError, match=r"begins with 00000d03, but .* begins with 00000803"):
        open_source(str(folder))


def test_idx_with_other_labels_is_one_sentence(write_idx):
    with pytest.raises(ValueError, match="holds 5 pictures but train-labels-idx1-ubyte beside it 3 labels"):
        open_source(str(write_idx("train", IMAGES, LABELS[:3])))


def save(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)
    return str(path)


@pytest.mark.parametrize("save_npz", [np.savez, np.savez_compressed])
def test_npz_compressed_or_not(tmp_path, save_npz):
    save_npz(tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS[:, None], x_test=IMAGES[:1], y_test=LABELS[:1])
    source = open_source(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(pixels_of(source), np.concatenate([IMAGES, IMAGES[:1]]))
    assert [(record.label, record.split) for record in source.records()][4:] == [(0, "train"), (0, "test")]


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([-1.0, 0.0, 1.0], np.float32), [0, 128, 255]),
        (np.array([0, 100, 255], np.int64), [0, 100, 255]),
        (np.array([False, True, True]), [0, 255, 255]),
    ],
)
def test_npz_numbers_become_bytes(tmp_path, stored, expected):
    source = open_source(save(tmp_path / "a.npz", anything=stored.reshape(3, 1, 1)))
    assert pixels_of(source).ravel().tolist() == expected


@pytest.mark.parametrize("stored", [[0.0, 2.0], [0.0, 255.0], [0.0, np.nan], [0, 256], [-1, 3]])
def test_npz_of_another_range_is_refused(tmp_path, stored):
    source = open_source(save(tmp_path / "a.npz", images=np.array(stored).reshape(2, 1, 1)))
    with pytest.raises(ValueError, match=r"values from .* scale floating-point"):
        pixels_of(source)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.uint16])
def test_whole_numbers_of_0_and_1_are_black_and_white(tmp_path, kind):
    images = np.random.default_rng(0).integers(0, 2, (5, 8, 8))
    source = open_source(save(tmp_path / "a.npz", images=images.astype(kind)))
    np.testing.assert_array_equal(pixels_of(source), images * 255)
    assert notes_of(source) == ("a.npz: its whole numbers are 0 and 1 alone, and are read as black and white.",)
    images[0, 0, 0] = 2
    source = open_source(save(tmp_path / "b.npz", images=images.astype(kind)))
    np.testing.assert_array_equal(pixels_of(source), images)
    assert notes_of(source) == ()


def test_a_value_just_above_1_is_clipped_and_said(tmp_path):
    images = np.random.default_rng(0).random((40, 16, 16, 3), dtype=np.float32)
    plain = pixels_of(open_source(save(tmp_path / "plain.npz", images=images)))
    images[0, 0, 0, 0] = 1.0000001
    source = open_source(save(tmp_path / "over.npz", images=images))
    plain[0, 0, 0, 0] = 255
    np.testing.assert_array_equal(pixels_of(source), plain)
    (note,) = notes_of(source)
    assert note == "over.npz: its numbers are read as 0..1, and 1 of 30,720 that lie outside are clipped."


def test_parts_of_other_types_have_ranges_of_their_own(tmp_path):
    path = save(tmp_path / "a.npz", x_train=IMAGES, x_test=np.full((1, 3, 2), 0.5))
    np.testing.assert_array_equal(pixels_of(open_source(path)), np.concatenate([IMAGES, np.full((1, 3, 2), 128)]))


@pytest.mark.parametrize("shape", [(1 << 40, 3, 2), (6, 3, 2), (-5, 3, 2)])
def test_npz_that_claims_more_than_it_holds_is_refused_when_opened(tmp_path, shape):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("images.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file.write(bytes(30))
    with pytest.raises(ValueError, match=r"claims .* which it cannot hold|an array of shape"):
        open_source(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("name", ["images-idx3", "labels-idx1"])
def test_packed_idx_that_claims_more_than_it_can_hold_is_refused_before_room_is_made(write_idx, name):
    folder = write_idx("train", IMAGES, LABELS, ".gz")
    path = folder / f"train-{name}-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[4:8] = b"\xff" * 4
    path.write_bytes(gzip.compress(bytes(content)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="is cut short or damaged"):
        open_source(str(folder))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20


def test_labels_are_numbered_once_and_not_for_every_block(tmp_path, monkeypatch):
    asked = []
    numbers = ClassTable.numbers
    monkeypatch.setattr(ClassTable, "numbers", lambda table, given: asked.append(len(given)) or numbers(table, given))
    monkeypatch.setattr("gannet.data.records.CHUNK_BYTES", 60)
    source = open_source(save(tmp_path / "a.npz", images=np.tile(IMAGES, (20, 1, 1)), labels=np.tile(LABELS, 20)))
    assert len(list(source.arrays())) == 10 and asked == [100]


def test_npz_channels_may_come_first(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8), np.uint8)
    np.testing.assert_array_equal(
        pixels_of(open_source(save(tmp_path / "a.npz", x=images))), images.transpose(0, 2, 3, 1)
    )


def test_npz_labels_may_be_words(tmp_path):
    source = open_source(save(tmp_path / "a.npz", images=IMAGES, labels=np.array(list("bacab"))))
    assert source.classes == ("a", "b", "c") and [record.label for record in source.records()] == [
        1,
        0,
        2,
        0,
        1,
    ]


class Trap:
    def __reduce__(self):
        return Path.touch, (Path("trapped"),)


def test_npz_with_a_pickle_is_refused_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("images", "labels"):
        arrays = {"images": IMAGES, name: np.array([Trap()] * 5, object)}
        np.savez("a.npz", **arrays)
        assert b"trapped" in zipfile.ZipFile("a.npz").read(f"{name}.npy")
        with pytest.raises(ValueError, match="holds Python objects"):
            open_source("a.npz")
    Path("b.npz").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match=r"no \.npz file"):
        open_source("b.npz")
    assert not Path("trapped").exists()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": IMAGES, "b": IMAGES}, "name the array of pictures 'images'"),
        ({"images": np.zeros((2, 5, 5, 7))}, "with 1, 3 or 4 channels"),
        ({"images": IMAGES, "labels": LABELS[:2]}, "give one whole number or word for each picture"),
        ({"images": IMAGES, "labels": LABELS - 7}, "number the classes from 0"),
    ],
)
def test_npz_that_is_not_clear_is_one_sentence(tmp_path, arrays, sentence):
    with pytest.raises(ValueError, match=sentence):
        open_source(save(tmp_path / "a.npz", **arrays))


def test_stacked_digits_are_three_digits_and_always_the_same(write_idx):
    tones = np.arange(10, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    write_idx("train", tones, np.arange(10))
    folder = str(write_idx("t10k", tones + 100, np.arange(10)))
    source = open_source(folder, options=Options(stack=3))
    counts = {"train": 0, "test": 0}
    for chunk in source.arrays():
        assert chunk.values.shape[1:] == (4, 4, 3)
        digits = chunk.values[:, 0, 0].astype(int) - (100 if chunk.split == "test" else 0)
        np.testing.assert_array_equal(digits @ [100, 10, 1], chunk.labels)
        counts[chunk.split] += len(chunk.values)
    assert counts == STACKED and len(source.classes) == 1000
    again = next(open_source(folder, options=Options(stack=3)).arrays())
    np.testing.assert_array_equal(again.labels, next(source.arrays()).labels)


def test_stacking_needs_ten_classes(tmp_path):
    with pytest.raises(ValueError, match="has 0 classes, but stacking"):
        open_source(save(tmp_path / "a.npz", images=IMAGES), options=Options(stack=3))
    with pytest.raises(ValueError, match=r"data.stack"):
        check(Options, {"stack": 2}, "data")


def test_stacking_splits_a_base_without_a_split_so_that_a_tenth_is_for_tests():
    drawn = {}
    source = open_source("digits", options=Options(stack=3))
    for split in STACKED:
        drawn[split] = set(source._draw(split).ravel().tolist())
    assert len(drawn["test"]) == 180 and len(drawn["train"]) == 1617 and not drawn["test"] & drawn["train"]
