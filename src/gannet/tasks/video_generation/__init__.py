"""Video generation: new clips like those in the data, from noise, optionally of a class that is asked for.

The data are films, animations or folders of numbered pictures. A generator in two streams draws what moves, what stands
still, and the mask of where which of them is seen (Vondrick et al., 2016); one discriminator looks at clips, another at
single frames. The mask is held small by a penalty whose weight grows over the first half of a run: full from the first
round on, it would press masks to nothing before there is anything to see in them. The generator's average is kept.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from gannet.adversarial.discriminator_augment import AUGMENTS
from gannet.adversarial.game import Game, Observer
from gannet.adversarial.losses import find_loss
from gannet.data.loader import Samples, Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.media.clip import ClipMedium, Options
from gannet.media.medium import Shown
from gannet.monitoring.audit import Audit, Exhibits
from gannet.monitoring.referee import Referee, Rule
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.samples import latents
from gannet.recipe import Data as RecipeData
from gannet.recipe import Loss, Penalty, Recipe
from gannet.schema import Choice, check
from gannet.task import example_recipe
from gannet.tasks._video import data
from gannet.tasks._video.data import Description, augment_of, chosen_data, fields, media
from gannet.tasks._video.game import CLIP, FRAME, GENERATOR
from gannet.tasks.video_generation.evaluation import evaluate
from gannet.tasks.video_generation.game import build_game
from gannet.tasks.video_generation.pipeline import (
    NETWORKS,
    Config,
    Settings,
    VideoGenerationPipeline,
    choose_network,
)

AUDITED, ON_SHEETS = 64, 16
"""Clips that the referee looks at, and that a sheet shows."""

__all__ = ["Config", "Data", "Settings", "VideoGenerationPipeline", "evaluate", "fields", "media"]

judged_by = "referee/energy_distance"
Data = Options
choices = {"network": NETWORKS, "augment": AUGMENTS}
pipeline_class = VideoGenerationPipeline


def labels(recipe: Recipe) -> Labels:
    """Need classes where one is asked for."""
    return Labels.NEEDED if _config(recipe).conditional else Labels.UNUSED


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size, channels and frames a second, by looking at some clips where the recipe leaves them open."""
    if _config(recipe).conditional and not source.classes:
        raise ValueError(
            f"{Path(source.name).name} has no labels, which task.conditional needs; put the clips of each class into a "
            "sub-folder of its own, or set task.conditional=false."
        )
    return data.describe(recipe, source)


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, rate, channels, width and augmentation into the recipe."""
    network = choose_network(recipe.network).sized(description.shape)
    return data.resolved(recipe, description, _config(recipe), network)


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape, rate and classes, so that its weights fit."""
    kept = {**recipe.task.options, "conditional": config.conditional}
    given = {"task": Choice(name=recipe.task.name, **check(Config, kept, "task").model_dump())}
    return recipe.model_copy(
        update={**given, "network": config.network, "data": chosen_data(recipe, config.description)}
    )


def game(recipe: Recipe, description: Description) -> Game:
    """Build the generator, the discriminators of clips and of frames, and their turns."""
    classes = len(description.classes) if _config(recipe).conditional else 0
    network, shape = choose_network(recipe.network), description.shape
    networks: dict[str, nn.Module] = {
        GENERATOR: network.generator(shape, classes),
        CLIP: network.discriminator(shape, classes),
        FRAME: network.frame_discriminator(shape, classes),
    }
    view = augment_of(recipe, description).view(find_loss(recipe.loss.name), CLIP)
    return build_game(recipe, networks, view, _config(recipe))


def observers(
    recipe: Recipe, description: Description, played: Game, model: Pipeline, samples: Sides
) -> dict[str, Observer]:
    """Appoint the referee, who watches the discriminator of clips and looks at held-out ones."""
    rule = Rule(recipe.referee.window, recipe.referee.share, recipe.referee.every)
    loss, count = find_loss(recipe.loss.name), min(AUDITED, *map(len, samples))
    training, held_out = (_exhibits(side, count, _config(recipe).conditional) for side in samples)
    draw = _drawn_for(model.networks[GENERATOR], count)
    audit = Audit(draw, _scored_by(played.networks[CLIP]), loss, training, held_out)
    facts = {"batch": recipe.batch, "conditional": _config(recipe).conditional}
    return {"referee": Referee(rule, loss, audit, facts, CLIP)}


def _exhibits(samples: Samples, count: int, conditional: bool) -> dict[str, Tensor]:
    """Give clips of all that there are, with their classes where those are asked for."""
    shown = samples.spread(count)
    return {name: shown[name] for name in ("real", *(["label"] if conditional else []))}


def _drawn_for(generator: nn.Module, count: int) -> Callable[[Exhibits], Tensor]:
    """Draw fakes of the classes of exhibits, from the same noise at every look, some at a time."""
    noise = latents(generator, seed=0, first=0, count=count)

    def draw(exhibits: Exhibits) -> Tensor:
        device, label = next(generator.parameters()).device, exhibits.get("label")
        labels = [None] * count if label is None else list(label.to(device).split(ON_SHEETS))
        parts = zip(noise.to(device).split(ON_SHEETS), labels, strict=False)
        return torch.cat([generator(part, told) for part, told in parts])

    return draw


def _scored_by(discriminator: nn.Module) -> Callable[[Tensor, Exhibits], Tensor]:
    """Score clips of the classes of exhibits."""

    def scores(sample: Tensor, exhibits: Exhibits) -> Tensor:
        device, label = next(discriminator.parameters()).device, exhibits.get("label")
        logits: Tensor = discriminator(sample.to(device), None if label is None else label.to(device))
        return logits

    return scores


def sheet(
    recipe: Recipe, description: Description, model: VideoGenerationPipeline, samples: Sides
) -> Callable[[], Shown]:
    """Show clips of the same latent vectors, all classes in turn."""

    def look() -> Shown:
        drawn = model(num=ON_SHEETS)
        return Shown(ClipMedium(description.rate), drawn.values, drawn.facts)

    return look


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> VideoGenerationPipeline:
    """Wrap the averaged generator."""
    config = Settings(description=description, network=recipe.network, conditional=_config(recipe).conditional)
    return VideoGenerationPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def example() -> Recipe:
    """Give a tiny game on the embedded moving digits."""
    return example_recipe(
        Choice(name="video-generation", conditional=True),
        data=RecipeData(source="moving-digits", size=8, channels=3, rate=25, length=4, limit=64),
        network=Choice(name="two-stream", width=2, latent=8),
        loss=Loss(r1=Penalty(weight=0.1, every=4)),
        augment=Choice(name="ada", target=-1.0, climb=256),
    )


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")
