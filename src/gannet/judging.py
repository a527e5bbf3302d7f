"""Judging: the model, the reals it is held against, and the features they are compared in."""

from pathlib import Path
from typing import Any

import torch

from gannet.data.loader import Loader
from gannet.loading import load, model_folder
from gannet.metrics.features import Features, NetworkFeatures
from gannet.metrics.judgement import Judgement, Query
from gannet.pipeline import Pipeline
from gannet.recipe import Choice, Data, Recipe
from gannet.report import JUDGEMENT, write_report
from gannet.running import read_recipe
from gannet.storage import write_json
from gannet.task import find_task

JUDGE = "judge-v1"
ALL = Query()


def judge(target: str | Path, data: str | Path = "", query: Query = ALL, weights: str = "model") -> Judgement:
    """Judge a model: what it makes against real samples that it did not learn from.

    The judgement of a run is kept in its folder, as `judgement.json` and in its report.

    Args:
        target: a run, a model's folder, a shipped model's name or `hf:owner/name`.
        data: the reals; empty: what the run held out.
        query: how many fakes, and the seed.
        weights: `model`, `best` or a stage's name.

    Raises:
        ValueError: nothing to judge by, or too few samples; one sentence.
    """
    pipeline, run = load(target, weights), Path(target)
    recipe = read_recipe(run) if (run / "recipe.yaml").is_file() else None
    if recipe is None and not data:
        raise ValueError(f"{target} has no run around it, so what it held out is unknown; give data to judge by.")
    training, held_out = _samples(recipe, pipeline) if recipe else (None, None)
    reals = _everything(_samples(_recipe_for(pipeline, str(data)), pipeline)) if data else held_out
    assert reals is not None
    task = find_task(pipeline.task)
    judgement = task.judge(pipeline, reals, training, judge_features(), query)
    if recipe:
        write_json(run / JUDGEMENT, judgement.to_json())
        write_report(run)
    return judgement


def judge_features() -> Features | None:
    """The features of `judge-v1`; None where it does not ship."""
    try:
        folder = model_folder(JUDGE)
    except ValueError:
        return None
    network: Any = Pipeline.from_pretrained(folder).networks["recognizer"]
    if torch.cuda.is_available():
        network.cuda()
    return NetworkFeatures(JUDGE, network, network.features)


def _samples(recipe: Recipe, pipeline: Pipeline) -> tuple[Loader, Loader]:
    task = find_task(recipe.task.name)
    return task.samples(recipe, task.open_source(recipe), pipeline.config.description)  # type: ignore[attr-defined]


def _recipe_for(pipeline: Pipeline, data: str) -> Recipe:
    """A recipe that reads data the way the model learned."""
    config: Any = pipeline.config
    options = {"conditional": True} if getattr(config, "conditional", False) else {}
    shape = config.description.shape
    sizes = {"channels": shape[0], "size": shape[1]} if len(shape) == 3 else {}
    return Recipe(name="judged", task=Choice(name=pipeline.task, **options), data=Data(source=data, **sizes))


def _everything(samples: tuple[Loader, Loader]) -> Loader:
    """All of a data set, whatever its split."""
    training, held_out = samples
    return training.joined(held_out)
