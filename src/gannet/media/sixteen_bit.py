"""Colours of sixteen bits, which Pillow decodes by halves: their upper bytes, or, asked the other way round, the lower.

A decoder that is told the wrong order of bytes gives the lower ones, so that reading twice gives both.
"""

import io
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin, TiffImagePlugin

ROWS = 256
FIRST, INCH = 8, 0.0254
"""Where the table of a TIFF file lies, and the metres in an inch."""
Deep = npt.NDArray[np.uint16]
OTHER = "B" if sys.byteorder == "little" else "L"
"""The order of bytes that is not this machine's."""
ORDERS = {f"{mode};16{order}": mode for mode in ("RGB", "RGBA") for order in "BLN"}


def is_deep(picture: Image.Image) -> bool:
    """Tell whether a picture, opened and not yet decoded, has colours of sixteen bits."""
    tiles = getattr(picture, "tile", [])
    return bool(tiles) and all(_raw(tile.args) in ORDERS for tile in tiles)


def read_lower(picture: Image.Image) -> None:
    """Have the lower bytes of a picture, opened and not yet decoded, decoded in place of the upper ones."""
    picture.tile = [tile._replace(args=_with_raw(tile.args)) for tile in picture.tile]  # type: ignore[attr-defined]
    picture.load()


def lower_bytes(picture: Image.Image) -> Image.Image:
    """Decode the file of a picture, opened and not yet decoded, once more: lower bytes in place of the upper ones."""
    stream: Any = picture.fp  # type: ignore[attr-defined]
    place = stream.tell()
    stream.seek(0)
    other = Image.open(io.BytesIO(stream.read()), formats=[str(picture.format)])
    stream.seek(place)
    other.seek(picture.tell())
    read_lower(other)
    return other


def joined(upper: npt.NDArray[Any], lower: npt.NDArray[Any]) -> Deep:
    """Join upper and lower bytes as values of sixteen bits."""
    values: Deep = upper.astype(np.uint16) << np.uint16(8) | lower.astype(np.uint16)
    return values


def _raw(args: Any) -> str:
    return str(args[0] if isinstance(args, tuple) else args)


def _with_raw(args: Any) -> Any:
    raw = _raw(args)
    swapped = raw[:-1] + {"B": "L", "L": "B", "N": OTHER}[raw[-1]]
    return (swapped, *args[1:]) if isinstance(args, tuple) else swapped


def encode_png(values: Deep, options: dict[str, Any]) -> bytes:
    """Give a PNG file of colours (h, w, 3) or, with transparency, (h, w, 4), with Pillow's options for the format."""
    height, width, channels = values.shape
    content = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    content.seek(0, io.SEEK_END)
    put = PngImagePlugin.putchunk
    put(content, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0))
    if profile := options.get("icc_profile"):
        put(content, b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile))
    if density := options.get("dpi"):
        put(content, b"pHYs", struct.pack(">IIB", *(round(dots / INCH) for dots in density), 1))
    for kind, data, *_ in options["pnginfo"].chunks if "pnginfo" in options else ():
        put(content, kind, data)
    if notes := options.get("exif"):
        put(content, b"eXIf", notes.removeprefix(b"Exif\0\0"))
    compressor = zlib.compressobj(6)
    for rows in _filtered(values):
        put(content, b"IDAT", compressor.compress(rows.tobytes()))
    put(content, b"IDAT", compressor.flush())
    put(content, b"IEND", b"")
    return content.getvalue()


def _filtered(values: Deep) -> Iterator[npt.NDArray[np.uint8]]:
    """Some rows after the other, each less the one above it (the filter called Up), which compresses better."""
    above = np.zeros((1, values[:1].nbytes), np.uint8)
    for top in range(0, len(values), ROWS):
        rows = values[top : top + ROWS].astype(">u2").view(np.uint8).reshape(-1, above.shape[1])
        less = rows - np.concatenate([above, rows[:-1]])
        yield np.concatenate([np.full((len(rows), 1), 2, np.uint8), less], 1)
        above = rows[-1:]


def encode_tiff(values: Deep, options: dict[str, Any]) -> bytes:
    """Give a TIFF file of the same, not compressed."""
    height, width, channels = values.shape
    table = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    for tag, value in dict(options.get("tiffinfo", {})).items():
        table[tag] = value
    data = np.ascontiguousarray(values, "<u2")
    # Pillow adds to the place of the data where the table ends, which is where they begin.
    plain = {256: width, 257: height, 258: (16,) * channels, 259: 1, 262: 2, 273: 0, 277: channels, 278: height}
    density = dict(zip((282, 283, 296), (*options["dpi"], 2), strict=True)) if "dpi" in options else {}
    for tag, value in {**plain, **density, 279: data.nbytes, **({338: 2} if channels == 4 else {})}.items():
        table[tag] = value
    if profile := options.get("icc_profile"):
        table.tagtype[34675] = 7
        table[34675] = profile
    return b"".join([b"II*\0", struct.pack("<I", FIRST), table.tobytes(FIRST), data.tobytes()])
