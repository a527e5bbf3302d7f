"""Work behind the page: one job at a time, each watched by the tab that asked for it, and stopped by it alone."""

import asyncio
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape, unescape
from typing import Generic, TypeVar

import gradio as gr

from gannet import api
from gannet.runtime.wording import sentence
from gannet.studio.bounds import without_folders
from gannet.studio.translation import translate
from gannet.studio.words import direction, say

Result = TypeVar("Result")
Verb = Callable[[api.OnProgress, api.ShouldStop], Result]
"""A call of the API that tells how far it is and may be stopped."""
GLANCE = 0.25
"""Seconds from one look at the work to the next."""
TOO_MUCH = (MemoryError, RecursionError, OverflowError)
_turn = threading.Lock()
_stops: dict[str, threading.Event] = {}


@dataclass(frozen=True)
class Step(Generic[Result]):
    """How far work is.

    Attributes:
        words: what it does; empty while it waits for its turn.
        done, total: in what it counts; a total of 0 is not known.
        result: what came of it, in the last step.
    """

    words: str = ""
    done: int = 0
    total: int = 0
    result: Result | None = None

    def line(self, waiting: str) -> str:
        """Say how far it is, in a line."""
        counted = f" · {self.done:,} / {self.total:,}" if self.total else ""
        return f"{self.words}{counted}" if self.words else waiting


def watch(session: str, verb: Verb[Result]) -> Iterator[Step[Result]]:
    """Do some work in a thread when it is its turn, and tell how far it is until it is done.

    Args:
        session: the tab that asked for it; `stop` stops what it asked for last.

    Raises:
        ValueError: what was given is wrong.
        Stopped: the tab wants it to stop, or is gone.
    """
    told, ended = queue.SimpleQueue[Step[Result]](), Future[Result]()

    def tell(progress: api.Progress, words: str) -> None:
        told.put(Step(progress.note or words or "…", progress.done, progress.total))

    step: Step[Result] = Step()
    with _stoppable(session) as stop:
        thread = threading.Thread(target=_work, args=(verb, tell, stop, ended), daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(GLANCE)
            step = _newest(told, step)
            yield step
    yield Step(result=ended.result())


async def done(session: str, verb: Verb[Result]) -> Result:
    """Do some work in a thread when it is its turn, and wait for it without another; who is cancelled stops it.

    Args:
        session: as `watch` takes it.

    Raises:
        ValueError, Stopped: as of `watch`.
    """
    ended = Future[Result]()
    with _stoppable(session) as stop:
        threading.Thread(target=_work, args=(verb, _tell_nobody, stop, ended), daemon=True).start()
        return await asyncio.wrap_future(ended)


def _tell_nobody(progress: api.Progress, words: str) -> None:
    """Progress is not sent to programs."""


@contextmanager
def _stoppable(session: str) -> Iterator[threading.Event]:
    """Give what stops some work: set by `stop` while it lasts, and at its end in any case."""
    stop = threading.Event()
    _stops[session] = stop
    try:
        yield stop
    finally:
        stop.set()
        if _stops.get(session) is stop:
            del _stops[session]


def _work(verb: Verb[Result], tell: api.OnProgress, stop: threading.Event, ended: "Future[Result]") -> None:
    if not ended.set_running_or_notify_cancel():  # From here on it is stopped, not cancelled.
        return
    try:
        with _turn:
            if stop.is_set():
                raise api.Stopped("Stopped before it began.")
            tell(api.Progress(0, 0), "")  # It waits no more, though it may be long before it tells anything.
            result = verb(tell, stop.is_set)
    except BaseException as error:
        ended.set_exception(error)
    else:
        ended.set_result(result)


def _newest(told: "queue.SimpleQueue[Step[Result]]", step: Step[Result]) -> Step[Result]:
    """Give the last step that was told, which is the one before while there is no newer one."""
    while not told.empty():
        step = told.get()
    return step


def stop(session: str | None) -> None:
    """Stop what a tab asked for last; nothing where that is over."""
    if session in _stops:
        _stops[session].set()


def mistake(error: BaseException) -> gr.Error:
    """Give what the page says of an error: the user's own in its sentence, one of ours without its inner words.

    What the page shows is markup, so the sentence is escaped.
    """
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, ValueError | api.Stopped):
        words = sentence(without_folders(str(error)))
    elif isinstance(error, OSError) and error.strerror:
        words = f"A file cannot be used ({error.strerror})."
    elif isinstance(error, TOO_MUCH) or "allocate memory" in str(error):
        words = "What was given is too large or too deep for this machine; give less."
    else:
        traceback.print_exception(error, file=sys.stderr)
        words = f"Something in Gannet went wrong ({type(error).__name__}); the page goes on."
    return gr.Error(escape(words, quote=False), duration=None, print_exception=False)


def told(error: gr.Error, language: str) -> gr.Error:
    """Give an error in a page's language; in English, where that is not known, which then reads from its own side."""
    if language != "en":
        said = unescape(str(error.message))
        words = translate(language, said)
        way = direction(language) if words != said else "auto"
        error.title = say(language, "error")
        error.message = f'<bdi dir="{way}">{escape(words, quote=False)}</bdi>'
    return error
