"""Columns: equal and ragged values, the windows they are given by, and what lies beside them."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from math import ceil, prod
from pathlib import Path

import gannet_signals
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gannet.data.cache import build_dataset
from gannet.data.columns import Column, column_of
from gannet.data.records import Record
from gannet.media import image, label_map
from gannet.media.medium import Field

LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=8)


def ragged(lengths: list[int], window: int, *rest: int) -> Column:
    """Values of these lengths; no two steps are alike, and none is zero, which is what padding is."""
    total = sum(lengths)
    values = np.arange(1, total * prod(rest) + 1, dtype=np.int64).reshape(total, *rest)
    return Column(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), window=(window,))


def volumes(*sides: int, count: int = 3, window: tuple[int, ...] = (), channels: int = 2) -> Column:
    shape = (count, *sides, channels)
    return Column(np.arange(prod(shape)).reshape(shape), window=window)


def everywhere(column: Column, place: float) -> np.ndarray:
    """A window of each row at the same place along all axes."""
    rows = np.arange(len(column))
    return column.read(rows, np.full((len(rows), len(column.window)), place))


def test_a_column_without_a_window_gives_rows_whole_and_counts_each_once() -> None:
    column = volumes(4, 5)
    rows = np.array([2, 0])
    assert len(column) == 3
    np.testing.assert_array_equal(column.read(rows, np.empty((2, 0))), column.values[rows])
    assert column.windows(rows).tolist() == [1, 1]


def test_values_of_differing_length_without_a_window_are_refused() -> None:
    with pytest.raises(AssertionError, match="window"):
        Column(np.arange(5), np.array([0, 2, 5]))


@given(LENGTHS, st.integers(1, 12))
def test_a_ragged_row_counts_as_many_windows_as_it_takes_to_see_all_of_it(lengths: list[int], window: int) -> None:
    column = ragged(lengths, window)
    assert len(column) == len(lengths)
    expected = [max(1, ceil(length / window)) for length in lengths]
    assert column.windows(np.arange(len(lengths))).tolist() == expected


@given(st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.integers(1, 9)] * 3))
def test_a_volume_counts_the_product_over_its_axes(sides: tuple[int, ...], window: tuple[int, ...]) -> None:
    column = volumes(*sides, window=window, count=2)
    expected = prod(ceil(side / part) for side, part in zip(sides, window, strict=True))
    assert column.windows(np.array([1, 0, 1])).tolist() == [expected] * 3


@given(LENGTHS, st.integers(1, 12), st.data())
def test_a_ragged_window_is_a_run_of_its_own_row_then_zeros(
    lengths: list[int], window: int, data: st.DataObject
) -> None:
    column = ragged(lengths, window)
    rows = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=5)))
    places = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(rows), max_size=len(rows))))[:, None]
    read, known = column.read(rows, places), column.lengths(rows)
    assert read.shape == (len(rows), window)
    for row, given_, length in zip(rows, read, known, strict=True):
        assert length == min(window, lengths[row]) and not given_[length:].any()
        whole = column.values[column.offsets[row] : column.offsets[row + 1]]
        starts = [
            at for at in range(len(whole) - length + 1) if np.array_equal(whole[at : at + length], given_[:length])
        ]
        assert starts, "it reads beyond the row"


@given(st.integers(1, 30), st.integers(1, 12))
def test_place_0_gives_the_first_window_and_place_1_the_last(length: int, window: int) -> None:
    column = ragged([3, length, 5], window)
    first, last = everywhere(column, 0.0)[1], everywhere(column, 1.0)[1]
    whole = column.values[3 : 3 + length]
    np.testing.assert_array_equal(first[: min(length, window)], whole[:window])
    np.testing.assert_array_equal(last[: min(length, window)], whole[-window:])


def test_every_window_that_there_is_is_given_by_some_place() -> None:
    column = ragged([10], 4)
    places = np.linspace(0, 1, 200)[:, None]
    found = column.read(np.zeros(200, np.int64), places)[:, 0]
    counts = np.unique(found, return_counts=True)
    assert counts[0].tolist() == list(range(1, 8))
    assert counts[1].min() > 0.8 * counts[1].max(), "no window is rarer than another"


def test_a_window_of_a_volume_lies_where_its_places_say_axis_by_axis() -> None:
    column = volumes(5, 6, 7, window=(2, 3, 4))
    rows = np.array([1])
    for corner in product((0.0, 1.0), repeat=3):
        read = column.read(rows, np.array([corner]))
        starts = [int(place) * room for place, room in zip(corner, (3, 3, 3), strict=True)]
        part = tuple(slice(start, start + side) for start, side in zip(starts, column.window, strict=True))
        np.testing.assert_array_equal(read[0], column.values[(1, *part)])


def test_axes_that_the_window_leaves_out_are_whole() -> None:
    assert volumes(5, 6, window=(2,)).read(np.array([0, 2]), np.zeros((2, 1))).shape == (2, 2, 6, 2)
    assert ragged([4, 9], 3, 2, 5).read(np.array([0, 1]), np.zeros((2, 1))).shape == (2, 3, 2, 5)


def test_a_column_takes_the_places_of_its_own_axes_from_those_of_more() -> None:
    column, rows = volumes(5, 6, window=(2,)), np.array([0, 2])
    places = np.array([[0.2, 0.9], [0.7, 0.1]])
    np.testing.assert_array_equal(column.read(rows, places), column.read(rows, places[:, :1]))


@pytest.mark.parametrize(
    ("column", "shape"),
    [
        (volumes(5, 6), (0, 5, 6, 2)),
        (volumes(5, 6, window=(2, 3)), (0, 2, 3, 2)),
        (ragged([4, 9], 3, 2), (0, 3, 2)),
    ],
)
def test_no_rows_give_an_empty_array_of_the_right_shape_and_type(column: Column, shape: tuple[int, ...]) -> None:
    none = np.empty(0, np.int64)
    read = column.read(none, np.empty((0, len(column.window))))
    assert read.shape == shape and read.dtype == column.values.dtype
    assert column.windows(none).shape == (0,)
    assert column.tensor(read).shape == shape


def test_a_row_of_no_length_is_one_window_of_zeros() -> None:
    column = ragged([0, 3], 4, 2)
    assert column.windows(np.array([0, 1])).tolist() == [1, 1]
    assert not column.read(np.array([0]), np.array([[1.0]])).any()
    assert column.lengths(np.array([0, 1])).tolist() == [0, 3]


def test_a_window_larger_than_an_equal_value_is_padded_with_zeros() -> None:
    read = everywhere(volumes(3, 4, window=(5, 2)), 1.0)
    assert read.shape == (3, 5, 2, 2)
    assert not read[:, 3:].any()


def test_a_field_says_what_becomes_of_rows() -> None:
    levels = np.array([[[[0, 255]]]], np.uint8)
    picture = column_of(levels, image.medium.field(1, 2, 1))
    assert picture.tensor(levels).tolist() == [[[[-1.0, 1.0]]]]
    numbers = column_of(levels[:, 0], label_map.medium.field(1, 2))
    told = numbers.tensor(levels[:, 0])
    assert told.dtype == torch.int64 and told.tolist() == [[[0, 255]]]


def test_a_field_of_any_length_is_given_by_its_window() -> None:
    field = Field(image.medium, (None, 3), "float32", window=(7,))
    assert field.ragged and field.given == (7, 3) and field.row_bytes == 12
    assert field.noise(2, np.random.default_rng(0)).shape == (2, 7, 3)
    with pytest.raises(AssertionError, match="window"):
        _ = Field(image.medium, (None, 3), "float32").given


def test_tensors_own_what_they_hold() -> None:
    column = Column(np.zeros((2, 3), np.float32))
    column.values.flags.writeable = False
    made = column.tensor(column.read(np.array([0, 1]), np.empty((2, 0))))
    made += 1
    assert not column.values.any()


# Ragged values in the cache


class Ragged:
    """A source of signals of these lengths, numbered from one on; a length of -1 cannot be read."""

    name, classes = "ragged", ()

    def __init__(self, *lengths: int) -> None:
        self.lengths = lengths

    def fingerprint(self) -> str:
        return str(self.lengths)

    def records(self) -> Iterator[Record]:
        for number, length in enumerate(self.lengths):
            yield Record(str(number), {"signal": partial(self.read, number, length)})

    def read(self, number: int, length: int) -> np.ndarray:
        if length < 0:
            raise ValueError("it is broken")
        return np.arange(length, dtype=np.float32) + 100 * number


SIGNALS = {"signal": Field(gannet_signals.medium, (None,), "float32", window=(4,))}


@given(st.lists(st.integers(-1, 9), min_size=2, max_size=50).filter(lambda given: sum(one >= 0 for one in given) > 1))
def test_the_cache_keeps_values_of_any_length(lengths: list[int]) -> None:
    source = Ragged(*lengths)
    dataset = build_dataset(source, SIGNALS)
    column = dataset.columns["signal"]
    kept = [(number, length) for number, length in enumerate(lengths) if length >= 0]
    assert len(dataset) == len(column) == len(kept) and dataset.skipped_count == len(lengths) - len(kept)
    for row, (number, length) in enumerate(kept):
        stored = column.values[column.offsets[row] : column.offsets[row + 1]]
        np.testing.assert_array_equal(stored, source.read(number, length))
    assert column.sizes(np.arange(len(kept)))[:, 0].tolist() == [length for _, length in kept]


@pytest.mark.parametrize("name", ["images.raw", "images.offsets.npy", "labels.npy"])
@pytest.mark.parametrize("harm", ["gone", "empty", "cut"])
def test_a_torn_entry_of_ragged_values_is_built_anew(own_cache: Path, name: str, harm: str) -> None:
    source = Ragged(3, 9, 5, 7)
    first = build_dataset(source, SIGNALS)
    known = first.columns["signal"].values.tolist()
    del first
    (entry,) = [path for path in own_cache.iterdir() if path.is_dir()]
    content = (entry / name).read_bytes()
    (entry / name).unlink()
    if harm != "gone":
        (entry / name).write_bytes(b"" if harm == "empty" else content[:-4])
    assert build_dataset(source, SIGNALS).columns["signal"].values.tolist() == known


def test_values_of_other_lengths_than_the_window_share_one_entry(own_cache: Path) -> None:
    """The window is not part of what is kept."""
    source = Ragged(3, 9, 5, 7)
    for window in (2, 4, 16):
        field = Field(gannet_signals.medium, (None,), "float32", window=(window,))
        assert build_dataset(source, {"signal": field}).columns["signal"].window == (window,)
    assert len([path for path in own_cache.iterdir() if path.is_dir()]) == 1
