"""What a task is, and how one is found: a module of `gannet.tasks`, or a third party's entry point `gannet.tasks`."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gannet.recipe import Recipe
from gannet.schema import Section, nearest

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from gannet.adversarial.game import Game, Observer
    from gannet.data.loader import Loader
    from gannet.metrics.features import Features
    from gannet.metrics.judgement import Judgement, Query
    from gannet.pipeline import Origin, Pipeline


class Task(Protocol):
    """The names a task's module defines, or the object `task` in it; its docstring is its page in the docs.

    Attributes:
        Config: the keys of `task` besides its name.
        pipeline_class: what its models are used through.
        judged_by: the measure, `observer/name`, whose lowest value marks the best checkpoint.
    """

    Config: type[Section]
    pipeline_class: "type[Pipeline]"
    judged_by: str

    def open_source(self, recipe: Recipe) -> Any:
        """Open the recipe's data without reading it; ValueError when it is not there."""

    def describe(self, recipe: Recipe, source: Any) -> Any:
        """Look at the data: a frozen Description that `config.json` keeps."""

    def resolve(self, recipe: Recipe, description: Any) -> Recipe:
        """The recipe with every `auto` replaced by what the description calls for."""

    def adopt(self, recipe: Recipe, config: Section) -> Recipe:
        """The recipe for training on from a model with this config: its networks and shapes."""

    def samples(self, recipe: Recipe, source: Any, description: Any) -> "tuple[Loader, Loader]":
        """The training samples and the held-out ones."""

    def noise(self, recipe: Recipe, description: Any, count: int) -> "dict[str, np.ndarray]":
        """Meaningless samples of the right names, shapes and types, to time a game without its data."""

    def game(self, recipe: Recipe, description: Any) -> "Game":
        """Build networks (on the current default device) and turns."""

    def observers(
        self,
        recipe: Recipe,
        description: Any,
        game: "Game",
        model: "Pipeline",
        samples: "tuple[Loader, Loader]",
    ) -> "dict[str, Observer]":
        """What watches the game; `model` wraps the averaged networks."""

    def pipeline(self, recipe: Recipe, description: Any, kept: "dict[str, nn.Module]") -> "Pipeline":
        """Wrap the kept networks for use."""

    def judge(
        self,
        pipeline: Any,
        reals: "Loader",
        own: "tuple[Loader, Loader] | None",
        features: "Features | None",
        query: "Query",
        origin: "Origin | None",
    ) -> "Judgement":
        """Judge a model by reals that it did not learn from; `own`: what its run learned from and held out."""

    def example(self) -> Recipe:
        """A recipe that runs in seconds on data of its own; the contract tests play it."""


def task_names() -> dict[str, str]:
    """The tasks by name, each with its module."""
    folder = Path(__file__).parent / "tasks"
    found = [*folder.glob("[a-z]*.py"), *(path.parent for path in folder.glob("[a-z]*/__init__.py"))]
    own = {path.stem.replace("_", "-"): f"gannet.tasks.{path.stem}" for path in found}
    return {point.name: point.value for point in entry_points(group="gannet.tasks")} | own


def find_task(name: str) -> Task:
    """Import a task's module by the task's name; ValueError names the nearest when there is none.

    The name is looked up among the installed ones and never imported as given, so a file cannot choose code to run.
    """
    known = task_names()
    if name not in known:
        raise ValueError(f"There is no task {name!r}; {nearest(name, known)}")
    module: Any = import_module(known[name])
    return getattr(module, "task", module)  # type: ignore[no-any-return]
