"""Provenance: every picture that leaves Gannet says that it is synthetic, and which model and seed it came from."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gannet.runtime.partial import partial_path

SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""The IPTC digital source type of media made by a trained model."""
FORMATS = (".png", ".jpg", ".jpeg", ".webp", ".gif")
XMP_TAG = 700
FILM_FORMATS = (".gif", ".webp", ".png")


def save_picture(picture: Image.Image, path: Path, facts: dict[str, Any]) -> None:
    """Save a picture (PNG, JPEG, WebP or GIF) with XMP and a comment that say it is synthetic.

    Args:
        facts: the model, the seed and what else is known of its making.

    Raises:
        ValueError: the file's ending is not one of the four formats, or it cannot be written.
    """
    save_film([picture], path, facts)


def save_film(pictures: list[Image.Image], path: Path, facts: dict[str, Any], seconds: float = 0.06) -> None:
    """Save one picture, or several as an animation (GIF or WebP) that shows each for so many seconds."""
    check_format(path, len(pictures))
    options = metadata(path.suffix.lower(), facts)
    if len(pictures) > 1:
        options |= {
            "save_all": True,
            "append_images": pictures[1:],
            "duration": round(1000 * seconds),
            "loop": 0,
        }
    temporary = partial_path(path, path.suffix)  # Pillow chooses the format by the ending.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures[0].save(temporary, **options)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise ValueError(f"{path} cannot be written ({error.strerror or error}); choose another place.") from error


def encode_picture(picture: Image.Image, facts: dict[str, Any]) -> bytes:
    """A picture as a PNG file with the same metadata, for whoever writes many."""
    content = io.BytesIO()
    picture.save(content, "PNG", **metadata(".png", facts))
    return content.getvalue()


def _comment(facts: dict[str, Any]) -> str:
    return json.dumps({"DigitalSourceType": SYNTHETIC, **facts}, ensure_ascii=True)


def check_format(path: Path, count: int = 1) -> None:
    """Raise ValueError when the path's ending is not a format for `count` pictures that can carry the metadata."""
    formats = FORMATS if count == 1 else FILM_FORMATS
    if path.suffix.lower() not in formats:
        what = "pictures" if count == 1 else "animations"
        raise ValueError(
            f"{path.name}: {what} are saved as {', '.join(formats)}; name the file so (a folder's name has no dot)."
        )


def metadata(ending: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Pillow's options that write XMP and a comment into a file of that ending."""
    packet, comment = _packet(facts), _comment(facts)
    if ending in (".tif", ".tiff"):
        return {"tiffinfo": {XMP_TAG: packet.encode()}, "compression": "tiff_deflate"}
    if ending == ".png":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet)
        info.add_text("Comment", comment)
        return {"pnginfo": info}
    if ending == ".webp":
        return {"xmp": packet.encode(), "lossless": True}
    if ending == ".gif":
        return {"comment": comment.encode()}
    return {"xmp": packet.encode(), "comment": comment.encode(), "quality": 95}


def _packet(facts: dict[str, Any]) -> str:
    maker = escape(f"Gannet: {json.dumps(facts)}", {'"': "&quot;"})
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' Iptc4xmpExt:DigitalSourceType="{SYNTHETIC}" xmp:CreatorTool="{maker}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
