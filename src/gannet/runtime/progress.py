"""How far a verb is, who is told, and who may stop it: one shape for every verb that takes its time."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Progress:
    """How far a verb is.

    Attributes:
        done, total: in what the verb counts, such as images or files; a total of 0 is not known.
        note: something out of the ordinary that is to stay in sight; mostly empty.
    """

    done: int
    total: int
    note: str = ""


OnProgress: TypeAlias = Callable[[Progress, str], None]
"""Is told how far a verb is, and in words what it does; called in the thread that called the verb."""
ShouldStop: TypeAlias = Callable[[], bool]
"""Says whether a verb is to stop; asked often, so it answers at once: the `is_set` of an event is one."""


class Stopped(Exception):
    """A verb was stopped on request before it had an answer; what it says is one sentence."""


class Watch:
    """Whoever watches a verb; by default nobody.

    Args:
        on_progress: is told how far it is.
        should_stop: is asked whether to stop.
    """

    def __init__(self, on_progress: OnProgress | None = None, should_stop: ShouldStop | None = None) -> None:
        self.on_progress, self.should_stop = on_progress, should_stop
        self.last, self.words = Progress(0, 0), ""
        self._thread, self._waiting = threading.get_ident(), deque[str]()

    def show(self, progress: Progress, words: str = "") -> None:
        """Tell how far it is."""
        self.last, self.words = progress, words
        self._tell_notes()
        if self.on_progress:
            self.on_progress(progress, words)

    def notify(self, note: str) -> None:
        """Tell something out of the ordinary; what another thread has to tell waits for ours."""
        self._waiting.append(note)
        if threading.get_ident() == self._thread:
            self._tell_notes()

    def _tell_notes(self) -> None:
        while self._waiting:
            note = self._waiting.popleft()
            if self.on_progress:
                self.on_progress(Progress(self.last.done, self.last.total, note), self.words)

    @property
    def stopping(self) -> bool:
        """Whether it is to stop."""
        return self.should_stop is not None and self.should_stop()

    def step(self, done: int, total: int, words: str) -> None:
        """Tell how far it is, and leave where that is asked for.

        Raises:
            Stopped: it is to stop.
        """
        self.show(Progress(done, total), words)
        if self.stopping:
            raise Stopped(f"Stopped while {words[:1].lower()}{words[1:]}.")
