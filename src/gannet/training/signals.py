"""Leaving on request: Ctrl-C and SIGTERM let the round end, so that the run is saved before it stops."""

import contextlib
import signal
import threading
from types import FrameType
from typing import Any


class Interruption:
    """A context in which SIGINT and SIGTERM only set `asked` to the signal's number; a second one acts at once."""

    def __init__(self) -> None:
        self.asked = 0
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interruption":
        # Python allows handlers in the main thread only; elsewhere the caller has to stop the run itself.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.asked:
            self.__exit__()
            raise KeyboardInterrupt
        self.asked = number

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            with contextlib.suppress(TypeError, ValueError):
                signal.signal(number, handler)
        self._previous = {}
