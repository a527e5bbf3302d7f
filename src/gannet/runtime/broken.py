"""Broken files, which are left out of data: they make decoders raise anything, but never excuse a defect of ours."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager


def is_defect(error: Exception) -> bool:
    """Tell whether an error is an assertion of our own that failed; a library's may be a broken file's doing."""
    if not isinstance(error, AssertionError):
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "gannet"


@contextmanager
def unless_broken() -> Iterator[None]:
    """Pass over whatever a broken file raises in the block, and raise what is a defect of ours."""
    try:
        yield
    except Exception as error:
        if is_defect(error):
            raise
