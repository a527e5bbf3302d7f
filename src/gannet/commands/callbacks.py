"""What the trainer of a run calls: sheets, verdict and model are written, and the run is shown."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path

from torch import Tensor

from gannet.adversarial.game import Curve, Observer, Seen, State
from gannet.media.medium import Medium, Shown
from gannet.monitoring.light_judgement import LightJudge
from gannet.monitoring.nearness import tell_nearness
from gannet.monitoring.referee import Referee
from gannet.pipelines.pipeline import Pipeline
from gannet.provenance.metadata import save_picture
from gannet.runs.report import CURVES, REALS, write_report
from gannet.runs.standing import add_judgement, light_judgements
from gannet.runtime.files import write_bytes, write_json
from gannet.runtime.progress import Watch
from gannet.schedule import crossed
from gannet.training.callbacks import Status

QUIET = {"healthy", "too-early"}
"""Diagnoses that a progress line passes over: they say nothing of the samples, and might be taken to."""


def draw_sheet(shown: Shown, folder: Path, images: int) -> None:
    """Draw what a model shows of itself after so many images, with a file to play beside it where there is one."""
    path = folder / f"{images:012d}.png"
    save_picture(shown.medium.preview(shown.values), path, dict(shown.facts))
    film = shown.medium.film(shown.values, shown.facts)
    if film:
        ending, content = film
        write_bytes(path.with_suffix(ending), content)


@dataclass(frozen=True)
class Reals:
    """Held-out reals, to stand beside what a model makes.

    Attributes:
        medium: what they are.
        spread: gives up to so many of them, (n, ...), always the same.
    """

    medium: Medium
    spread: Callable[[int], Tensor]

    def draw(self, path: Path, count: int) -> None:
        """Draw as many as a sheet shows, once; without marks, since no model made them."""
        if not path.exists():
            content = BytesIO()
            self.medium.preview(self.spread(count)).save(content, "png")
            write_bytes(path, content.getvalue())


class Sheets:
    """An observer that draws the same things again and again, to see how they grow: `samples/<images>.png`.

    With each sheet goes a light judgement, a line of `judgements.jsonl`. Nothing where a task has nothing to see, or
    nobody who judges.

    Args:
        look: what is drawn.
        judge: who judges it.
        reals: what stands beside it.
        run: the run's folder.
        every: images from one sheet to the next.
    """

    def __init__(
        self, look: Callable[[], Shown] | None, judge: LightJudge | None, reals: Reals, run: Path, every: int
    ) -> None:
        self.look, self.judge, self.reals, self.run, self.every = look, judge, reals, run, every
        self.images, self.short = 0, ""
        (run / "samples").mkdir(exist_ok=True)

    def observe(self, seen: Seen) -> None:
        """Draw a sheet when it is time."""
        if crossed(self.images, seen.images, self.every):
            self.draw(seen.images)
        self.images = seen.images

    def draw(self, images: int) -> None:
        """Draw a sheet, and judge."""
        if self.look:
            shown = self.look()
            draw_sheet(shown, self.run / "samples", images)
            self.reals.draw(self.run / REALS, len(shown.values))
        if self.judge and self.judge.able:
            found = {"plural": self.reals.medium.plural, "measures": self.judge()}
            add_judgement(self.run, images, found)
            self.short = tell_nearness(found, light=True).short

    def measures(self) -> dict[str, float]:
        """Give nothing to log."""
        return {}

    def state_dict(self) -> State:
        """Give the images seen."""
        return {"images": self.images}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.images = state["images"]
        before = [line for line in light_judgements(self.run) if line["images"] <= self.images]
        self.short = tell_nearness(before[-1], light=True).short if before else ""


def write_curves(folder: Path, observers: Mapping[str, Observer]) -> None:
    """Note which charts the observers want of their figures, for whoever writes the report later."""
    wanted = [
        {"observer": name, **asdict(curve)} for name, observer in observers.items() for curve in _curves_of(observer)
    ]
    write_json(folder / CURVES, wanted)


def _curves_of(observer: Observer) -> tuple[Curve, ...]:
    curves: tuple[Curve, ...] = getattr(observer, "curves", ())
    return curves


@dataclass(frozen=True)
class RunCallbacks:
    """The trainer's callbacks: show the run, write its model and its verdict, know when the rule is met."""

    pipeline: Pipeline
    sheets: Sheets | None
    referee: Referee | None
    folder: Path
    watch: Watch

    @property
    def look(self) -> Callable[[], Shown] | None:
        """What a sheet shows; None where there is nothing to see."""
        return self.sheets.look if self.sheets else None

    def show(self, status: Status) -> None:
        """Pass on to whoever watches: the status, how near the samples are, and what is wrong with the game."""
        near = self.sheets.short if self.sheets else ""
        wrong = self.referee.diagnosed if self.referee and self.referee.diagnosed not in QUIET else ""
        if self.sheets:
            status = replace(status, plural=self.sheets.reals.medium.plural)
        self.watch.show(status, " · ".join(words for words in (near, wrong) if words))

    def notify(self, words: str) -> None:
        """Pass on to whoever watches."""
        self.watch.notify(words)

    def publish(self, name: str) -> None:
        """Write `model/<name>.safetensors`, the verdict as it stands, and with the last model the report."""
        self.pipeline.save_pretrained(self.folder / "model", name)
        if self.referee:
            write_json(self.folder / "verdict.json", self.referee.verdict())
        if name == "model":
            self._report()

    def _report(self) -> None:
        """Write the report; it shows what other files hold, so that a run goes on without."""
        try:
            write_report(self.folder)
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            self.notify(f"The report was not written ({error}); the run goes on, and its next checkpoint tries again.")

    def rule_met(self) -> bool:
        """Say whether the referee's rule has been met."""
        return self.referee is not None and self.referee.converged

    def should_stop(self) -> bool:
        """Tell whether whoever watches wants it to stop."""
        return self.watch.stopping

    def close(self, images: int) -> None:
        """Draw the last sheet; the report follows with the model."""
        if self.sheets:
            self.sheets.draw(images)
