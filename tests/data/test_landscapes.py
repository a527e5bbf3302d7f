"""Landscapes drawn by rule: the same for a number, in all classes, labelled by what is seen."""

import numpy as np
import pytest

from gannet.data.landscapes import HEIGHT, NAMES, PALETTE, WIDTH, draw_landscape
from gannet.data.landscapes.noise import SIDE, band_tile, fractal_tile, look_between, look_up, ridged_tile
from gannet.data.sources.landscapes import Landscapes


@pytest.fixture(scope="module")
def some() -> tuple[np.ndarray, np.ndarray]:
    """Thirty landscapes and their maps."""
    drawn = [draw_landscape(seed) for seed in range(30)]
    pictures, maps = (np.stack([one[part] for one in drawn]) for part in range(2))
    return pictures, maps


def test_a_number_gives_the_same_landscape_and_another_another(some: tuple[np.ndarray, np.ndarray]) -> None:
    picture, told = draw_landscape(3)
    assert np.array_equal(picture, some[0][3]) and np.array_equal(told, some[1][3])
    assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == told.dtype == np.uint8
    assert len({one.tobytes() for one in some[0]}) == len(some[0])


def test_every_class_occurs_and_the_sky_lies_above(some: tuple[np.ndarray, np.ndarray]) -> None:
    maps = some[1]
    assert set(np.unique(maps)) == set(range(len(NAMES))) and len(PALETTE) == len(set(PALETTE)) == len(NAMES)
    above = np.isin(maps[:, 0], (0, 1, 2, 3, 7)).mean()
    assert above == 1 and np.isin(maps[:, -1], (0, 1)).mean() == 0


def test_classes_share_colours_so_that_a_mean_colour_does_not_tell_them(some: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, maps = some[0].reshape(-1, 3).astype(np.float64), some[1].ravel()
    means = np.stack([pictures[maps == number].mean(0) for number in range(len(NAMES))])
    nearest = ((pictures[::97, None] - means) ** 2).sum(2).argmin(1)
    assert (nearest == maps[::97]).mean() < 0.4


def test_times_of_day_differ_more_than_noise(some: tuple[np.ndarray, np.ndarray]) -> None:
    brightness = some[0].mean((1, 2, 3))
    assert brightness.min() < 70 and brightness.max() > 130


@pytest.mark.parametrize("tile", [fractal_tile(1.5), band_tile(8.0), ridged_tile()])
def test_a_tile_goes_on_at_its_edges_and_has_mean_0_and_deviation_1(tile: np.ndarray) -> None:
    assert tile.shape == (SIDE, SIDE) and abs(tile.mean()) < 1e-3 and abs(tile.std() - 1) < 1e-3
    places = np.array([[0.0, 5.0], [-3.0, 700.0]], np.float32)
    assert np.array_equal(look_up(tile, places, places), look_up(tile, places + SIDE, places - SIDE))
    assert np.allclose(look_between(tile, places, places), look_up(tile, places, places), atol=1e-5)
    middle = look_between(tile, np.float32([3.5]), np.float32([4.0]))
    assert middle == pytest.approx((tile[3, 4] + tile[4, 4]) / 2, abs=1e-5)


def test_the_set_gives_pictures_with_their_maps_in_order() -> None:
    chunks = list(Landscapes(total=20).arrays())
    assert [len(chunk.labels) for chunk in chunks] == [16, 4] and [chunk.start for chunk in chunks] == [0, 16]
    assert np.array_equal(chunks[1].fields["image"][0], draw_landscape(16)[0])
    assert np.array_equal(chunks[1].fields["map"][3], draw_landscape(19)[1])
    assert Landscapes(total=20).fingerprint() != Landscapes().fingerprint()
    assert len(list(Landscapes().sample(1_000))) <= 8, "each takes a while to draw"
