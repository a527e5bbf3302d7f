"""Volumes: read as nibabel and SimpleITK read them, brought to size in millimetres, written so that both read them."""

import gzip
import time
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_files import affine, lying, nifti, numbered

from gannet.media import label_volume
from gannet.media.volume import Options, ScanFiles, VolumeMedium, medium, middle_planes
from gannet.media.volumes import Fit, Grid, Volume, affine_of, darkest_and_brightest, grid_of, interpolated
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC
from gannet.schema import check

FACTS = {"model": "scans-v1", "seed": 3, "said": 'quoted "so"'}
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
ORDERS = ["RAS", "LPS", "LAS", "PIR", "ASL", "SPL"]


def itk(content: bytes, folder: Path, ending: str = ".nii") -> sitk.Image:
    path = folder / f"scan{ending}"
    path.write_bytes(content)
    return sitk.ReadImage(str(path))


def itk_affine(image: sitk.Image) -> np.ndarray:
    """From voxels (x, y, z) to millimetres in RAS, by ITK's own account."""
    found = np.eye(4)
    found[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing())
    found[:3, 3] = image.GetOrigin()
    return LPS @ found


@pytest.mark.parametrize("codes", ORDERS)
@pytest.mark.parametrize("tilted", [0, 1])
def test_a_scan_is_turned_to_ras_as_simpleitk_turns_it(codes: str, tilted: int, tmp_path: Path) -> None:
    stored, stored_affine = lying(numbered(), affine((1, 2, 3), tilted=tilted), codes)
    content = nifti(stored, stored_affine)
    read = medium.open(content)
    turned = sitk.DICOMOrient(itk(content, tmp_path), "RAS")
    assert np.array_equal(read.values, sitk.GetArrayFromImage(turned).transpose(2, 1, 0))
    assert np.allclose(read.affine, itk_affine(turned), atol=1e-4)
    assert nibabel.aff2axcodes(read.affine) == ("R", "A", "S") and read.values.dtype == np.float32
    assert any("turned to RAS" in words for words in read.told) == (codes != "RAS")
    assert any("tilted" in words for words in read.told) == bool(tilted)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("tilted", [0, 1])
def test_what_is_written_lies_in_the_same_place_for_nibabel_and_simpleitk(
    ending: str, tilted: int, tmp_path: Path
) -> None:
    scan = Volume(numbered(), affine((1, 2, 3), tilted=tilted))
    content = medium.encode(scan, ending, FACTS)
    seen = itk(content, tmp_path, ending)
    assert np.array_equal(sitk.GetArrayFromImage(seen).transpose(2, 1, 0), scan.values)
    assert np.allclose(itk_affine(seen), scan.affine, atol=1e-4)
    loaded = nibabel.load(tmp_path / f"scan{ending}")
    assert np.allclose(loaded.affine, scan.affine, atol=1e-5) and loaded.header.get_xyzt_units()[0] == "mm"
    assert np.allclose(loaded.get_qform(), loaded.get_sform(), atol=1e-4)


def test_what_networks_made_has_the_spacing_and_says_that_it_is_synthetic(tmp_path: Path) -> None:
    made = torch.linspace(-1, 1, 9 * 10 * 11).view(1, 9, 10, 11)
    content = VolumeMedium((1.0, 2.0, 3.0)).encode(made, ".nii.gz", FACTS)
    seen = itk(content, tmp_path, ".nii.gz")
    assert seen.GetSpacing() == (1, 2, 3) and seen.GetSize() == (9, 10, 11)
    middle = seen.TransformContinuousIndexToPhysicalPoint([4, 4.5, 5])
    assert np.allclose(middle, 0, atol=1e-5)
    assert seen.GetMetaData("descrip").startswith("synthetic, not for diagnosis; Gannet scans-v1")
    read = medium.open(content)
    assert medium.marks(read) == {**FACTS, SOURCE_TYPE: SYNTHETIC}
    assert "it says that a model had a hand in it" in medium.remarks(read)
    assert np.abs(read.values / 127.5 - 1 - made[0].numpy()).max() < 0.005


