"""The API: the verbs, and what is asked of them and answered. Everything behind it may move."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gannet.commands import doctor as doctor_command
from gannet.commands import judge as judge_command
from gannet.commands.apply import Applied, Wanted, apply_model
from gannet.commands.augment import images
from gannet.commands.augment.options import Augmented, Columns, Wish
from gannet.commands.train import fit, train
from gannet.data.doctor import Report
from gannet.metrics.judgement import Judgement, Query
from gannet.pipelines.hub import absolute, interface, load
from gannet.pipelines.onnx import Exported
from gannet.pipelines.onnx import export as export_pipeline
from gannet.runtime.devices import is_first

__all__ = [
    "Applied",
    "Columns",
    "Query",
    "Wish",
    "apply",
    "augment",
    "examine",
    "export",
    "interface",
    "is_first",
    "judge",
    "load",
    "train",
]

ALL, USUAL = Query(), Wish()


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
    return judge_command.judge(target, data, query, weights, fit)


def apply(
    target: str | Path,
    *inputs: str | Path,
    out: str | Path = "",
    weights: str = "model",
    save: Sequence[str] = (),
    compare: str | Path = "",
    say: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> Applied:
    """Apply a model and save what it makes: samples from nothing, or something of given files.

    Samples of any number are drawn in constant memory, and photographs of any size go through in tiles. A broken-off
    folder, zip or parquet file goes on where it stood when the same is asked for again; under torchrun every process
    writes its share of samples.

    Args:
        target: a run, a model's folder, a shipped model's name or `hf:owner/name`.
        inputs: files, folders with some however deep, and patterns such as `scans/*.jpg`.
        out: a folder, a .zip or .parquet file of single results, or one file's name; empty: a name is chosen.
        weights: `model`, `best` or a stage's name.
        save: further outputs to write beside the first, by name.
        compare: where to put a picture of some inputs before and after; empty: nowhere.
        say: is told how far it is.
        options: the model's own, and the paths of further inputs, by name; `gannet apply MODEL --help` lists them.

    Raises:
        ValueError: nothing is there to apply, an option that the model has not, or `out` exists; one sentence.
    """
    return apply_model(target, inputs, options, Wanted(str(out), tuple(save), str(compare), say), weights)


def export(target: str | Path, out: str | Path, weights: str = "model") -> Exported:
    """Write a model's network as an ONNX file, once ONNX Runtime has been seen to give PyTorch's answers.

    Args:
        target: a run, a model's folder, a shipped model's name or `hf:owner/name`.
        out: the file, .onnx, which must not exist.

    Raises:
        ValueError: the model cannot be exported, libraries are missing, or the answers differ; one sentence.
    """
    return export_pipeline(load(target, weights), Path(out))


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


def examine(data: str | Path, size: int = 0) -> Report:
    """Examine a data set: count, sizes, classes, unreadable files, duplicates, and a recommendation.

    Args:
        size: pixels a side to look at; 0 takes what the recipe `images` would choose.

    Raises:
        ValueError: nothing readable is there; one sentence.
    """
    return doctor_command.examine(absolute(str(data)), size)
