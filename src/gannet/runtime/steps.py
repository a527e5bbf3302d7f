"""Steps of long work that are kept until it is done, so that work which was broken off goes on where it was.

A delivery (`gannet.pipelines.writer`) keeps its parts otherwise, in a folder of the same name: its parts are pieces of
the result, which nobody reads again, several processes write and no other order may mix with, whereas a step is data
that the next one needs, so that a name which tells the work does for a note and a lock.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from gannet.runtime.files import write_json

DIGITS = 32
KEPT = re.compile(rf"[0-9a-f]{{{DIGITS}}}-[a-z]+-\d{{6,}}\.json")
"""The names of files that hold a step: what tells the work from any other, the part, and the number."""


class Steps:
    """Steps of which nothing is kept.

    Args:
        look: is called now and then during a step; raises Stopped where somebody wants to stop.
    """

    def __init__(self, look: Callable[[], None] = lambda: None) -> None:
        self.look = look

    def take(self, part: str, number: int, total: int, make: Callable[[], Any]) -> Any:  # noqa: ARG002
        """Take a step of a part of the work, from 0 on: give plain data, as JSON has them."""
        return make()


class KeptSteps(Steps):
    """Steps that are kept in a folder, where there are several.

    Args:
        folder: made when there is something to keep.
        order: gives plain data that tell this work from any other.
        before: is told before each step how many of how many are done; may raise Stopped.
        look: as of `Steps`.
    """

    def __init__(
        self,
        folder: Path,
        order: Callable[[], Mapping[str, Any]],
        before: Callable[[int, int], None],
        look: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(look)
        self.folder, self._order, self._before = folder, order, before

    def take(self, part: str, number: int, total: int, make: Callable[[], Any]) -> Any:
        """Take a step, or give what it gave before; ValueError where it cannot be kept."""
        self._before(number, total)
        if total < 2:
            return make()
        file = self.folder / f"{self._told}-{part}-{number:06}.json"
        if file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))
        made = make()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"{self.folder} cannot be written ({error.strerror}); choose another place.") from None
        write_json(file, made)
        return made

    def finish(self) -> None:
        """Remove what was kept, and nothing else: the work is done."""
        clear_steps(self.folder)

    @cached_property
    def _told(self) -> str:
        """What files of this work begin with, and those of no other."""
        return sha256(json.dumps(self._order(), sort_keys=True, default=str).encode()).hexdigest()[:DIGITS]


def clear_steps(folder: Path) -> None:
    """Remove the steps that a folder holds, of whatever work, and the folder where it holds nothing else."""
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        if KEPT.fullmatch(file.name):
            file.unlink(missing_ok=True)
    with suppress(OSError):  # It holds something that is somebody else's.
        folder.rmdir()
