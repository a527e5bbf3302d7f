"""Semantic synthesis: a map of classes, drawn in any program, becomes a picture.

The data are pairs, as for segmentation: pictures in `images/` and label maps of the same names in `labels/`. A
generator whose layers are ruled by the map plays against a discriminator that tells the class of each pixel, or a fake
(OASIS; Schonfeld et al., 2021). Each class is painted in a style, which is seen in true pictures while it learns. In
the stage `small` pictures are painted at half the size.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Observer
from gannet.adversarial.similarity import perceptual_distance
from gannet.data import image_dataset
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.media import image, label_map
from gannet.media.medium import Shown
from gannet.metrics.baseline_comparison import BaselineResult, judge_briefly
from gannet.metrics.features import Features, extract
from gannet.metrics.judgement import Evidence, Judgement, judge_samples
from gannet.monitoring.periodic import Periodic
from gannet.networks.painting import STRIDE
from gannet.recipe import Data as RecipeData
from gannet.recipe import Loss, Optimizer, Penalty, Recipe, Stage
from gannet.schema import Choice, known_keys
from gannet.task import Exam, example_recipe
from gannet.tasks._image_restoration import perceptual_network
from gannet.tasks._image_restoration.config import LOSS_NETWORK
from gannet.tasks.segmentation import describe_pairs, fields, labels, media
from gannet.tasks.semantic_synthesis.config import (
    GENERATOR,
    NETWORKS,
    Config,
    PaintedDescription,
    PaintingNetwork,
    Settings,
    build_network,
    choice_of,
    config_of,
)
from gannet.tasks.semantic_synthesis.drawing import voc_palette
from gannet.tasks.semantic_synthesis.game import DISCRIMINATOR, SMALL, build_game, mean_colours
from gannet.tasks.semantic_synthesis.pipeline import PaintingPipeline

SHOWN, ON_SHEETS, PART = 32, 8, 8
MOST_JUDGED = 1_000

__all__ = ["Config", "Data", "PaintingPipeline", "Settings", "fields", "labels", "media"]

judged_by = "held_out/perceptual"
Data = image.Options
choices = {"network": NETWORKS}
pipeline_class = PaintingPipeline


def describe(recipe: Recipe, source: Source) -> PaintedDescription:
    """Choose the size, count the classes, and name the colours that maps are drawn in."""
    config = config_of(recipe.task)
    found = describe_pairs(recipe, source, config.classes, config.ignore)
    channels, *sides = found.shape
    if channels != 3 or any(side % STRIDE for side in sides):
        raise ValueError(
            f"Pictures are painted in colour, of sides that are multiples of {STRIDE}, not {channels} channels of "
            f"{sides[1]}x{sides[0]}; set data.channels=3 and data.size."
        )
    palette = config.palette or tuple(getattr(source, "palette", ())) or voc_palette(len(found.classes))
    if len(palette) != len(found.classes):
        raise ValueError(f"task.palette has {len(palette)} colours for {len(found.classes)} classes; give one a class.")
    return PaintedDescription(**dict(found), palette=palette)


def resolve(recipe: Recipe, description: PaintedDescription) -> Recipe:
    """Write the chosen size and classes into the recipe."""
    if recipe.augment.name != "none" or recipe.loss.r2 or recipe.loss.gradient_penalty or recipe.loss.lecam:
        raise ValueError(f"{recipe.task.name} knows of loss only r1, and no augment; leave the others out.")
    players = (GENERATOR, DISCRIMINATOR)
    known_keys(recipe.optimizer, players, "optimizer")
    config = config_of(recipe.task).model_copy(
        update={"classes": len(description.classes), "palette": description.palette}
    )
    return recipe.model_copy(
        update={
            "task": Choice(name=recipe.task.name, **config.model_dump(mode="json")),
            "data": image_dataset.resolved_data(recipe, description),
            "network": Choice(name=recipe.network.name, **asdict(choice_of(recipe.network))),
            "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in players},
        }
    )


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape and classes, so that its weights fit."""
    kept = {key: config.task.options[key] for key in ("classes", "ignore", "style", "palette")}
    task = Choice(name=recipe.task.name, **{**config.task.options, **recipe.task.options, **kept})
    data = image_dataset.adopted_data(recipe, config.description)
    return recipe.model_copy(update={"network": config.network, "task": task, "data": data})


def game(recipe: Recipe, description: PaintedDescription) -> Game:
    """Build the generator, the discriminator and their turns."""
    config, classes = config_of(recipe.task), len(description.classes)
    network = build_network(recipe.network, classes, config.style)
    return build_game(recipe, config, network, classes)


