"""Pictures of any mode and size become uint8 arrays of one shape."""

from __future__ import annotations

import functools
import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from gannet.media.sixteen_bit import is_deep, joined, lower_bytes
from gannet.media.value_range import find_range
from gannet.provenance import formats
from gannet.runtime.broken import unless_broken
from gannet.runtime.reading import HEAD, open_file

Pixels: TypeAlias = npt.NDArray[np.uint8]
Picture: TypeAlias = Image.Image | Pixels
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's name for pictures of so many channels."""

_CONVERTERS = {
    "HEIC": ((".heic", ".heif", ".hif"), "with heif-convert of libheif, or in Python with pillow-heif"),
    "JPEG XL": ((".jxl",), "with djxl of libjxl"),
    "raw files of cameras": (
        (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
        "with darktable, or in Python with rawpy",
    ),
    "drafts of editors": ((".psd", ".xcf"), "with GIMP or what it was made with"),
    "drawings": ((".svg", ".eps"), "with Inkscape"),
    "OpenEXR": ((".exr",), "with OpenImageIO"),
    "DICOM": ((".dcm",), "with dcmj2pnm of DCMTK, or in Python with pydicom"),
}
FOREIGN = {
    ending: f"Gannet does not read {kind}; make a PNG of it, {how}"
    for kind, (endings, how) in _CONVERTERS.items()
    for ending in endings
}
"""What to do with pictures of kinds that are not read, by the endings of their files."""
MEGAPIXELS, LARGEST_MILLIONS = "GANNET_MEGAPIXELS", 10_000.0
"""The variable that says how many millions of pixels a picture may have, and the most that Pillow can count."""
NO_PICTURE = "it is not a picture in a format that Gannet reads"
JPEG_BEGINS = b"\xff\xd8"
"""The first bytes of a format that holds no transparency."""
EXTENSIONS = frozenset(ending for form in formats.ALL for ending in form.read)
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)
"""Where a camera notes how it was held (Exif 2.3), and what it notes when that was on its side."""
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by what its camera noted."""
DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's names of grey pictures of more than eight bits."""
GREY_MODES = frozenset({"1", "L", "LA", "La", "F", *DEEP_MODES})


@functools.cache
def _decoders() -> tuple[str, ...]:
    # Only these decoders run, whatever a file is called: Pillow would start Ghostscript for an EPS named cat.png.
    Image.init()
    return tuple(name for form in formats.ALL for name in form.decoders if name in Image.OPEN)


def open_picture(content: bytes | BinaryIO, page: int = 1) -> Image.Image:
    """Open an encoded picture, its content or a file, at a page or frame from 1 on, reading its header only.

    Raises ValueError when it is no picture, has no such page or more pixels than `most_pixels` allows.
    """
    most_pixels()
    _silence_pillow()
    try:
        picture = Image.open(io.BytesIO(content) if isinstance(content, bytes) else content, formats=_decoders())
    except Image.DecompressionBombError as error:
        raise ValueError(_bomb()) from error
    except UnidentifiedImageError as error:
        raise ValueError(NO_PICTURE) from error
    _refuse_bomb(picture)
    if page != 1:
        _turn_to(picture, page)
    return picture


def _turn_to(picture: Image.Image, page: int) -> None:
    count = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    if not 1 <= page <= count:
        noun = "frame" if count > 1 and picture.format != "TIFF" else "page"
        raise ValueError(f"it has {count:,} {noun}{'s' * (count != 1)} and no {noun} {page}")
    picture.seek(page - 1)
    _refuse_bomb(picture)


def check_beginning(head: bytes) -> None:
    """Raise ValueError where no picture begins with these bytes."""
    head = head.ljust(HEAD, b"\0")
    told = [accept(head) for name in _decoders() if (accept := Image.OPEN[name][1])]  # Words: why it cannot be read.
    if not any(one and not isinstance(one, str) for one in told) and not _may_be_tga(head):
        raise ValueError(NO_PICTURE)


def _may_be_tga(head: bytes) -> bool:
    """Its header has no word of its own: the kinds of its colours and pixels are in places 1, 2 and 16."""
    return head[1] in (0, 1) and head[2] in (1, 2, 3, 9, 10, 11) and head[16] in (1, 8, 16, 24, 32)


def _bomb() -> str:
    limit = most_pixels() or 0
    return (
        f"it has more pixels than the limit of {limit:,}; where you trust it, set {MEGAPIXELS} to more than "
        f"{limit / 1e6:.3g} (millions of pixels)"
    )


def _silence_pillow() -> None:
    """Keep Pillow from warning of what is refused here, by the same limit, in a sentence.

    Decoders run in threads, which share the filters of warnings: none is ever set for a while only.
    """
    if ("ignore", None, Image.DecompressionBombWarning, None, 0) not in warnings.filters:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)


