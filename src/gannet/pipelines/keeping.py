"""Models that stay loaded in a process that uses them again and again, such as the studio's; in any other none does."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from gannet.pipelines.pipeline import Pipeline

Stamp: TypeAlias = tuple[tuple[str, int, int], ...]
"""Of each file its name, when it was changed, and its bytes."""


class Keeper:
    """Keeps the models that were used last, by the folder and the weights that they were loaded from.

    Args:
        most: how many; the one that was not used for longest goes first.
    """

    def __init__(self, most: int = 0) -> None:
        self.most, self._lock = most, threading.Lock()
        self._models: OrderedDict[tuple[Path, str], tuple[Stamp, Pipeline]] = OrderedDict()

    def find(self, folder: Path, weights: str) -> "Pipeline | None":
        """Give the model of a folder where it is kept and its files are those that it was loaded from."""
        place = folder.resolve(), weights
        with self._lock:
            if place not in self._models:
                return None
            stamp, pipeline = self._models[place]
            if stamp != stamp_of(folder):
                del self._models[place]
                return None
            self._models.move_to_end(place)
            return pipeline

    def keep(self, folder: Path, weights: str, stamp: Stamp, pipeline: "Pipeline") -> None:
        """Keep a model; `stamp` is that of its folder before it was loaded."""
        with self._lock:
            self._models[folder.resolve(), weights] = stamp, pipeline
            while len(self._models) > self.most:
                self._models.popitem(last=False)


def stamp_of(folder: Path) -> Stamp:
    """Give what changes when a file of a folder does."""
    files = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    return tuple((name, facts.st_mtime_ns, facts.st_size) for name, facts in files)


keeper = Keeper()


def keep_loaded(most: int) -> None:
    """Keep the last `most` models that this process uses; whoever loads one again is given the same object."""
    keeper.most = most
