"""Labels: what is a class, settled once for every kind of table."""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture_dataset
from tables import FakeDatasets, FakeSplit, cells, png, write_table

from gannet.data.sources import open_source
from gannet.data.sources.labels import MOST_CLASSES, ClassTable

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("labels", "classes", "numbers"),
    [
        ([0, 2, 1], ("0", "1", "2"), [0, 2, 1]),
        ([0.0, NAN, 1.0], ("0", "1"), [0, -1, 1]),
        ([True, False, True], ("0", "1"), [1, 0, 1]),
        ([1, None, -1], ("0", "1"), [1, -1, -1]),
        (["b", "a", ""], ("a", "b"), [1, 0, -1]),
        ([None, None], (), [-1, -1]),
    ],
)
def test_labels_are_numbers_or_words_or_none(labels: list[Any], classes: tuple[str, ...], numbers: list[int]) -> None:
    table = ClassTable(labels, "data")
    assert table.names == classes and [table.number(label) for label in labels] == numbers


@pytest.mark.parametrize(
    "odd",
    [0.25, INFINITY, -INFINITY, b"cat", [1], (0, 1), {"a": 1}, datetime.date(2020, 1, 1), Decimal(1), 1j, "a" * 1025],
)
def test_what_is_no_class_is_refused_in_one_short_sentence(odd: Any) -> None:
    with pytest.raises(ValueError, match=r"^data holds labels that are no classes \(.*\); give one whole") as caught:
        ClassTable([0, odd], "data")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("lowest", "highest"), [(-2, 1), (0, MOST_CLASSES), (0, 1 << 40), (0, 1e300)])
def test_numbers_that_are_ids_are_refused(lowest: int, highest: int) -> None:
    with pytest.raises(ValueError, match=r"^data holds labels from -?\d+ to \d+; number the classes from 0"):
        ClassTable([lowest, highest], "data")


def test_labels_that_are_all_different_are_not_gathered_without_end() -> None:
    taken = iter(range(1 << 60))
    for seen in (taken, (f"id-{number}" for number in taken)):
        with pytest.raises(ValueError, match=r"^data holds more than 100,000 different labels"):
            ClassTable(seen, "data")
    assert next(taken) < 300_000


def test_labels_beyond_the_names_are_refused() -> None:
    names = ("cat", "dog")
    assert ClassTable([0, 1, -1, "dog"], "data", names).number("dog") == 1
    with pytest.raises(ValueError, match=r"labels from 0 to 2; number the classes from 0 \(its 2 classes have names\)"):
        ClassTable([0, 2], "data", names)
    with pytest.raises(ValueError, match="'cow', which is none of the 2 classes that it names"):
        ClassTable(["cow"], "data", names)


def test_words_and_numbers_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="both words, such as 'cat', and numbers, such as 3"):
        ClassTable(["cat", 3], "data")


@given(st.lists(st.one_of(st.integers(-1, 50), st.none()), max_size=40))
def test_arrays_and_single_labels_agree(labels: list[int | None]) -> None:
    table = ClassTable(labels, "data")
    values = np.array([-1.0 if label is None else float(label) for label in labels])
    assert table.numbers(values).tolist() == [table.number(label) for label in labels]
    assert all(-1 <= number < len(table.names) for number in table.numbers(values).tolist())


def save(kind: str, tmp_path: Path, labels: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write five pictures with labels; give what opens them."""
    if kind == "npz":
        np.savez(tmp_path / "a.npz", images=np.zeros((5, 4, 4), np.uint8), labels=np.array(labels))
        return str(tmp_path / "a.npz")
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        write_table(tmp_path / "a.parquet", {"image": [png(tone) for tone in range(5)], "label": labels})
        return str(tmp_path / "a.parquet")
    rows = [{"image": cell, "label": label} for cell, label in zip(cells(*range(5)), labels, strict=True)]
    part = FakeSplit(rows, None)
    library = SimpleNamespace(load_dataset=lambda *_, **__: {"train": part}, Image=FakeDatasets.Image)
    monkeypatch.setitem(sys.modules, "datasets", library)
    return "hf:owner/pets"


KINDS = ("npz", "parquet", "hub")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "labels",
    [
        [0.25, 0.5, 0.9, 1.5, 0.0],
        [0.0, INFINITY, 1.0, 1.0, 1.0],
        [b"cat", b"dog", b"cat", b"cat", b"dog"],
        [datetime.datetime(2020, 1, day + 1) for day in range(5)],
        [[1.0, 2.0]] * 5,
        [0, -5, 1, 1, 1],
        [2**40 + row for row in range(5)],
    ],
    ids=["fractions", "infinite", "bytes", "dates", "vectors", "negative", "ids"],
)
def test_every_table_refuses_the_same_labels_when_it_is_opened(kind, labels, tmp_path, monkeypatch) -> None:
    with pytest.raises(ValueError, match="labels|number the classes|give one whole number or word"):
        open_source(save(kind, tmp_path, labels, monkeypatch))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("labels", "numbers"),
    [([0.0, NAN, 1.0, 1.0, 0.0], [0, -1, 1, 1, 0]), ([0, -1, 1, 1, 0], [0, -1, 1, 1, 0])],
    ids=["not-a-number", "minus one"],
)
def test_every_table_may_lack_labels(kind, labels, numbers, tmp_path, monkeypatch) -> None:
    source = open_source(save(kind, tmp_path, labels, monkeypatch))
    assert source.classes == ("0", "1") and [record.label for record in source.records()] == numbers
    assert [record.label for record in source.listed()] == numbers  # type: ignore[attr-defined]
    assert picture_dataset(source, 4, 4, 3).labels.tolist() == numbers


def test_one_long_word_in_every_row_takes_no_memory(tmp_path) -> None:
    pytest.importorskip("pyarrow")
    write_table(tmp_path / "a.parquet", {"image": [png(1)] * 2000, "label": ["a" * 100_000] * 2000})
    with pytest.raises(ValueError, match="labels that are no classes"):
        open_source(str(tmp_path / "a.parquet"))


def test_pictures_of_another_type_are_refused(tmp_path) -> None:
    pytest.importorskip("pyarrow")
    write_table(tmp_path / "a.parquet", {"image": [[1, 2, 3]] * 4})
    with pytest.raises(ValueError, match=r"holds pictures as list<.*>; give encoded pictures"):
        open_source(str(tmp_path / "a.parquet"))
