"""Samples for all who wait for some of one model: requests that differ in seed and number alone share batches."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from gannet import api
from gannet.studio import actions, bounds
from gannet.studio.settings import Settings
from gannet.studio.work import Verb

OWN = ("num", "seed")
"""What requests that are drawn together may differ in."""
MOST_SHARED, MOST_TOGETHER = 64, 1024
"""Samples of a request that is drawn with others, and of all that are drawn at once; more would keep others waiting."""


@dataclass(eq=False)
class Order:
    """A request that waits, and what came of it.

    Attributes:
        asked: the options.
        out: the folder that its samples go to.
        answer: what came of it, or why nothing did; empty while it waits.
    """

    asked: Mapping[str, object]
    out: Path
    answer: list[actions.Made | Exception] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many samples it asks for."""
        return int(str(self.asked.get("num", 1)))


class Sampling:
    """Lets whoever has the turn draw for all who wait for the same.

    Args:
        settings: of the studio.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self._lock = settings, threading.Lock()
        self._waiting: dict[tuple[str, str], list[Order]] = {}

    @contextmanager
    def shared(
        self, model: str, asked: Mapping[str, object], place: Path, alone: Verb[actions.Made]
    ) -> Iterator[Verb[actions.Made]]:
        """Give what draws a request together with others as long as it waits, or `alone` where it shares with none.

        Args:
            place: a folder of its own.
        """
        target = bounds.model_named(model, self.settings)
        if not _is_small(asked) or api.interface(target)["inputs"]:
            yield alone
            return
        alike = {name: value for name, value in asked.items() if name not in OWN}
        key, order = (target, json.dumps(alike, sort_keys=True, default=repr)), Order(asked, place / "results")
        with self._lock:
            self._waiting.setdefault(key, []).append(order)
        try:
            yield partial(self._served, key, order)
        finally:
            self._take(key, [order])

    def _served(
        self,
        key: tuple[str, str],
        order: Order,
        tell: api.OnProgress,  # noqa: ARG002
        stopping: api.ShouldStop,  # noqa: ARG002
    ) -> actions.Made:
        """Give what was drawn for an order, by whoever had the turn first."""
        if not order.answer:
            orders = self._next(key, order)
            self._take(key, orders)
            draw_together(key[0], orders)
        (answer,) = order.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _next(self, key: tuple[str, str], first: Order) -> list[Order]:
        """Choose those who are drawn for together with the first."""
        chosen, total = [first], first.count
        with self._lock:
            waiting = [one for one in self._waiting.get(key, ()) if one is not first]
        for one in waiting:
            if (total := total + one.count) > MOST_TOGETHER:
                break
            chosen.append(one)
        return chosen

    def _take(self, key: tuple[str, str], orders: Sequence[Order]) -> None:
        """Let orders wait no longer."""
        with self._lock:
            left = [one for one in self._waiting.pop(key, []) if one not in orders]
            if left:
                self._waiting[key] = left


def _is_small(asked: Mapping[str, object]) -> bool:
    """Tell whether a request asks for a few single samples."""
    count, frames = asked.get("num", 1), asked.get(actions.FRAMES, 1)
    return type(count) is int and 0 < count <= MOST_SHARED and frames == 1


def draw_together(target: str, orders: Sequence[Order]) -> None:
    """Draw what orders ask for, and answer each; what is wrong with one is its own answer."""
    from gannet.runtime.devices import choose_device

    try:
        pipeline = api.load(target).to(choose_device("auto"))
        options = [pipeline.options(_given(order.asked)) for order in orders]  # Alike, so that all are right or none.
        drawn = cast(Any, pipeline).draw_together(options)  # It takes nothing, so it is a generator.
    except Exception as error:
        for order in orders:
            order.answer.append(error)
        return
    for order, samples in zip(orders, drawn, strict=True):
        try:
            order.answer.append(_written(target, order, samples.facts, samples.files()))
        except Exception as error:  # Whoever asked may be gone, and the folder with it.
            order.answer.append(error)


def _given(asked: Mapping[str, object]) -> dict[str, object]:
    """The options that say something."""
    return {name: value for name, value in asked.items() if value is not None and value != ""}


def _written(target: str, order: Order, facts: Mapping[str, object], files: Mapping[str, bytes]) -> actions.Made:
    """Write samples as files, as applying the model alone writes them."""
    order.out.mkdir()  # Not its parents: whoever is gone has taken the folder along.
    for name, content in files.items():
        path = order.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    told = api.Applied(order.out, facts, len(files)).lines()
    return actions.made(target, order.out, tuple(map(bounds.without_folders, told)))
