"""Photographs: read as they are, whatever their mode, and written with everything that came with them."""

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from gannet.media.arrays import picture_levels
from gannet.media.attachments import (
    Density,
    believed,
    camera_notes,
    fitting_profile,
    notes_with,
    plain_notes,
    read_comments,
    read_density,
    without_profile,
)
from gannet.media.grids import to_picture
from gannet.media.image import PictureMedium
from gannet.media.pages import named_page
from gannet.media.pixels import (
    DEEP_MODES,
    FOREIGN,
    Picture,
    check_beginning,
    eight_bits,
    is_sideways,
    is_transparent,
    on_white,
    open_picture,
    picture_format,
    upright,
)
from gannet.media.sixteen_bit import encode_png, encode_tiff, is_deep, joined, read_lower
from gannet.provenance.formats import PHOTOGRAPHS, Format
from gannet.provenance.metadata import Facts, metadata, read_facts
from gannet.provenance.metadata import joined as with_earlier
from gannet.runtime.files import write_bytes
from gannet.runtime.reading import read_file

Values: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
LOSSY = tuple(ending for ending, form in PHOTOGRAPHS.items() if form.lossy)
DEEP = {"PNG": encode_png, "TIFF": encode_tiff}
BY_QUALITY: Mapping[str, Mapping[str, Any]] = {"JPEG": {}, "WEBP": {"lossless": False}}
"""The formats that a quality is chosen of, and what Pillow is asked for beside it."""


@dataclass(frozen=True)
class Photograph:
    """A photograph, upright.

    Attributes:
        values: (h, w, 1) grey or (h, w, 3) colour, of eight or sixteen bits.
        alpha: (h, w) of the same type, or None where it is opaque.
        profile: the colour profile (ICC) that its values are meant in; empty: none.
        exif: the camera's notes, without the rotation, which the values have undergone; empty: none.
        marks: what its file said of a model that had a hand in it; empty: nothing.
        density: dots an inch, across and down; None where nobody says.
        comments: what somebody wrote into its file, by name.
        notices: what of its file is not kept, a few words each.
        quality: of a JPEG or WebP made of it, 1 to 100; None: JPEG nearly loses nothing, WebP nothing.
    """

    values: Values
    alpha: Values | None = None
    profile: bytes = b""
    exif: bytes = b""
    marks: Facts = field(default_factory=dict)
    density: Density | None = None
    comments: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    quality: int | None = None

    @property
    def largest(self) -> int:
        """The value of white."""
        return int(np.iinfo(self.values.dtype).max)

    def with_values(self, values: Values) -> "Photograph":
        """Give another of the same kind: transparency is brought to its size, and as large on paper;
        a profile of greys is not kept for colours.
        """
        height, width = values.shape[:2]
        alpha, density = self.alpha, self.density
        if alpha is not None and alpha.shape != (height, width):
            # Pillow resizes single channels of any depth as floats.
            resized = Image.fromarray(alpha.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
            alpha = np.rint(np.asarray(resized)).clip(0, self.largest).astype(alpha.dtype)
        if density is not None:
            across, down = width / self.values.shape[1], height / self.values.shape[0]
            density = believed((density[0] * across, density[1] * down))
        made = replace(self, values=values, alpha=alpha, density=density)
        if not self.profile or values.shape[2] == self.values.shape[2]:
            return made
        words = without_profile("greys" if values.shape[2] == 3 else "RGB", values.shape[2])
        return replace(made, profile=b"", notices=(*self.notices, words))

    def picture(self) -> Image.Image:
        """Give it as Pillow has it; sixteen bits only where it can, which is in grey without transparency."""
        values, alpha = self.values, self.alpha
        if values.dtype == np.uint16:
            if not self._beyond_pillow:
                return Image.fromarray(values[..., 0])
            values, alpha = eight_bits(values), None if alpha is None else eight_bits(alpha)
        if alpha is not None:
            values = np.concatenate(
                [np.broadcast_to(values, (*values.shape[:2], values.shape[2])), alpha[..., None]], 2
            )
        return Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)

    def shown(self) -> Image.Image:
        """Give it as Pillow has it, with eight bits."""
        picture = self.picture()
        return Image.fromarray(eight_bits(self.values[..., 0])) if picture.mode == "I;16" else picture

    def save(self, path: str | Path, facts: Facts | None = None) -> Path:
        """Write a file of the format that its ending names; see `encode`. ValueError when it cannot be written."""
        path = Path(path)
        content = self.encode(path.suffix, facts or {})
        try:
            write_bytes(path, content)
        except OSError as error:
            raise ValueError(f"{path} cannot be written ({error.strerror or error}); choose another place.") from None
        return path

    def encode(self, ending: str, facts: Facts) -> bytes:
        """Write a file of that ending, which says by `facts` that a model had a hand in it; without any it says what
        it said before.

        Raises:
            ValueError: no format has that ending, or it takes no picture so large; one sentence.
        """
        ending = ending.lower()
        check_size(ending, *self.values.shape[:2])
        try:
            return self._written(PHOTOGRAPHS[ending], self._options(ending, facts))
        except (RuntimeError, TypeError, ValueError, struct.error):  # Notes that are broken cannot be written.
            if not self.exif:
                raise
            return replace(self, exif=b"").encode(ending, facts)

    def _options(self, ending: str, facts: Facts) -> dict[str, Any]:
        """Pillow's options for what is written beside the pixels."""
        form, options = PHOTOGRAPHS[ending], metadata(ending, with_earlier(facts, self.marks), self.comments)
        options |= {"icc_profile": self.profile} if self.profile else {}
        if self.quality and form.name in BY_QUALITY:
            options |= {**BY_QUALITY[form.name], "quality": self.quality}
        if self.density and form.dense:
            options["dpi"] = self.density
        if self.exif and form.name == "TIFF":
            options["tiffinfo"] |= plain_notes(self.exif)
        elif self.exif or not form.dense:
            options["exif"] = notes_with(self.exif, self.density)
        return options

    def _written(self, form: Format, options: dict[str, Any]) -> bytes:
        """The file."""
        if form.deep and self._beyond_pillow:
            return DEEP[form.name](self._deep(), options)
        picture = self.picture() if form.deep else self.shown()
        picture = picture if form.transparent else on_white(picture)
        content = io.BytesIO()
        picture.save(content, form.name, **options)
        return content.getvalue()

    @property
    def _beyond_pillow(self) -> bool:
        """Whether Pillow would write fewer bits than there are."""
        return self.values.dtype == np.uint16 and (self.values.shape[2] > 1 or self.alpha is not None)

    def _deep(self) -> npt.NDArray[np.uint16]:
        """Colours, and transparency where there is some, (h, w, 3) or (h, w, 4)."""
        colours = np.broadcast_to(self.values, (*self.values.shape[:2], 3)).astype(np.uint16, copy=False)
        return colours if self.alpha is None else np.concatenate([colours, self.alpha[..., None]], 2, dtype=np.uint16)


