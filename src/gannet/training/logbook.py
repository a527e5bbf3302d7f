"""`log.jsonl`: one line a look, cut back to the checkpoint when a run resumes; TensorBoard beside it when asked for."""

import json
import os
from pathlib import Path
from typing import Any


class Logbook:
    """Appends lines to the log and can be cut back to an earlier length.

    Args:
        path: the run's `log.jsonl`.
        tensorboard: folder for TensorBoard's files, or None.
    """

    def __init__(self, path: Path, tensorboard: Path | None = None) -> None:
        self.path = path
        path.touch()
        self.writer = _open_tensorboard(tensorboard) if tensorboard else None

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
        if self.writer:
            for name, value in _numbers(line):
                self.writer.add_scalar(name, value, images)

    def cut(self, length: int) -> None:
        """Forget what was written after `length` bytes."""
        with self.path.open("r+b") as file:
            file.truncate(min(length, self.length))


def _numbers(line: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in line.items():
        if isinstance(value, dict):
            found += _numbers(value, f"{prefix}{name}/")
        elif isinstance(value, int | float):
            found.append((f"{prefix}{name}", float(value)))
    return found


def _open_tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ValueError("log.tensorboard needs TensorBoard; run `pip install 'gannet[tensorboard]'`.") from None
    return SummaryWriter(str(folder))
