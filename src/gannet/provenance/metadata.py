"""Metadata: what a model made or changed says so in its file, with the model and the seed; what was not says nothing.

The facts of a file are plain data: the model, the seed, and what else is known. Empty facts leave a file unmarked.
"""

import contextlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias
from xml.sax.saxutils import escape, unescape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gannet.provenance.formats import FILMS, PICTURES, TIFF_ENDINGS
from gannet.runtime.partial import partial_path

Facts: TypeAlias = Mapping[str, object]
"""What a file says of its making: the model, the seed, and what else is known, as plain data."""
SOURCE_TYPE, TYPES = "DigitalSourceType", "http://cv.iptc.org/newscodes/digitalsourcetype/"
SYNTHETIC = f"{TYPES}trainedAlgorithmicMedia"
"""The IPTC digital source type of media made by a trained model."""
COMPOSITE = f"{TYPES}compositeWithTrainedAlgorithmicMedia"
"""That of media that a trained model changed."""
MADE = re.compile(rf"{TYPES}\w*(lgorithmicMedia|ompositeSynthetic)")
"""The types of what a model had a hand in."""
BEFORE, LONGEST_MARK = "before", 2**13
"""The fact that holds what a file said before, and how long that is at most: what is longer is kept as its type alone,
for formats give metadata little room."""
XMP_TAG, PACKET, COMMENT = 700, "XML:com.adobe.xmp", "Comment"
"""The tag of a TIFF that holds XMP, and what PNG calls that and a comment without a name of its own."""


def save_picture(picture: Image.Image, path: Path, facts: Facts) -> None:
    """Save a picture (PNG, JPEG, WebP or GIF) with XMP and a comment that say it is synthetic.

    Args:
        facts: the model, the seed and what else is known of its making.

    Raises:
        ValueError: the file's ending is not one of the four formats, or it cannot be written.
    """
    save_film([picture], path, facts)


def encode_picture(picture: Image.Image, facts: Facts) -> bytes:
    """Give a picture as a PNG file that says by its facts where it came from; without any it says nothing."""
    content = io.BytesIO()
    picture.save(content, "PNG", **metadata(".png", facts))
    return content.getvalue()


def save_film(pictures: list[Image.Image], path: Path, facts: Facts, seconds: float = 0.06) -> None:
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


def comment(facts: Facts) -> str:
    """Give facts with their source type as JSON in one line; empty without facts."""
    return json.dumps(typed(facts), ensure_ascii=True) if facts else ""


def typed(facts: Facts) -> dict[str, object]:
    """Give facts with their source type; none without facts."""
    return {SOURCE_TYPE: SYNTHETIC, **facts} if facts else {}


def joined(facts: Facts, earlier: Facts) -> dict[str, object]:
    """Give the facts of something that was made of what said `earlier` of itself: that is kept.

    What was synthetic before it was changed is synthetic after it.
    """
    if not (facts and earlier):
        return {**facts, **earlier}
    kind = {SOURCE_TYPE: SYNTHETIC} if earlier.get(SOURCE_TYPE) == SYNTHETIC else {}
    fits = len(json.dumps(earlier)) <= LONGEST_MARK
    return {**facts, **kind, BEFORE: dict(earlier) if fits else {SOURCE_TYPE: earlier[SOURCE_TYPE]}}


def read_facts(picture: Image.Image) -> dict[str, object]:
    """Read what a picture's metadata say of its making: Gannet's facts, or another maker's source type alone.

    Returns:
        facts with their source type; empty where it is not said that a model had a hand in it.
    """
    packet = _text(picture.info.get(PACKET) or picture.info.get("xmp") or _tiff_packet(picture))
    return facts_of(packet, _text(picture.info.get(COMMENT) or picture.info.get("comment")))


def facts_of(packet: str, told: str) -> dict[str, object]:
    """Read what the XMP and a comment of a file say of its making; see `read_facts`."""
    found = MADE.search(packet)
    kind = found[0] if found else ""
    if tool := re.search(r'CreatorTool="Gannet: (.*?)"', packet):
        told = unescape(tool[1], {"&quot;": '"'})
    with contextlib.suppress(ValueError, RecursionError):
        facts = json.loads(told)
        if isinstance(facts, dict) and len(told) <= LONGEST_MARK:
            own = str(facts.get(SOURCE_TYPE, ""))
            kind = own if MADE.fullmatch(own) else kind
            return {**facts, SOURCE_TYPE: kind} if kind else {}
    return {SOURCE_TYPE: kind} if kind else {}


def _text(found: object) -> str:
    """Give metadata as text."""
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found if isinstance(found, str) else ""


def _tiff_packet(picture: Image.Image) -> object:
    tags = getattr(picture, "tag_v2", {})
    return tags.get(XMP_TAG)


def check_format(path: Path, count: int = 1) -> None:
    """Raise ValueError when the path's ending is not a format for `count` pictures that can carry the metadata."""
    formats = PICTURES if count == 1 else FILMS
    if path.suffix.lower() not in formats:
        what = "pictures" if count == 1 else "animations"
        raise ValueError(
            f"{path.name}: {what} are saved as {', '.join(formats)}; "
            "name the file so (a folder's name has no such ending)."
        )


def metadata(ending: str, facts: Facts, comments: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give Pillow's options that write XMP and a comment into a file of that ending; none without facts.

    Args:
        comments: what somebody else wrote into the file, by name, which stays; the facts are in the XMP all the same.
    """
    packet, comments = xmp_packet(facts), comments or {}
    if ending in TIFF_ENDINGS:
        return {"tiffinfo": {XMP_TAG: packet.encode()} if facts else {}, "compression": "tiff_deflate"}
    if ending == ".png":
        own = {COMMENT: comment(facts)} if facts else {}
        return {"pnginfo": _texts({**own, **comments}, packet if facts else "")}
    if ending == ".webp":
        return {"lossless": True} | ({"xmp": packet.encode()} if facts else {})
    words = _in_one(comments) or comment(facts)
    said = {"comment": words.encode()} if words else {}
    if ending == ".gif":
        return said
    return {"quality": 95} | ({"xmp": packet.encode()} if facts else {}) | said


def _texts(comments: Mapping[str, str], packet: str) -> PngInfo:
    """Give the texts of a PNG file."""
    info = PngInfo()
    if packet:
        info.add_itxt(PACKET, packet)
    for name, text in comments.items():
        info.add_text(name, text)
    return info


def _in_one(comments: Mapping[str, str]) -> str:
    """Give comments to a format that has room for one, without a name."""
    return "\n".join(text if name == COMMENT else f"{name}: {text}" for name, text in comments.items())


def xmp_packet(facts: Facts) -> str:
    """Give the XMP that says by facts where a file came from."""
    kind, rest = facts.get(SOURCE_TYPE, SYNTHETIC), {name: told for name, told in facts.items() if name != SOURCE_TYPE}
    maker = escape(f"Gannet: {json.dumps(rest)}", {'"': "&quot;"})
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' Iptc4xmpExt:DigitalSourceType="{kind}" xmp:CreatorTool="{maker}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
