"""What the trainer of a run calls: sheets, verdict and model are written, and the run is shown."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from gannet.adversarial.game import Curve, Observer, Seen, State
from gannet.media.medium import Shown
from gannet.monitoring.referee import Referee
from gannet.pipelines.pipeline import Pipeline
from gannet.provenance.metadata import save_picture
from gannet.runs.report import CURVES, write_report
from gannet.runtime.files import write_bytes, write_json
from gannet.runtime.progress import Watch
from gannet.schedule import crossed
from gannet.training.callbacks import Status


def draw_sheet(shown: Shown, folder: Path, images: int) -> None:
    """Draw what a model shows of itself after so many images, with a file to play beside it where there is one."""
    path = folder / f"{images:012d}.png"
    save_picture(shown.medium.preview(shown.values), path, dict(shown.facts))
    film = shown.medium.film(shown.values, shown.facts)
    if film:
        ending, content = film
        write_bytes(path.with_suffix(ending), content)


class Sheets:
    """An observer that draws the same things again and again, to see how they grow: `samples/<images>.png`.

    Nothing where a task has nothing to see.
    """

    def __init__(self, look: Callable[[], Shown] | None, folder: Path, every: int) -> None:
        self.look, self.folder, self.every, self.images = look, folder, every, 0
        folder.mkdir(exist_ok=True)

    def observe(self, seen: Seen) -> None:
        """Draw a sheet when it is time."""
        if self.look and crossed(self.images, seen.images, self.every):
            draw_sheet(self.look(), self.folder, seen.images)
        self.images = seen.images

    def measures(self) -> dict[str, float]:
        """Give nothing to log."""
        return {}

    def state_dict(self) -> State:
        """Give the images seen."""
        return {"images": self.images}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.images = state["images"]


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
    look: Callable[[], Shown] | None
    referee: Referee | None
    folder: Path
    watch: Watch

    def show(self, status: Status) -> None:
        """Pass the status and the referee's words on to whoever watches."""
        words = f"rule: {self.referee.state}, game: {self.referee.diagnosed}" if self.referee else ""
        self.watch.show(status, words)

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
        if self.look:
            draw_sheet(self.look(), self.folder / "samples", images)
