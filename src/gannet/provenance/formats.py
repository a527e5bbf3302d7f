"""The formats of pictures: their endings, Pillow's names of them, what they can hold. Other lists come of this one."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Format:
    """A format of pictures.

    Attributes:
        name: Pillow's.
        read: the endings that such files have.
        decoders: Pillow's names of what reads them.
        written: the endings that are written; none where the format takes no metadata.
        shown: browsers show it.
        full: it holds every colour, not a palette of a few.
        deep: it holds colours of sixteen bits.
        film: it holds several pictures, one after the other in time.
        transparent: it holds transparency.
        lossy: pixels change when they are written.
        dense: it has a place of its own for the dots an inch.
        largest: pixels a side that it takes at most, where that is not many.
    """

    name: str
    read: tuple[str, ...]
    decoders: tuple[str, ...]
    written: tuple[str, ...] = ()
    shown: bool = field(default=False, kw_only=True)
    full: bool = field(default=True, kw_only=True)
    deep: bool = field(default=False, kw_only=True)
    film: bool = field(default=False, kw_only=True)
    transparent: bool = field(default=True, kw_only=True)
    lossy: bool = field(default=False, kw_only=True)
    dense: bool = field(default=False, kw_only=True)
    largest: int | None = field(default=None, kw_only=True)


JPEG_ENDINGS, TIFF_ENDINGS = (".jpg", ".jpeg"), (".tif", ".tiff")
ALL = (
    Format("PNG", (".png", ".apng"), ("PNG",), (".png",), shown=True, deep=True, film=True, dense=True),
    Format(
        "JPEG",
        (*JPEG_ENDINGS, ".jfif", ".jpe"),
        ("JPEG", "MPO"),
        JPEG_ENDINGS,
        shown=True,
        transparent=False,
        lossy=True,
        dense=True,
        largest=65_500,
    ),
    # What is written of it loses nothing: `metadata` asks for that.
    Format("WEBP", (".webp",), ("WEBP",), (".webp",), shown=True, film=True, largest=16_383),
    Format("GIF", (".gif",), ("GIF",), (".gif",), shown=True, full=False, film=True),
    Format("TIFF", TIFF_ENDINGS, ("TIFF",), TIFF_ENDINGS, deep=True, dense=True),
    Format("BMP", (".bmp", ".dib"), ("BMP", "DIB")),
    Format("PPM", (".pgm", ".ppm", ".pbm", ".pnm"), ("PPM",)),
    Format("AVIF", (".avif",), ("AVIF",)),
    Format("JPEG2000", (".jp2",), ("JPEG2000",)),
    Format("TGA", (".tga",), ("TGA",)),
)
"""The last one has nothing at its beginning to tell it by, so it is tried last."""


def written(chosen: Callable[[Format], bool]) -> dict[str, Format]:
    """Give the formats that are chosen among those that are written, by the endings of their files."""
    return {ending: form for form in ALL if chosen(form) for ending in form.written}


PICTURES = written(lambda form: form.shown)
"""What pictures of networks are saved as: what is opened anywhere."""
FILMS = written(lambda form: form.film)
"""What several of them are saved as, which then move."""
PHOTOGRAPHS = written(lambda form: form.full)
"""What photographs are saved as: what keeps their colours."""
