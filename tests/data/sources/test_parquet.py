from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import picture_dataset
from tables import FakeDatasets, FakeSplit, cells, png, write_table

from gannet.data.records import digest
from gannet.data.sources import open_source
from gannet.data.sources.several import Several
from gannet.data.survey import count_learned, survey

pyarrow = pytest.importorskip("pyarrow")


def test_parquet_gives_pictures_labels_splits_and_class_names(tmp_path):
    names = b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}}}'
    write_table(
        tmp_path / "train-00000.parquet",
        {"image": cells(*range(7)), "label": [0, 1] * 3 + [None]},
        {b"huggingface": names},
    )
    write_table(tmp_path / "validation.parquet", {"image": cells(50), "label": [1]})
    source = open_source(str(tmp_path))
    records = list(source.records())
    assert source.classes == ("cat", "dog") and source.count() == 8
    assert [record.label for record in records] == [0, 1, 0, 1, 0, 1, -1, 1]
    assert [record.split for record in records] == ["train"] * 7 + ["test"]
    assert [np.asarray(record.read())[0, 0, 0] for record in records] == [*range(7), 50]
    assert records[6].name == "train-00000.parquet[6]"
    assert sum(survey(source, most=4).sizes.values()) == 4


def test_parquet_of_plain_bytes_and_words(tmp_path):
    write_table(tmp_path / "a.parquet", {"img": [png(1), png(2), None], "label": ["b", "a", "b"]})
    source = open_source(str(tmp_path / "a.parquet"))
    assert source.classes == ("a", "b") and [record.label for record in source.records()] == [1, 0, 1]
    dataset = picture_dataset(source, 4, 4, 3)
    assert len(dataset.first) == 2 and dataset.skipped == (("a.parquet[2]", "its row holds no picture"),)


def test_a_row_names_files_of_its_tables_folder_only(tmp_path, monkeypatch):
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    for path in (data / "in.png", data / "deep" / "in.png", tmp_path / "out.png"):
        path.write_bytes(png(7))
    monkeypatch.chdir(tmp_path)
    paths = ["in.png", "deep/in.png", str(data / "in.png"), "../out.png", str(tmp_path / "out.png"), "out.png"]
    write_table(data / "a.parquet", {"image": [{"bytes": None, "path": path} for path in paths]})
    dataset = picture_dataset(open_source(str(data / "a.parquet")), 4, 4, 3)
    assert len(dataset) == 3 and [name for name, _ in dataset.skipped] == [f"a.parquet[{row}]" for row in (3, 4, 5)]
    told = [reason for _, reason in dataset.skipped]
    assert all("outside of the table's folder" in reason for reason in told[:2]) and "no picture" in told[2]


def test_a_file_that_a_row_names_is_measured_before_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "in.png").write_bytes(png(7))
    write_table(tmp_path / "a.parquet", {"image": [{"bytes": None, "path": "in.png"}]})
    monkeypatch.setattr("gannet.runtime.reading.LARGEST_FILE", 8)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(ValueError, match="over the limit"):
        next(iter(open_source(str(tmp_path / "a.parquet")).records())).read()


def test_rows_of_the_hub_name_what_was_downloaded_with_them_only(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in (cache / "in.png", tmp_path / "out.png"):
        path.write_bytes(png(7))
    monkeypatch.chdir(tmp_path)
    rows = [{"image": {"bytes": None, "path": path}, "label": 0} for path in (str(cache / "in.png"), "out.png")]
    rows.append({"image": {"bytes": None, "path": str(tmp_path / "out.png")}, "label": 0})
    library = SimpleNamespace(
        load_dataset=lambda *_, **__: {"train": FakeSplit(rows, ["cat"])},
        Image=FakeDatasets.Image,
        config=SimpleNamespace(HF_DATASETS_CACHE=str(cache)),
    )
    monkeypatch.setitem(sys.modules, "datasets", library)
    records = list(open_source("hf:owner/pets").records())
    assert records[0].read().size == (4, 4)
    for record in records[1:]:
        with pytest.raises(ValueError, match="outside of the table's folder|no picture"):
            record.read()


def test_parquet_without_pictures_is_one_sentence(tmp_path):
    write_table(tmp_path / "a.parquet", {"text": ["x"]})
    with pytest.raises(ValueError, match="has the columns text, but pictures are looked for in 'image' or 'img'"):
        open_source(str(tmp_path / "a.parquet"))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ValueError, match="is cut short or no parquet file"):
        open_source(str(tmp_path / "b.parquet"))


