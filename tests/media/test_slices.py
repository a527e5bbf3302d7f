"""All slices of a volume on one sheet a plane: where each lies, how it is turned, and how large it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scan_files import affine, nifti

from gannet.media.label_map import colour_table
from gannet.media.slices import MOST_ON_SHEET, SliceSheet, slice_sheets


def cut(sheet: SliceSheet, number: int, sides: tuple[int, int]) -> np.ndarray:
    """One slice of a sheet, of so many pixels (wide, high)."""
    row, column = divmod(number, sheet.columns)
    wide, high = sides
    return np.asarray(sheet.picture)[row * high : (row + 1) * high, column * wide : (column + 1) * wide]


def written(values: np.ndarray, path: Path, spacing: tuple[float, float, float] = (1, 1, 1)) -> Path:
    """A scan in a file."""
    path.write_bytes(nifti(values, affine(spacing)))
    return path


def test_every_voxel_is_where_it_lies_in_three_planes(tmp_path: Path) -> None:
    values = np.zeros((7, 6, 5), np.float32)
    values[6, 5, 4] = 100  # To the right, in front, above.
    values[0, 0, 0] = 1
    axial, coronal, sagittal = slice_sheets(written(values, tmp_path / "a.nii"))
    assert [one.plane for one in (axial, coronal, sagittal)] == ["axial", "coronal", "sagittal"]
    assert [one.count for one in (axial, coronal, sagittal)] == [5, 6, 7]
    for sheet, number, sides in ((axial, 4, (7, 6)), (coronal, 5, (7, 5)), (sagittal, 6, (6, 5))):
        assert cut(sheet, number, sides)[0, -1] == 255, "its corner is to the right and up"
        assert np.count_nonzero(np.asarray(sheet.picture)) == 1


def test_shapes_are_those_in_millimetres(tmp_path: Path) -> None:
    found = slice_sheets(written(np.ones((10, 20, 5), np.float32), tmp_path / "a.nii", (1, 1, 4)))
    assert [one.shape for one in found] == pytest.approx([10 / 20, 10 / 20, 20 / 20])


def test_labels_have_the_colours_of_label_maps_and_nothing_is_seen_through(tmp_path: Path) -> None:
    values = np.zeros((8, 8, 8), np.uint8)
    values[1, 2, 3] = 2
    axial, *_ = slice_sheets(written(values, tmp_path / "a.nii"), "label-volume")
    one = cut(axial, 3, (8, 8))
    assert tuple(one[8 - 1 - 2, 1, :3]) == tuple(colour_table(3)[2]) and one[..., 3].astype(bool).sum() == 1


def test_of_large_volumes_every_so_manieth_slice_is_shown(tmp_path: Path) -> None:
    found = slice_sheets(written(np.ones((2 * MOST_ON_SHEET + 1, 8, 8), np.float32), tmp_path / "a.nii"))
    assert found[2].count == 86 and max(found[0].picture.size) <= 3 * MOST_ON_SHEET
    assert found[0].shape == pytest.approx((2 * MOST_ON_SHEET + 1) / 8), "as wide as it is"
