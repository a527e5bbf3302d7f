"""The progress line: images a second, time left, fool rate and verdict; plain lines where there is no terminal."""

import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gannet.training.trainer import Status

SECONDS_BETWEEN_LINES = 15.0


class Display(Protocol):
    """Shows a run to somebody."""

    def show(self, status: Status, verdict: str) -> None:
        """Show how far the run is, and the referee's words."""

    def notify(self, words: str) -> None:
        """Tell something out of the ordinary."""

    def close(self) -> None:
        """Stop showing."""


class Silence:
    """Shows nothing."""

    def show(self, status: Status, verdict: str) -> None:
        """Show nothing."""

    def notify(self, words: str) -> None:
        """Tell nothing."""

    def close(self) -> None:
        """Nothing to stop."""


class Terminal:
    """A rich progress line on standard error; without a terminal a plain line now and then."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.shown = 0.0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}"),
        )
        self.bar = Progress(*columns, console=self.console, refresh_per_second=4) if self.console.is_terminal else None
        if self.bar:
            self.task = self.bar.add_task("Training", total=None, words="")
            self.bar.start()

    def show(self, status: Status, verdict: str) -> None:
        """Update the line, at most a few times a second."""
        now = time.monotonic()
        if now - self.shown < (0.25 if self.bar else SECONDS_BETWEEN_LINES) and status.images < status.total:
            return
        self.shown = now
        if self.bar:
            done = {"completed": status.images, "total": status.total}
            self.bar.update(self.task, words=status_line(status, verdict), **done)  # type: ignore[arg-type]
        else:
            self.console.print(status_line(status, verdict), highlight=False, soft_wrap=True)

    def notify(self, words: str) -> None:
        """Print a line above the bar."""
        self.console.print(words, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the last state of the line on the screen."""
        if self.bar:
            self.bar.stop()


def status_line(status: Status, verdict: str) -> str:
    """One line: images, speed, time left, fool rate, verdict."""
    parts = [f"{status.images:,}/{status.total:,} images", f"{status.images_per_second:,.0f} images/s"]
    parts.append(f"{duration(status.seconds_left)} left")
    if "referee/fool_rate" in status.measures:
        parts.append(f"fool rate {status.measures['referee/fool_rate']:.0%}")
    return " · ".join([*parts, *([verdict] if verdict else [])])


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
