"""Loaders: a stream is a function of seed and position; a sample's parts share its window; sources mix by weight."""

from collections import Counter
from math import ceil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gannet.data.columns import Column
from gannet.data.loader import Loader, Mixture, Samples
from gannet.media import label_map

SEEDS, WEIGHT = st.integers(0, 2**31 - 1), st.floats(1e-6, 1e6)


def numbered_rows(count: int, seed: int = 0) -> Loader:
    return Loader({"value": np.arange(count)}, np.arange(count), seed)


def column(lengths: list[int], window: int) -> Column:
    """Steps that are numbered from 1 on."""
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Column(np.arange(1, sum(lengths) + 1), ends, window=(window,))


def clips(lengths: list[int], window: int, seed: int = 0) -> Loader:
    return Loader({"clip": column(lengths, window), "row": np.arange(len(lengths))}, np.arange(len(lengths)), seed)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def cut(samples: Samples, start: int, parts: list[int]) -> dict[str, Tensor]:
    """Gather parts one after another, and join them."""
    batches = []
    for part in parts:
        batches.append(samples.gather(start, part))
        start += part
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


def mixtures(seed: int = 3, weights: tuple[float, ...] = (2.0, 1.0, 0.5)) -> Mixture:
    """Three sources whose values tell them apart: hundreds are the source."""
    loaders = [
        Loader({"value": np.arange(count) + 1000 * one}, np.arange(count), seed + one)
        for one, count in enumerate((7, 40, 13))
    ]
    return Mixture(tuple(loaders), weights, seed)


MADE = {"rows": numbered_rows, "clips": lambda count: clips([3 + 5 * (row % 4) for row in range(count)], 4)}
MADE["mixture"] = lambda _: mixtures()


@pytest.mark.parametrize("kind", MADE)
@given(start=st.integers(0, 5_000), parts=st.lists(st.integers(1, 40), min_size=1, max_size=6))
@settings(max_examples=25)
def test_a_stream_is_the_same_however_it_is_cut(kind: str, start: int, parts: list[int]) -> None:
    whole = MADE[kind](11).gather(start, sum(parts))
    assert same(whole, cut(MADE[kind](11), start, parts))


@pytest.mark.parametrize("kind", MADE)
def test_what_was_read_before_changes_nothing(kind: str) -> None:
    used, fresh = MADE[kind](11), MADE[kind](11)
    for start in (40, 0, 3_000, 17, 999, 2_001):
        used.gather(start, 30)
        used.spread(5)
    assert same(used.gather(1_000, 64), fresh.gather(1_000, 64))


@given(st.integers(1, 30), SEEDS)
@settings(max_examples=25)
def test_each_pass_shows_every_sample_once_in_an_order_of_its_own(count: int, seed: int) -> None:
    loader = numbered_rows(count, seed)
    passes = [loader.gather(number * count, count)["value"].tolist() for number in range(4)]
    assert all(sorted(shown) == list(range(count)) for shown in passes)
    if count > 12:
        assert len({tuple(shown) for shown in passes}) == 4


def test_another_seed_gives_another_order() -> None:
    orders = {tuple(numbered_rows(30, seed).gather(0, 30)["value"].tolist()) for seed in range(10)}
    assert len(orders) == 10


@pytest.mark.parametrize("kind", MADE)
def test_what_is_gathered_ahead_equals_what_is_gathered_now(kind: str) -> None:
    ahead, now = MADE[kind](11), MADE[kind](11)
    for start in (0, 8, 16, 24, 500, 508, 0, 8):
        assert same(ahead.batch(start, 8, 8), now.gather(start, 8))
    for start, count in ((16, 8), (24, 5), (29, 8)):  # Another size than was gathered ahead.
        assert same(ahead.batch(start, count, count), now.gather(start, count))


def test_a_rank_that_steps_over_the_others_reads_its_own_slices() -> None:
    ahead, now = numbered_rows(50), numbered_rows(50)
    for round_number in range(5):
        start = 16 * round_number + 4
        assert same(ahead.batch(start, 4, 16), now.gather(start, 4))


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(1, 9), st.integers(0, 2_000), SEEDS)
@settings(max_examples=40)
def test_the_parts_of_a_sample_share_their_window(lengths: list[int], window: int, start: int, seed: int) -> None:
    one, other = column(lengths, window), column(lengths, window)
    loader = Loader({"picture": one, "copy": other}, np.arange(len(lengths)), seed)
    for batch in (loader.gather(start, 20), loader.numbered(np.arange(len(loader)))):
        assert torch.equal(batch["picture"], batch["copy"])
        assert torch.equal(batch["picture_length"], batch["copy_length"])


