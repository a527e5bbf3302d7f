"""NIfTI files (Cox et al., 2004): volumes with an affine, read and written by nibabel, which is an extra."""

from __future__ import annotations

import gzip
import io
import logging
import re
import zlib
from math import prod
from typing import IO, Any, cast

import numpy as np

from gannet.media.volumes import Affine, Volume, Voxels, check_sides
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, Facts, comment, facts_of
from gannet.runtime.reading import read_bounded

NEEDS = "scans need nibabel; run: pip install 'gannet[scans]'"
GZIP, LEVEL = b"\x1f\x8b", 6
"""What packed files begin with, and how hard what is written is packed."""
KINDS = {348: "Nifti1Image", 540: "Nifti2Image"}
"""The bytes of a header, by which the two versions of the format are told."""
LENGTHS = {1: 1_000.0, 3: 0.001}
"""Millimetres of the units that a header may name (1: metres, 3: microns); all others count as millimetres."""
LENGTH_BITS = 7
"""The bits of `xyzt_units` that name the unit of lengths; the others are of time."""
COMMENT_CODE, DICOM_CODE, SCANNER = 6, 2, 1
"""The format's codes of a comment and of DICOM's attributes in an extension, and of an affine in scanner's space."""
SAYS, DESCRIPTION_BYTES = "synthetic, not for diagnosis", 79
"""How the description of what a model made begins, and the bytes that the header has for one."""
LIKE_A_NAME = re.compile(r"\^|\b[A-Z][a-z]+[ ,_]+[A-Z][a-z]+\b")
"""What may be somebody's name: DICOM's carets, or two words with capitals."""
NAMED = "its header has a text that may name somebody"
TURNED, TILTED = "it lay as {} and was turned to RAS", "its axes are tilted against the scanner's, and stay so"
UNPLACED = "its header does not say how it lies; it is taken as RAS"
NO_NUMBERS = "some of its voxels are no numbers, and count as 0"
CUT_SHORT = "it is cut short; make or copy it again"
NO_SCAN = "it is no NIfTI file"
FLATTEST = 1e-6
"""The volume of what an affine's axes span, were each of them one long, below which they lie in a plane."""


def check_nifti(head: bytes) -> None:
    """Raise ValueError where no NIfTI file begins so."""
    if head[:2] != GZIP:
        _kind(head)


def _kind(head: bytes) -> str:
    """Tell the version of the format by the bytes of its header, in either order of bytes."""
    for order in ("little", "big"):
        if (found := KINDS.get(int.from_bytes(head[:4], order))) is not None:
            return found
    raise ValueError(NO_SCAN)


def nibabel() -> Any:
    """Import nibabel; ValueError with what to do where it is not installed."""
    try:
        import nibabel as found
    except ImportError:
        raise ValueError(NEEDS) from None
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)  # What matters of that is raised, or told by name.
    return found


@np.errstate(all="ignore")  # What overflows is no number then, which is told.
def read_nifti(content: bytes) -> Volume:
    """Read a volume, turned so that its axes run to the right, to the front and upwards.

    Returns:
        values float32, scaled as the header says; its affine in millimetres, whatever unit the header names.

    Raises:
        ValueError: it is cut short, holds no volume of numbers, or its affine does not say where voxels lie.
    """
    content = _unpacked(content) if content[:2] == GZIP else content
    image = _opened(content)
    _check(image, len(content))
    upright = nibabel().as_closest_canonical(image)
    values, told = _numbers(upright), _told(image)
    if not np.isfinite(values).all():
        values, told = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), [*told, NO_NUMBERS]
    return Volume(values, _in_millimetres(upright), _facts(image.header), tuple(told))


def _in_millimetres(image: Any) -> Affine:
    """Give the affine (4, 4), from voxels to millimetres."""
    affine = np.array(image.affine, np.float64)
    affine[:3] *= LENGTHS.get(int(image.header["xyzt_units"]) & LENGTH_BITS, 1.0)
    return affine


