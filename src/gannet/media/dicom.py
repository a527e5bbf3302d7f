"""DICOM series: slices in files of their own that are one volume together, read by pydicom, which is an extra."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gannet.media.nifti import check_affine, nibabel
from gannet.media.volumes import Affine, Sides, Volume, Voxels, check_sides

NEEDS = "DICOM series need pydicom; run: pip install 'gannet[scans]'"
MARK, MARK_AT = b"DICM", 128
"""What a DICOM file has behind its preamble, and the bytes of that."""
TO_RIGHT_AND_FRONT = np.diag([-1.0, -1.0, 1.0, 1.0])
"""DICOM's millimetres run to the left and backwards (PS3.3, C.7.6.2.1.1)."""
TOGETHER, MISSING, UNEVEN = 1e-3, 1.5, 1.02
"""Millimetres below which two slices lie in one place; of the median distance, what tells that slices are missing
between two, and that they lie unevenly."""
SHOWN = 3
"""Series that are named."""
READ = (
    *("SeriesInstanceUID", "SeriesDescription", "SamplesPerPixel", "NumberOfFrames", "Rows", "Columns"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
    *("PatientName", "PatientID", "BurnedInAnnotation"),
)
"""What headers are read for, before any pixels are."""
DEFLATED, META = "1.2.840.10008.1.2.1.99", 2
"""The transfer syntax whose data set is packed whole, and unpacks to any size; the group that names the syntax."""
NAMED = "its headers name the patient; nothing of that is kept"
BURNT_IN = "its headers say that text is burnt into its pixels"
LYING_UNEVENLY = "its slices lie unevenly; they are taken as if they did not"


def pydicom() -> Any:
    """Import pydicom; ValueError with what to do where it is not installed."""
    try:
        import pydicom as found
    except ImportError:
        raise ValueError(NEEDS) from None
    return found


def is_dicom(head: bytes) -> bool:
    """Tell a DICOM file by its first 132 bytes."""
    return head[MARK_AT : MARK_AT + len(MARK)] == MARK


def patient_of(stream: Any) -> str:
    """Give the PatientID in a file's header, which is to be written nowhere; empty where there is none."""
    library = pydicom()
    try:
        _refuse_deflated(stream)
        header = library.dcmread(stream, stop_before_pixels=True, specific_tags=["PatientID"])
        return str(header.get("PatientID", "") or "").strip()
    except Exception:  # A broken header makes pydicom raise anything; reading the series will say so.
        return ""


def read_series(readers: Sequence[Callable[[], bytes]]) -> Volume:
    """Read the slices of one series as a volume, ordered by where they lie and turned to RAS+.

    All headers are read first, then the pixels of a file at a time.

    Args:
        readers: each gives a file whole, twice.

    Returns:
        values float32, scaled as the headers say: Hounsfield units of computed tomography.

    Raises:
        ValueError: they are no series of slices that lie beside each other; one sentence.
    """
    headers = [_header(read()) for read in readers]
    _refuse_several(headers)
    for one in headers:
        _check_slice(one)
    _refuse_turned(headers)
    normal = np.cross(*_directions(headers[0]))
    heights = [float(normal @ _position(one)) for one in headers]
    order = sorted(range(len(heights)), key=heights.__getitem__)
    slices = [headers[at] for at in order]
    told, affine = _told(slices, np.diff(sorted(heights))), _affine(slices)
    check_affine(affine)
    values = _stacked([readers[at] for at in order], (int(slices[0].Columns), int(slices[0].Rows), len(slices)))
    upright = nibabel().as_closest_canonical(nibabel().Nifti1Image(values, affine))
    turned = np.ascontiguousarray(upright.dataobj, np.float32)
    return Volume(turned, np.asarray(upright.affine, np.float64), {}, told)


def _header(content: bytes) -> Any:
    """Read what is to be known of a slice before its pixels."""
    stream = io.BytesIO(content)
    _refuse_deflated(stream)
    return pydicom().dcmread(stream, stop_before_pixels=True, specific_tags=list(READ))


def _stacked(readers: Sequence[Callable[[], bytes]], sides: Sides) -> Voxels:
    """Give the pixels of slices in order as a volume (column, row, slice), float32."""
    values = np.empty(sides, np.float32)
    for at, read in enumerate(readers):
        pixels = _intensities(pydicom().dcmread(io.BytesIO(read())))
        if pixels.T.shape != sides[:2]:
            raise ValueError("the pixels of its slices are of another size than their headers say; copy it again")
        values[:, :, at] = pixels.T
    return values


def _refuse_deflated(stream: Any) -> None:
    """Refuse a file that would be unpacked whole, to any size, before anything of it is known."""
    stream.seek(MARK_AT + len(MARK))
    meta = pydicom().filereader.read_dataset(stream, False, True, stop_when=lambda tag, *_: tag >> 16 != META)
    stream.seek(0)
    if meta.get("TransferSyntaxUID") == DEFLATED:
        raise ValueError("its slices are packed whole (deflated); save them uncompressed")


def _refuse_several(slices: Sequence[Any]) -> None:
    """Refuse a folder of several series, naming them."""
    counts = Counter(str(one.get("SeriesInstanceUID", "")) for one in slices)
    if len(counts) < 2:
        return
    names = {str(one.get("SeriesInstanceUID", "")): str(one.get("SeriesDescription", "")) for one in slices}
    first = [f"{names[uid] or uid} ({count:,} slices)" for uid, count in counts.most_common(SHOWN)]
    more = ", ..." if len(counts) > SHOWN else ""
    raise ValueError(f"it holds {len(counts)} series, {', '.join(first)}{more}; give each a folder of its own")


def _check_slice(one: Any) -> None:
    """Refuse what is no slice of intensities in a known place."""
    if int(one.get("SamplesPerPixel", 1)) != 1:
        raise ValueError("its pixels are colours and not intensities; give slices of one number a pixel")
    if int(one.get("NumberOfFrames", 1) or 1) > 1:
        raise ValueError("its files hold many slices each; turn it into NIfTI, by dcm2niix for one")
    lacking = [
        name
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")
        if one.get(name) in (None, "")
    ]
    if lacking:
        raise ValueError(f"its slices do not say where they lie ({lacking[0]} is missing)")


def _refuse_turned(slices: Sequence[Any]) -> None:
    """Refuse slices that cannot lie on each other."""
    if len(slices) < 2:
        raise ValueError("it is a single slice; give volumes, or slices as pictures")
    first = slices[0]
    if any(not np.allclose(_directions(one), _directions(first), atol=1e-3) for one in slices):
        raise ValueError("its slices are turned against each other, as those of a localizer are; give one direction")
    if any((one.Rows, one.Columns) != (first.Rows, first.Columns) for one in slices):
        raise ValueError("its slices are of several sizes; give slices of one size")
    check_sides([int(first.Columns), int(first.Rows), len(slices)])


def _told(slices: Sequence[Any], distances: Any) -> tuple[str, ...]:
    """Check how far slices lie apart, in order, and say what there is to know of them."""
    usual = float(np.median(distances))
    if distances.min() < TOGETHER:
        raise ValueError("two of its slices lie in one place; give one scan of them")
    if distances.max() > MISSING * usual:
        raise ValueError(
            f"slices of it are missing: two lie {distances.max():.1f} mm apart, and the others {usual:.1f} mm"
        )
    found = {
        LYING_UNEVENLY: distances.max() > UNEVEN * usual or distances.min() * UNEVEN < usual,
        NAMED: any(str(slices[0].get(key, "") or "") for key in ("PatientName", "PatientID")),
        BURNT_IN: any(str(one.get("BurnedInAnnotation", "")).upper() == "YES" for one in slices),
    }
    return tuple(words for words, holds in found.items() if holds)


def _position(one: Any) -> Any:
    """Give where the middle of the first pixel lies, in DICOM's millimetres."""
    return np.array(one.ImagePositionPatient, np.float64)


def _directions(one: Any) -> Any:
    """Give in which directions a row and a column run, (2, 3)."""
    return np.array(one.ImageOrientationPatient, np.float64).reshape(2, 3)


def _intensities(one: Any) -> Voxels:
    """Give a slice (rows, columns), scaled, the brightest as white."""
    try:
        pixels = one.pixel_array.astype(np.float32)
    except Exception as error:  # A decoder that is not there, or broken pixels.
        raise ValueError(f"its pixels cannot be decoded ({str(error)[:80]}); save them uncompressed") from None
    scaled: Voxels = pixels * float(one.get("RescaleSlope", 1) or 1) + float(one.get("RescaleIntercept", 0) or 0)
    return -scaled if one.get("PhotometricInterpretation") == "MONOCHROME1" else scaled


def _affine(slices: Sequence[Any]) -> Affine:
    """Give the affine of voxels (column, row, slice), in millimetres to the right, to the front and upwards."""
    first = slices[0]
    along_row, along_column = _directions(first)
    between_rows, between_columns = (float(one) for one in first.PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0] = along_row * between_columns
    affine[:3, 1] = along_column * between_rows
    affine[:3, 2] = (_position(slices[-1]) - _position(first)) / (len(slices) - 1)
    affine[:3, 3] = _position(first)
    return TO_RIGHT_AND_FRONT @ affine
