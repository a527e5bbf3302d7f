"""Steps of long work that are kept until it is done, so that work which was broken off goes on where it was."""

import json
import shutil
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from gannet.runtime.files import write_json

ORDER = "order.json"


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
        folder: made when there is something to keep; what another order left there is removed.
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
        self._begun = False

    def take(self, part: str, number: int, total: int, make: Callable[[], Any]) -> Any:
        """Take a step, or give what it gave before; ValueError where it cannot be kept."""
        self._before(number, total)
        if total < 2:
            return make()
        self._begin()
        file = self.folder / f"{part}-{number:06}.json"
        if file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))
        made = make()
        write_json(file, made)
        return made

    def finish(self) -> None:
        """Remove what was kept: the work is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begin(self) -> None:
        if self._begun:
            return
        told = sha256(json.dumps(self._order(), sort_keys=True, default=str).encode()).hexdigest()
        order = self.folder / ORDER
        if self.folder.is_dir() and not (order.is_file() and json.loads(order.read_text()) == told):
            shutil.rmtree(self.folder)
        self.folder.mkdir(exist_ok=True)
        write_json(order, told)
        self._begun = True
