"""Judging: the model, the reals it is held against, and the features they are compared in."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from gannet.data.cache import cache_folder
from gannet.data.loader import Loader
from gannet.data.records import Chunked
from gannet.data.sources import open_source
from gannet.data.survey import survey
from gannet.launch import is_first, join
from gannet.loading import absolute, load, shipped_models
from gannet.metrics.backbones import backbone, inception
from gannet.metrics.features import Features, NetworkFeatures
from gannet.metrics.judgement import Judgement, Query
from gannet.pipeline import Fit, Origin, Pipeline
from gannet.provenance import save_picture
from gannet.recipe import Data, Recipe
from gannet.report import CLOSEST, JUDGEMENT, seen_images, trained_minutes, write_report
from gannet.running import read_recipe
from gannet.schema import Choice
from gannet.sheets import draw_grid
from gannet.storage import write_json
from gannet.task import find_task

JUDGE = "judge-v1"


def judge(target: str | Path, data: str | Path, query: Query, weights: str, fit: Fit) -> Judgement:
    """Judge a model; see `gannet.api.judge`.

    Args:
        fit: trains a recipe, where a judgement takes another model.
    """
    join()
    if query.num < 0 or query.seed < 0:
        raise ValueError(f"num and seed are 0 or more; given: {query.num} and {query.seed}.")
    pipeline, run = load(target, weights), _run_around(Path(target))
    recipe = read_recipe(run) if run else None
    if recipe is None and not data:
        raise ValueError(f"{target} has no run around it, so what it held out is unknown; give data to judge by.")
    own = _own_samples(recipe, pipeline, needed=not data) if recipe else None
    reals: Any
    if data and pipeline.whole:
        reals, notes = open_source(absolute(str(data))), tuple[str, ...]()
    elif data:
        given = _recipe_for(pipeline, recipe, absolute(str(data)))
        reals, notes = _given_samples(given, pipeline), _conversions(given)
    else:
        assert own is not None
        reals, notes = own[1], ()
    origin = Origin(recipe, trained_minutes(run), fit) if run and recipe else None
    judgement = find_task(pipeline.task).judge(pipeline, reals, own, judge_features(query.features), query, origin)
    judgement = replace(judgement, notes=notes)
    if run and is_first():
        asked = {"images": seen_images(run), "weights": weights, "data": str(data), "seed": query.seed}
        write_json(run / JUDGEMENT, {**judgement.to_json(), "asked": asked})
        if judgement.closest is not None:
            closest = draw_grid(judgement.closest, len(judgement.closest) // 2)
            save_picture(closest, run / CLOSEST, {"model": pipeline.name, "seed": query.seed})
        write_report(run)
    return judgement


def _run_around(target: Path) -> Path | None:
    """The run that a model belongs to: the folder itself, or the one that its `model/` lies in."""
    folders = (target, target.resolve().parent) if target.name == "model" else (target,)
    return next((folder for folder in folders if (folder / "recipe.yaml").is_file()), None)


def judge_features(name: str = "") -> Features | None:
    """The features of that name, see `Query`; by default those of `judge-v1`, None where it does not ship."""
    if name == "inception" or name.endswith(".pth"):
        return inception(cache_folder(), None if name == "inception" else Path(name))
    if name:
        place = name.removeprefix("hf:")
        if "/" not in place and not Path(place).is_dir():
            raise ValueError(f"There are no features {name!r}; give inception, its file, hf:owner/name or a folder.")
        return backbone(place)
    folder = shipped_models().get(JUDGE)
    if folder is None:
        return None
    network: Any = Pipeline.from_pretrained(folder).networks["recognizer"]
    # Channels last is the faster layout for convolutions on processors and on GPUs.
    network.to(device="cuda" if torch.cuda.is_available() else "cpu", memory_format=torch.channels_last)
    return NetworkFeatures(JUDGE, network, network.features)


def _own_samples(recipe: Recipe, pipeline: Pipeline, needed: bool) -> tuple[Loader, Loader] | None:
    """What the run learned from and what it held out; None where its data are gone and others are given."""
    try:
        return _samples(recipe, pipeline)
    except ValueError:
        if needed:
            raise
        return None


def _samples(recipe: Recipe, pipeline: Pipeline) -> tuple[Loader, Loader]:
    task, config = find_task(recipe.task.name), cast(Any, pipeline.config)
    return task.samples(recipe, task.open_source(recipe), config.description)


def _recipe_for(pipeline: Pipeline, run: Recipe | None, data: str) -> Recipe:
    """A recipe that reads data the way the model learned, labels included where they have any."""
    shape = cast(Any, pipeline.config).description.shape
    sizes = {"channels": shape[0], "size": shape[1]} if len(shape) == 3 else {}
    known = run.data.model_dump() if run else {}
    if isinstance(open_source(data), Chunked):
        known["group"] = ""  # Arrays have no names to tell whose pictures they are.
    recipe = Recipe(
        name="judged", task=Choice(name=pipeline.task), data=Data(**{**known, **sizes, "source": data, "limit": None})
    )
    if pipeline.task != "generation" or not _classes(recipe):
        return recipe
    return recipe.model_copy(update={"task": Choice(name=pipeline.task, conditional=True)})


def _classes(recipe: Recipe) -> tuple[str, ...]:
    return tuple(getattr(find_task(recipe.task.name).open_source(recipe), "classes", ()))


def _given_samples(recipe: Recipe, pipeline: Pipeline) -> Loader:
    """All of a data set, whatever its split; labels by the model's numbers, or none where it does not know them all."""
    training, held_out = _samples(recipe, pipeline)
    loader = training.joined(held_out)
    theirs, known = _classes(recipe), cast(Any, pipeline.config).description.classes
    arrays = {name: array for name, array in loader.arrays.items() if name != "label"}
    if "label" in loader.arrays and theirs and set(theirs) <= set(known):
        numbers = np.array([known.index(name) for name in theirs])
        arrays["label"] = numbers[loader.arrays["label"]]
    return Loader(arrays, loader.chosen, loader.seed)


def _conversions(recipe: Recipe) -> tuple[str, ...]:
    """What was done to data so that they are like the model's own, in words."""
    size, channels = recipe.data.size, recipe.data.channels
    if size == "auto":
        return ()
    looked = survey(open_source(recipe.data.source))
    if (looked.median_side, looked.channels) == (size, channels):
        return ()
    kinds = {1: "grey", 3: "colour", 4: "colour with transparency"}
    there, here = kinds.get(looked.channels, ""), kinds.get(int(channels), "")
    return (f"The data, about {looked.median_side} pixels a side in {there}, were brought to {size} in {here}.",)
