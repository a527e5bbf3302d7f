"""Judging: the model, the reals it is held against, and the features they are compared in."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gannet.commands.data import full_name, given_again
from gannet.commands.train import fit
from gannet.data.cache import cache_folder
from gannet.data.loader import Loader, Samples, Sides
from gannet.data.records import Source, has_names
from gannet.data.samples import class_numbers, load_samples, load_whole, open_data
from gannet.media import clip
from gannet.media.grids import draw_grid
from gannet.metrics.backbones import EFFICIENTNET, backbone, efficientnet, inception
from gannet.metrics.features import Features, NetworkFeatures
from gannet.metrics.judgement import Judgement
from gannet.metrics.options import JudgeOptions
from gannet.monitoring.nearness import tell_nearness
from gannet.pipelines.hub import load_trained, shipped_models
from gannet.pipelines.pipeline import Pipeline
from gannet.provenance.metadata import save_picture
from gannet.recipe import Recipe
from gannet.runs.folder import read_recipe
from gannet.runs.report import CLOSEST, seen_images, trained_minutes, write_report
from gannet.runs.standing import JUDGEMENT, judged_whole, outlook
from gannet.runtime.devices import is_first, join
from gannet.runtime.files import write_json
from gannet.runtime.progress import Watch
from gannet.schema import Choice
from gannet.task import Exam, Origin, find_task

JUDGE, JUDGE_OF_CLIPS = "judge-v1", "judge-clips-v1"


def judge(target: str | Path, data: str | Path, query: JudgeOptions, weights: str, watch: Watch) -> Judgement:
    """Judge a model; see `gannet.api.judge`.

    Args:
        watch: told what is done; asked whether to stop before every batch that is compared.
    """
    join()
    watch.step(0, 0, "Loading")
    pipeline, run = load_trained(target, weights), _run_around(Path(target))
    recipe = read_recipe(run) if run else None
    data = "" if recipe and given_again(data, recipe.data.source) else data
    if recipe is None and not data:
        raise ValueError(f"{target} has no run around it, so what it held out is unknown; give data to judge by.")
    origin = Origin(recipe, trained_minutes(run), partial(fit, watch=watch)) if run and recipe else None
    exam = _exam(pipeline, recipe, full_name(data) if data else "", query, origin, watch)
    exam = replace(exam, load_features=partial(_watched, exam.load_features, watch))
    watch.step(0, 0, "Judging")
    judgement, plural = find_task(pipeline.task).evaluate(pipeline, exam), _plural(pipeline, recipe)
    near = tell_nearness({**judgement.to_json(), "plural": plural}, outlook(run) if run else None)
    judgement = replace(judgement, sentence=near.words)
    if run and is_first():
        asked = {"images": seen_images(run), "weights": weights, "data": str(data), "seed": query.seed}
        if not (query.fast and judged_whole(run, asked)):
            _keep(run, judgement, {"plural": plural, "asked": asked | {"fast": query.fast}}, pipeline.name)
    return judgement


def _keep(run: Path, judgement: Judgement, more: dict[str, Any], name: str) -> None:
    """Write a judgement into its run's folder, and draw the report anew."""
    write_json(run / JUDGEMENT, {**judgement.to_json(), **more})
    if judgement.closest is not None:
        closest = draw_grid(judgement.closest, len(judgement.closest) // 2)
        save_picture(closest, run / CLOSEST, {"model": name, "seed": more["asked"]["seed"]})
    write_report(run)


def _plural(pipeline: Pipeline, recipe: Recipe | None) -> str:
    """What messages call the samples that a model learns from."""
    recipe = recipe or Recipe(name="judged", task=Choice(name=pipeline.task))
    return next(iter(find_task(pipeline.task).media(recipe).values())).plural


def _watched(load_features: Callable[[], Features | None], watch: Watch) -> Features | None:
    """Features of which every batch is counted, and may be the last."""
    found, counted = load_features(), count(1)
    if not isinstance(found, NetworkFeatures):
        return found
    compare = found.features

    def features(pictures: Tensor) -> Tensor:
        watch.step(next(counted), 0, "Judging, batch by batch")
        return compare(pictures)

    return replace(found, features=features)


def _exam(
    pipeline: Pipeline, recipe: Recipe | None, data: str, query: JudgeOptions, origin: Origin | None, watch: Watch
) -> Exam:
    """Set out what a model is judged by; the data are opened here, once, and decoded when they are asked for."""
    features = partial(judge_features, query.features, judge_of(pipeline))
    told = Watch(watch.on_progress)  # Of several processes none may leave alone.
    own = _own_samples(recipe, pipeline, not data, told) if recipe else None
    if not data:
        assert own is not None
        return Exam(query, origin, None, lambda: own[1], own, features)
    given = _recipe_for(pipeline, recipe, data)
    task = find_task(pipeline.task)
    source = open_data(given, task.media(given), given.data.checked(task.Data), task.labels(given))
    return Exam(query, origin, source, partial(_given_samples, given, pipeline, source, told), own, features)


def brief_exam(pipeline: Pipeline, recipe: Recipe, query: JudgeOptions, watch: Watch) -> Exam:
    """Set out what models of a run are compared by: what it held out, without the audit of what it learned from."""
    exam = _exam(pipeline, recipe, "", query, None, watch)
    return replace(exam, own=None, load_features=partial(_watched, exam.load_features, watch))


def _run_around(target: Path) -> Path | None:
    """The run that a model belongs to: the folder itself, or the one that its `model/` lies in."""
    folders = (target, target.resolve().parent) if target.name == "model" else (target,)
    return next((folder for folder in folders if (folder / "recipe.yaml").is_file()), None)


def judge_of(pipeline: Pipeline) -> str:
    """Name the shipped network in whose features what a pipeline makes is compared."""
    made = next(iter(pipeline.outputs.values()))
    return JUDGE_OF_CLIPS if made.name == clip.medium.name else JUDGE


def judge_features(name: str = "", usual: str = JUDGE) -> Features | None:
    """Give the features of that name, see `JudgeOptions`; by default those of the usual judge, None where it does not
    ship.
    """
    if name == "inception" or name.endswith(".pth"):
        return inception(cache_folder(), None if name == "inception" else Path(name))
    if name == EFFICIENTNET:
        return efficientnet()
    if name:
        place = name.removeprefix("hf:")
        if "/" not in place and not Path(place).is_dir():
            raise ValueError(
                f"There are no features {name!r}; give inception, its file, {EFFICIENTNET}, hf:owner/name or a folder."
            )
        return backbone(place)
    folder = shipped_models().get(usual)
    if folder is None:
        return None
    network: Any = Pipeline.from_pretrained(folder).networks["recognizer"]
    # Channels last is the faster layout for convolutions on processors and on GPUs.
    layout = torch.channels_last_3d if usual == JUDGE_OF_CLIPS else torch.channels_last
    network.to(device="cuda" if torch.cuda.is_available() else "cpu", memory_format=layout)
    return NetworkFeatures(usual, network, network.features)


def _own_samples(recipe: Recipe, pipeline: Pipeline, needed: bool, watch: Watch) -> Sides | None:
    """What the run learned from and what it held out; None where its data are gone and others are given."""
    task = find_task(recipe.task.name)
    try:
        source = open_data(recipe, task.media(recipe), recipe.data.checked(task.Data), task.labels(recipe))
        split = load_samples(recipe, source, task.fields(recipe, _description(pipeline)), task.labels(recipe), watch)
    except ValueError:
        if needed:
            raise
        return None
    return split.training, split.held_out


def _description(pipeline: Pipeline) -> Any:
    config: Any = pipeline.config
    return config.description


def _recipe_for(pipeline: Pipeline, run: Recipe | None, data: str) -> Recipe:
    """A recipe that reads data the way the model learned: its task's options and its shapes stay."""
    recipe = run or Recipe(name="judged", task=Choice(name=pipeline.task))
    read = recipe.data.model_copy(update={"source": data, "sources": (), "limit": None})
    return find_task(pipeline.task).adopt(recipe.model_copy(update={"data": read}), pipeline.config)


def _given_samples(recipe: Recipe, pipeline: Pipeline, source: Source, watch: Watch) -> Samples:
    """All of a data set, whatever its split; labels by the model's numbers, or none where it does not know them all."""
    task, description = find_task(pipeline.task), _description(pipeline)
    if not has_names(source):  # Arrays have no names to tell whose pictures they are.
        recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"group": ""})})
    loader = load_whole(recipe, source, task.fields(recipe, description), task.labels(recipe), watch)
    columns = dict(loader.columns)
    if "label" in columns:
        label = columns.pop("label")
        known = class_numbers(source.classes, description.classes)
        if known is not None:
            numbers = np.array([*known, len(description.classes)])
            columns["label"] = type(label)(numbers[label.values])
    return Loader(columns, loader.chosen, loader.seed)
