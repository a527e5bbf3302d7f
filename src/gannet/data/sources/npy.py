"""NumPy's .npy files: one array of pictures, mapped into memory and never unpickled."""

from __future__ import annotations

import math
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gannet.data.records import file_stamp
from gannet.data.sources.arrays import ArraySource
from gannet.data.sources.layout import in_utf8
from gannet.media.arrays import channels_last

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]


def open_npy(path: Path) -> ArraySource:
    """Open an .npy of pictures (n h w, n h w c or n c h w); ValueError where it is none or cut short."""
    values = _mapped(path)
    try:
        return ArraySource(in_utf8(path.name), f"npy {file_stamp(path, '')}", channels_last(values))
    except ValueError as error:
        raise ValueError(f"{path} holds no pictures: {error}.") from None


def _mapped(path: Path) -> npt.NDArray[Any]:
    """Map a file's array, once it has been found to hold what its header claims."""
    with path.open("rb") as stream:
        shape, fortran, dtype = read_header(stream, path, "its array")
        start, size = stream.tell(), path.stat().st_size
    claimed = start + math.prod(shape) * dtype.itemsize
    if claimed > size:
        raise ValueError(f"{path} claims {claimed:,} bytes and has {size:,}; save or copy it again.")
    if claimed == start:
        raise ValueError(f"{path} holds no pictures: {dtype} of shape {shape} is no picture, for it is empty.")
    values = np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")
    return values.view(np.ndarray)


def read_header(stream: IO[bytes], path: Path, name: str) -> Header:
    """Read an array's shape, whether its first axis is the fastest, and its type; ValueError where it is none or
    holds Python objects."""
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except (ValueError, TypeError, RecursionError, MemoryError, OverflowError, TokenError) as error:
        raise ValueError(f"{path} holds something that is no NumPy array; save it again with NumPy.") from error
    if any(type(side) is not int or not 0 <= side < 2**48 for side in shape):
        raise ValueError(f"{path} holds an array of shape {shape}; save it again with NumPy.")
    if dtype.hasobject:
        raise ValueError(
            f"{path} holds Python objects in {name}, which can run code when opened and is never done here; save plain "
            "arrays with NumPy."
        )
    return shape, fortran, dtype
