"""What belongs together by its name: a user's regular expression, which may not take for ever."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from gannet.data.records import Chunked, Source, listed
from gannet.schema import shown

SECONDS, NAMES_A_SECOND = 5.0, 20_000
"""How long all names may take: so long, and as much again as for so many a second."""
MATCH = """
import re, sys
pattern, *names = sys.stdin.buffer.read().decode("utf-8", "surrogatepass").split("\\0")
search = re.compile(pattern).search
for name in names:
    search(name)
"""


def check_group(source: Source, pattern: str) -> None:
    """Refuse an expression on the names of samples that have none, or that takes for ever on those there are.

    Python's expressions cannot be stopped, so they are tried in a process of their own.

    Raises:
        ValueError: one sentence.
    """
    if not pattern:
        return
    if isinstance(source, Chunked):
        raise ValueError(f"{source.name} has no file names that data.group could look at; leave it out.")
    names = [record.name for record in listed(source)]
    if not _ends(pattern, names, SECONDS + len(names) / NAMES_A_SECOND):
        raise ValueError(
            f"data.group={shown(pattern)} takes too long on the names of {source.name}; leave out repetitions within "
            "repetitions, such as (a+)+."
        )


def _ends(pattern: str, names: Iterable[str], seconds: float) -> bool:
    """Tell whether it has been looked for in all names within so many seconds."""
    given = "\0".join([pattern, *names]).encode("utf-8", "surrogatepass")
    try:
        subprocess.run([sys.executable, "-I", "-c", MATCH], input=given, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    except OSError:  # Where no process can be started it is believed.
        return True
    return True
