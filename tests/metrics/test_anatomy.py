"""Regions of labelled volumes: boxes have sizes by formula, and only what differs is far from the real ones."""

from math import sqrt

import numpy as np
import pytest

from gannet.metrics.anatomy import measure_anatomy, region_shape, shapes_of

SPACING = (1.0, 2.0, 0.5)


def box(depth: int, height: int, width: int, side: int = 16) -> np.ndarray:
    region = np.zeros((side, side, side), bool)
    region[2 : 2 + depth, 3 : 3 + height, 1 : 1 + width] = True
    return region


def test_a_box_has_the_measures_of_its_formulas() -> None:
    found = region_shape(box(4, 5, 6), SPACING)
    sides = (4.0, 10.0, 3.0)
    assert found["volume (mm3)"] == pytest.approx(4 * 10 * 3)
    assert [found[f"extent along axis {axis} (mm)"] for axis in (1, 2, 3)] == pytest.approx(sides)
    assert found["surface (mm2)"] == pytest.approx(2 * (4 * 10 + 4 * 3 + 10 * 3))
    assert found["elongation"] == pytest.approx(3 / 10) and found["pieces"] == 1


def test_a_region_that_reaches_the_border_has_its_surface_there_too() -> None:
    assert region_shape(np.ones((2, 2, 2), bool), (1, 1, 1))["surface (mm2)"] == 24


def test_elongation_is_of_the_region_and_not_of_the_axes() -> None:
    """A diagonal line of n voxels: the variance along it is 3 (n^2 - 1) / 12 and that of a voxel."""
    line = np.zeros((9, 9, 9), bool)
    line[range(9), range(9), range(9)] = True
    assert region_shape(line, (1, 1, 1))["elongation"] == pytest.approx(sqrt((1 / 12) / (3 * 80 / 12 + 1 / 12)))
    assert region_shape(line, (1, 1, 1))["pieces"] == 9


def test_an_empty_region_has_no_volume_and_no_shape() -> None:
    found = region_shape(np.zeros((3, 3, 3), bool), SPACING)
    assert found["volume (mm3)"] == 0 and found["pieces"] == 0
    assert all(np.isnan(value) for name, value in found.items() if name not in ("volume (mm3)", "pieces"))


def boxes(count: int, seed: int, second: int = 3) -> np.ndarray:
    """Label volumes with a box of random size as id 1 and one of a given width as id 2."""
    random = np.random.default_rng(seed)
    volumes = np.zeros((count, 16, 16, 16), np.uint8)
    for volume in volumes:
        volume[box(*random.integers(2, 6, 3))] = 1
        volume[10:12, 10:12, 10 : 10 + second] = 2
    return volumes


REGIONS = {1: "anterior", 2: "posterior"}


def test_a_table_has_a_row_a_scan_and_a_column_a_quantity_of_each_region() -> None:
    names, table = shapes_of(boxes(3, 0), REGIONS, (1, 1, 1))
    assert table.shape == (3, len(names)) and table[:, names.index("volume (mm3) of posterior")].tolist() == [12] * 3


def test_only_what_differs_is_far_from_the_reals_and_by_how_much_it_differs() -> None:
    found = {one.name: one for one in measure_anatomy(boxes(60, 0), boxes(60, 1, second=5), REGIONS, (1, 1, 1), seed=0)}
    anterior, posterior = found["volume (mm3) of anterior"], found["volume (mm3) of posterior"]
    assert posterior.value == pytest.approx(20 - 12) and posterior.floor == 0
    assert found["extent along axis 3 (mm) of posterior"].value == pytest.approx(2)
    assert anterior.low < anterior.floor < anterior.high and anterior.best == "low"


def test_a_region_that_fakes_lack_is_far_in_volume_and_has_no_shape_to_compare() -> None:
    found = {one.name: one for one in measure_anatomy(boxes(8, 0), boxes(8, 1) % 2, REGIONS, (1, 1, 1), seed=0)}
    assert found["volume (mm3) of posterior"].value == pytest.approx(12)
    assert "elongation of posterior" not in found and "elongation of anterior" in found


def test_too_few_scans_are_refused() -> None:
    with pytest.raises(ValueError, match="takes 4 real and 4 generated label volumes and a region; given: 8, 3 and 2"):
        measure_anatomy(boxes(8, 0), boxes(3, 1), REGIONS, (1, 1, 1), seed=0)