def test_a_mark_outlives_a_program_that_drops_extensions(tmp_path: Path) -> None:
    seen = itk(medium.encode(torch.zeros(1, 8, 8, 8), ".nii", FACTS), tmp_path)
    nibabel_copy = nibabel.Nifti1Image(sitk.GetArrayFromImage(seen).transpose(2, 1, 0), np.eye(4))
    nibabel_copy.header["descrip"] = seen.GetMetaData("descrip").encode()
    assert medium.marks(medium.open(nibabel_copy.to_bytes())) == {SOURCE_TYPE: SYNTHETIC}


def test_what_says_nothing_says_nothing_and_the_same_is_written_twice() -> None:
    scan = Volume(numbered(), affine())
    first, second = (medium.encode(scan, ".nii.gz", {}) for _ in range(2))
    assert first == second and medium.marks(medium.open(first)) == {}
    assert b"ynthetic" not in gzip.decompress(first) and medium.open(first).told == ()


def test_scaled_integers_are_read_as_the_header_says() -> None:
    stored = np.arange(8**3, dtype=np.int16).reshape(8, 8, 8)
    image = nibabel.Nifti1Image(stored, affine())
    image.header.set_slope_inter(0.5, -10)
    content = bytearray(image.to_bytes())
    content[112:120] = np.array([0.5, -10], "<f4").tobytes()
    assert np.allclose(medium.open(bytes(content)).values, stored * 0.5 - 10)


def broken_affine() -> bytes:
    content = bytearray(nifti(numbered()))
    content[252:256] = np.array([0, 2], "<i2").tobytes()  # No quaternion, but a matrix of zeros.
    content[280:328] = bytes(48)
    return bytes(content)


def flat_affine() -> bytes:
    content = bytearray(nifti(numbered()))
    content[252:256] = np.array([0, 2], "<i2").tobytes()
    content[280:328] = np.array([[1, 0, 0, 0], [1e30, 1, 0, 0], [0, 0, 1, 0]], "<f4").tobytes()  # Two axes are one.
    return bytes(content)


COLOURS = np.zeros((8, 8, 8), [("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (nifti(np.zeros((8, 8, 8, 5), np.float32)), r"it holds 5 volumes \(8x8x8x5\); save each as its own file"),
        (nifti(np.zeros((8, 8, 1), np.float32)), r"it is a single slice \(8x8x1\)"),
        (nifti(np.zeros((8, 8), np.float32)), "it is a single slice"),
        (nifti(COLOURS), "its voxels are colours and not intensities"),
        (nifti(np.zeros((8, 8, 8), np.complex64)), "its voxels are complex numbers"),
        (nifti(numbered())[:-40], "it is cut short"),
        (nifti(numbered(), packed=True)[:-40], "it is cut short"),
        (nifti(numbered())[:200], "its header is broken"),
        (broken_affine(), "its affine is singular"),
        (flat_affine(), "its affine is singular"),
        (b"P6 3 3 255 and so on", "it is no NIfTI file"),
        (gzip.compress(b"P6 3 3 255 and so on", mtime=0), "it is no NIfTI file"),
        (b"", "it is no NIfTI file"),
    ],
)
def test_what_is_no_scan_is_refused_in_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^The volume cannot be read: .*{words}.*\.$") as told:
        medium.open(content)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("spacing", [(0.0005, 0.0005, 0.0005), (0.3, 0.3, 9), (2e4, 2e4, 2e4)])
def test_voxels_of_any_size_are_read(spacing: tuple[float, float, float]) -> None:
    found = medium.open(nifti(numbered(), affine(spacing)))
    assert np.allclose(found.spacing, spacing) and np.array_equal(found.values, numbered())


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "sides", "words"),
    [
        (1, (32000, 32000, 32000), "a side of it has 32,000 voxels, over the limit of 4,096"),
        (2, (1 << 25, 2, 2), "a side of it has 33,554,432 voxels, over the limit of 4,096"),
        (2, (1 << 40, 2, 2), "a side of it has 1,099,511,627,776 voxels"),
        (2, (2000, 2000, 2000), "it has 8,000,000,000 voxels, over the limit of 134,217,728"),
    ],
)
def test_a_header_that_claims_more_than_any_scan_holds_takes_no_memory(
    kind: int, sides: tuple[int, int, int], words: str, packed: bool
) -> None:
    """The voxels would be there, were they unpacked: zeros are packed a thousandfold."""
    image = (nibabel.Nifti1Image if kind == 1 else nibabel.Nifti2Image)(numbered(), affine())
    content, room = bytearray(image.to_bytes()), 16 << 20
    start, number = (42, "<i2") if kind == 1 else (24, "<i8")
    content[start : start + 3 * np.dtype(number).itemsize] = np.array(sides, number).tobytes()
    content = gzip.compress(content + bytes(4 * room)) if packed else content
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words):
            medium.open(bytes(content))
        assert tracemalloc.get_traced_memory()[1] < room
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("unit", "scale"), [(0, 1.0), (2, 1.0), (1, 1000.0), (3, 0.001), (3 + 8, 0.001), (7, 1.0)])
def test_lengths_are_millimetres_whatever_unit_a_header_names(unit: int, scale: float, tmp_path: Path) -> None:
    """Metres and microns are turned into millimetres, with a unit of time beside them, as SimpleITK does."""
    content = nifti(numbered(), affine((1, 2, 3)), xyzt_units=unit)
    read = medium.open(content)
    wanted = affine((1, 2, 3)) * [[scale], [scale], [scale], [1]]
    assert np.allclose(read.affine, wanted) and np.array_equal(read.values, numbered())
    if unit in (1, 2, 3):
        seen = sitk.DICOMOrient(itk(content, tmp_path), "RAS")
        assert np.allclose(read.spacing, seen.GetSpacing())
    written = medium.open(medium.encode(read, ".nii.gz", {}))
    assert np.allclose(written.affine, read.affine)


