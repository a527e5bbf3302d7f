"""Whole levels, as files have them, and values in [-1, 1], as networks have them: the way there and back."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

Levels = TypeVar("Levels", npt.NDArray[Any], Tensor)
WHITE = 255
"""The highest of the levels that eight bits tell apart."""


def from_levels(levels: Levels, white: int = WHITE) -> Levels:
    """Turn levels from 0 to `white` into floats in [-1, 1], laid out in memory as the levels are.

    An array is turned by NumPy: a second thread that computes in PyTorch takes the processor from the OpenMP threads
    of the first one.
    """
    if isinstance(levels, Tensor):
        return levels / (white / 2) - 1
    values = levels.astype(np.float32)
    values /= white / 2
    values -= 1
    return values


def to_levels(values: Tensor, white: int = WHITE) -> Tensor:
    """Turn values, of which those beyond [-1, 1] count as its ends, into the nearest levels: whole floats."""
    return ((values.clamp(-1, 1) + 1) * (white / 2)).round()
