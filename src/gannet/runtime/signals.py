"""Leaving on request: which signals ask for it, how a run saves itself first, and the exit code that tells of it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from gannet.runtime.progress import Stopped

SCHEDULED = tuple(number for name in ("SIGUSR1", "SIGUSR2") if (number := getattr(signal, name, None)))
"""What schedulers send, where they are asked to, some time before they end a job."""
HANGUP = tuple(number for name in ("SIGHUP",) if (number := getattr(signal, name, None)))
"""What a terminal that is closed sends; Windows has none."""
ASKING = (signal.SIGINT, signal.SIGTERM, *HANGUP, *SCHEDULED)
AGAIN = 75
"""The exit code that says: saved, start me again; EX_TEMPFAIL among those of BSD."""
STANDARD_ERROR = 2
"""The number of its file."""
ONE_PRESS = 0.5
"""Seconds within which the same key press may arrive twice: from the terminal, and from a launcher."""


def exit_code(number: int) -> int:
    """Give the exit code of a process that a signal made leave.

    It is 128 and the signal's number, as a shell tells it of whoever dies of it; and 75 where a scheduler asked, by
    SIGUSR1 or SIGUSR2, or by SIGTERM where a job of Slurm ends.
    """
    scheduled = number in SCHEDULED or (number == signal.SIGTERM and "SLURM_JOB_ID" in os.environ)
    return AGAIN if scheduled else 128 + number


class Left(BaseException):
    """A signal asks to leave, at a moment when there is nothing to save first.

    Attributes:
        number: of the signal.
        words: what the user is told.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number, self.words = number, "Stopped."


@contextlib.contextmanager
def leaving() -> Iterator[None]:
    """Raise `Left` where a signal asks to leave, so that what is half done is tidied up on the way out."""
    owner = os.getpid()

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if os.getpid() == owner:
            raise Left(number)
        # A forked worker dies as it would have died without us.
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        signal.raise_signal(number)

    previous = _listen(leave)
    try:
        yield
    finally:
        _restore(previous)


class Interruption:
    """A context in which a signal only sets `asked` to its number, so that work comes to a good end first.

    A second Ctrl-C acts at once. Other signals do not: schedulers, launchers and `timeout` send several one after the
    other, and mean one.

    Args:
        words: told whoever pressed Ctrl-C, once, before the work at hand is over.
    """

    def __init__(self, words: str = "") -> None:
        self.asked, self._since, self._words = 0, 0.0, words
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        self._previous = _listen(self._ask)
        return self

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        now = time.monotonic()
        if self.asked and number == signal.SIGINT and now - self._since > ONE_PRESS:
            self.__exit__()
            signal.raise_signal(number)
        elif not self.asked:
            self.asked, self._since = number, now
            if self._words and number == signal.SIGINT:
                with contextlib.suppress(OSError):  # By the system itself: Python's own file may be in use just now.
                    os.write(STANDARD_ERROR, f"\n{self._words}\n".encode())

    def __exit__(self, *_: object) -> None:
        _restore(self._previous)
        self._previous = {}


@contextlib.contextmanager
def finishing() -> Iterator[Interruption]:
    """Let what is at hand come to a good end where a signal asks to leave.

    Whoever works looks at `asked` between one piece and the next, and raises `Stopped`; then the signal does what it
    would have done at once.
    """
    interruption = Interruption()
    try:
        with interruption:
            yield interruption
    except Stopped:
        if interruption.asked:
            signal.raise_signal(interruption.asked)
        raise


def _listen(handler: Any) -> dict[int, Any]:
    """Have a handler called for the signals that ask to leave; give the earlier ones.

    Python allows handlers in the main thread only; elsewhere whoever calls has to stop the work itself.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in ASKING if _is_free(number)}


def _is_free(number: int) -> bool:
    """Whether a signal is ours to take.

    What somebody chose to ignore, as `nohup` does the terminal's end and a shell's script Ctrl-C of what it starts with
    `&`, stays ignored; what schedulers send stays a program's own, and so does what other than Python listens to.
    """
    found = signal.getsignal(number)
    if found is None or found is signal.SIG_IGN:
        return False
    ours = found is signal.SIG_DFL or getattr(found, "__module__", "") == __name__
    return ours or number in (signal.SIGINT, signal.SIGTERM)


def _restore(previous: dict[int, Any]) -> None:
    for number, handler in previous.items():
        with contextlib.suppress(TypeError, ValueError):
            signal.signal(number, handler)
