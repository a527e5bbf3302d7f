"""Names of files that any disk and archive can hold: legible, and not too long."""

from gannet.runtime.digests import number
from gannet.runtime.wording import legible

LONGEST_NAME = 255
"""Bytes of a name that disks allow."""


def shortened(stem: str, ending: str = "", room: int = LONGEST_NAME) -> str:
    """Give a file's name that any disk and archive can hold: in UTF-8, and not too long.

    Of one that is too long, what is cut off is told by eight digits.

    Args:
        room: bytes that it may have.
    """
    stem, ending = legible(stem), legible(ending)
    whole = f"{stem}{ending}".encode()
    if len(whole) <= room:
        return f"{stem}{ending}"
    kept = stem.encode()[: max(1, room - len(ending.encode()) - 9)].decode("utf-8", "ignore")
    return f"{kept}-{number(whole) % 16**8:08x}{ending}"
