"""The progress line: how far, time left, verdict, and what else there is room for; it never ends what it shows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from gannet.runtime.progress import Progress
from gannet.training.callbacks import Status
from gannet.training.layout import FOOL_RATE
from gannet.training.screens import QuietConsole, screen

LEGEND = "Fool rate: the share of fakes that the discriminator takes for real."


class Terminal:
    """A progress line on standard error, or below the cell of a notebook; without a terminal a plain line now and then.

    Pass it as `on_progress`; its context leaves the last state of the line on the screen. Where nothing can be written
    any more (a closed terminal or pipe, a full disk), it is silent from then on: no display ends what it shows.
    """

    def __init__(self, title: str = "Training") -> None:
        self.screen, self.silent, self.explained = screen(QuietConsole(stderr=True), title), False, False
        self.shown = 0.0 if self.screen.at_once else time.monotonic()
        with self._writing():
            self.screen.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._writing():
            self.screen.stop()

    def __call__(self, progress: Progress, words: str) -> None:
        """Print a note above the line; update the line, at most a few times a second."""
        if not self.silent:
            with self._writing():
                self._show(progress, words)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Fall silent where nothing can be written; ValueError is what a closed file raises."""
        try:
            yield
        except (OSError, ValueError):
            self.silent = True

    def _show(self, progress: Progress, words: str) -> None:
        if progress.note:
            self.screen.note(progress.note)
            return
        now, last = time.monotonic(), isinstance(progress, Status) and progress.done >= progress.total
        if now - self.shown < self.screen.every and not last:
            return
        self.shown = now
        if isinstance(progress, Status) and FOOL_RATE in progress.measures and not self.explained:
            self.explained = True
            self.screen.note(LEGEND)
        self.screen.show(progress, words)
