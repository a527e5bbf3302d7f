"""What a file holds beside its pixels goes along, whatever the picture; what does not fit is said."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from gannet.media.attachments import DENSEST, LONGEST_COMMENTS
from gannet.media.photograph import Photograph, medium, read_photograph
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, read_facts

RANDOM = np.random.default_rng(0)
ORIENTATION, ACROSS, DOWN, UNIT = 0x0112, 0x011A, 0x011B, 0x0128
FORMS = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".webp": "WEBP"}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def profile_for(space: bytes) -> bytes:
    """A profile whose header says that it is for other colours."""
    return SRGB[:16] + space + SRGB[20:]


def noise(mode: str, height: int = 6, width: int = 5) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(RANDOM.integers(0, 2**16, (height, width)).astype(np.uint16))
    return Image.fromarray(RANDOM.integers(0, 256, (height, width, 4), np.uint8)).convert("RGBA").convert(mode)


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def density_of(content: bytes) -> tuple[float, float] | None:
    """What Pillow finds in a file; of WebP in the camera's notes."""
    picture = opened(content)
    exif = picture.getexif()
    if picture.format == "WEBP":
        return (float(exif[ACROSS]), float(exif[DOWN])) if ACROSS in exif else None
    told = picture.info.get("dpi")
    return told if picture.format != "TIFF" or ACROSS in picture.tag_v2 else None  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from(["L", "LA", "P", "RGB", "RGBA", "I;16"]),
    given_as=st.sampled_from([".png", ".tif", ".webp", ".jpg"]),
    ending=st.sampled_from(list(FORMS)),
    density=st.none() | st.tuples(*[st.integers(1, 16_000)] * 2),
    orientation=st.sampled_from([None, *range(1, 9)]),
    scale=st.sampled_from([1, 2, 4]),
)
def test_any_picture_is_turned_once_and_keeps_its_pixels_and_its_size_on_paper(
    mode: str, given_as: str, ending: str, density: Any, orientation: int | None, scale: int
) -> None:
    picture = noise(mode)
    if given_as in (".jpg", ".webp"):
        picture = picture.convert("RGB")
    exif = Image.Exif()
    if orientation:
        exif[ORIENTATION] = orientation
    if density and given_as == ".webp":
        exif[ACROSS], exif[DOWN], exif[UNIT] = *density, 2
    options: dict[str, Any] = {"exif": exif} if len(exif) else {}
    options |= {"dpi": density} if density and given_as != ".webp" else {}
    options |= {"lossless": True} if given_as == ".webp" else {}
    content = encoded(picture, FORMS[given_as], **options)
    upright = ImageOps.exif_transpose(opened(content))
    read = read_photograph(content)
    assert read.values.shape[:2] == upright.size[::-1]
    large = read if scale == 1 else read.with_values(read.values.repeat(scale, 0).repeat(scale, 1))
    made = large.encode(ending, {})
    again = opened(made)
    assert again.getexif().get(ORIENTATION, 1) == 1, "it would be turned twice"
    if density:
        wanted = density[::-1] if orientation and orientation > 4 else density
        fits = max(wanted) * scale <= DENSEST
        assert density_of(made) == (pytest.approx([scale * one for one in wanted], rel=2e-3, abs=0.6) if fits else None)
    elif ending != ".jpg":
        assert density_of(made) is None
    if scale == 1 and ending in (".png", ".tif"):
        back = read_photograph(made)
        assert np.array_equal(back.values, read.values)
        assert (back.alpha is None) == (read.alpha is None)
        assert read.alpha is None or np.array_equal(back.alpha, read.alpha)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_density_of_sixteen_bits_is_written_too(ending: str, channels: int) -> None:
    values = RANDOM.integers(0, 2**16, (4, 5, channels)).astype(np.uint16)
    made = Photograph(values, density=(300.0, 150.0)).encode(ending, {"model": "m"})
    assert opened(made).info["dpi"] == pytest.approx((300, 150), rel=1e-3)
    assert read_photograph(made).density == pytest.approx((300, 150), rel=1e-3)


def test_a_density_is_believed_where_a_file_tells_one_and_else_there_is_none() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    assert read_photograph(encoded(noise("RGB"), "JPEG", exif=exif)).density is None, "Pillow would say 72"
    assert read_photograph(encoded(noise("RGB"), "TIFF")).density is None, "Pillow would say 1"
    exif[ACROSS], exif[DOWN], exif[UNIT] = 100, 50, 3
    assert read_photograph(encoded(noise("RGB"), "JPEG", exif=exif)).density == pytest.approx((254, 127))
    for odd in (0, 2**31, Fraction(1, 10**6)):
        exif[ACROSS], exif[DOWN], exif[UNIT] = float(odd), 300, 2
        assert read_photograph(encoded(noise("RGB"), "WEBP", exif=exif)).density is None
    exif[ACROSS], exif[UNIT] = 300, 1
    assert read_photograph(encoded(noise("RGB"), "WEBP", exif=exif)).density is None, "no unit, so proportions"


def commented() -> bytes:
    info = PngInfo()
    info.add_text("Author", "Zoë")
    info.add_text("Comment", "by the lake")
    info.add_text("Title", "湖")
    return encoded(noise("RGB"), "PNG", pnginfo=info)