def test_a_volume_within_more_axes_of_one_is_read() -> None:
    values = numbered((8, 9, 10))
    assert np.array_equal(medium.open(nifti(values[..., None, None])).values, values)


def test_voxels_that_are_no_numbers_count_as_nothing_and_that_is_told() -> None:
    values = numbered()
    values[0, 0, :3] = [np.nan, np.inf, -np.inf]
    read = medium.open(nifti(values))
    assert np.array_equal(read.values[0, 0, :4], [0, 0, 0, values[0, 0, 3]])
    assert any("no numbers" in words for words in medium.remarks(read))


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ({"db_name": b"anything"}, True),
        ({"descrip": b"Doe^Jane"}, True),
        ({"aux_file": b"Jane Doe"}, True),
        ({"descrip": b"FSL5.0"}, False),
        ({"descrip": b"TE=3.0;Time=12.000"}, False),
    ],
)
def test_names_in_headers_are_told_without_being_repeated(header: dict[str, bytes], named: bool) -> None:
    told = medium.remarks(medium.open(nifti(numbered(), **header)))
    assert any("may name somebody" in words for words in told) == named
    assert not any("Doe" in words or "anything" in words for words in told)


def test_black_and_white_are_percentiles_of_what_was_measured() -> None:
    random = np.random.default_rng(0)
    values = np.zeros((20, 20, 20))
    values[5:15, 5:15, 5:15] = random.uniform(100, 200, (10, 10, 10))
    values[7, 7, 7] = 1e6  # Metal.
    low, high = darkest_and_brightest(values)
    measured = np.sort(values[values != 0])
    assert low == np.percentile(measured, 0.5) and high == np.percentile(measured, 99.5) < 201
    fitted = medium.fit(Volume(values, np.eye(4)), medium.field((20, 20, 20)))
    assert fitted.shape == (1, 20, 20, 20) and fitted[0, 0].max() == 0 and fitted.max() == 255


def test_levels_do_not_depend_on_a_scanner_s_units() -> None:
    values, field = numbered((10, 12, 14)), medium.field((8, 8, 8))
    one = medium.fit(Volume(values, np.eye(4)), field)
    other = medium.fit(Volume(values * 7 + 300, np.eye(4)), field)
    assert np.abs(one.astype(int) - other).max() <= 1


