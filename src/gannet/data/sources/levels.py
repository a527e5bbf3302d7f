"""The levels of pictures that are numbers: what is black and what is white, told by all of a data set together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gannet.media.pixels import Pixels
from gannet.media.value_range import ValueRange, find_range

FLOATS, WHOLES = "f", "iu"
"""NumPy's letters for types of numbers."""


class Levels:
    """How numbers become levels 0 to 255.

    Floats lie in 0..1 or -1..1 and whole numbers in 0..255, or are 0 and 1 alone; one picture cannot tell which.

    Args:
        where: how messages call the data.
        types: of the numbers that they hold.
        blocks: gives the numbers whose type has one of some letters, some at a time and none of them empty.
    """

    def __init__(
        self,
        where: str,
        types: Collection[np.dtype[Any]],
        blocks: Callable[[str], Iterator[npt.NDArray[Any]]],
    ) -> None:
        self._where, self._types, self._blocks = where, types, blocks

    def of(self, values: npt.NDArray[Any]) -> Pixels:
        """Turn numbers into levels; ValueError where the data lie in no known range."""
        if values.dtype.kind == FLOATS:
            return self._floats.to_levels(values)
        if values.dtype.kind == "b" or self._is_binary:
            return values.astype(np.uint8) * np.uint8(255)
        return values if values.dtype == np.uint8 else self._wholes.to_levels(values)

    def words(self) -> list[str]:
        """Give what is read in another way than it once was, for fingerprints."""
        return ["ranges by the bulk"] if self._hold(FLOATS) else ["0 and 1"] if self._is_binary else []

    def notes(self, name: str) -> Iterator[str]:
        """Say how the numbers of data of a name are read where that is not plain, a sentence each."""
        if self._is_binary:
            yield f"{name}: its whole numbers are 0 and 1 alone, and are read as black and white."
        ranges = [self._floats] if self._hold(FLOATS) else []
        ranges += [self._wholes] if any(one.kind in WHOLES and one != np.uint8 for one in self._types) else []
        yield from (f"{name}: {note}." for note in (one.note() for one in ranges) if note)

    def _hold(self, letters: str) -> bool:
        return any(one.kind in letters for one in self._types)

    @functools.cached_property
    def _is_binary(self) -> bool:
        """Tell whether whole numbers are 0 and 1 alone, which would be black; looks no further than to another."""
        highest = 0
        for values in self._blocks(WHOLES) if self._hold(WHOLES) else ():
            if values.min() < 0 or values.max() > 1:
                return False
            highest = max(highest, int(values.max()))
        return highest == 1

    @functools.cached_property
    def _floats(self) -> ValueRange:
        return self._found(FLOATS, ((0.0, 1.0), (-1.0, 1.0)))

    @functools.cached_property
    def _wholes(self) -> ValueRange:
        return self._found(WHOLES, ((0.0, 255.0),))

    def _found(self, letters: str, ranges: Sequence[tuple[float, float]]) -> ValueRange:
        try:
            return find_range(self._blocks(letters), ranges)
        except ValueError as error:
            raise ValueError(
                f"{self._where} holds pictures with values {error}; scale floating-point numbers to 0..1 or -1..1 and "
                "whole numbers to 0..255."
            ) from None
