"""What an export gives, whichever format it is to."""

from dataclasses import dataclass
from pathlib import Path

from gannet.runtime.files import check_free

STEPS = 4
"""Of an export that somebody watches: loading, exporting, comparing, writing."""
CLOSE = 2 / 255
"""The largest difference between two answers in [-1, 1] that differ by one of 255 levels at most."""


@dataclass(frozen=True)
class Exported:
    """What was written, and how far it is from the original.

    Attributes:
        path: of the file.
        difference: the largest absolute one between the answers of the program that runs it and PyTorch's.
        inputs: shapes by name; the first number is that of the example, any will do.
        count: how many samples were compared.
    """

    path: Path
    difference: float
    inputs: dict[str, tuple[int, ...]]
    count: int


def check_path(path: Path, ending: str = ".onnx") -> None:
    """Raise ValueError where a path exists or has another ending."""
    check_free(path)
    if path.suffix.lower() != ending:
        raise ValueError(f"{path.name}: the file is to end in {ending}; name it so.")