def most_pixels() -> int | None:
    """Give how many pixels a picture may have: `$GANNET_MEGAPIXELS`, else what Pillow allows; None is no limit."""
    if given := os.environ.get(MEGAPIXELS):
        try:
            millions = float(given)
        except ValueError:
            millions = 0.0
        if not 0 < millions < LARGEST_MILLIONS:
            raise ValueError(f"{MEGAPIXELS} is {given[:40]!r}; give millions of pixels, such as 200")
        Image.MAX_IMAGE_PIXELS = int(1e6 * millions)  # Pillow refuses by it as well.
    return Image.MAX_IMAGE_PIXELS


def _refuse_bomb(picture: Image.Image) -> None:
    refuse_huge_sides(*picture.size)


def refuse_huge_sides(width: int, height: int) -> None:
    """Raise ValueError for more pixels than a picture may have, before they are read."""
    limit = most_pixels()
    if limit is not None and width * height > limit:
        raise ValueError(_bomb())


def is_transparent(file: Path) -> bool:
    """Tell by a picture's header whether it is transparent, whatever its file is called."""
    with unless_broken(), open_file(file) as stream:  # Whoever reads a broken one will say so.
        opaque = stream.read(len(JPEG_BEGINS)) == JPEG_BEGINS
        stream.seek(0)
        return not opaque and open_picture(stream).has_transparency_data
    return False


def picture_format(file: Path) -> str:
    """Tell by a picture's header what Pillow calls its format, whatever its file is called; empty of a broken one."""
    with unless_broken(), open_file(file) as stream:
        return open_picture(stream).format or ""
    return ""


def describe(picture: Picture) -> tuple[tuple[int, int], str]:
    """Give ((width, height), mode) of a picture from its header."""
    if isinstance(picture, Image.Image):
        return picture.size, picture.mode
    height, width = picture.shape[:2]
    return (width, height), MODES.get(1 if picture.ndim == 2 else picture.shape[-1], "?")


def upright_size(picture: Picture) -> tuple[int, int]:
    """Give (width, height) of a picture as its camera was held."""
    (width, height), _ = describe(picture)
    return (height, width) if isinstance(picture, Image.Image) and is_sideways(picture) else (width, height)


def is_sideways(picture: Image.Image) -> bool:
    """Tell whether a camera was held on its side."""
    return _orientation(picture) in SIDEWAYS


def upright(picture: Image.Image) -> Image.Image:
    """Decode a picture and turn it as its camera was held."""
    picture.load()  # Some formats have the notes behind the pixels.
    noted = _orientation(picture)
    return picture.transpose(TURNED[noted]) if noted in TURNED else picture


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # A camera's broken notes raise nearly anything, and say nothing about the pixels.
        return 1


def read_picture(picture: Picture, channels: int) -> Pixels:
    """Decode a picture of any mode, upright, to uint8 (h w channels).

    `channels` is 1 (grey), 3 (RGB) or 4 (RGBA). Without an alpha channel in the result, transparent parts are
    laid on white. An array is (h w) or (h w c) of uint8. 16-bit values are scaled by their full range; an
    animation gives its first frame. Raises OSError for a truncated file and ValueError for what cannot be
    eight-bit pixels.
    """
    if channels not in (1, 3, 4):
        raise ValueError(f"A picture cannot have {channels} channels; choose 1 (grey), 3 (colour) or 4 (with alpha).")
    return convert_channels(natural_pixels(picture), channels)


def as_picture(pixels: Pixels) -> Image.Image:
    """Give pixels (h, w, c) to Pillow."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def on_white(picture: Image.Image) -> Image.Image:
    """Give a picture that is opaque, as JPEG wants it."""
    if picture.mode in ("L", "RGB"):
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("L" if picture.mode == "LA" else "RGB")


def natural_pixels(picture: Picture) -> Pixels:
    """Decode a picture of any mode, upright, to uint8 (h w c) of as many channels as it has: 1, 3 or 4.

    Raises OSError for a truncated file and ValueError for what cannot be eight-bit pixels.
    """
    if isinstance(picture, np.ndarray):
        return _checked(picture)
    _refuse_bomb(picture)
    lower = _eight_bit(upright(lower_bytes(picture))) if is_deep(picture) else None  # Asked before it is decoded.
    upper, bands = _eight_bit(upright(picture)), len(picture.getbands())
    if lower is None:
        return upper
    # A colour that stands for transparency makes a channel more, of eight bits.
    return np.concatenate([eight_bits(joined(upper[..., :bands], lower[..., :bands])), upper[..., bands:]], 2)


def _checked(pixels: npt.NDArray[Any]) -> Pixels:
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4) or 0 in pixels.shape:
        raise ValueError(
            f"An array of {pixels.dtype} with shape {pixels.shape} is not a picture; give uint8 of height "
            "x width, "
            "with 1, 3 or 4 channels last."
        )
    return pixels


def _eight_bit(picture: Image.Image) -> Pixels:
    if picture.mode in ("F", *DEEP_MODES):
        return _from_deep(np.asarray(picture))[..., None]
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    if picture.has_transparency_data:  # a palette's or a colour key's transparency too
        mode = "RGBA"
    pixels = np.asarray(picture.convert(mode))
    return pixels[..., None] if pixels.ndim == 2 else pixels


_EIGHT_BITS = ((np.arange(2**16, dtype=np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _from_deep(values: npt.NDArray[Any]) -> Pixels:
    """Scale by a rule that is the same for every picture, and not by the picture's own extremes."""
    if values.dtype.kind == "f":
        try:
            # Of a single picture nothing is stray: a few bright numbers may be all that it shows, such as stars.
            return find_range([values], ((0, 1), (0, 255)), few=0).to_levels(values)
        except ValueError as error:
            raise ValueError(f"its values reach {error}; floating-point pixels must lie in 0..1 or 0..255") from None
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        raise ValueError(f"its values reach from {low} to {high}; integer pixels must lie in 0..65535")
    return eight_bits(values)


