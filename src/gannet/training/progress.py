"""The progress line: images a second, time left, fool rate and verdict; plain lines where there is no terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from gannet.runtime.process import in_notebook
from gannet.runtime.progress import Progress
from gannet.runtime.wording import sentence
from gannet.training.callbacks import Status


class _Console(Console):
    """A console that leaves it to others what a closed pipe means; rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise


class Screen(Protocol):
    """Where a line is shown that changes."""

    every: float
    """Seconds between two changes."""
    at_once: bool
    """Whether the first change is shown at once, and not only when so many seconds have passed."""

    def start(self) -> None:
        """Take the place of the line."""

    def show(self, progress: Progress, line: str) -> None:
        """Show the line as it is now."""

    def note(self, words: str) -> None:
        """Print something that stays."""

    def stop(self) -> None:
        """Leave the line as it is last."""


class Lines:
    """Plain lines where there is no terminal, one now and then."""

    every, at_once = 15.0, False

    def __init__(self, console: Console) -> None:
        self.console = console

    def start(self) -> None:
        """Begin with nothing."""

    def show(self, progress: Progress, line: str) -> None:  # noqa: ARG002
        """Print a line more."""
        self.note(line)

    def note(self, words: str) -> None:
        """Print a line."""
        self.console.print(words, highlight=False, markup=False, soft_wrap=True)

    def stop(self) -> None:
        """End with nothing."""


class Line(Lines):
    """A rich progress line at a terminal."""

    every, at_once = 0.25, True

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(console)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}", markup=False),
        )
        self.bar = Bar(*columns, console=console, refresh_per_second=4)
        self.task = self.bar.add_task(title, total=None, words="")

    def start(self) -> None:
        """Draw the bar."""
        self.bar.start()

    def show(self, progress: Progress, line: str) -> None:
        """Draw it anew."""
        self.bar.update(self.task, words=line, completed=progress.done, total=progress.total or None)

    def stop(self) -> None:
        """Leave it on the screen."""
        self.bar.stop()


class Cell:
    """A line below the cell of a notebook, written over by a carriage return, which every notebook understands."""

    every, at_once = 0.25, True

    def __init__(self, title: str) -> None:
        self.title, self.line = title, ""

    def start(self) -> None:
        """Begin the line."""
        self._write(self.title)

    def show(self, progress: Progress, line: str) -> None:  # noqa: ARG002
        """Write over it."""
        self._write(f"{self.title} · {line}")

    def note(self, words: str) -> None:
        """Print above it."""
        line = self.line
        self._write(words)
        print()
        self.line = ""
        self._write(line)

    def stop(self) -> None:
        """End the line."""
        print(flush=True)

    def _write(self, line: str) -> None:
        print(f"\r{line:{len(self.line)}}", end="", flush=True)
        self.line = line


def screen(console: Console, title: str) -> Screen:
    """Choose where a line is shown: below a cell, at a terminal, or in plain lines."""
    if in_notebook():
        return Cell(title)
    return Line(console, title) if console.is_terminal else Lines(console)


class Terminal:
    """A progress line on standard error, or below the cell of a notebook; without a terminal a plain line now and then.

    Pass it as `on_progress`; its context leaves the last state of the line on the screen. Where nothing can be written
    any more (a closed terminal or pipe, a full disk), it is silent from then on: no display ends what it shows.
    """

    def __init__(self, title: str = "Training") -> None:
        self.screen, self.silent = screen(_Console(stderr=True), title), False
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
            self.screen.note(sentence(progress.note))
            return
        now, last = time.monotonic(), isinstance(progress, Status) and progress.done >= progress.total
        if now - self.shown >= self.screen.every or last:
            self.shown = now
            self.screen.show(progress, sentence(status_line(progress, words)))


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
