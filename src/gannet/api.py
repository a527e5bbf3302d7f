"""The API: the verbs, and what is asked of them and answered. Everything behind it may move."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gannet.commands import doctor as doctor_command
from gannet.commands import generate
from gannet.commands import judge as judge_command
from gannet.commands import train as train_command
from gannet.commands.augment import images
from gannet.commands.augment.options import Augmented, Columns, Wish
from gannet.commands.models import Model, list_models
from gannet.commands.restore import Photographs, improve
from gannet.data.doctor import Report
from gannet.metrics.judgement import Judgement, Query
from gannet.pipelines.hub import absolute, load
from gannet.pipelines.onnx import Exported
from gannet.pipelines.onnx import export as export_pipeline
from gannet.pipelines.samples import Request
from gannet.runs.folder import Run
from gannet.runtime.process import borrowed, quiet
from gannet.runtime.progress import OnProgress, Progress, ShouldStop, Stopped, Watch

__all__ = [
    "Columns",
    "Model",
    "OnProgress",
    "Photographs",
    "Progress",
    "Query",
    "Request",
    "ShouldStop",
    "Stopped",
    "Wish",
    "apply",
    "augment",
    "examine",
    "export",
    "judge",
    "load",
    "models",
    "train",
]

ALL, ONE, USUAL = Query(), Request(), Wish()


@borrowed()
def train(
    target: str = "",
    data: str | Path = "",
    out: str | Path = "",
    set: Mapping[str, Any] | None = None,  # noqa: A002
    start_from: str | Path = "",
    resume: str | Path = "",
    *,
    should_stop: ShouldStop | None = None,
    on_progress: OnProgress | None = None,
) -> Run:
    """Train a recipe and return its run; from any thread.

    Args:
        target: a shipped recipe's name or a YAML file; left out with `resume`.
        data: what to learn from; empty: the recipe's own data.
        out: the run's folder, which must not exist; empty: a free one below `runs/`.
        set: changes to the recipe, dotted key -> value.
        start_from: a run, a model's folder or `hf:owner/name` whose weights to start from.
        resume: a run to continue instead; `set` may then change how long it lasts.
        should_stop: asked after every round; once it says yes, the run is saved and its `ending` is `interrupted`.
            Of several processes any one may say so, and all leave after the same line of the log.
        on_progress: told after every round, a `gannet.training.trainer.Status` and the referee's words.

    Raises:
        ValueError: a mistake in what was given, or a game that diverged; one sentence.
    """
    watch = Watch(on_progress, should_stop)
    return train_command.train(target, data, out, set, start_from, resume, watch)


@borrowed()
def judge(target: str | Path, data: str | Path = "", query: Query = ALL, weights: str = "model") -> Judgement:
    """Judge a model: what it makes against real samples that it did not learn from.

    The judgement of a run is kept in its folder, as `judgement.json` and in its report.

    Args:
        target: a run, a model's folder, a shipped model's name or `hf:owner/name`.
        data: the reals; empty: what the run held out.
        query: how many fakes, the seed, and what else is asked.
        weights: `model`, `best` or a stage's name.

    Raises:
        ValueError: nothing to judge by, or too few samples; one sentence.
    """
    return judge_command.judge(target, data, query, weights, train_command.fit)


@borrowed()
def apply(
    target: str | Path, out: str | Path, request: Request | Photographs = ONE, weights: str = "model"
) -> dict[str, Any]:
    """Draw samples, or make photographs better, and save them; returns what their metadata say.

    As many samples as are wanted are drawn in constant memory, and photographs of any size go through in tiles.

    A broken-off folder, zip or parquet file goes on where it stood when the same is asked for again; under torchrun
    every process writes its share.

    Args:
        target: a run, a model's folder, a shipped model's name or `hf:owner/name`.
        out: a folder, a .zip or .parquet file of single pictures, or a picture's name for one sheet or animation, or
            for one photograph; empty: a name made of the photograph's.
        request: how many, of which seed and class; or which photographs.
        weights: `model`, `best` or a stage's name.

    Raises:
        ValueError: nothing is there that draws, the request is out of range, or `out` exists; one sentence.
    """
    if isinstance(request, Photographs):
        return improve(target, Path(out) if out else None, request, weights)
    return generate.apply(target, out, request, weights)


@quiet()
@borrowed()
def export(target: str | Path, out: str | Path, weights: str = "model") -> Exported:
    """Write a model's network as an ONNX file, once ONNX Runtime has been seen to give PyTorch's answers.

    Args:
        target: a run, a model's folder, a shipped model's name or `hf:owner/name`.
        out: the file, .onnx, which must not exist.

    Raises:
        ValueError: the model cannot be exported, libraries are missing, or the answers differ; one sentence.
    """
    return export_pipeline(load(target, weights), Path(out))


@borrowed()
def augment(data: str | Path, out: str | Path, wish: Wish = USUAL) -> Augmented:
    """Make a data set larger by changed copies of its samples; folders, labels and the samples themselves survive.

    Every file has a line in `record.csv` that says what it was made from and how. Broken off, the same call goes on
    where it stood.

    Args:
        data: a folder, a zip, .npz, .parquet, idx files, or `hf:owner/name`; or texts: .txt, .csv or .tsv.
        out: a folder or a .zip, which must not exist; for texts a file of the same format.
        wish: how many times as large, by which kinds, from which seed.

    Raises:
        ValueError: an unknown kind, a strength out of range, too little that is healthy, or `out` exists; one sentence.
    """
    return images.augment_data(absolute(str(data)), Path(out), wish)


@borrowed()
def examine(data: str | Path, size: int = 0) -> Report:
    """Examine a data set: count, sizes, classes, unreadable files, duplicates, and a recommendation.

    Args:
        size: pixels a side to look at; 0 takes what the recipe `images` would choose.

    Raises:
        ValueError: nothing readable is there; one sentence.
    """
    return doctor_command.examine(absolute(str(data)), size)


def models() -> list[Model]:
    """List the models at hand: those that come with Gannet, those in $GANNET_MODELS (a folder or several, separated as
    in $PATH), and those of runs below `runs/` here.
    """
    return list_models()
