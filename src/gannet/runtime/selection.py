"""Evenly spaced items of a stream whose length is not known before it ends."""

from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def evenly_spaced(items: Iterable[Item], most: int) -> list[Item]:
    """Give the first item and every k-th after it, of the smallest power of two k that gives at most `most`.

    Of up to `most` items all are given, of more at least half of `most`. All distances are the same; behind the last
    that is given lie fewer than k items. Never more than `most` are kept, so that a film need not fit into memory.
    """
    kept: list[Item] = []
    stride = 1
    for position, item in enumerate(items):
        if len(kept) == most and position % stride == 0:
            kept, stride = kept[::2], 2 * stride
        if position % stride == 0:
            kept.append(item)
    return kept