def test_missing_libraries_are_named_with_the_command(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"pip install 'gannet\[parquet\]'"):
        open_source(str(tmp_path / "a.parquet"))
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match=r"pip install 'gannet\[hub\]'"):
        open_source("hf:owner/name")


def test_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", FakeDatasets)
    source = open_source("hf:owner/pets")
    assert source.classes == ("cat", "dog") and source.count() == 4
    assert [(r.name, r.label, r.split) for r in source.records()][2:] == [
        ("train[2]", 1, "train"),
        ("test[0]", 1, "test"),
    ]
    assert len(picture_dataset(source, 4, 4, 3).first) == 4 and survey(source).median_side == 4
    with pytest.raises(
        ValueError, match=r"hf:owner/none cannot be loaded \(ConnectionError: no such data set\); check"
    ):
        open_source("hf:owner/none")


def test_a_revision_of_the_hub_is_asked_for_and_told_from_others(monkeypatch):
    asked = []

    def load(name, revision=None):
        asked.append((name, revision))
        return FakeDatasets.load_dataset(name)

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load, Image=FakeDatasets.Image))
    sources = [open_source(f"hf:owner/pets{revision}") for revision in ("", "@v1", "@v2")]
    assert asked == [("owner/pets", None), ("owner/pets", "v1"), ("owner/pets", "v2")]
    assert [source.name for source in sources] == ["owner/pets"] * 3
    assert len({source.fingerprint() for source in sources}) == 3
    assert sources[0].fingerprint() == digest(["hub", "owner/pets", "train 3", "test 1"])
    with pytest.raises(ValueError, match=r"hf:owner/none at v1 cannot be loaded"):
        open_source("hf:owner/none@v1")


def test_a_copy_of_another_commit_is_not_taken_for_the_one_that_was_asked_for(monkeypatch):
    """Without network the library gives the latest copy that it has."""
    commits = ["a" * 40, "b" * 40]
    part = FakeSplit([{"image": cell, "label": 0} for cell in cells(1, 2)], ["cat"])
    part.info = SimpleNamespace(download_checksums={f"hf://datasets/owner/pets@{commits[0]}/train.parquet": {}})
    library = SimpleNamespace(load_dataset=lambda *_, **__: {"train": part}, Image=FakeDatasets.Image)
    monkeypatch.setitem(sys.modules, "datasets", library)
    assert open_source(f"hf:owner/pets@{commits[0]}").count() == 2
    with pytest.raises(ValueError, match=f"as of commit {commits[0]}, but {commits[1]} is wanted"):
        open_source(f"hf:owner/pets@{commits[1]}")


def check_listed(source):
    whole = [(record.name, record.label, record.split) for record in source.records()]
    assert [(record.name, record.label, record.split) for record in source.listed()] == whole and whole
    with pytest.raises(AssertionError):
        next(source.listed()).read()


def test_what_rows_are_called_is_told_without_reading_pictures(tmp_path, monkeypatch):
    (tmp_path / "plain").mkdir()
    write_table(tmp_path / "train.parquet", {"image": cells(*range(7)), "label": ["b", "a"] * 3 + [None]})
    write_table(tmp_path / "test.parquet", {"image": cells(50), "label": ["b"]})
    write_table(tmp_path / "plain" / "a.parquet", {"img": [png(1), png(2)]})
    np.savez(tmp_path / "a.npz", x_train=np.zeros((3, 4, 4), np.uint8), y_train=[0, 1, 1], x_test=np.zeros((1, 4, 4)))
    sources = [open_source(str(tmp_path / name)) for name in ("", "plain/a.parquet", "a.npz")]
    monkeypatch.setitem(sys.modules, "datasets", FakeDatasets)
    sources.append(open_source("hf:owner/pets"))
    for source in [*sources, Several((sources[0], sources[0]), (1.0, 1.0))]:
        check_listed(source)
    monkeypatch.setattr("gannet.data.sources.parquet._read_cell", None)
    monkeypatch.setattr("gannet.data.sources.parquet.ParquetFiles._rows_of", None)
    assert count_learned(sources[0], 100) == 7
