"""Checkpoints: `state/<images>.safetensors`, each whole or not there; the newest few and the best are kept."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gannet.runtime.files import load_plain, load_tree, save_tree
from gannet.runtime.partial import is_torn

OLD_SHEET = re.compile(r"\.\d+\.partial\.\w+")
"""A sheet of samples as older versions called it before it was whole; no process writes one now."""


class CheckpointFolder:
    """The checkpoints of one run.

    Args:
        folder: the run's `state/`.
        keep: how many of the newest stay.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self.keep = folder, keep

    def prepare(self) -> None:
        """Create the folder, and remove what a killed process was writing anywhere in the run.

        What another process, such as one that judges, is writing there now stays, and so does a folder of such a name.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.parent.rglob(".*.partial*"):
            own = path.parent == self.folder or OLD_SHEET.fullmatch(path.name)
            if path.is_file() and (own or is_torn(path)):
                path.unlink(missing_ok=True)

    def save(self, images: int, tree: dict[str, Any]) -> None:
        """Write a checkpoint, then let go of old ones; `tree["best"]` is `{images, score}` of the best so far."""
        save_tree(self.folder / f"{images:012d}.safetensors", tree)
        self.let_go(tree["best"]["images"])

    def let_go(self, best: int) -> None:
        """Remove all but the newest few checkpoints and the best."""
        newest = self.paths()[-self.keep :]
        for path in self.paths():
            if path not in newest and int(path.stem) != best:
                path.unlink()

    def paths(self) -> list[Path]:
        """Give all checkpoints, oldest first."""
        return sorted(path for path in self.folder.glob("*.safetensors") if path.stem.isdigit() and path.is_file())

    def newest(self) -> dict[str, Any] | None:
        """Give the newest checkpoint's tree, or None before the first.

        Raises:
            ValueError: the file is damaged; the sentence names it.
        """
        return self._newest(load_tree)

    def glance(self) -> dict[str, Any] | None:
        """Give the newest one's numbers and words as `newest` does, without reading its tensors or checking them."""
        return self._newest(load_plain)

    def _newest(self, load: Callable[[Path], Any]) -> dict[str, Any] | None:
        if not self.paths():
            return None
        path = self.paths()[-1]
        try:
            tree = load(path)
        except ValueError as error:
            raise ValueError(f"{error} Delete it to continue from the checkpoint before it.") from None
        if not isinstance(tree, dict) or "progress" not in tree:
            raise ValueError(f"{path} is not a checkpoint; delete it to continue from the one before it.")
        return tree


def better(score: float, best: dict[str, Any]) -> bool:
    """Tell whether `score` (lower is better) beats the best so far."""
    return math.isfinite(score) and score < best["score"]


NOTHING_YET: dict[str, Any] = {"images": -1, "score": 1e300}
"""The best before anything was judged; finite, so that it stays valid JSON."""