def observers(
    recipe: Recipe, description: PaintedDescription, played: Game, model: PaintingPipeline, samples: Sides
) -> dict[str, Observer]:
    """Look how near held-out pictures it comes in their own style."""
    shown = samples[1].spread(SHOWN)

    @torch.no_grad()
    def look() -> dict[str, float]:
        made = _in_own_style(model, shown)
        near = perceptual_distance(made, shown["image"], perceptual_network(LOSS_NETWORK))
        return {"perceptual": float(near.mean()), "error": float((made - shown["image"]).abs().mean())}

    return {"held_out": Periodic(look, recipe.referee.every)}


def _in_own_style(model: PaintingPipeline, shown: Mapping[str, Tensor]) -> Tensor:
    """Paint maps in the style of their true pictures, some at a time."""
    made = []
    for picture, told in zip(shown["image"].split(PART), shown["map"].split(PART), strict=True):
        noise = [model._noise(told.shape[1:], number) for number in range(len(told))]
        drawn = [torch.cat(parts) for parts in zip(*noise, strict=True)]
        made.append(model.painted(told, drawn=(model.seen(picture, told)[0], drawn[0], drawn[1])))
    return torch.cat(made)


def sheet(
    recipe: Recipe, description: PaintedDescription, model: PaintingPipeline, samples: Sides
) -> Callable[[], Shown]:
    """Show held-out maps, their true pictures, what it paints in their style, and in a style of its own."""
    shown = samples[1].spread(ON_SHEETS)

    def look() -> Shown:
        made = [_in_own_style(model, shown), model.painted(shown["map"])]
        columns = [label_map.coloured(shown["map"]), shown["image"], *made]
        return Shown(image.medium, torch.cat(columns, 2), {"model": model.name})

    return look


def pipeline(recipe: Recipe, description: PaintedDescription, kept: dict[str, nn.Module]) -> PaintingPipeline:
    """Wrap the averaged network."""
    task = Choice(name=recipe.task.name, **recipe.task.options)
    settings = Settings(description=description, network=recipe.network, task=task)
    return PaintingPipeline(settings, dict(kept), recipe.name)


def evaluate(pipeline: PaintingPipeline, exam: Exam) -> Judgement:
    """Compare what is painted of held-out maps with true pictures, beside the mean colour of each class."""
    features, query = exam.features, exam.query
    if features is None:
        raise ValueError("Painted pictures are judged by the features of judge-v1, which is not here; install it.")
    most = query.num or query.reach(MOST_JUDGED)
    real, fake = (_extracted(features, pipeline, exam, most, painted) for painted in (False, True))
    evidence = Evidence(real=real, fake=fake, training=None, features=features.name)
    found = judge_samples(evidence, query.seed)
    ours = BaselineResult("this model", None, None, judge_briefly(real, fake, features.name, query.seed))
    flat = _flat(features, pipeline, exam, most)
    theirs = BaselineResult("mean colour", None, None, judge_briefly(real, flat, features.name, query.seed))
    notes = image_dataset.conversions(exam.source, pipeline.settings.description)
    return Judgement(found.measures, baselines=(ours, theirs), notes=notes)


def _extracted(features: Features, pipeline: PaintingPipeline, exam: Exam, most: int, painted: bool) -> Tensor:
    """Give the features of true pictures, or of what is painted of their maps."""

    def part(sample: Mapping[str, Any], number: int) -> Tensor:
        return pipeline.painted(sample["map"], exam.query.seed + number * PART) if painted else sample["image"]

    parts = enumerate(exam.reals.parts(PART, most))
    return extract(features, [partial(part, sample, number) for number, sample in parts])


def _flat(features: Features, pipeline: PaintingPipeline, exam: Exam, most: int) -> Tensor:
    """Give the features of maps that are filled with the mean colour of each class."""
    samples = list(exam.reals.parts(PART, most))
    shares = [pipeline.class_shares(sample["map"]).cpu() for sample in samples]
    filled = mean_colours(torch.cat([sample["image"] for sample in samples]), torch.cat(shares))
    return extract(features, [partial(lambda values: values, one) for one in filled.split(PART)])


def example() -> Recipe:
    """Give a tiny painter of the embedded shapes, in both sizes."""
    return example_recipe(
        Choice(name="semantic-synthesis", discriminator_width=4),
        data=RecipeData(source="shapes", size=32, channels=3),
        network=Choice(name="clade", width=2, latent=8),
        loss=Loss(r1=Penalty(weight=0.1, every=4)),
        stages=(Stage(name=SMALL, images=256), Stage(name="large", images=256)),
        optimizer={
            GENERATOR: Optimizer(learning_rate=1e-3, betas=(0.0, 0.99)),
            DISCRIMINATOR: Optimizer(learning_rate=1e-3, betas=(0.0, 0.99)),
        },
    )


__all__ += ["PaintingNetwork"]
