"""Scans for tests: NIfTI files written by nibabel, and DICOM slices by pydicom, as scanners and other programs do."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

TILT = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.0], [0.0, 0.0, 1.0]])


def affine(spacing: Sequence[float] = (1, 1, 1), origin: Sequence[float] = (-11, 7, 3), tilted: int = 0) -> np.ndarray:
    """An affine in RAS, along the axes or turned by some 16 degrees."""
    found = np.eye(4)
    found[:3, :3] = (TILT if tilted else np.eye(3)) @ np.diag(spacing)
    found[:3, 3] = origin
    return found


def numbered(sides: Sequence[int] = (9, 10, 11)) -> np.ndarray:
    """A volume of which every voxel has a number of its own."""
    return np.arange(1, 1 + int(np.prod(sides)), dtype=np.float32).reshape(sides)


def nifti(values: np.ndarray, given: np.ndarray | None = None, packed: bool = False, **header: Any) -> bytes:
    """Write a NIfTI file."""
    image = nibabel.Nifti1Image(values, affine() if given is None else given)
    for key, value in header.items():
        image.header[key] = value
    content = image.to_bytes()
    if not packed:
        return content
    import gzip

    return gzip.compress(content)


def lying(values: np.ndarray, given: np.ndarray, codes: str) -> tuple[np.ndarray, np.ndarray]:
    """A volume in RAS as it is stored in another order of axes."""
    order = ornt_transform(io_orientation(given), axcodes2ornt(codes))
    return apply_orientation(values, order), given @ inv_ornt_aff(order, values.shape)


def dicom_slice(pixels: np.ndarray, position: Sequence[float], series: str, **more: Any) -> bytes:
    """Write a slice (rows, columns), int16, that is seen from below, as scanners have it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_ = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    slice_.SOPClassUID, slice_.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    slice_.SeriesInstanceUID, slice_.Modality = series, "CT"
    slice_.Rows, slice_.Columns = pixels.shape
    slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
    slice_.BitsAllocated = slice_.BitsStored = 16
    slice_.HighBit, slice_.PixelRepresentation = 15, 1
    slice_.PixelData = pixels.astype("<i2").tobytes()
    slice_.ImagePositionPatient = list(map(float, position))
    slice_.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    slice_.PixelSpacing = [2.0, 3.0]
    for key, value in more.items():
        setattr(slice_, key, value)
    content = io.BytesIO()
    pydicom.dcmwrite(content, slice_, enforce_file_format=True)
    return content.getvalue()


def series(volume: np.ndarray, uid: str = "", between: float = 4.0, **more: Any) -> list[bytes]:
    """The slices of a volume (slices, rows, columns), `between` millimetres apart, the lowest first."""
    uid = uid or generate_uid()
    return [dicom_slice(one, (-20, -30, 5 + between * at), uid, **more) for at, one in enumerate(volume)]


def lay_series(folder: Path, slices: Sequence[bytes], ending: str = ".dcm") -> None:
    """Write slices into a folder, in an order that says nothing."""
    folder.mkdir(parents=True)
    for at, content in enumerate(slices):
        (folder / f"{(at * 7) % len(slices):03d}{ending}").write_bytes(content)
