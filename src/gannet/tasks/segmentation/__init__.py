"""Segmentation: which class each pixel of a picture is of. A game with one player, and the judge of what is painted.

The data are pairs: pictures in `images/` and label maps of the same names in `labels/`, whose pixels are the numbers of
classes. Pictures and maps are moved together while it learns. The average of the network is what is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from gannet.adversarial.game import Game, Observer, Outcome, Pass, Turn
from gannet.augmentation.kinds import Chosen, Strengths, augment_aligned, choose_kinds, followed
from gannet.data import image_dataset
from gannet.data.image_dataset import Description
from gannet.data.loader import Samples, Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.data.survey import numbers_in
from gannet.media import image, label_map
from gannet.media.medium import Field, Medium, Shown
from gannet.metrics.baseline_comparison import BaselineResult
from gannet.metrics.judgement import Judgement
from gannet.metrics.segmentation import commonest_class, confusion, mean_iou, segmentation_measures
from gannet.monitoring.periodic import Periodic
from gannet.recipe import Data as RecipeData
from gannet.recipe import Optimizer, Recipe
from gannet.schema import Choice, known_keys
from gannet.task import Exam, example_recipe
from gannet.tasks.segmentation.pipeline import (
    BATCH,
    NETWORKS,
    SEGMENTER,
    Config,
    SegmentationPipeline,
    Settings,
    build_network,
    choice_of,
    config_of,
)

SHOWN, ON_SHEETS = 64, 8
MOST_LOOKED_AT, MOST_JUDGED = 1_000, 5_000
"""Maps that are looked at for their numbers, and that a model is judged by where nobody asks for more."""
MEDIA: dict[str, Medium] = {"image": image.medium, "map": label_map.medium}
USUAL: Strengths = {"flip": 0.5, "zoom": 1.3, "rotation": 8, "brightness": 0.15, "contrast": 1.3, "saturation": 1.5}
"""What is done to pictures and maps while it learns: scenes keep their up and down."""
FEW_PIXELS = 100.0
"""Pixels added to both sides of an overlap, so that a class of hardly any does not rule a batch."""

__all__ = ["Data", "SegmentationPipeline", "Settings"]

judged_by = "held_out/error"
Data = image.Options
choices = {"network": NETWORKS}


def media(recipe: Recipe) -> Mapping[str, Medium]:
    """Name the parts of a sample: a picture, and the map of its classes."""
    return MEDIA


def labels(recipe: Recipe) -> Labels:
    """Pass classes of whole pictures over."""
    return Labels.UNUSED


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size and channels, and count the classes, where the recipe leaves them open."""
    config = config_of(recipe.task)
    return describe_pairs(recipe, source, config.classes, config.ignore)


