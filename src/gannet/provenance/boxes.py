"""Boxes, of which MP4 and MOV files are made (ISO 14496-12): finding them, and the one that holds XMP."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from gannet.provenance.metadata import Facts, xmp_packet

XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""What tells the box of a file's XMP from others of users (XMP specification, part 3)."""
MOST_BOXES, LONGEST_PACKET = 10_000, 1 << 20
"""Boxes of one level that are looked at, and bytes of XMP that are read, at most."""


@dataclass(frozen=True)
class Box:
    """A box.

    Attributes:
        kind: its four letters.
        start, end: where its content lies in the file.
    """

    kind: bytes
    start: int
    end: int


def boxes(stream: IO[bytes], start: int, end: int) -> Iterator[Box]:
    """Give the boxes side by side between two places of a file; none behind one that claims to reach beyond."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        stream.seek(start)
        head = stream.read(16)
        size, kind, content = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), start + 16
        last = end if size == 0 else start + size
        if not content <= last <= end:
            return
        yield Box(kind, content, last)
        start = last


def within(stream: IO[bytes], *kinds: bytes) -> Iterator[Box]:
    """Give every box of a file that lies in boxes of these kinds, the last kind its own, from the outermost on."""
    return inside(stream, Box(b"", 0, stream.seek(0, io.SEEK_END)), *kinds)


def inside(stream: IO[bytes], box: Box, *kinds: bytes) -> Iterator[Box]:
    """Give every box that lies so in another."""
    found = [box]
    for kind in kinds:
        found = [inner for box in found for inner in boxes(stream, box.start, box.end) if inner.kind == kind]
    yield from found


def with_packet(content: bytes, facts: Facts) -> bytes:
    """Give an MP4 file with XMP behind all else that says by facts where it came from; as it is without any."""
    if not facts:
        return content
    packet = XMP_BOX + xmp_packet(facts).encode()
    return content + (len(packet) + 8).to_bytes(4, "big") + b"uuid" + packet


def read_packet(stream: IO[bytes]) -> str:
    """Give the XMP of an MP4 or MOV file; empty where it has none."""
    for box in within(stream, b"uuid"):
        stream.seek(box.start)
        if stream.read(len(XMP_BOX)) == XMP_BOX:
            return stream.read(min(box.end - box.start - len(XMP_BOX), LONGEST_PACKET)).decode("utf-8", "replace")
    return ""
