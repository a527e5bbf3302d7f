"""`log.jsonl`: one line a look, cut back to the checkpoint when a run resumes; TensorBoard beside it when asked for."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Logbook:
    """Appends lines to the log and can be cut back to an earlier length.

    Args:
        path: the run's `log.jsonl`.
        tensorboard: folder for TensorBoard's files, or None.
        notify: is told, once, when TensorBoard fails; the log goes on without.
    """

    def __init__(self, path: Path, tensorboard: Path | None = None, notify: Callable[[str], None] = print) -> None:
        self.path, self.notify = path, notify
        path.touch()
        self.writer: Any = None
        if tensorboard:
            opened = _tensorboard()
            with self._showing():
                self.writer = opened(str(tensorboard))

    @property
    def length(self) -> int:
        """Bytes written so far, safely on disk."""
        return self.path.stat().st_size

    def append(self, images: int, line: dict[str, Any]) -> None:
        """Write one line, and its numbers to TensorBoard."""
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps({"images": images, **line}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with self._showing():
            for name, value in _numbers(line) if self.writer else ():
                self.writer.add_scalar(name, value, images)

    @contextmanager
    def _showing(self) -> Iterator[None]:
        """Go on without TensorBoard where it fails: whatever a viewer raises, it is no reason to stop a run."""
        try:
            yield
        except Exception as error:
            self.writer = None
            self.notify(f"TensorBoard gets no more lines of this run ({error}); {self.path} has them all.")

    def cut(self, length: int) -> None:
        """Forget what was written after `length` bytes."""
        if self.length > length:
            with self.path.open("r+b") as file:
                file.truncate(length)


def _numbers(line: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in line.items():
        if isinstance(value, dict):
            found += _numbers(value, f"{prefix}{name}/")
        elif isinstance(value, int | float):
            found.append((f"{prefix}{name}", float(value)))
    return found


def _tensorboard() -> Callable[[str], Any]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ValueError("log.tensorboard needs TensorBoard; run `pip install 'gannet[tensorboard]'`.") from None
    return SummaryWriter