def test_parts_of_volumes_share_their_window_on_every_axis() -> None:
    values = np.arange(2 * 6 * 7 * 8).reshape(2, 6, 7, 8)
    parts = {name: Column(values.copy(), window=(3, 2, 5)) for name in ("scan", "map")}
    loader = Loader(parts, np.arange(2), 5)
    assert len(loader) == 2 * 2 * 4 * 2
    for batch in (loader.gather(0, 40), loader.numbered(np.arange(len(loader)))):
        assert batch["scan"].shape[1:] == (3, 2, 5) and torch.equal(batch["scan"], batch["map"])
    shown = set(loader.numbered(np.arange(len(loader)))["scan"].flatten().tolist())
    assert shown == set(range(values.size))


def test_training_windows_are_drawn_by_seed_and_position() -> None:
    """One row, met again and again, shows other parts of itself; another seed others still."""
    loader = clips([50], 4)
    firsts = loader.gather(0, 200)["clip"][:, 0].tolist()
    assert len(set(firsts)) > 35 and set(firsts) <= set(range(1, 48))
    assert firsts[:50] != clips([50], 4, seed=1).gather(0, 50)["clip"][:, 0].tolist()
    assert same(loader.gather(120, 7), clips([50], 4).gather(120, 7))


def test_a_pass_meets_a_row_as_often_as_it_has_windows() -> None:
    lengths = [1, 4, 5, 17]
    loader = clips(lengths, 4)
    assert len(loader) == sum(ceil(length / 4) for length in lengths)
    assert Counter(loader.gather(0, len(loader))["row"].tolist()) == {0: 1, 1: 1, 2: 2, 3: 5}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 9), SEEDS)
@settings(max_examples=40)
def test_numbered_windows_depend_on_the_row_alone(lengths: list[int], window: int, seed: int) -> None:
    loader, other = clips(lengths, window, seed), clips(lengths, window, seed + 1)
    numbers = np.random.default_rng(seed).permutation(len(loader))
    shuffled, ordered = loader.numbered(numbers), other.numbered(np.arange(len(loader)))
    assert same(shuffled, {name: values[numbers] for name, values in ordered.items()})
    assert ordered["row"].tolist() == sorted(ordered["row"].tolist())


@pytest.mark.parametrize("window", range(1, 8))
def test_numbered_windows_together_show_all_of_a_row(window: int) -> None:
    missed = {}
    for length in range(1, 200):
        loader = clips([length], window)
        shown = set(loader.numbered(np.arange(len(loader)))["clip"].flatten().tolist())
        if left := set(range(1, length + 1)) - shown:
            missed[length] = left
    assert not missed


def test_a_short_clip_is_padded_and_says_how_long_it_is() -> None:
    batch = clips([2, 9], 4).numbered(np.array([1, 0]))
    assert batch["clip"][1].tolist() == [1, 2, 0, 0]
    assert batch["clip_length"].tolist() == [4, 2] and batch["clip_length"].dtype == torch.int64


def test_lengths_stand_beside_their_own_clips_whatever_the_order() -> None:
    lengths = [1, 9, 3, 2, 7]
    batch = clips(lengths, 4).gather(0, 40)
    assert batch["clip_length"].tolist() == [min(4, lengths[row]) for row in batch["row"].tolist()]
    for clip, length in zip(batch["clip"], batch["clip_length"].tolist(), strict=True):
        assert bool((clip[:length] > 0).all()) and not clip[length:].any()


def test_label_maps_stay_numbers() -> None:
    maps = np.array([[[0, 1], [254, 255]]], np.uint8)
    loader = Loader({"map": Column(maps, convert=label_map.medium.to_array)}, np.array([0]), 0)
    for batch in (loader.gather(0, 3), loader.spread(1)):
        assert batch["map"].dtype == torch.int64 and batch["map"][0].tolist() == [[0, 1], [254, 255]]


def test_only_rows_that_were_chosen_are_shown() -> None:
    loader = Loader({"value": np.arange(10)}, np.array([7, 2, 5]), 0)
    assert len(loader) == 3 and set(loader.gather(0, 50)["value"].tolist()) == {2, 5, 7}
    assert loader.numbered(np.arange(3))["value"].tolist() == [7, 2, 5]
    assert loader.values("value").tolist() == [7, 2, 5] and loader.values("label") is None


def test_spread_and_parts_go_evenly_over_all_samples() -> None:
    loader = numbered_rows(100)
    assert loader.spread(5)["value"].tolist() == [0, 24, 49, 74, 99]
    parts = [part["value"].tolist() for part in loader.parts(2, 5)]
    assert parts == [[0, 24], [49, 74], [99]]
    assert loader.pick(np.array([4, 0]), 5)["value"].tolist() == [99, 0]
    assert len(loader.spread(1_000)["value"]) == 100


# Mixtures