def check_size(ending: str, height: int, width: int) -> None:
    """Raise ValueError when no format of photographs has that ending, or it takes none so large."""
    form = PHOTOGRAPHS.get(ending.lower())
    if form is None:
        raise ValueError(f"Photographs are saved as {', '.join(PHOTOGRAPHS)}, not {ending or 'without an ending'}.")
    if form.largest and max(height, width) > form.largest:
        raise ValueError(
            f"{form.name} takes {form.largest:,} pixels a side, not {width:,}x{height:,}; as .png it has room."
        )


def read_photograph(given: object) -> Photograph:
    """Read a photograph: a path, which may name a page as in `scan.tif#2`, a file's content, Pillow's own, or what an
    array or a tensor holds, (h, w), (h, w, c) or (c, h, w), of eight or sixteen bits or floats in 0..1.

    Raises:
        ValueError: it is not there, no picture, cut short, or too large; one sentence.
    """
    if isinstance(given, Photograph):
        return given
    if not isinstance(given, str | Path | bytes | Image.Image):
        return as_photograph(picture_levels(given))
    name = str(given) if isinstance(given, str | Path) else "The picture"
    foreign = FOREIGN.get(Path(given).suffix.lower(), "") if isinstance(given, str | Path) else ""
    try:
        content, page = _content_and_page(given) if isinstance(given, str | Path) else (given, 1)
        picture = open_picture(content, page) if isinstance(content, bytes) else content
        if foreign and picture.format == "TIFF":  # What cameras keep raw begins with a preview in small.
            raise ValueError(foreign)
        deep = is_deep(picture)  # Asked before it is decoded.
        photograph = _photograph(picture)
        return _deepened(photograph, content, page) if deep and isinstance(content, bytes) else photograph
    except FileNotFoundError:
        raise ValueError(f"There is no picture at {name}; give a picture's file.") from None
    except AssertionError:
        raise
    except Exception as error:  # A broken file makes decoders raise anything.
        reason = foreign or getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ValueError(f"{name} cannot be read: {reason}.") from None


def as_photograph(pixels: Values) -> Photograph:
    """Give pixels (h, w, c), of which a fourth channel is transparency, as a photograph."""
    return Photograph(pixels[..., :3], pixels[..., 3]) if pixels.shape[2] == 4 else Photograph(pixels)


def _content_and_page(given: str | Path) -> tuple[bytes, int]:
    file, page = named_page(given)
    return read_file(file, check_beginning), 1 if page is None else page


