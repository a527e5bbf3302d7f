"""What a picture's file holds beside its pixels: camera's notes, density, comments, a colour profile."""

from typing import Any, TypeAlias

from PIL import Image

from gannet.provenance.metadata import COMMENT, PACKET, SOURCE_TYPE

Density: TypeAlias = tuple[float, float]
"""Dots an inch, across and down."""
INNER_TABLES = (0x8769, 0x8825)
NOTES = {0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298, *INNER_TABLES}
"""What a camera or its owner notes (Exif 2.3); the other tags of a file say how its pixels lie."""
ACROSS, DOWN, UNIT = 0x011A, 0x011B, 0x0128
"""The tags that hold the density, and the unit of it."""
INCHES = {2: 1.0, 3: 2.54}
"""Inches in each of those units, by what the tag says of them; another is none."""
SPARSEST, DENSEST = 0.5, 65_535
"""Dots an inch that are believed: what JPEG has room for, which counts whole ones."""
LONGEST_COMMENTS, LONGEST_NAME = 2**15, 79
"""Bytes that are kept of a picture's comments together, and letters of the name of one (PNG 11.3.4)."""
NO_COMMENTS = (PACKET, "Raw profile type")
"""How texts of a PNG file begin that are metadata of another kind."""
HEADER, SPACES = 128, {b"RGB ": "RGB", b"GRAY": "greys", b"CMYK": "CMYK", b"Lab ": "Lab"}
"""Bytes that a colour profile begins with, and what they say that it is for (ICC.1, 7.2)."""


def read_density(picture: Image.Image, sideways: bool) -> Density | None:
    """Give a picture's dots an inch once it is upright; None where its file says nothing that can be believed."""
    told = believed(_told(picture)) or believed(_noted(picture))
    return told[::-1] if told and sideways else told


def _told(picture: Image.Image) -> Any:
    """What the format's own header says; Pillow fills in a number where some say nothing."""
    told = picture.info.get("dpi")
    if picture.format in ("JPEG", "MPO"):
        return told if picture.info.get("jfif_unit") in (1, 2) else None
    return told if picture.format != "TIFF" or ACROSS in getattr(picture, "tag_v2", ()) else None


def _noted(picture: Image.Image) -> Any:
    """What the camera's notes say."""
    try:
        exif = picture.getexif()
        inches = INCHES.get(exif.get(UNIT, 2))
        return None if inches is None else (float(exif[ACROSS]) * inches, float(exif[DOWN]) * inches)
    except Exception:  # Broken notes make Pillow raise anything.
        return None


def believed(told: Any) -> Density | None:
    """Give a density that a file can hold; None for any other."""
    try:
        across, down = map(float, told)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return (across, down) if all(SPARSEST <= one <= DENSEST for one in (across, down)) else None


def camera_notes(picture: Image.Image) -> bytes:
    """Give what its camera noted, less how it was held and what the density is; nothing of what is broken."""
    try:
        exif, kept = picture.getexif(), Image.Exif()
        for tag in NOTES & set(exif):
            kept[tag] = exif.get_ifd(tag) if tag in INNER_TABLES else exif[tag]
        return kept.tobytes() if len(kept) else b""
    except Exception:  # Broken notes make Pillow raise anything.
        return b""


def notes_with(notes: bytes, density: Density | None) -> bytes:
    """Give a camera's notes with the density, for readers that look for it there."""
    if density is None:
        return notes
    kept = Image.Exif()
    kept.load(notes)
    kept[ACROSS], kept[DOWN], kept[UNIT] = *density, 2
    return kept.tobytes()


def plain_notes(notes: bytes) -> dict[int, Any]:
    """Give those of a camera's notes that a TIFF file has as tags of its own; tables within them are lost."""
    found = Image.Exif()
    found.load(notes)
    return {tag: value for tag, value in found.items() if tag not in INNER_TABLES}


def read_comments(picture: Image.Image) -> tuple[dict[str, str], str]:
    """Give what a picture's owner wrote into its file, by name, as much as is kept; and what is said of the rest.

    The comment of a format that has only one is called as PNG calls it.
    """
    found = {name: text.replace("\0", "") for name, text in _texts(picture).items()}
    theirs = {name: text for name, text in found.items() if _is_comment(name, text)}
    kept, room = dict[str, str](), LONGEST_COMMENTS
    for name, text in theirs.items():
        room -= len(name) + len(text.encode("utf-8", "replace"))
        if room >= 0 and len(name) <= LONGEST_NAME:
            kept[name] = text
    return kept, "" if len(kept) == len(theirs) else f"of its {len(theirs)} comments {len(kept)} are kept, for length"


def _texts(picture: Image.Image) -> dict[str, str]:
    """All texts of a file, by name."""
    found = {name: str(text) for name, text in getattr(picture, "text", {}).items()}
    pieces = [content for kind, content in getattr(picture, "applist", ()) if kind == "COM"]
    if comment := b"\n".join(pieces) or picture.info.get("comment"):
        found.setdefault(COMMENT, comment if isinstance(comment, str) else _decoded(comment))
    return found


def _decoded(content: bytes) -> str:
    """Formats do not say how their comments are encoded."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _is_comment(name: str, text: str) -> bool:
    """Whether a text is its owner's, and no mark of a model."""
    return bool(text) and not name.startswith(NO_COMMENTS) and SOURCE_TYPE not in text


def fitting_profile(profile: bytes, channels: int) -> tuple[bytes, str]:
    """Give a colour profile if it is for pixels of so many channels, and else what is said of it."""
    wanted = b"GRAY" if channels == 1 else b"RGB "
    if len(profile) < HEADER or profile[16:20] == wanted:
        return profile, ""
    return b"", without_profile(SPACES.get(profile[16:20], "other colours"), channels)


def without_profile(space: str, channels: int) -> str:
    """Say that a profile is left out."""
    return f"its colour profile is for {space} and not for {'greys' if channels == 1 else 'RGB'}, and was left out"
