"""Work done ahead by threads or processes, and taken in order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Tell how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Give the results in the order of the items, by threads:
    for work that releases the interpreter's lock at length.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class Budget:
    """So much of something that threads share; whoever wants more than is left waits until others give theirs back.

    Args:
        most: what all of them have together; one may have all of it, and what wants still more is alone.
    """

    def __init__(self, most: int) -> None:
        self.most, self.left = most, most
        self._changed = Condition()

    def take(self, amount: int) -> None:
        """Wait for so much, and take it."""
        with self._changed:
            self._changed.wait_for(lambda: self.left >= min(amount, self.most))
            self.left -= min(amount, self.most)

    def give_back(self, amount: int) -> None:
        """Give back what was taken."""
        with self._changed:
            self.left += min(amount, self.most)
            self._changed.notify_all()


@dataclass(frozen=True)
class _Called(Generic[Item, Result]):
    """What a DataLoader takes for a data set: its "indices" are the items."""

    function: Callable[[Item], Result]

    def __getitem__(self, item: Item) -> Result:
        return self.function(item)


def map_in_processes(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Give the results in the order of the items, by processes of one thread each; by one worker in this process.

    The function, the items and the results must be picklable. PyTorch's DataLoader ends its processes when this one
    ends, however it ends.
    """
    if workers == 1:
        return map(function, items)
    from torch.utils.data import DataLoader

    called: Any = _Called(function)
    return iter(
        DataLoader(called, sampler=items, batch_size=None, collate_fn=_as_it_is, num_workers=workers, prefetch_factor=2)
    )


def _as_it_is(result: Result) -> Result:
    return result
