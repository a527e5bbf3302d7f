from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gannet.media.pixels import convert_channels, fit_picture, open_picture, read_picture

ORANGE = (200, 100, 50)


def encoded(picture: Image.Image, kind: str, **options: object) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return open_picture(stream.getvalue())


def flat(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (5, 3), colour)


@pytest.mark.parametrize(
    ("picture", "grey", "colour"),
    [
        (flat("1", 1), 255, (255, 255, 255)),
        (flat("L", 77), 77, (77, 77, 77)),
        (flat("LA", (0, 0)), 255, (255, 255, 255)),
        (flat("LA", (40, 255)), 40, (40, 40, 40)),
        (flat("RGB", ORANGE), 124, ORANGE),
        (flat("RGBA", (*ORANGE, 255)), 124, ORANGE),
        (flat("RGBA", (*ORANGE, 0)), 255, (255, 255, 255)),
        (flat("RGBA", (0, 0, 0, 128)), 127, (127, 127, 127)),
        (flat("CMYK", (0, 255, 255, 0)), 76, (255, 0, 0)),
        (flat("YCbCr", (90, 128, 128)), 90, (90, 90, 90)),
        (flat("HSV", (0, 0, 60)), 60, (60, 60, 60)),
        (flat("I", 65535), 255, (255, 255, 255)),
        (flat("I", 257 * 9), 9, (9, 9, 9)),
        (flat("F", 0.5), 128, (128, 128, 128)),
        (flat("F", 200.4), 200, (200, 200, 200)),
        (flat("RGB", ORANGE).quantize(4), 124, ORANGE),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
def test_every_mode_decodes_to_known_pixels(picture, grey, colour):
    assert read_picture(picture, 1).shape == (3, 5, 1)
    assert np.all(read_picture(picture, 1) == grey)
    assert np.all(read_picture(picture, 3) == colour)
    with_alpha = read_picture(picture, 4)
    assert with_alpha.shape == (3, 5, 4) and with_alpha.dtype == np.uint8


def test_alpha_is_kept_in_four_channels_and_made_where_there_is_none():
    assert np.all(read_picture(flat("RGBA", (1, 2, 3, 40)), 4) == (1, 2, 3, 40))
    assert np.all(read_picture(flat("RGB", ORANGE), 4) == (*ORANGE, 255))


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_are_scaled_by_their_full_range(order):
    values = np.array([[0, 257, 65535]], order + "u2")
    picture = Image.frombytes("I;16" if order == "<" else "I;16B", (3, 1), values.tobytes())
    assert read_picture(picture, 1).ravel().tolist() == [0, 1, 255]


def test_sixteen_bit_png_decodes():
    picture = encoded(Image.fromarray(np.full((2, 2), 32896, np.uint16)), "PNG")
    assert np.all(read_picture(picture, 1) == 128)


@pytest.mark.parametrize("picture", [flat("F", float("nan")), flat("F", -3.0), flat("I", -1), flat("I", 70000)])
def test_values_without_a_clear_range_are_refused(picture):
    with pytest.raises(ValueError, match="its values reach from"):
        read_picture(picture, 1)


def test_palette_with_transparency_is_laid_on_white():
    picture = flat("P", 0)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((0, 0), 1)
    read = encoded(picture, "PNG", transparency=b"\x00\xff")
    assert read.mode == "P"
    pixels = read_picture(read, 3)
    assert tuple(pixels[0, 0]) == ORANGE and tuple(pixels[1, 1]) == (255, 255, 255)


def test_colour_key_transparency_is_seen():
    read = encoded(flat("RGB", ORANGE), "PNG", transparency=ORANGE)
    assert np.all(read_picture(read, 3) == 255)


def test_orientation_of_a_camera_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right to see it upright
    pixels = np.zeros((2, 4), np.uint8)
    pixels[:, 0] = 255
    read = read_picture(encoded(Image.fromarray(pixels), "PNG", exif=exif), 1)
    assert read.shape == (4, 2, 1)
    assert read[0].min() == 255 and read[1:].max() == 0


def test_broken_exif_does_not_lose_the_picture():
    stream = io.BytesIO()
    flat("L", 9).save(stream, "PNG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")
    assert np.all(read_picture(open_picture(stream.getvalue()), 1) == 9)


def test_animation_gives_its_first_frame():
    read = encoded(flat("L", 10), "GIF", save_all=True, append_images=[flat("L", 200)])
    assert read.n_frames == 2
    assert np.all(read_picture(read, 1) == 10)


def test_cmyk_jpeg_decodes():
    read = encoded(flat("CMYK", (0, 255, 255, 0)), "JPEG", quality=100)
    assert read.mode == "CMYK"
    assert np.abs(read_picture(read, 3).astype(int) - (255, 0, 0)).max() < 6


def test_truncated_file_raises():
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(stream, "JPEG")
    with pytest.raises(OSError, match="truncated"):
        read_picture(open_picture(stream.getvalue()[:900]), 3)


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_picture_is_refused_and_postscript_never_runs(content):
    with pytest.raises(ValueError, match="not a picture"):
        open_picture(content)


@pytest.mark.parametrize("limit", [60, 25])  # over once: Pillow warns; over twice: Pillow raises
def test_decompression_bomb_is_refused(limit, monkeypatch):
    stream = io.BytesIO()
    Image.new("L", (10, 10)).save(stream, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(ValueError, match="more pixels than the limit"):
        open_picture(stream.getvalue())


def test_how_large_a_picture_may_be_can_be_set(monkeypatch):
    stream = io.BytesIO()
    Image.new("L", (20, 10)).save(stream, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
    with pytest.raises(ValueError, match="set GANNET_MEGAPIXELS to more than 6e-05"):
        open_picture(stream.getvalue())
    monkeypatch.setenv("GANNET_MEGAPIXELS", "0.0002")
    assert open_picture(stream.getvalue()).size == (20, 10)
    for wrong in ("many", "0", "-5", "nan", "inf", "1e99"):
        monkeypatch.setenv("GANNET_MEGAPIXELS", wrong)
        with pytest.raises(ValueError, match="GANNET_MEGAPIXELS is .*; give millions of pixels, such as 200"):
            open_picture(stream.getvalue())


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.float32), np.zeros((2, 2, 2), np.uint8), np.zeros(4, np.uint8)])
def test_array_that_is_no_picture_is_refused(array):
    with pytest.raises(ValueError, match="is not a picture"):
        read_picture(array, 3)


def test_channels_and_fit_are_checked():
    with pytest.raises(ValueError, match="cannot have 2 channels"):
        read_picture(np.zeros((2, 2), np.uint8), 2)
    with pytest.raises(ValueError, match=r"'squeeze'.*crop, middle, pad, stretch"):
        fit_picture(np.zeros((2, 2, 1), np.uint8), 4, 4, "squeeze")


def test_array_and_file_agree_on_grey():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
    np.testing.assert_array_equal(convert_channels(pixels, 1)[..., 0], np.asarray(Image.fromarray(pixels).convert("L")))


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([1, 3, 4]),
    st.sampled_from(["crop", "middle", "pad", "stretch"]),
)
def test_the_right_size_is_kept_bit_for_bit(height, width, channels, fit):
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, channels), np.uint8)
    np.testing.assert_array_equal(fit_picture(pixels, height, width, fit), pixels.transpose(2, 0, 1))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3, 4]))