def test_a_window_is_the_same_for_all_scans() -> None:
    options = check(Options, {"window": [0, 255]})
    values = np.full((8, 8, 8), 51.0)
    values[0] = 1000
    fitted = medium.fit(Volume(values, np.eye(4)), medium.field((8, 8, 8), options))
    assert (fitted[0, 0] == 255).all() and (fitted[0, 1:] == 51).all()


@settings(deadline=None, max_examples=40)
@given(
    sides=st.tuples(*[st.integers(4, 20)] * 3),
    size=st.tuples(*[st.integers(8, 20)] * 3),
    spacing=st.sampled_from([1.0, 0.7, 2.5]),
)
def test_what_is_cropped_or_padded_keeps_its_intensities_and_its_middle(
    sides: tuple[int, int, int], size: tuple[int, int, int], spacing: float
) -> None:
    scan = Volume(numbered(sides), affine_of((spacing,) * 3, sides))
    found = interpolated(scan.values, Fit(size).places(grid_of(scan)), -1)
    kept = found[found >= 0]
    assert found.shape == size and np.isin(kept, scan.values).all()
    assert len(kept) == np.prod(np.minimum(sides, size))
    inside = np.argwhere(found >= 0)
    room = np.array(size) - inside.max(0) - 1
    assert np.abs(inside.min(0) - room).max() <= 1


def test_it_is_cropped_around_what_it_holds() -> None:
    values = np.zeros((40, 40, 40), np.float32)
    values[26:34, 4:12, 16:24] = numbered((8, 8, 8)) + 1000
    values[0, 39, 0] = 1200  # A stray voxel.
    found = interpolated(values, Fit((8, 8, 8)).places(grid_of(Volume(values, np.eye(4)))), 0)
    assert np.array_equal(found, values[26:34, 4:12, 16:24])


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.5, 2.0)])
def test_resampling_is_simpleitks(spacing: tuple[float, float, float]) -> None:
    random = np.random.default_rng(1)
    values = random.uniform(1, 2, (12, 14, 10)).astype(np.float32)
    scan = Volume(values, affine_of((1.0, 1.5, 2.0), values.shape))
    places = Fit((10, 12, 10), spacing).places(Grid(scan.sides, scan.affine, (5.5, 6.5, 4.5)))
    if min(spacing) == 1:  # No coarser than it was along any axis, so that nothing is smoothed.
        found = interpolated(values, places, 0)
        image = sitk.GetImageFromArray(values.transpose(2, 1, 0))
        image.SetSpacing((1.0, 1.5, 2.0))
        wanted = sitk.Resample(
            image,
            (10, 12, 10),
            sitk.Transform(),
            sitk.sitkLinear,
            [float(axis[0]) * step for axis, step in zip(places, (1.0, 1.5, 2.0), strict=True)],
            spacing,
        )
        assert np.allclose(found, sitk.GetArrayFromImage(wanted).transpose(2, 1, 0), atol=1e-5)
    steps = [float(axis[1] - axis[0]) for axis in places]
    assert np.allclose(np.array(steps) * (1.0, 1.5, 2.0), spacing)


def test_a_coarser_grid_shows_no_pattern_finer_than_it_holds() -> None:
    checks = np.indices((24, 24, 24)).sum(0) % 2.0
    scan = Volume(checks.astype(np.float32), np.eye(4))
    coarse = interpolated(
        scan.values, Fit((8, 8, 8), (3.0, 3.0, 3.0)).places(Grid(scan.sides, scan.affine, (11.5,) * 3)), 0
    )
    assert np.abs(coarse[1:-1, 1:-1, 1:-1] - 0.5).max() < 0.1
    ramp = Volume(np.broadcast_to(np.arange(24.0)[:, None, None], (24, 24, 24)), np.eye(4))
    even = interpolated(
        ramp.values, Fit((8, 8, 8), (2.0, 2.0, 2.0)).places(Grid(ramp.sides, ramp.affine, (11.5,) * 3)), 0
    )
    assert np.allclose(even[:, 4, 4], 11.5 + 2 * (np.arange(8) - 3.5), atol=1e-4)