def describe_pairs(
    recipe: Recipe, source: Source, classes: int | Literal["auto"], ignored: tuple[int, ...]
) -> Description:
    """Describe pictures with label maps: size, channels, and the names of the classes.

    Args:
        classes: how many there are, or `auto`.
        ignored: numbers of what is nobody's.
    """
    description = image_dataset.describe(recipe, source)
    numbers = sorted(numbers_in(source, label_map.medium, MOST_LOOKED_AT) - {*ignored, label_map.NOTHING})
    if classes == "auto":
        classes = len(source.classes) or 1 + max(numbers, default=-1)
    name = Path(source.name).name
    if classes < 2:
        raise ValueError(f"{name}: the label maps know one class only; number at least two, from 0.")
    if numbers and numbers[-1] >= classes:
        raise ValueError(
            f"{name}: the label maps hold the number {numbers[-1]}, and there are {classes} classes from 0 on; set "
            f"task.classes, or task.ignore=[{numbers[-1]}] where it is nobody's."
        )
    names = tuple(source.classes) if len(source.classes) == classes else tuple(map(str, range(classes)))
    return description.model_copy(update={"classes": names})


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Say what pictures and maps are brought to: the same size, in the same way."""
    channels, height, width = description.shape
    fit = image_dataset.options_of(recipe).fit
    maps = label_map.medium.field(height, width, fit, len(description.classes))
    return {"image": image.medium.field(height, width, channels, fit), "map": maps}


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, channels and number of classes into the recipe."""
    if recipe.augment.name != "none":
        raise ValueError(f"A game of {recipe.task.name} has no discriminator whose view to augment; set task.kinds.")
    known_keys(recipe.optimizer, [SEGMENTER], "optimizer")
    config = config_of(recipe.task).model_copy(update={"classes": len(description.classes)})
    _chosen(config, description)
    return recipe.model_copy(
        update={
            "task": Choice(name=recipe.task.name, **config.model_dump(mode="json")),
            "data": image_dataset.resolved_data(recipe, description),
            "network": Choice(name=recipe.network.name, **asdict(choice_of(recipe.network))),
            "optimizer": {SEGMENTER: recipe.optimizer.get(SEGMENTER, Optimizer())},
        }
    )


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape and classes, so that its weights fit."""
    kept = {key: config.task.options[key] for key in ("classes", "ignore")}
    task = Choice(name=recipe.task.name, **{**config.task.options, **recipe.task.options, **kept})
    data = image_dataset.adopted_data(recipe, config.description).with_options(fit=config.fit)
    return recipe.model_copy(update={"network": config.network, "task": task, "data": data})


def game(recipe: Recipe, description: Description) -> Game:
    """Let one player descend the cross-entropy of its answers and the overlap that they lack."""
    config, classes = config_of(recipe.task), len(description.classes)
    chosen, network = _chosen(config, description), build_network(recipe.network, description)

    def segment(run: Pass) -> Outcome:
        sample = augment_aligned({name: run.sample[name] for name in MEDIA}, MEDIA, chosen, config.share, run)
        scores, truth = network(sample["image"]).float(), counted(sample["map"], config.ignore, classes)
        counts, true = as_shares(truth, classes)
        losses = {"cross_entropy": -(true * scores.log_softmax(1)).sum() / counts.sum().clamp_min(1)}
        if config.overlap:
            losses["overlap"] = config.overlap * overlap_lacking(scores.softmax(1) * counts, true)
        return Outcome({SEGMENTER: losses})

    return Game({SEGMENTER: network}, (Turn("segment", (SEGMENTER,), segment),), (SEGMENTER,))


def counted(maps: Tensor, ignored: tuple[int, ...], classes: int) -> Tensor:
    """Number what does not count 255 in maps (b, h, w)."""
    nobodys = torch.isin(maps, torch.tensor(ignored, device=maps.device, dtype=maps.dtype)) | (maps >= classes)
    return maps.masked_fill(nobodys, label_map.NOTHING)


def as_shares(truth: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Give where pixels of maps (b, h, w) count, (b, 1, h, w), and each class's share of them, (b, classes, h, w).

    Sums of shares are the same at every run, on a GPU too, where picking scores by number is not.
    """
    counts = (truth != label_map.NOTHING)[:, None]
    true = one_hot(truth.masked_fill(~counts[:, 0], 0), classes).permute(0, 3, 1, 2) * counts
    return counts.float(), true.float()


def overlap_lacking(told: Tensor, true: Tensor) -> Tensor:
    """Give one less the mean overlap of what is told, by its probability, with what is true, of the classes in a batch.

    Twice the shared part over both (Milletari et al., 2016, "V-Net", section 3), over all pixels of the batch.

    Args:
        told, true: shares of the classes, (b, classes, h, w), 0 where nothing counts.
    """
    over = (0, 2, 3)
    shared, both = (told * true).sum(over), told.sum(over) + true.sum(over)
    there = true.sum(over) > 0
    overlap = (2 * shared + FEW_PIXELS) / (both + FEW_PIXELS)
    return 1 - (overlap * there).sum() / there.sum().clamp_min(1)


def observers(
    recipe: Recipe, description: Description, played: Game, model: "SegmentationPipeline", samples: Sides
) -> dict[str, Observer]:
    """Look how well the averaged network tells held-out pictures; where none of their pixels counts, not at all."""
    config, classes = config_of(recipe.task), len(description.classes)
    shown = samples[1].spread(SHOWN)

    def look() -> dict[str, float]:
        told = model.told(shown["image"]).numpy()
        found = mean_iou(confusion(shown["map"].numpy(), told, classes, config.ignore))
        return {} if np.isnan(found) else {"error": 1 - found}

    return {"held_out": Periodic(look, recipe.referee.every)}


