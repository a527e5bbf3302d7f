from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gannet.data.duplicates import (
    _candidates,
    area_weights,
    count_bits,
    find_exact,
    find_near,
    hash_pictures,
)


def smooth(seed: int, count: int, side: int = 32) -> np.ndarray:
    """Pictures with large shapes, as photographs have."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 5, 5, 3), np.uint8)
    grown = [np.asarray(Image.fromarray(c).resize((side, side), Image.Resampling.BICUBIC)) for c in coarse]
    return np.stack(grown).transpose(0, 3, 1, 2)


def unique(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint64)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_exact_groups_are_those_of_brute_force(values):
    groups = find_exact(np.array(values, np.uint64)).groups
    wanted = {v: tuple(i for i, other in enumerate(values) if other == v) for v in values}
    assert set(groups) == {group for group in wanted.values() if len(group) > 1}


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50))
def test_bits_are_counted(values):
    assert count_bits(np.array(values, np.uint64)).tolist() == [value.bit_count() for value in values]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_candidates_are_those_of_brute_force(seed, count):
    generator = np.random.default_rng(seed)
    hashes = generator.integers(0, 2**64, count, np.uint64)
    for index in range(count // 2):  # half of them a few bits from another
        flips = generator.choice(64, generator.integers(0, 6), replace=False)
        hashes[index] = hashes[-1 - index] ^ np.uint64(sum(1 << int(flip) for flip in flips))
    found = {frozenset(pair) for a, b in _candidates(hashes) for pair in zip(a.tolist(), b.tolist(), strict=True)}
    close = {
        frozenset((i, j))
        for i, j in itertools.combinations(range(count), 2)
        if int(hashes[i] ^ hashes[j]).bit_count() <= 3
    }
    assert found == close


@pytest.mark.parametrize("quality", [75, 90])
def test_recompressed_pictures_are_found_and_different_ones_are_not(quality):
    images = smooth(0, 60, side=64)
    copies = []
    for pixels in images[:20]:
        stream = io.BytesIO()
        Image.fromarray(pixels.transpose(1, 2, 0)).save(stream, "JPEG", quality=quality)
        copies.append(np.asarray(Image.open(stream)).transpose(2, 0, 1))
    groups = set(find_near(np.concatenate([images, np.stack(copies)]), unique(80)).groups)
    assert groups <= {(i, 60 + i) for i in range(20)}
    assert len(groups) >= 16


def test_exact_copies_are_not_near_copies():
    images = smooth(0, 10)
    both = np.concatenate([images, images])
    assert find_near(both, np.concatenate([unique(10)] * 2)).groups == ()


def test_same_hash_is_not_enough():
    ramp = np.linspace(0, 255, 32)
    images = np.stack([np.tile(ramp * scale, (32, 1)) for scale in (1.0, 0.5)]).astype(np.uint8)[:, None]
    assert len(np.unique(hash_pictures(images))) == 1
    assert find_near(images, unique(2)).groups == ()


def test_flat_pictures_cost_no_more_than_others():
    generator = np.random.default_rng(0)
    images = np.repeat(generator.integers(0, 256, (20_000, 1, 1, 1), np.uint8), 64, axis=2).reshape(-1, 1, 8, 8)
    assert np.all(hash_pictures(images) == 0)
    pairs = sum(len(a) for a, _ in _candidates(hash_pictures(images)))
    assert pairs <= 1_000_000  # of 200 million


def test_hash_is_the_difference_hash():
    image = np.zeros((1, 1, 8, 9), np.uint8)
    image[0, 0, 0] = [0, 10, 5, 6, 6, 7, 1, 2, 3]
    assert np.unpackbits(hash_pictures(image).view(np.uint8)).tolist() == [1, 0, 1, 0, 1, 0, 1, 1] + [0] * 56


@given(st.integers(1, 70), st.integers(1, 12))
def test_areas_share_every_pixel_fully(length, parts):
    weights = area_weights(length, parts)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=0), parts / length, rtol=1e-5)


def test_bucket_of_many_is_compared_in_full():
    base = np.uint64(0x0123456789ABCDEF)
    hashes = np.array([base ^ np.uint64(1 << bit) for bit in range(40)])  # any two differ in two bits
    pairs = {pair for a, b in _candidates(hashes) for pair in zip(a.tolist(), b.tolist(), strict=True)}
    assert len({frozenset(pair) for pair in pairs}) == 40 * 39 / 2