def sources_of(batch: dict[str, Tensor]) -> list[int]:
    return (batch["value"] // 1000).tolist()


@given(st.lists(WEIGHT, min_size=2, max_size=5), SEEDS, st.integers(0, 50))
@settings(max_examples=40)
def test_of_every_thousand_positions_each_source_has_its_share(weights: list[float], seed: int, period: int) -> None:
    loaders = tuple(Loader({"value": np.array([1000 * one])}, np.array([0]), seed) for one in range(len(weights)))
    mixture = Mixture(loaders, tuple(weights), seed)
    counts = Counter(sources_of(mixture.gather(1000 * period, 1000)))
    exact = [1000 * weight / sum(weights) for weight in weights]
    assert sum(counts.values()) == 1000 and len(counts) == len(weights)
    for one, share in enumerate(exact):
        assert counts[one] >= 1
        assert abs(counts[one] - share) <= len(weights), (counts, exact)


@pytest.mark.parametrize(
    ("weights", "shares"),
    [((1, 1), (500, 500)), ((3, 1), (750, 250)), ((1, 1, 1), (334, 333, 333)), ((1, 999), (1, 999))],
)
def test_shares_are_those_of_the_weights(weights: tuple[float, ...], shares: tuple[int, ...]) -> None:
    loaders = tuple(Loader({"value": np.array([1000 * one])}, np.array([0]), 0) for one in range(len(weights)))
    counts = Counter(sources_of(Mixture(loaders, weights, 0).gather(5_000, 1000)))
    assert sorted(counts.values()) == sorted(shares) and sum(counts.values()) == 1000


@pytest.mark.parametrize("weight", [1e306, 1e308])
def test_equal_weights_share_alike_however_large_they_are(weight: float) -> None:
    loaders = tuple(Loader({"value": np.array([1000 * one])}, np.array([0]), 0) for one in range(2))
    assert Counter(sources_of(Mixture(loaders, (weight, weight), 0).gather(0, 1000))) == {0: 500, 1: 500}


def test_weights_that_hardly_differ_from_zero_still_show_each_source() -> None:
    loaders = tuple(Loader({"value": np.array([1000 * one])}, np.array([0]), 0) for one in range(3))
    counts = Counter(sources_of(Mixture(loaders, (1e-300, 1.0, 5e-324), 0).gather(0, 1000)))
    assert counts == {0: 1, 1: 998, 2: 1}


def test_each_source_is_passed_over_as_if_it_were_alone() -> None:
    mixture = mixtures()
    batch = mixture.gather(0, 2_500)
    for one, loader in enumerate(mixture.loaders):
        shown = batch["value"][batch["value"] // 1000 == one]
        assert torch.equal(shown, loader.gather(0, len(shown))["value"])


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), SEEDS)
@settings(max_examples=30)
def test_a_mixture_is_read_from_anywhere_as_from_its_beginning(positions: list[int], seed: int) -> None:
    straight = mixtures(seed % 1000).gather(0, 10_001)
    found = mixtures(seed % 1000).at(np.array(positions))
    assert torch.equal(found["value"], straight["value"][positions])


def test_a_mixture_draws_its_order_anew_in_every_thousand() -> None:
    mixture = mixtures()
    orders = [tuple(sources_of(mixture.gather(1000 * period, 1000))) for period in range(4)]
    assert len(set(orders)) == 4
    assert all(sorted(order) == sorted(orders[0]) for order in orders)


def test_a_mixture_numbers_its_samples_source_after_source() -> None:
    mixture = mixtures()
    every = [*range(7), *range(1000, 1040), *range(2000, 2013)]
    assert len(mixture) == 60
    assert mixture.numbered(np.arange(60))["value"].tolist() == every
    assert mixture.values("value").tolist() == every and mixture.values("label") is None
    shuffled = np.random.default_rng(0).permutation(60)
    assert mixture.numbered(shuffled)["value"].tolist() == [every[number] for number in shuffled]
    assert mixture.spread(3)["value"].tolist() == [0, every[29], 2012]
    assert mixture.pick(np.array([2, 0]), 3)["value"].tolist() == [2012, 0]
    assert [value for part in mixture.parts(7, 60) for value in part["value"].tolist()] == every


def test_a_mixture_gives_a_part_of_every_sample_only_where_all_sources_have_it() -> None:
    with_label = Loader({"value": np.arange(3), "label": np.array([0, 1, 0])}, np.arange(3), 0)
    other = Loader({"value": np.arange(2), "label": np.array([1, 1])}, np.arange(2), 0)
    assert Mixture((with_label, other), (1, 1), 0).values("label").tolist() == [0, 1, 0, 1, 1]
    assert Mixture((with_label, numbered_rows(2)), (1, 1), 0).values("label") is None


def test_a_mixture_of_clips_keeps_windows_and_lengths() -> None:
    parts = (clips([2, 9], 4), clips([5], 4, seed=7))
    mixture = Mixture(parts, (1, 1), 0)
    assert len(mixture) == 6
    batch = mixture.gather(0, 100)
    assert batch["clip"].shape == (100, 4) and batch["clip_length"].shape == (100,)
    assert same(mixture.gather(33, 9), {name: values[33:42] for name, values in batch.items()})
    assert mixture.numbered(np.arange(6))["clip_length"].tolist() == [2, 4, 4, 4, 4, 4]
