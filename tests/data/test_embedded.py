"""Sets that come along: what is in them, and that their pictures are where their labels say."""

from pathlib import Path

import numpy as np
import pytest

from gannet.data.records import VALUE
from gannet.data.sources import open_source
from gannet.data.sources.embedded import GARMENTS, Garments


def test_garments_are_a_thousand_of_each_class_and_whole() -> None:
    (chunk,) = Garments().arrays()
    pixels = chunk.fields[VALUE]
    assert pixels.shape == (10_000, 28, 28) and pixels.dtype == np.uint8
    assert np.bincount(chunk.labels).tolist() == [1000] * 10
    # Trousers leave the upper corners dark and have two legs; bags are wide; so a slip of the grid would show.
    means = np.stack([pixels[chunk.labels == label].mean(0) for label in range(10)])
    trouser, sneaker, bag = (means[GARMENTS.index(name)] for name in ("Trouser", "Sneaker", "Bag"))
    assert trouser[20, 10] > trouser[20, 14] < trouser[20, 17] and trouser[20, 2] < 5
    assert sneaker[3].mean() < 5 < sneaker[18].mean()
    assert bag[20].mean() > 90
    edges = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], 1)
    assert edges.mean() < pixels.mean() / 2


def test_garments_are_read_whatever_the_limit_of_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1_000)
    assert len(next(Garments().arrays()).labels) == 10_000


def test_garments_are_no_other_than_those_of_the_whole_set(shelf: Path) -> None:
    whole = open_source(str(shelf / "fashion-mnist"))
    known = {row.tobytes() for part in whole.arrays() for row in part.fields[VALUE]}  # type: ignore[attr-defined]
    (chunk,) = Garments().arrays()
    assert all(row.tobytes() in known for row in chunk.fields[VALUE])


def test_classes_are_those_of_the_whole_set(shelf: Path) -> None:
    assert open_source(str(shelf / "fashion-mnist")).classes == open_source("garments").classes


@pytest.mark.parametrize("name", ["digits", "garments"])
def test_a_set_counts_what_it_gives_and_is_always_the_same(name: str) -> None:
    first, second = open_source(name), open_source(name)
    assert first.fingerprint() == second.fingerprint()
    records = list(first.records())
    assert len(records) == first.count() and {record.label for record in records} == set(range(10))
