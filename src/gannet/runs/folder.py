"""A run's folder, and the objects that surround its trainer: sheets, verdict, model, and what is shown of them."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from gannet.adversarial.game import Curve, Observer, Seen
from gannet.monitoring.referee import Referee
from gannet.media.medium import Shown
from gannet.pipelines.pipeline import Pipeline
from gannet.provenance.metadata import save_picture
from gannet.recipe import Recipe, dump_yaml
from gannet.runs.report import CURVES, write_report
from gannet.schedule import crossed, cut_short
from gannet.schema import check
from gannet.runtime.files import write_bytes, write_json, write_text
from gannet.training.progress import Display
from gannet.training.trainer import Status

NOT_A_RUN = "it has no recipe.yaml"
PLANNED = "planned.yaml"


@dataclass(frozen=True)
class Run:
    """A run on disk.

    Attributes:
        folder: holds `recipe.yaml`, `state/`, `model/`, `log.jsonl`, `samples/` and `verdict.json`; `planned.yaml`
            is the recipe of a run that a budget ended, without that budget.
        ending: how `train` left it: finished, budget, converged or interrupted; empty when only opened.
    """

    folder: Path
    ending: str = ""

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return read_recipe(self.folder)

    @property
    def planned(self) -> Recipe:
        """The recipe as long as it was to be when a budget cut it short; the recipe itself when none did."""
        recipe = self.recipe
        try:
            plan = read_recipe(self.folder, PLANNED)
        except ValueError:
            return recipe
        whole = recipe.model_copy(update={"images": plan.images, "stages": plan.stages})
        return whole if plan.images > recipe.images and cut_short(whole, recipe.images) == recipe else recipe

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The stages of the plan that were cut short or left out."""
        return tuple(stage.name for stage in self.planned.stages if stage not in self.recipe.stages)

    @property
    def verdict(self) -> dict[str, Any]:
        """What the referee said last; empty for a game without a referee."""
        path = self.folder / "verdict.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def pipeline(self, weights: str = "model") -> Pipeline:
        """The trained model; `weights` may be `best` or a stage's name."""
        return Pipeline.from_pretrained(self.folder / "model", weights)

    def log(self) -> Iterator[dict[str, Any]]:
        """The lines of the log."""
        with (self.folder / "log.jsonl").open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def create_folder(recipe: Recipe, out: Path) -> Path:
    """Create the run's folder with its recipe in it, both or neither; ValueError when it exists."""
    if out.exists():
        raise ValueError(
            f"{out} exists; give another --out, or continue it with `gannet train --resume {out}`."
            if (out / "recipe.yaml").exists()
            else f"{out} exists and is not a run; give another --out."
        )
    building = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        building.mkdir(parents=True)
        write_text(building / "recipe.yaml", dump_yaml(recipe))
        building.rename(out)
    except OSError as error:
        raise ValueError(f"{out} cannot be created ({error.strerror}); give another --out.") from error
    return out


def read_recipe(folder: Path, name: str = "recipe.yaml") -> Recipe:
    """The recipe of a run; ValueError when the folder is no run or the recipe is damaged."""
    path = folder / name
    if not folder.exists():
        raise ValueError(f"There is no run at {folder}; give the folder that `gannet train` wrote.")
    if not path.is_file():
        raise ValueError(f"{folder} is not a run: {NOT_A_RUN}.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        values = None
    if not isinstance(values, dict):
        raise ValueError(f"{path} is damaged: it holds no keys and values.")
    return check(Recipe, values, str(path))


def free_folder(name: str) -> Path:
    """The first of runs/<name>, runs/<name>-2, ... that does not exist."""
    first = Path("runs") / name
    numbered = (first if number == 1 else Path("runs") / f"{name}-{number}" for number in range(1, 10**6))
    return next(path for path in numbered if not path.exists())


def draw_sheet(shown: Shown, folder: Path, images: int) -> None:
    """Draw what a model shows of itself after so many images, with a file to play beside it where there is one."""
    path = folder / f"{images:012d}.png"
    path.unlink(missing_ok=True)
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
        """Nothing to log."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """The images seen."""
        return {"images": self.images}

    def load_state_dict(self, state: dict[str, Any]) -> None:
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
class House:
    """The trainer's surroundings: shows the run, writes its model and its verdict, knows when the rule is met."""

    pipeline: Pipeline
    look: Callable[[], Shown] | None
    referee: Referee | None
    folder: Path
    display: Display

    def show(self, status: Status) -> None:
        """Pass the status and the referee's words on to the display."""
        words = f"rule: {self.referee.state}, game: {self.referee.diagnosed}" if self.referee else ""
        self.display.show(status, words)

    def say(self, words: str) -> None:
        """Pass on to the display."""
        self.display.say(words)

    def publish(self, name: str) -> None:
        """Write `model/<name>.safetensors`, the verdict as it stands, and with the last model the report."""
        self.pipeline.save_pretrained(self.folder / "model", name)
        if self.referee:
            write_json(self.folder / "verdict.json", self.referee.verdict())
        if name == "model":
            write_report(self.folder)

    def enough(self) -> bool:
        """Whether the referee's rule has been met."""
        return self.referee is not None and self.referee.converged

    def close(self, images: int) -> None:
        """Draw the last sheet, and write the report with it."""
        if self.look:
            draw_sheet(self.look(), self.folder / "samples", images)
        write_report(self.folder)