def eight_bits(values: npt.NDArray[Any]) -> Pixels:
    """Scale values from 0 to 65535 by their full range, rounded."""
    scaled: Pixels = _EIGHT_BITS[values]
    return scaled


def convert_channels(pixels: Pixels, channels: int) -> Pixels:
    """Convert uint8 (... c) to (... channels), both 1, 3 or 4: alpha goes on white, grey is ITU-R 601 luma."""
    have = pixels.shape[-1]
    if have == channels:
        return pixels
    if channels == 4:
        opaque = np.full((*pixels.shape[:-1], 1), 255, np.uint8)
        return np.concatenate([convert_channels(pixels, 3), opaque], axis=-1)
    if have == 4:
        return convert_channels(_on_white(pixels), channels)
    if have == 1:
        return np.repeat(pixels, 3, axis=-1)
    # Pillow's own fixed-point weights, so that an array and the same picture in a file agree bit for bit.
    luma = pixels.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
    return ((luma + 0x8000) >> 16).astype(np.uint8)[..., None]


def _on_white(pixels: Pixels) -> Pixels:
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed = pixels[..., :3] * alpha + 255 * (255 - alpha)  # at most 255 * 255, which 16 bits hold
    return ((mixed + 127) // 255).astype(np.uint8)


@dataclass(frozen=True)
class Resampling:
    """How the values of a picture of another size are found.

    Attributes:
        way: Pillow's name of it.
        gap: how much larger than the result a picture may be reduced to by whole steps first; None: not at all.
        border: the value of what is added around the whole by `pad`.
    """

    way: Image.Resampling
    gap: float | None
    border: int


SMOOTH = Resampling(Image.Resampling.LANCZOS, 3.0, 0)
"""For pictures: black, or transparent with alpha, around them."""


def fit_picture(pixels: Pixels, height: int, width: int, fit: str, resampling: Resampling = SMOOTH) -> Pixels:
    """Bring uint8 (h w c) to uint8 (c height width); a picture of that size already is kept bit for bit.

    `crop` keeps the largest centred part of the right proportions, `middle` the centred part of that size, pixel for
    pixel, where there is one, `pad` adds a border around the whole, `stretch` ignores proportions. Raises ValueError
    for another word.
    """
    check_fit(fit)
    if pixels.shape[:2] != (height, width):
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        fitted = _FITS[fit](image, width, height, resampling)
        pixels = np.asarray(fitted).reshape(height, width, pixels.shape[-1])
    return np.array(pixels.transpose(2, 0, 1), order="C")


MIDDLE = "middle"
"""The way to fit pictures that keeps them at their own scale, so that none may be read coarsely."""


def check_fit(fit: str) -> None:
    """Raise ValueError unless `fit` names a way to fit a picture."""
    if fit not in _FITS:
        raise ValueError(f"data.fit is {fit!r}, which is no way to fit a picture; choose one of {', '.join(_FITS)}.")


def _stretch(image: Image.Image, width: int, height: int, resampling: Resampling) -> Image.Image:
    if image.size == (width, height):
        return image
    return image.resize((width, height), resampling.way, reducing_gap=resampling.gap)


def _crop(image: Image.Image, width: int, height: int, resampling: Resampling) -> Image.Image:
    scale = min(image.width / width, image.height / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (
        (image.width - inner[0]) // 2,
        (image.height - inner[1]) // 2,
    )  # whole pixels: no needless blur
    return _stretch(image.crop((left, top, left + inner[0], top + inner[1])), width, height, resampling)


def _middle(image: Image.Image, width: int, height: int, resampling: Resampling) -> Image.Image:
    if image.width < width or image.height < height:
        return _crop(image, width, height, resampling)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _pad(image: Image.Image, width: int, height: int, resampling: Resampling) -> Image.Image:
    scale = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = Image.new(image.mode, (width, height), (resampling.border,) * len(image.getbands()))
    canvas.paste(_stretch(image, *inner, resampling), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


_FITS: dict[str, Callable[[Image.Image, int, int, Resampling], Image.Image]] = {
    "crop": _crop,
    MIDDLE: _middle,
    "pad": _pad,
    "stretch": _stretch,
}
