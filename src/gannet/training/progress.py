"""The progress line: how far, time left, verdict, and what else there is room for; plain lines without a terminal."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import shorten
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from gannet.runtime.progress import Progress
from gannet.runtime.wording import about, sentence
from gannet.training.callbacks import Status

SECONDS_BETWEEN_LINES = 15.0
SEPARATOR = " · "
LONGEST_BAR, READABLE_BAR, SHORTEST_BAR = 24, 12, 5
"""Characters of the bar: at most; at least beside what matters less; at least at all."""
FOOL_RATE = "referee/fool_rate"
LEGEND = "Fool rate: the share of fakes that the discriminator takes for real."


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
        self.title, self.explained = title, False
        self.columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=LONGEST_BAR),
            TextColumn("{task.fields[words]}", markup=False),
        )
        self.bar = Bar(*self.columns, console=self.console, refresh_per_second=4) if self.console.is_terminal else None
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
        if isinstance(progress, Status) and FOOL_RATE in progress.measures and not self.explained:
            self.explained = True
            self._print(LEGEND)
        if self.bar:
            self._update(self.bar, progress, words)
        else:
            self._print(status_line(progress, words))

    def _update(self, bar: Bar, progress: Progress, words: str) -> None:
        fitted = lay_out(self.title, progress, sentence(words), self.console.width)
        title, middle, text = self.columns
        middle.bar_width = fitted.bar
        bar.columns = (*([title] if fitted.title else []), *([middle] if fitted.bar else []), text)
        done = _share(progress) * progress.total
        bar.update(self.task, words=fitted.text, completed=done, total=progress.total or None)

    def _print(self, line: str) -> None:
        """Print a line; a terminal breaks it between words, a file has it whole."""
        self.console.print(sentence(line), highlight=False, markup=False, soft_wrap=not self.console.is_terminal)


def status_line(progress: Progress, words: str) -> str:
    """Give all there is to say in one line: how much of how much, then the words, then what matters less."""
    essential, further = _parts(progress, words)
    return SEPARATOR.join([*essential, *further])


@dataclass(frozen=True)
class Layout:
    """What a line of a terminal has room for: a title, a bar of so many characters (0: none), and text."""

    title: str
    bar: int
    text: str


def lay_out(title: str, progress: Progress, words: str, width: int) -> Layout:
    """Fit a progress line into a width without cutting a word.

    What is essential stays: how far it is, the time left and the verdict; then the bar, and of what matters less as
    much as there is room for.
    """
    essential, further = _parts(progress, words)
    text = _fitted(essential, width)
    for part in further:
        if len(text) + len(SEPARATOR) + len(part) + 1 + READABLE_BAR <= width:
            text += SEPARATOR + part
    room = width - len(text) - 1
    bar = min(LONGEST_BAR, room) if room >= SHORTEST_BAR else 0
    return Layout(title if room - bar > len(title) else "", bar, text)


def _fitted(parts: Sequence[str], width: int) -> str:
    """As many parts as there is room for, the first ones first; of a single one whole words."""
    for count in range(len(parts), 1, -1):
        if len(line := SEPARATOR.join(parts[:count])) <= width:
            return line
    return shorten(parts[0], max(3, width), placeholder="...") if parts else ""


def _parts(progress: Progress, words: str) -> tuple[list[str], list[str]]:
    """What is essential, and what is not, the most telling first."""
    verdict = words.split(SEPARATOR) if words else []
    if not isinstance(progress, Status):
        count = f"{progress.done:,}" + (f"/{progress.total:,}" if progress.total else "")
        return [count, *verdict], []
    rate = progress.measures.get(FOOL_RATE)
    further = [] if rate is None else [f"fool rate {rate:.0%}"]
    further += [f"{progress.done:,}/{progress.total:,} images", f"{progress.images_per_second:,.0f} images/s"]
    return [f"{_share(progress):.0%}", f"{about(progress.seconds_left)} left", *verdict], further


def _share(progress: Progress) -> float:
    """How much is done: of the images, or of the time where a budget of minutes ends the run before."""
    by_images = min(1.0, progress.done / progress.total) if progress.total else 0.0
    if not isinstance(progress, Status) or not progress.images_per_second:
        return by_images
    needed = (progress.total - progress.done) / progress.images_per_second
    if progress.seconds_left > 0.99 * needed:
        return by_images
    return progress.seconds / (progress.seconds + progress.seconds_left)
