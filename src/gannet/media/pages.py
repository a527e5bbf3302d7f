"""Pages of a file, which TIFF has, and frames, which GIF, WebP and PNG have: which one is meant."""

import re
from pathlib import Path
from typing import Any

from PIL import Image

from gannet.media.pixels import open_picture
from gannet.runtime.broken import unless_broken

NAMED = re.compile(r"(?P<file>.+)#(?P<page>[0-9]{1,9})", re.DOTALL)


def named_page(given: str | Path) -> tuple[Path, int | None]:
    """Tell a file and which of its pages is meant, from 1 on, as in `scan.tif#2`; None: none is named.

    A file that is really called so goes first.
    """
    found = NAMED.fullmatch(str(given))
    if found is None or Path(given).exists() or not Path(found["file"]).is_file():
        return Path(given), None
    return Path(found["file"]), int(found["page"])


def unused_pages(file: Path) -> str:
    """Say that a file holds more than the picture that is used of it; empty where it does not."""
    with unless_broken(), file.open("rb") as stream:  # Whoever reads a broken one says so.
        return further_pictures(open_picture(stream))
    return ""


def further_pictures(picture: object) -> str:
    """Say that a file holds more than the picture that is used of it, which may show another page then.

    What cameras put behind a JPEG, and smaller copies behind a TIFF, are no pictures of their own.
    """
    if not isinstance(picture, Image.Image) or picture.format == "MPO" or not getattr(picture, "is_animated", False):
        return ""
    if picture.format == "TIFF" and _is_reduced(picture):
        return ""
    return f"it holds several {'pages' if picture.format == 'TIFF' else 'frames'}, of which only the first is used"


def _is_reduced(picture: Any) -> bool:
    """Whether the second page is the first one in small (TIFF 6.0, NewSubfileType)."""
    picture.seek(1)
    return bool(picture.tag_v2.get(254, 0) & 1)
