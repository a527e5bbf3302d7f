"""What belongs together by its name: a user's regular expression, which may not take for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

from gannet.data.records import Source, has_names, listed
from gannet.schema import shown

SECONDS, NAMES_A_SECOND = 5.0, 20_000
"""How long all names may take: so long, and as much again as for so many a second."""
TOO_SLOW = "takes too long on {}; leave out repetitions within repetitions, such as (a+)+."
UNUSABLE = "cannot be looked for in {}; give a simpler expression."
MATCH = """
import json, re, sys
pattern, *names = json.load(sys.stdin)
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
    if not has_names(source):
        raise ValueError(f"{source.name} has no file names that data.group could look at; leave it out.")
    names = [record.name for record in listed(source)]
    if problem := _try(pattern, names, SECONDS + len(names) / NAMES_A_SECOND):
        raise ValueError(f"data.group={shown(pattern)} {problem.format(f'the names of {source.name}')}")


def _try(pattern: str, names: Iterable[str], seconds: float) -> str:
    """Look for it in all names within so many seconds, and say what is wrong with it; empty: nothing."""
    given = json.dumps([pattern, *names]).encode()
    command = [sys.executable, "-I", "-c", MATCH]
    try:
        tried = subprocess.run(command, input=given, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return TOO_SLOW
    except OSError:  # Where no process can be started it is believed.
        return ""
    return UNUSABLE if tried.returncode else ""