def test_any_size_fits_any_other(height, width, wanted_height, wanted_width, channels):
    pixels = np.full((height, width, channels), 255, np.uint8)
    for fit in ("crop", "middle", "pad", "stretch"):
        fitted = fit_picture(pixels, wanted_height, wanted_width, fit)
        assert fitted.shape == (channels, wanted_height, wanted_width) and fitted.flags.writeable
        assert fitted.min() == 255 or fit == "pad"


def test_crop_keeps_the_middle_without_blur():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 3), np.uint8)
    np.testing.assert_array_equal(fit_picture(pixels, 4, 4, "crop"), pixels[:, 2:6].transpose(2, 0, 1))


def test_middle_keeps_pixels_as_they_are_where_there_are_enough():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    np.testing.assert_array_equal(fit_picture(pixels, 4, 4, "middle"), pixels[1:5, 2:6].transpose(2, 0, 1))
    np.testing.assert_array_equal(fit_picture(pixels, 7, 7, "middle"), fit_picture(pixels, 7, 7, "crop"))


def test_pad_adds_black_around_the_whole():
    fitted = fit_picture(np.full((4, 8, 1), 200, np.uint8), 8, 8, "pad")[0]
    assert np.all(fitted[2:6] == 200) and fitted[:2].max() == 0 and fitted[6:].max() == 0


def test_stretch_ignores_proportions():
    halves = np.repeat(np.array([0, 255], np.uint8), 16)[None, :, None].repeat(4, axis=0)
    fitted = fit_picture(halves, 4, 8, "stretch")[0]
    assert fitted[:, :2].max() < 30 and fitted[:, -2:].min() > 225


def test_of_a_bomb_our_own_sentence_is_all_that_is_said(monkeypatch):
    stream = io.BytesIO()
    Image.new("L", (10, 10)).save(stream, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
    with warnings.catch_warnings(record=True) as told:
        warnings.resetwarnings()
        for _ in range(2):
            with pytest.raises(ValueError, match="more pixels than the limit"):
                open_picture(stream.getvalue())
    assert not told


def test_bomb_is_refused_where_warnings_are_silent(monkeypatch):
    stream = io.BytesIO()
    Image.new("L", (10, 10)).save(stream, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="more pixels than the limit"):
            open_picture(stream.getvalue())
