"""DICOM series: slices in any order become the volume that SimpleITK reads, or one sentence."""

import io
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import DeflatedExplicitVRLittleEndian, generate_uid
from scan_files import dicom_slice, lay_series, series

from gannet.media.dicom import patient_of, read_series
from gannet.media.volumes import Volume

PIXELS = np.arange(5 * 6 * 7).reshape(5, 6, 7).astype(np.int16) - 50


def read(slices: list[bytes]) -> Volume:
    return read_series([partial(bytes, one) for one in slices])


def test_a_series_is_the_volume_that_simpleitk_reads(tmp_path: Path) -> None:
    slices = series(PIXELS, RescaleSlope=2, RescaleIntercept=-1000)
    lay_series(tmp_path / "series", slices)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "series")))
    seen = sitk.DICOMOrient(reader.Execute(), "RAS")
    found = read(slices[::-1])
    assert np.array_equal(found.values, sitk.GetArrayFromImage(seen).transpose(2, 1, 0))
    origin = np.array(seen.GetOrigin()) * (-1, -1, 1)
    assert np.allclose(found.affine[:3, 3], origin) and np.allclose(found.spacing, seen.GetSpacing())
    assert np.allclose(found.spacing, (3, 2, 4)) and found.values.min() == 2 * -50 - 1000


def test_the_order_of_files_says_nothing() -> None:
    slices = series(PIXELS)
    shuffled = [slices[at] for at in (3, 0, 4, 2, 1)]
    assert np.array_equal(read(shuffled).values, read(slices).values)


def test_what_is_white_where_it_is_low_is_turned_about() -> None:
    plain, inverse = read(series(PIXELS)), read(series(PIXELS, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(inverse.values, -plain.values)


def with_gap() -> list[bytes]:
    slices = series(PIXELS)
    return [*slices[:2], *slices[3:]]


def mixed() -> list[bytes]:
    return [*series(PIXELS, SeriesDescription="T1 axial"), *series(PIXELS[:3], SeriesDescription="FLAIR")]


def turned() -> list[bytes]:
    uid = generate_uid()
    first, _, *rest = series(PIXELS, uid)
    other = dicom_slice(PIXELS[1], (-20, -30, 9), uid, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    return [first, other, *rest]


def lacking(name: str) -> list[bytes]:
    found = []
    for content in series(PIXELS):
        one = pydicom.dcmread(pydicom.filebase.DicomBytesIO(content))
        delattr(one, name)
        stream = pydicom.filebase.DicomBytesIO()
        pydicom.dcmwrite(stream, one)
        found.append(stream.getvalue())
    return found


@pytest.mark.parametrize(
    ("slices", "words"),
    [
        (mixed(), r"it holds 2 series, T1 axial \(5 slices\), FLAIR \(3 slices\); give each a folder of its own"),
        (with_gap(), "slices of it are missing: two lie 8.0 mm apart, and the others 4.0 mm"),
        ([*series(PIXELS, "1.2.3"), *series(PIXELS[:1], "1.2.3")], "two of its slices lie in one place"),
        (series(PIXELS[:1]), "it is a single slice"),
        (series(PIXELS, SamplesPerPixel=3), "its pixels are colours"),
        (series(PIXELS, NumberOfFrames=5), "its files hold many slices each; turn it into NIfTI"),
        (turned(), "its slices are turned against each other"),
        (lacking("ImagePositionPatient"), r"do not say where they lie \(ImagePositionPatient is missing\)"),
    ],
    ids=["mixed", "gap", "twice", "single", "colours", "frames", "turned", "lacking"],
)
def test_what_is_no_series_is_one_sentence(slices: list[bytes], words: str) -> None:
    with pytest.raises(ValueError, match=words) as told:
        read(slices)
    assert "\n" not in str(told.value)


def test_of_a_series_one_file_is_held_at_a_time() -> None:
    """What headers carry beside pixels is not kept, nor are the pixels of a slice once they lie in the volume."""
    megabyte = 1 << 20
    slices = series(np.zeros((24, 8, 8), np.int16), EncapsulatedDocument=bytes(megabyte))
    with_pixels = series(np.zeros((24, 512, 512), np.int16))
    for given, most in ((slices, 6 * megabyte), (with_pixels, 2.6 * 24 * megabyte)):
        read(given[:2])  # What is imported only once does not count.
        tracemalloc.start()
        try:
            read([bytes(bytearray(one)) for one in given])
            held = sum(map(len, given))
            assert tracemalloc.get_traced_memory()[1] < held + most
        finally:
            tracemalloc.stop()


def test_a_header_that_claims_a_huge_side_takes_no_memory() -> None:
    claiming = series(PIXELS, Rows=60_000, Columns=2)
    with pytest.raises(ValueError, match="a side of it has 60,000 voxels, over the limit of 4,096"):
        read(claiming)


def test_files_that_change_while_they_are_read_are_one_sentence() -> None:
    before, after = series(PIXELS), series(PIXELS[:, :4])
    given = [iter(pair) for pair in zip(before, after, strict=True)]
    with pytest.raises(ValueError, match="the pixels of its slices are of another size than their headers say"):
        read_series([partial(next, one) for one in given])


def deflated(megabytes: int) -> bytes:
    one = pydicom.dcmread(io.BytesIO(series(PIXELS, PatientID="4711")[0]))
    one.add_new(0x00091010, "OB", bytes(megabytes << 20))
    one.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, one)
    return stream.getvalue()


def test_what_would_unpack_to_any_size_is_never_unpacked() -> None:
    content = deflated(64)
    assert len(content) < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="packed whole"):
            read([content, content])
        assert patient_of(io.BytesIO(content)) == ""
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"PatientName": "Doe^Jane"}, "its headers name the patient"),
        ({"PatientID": "4711"}, "its headers name the patient"),
        ({"BurnedInAnnotation": "YES"}, "text is burnt into its pixels"),
    ],
)
def test_what_headers_say_of_people_is_told_and_not_repeated(header: dict[str, Any], words: str) -> None:
    found = read(series(PIXELS, **header))
    assert len(found.told) == 1 and words in found.told[0]
    assert "Doe" not in repr(found.told) and "4711" not in repr(found.told)
    assert read(series(PIXELS)).told == ()


def test_uneven_slices_are_told() -> None:
    uid = generate_uid()
    heights = [0, 4, 8, 12.5, 16]
    slices = [dicom_slice(one, (0, 0, at), uid) for one, at in zip(PIXELS, heights, strict=True)]
    assert read(slices).told == ("its slices lie unevenly; they are taken as if they did not",)


def test_whose_a_series_is_is_read_from_its_header(tmp_path: Path) -> None:
    (tmp_path / "slice").write_bytes(series(PIXELS, PatientID="4711")[0])
    with (tmp_path / "slice").open("rb") as stream:
        assert patient_of(stream) == "4711"
    assert patient_of(io.BytesIO(series(PIXELS, PatientID="4711")[0][:200])) == ""
    (tmp_path / "slice").write_bytes(b"nothing")
    with (tmp_path / "slice").open("rb") as stream:
        assert patient_of(stream) == ""
