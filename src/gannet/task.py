"""What a task is, and how one is found: a module of `gannet.tasks`, or a third party's entry point `gannet.tasks`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gannet.recipe import Checkpoints, Logging, Recipe, RefereeSettings
from gannet.runtime.plugins import installed
from gannet.schema import Choice, Section, check, nearest

if TYPE_CHECKING:
    from torch import nn

    from gannet.adversarial.game import Game, Observer
    from gannet.data.loader import Samples, Sides
    from gannet.data.records import Source
    from gannet.data.samples import Labels
    from gannet.media.medium import Field, Medium, Shown
    from gannet.metrics.features import Features
    from gannet.metrics.judgement import Judgement
    from gannet.metrics.options import JudgeOptions
    from gannet.pipelines.pipeline import Pipeline

Fit: TypeAlias = "Callable[[Recipe], tuple[Pipeline, Samples]]"


@dataclass(frozen=True)
class Origin:
    """The run that a model came from, for those who judge it.

    Attributes:
        recipe: the run's.
        minutes: its training time.
        fit: trains another recipe and gives its model, to compare with or to measure by, and what it held out.
    """

    recipe: Recipe
    minutes: float
    fit: "Fit"


@dataclass(frozen=True)
class Exam:
    """What a model is judged by; what is expensive is made when it is asked for, once.

    Attributes:
        query: what is asked.
        origin: the run around the model, where there is one.
        source: the data that were given to judge by, as they lie; None where the run's own are meant.
        load_reals: gives reals that the model did not learn from, brought to its shape.
        own: what the run learned from and held out; None where that is not known.
        load_features: gives what samples are compared in; None where no network for that ships.
    """

    query: "JudgeOptions"
    origin: Origin | None
    source: "Source | None"
    load_reals: "Callable[[], Samples]"
    own: "Sides | None"
    load_features: "Callable[[], Features | None]"

    @cached_property
    def reals(self) -> "Samples":
        """The reals."""
        return self.load_reals()

    @cached_property
    def features(self) -> "Features | None":
        """What samples are compared in."""
        return self.load_features()


class Described(Protocol):
    """What a task found out of its data: plain data of its own, of which others ask no more than this."""

    @property
    def name(self) -> str:
        """The data's name, without a path."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, as networks are given it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, empty where there are none."""

    def model_dump(self, *, mode: str = "python") -> dict[str, object]:
        """Give it as plain data."""


class Task(Protocol):
    """The names a task's module defines, or the object `task` in it; its docstring is its page in the docs.

    Attributes:
        Config: the keys of `task` besides its name.
        Data: the keys of `data` besides those of every task: those of its media.
        pipeline_class: what its models are used through.
        judged_by: the measure, `observer/name`, whose lowest value marks the best checkpoint.

    A task may also have `choices`: what may be chosen by name in a section of the recipe (`network`, `augment`), each a
    schema of the section's other keys. `gannet recipes NAME` tells these keys, and what they mean.
    """

    Config: type[Section]
    Data: type[Section]
    pipeline_class: "type[Pipeline]"
    judged_by: str

    def media(self, recipe: Recipe) -> "Mapping[str, Medium]":
        """Name the parts of a sample, each with its medium; first the one it is known by, as the picture of a pair.

        In folders beside each other `images/` or `inputs/` is the first, `labels/` or `targets/` the second.
        """

    def labels(self, recipe: Recipe) -> "Labels":
        """Say whether the classes of samples matter."""

    def describe(self, recipe: Recipe, source: "Source") -> "Described":
        """Look at the data: a frozen Description that `config.json` keeps."""

    def fields(self, recipe: Recipe, description: "Described") -> "dict[str, Field]":
        """Say what each part of a sample is brought to."""

    def resolve(self, recipe: Recipe, description: "Described") -> Recipe:
        """Replace every `auto` of the recipe by what the description calls for."""

    def adopt(self, recipe: Recipe, config: Section) -> Recipe:
        """Fit the recipe to a model with this config, to train on from it or to judge it: networks and shapes."""

    def game(self, recipe: Recipe, description: "Described") -> "Game":
        """Build networks (on the current default device) and turns."""

    def observers(
        self, recipe: Recipe, description: "Described", game: "Game", model: "Pipeline", samples: "Sides"
    ) -> "dict[str, Observer]":
        """Say what watches the game; `model` wraps the averaged networks."""

    def sheet(
        self, recipe: Recipe, description: "Described", model: "Pipeline", samples: "Sides"
    ) -> "Callable[[], Shown] | None":
        """Give what a sheet shows of the model, the same things at every look; None where there is nothing to see."""

    def pipeline(self, recipe: Recipe, description: "Described", kept: "dict[str, nn.Module]") -> "Pipeline":
        """Wrap the kept networks for use."""

    def evaluate(self, pipeline: "Pipeline", exam: Exam) -> "Judgement":
        """Judge a model by reals that it did not learn from."""

    def example(self) -> Recipe:
        """Give a recipe that runs in seconds on data of its own; the contract tests play it."""


def example_recipe(task: Choice, **keys: object) -> Recipe:
    """Give a recipe for a task's `example`: a few hundred samples, often looked at and saved, on the processor.

    Args:
        keys: those of the recipe that are the task's own, such as its data and its network.
    """
    usual = {
        "images": 512,
        "batch": 16,
        "referee": RefereeSettings(window=64, every=128),
        "checkpoint": Checkpoints(every=128),
        "log": Logging(every=64, sheet_every=256),
        "precision": "32",
        "device": "cpu",
    }
    return check(Recipe, {"name": "example", "task": task, **usual, **keys})


def task_names() -> dict[str, str]:
    """Give the tasks by name, each with its module."""
    folder = Path(__file__).parent / "tasks"
    found = [*folder.glob("[a-z]*.py"), *(path.parent for path in folder.glob("[a-z]*/__init__.py"))]
    own = {path.stem.replace("_", "-"): f"gannet.tasks.{path.stem}" for path in found}
    theirs = {name: point.value for name, point in installed("gannet.tasks").items() if name not in own}
    return own | theirs


def find_task(name: str) -> Task:
    """Import a task's module by the task's name; ValueError names the nearest when there is none.

    The name is looked up among the installed ones and never imported as given, so a file cannot choose code to run.
    """
    known = task_names()
    if name not in known:
        raise ValueError(f"There is no task {name!r}; {nearest(name, known)}")
    module: Any = import_module(known[name])
    return getattr(module, "task", module)  # type: ignore[no-any-return]
