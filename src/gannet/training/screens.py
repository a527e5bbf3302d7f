"""Where a progress line is shown: at a terminal, below the cell of a notebook, or in plain lines."""

from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from gannet.runtime.process import in_notebook
from gannet.runtime.progress import Progress
from gannet.runtime.wording import sentence
from gannet.training.layout import LONGEST_BAR, SEPARATOR, lay_out, share, status_line


class QuietConsole(Console):
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

    def show(self, progress: Progress, words: str) -> None:
        """Show how far it is, and the words."""

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

    def show(self, progress: Progress, words: str) -> None:
        """Print a line more."""
        self.note(status_line(progress, words))

    def note(self, words: str) -> None:
        """Print a line; a terminal breaks it between words, a file has it whole."""
        self.console.print(sentence(words), highlight=False, markup=False, soft_wrap=not self.console.is_terminal)

    def stop(self) -> None:
        """End with nothing."""


class Line(Lines):
    """A rich progress line at a terminal."""

    every, at_once = 0.25, True

    def __init__(self, console: Console, title: str) -> None:
        super().__init__(console)
        self.title = title
        self.columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=LONGEST_BAR),
            TextColumn("{task.fields[words]}", markup=False),
        )
        self.bar = Bar(*self.columns, console=console, refresh_per_second=4)
        self.task = self.bar.add_task(title, total=None, words="")

    def start(self) -> None:
        """Draw the bar."""
        self.bar.start()

    def show(self, progress: Progress, words: str) -> None:
        """Draw it anew, with what there is room for."""
        fitted = lay_out(self.title, progress, sentence(words), self.console.width)
        title, middle, text = self.columns
        middle.bar_width = fitted.bar
        self.bar.columns = (*([title] if fitted.title else []), *([middle] if fitted.bar else []), text)
        done = share(progress) * progress.total
        self.bar.update(self.task, words=fitted.text, completed=done, total=progress.total or None)

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

    def show(self, progress: Progress, words: str) -> None:
        """Write over it."""
        self._write(SEPARATOR.join([self.title, sentence(status_line(progress, words))]))

    def note(self, words: str) -> None:
        """Print above it."""
        line = self.line
        self._write(sentence(words))
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
