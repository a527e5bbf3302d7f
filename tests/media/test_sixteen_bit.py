"""Colours of sixteen bits come through whole, in files of our own and of others."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gannet.media.photograph import Photograph, read_photograph
from gannet.media.pixels import natural_pixels, open_picture

RANDOM = np.random.default_rng(0)


def deep(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 65536, shape).astype(np.uint16)


def plain_png(values: np.ndarray) -> bytes:
    """A PNG file by its specification: no filter, one chunk of data."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize("channels", [3, 4])
def test_a_png_of_others_is_read_with_all_of_its_bits(channels: int) -> None:
    values = deep(7, 5, channels)
    read = read_photograph(plain_png(values))
    assert np.array_equal(read.values, values[..., :3])
    assert (read.alpha is None) if channels == 3 else np.array_equal(read.alpha, values[..., 3])


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"compression": "zlib"}])
def test_a_tiff_of_others_is_read_with_all_of_its_bits(options: dict[str, str]) -> None:
    values, content = deep(9, 6, 3), io.BytesIO()
    tifffile.imwrite(content, values, photometric="rgb", **options)
    assert np.array_equal(read_photograph(content.getvalue()).values, values)


@pytest.mark.parametrize("ending", [".png", ".tif"])
@given(height=st.integers(1, 9), width=st.integers(1, 9), alpha=st.booleans())
def test_what_is_written_is_read_again(ending: str, height: int, width: int, alpha: bool) -> None:
    cover = deep(height, width) if alpha else None
    before = Photograph(deep(height, width, 3), cover)
    content = before.encode(ending, {"model": "m"})
    after = read_photograph(content)
    assert np.array_equal(after.values, before.values) and after.values.dtype == np.uint16
    assert np.array_equal(after.alpha, cover) if alpha else after.alpha is None
    if ending == ".tif":
        assert np.array_equal(tifffile.imread(io.BytesIO(content))[..., :3], before.values)


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_profile_notes_and_the_mark_of_a_model_lie_beside_the_bits(ending: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    before = Photograph(deep(4, 4, 3), None, b"a profile", exif.tobytes())
    content = before.encode(ending, {"model": "marked"})
    after = read_photograph(content)
    assert after.profile == b"a profile"
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.getexif()[0x010F] == "Camera"
        assert "trainedAlgorithmicMedia" in str(picture.info["xmp"])


def test_a_rotation_is_carried_out_on_all_bits() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    values = deep(3, 5, 3)
    content = Photograph(values, exif=exif.tobytes()).encode(".png", {})
    assert np.array_equal(read_photograph(content).values, np.rot90(values, -1))


def test_formats_of_eight_bits_get_the_upper_ones() -> None:
    flat = np.full((8, 8, 3), 0xABCD, np.uint16)
    content = Photograph(flat).encode(".webp", {})
    assert read_photograph(content).values.dtype == np.uint8
    assert abs(int(read_photograph(content).values.mean()) - 0xAB) <= 2


def rounded(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
def test_what_is_learned_from_is_rounded_to_eight_bits(channels: int) -> None:
    values = deep(7, 5, channels)
    assert np.array_equal(natural_pixels(open_picture(plain_png(values))), rounded(values))


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"compression": "zlib"}])
@pytest.mark.parametrize("page", [1, 2])
def test_so_is_a_page_of_a_tiff(options: dict[str, str], page: int) -> None:
    pages, content = deep(2, 9, 6, 3), io.BytesIO()
    with tifffile.TiffWriter(content, byteorder=options.get("byteorder")) as writer:
        for values in pages:
            writer.write(values, photometric="rgb", compression=options.get("compression"))
    assert np.array_equal(natural_pixels(open_picture(content.getvalue(), page)), rounded(pages[page - 1]))


def test_a_colour_that_stands_for_transparency_is_rounded_as_well() -> None:
    values = deep(6, 6, 3)
    content = plain_png(values)
    data = b"tRNS" + struct.pack(">3H", *(int(value) for value in values[0, 0]))
    key = struct.pack(">I", 6) + data + struct.pack(">I", zlib.crc32(data))
    at = content.index(b"IDAT") - 4
    assert np.array_equal(natural_pixels(open_picture(content[:at] + key + content[at:]))[..., :3], rounded(values))
