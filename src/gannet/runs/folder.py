"""A run's folder: what lies in it, and how it is made and read."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Recipe, dump_yaml
from gannet.runtime.files import write_text
from gannet.runtime.locks import locked
from gannet.runtime.partial import clear_folders, partial_path
from gannet.runtime.plain_data import parse_json, parse_yaml, read_facts
from gannet.schedule import cut_short
from gannet.schema import check

NOT_A_RUN = "it has no recipe.yaml"
PLANNED, LOCK = "planned.yaml", ".lock"


@dataclass(frozen=True)
class Run:
    """A run on disk.

    Attributes:
        folder: holds `recipe.yaml`, `state/`, `model/`, `log.jsonl`, `samples/` and `verdict.json`; `planned.yaml`
            is the recipe of a run that a budget ended, without that budget.
        ending: how `train` left it: finished, budget, converged or interrupted; empty when only opened.
        signal: the number of the signal that interrupted it; 0 where none did.
        over: whether it was over already when it was resumed, and nothing was trained.
    """

    folder: Path
    ending: str = ""
    signal: int = 0
    over: bool = False

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
        return read_facts(self.folder / "verdict.json")

    def pipeline(self, weights: str = "model") -> Pipeline:
        """Give the trained model; `weights` may be `best`, or the name of a stage or an average."""
        return Pipeline.from_pretrained(self.folder / "model", weights)

    def log(self) -> Iterator[dict[str, Any]]:
        """Give the lines of the log."""
        path = self.folder / "log.jsonl"
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                yield parse_json(line, f"{path}, line {number},")


def create_folder(recipe: Recipe, out: Path) -> Path:
    """Create the run's folder with its recipe in it, both or neither; ValueError when it exists."""
    if out.exists():
        raise ValueError(
            f"{out} exists; give another --out, or continue it with `gannet train --resume {out}`."
            if (out / "recipe.yaml").exists()
            else f"{out} exists and is not a run; give another --out."
        )
    building = partial_path(out)
    clear_folders(out, {"recipe.yaml"})  # What a killed creation left is nobody's.
    try:
        building.mkdir(parents=True)
        write_text(building / "recipe.yaml", dump_yaml(recipe))
        building.rename(out)
    except OSError as error:
        raise ValueError(f"{out} cannot be created ({error.strerror}); give another --out.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return out


def note_recipe(folder: Path, recipe: Recipe) -> None:
    """Write down the recipe of a run where another is noted; the same in other words stays as it is."""
    if recipe != read_recipe(folder):
        write_text(folder / "recipe.yaml", dump_yaml(recipe))


def hold(folder: Path, notify: Callable[[str], None]) -> AbstractContextManager[None]:
    """Keep other processes from training a run meanwhile; they may still read, judge and apply it.

    Args:
        notify: is told where the file system keeps no locks.

    Raises:
        ValueError: the folder is no run, or another process trains it, on entering; the sentence says which.
    """
    read_recipe(folder)
    told, advice = f"Another process is training {folder}", "wait for it or stop it, then resume."
    words = f"The file system of {folder} keeps no locks: see to it that no other process trains this run."
    return locked(folder / LOCK, told, advice, partial(notify, words))


def read_recipe(folder: Path, name: str = "recipe.yaml") -> Recipe:
    """Give the recipe of a run; ValueError when the folder is no run or the recipe is damaged."""
    path = folder / name
    if not folder.exists():
        raise ValueError(f"There is no run at {folder}; give the folder that `gannet train` wrote.")
    if not path.is_file():
        raise ValueError(f"{folder} is not a run: {NOT_A_RUN}.")
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ValueError(f"{path} is damaged: it holds no keys and values.")
    return check(Recipe, values, str(path))


def free_folder(name: str) -> Path:
    """Give the first of runs/<name>, runs/<name>-2, ... that does not exist."""
    first = Path("runs") / name
    numbered = (first if number == 1 else Path("runs") / f"{name}-{number}" for number in range(1, 10**6))
    return next(path for path in numbered if not path.exists())
