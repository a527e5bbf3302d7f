"""The progress line: images a second, time left, fool rate and verdict; plain lines where there is no terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from gannet.runtime.progress import Progress
from gannet.runtime.wording import sentence
from gannet.training.callbacks import Status

SECONDS_BETWEEN_LINES = 15.0


class _Console(Console):
    """A console that leaves it to others what a closed pipe means; rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise


class Terminal:
    """A rich progress line on standard error; without a terminal a plain line now and then.

    Pass it as `on_progress`; its context leaves the last state of the line on the screen. Where nothing can be written
    any more (a closed terminal or pipe, a full disk), it is silent from then on: no display ends what it shows.
    """

    def __init__(self, title: str = "Training") -> None:
        self.console, self.silent = _Console(stderr=True), False
        self.shown = 0.0 if self.console.is_terminal else time.monotonic()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}", markup=False),
        )
        self.bar = Bar(*columns, console=self.console, refresh_per_second=4) if self.console.is_terminal else None
        if self.bar:
            self.task = self.bar.add_task(title, total=None, words="")
            with self._writing():
                self.bar.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            with self._writing():
                self.bar.stop()

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
            self._print(progress.note)
            return
        now, last = time.monotonic(), isinstance(progress, Status) and progress.done >= progress.total
        if now - self.shown < (0.25 if self.bar else SECONDS_BETWEEN_LINES) and not last:
            return
        self.shown = now
        line = status_line(progress, words)
        if self.bar:
            self.bar.update(self.task, words=sentence(line), completed=progress.done, total=progress.total or None)
        else:
            self._print(line)

    def _print(self, line: str) -> None:
        self.console.print(sentence(line), highlight=False, markup=False, soft_wrap=True)


def status_line(progress: Progress, words: str) -> str:
    """Give one line: how much of how much, then the words; of a run images, speed, time left, fool rate and verdict."""
    if isinstance(progress, Status):
        return _run_line(progress, words)
    total = f"/{progress.total:,}" if progress.total else ""
    return " · ".join(part for part in (f"{progress.done:,}{total}", words) if part)


def _run_line(status: Status, verdict: str) -> str:
    parts = [f"{status.images:,}/{status.total:,} images", f"{status.images_per_second:,.0f} images/s"]
    parts.append(f"{duration(status.seconds_left)} left")
    if "referee/fool_rate" in status.measures:
        parts.append(f"fool rate {status.measures['referee/fool_rate']:.0%}")
    return " · ".join([*parts, *([verdict] if verdict else [])])


def duration(seconds: float) -> str:
    """Give seconds in words: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