def test_stretching_keeps_all_of_it_and_happens_only_when_asked() -> None:
    values = numbered((8, 16, 8))
    field = medium.field((8, 8, 8), check(Options, {"fit": "stretch"}))
    stretched = medium.fit(Volume(values, np.eye(4)), field)[0].astype(float)
    cropped = medium.fit(Volume(values, np.eye(4)), medium.field((8, 8, 8)))[0].astype(float)
    ends = medium.fit(Volume(values, np.eye(4)), medium.field((8, 16, 8)))[0]
    assert np.abs(stretched[:, 0] - ends[:, :2].mean(1)).max() <= 1
    assert np.array_equal(cropped, ends[:, 4:12])


def test_size_and_spacing_are_chosen_from_the_data() -> None:
    scans = [Volume(numbered(sides), affine((2, 2, 2))) for sides in [(35, 51, 35), (37, 48, 34), (36, 50, 200)]]
    found = medium.choose(iter(scans), Options())
    assert found.given == (1, 40, 48, 32) and found.spacing == (2, 2, 2) and found.asked is None
    coarser = medium.choose(iter(scans), check(Options, {"spacing": 4}))
    assert coarser.given == (1, 16, 24, 16) and coarser.spacing == (4, 4, 4) == coarser.asked
    assert found.words != coarser.words
    with pytest.raises(ValueError, match="None of the volumes can be read"):
        medium.choose(iter([]), Options())


@pytest.mark.parametrize("spacing", ["own", 4])
@pytest.mark.parametrize("chosen", [medium, label_volume.medium])
def test_what_is_stretched_is_as_large_in_millimetres_as_it_was(chosen: ScanFiles, spacing: object) -> None:
    scans = [Volume((numbered((36, 40, 20)) % 5).astype(np.uint8), affine((2, 1, 3)))] * 3
    field = chosen.choose(iter(scans), check(Options, {"fit": "stretch", "size": [16, 16, 16], "spacing": spacing}))
    assert np.multiply(field.spacing, 16) == pytest.approx([72, 40, 60])


def test_a_header_s_slip_of_a_million_millimetres_is_fitted_in_no_time() -> None:
    volume = Volume(numbered((20, 20, 20)), affine((1e-6, 1, 1)))
    start = time.process_time()
    found = medium.fit(volume, medium.field((16, 16, 16), check(Options, {"spacing": 1})))
    assert found.shape == (1, 16, 16, 16) and time.process_time() - start < 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"size": [32, 48]}, "data.size"),
        ({"spacing": 0}, "data.spacing"),
        ({"window": [3]}, "data.window"),
        ({"fit": "crop"}, "data.fit"),
    ],
)
def test_what_data_may_not_be_is_one_sentence(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(Options, given, "data")


def test_what_is_right_in_front_and_above_is_shown_there() -> None:
    volume = torch.full((1, 1, 9, 10, 11), -1.0)
    volume[..., 6:, 7:, 8:] = 1
    volume[..., 4, 5, 5] = -1
    marked = volume.clone()
    marked[..., 7, 8, 5], marked[..., 7, 5, 9], marked[..., 4, 8, 9] = 3, 3, 3
    above, behind, side = middle_planes(marked)[0, :, 0]
    for plane, (row, column) in zip((above, behind, side), [(1, 8), (1, 8), (1, 8)], strict=True):
        at = np.unravel_index(int(plane.argmax()), plane.shape)
        assert plane.max() == 3 and (at[0], at[1]) == (row, column), "up is the front or the top, right is right"


def test_moving_turns_planes_from_above_alike() -> None:
    volume = torch.rand(2, 1, 8, 9, 10)
    mirrored = torch.diag(torch.tensor([-1.0, 1.0, 1.0])).expand(2, 3, 3)
    assert torch.allclose(medium.move(volume, mirrored), volume.flip(2), atol=1e-5)


def test_an_array_is_a_volume_and_others_are_told_what_is() -> None:
    assert medium.open(numbered()).spacing == (1, 1, 1)
    with pytest.raises(ValueError, match=r"with shape \(3, 3\) is no volume"):
        medium.open(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="str is no volume|There is no volume"):
        medium.open("nothing.nii")
    with pytest.raises(ValueError, match="saved as .nii.gz, .nii, not .png"):
        medium.encode(numbered(), ".png", {})
