"""The words of a progress line, and what of them a terminal has room for."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from gannet.runtime.progress import Progress
from gannet.runtime.wording import about
from gannet.training.callbacks import Status

SEPARATOR = " · "
LONGEST_BAR, READABLE_BAR, SHORTEST_BAR = 24, 12, 5
"""Characters of the bar: at most; at least beside what matters less; at least at all."""
FOOL_RATE = "referee/fool_rate"


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
    further += [f"{progress.done:,}/{progress.total:,} {progress.plural}", _speed(progress)]
    return [f"{share(progress):.0%}", f"{about(progress.seconds_left)} left", *verdict], further


def _speed(status: Status) -> str:
    """Tell the speed; whole numbers would say of a slow game that it stands still."""
    speed = status.images_per_second
    return f"{speed:,.{0 if speed >= 9.95 else 1 if speed >= 0.1 else 2}f} {status.plural}/s"


def share(progress: Progress) -> float:
    """Tell how much is done: of the images, or of the time where a budget of minutes ends the run before."""
    by_images = min(1.0, progress.done / progress.total) if progress.total else 0.0
    if not isinstance(progress, Status) or not progress.images_per_second:
        return by_images
    needed = (progress.total - progress.done) / progress.images_per_second
    if progress.seconds_left > 0.99 * needed:
        return by_images
    return progress.seconds / (progress.seconds + progress.seconds_left)