def _unpacked(content: bytes) -> bytes:
    """Unpack a file; ValueError before that where its header claims a volume larger than any."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            _check_claimed(stream.read(max(KINDS)))
            stream.seek(0)
            return read_bounded(cast(IO[bytes], stream))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ValueError(CUT_SHORT) from None


def _check_claimed(head: bytes) -> None:
    """Raise ValueError where a header claims a volume larger than any; what is broken is found when it is opened."""
    kind = getattr(nibabel(), _kind(head)).header_class
    try:
        claimed = kind(head[: kind.template_dtype.itemsize], check=False).get_data_shape()
    except Exception:  # A broken header makes nibabel raise anything.
        return
    if len(claimed) > 2:
        check_sides([int(side) for side in claimed[:3]])


def _opened(content: bytes) -> Any:
    """Read the header; the voxels are read when they are asked for."""
    kind = getattr(nibabel(), _kind(content[:4]))
    try:
        return kind.from_bytes(content)
    except Exception as error:  # A broken header makes nibabel raise anything.
        raise ValueError(f"its header is broken ({error})") from None


def _check(image: Any, have: int) -> None:
    """Refuse what is no volume, or not all there."""
    kind, sides = image.header.get_data_dtype(), [int(side) for side in image.shape]
    if kind.names or kind.kind == "c":
        what = "colours" if kind.names else "complex numbers"
        raise ValueError(f"its voxels are {what} and not intensities; save a volume of one number a voxel")
    if len(sides) > 3 and set(sides[3:]) != {1}:
        raise ValueError(
            f"it holds {prod(sides[3:]):,} volumes ({'x'.join(map(str, sides))}); save each as its own file"
        )
    if len(sides) < 3 or min(sides[:3]) < 2:
        raise ValueError(f"it is a single slice ({'x'.join(map(str, sides))}); give volumes, or slices as pictures")
    check_sides(sides)
    if have < image.dataobj.offset + prod(sides) * kind.itemsize:
        raise ValueError(CUT_SHORT)
    check_affine(np.asarray(image.affine, np.float64))


def check_affine(affine: Affine) -> None:
    """Raise ValueError where an affine (4, 4) does not say where voxels lie: whatever the unit, its axes span space."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    whole = np.isfinite(affine).all() and lengths.all() and np.isfinite(lengths).all()
    if not whole or abs(np.linalg.det(affine[:3, :3] / lengths)) < FLATTEST:
        raise ValueError("its affine is singular, so that it does not say where its voxels lie; mend its header")


def _numbers(image: Any) -> Voxels:
    """Give the voxels, float32 (x, y, z)."""
    values: Voxels = np.asarray(image.dataobj, np.float32)
    return values.reshape(values.shape[:3])


def _told(image: Any) -> list[str]:
    """Say what there is to know of how it lies, and of names in its header."""
    codes = "".join(map(str, nibabel().aff2axcodes(image.affine)))
    rotation = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    placed = int(image.header["sform_code"]) or int(image.header["qform_code"])
    found = {
        UNPLACED: not placed,
        TURNED.format(codes): codes != "RAS",
        TILTED: np.abs(rotation).max(0).min() < 0.999,
        NAMED: _may_name(image.header),
    }
    return [words for words, holds in found.items() if holds]


def _may_name(header: Any) -> bool:
    """Tell whether texts of a header may name somebody: one is for a patient's name in older formats."""
    texts = [_text(header, key) for key in ("descrip", "aux_file", "intent_name")]
    own = _text(header, "db_name") if "db_name" in header else ""
    attributes = any(one.get_code() == DICOM_CODE for one in header.extensions)
    return attributes or bool(own) or any(LIKE_A_NAME.search(text) for text in texts)


def _text(header: Any, key: str) -> str:
    return bytes(header[key]).split(b"\0")[0].decode("latin-1").strip()


def _facts(header: Any) -> Facts:
    """Read what a file says of a model; its description alone where an extension was lost on the way."""
    for one in header.extensions:
        if one.get_code() == COMMENT_CODE:
            content = one.get_content()
            told = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
            if found := facts_of("", told.rstrip("\0 ")):
                return found
    return {SOURCE_TYPE: SYNTHETIC} if _text(header, "descrip").startswith(SAYS) else {}


def write_nifti(values: Voxels, affine: Affine, ending: str, facts: Facts, intent: str = "none") -> bytes:
    """Write a volume (x, y, z), packed where the ending says so, whose header says by `facts` where it came from."""
    library = nibabel()
    image = library.Nifti1Image(values, affine)
    image.set_sform(affine, SCANNER)
    image.set_qform(affine, SCANNER)
    image.header.set_xyzt_units("mm")
    image.header.set_intent(intent)
    if facts:
        said = f"{SAYS}; Gannet {facts.get('model', '')}".strip().encode("ascii", "replace")
        image.header["descrip"] = said[:DESCRIPTION_BYTES]
        extension = library.nifti1.Nifti1Extension(COMMENT_CODE, comment(facts).encode())
        image.header.extensions.append(extension)
    content: bytes = image.to_bytes()
    return gzip.compress(content, LEVEL, mtime=0) if ending.lower().endswith(".gz") else content