def test_comments_are_kept_beside_the_mark_of_a_model() -> None:
    read = read_photograph(commented())
    assert read.comments == {"Author": "Zoë", "Comment": "by the lake", "Title": "湖"}
    facts = {"model": "m"}
    marked = read.encode(".png", facts)
    assert read_photograph(marked).comments == read.comments
    assert read_facts(opened(marked)) == {SOURCE_TYPE: SYNTHETIC, "model": "m"}
    jpeg = opened(read.encode(".jpg", facts))
    assert jpeg.info["comment"].decode() == "Author: Zoë\nby the lake\nTitle: 湖"
    assert read_facts(jpeg) == {SOURCE_TYPE: SYNTHETIC, "model": "m"}


@pytest.mark.parametrize("written", ["caf\u00e9".encode(), "caf\u00e9".encode("latin-1")])
def test_a_jpeg_keeps_its_comment_and_a_png_takes_it_over(written: bytes) -> None:
    read = read_photograph(encoded(noise("RGB"), "JPEG", comment=written + b"\0"))
    for ending in (".jpg", ".png"):
        assert read_photograph(read.encode(ending, {"model": "m"})).comments == {"Comment": "caf\u00e9"}


def test_a_mark_is_no_comment() -> None:
    read = read_photograph(Photograph(np.zeros((2, 2, 3), np.uint8)).encode(".jpg", {"model": "m"}))
    assert read.comments == {} and read.marks["model"] == "m"


def test_what_is_kept_of_comments_has_a_bound_and_the_rest_is_said() -> None:
    info = PngInfo()
    for number in range(8):
        info.add_text(f"Note {number}", "x" * (LONGEST_COMMENTS // 4), zip=True)
    read = read_photograph(encoded(noise("RGB"), "PNG", pnginfo=info))
    assert list(read.comments) == ["Note 0", "Note 1", "Note 2"]
    assert read.notices == ("of its 8 comments 3 are kept, for length",)
    assert len(read.encode(".jpg", {"model": "m"})) < 2 * LONGEST_COMMENTS


@pytest.mark.parametrize(
    ("mode", "profile", "words"),
    [
        ("CMYK", profile_for(b"CMYK"), "its colour profile is for CMYK and not for RGB, and was left out"),
        ("LAB", LAB, "its colour profile is for Lab and not for RGB, and was left out"),
        ("RGB", profile_for(b"GRAY"), "its colour profile is for greys and not for RGB, and was left out"),
        ("L", SRGB, "its colour profile is for RGB and not for greys, and was left out"),
        ("RGB", SRGB, ""),
        ("L", profile_for(b"GRAY"), ""),
    ],
)
def test_a_profile_that_does_not_fit_is_dropped_with_a_word(mode: str, profile: bytes, words: str) -> None:
    read = read_photograph(encoded(lab() if mode == "LAB" else noise(mode), "TIFF", icc_profile=profile))
    assert read.notices == ((words,) if words else ())
    assert read.profile == (b"" if words else profile)
    assert opened(read.encode(".png", {})).info.get("icc_profile", b"") == read.profile


def lab() -> Image.Image:
    change = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    return ImageCms.applyTransform(noise("RGB"), change)  # type: ignore[return-value]


def test_a_profile_of_greys_is_no_profile_of_what_was_coloured() -> None:
    grey = Photograph(np.zeros((2, 2, 1), np.uint8), profile=profile_for(b"GRAY"))
    coloured = grey.with_values(np.zeros((2, 2, 3), np.uint8))
    assert coloured.notices == ("its colour profile is for greys and not for RGB, and was left out",)


def film(form: str, **options: Any) -> bytes:
    return encoded(noise("RGB"), form, save_all=True, append_images=[noise("RGB") for _ in range(2)], **options)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (film("GIF"), "it holds several frames, of which only the first is used"),
        (film("PNG"), "it holds several frames, of which only the first is used"),
        (film("WEBP", lossless=True), "it holds several frames, of which only the first is used"),
        (film("TIFF"), "it holds several pages, of which only the first is used"),
        (film("MPO"), ""),
        (encoded(noise("RGB"), "GIF"), ""),
        (encoded(noise("RGB"), "TIFF"), ""),
    ],
)
def test_frames_and_pages_that_are_not_used_are_told_of(content: bytes, words: str, tmp_path: Path) -> None:
    read, file = read_photograph(content), tmp_path / "file"
    file.write_bytes(content)
    assert medium.unused(file) == words
    first = np.asarray(opened(content).convert("RGB"))
    assert np.array_equal(read.values if read.values.shape[2] == 3 else read.values.repeat(3, 2), first)


@pytest.mark.parametrize(("form", "options"), [("TIFF", {}), ("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_pages_and_frames_are_read_by_their_number(form: str, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(film(form, **options))
    with Image.open(tmp_path / "file") as picture:
        for page in (3, 1, 2):
            picture.seek(page - 1)
            assert np.array_equal(read_photograph(f"{tmp_path}/file#{page}").values, np.asarray(picture.convert("RGB")))
    with pytest.raises(ValueError, match=r"file#4 cannot be read: it has 3 (pages|frames) and no (page|frame) 4\.$"):
        read_photograph(f"{tmp_path}/file#4")


def test_a_page_of_sixteen_bits_is_read_whole(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((3, 4), value, np.uint16)) for value in (300, 513)]
    pages[0].save(tmp_path / "deep.tif", save_all=True, append_images=pages[1:])
    assert read_photograph(f"{tmp_path}/deep.tif#2").values[..., 0].tolist() == [[513] * 4] * 3
