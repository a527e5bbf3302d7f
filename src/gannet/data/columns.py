"""Columns: one part of all samples, in memory or mapped from disk, and how it becomes a tensor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gannet.media.medium import Field

if TYPE_CHECKING:
    from gannet.data.guard import Guard

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]


def as_they_are(rows: Array) -> Array:
    """Leave rows as they are."""
    return rows


@dataclass(frozen=True)
class Column:
    """One part of all samples.

    Attributes:
        values: (n, ...); of values of differing length all of them end to end, (total, ...).
        offsets: (n + 1,), where each begins and the last ends; None where all are equally long.
        convert: what networks take instead of rows (b, ...).
        window: sides of the part that is given at a time, along the first axes; empty: all of a value.
        guard: holds what is read to what was once written; None where nobody but us could have changed it.
    """

    values: Array
    offsets: Rows | None = None
    convert: Callable[[Array], Array] = as_they_are
    window: tuple[int, ...] = ()
    guard: "Guard | None" = None

    def __post_init__(self) -> None:
        assert self.offsets is None or len(self.window) == 1, "values of differing length are given by a window"

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def sizes(self, rows: Rows) -> Rows:
        """Measure rows along the axes of the window: (b, axes)."""
        if self.offsets is not None:
            return (self.offsets[rows + 1] - self.offsets[rows])[:, None]
        sides = np.array(self.values.shape[1 : 1 + len(self.window)], np.int64)
        return np.broadcast_to(sides, (len(rows), len(sides)))

    def windows(self, rows: Rows) -> Rows:
        """Count the windows of each row, as many as it takes to see all of it: (b,); one without a window."""
        whole = -(-self.sizes(rows) // np.array(self.window, np.int64))
        return np.maximum(whole, 1).prod(1) if self.window else np.ones(len(rows), np.int64)

    def read(self, rows: Rows, places: npt.NDArray[np.float64]) -> Array:
        """Read a window of each row, (b, *window, ...).

        Args:
            places: (b, axes) in [0, 1], where each lies between the first and the last that there is.

        Raises:
            ValueError: a row is damaged, and could not be mended.
        """
        self.verify(rows)
        if not self.window or not len(rows):
            return self.values[rows] if not self.window else np.empty((0, *self.window, *self._rest), self.values.dtype)
        room = np.maximum(self.sizes(rows) - np.array(self.window), 0)
        corners = np.minimum((places[:, : len(self.window)] * (room + 1)).astype(np.int64), room)
        found = zip(rows.tolist(), corners.tolist(), strict=True)
        return np.stack([_padded(self._row(row)[_slices(corner, self.window)], self.window) for row, corner in found])

    def verify(self, rows: Rows) -> None:
        """Hold rows that were not read before to what was once written; ValueError as of `read`."""
        if self.guard is not None:
            self.guard.check(rows, self._row)

    def _row(self, row: int) -> Array:
        """Give one value, whole."""
        return self.values[row] if self.offsets is None else self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def _rest(self) -> tuple[int, ...]:
        """The axes of a value that the window leaves whole."""
        return self.values.shape[len(self.window) + (self.offsets is None) :]

    def lengths(self, rows: Rows) -> Rows:
        """Tell how much of a window of each row is no padding: (b,)."""
        return np.minimum(self.sizes(rows)[:, 0], self.window[0])

    def tensor(self, rows: Array) -> Tensor:
        """Turn what was read into what networks take."""
        return torch.from_numpy(np.ascontiguousarray(self.convert(rows)))


def _slices(corner: Sequence[int], window: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(start, start + side) for start, side in zip(corner, window, strict=True))


def _padded(part: Array, window: Sequence[int]) -> Array:
    """Bring a part of a value that is smaller than the window to its size, with zeros behind."""
    beyond = [(0, side - have) for side, have in zip(window, part.shape, strict=False)]
    return np.pad(part, [*beyond, *[(0, 0)] * (part.ndim - len(beyond))]) if any(map(max, beyond)) else part


def column_of(values: Array, field: Field, offsets: Rows | None = None, guard: "Guard | None" = None) -> Column:
    """Make the column of a field from the rows of its cache."""
    return Column(values, offsets, field.medium.to_array, field.window, guard)
