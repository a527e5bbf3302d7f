"""Label volumes: ids are kept, and they lie where their scan lies whatever is done to it."""

import tracemalloc

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_files import affine, lying, nifti, numbered

from gannet.media import label_volume, volume
from gannet.media.label_volume import region_numbers
from gannet.media.volume import Options
from gannet.media.volumes import Volume, affine_of
from gannet.schema import check

IDS = np.array([0, 1, 2, 7, 255], np.uint8)


def regions(sides: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(IDS, sides)


def fitted_together(scan: Volume, labels: Volume, size: tuple[int, int, int], options: Options) -> list[np.ndarray]:
    """What the cache makes of a pair."""
    over = label_volume.medium.lay_over(labels, volume.medium.ground(scan))
    fields = volume.medium.field(size, options), label_volume.medium.field(size, options)
    return [volume.medium.fit(scan, fields[0])[0], label_volume.medium.fit(over, fields[1])]


@settings(deadline=None, max_examples=30)
@given(
    sides=st.tuples(*[st.integers(4, 20)] * 3),
    size=st.tuples(*[st.integers(8, 16)] * 3),
    fit=st.sampled_from(["middle"]),
    codes=st.sampled_from(["RAS", "LPS", "PIR"]),
    tilted=st.sampled_from([0, 1]),
)
def test_labels_are_cropped_as_their_scan_and_keep_their_ids(
    sides: tuple[int, int, int], size: tuple[int, int, int], fit: str, codes: str, tilted: int
) -> None:
    """Intensities that are the ids themselves stay the ids, voxel for voxel, however both are stored."""
    told, given = regions(sides), affine((1, 2, 3), tilted=tilted)
    scan = volume.medium.read(nifti(told.astype(np.float32), given))
    labels = label_volume.medium.read(nifti(*lying(told, given, codes)))
    options = check(Options, {"window": [0, 255], "fit": fit})
    levels, kept = fitted_together(scan, labels, size, options)
    assert levels.shape == kept.shape == size and kept.dtype == np.uint8
    assert np.array_equal(levels, kept)


@pytest.mark.parametrize("how", [{"spacing": 1.4}, {"spacing": [3, 2, 1]}, {"fit": "stretch"}])
def test_resampled_labels_lie_over_their_scan_and_no_id_is_made_up(how: dict[str, object]) -> None:
    told = np.zeros((20, 22, 24), np.uint8)
    told[6:14, 5:17, 8:18] = 255
    given = affine((1.5, 1.5, 2))
    scan, labels = Volume(told.astype(np.float32), given), Volume(told, given)
    levels, kept = fitted_together(scan, labels, (16, 16, 16), check(Options, {"window": [0, 255], **how}))
    assert set(np.unique(kept)) <= {0, 255}
    inside, outside = levels > 250, levels < 5
    assert inside.any() and outside.any() and (kept[inside] == 255).all() and (kept[outside] == 0).all()


def test_labels_of_another_grid_are_brought_to_the_scan_s_as_simpleitk_brings_them() -> None:
    told, fine = regions((12, 14, 16)), affine((1, 1, 1), (-6, -7, -8))
    scan = Volume(numbered((7, 6, 8)), affine((2, 2, 1.5), (-5.7, -6.1, -5.2)))
    over = label_volume.medium.lay_over(Volume(told, fine), volume.medium.ground(scan))
    image = sitk.GetImageFromArray(
        told.transpose(2, 1, 0)
    )  # Both in line with the axes: the sign of two does not matter.
    image.SetOrigin((-6, -7, -8))
    wanted = sitk.Resample(
        image, (7, 6, 8), sitk.Transform(), sitk.sitkNearestNeighbor, (-5.7, -6.1, -5.2), (2, 2, 1.5)
    )
    assert np.array_equal(over.values, sitk.GetArrayFromImage(wanted).transpose(2, 1, 0))


def test_labels_that_lie_elsewhere_are_refused() -> None:
    told = np.ones((8, 8, 8), np.uint8)
    scan = Volume(numbered((8, 8, 8)), affine((1, 1, 1), (100, 0, 0)))
    with pytest.raises(ValueError, match="of what its label volume labels 0% lies within the scan"):
        label_volume.medium.lay_over(Volume(told, affine()), volume.medium.ground(scan))


@pytest.mark.parametrize(("shift", "share"), [(0, 1.0), (12, 0.6), (16, 0.4), (40, 0.0)])
def test_the_share_that_lies_within_the_scan_is_that_of_the_voxels(shift: int, share: float) -> None:
    told = np.zeros((24, 24, 24), np.uint8)
    told[2:22, 3:9, 4:7] = 3
    grid = volume.medium.ground(Volume(numbered((24, 24, 24)), affine((1, 1, 1), (shift - 2, 0, 0))))
    over = Volume(told, affine((1, 1, 1), (0, 0, 0)))
    if share < 0.5:
        with pytest.raises(ValueError, match=f"labels {share:.0%} lies within"):
            label_volume.medium.lay_over(over, grid)
    else:
        found = label_volume.medium.lay_over(over, grid).values
        assert (found == 3).sum() == round(share * (told == 3).sum())


def test_labels_are_brought_to_another_grid_in_little_more_than_they_take() -> None:
    told = np.full((96, 96, 96), 7, np.uint8)
    grid = volume.medium.ground(Volume(numbered((64, 64, 64)), affine((2, 2, 2))))
    tracemalloc.start()
    try:
        over = label_volume.medium.lay_over(Volume(told, affine()), grid)
        assert tracemalloc.get_traced_memory()[1] < 4 * told.nbytes and over.values.dtype == np.uint8
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((8, 8, 8), 0.5, np.float32), "its voxels are intensities and not numbers of regions"),
        (np.full((8, 8, 8), 2035, np.int16), "its numbers reach from 2035 to 2035; regions are numbered from 0 to 255"),
        (np.full((8, 8, 8), -1, np.int16), "its numbers reach from -1 to -1"),
    ],
)
def test_what_are_no_regions_is_refused(values: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        label_volume.medium.open(nifti(values))


def test_ids_survive_being_written_and_read() -> None:
    told = regions((8, 9, 10))
    content = label_volume.medium.encode(torch.from_numpy(told.astype(np.int64)), ".nii.gz", {"model": "a"})
    read = label_volume.medium.open(content)
    assert np.array_equal(read.values, told) and label_volume.medium.marks(read)["model"] == "a"
    again = label_volume.medium.open(label_volume.medium.encode(read, ".nii", {}))
    assert np.array_equal(again.values, told) and np.allclose(again.affine, read.affine)


def test_alone_they_are_cropped_around_what_they_label() -> None:
    told = np.zeros((30, 30, 30), np.uint8)
    told[20:24, 3:7, 10:14] = regions((4, 4, 4)) | 1
    fitted = label_volume.medium.fit(
        Volume(told, affine_of((1, 1, 1), told.shape)), label_volume.medium.field((8, 8, 8))
    )
    assert (fitted[2:6, 2:6, 2:6] == told[20:24, 3:7, 10:14]).all() and (fitted > 0).sum() == 64


def test_the_doctor_tells_shares_and_volumes_without_labels() -> None:
    some = np.zeros((2, 8, 8, 8), np.uint8)
    some[0, :4] = 3
    found = label_volume.medium.examine(some)
    assert found.shares == {0: 0.75, 3: 0.25} and found.lines == ("1 of them label nothing at data.size.",)


def test_moving_follows_the_scan() -> None:
    told = torch.from_numpy(regions((8, 8, 8)).astype(np.int64))[None]
    mirrored = torch.diag(torch.tensor([-1.0, 1.0, 1.0])).expand(1, 3, 3)
    assert torch.equal(label_volume.medium.move(told, mirrored), told.flip(1))


def test_whole_numbers_kept_as_floats_are_regions() -> None:
    assert region_numbers(np.array([0.0, 7.0, 255.0])).tolist() == [0, 7, 255]
