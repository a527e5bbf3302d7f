"""Labels as tables and arrays hold them: what is a class, and which one, settled when data are opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from gannet.data.records import Labels
from gannet.schema import shown

MOST_CLASSES = 100_000
MOST_LETTERS = 1024
"""Of a class's name: longer ones are texts."""
NONE = -1


class ClassTable:
    """The classes of the labels that data hold, and the number of each.

    A label is a whole number from 0 (1.0 is one, as is True), or a word. None, not-a-number, -1 and the empty word
    are no label.

    Args:
        seen: the labels, each at least once.
        where: how messages call the data.
        names: of the classes, where the data give them.

    Attributes:
        names: of the classes.
        blank: there is an empty word, which was a class once; what was cached then is not read any more.

    Raises:
        ValueError: something else is among them, or there are too many classes.
    """

    def __init__(self, seen: Iterable[Any], where: str, names: Sequence[str] = ()) -> None:
        self._where = where
        found: set[int | str] = set()
        self.blank = False
        for value in seen:
            self.blank = self.blank or value == ""
            found.add(self._told(value))
            if len(found) > MOST_CLASSES + 1:
                raise self._too_many()
        words = {one for one in found if isinstance(one, str)}
        numbers = {one for one in found if isinstance(one, int)} - {NONE}
        if words and numbers and not names:
            raise self._unclear(f"both words, such as {shown(min(words))}, and numbers, such as {min(numbers)}")
        if numbers and (min(numbers) < 0 or max(numbers) >= (len(names) or MOST_CLASSES)):
            raise self._out_of_range(min(numbers), max(numbers), len(names))
        self.names = tuple(names) or (tuple(sorted(words)) or tuple(map(str, range(max(numbers, default=-1) + 1))))
        if len(self.names) > MOST_CLASSES:
            raise self._too_many()
        self._index = {name: number for number, name in enumerate(self.names)}
        if unknown := words - self._index.keys():
            raise self._unclear(f"{shown(min(unknown))}, which is none of the {len(names):,} classes that it names")

    def number(self, value: Any) -> int:
        """Give the number of a label's class, -1 of none."""
        told = self._told(value)
        return self._index[told] if isinstance(told, str) else told

    def numbers(self, values: npt.NDArray[Any]) -> Labels:
        """Give the numbers of the classes of labels (n,), int64 (n,)."""
        different, places = np.unique(values, return_inverse=True)
        known = np.array([self.number(value) for value in different.tolist()], np.int64)
        return known[places.reshape(-1)]

    def _told(self, value: Any) -> int | str:
        """Give a label as a word or a number, -1 for none."""
        if value is None or value == "" or value != value:  # Only not-a-number is not itself.
            return NONE
        if isinstance(value, str) and len(value) <= MOST_LETTERS:
            return value
        if isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer()):
            return int(value)
        raise self._unclear(shown(value))

    def _unclear(self, found: str) -> ValueError:
        return ValueError(
            f"{self._where} holds labels that are no classes ({found}); give one whole number or word for each picture."
        )

    def _out_of_range(self, lowest: int, highest: int, named: int) -> ValueError:
        most = f"its {named:,} classes have names" if named else f"at most {MOST_CLASSES:,}"
        return ValueError(
            f"{self._where} holds labels from {lowest} to {highest}; number the classes from 0 ({most}) or give their "
            "names as text."
        )

    def _too_many(self) -> ValueError:
        return ValueError(
            f"{self._where} holds more than {MOST_CLASSES:,} different labels, which are no classes; give one whole "
            "number or word for each picture that others share."
        )


def numbered(given: object, count: int, where: str, names: Sequence[str] = ()) -> tuple[tuple[str, ...], Labels]:
    """Give the classes of labels in memory, and their numbers (count,), -1 of none.

    Args:
        given: an array, a tensor or a list of them; None: there are none.
        where: how messages call the data.
        names: of the classes, where the data give them.

    Raises:
        ValueError: they are more or fewer, or no classes.
    """
    if given is None:
        return (), np.full(count, NONE, np.int64)
    plain = _plain(given)
    if not isinstance(plain, Iterable) or isinstance(plain, str | bytes | Set | Mapping):
        raise ValueError(f"{where} holds labels as {type(given).__name__}; give a list or an array of them.")
    labels = [_plain(label) for label in plain]
    if len(labels) != count:
        raise ValueError(f"{where} holds {len(labels):,} labels for {count:,} pictures; give one for each.")
    table = ClassTable(labels, where, names)
    return table.names, np.array([table.number(label) for label in labels], np.int64)


def _plain(given: Any) -> Any:
    """Give a label of NumPy or PyTorch, or many of them, as Python's own."""
    return given.tolist() if isinstance(given, np.generic | np.ndarray | Tensor) else given
