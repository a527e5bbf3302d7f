"""A few out of many that come one after the other, whose number nobody knows before."""

from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def evenly(items: Iterable[Item], most: int) -> list[Item]:
    """Give up to `most` items spread evenly over all, keeping at most twice as many at a time.

    Every k-th is kept, and k is doubled whenever too many are.
    """
    kept: list[Item] = []
    stride = 1
    for position, item in enumerate(items):
        if position % stride == 0:
            kept.append(item)
        if len(kept) > 2 * most:
            kept, stride = kept[::2], 2 * stride
    count = min(most, len(kept))
    return [kept[index * len(kept) // count] for index in range(count)]