def _deepened(photograph: Photograph, content: bytes, page: int) -> Photograph:
    """A photograph whose colours have sixteen bits, of which only the upper eight were read."""
    picture = open_picture(content, page)
    read_lower(picture)
    lower = _pixels(picture)
    alpha = None if photograph.alpha is None or lower.alpha is None else joined(photograph.alpha, lower.alpha)
    return replace(photograph, values=joined(photograph.values, lower.values), alpha=alpha)


def _photograph(picture: Image.Image) -> Photograph:
    """A picture with all that its file holds beside the pixels."""
    sideways = is_sideways(picture)  # Pillow turns a TIFF while it decodes it, and forgets that.
    return with_attachments(_pixels(picture), picture, sideways)


def with_attachments(photograph: Photograph, picture: Image.Image, sideways: bool) -> Photograph:
    """Give a photograph all that a picture's file, which was decoded, holds beside its pixels.

    Args:
        sideways: whether its camera was held on its side, as was told before it was decoded.
    """
    profile, unfit = fitting_profile(picture.info.get("icc_profile") or b"", photograph.values.shape[2])
    comments, left = read_comments(picture)
    return replace(
        photograph,
        profile=profile,
        exif=camera_notes(picture),
        marks=read_facts(picture),
        density=read_density(picture, sideways or is_sideways(picture)),
        comments=comments,
        notices=tuple(words for words in (unfit, left) if words),
    )


def _pixels(picture: Image.Image) -> Photograph:
    """A picture's pixels, upright."""
    held = upright(picture)
    if held.mode in DEEP_MODES:
        values = np.asarray(held)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError(f"its values reach from {values.min()} to {values.max()}, and 0 to 65535 are read")
        return Photograph(values.astype(np.uint16)[..., None])
    if held.mode == "F":
        raise ValueError("its values are floating-point numbers; save it with eight or sixteen bits")
    grey = held.mode in ("1", "L", "LA", "La")
    if not held.has_transparency_data:
        values = np.asarray(held.convert("L" if grey else "RGB"))
        return Photograph(values[..., None] if grey else values)
    both = np.asarray(held.convert("LA" if grey else "RGBA"))
    return Photograph(both[..., :-1], both[..., -1])


class PhotographMedium(PictureMedium[Photograph]):
    """Photographs of any size and depth, with their profile and notes; to learn from they are pictures of one size."""

    name: ClassVar[str] = "photograph"
    noun: ClassVar[str] = "photograph"
    plural: ClassVar[str] = "photographs"
    saved: ClassVar[tuple[str, ...]] = tuple(PHOTOGRAPHS)

    def read(self, content: bytes) -> Photograph:
        """Read a photograph as it is."""
        return read_photograph(content)

    def read_page(self, content: bytes, page: int) -> Photograph:
        """Read one of the pages of a photograph's file as it is."""
        picture = open_picture(content, page)
        deep = is_deep(picture)  # Asked before it is decoded.
        photograph = _photograph(picture)
        return _deepened(photograph, content, page) if deep else photograph

    def ending(self, file: Path) -> str:
        """Go by the content where that is transparent and the ending's format could not hold it."""
        form = PHOTOGRAPHS.get(file.suffix.lower())
        return file.suffix if form is None or form.transparent or not is_transparent(file) else self.saved[0]

    def own_ending(self, file: Path) -> str:
        """Go by the content alone: the ending of the format that it has, of one that is not written the usual one."""
        found = picture_format(file)
        written = [ending for ending, form in PHOTOGRAPHS.items() if found in form.decoders]
        return file.suffix if file.suffix.lower() in written else next(iter(written), self.saved[0])

    def open(self, given: object) -> Photograph:
        """Read a path, a file's content or Pillow's picture."""
        return read_photograph(given)

    def plain(self, value: Photograph) -> Picture:
        """Show a photograph in eight bits."""
        return value.shown()

    def describe(self, value: Photograph) -> tuple[str, str]:
        """Name its size, and its channels and bits."""
        height, width, channels = value.values.shape
        return f"{width}x{height}", f"{'RGB' if channels == 3 else 'L'}, {8 * value.values.itemsize} bits"

    def size(self, value: Photograph) -> tuple[int, int]:
        """Give (width, height); a photograph is upright."""
        return value.values.shape[1], value.values.shape[0]

    def marks(self, value: Photograph | Tensor) -> Facts:
        """Give what was read of them."""
        return value.marks if isinstance(value, Photograph) else {}

    def notices(self, value: Photograph | Tensor) -> tuple[str, ...]:
        """Tell of a profile that does not fit, and of comments that are too long."""
        return value.notices if isinstance(value, Photograph) else ()

    def encode(self, value: Photograph | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a photograph with all that came with it."""
        photograph = read_photograph(to_picture(value)) if isinstance(value, Tensor) else value
        return photograph.encode(ending, facts)


medium = PhotographMedium()