def sheet(
    recipe: Recipe, description: Description, model: "SegmentationPipeline", samples: Sides
) -> Callable[[], Shown]:
    """Show held-out pictures above their true maps, and what it tells below."""
    shown = samples[1].spread(ON_SHEETS)
    pictures = shown["image"].expand(-1, 3, -1, -1) if shown["image"].shape[1] == 1 else shown["image"][:, :3]

    def look() -> Shown:
        maps = [label_map.coloured(one) for one in (shown["map"], model.told(shown["image"]))]
        return Shown(image.medium, torch.cat([pictures, *maps], 2), {"model": model.name})

    return look


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> "SegmentationPipeline":
    """Wrap the averaged network."""
    options = {key: recipe.task.options[key] for key in ("classes", "ignore")}
    task, fit = Choice(name="segmentation", **options), image_dataset.options_of(recipe).fit
    settings = Settings(description=description, network=recipe.network, task=task, fit=fit)
    return SegmentationPipeline(settings, {SEGMENTER: kept[SEGMENTER]}, recipe.name)


def evaluate(pipeline: "SegmentationPipeline", exam: Exam) -> Judgement:
    """Measure the mean intersection over union, beside the commonest class everywhere."""
    names, ignored = pipeline.settings.description.classes, config_of(pipeline.settings.task).ignore
    _check_names(exam.source, names)
    common = _commonest(exam.own[0], ignored) if exam.own else None
    counts: list[np.ndarray] = []
    everywhere: list[np.ndarray] = []
    unknown = total = 0
    for part in exam.reals.parts(BATCH, exam.query.num or exam.query.reach(MOST_JUDGED)):
        truth, told = part["map"].numpy(), pipeline.told(part["image"]).numpy()
        unknown += int(((truth >= len(names)) & ~np.isin(truth, (*ignored, label_map.NOTHING))).sum())
        total += truth.size
        for one, answer in zip(truth, told, strict=True):
            counts.append(confusion(one, answer, len(names), ignored))
            if common is not None:
                everywhere.append(confusion(one, np.full_like(one, common), len(names), ignored))
    found = segmentation_measures(counts, names, exam.query.seed)
    baselines: tuple[BaselineResult, ...] = ()
    if everywhere:
        theirs = segmentation_measures(everywhere, names, exam.query.seed)
        baselines = (
            BaselineResult("this model", None, None, found[:2]),
            BaselineResult("commonest class", None, None, theirs[:2]),
        )
    notes = image_dataset.conversions(exam.source, pipeline.settings.description)
    if unknown:
        notes += (f"{unknown / total:.2%} of the pixels have numbers that the model does not know; they do not count.",)
    return Judgement(found, baselines=baselines, notes=notes)


def _check_names(source: Source | None, names: tuple[str, ...]) -> None:
    """Refuse maps whose classes are named, and named otherwise than those of the model."""
    theirs = tuple(source.classes) if source else ()
    named = not all(name.isdecimal() for name in names)
    if theirs and named and theirs != names:
        raise ValueError(
            f"The classes of the label maps ({', '.join(theirs[:5])}, ...) are not those of the model "
            f"({', '.join(names[:5])}, ...), in the same order; give maps that are numbered as it learned."
        )


def _commonest(samples: Samples, ignored: tuple[int, ...]) -> int:
    """Find the class that most pixels have, by some maps from all over."""
    maps = (part["map"].numpy() for part in samples.parts(BATCH, MOST_LOOKED_AT))
    return commonest_class(maps, (*ignored, label_map.NOTHING))


def example() -> Recipe:
    """Give a tiny segmenter of the embedded shapes."""
    return example_recipe(
        Choice(name="segmentation"),
        data=RecipeData(source="shapes", size=16, channels=3),
        network=Choice(name="unet", width=4, depth=2),
        optimizer={SEGMENTER: Optimizer(learning_rate=3e-2)},
    )


def _chosen(config: Config, description: Description) -> Chosen:
    """Choose the augmentations for so many channels; ValueError for one that maps cannot follow."""
    channels = description.shape[0]
    usual = {name: strength for name, strength in USUAL.items() if channels >= 3 or name != "saturation"}
    chosen = choose_kinds(usual if config.kinds == "auto" else config.kinds, channels)
    return list(followed(chosen))


pipeline_class = SegmentationPipeline
