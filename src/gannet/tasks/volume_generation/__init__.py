"""Volume generation: new scans like those in the data, from noise, with the label of each voxel where data have labels.

The data are volumes (NIfTI), alone or in pairs: scans in `images/` and label volumes of the same names in `labels/`.
One generator makes a volume and its labels together, so that what is made can train a segmenter; the discriminator sees
both at once. Scans are few: augmentation of what the discriminator sees, and LeCam's regularizer, are part of the
recipe. What is made is synthetic, says so, and is not for diagnosis. The generator's running average is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gannet.adversarial.discriminator_augment import AUGMENTS, Augment, choose_augment
from gannet.adversarial.game import Game, Observer
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import DISCRIMINATOR, GENERATOR
from gannet.augmentation.volumes import is_usual
from gannet.data.loader import Samples, Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.data.sources import holds_parts
from gannet.data.survey import count_learned, readable
from gannet.media import image, label_volume, volume
from gannet.media.label_map import coloured
from gannet.media.medium import Field, Medium, Shown
from gannet.media.volume import Options, VolumeField, middle_planes
from gannet.monitoring.audit import Audit, Exhibits
from gannet.monitoring.referee import Referee, Rule
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.samples import latents
from gannet.recipe import Data as RecipeData
from gannet.recipe import LeCam, Loss, Optimizer, Penalty, Recipe
from gannet.schedule import total_images
from gannet.schema import Choice, check, known_keys
from gannet.task import example_recipe
from gannet.tasks.volume_generation.evaluation import evaluate
from gannet.tasks.volume_generation.game import build_game, drawn_by, scored_by, seen_together
from gannet.tasks.volume_generation.pipeline import (
    LABELS,
    NETWORKS,
    VOLUME,
    Config,
    Description,
    Settings,
    VolumeGenerationPipeline,
    choose_network,
)
from gannet.tasks.volume_generation.regions import regions_of, usual_pieces

AUDITED, ON_SHEETS, PART, FEW_VOLUMES, COUNTED = 64, 8, 8, 5_000, 32
"""Volumes that the referee looks at, that a sheet shows, that are drawn at once, that are counted at most, and in which
the pieces of regions are."""
MOST_AUDITED, FEWEST_AUDITED = 1 << 26, 8
"""Values of all volumes that the referee looks at, with a channel a region: 256 MiB a set, and twice that where
distances are taken; at least so many volumes, whatever their size."""
PLAYERS = (GENERATOR, DISCRIMINATOR)
ALONE: Mapping[str, Medium] = {VOLUME: volume.medium}
PAIRED: Mapping[str, Medium] = {VOLUME: volume.medium, LABELS: label_volume.medium}

__all__ = ["Config", "Data", "Settings", "VolumeGenerationPipeline", "evaluate"]

judged_by = "referee/energy_distance"
Data = Options
choices = {"network": NETWORKS, "augment": AUGMENTS}
pipeline_class = VolumeGenerationPipeline


def media(recipe: Recipe) -> Mapping[str, Medium]:
    """Name the parts of a sample: a volume, and its labels where they are wanted."""
    wanted = _config(recipe).labels
    if wanted == "auto":
        names = [one.source for one in recipe.data.sources] or [recipe.data.source]
        wanted = all(holds_parts(name, PAIRED) for name in names)
    return PAIRED if wanted else ALONE


def labels(recipe: Recipe) -> Labels:
    """Need classes where one is asked for."""
    return Labels.NEEDED if _config(recipe).conditional else Labels.UNUSED


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose the size, by looking at some volumes where the recipe leaves it open, and find the regions of labels."""
    paired, name = LABELS in media(recipe), Path(source.name).name
    if _config(recipe).conditional and (paired or not source.classes):
        raise ValueError(
            f"task.conditional needs volumes whose classes are sub-folders, and {name} has "
            f"{'pairs, which have none' if paired else 'none'}; set task.conditional=false"
            f"{', or task.labels=false and give such volumes' if paired else ''}."
        )
    field = volume.medium.choose(readable(source), recipe.data.checked(Options))
    regions = regions_of(source, _config(recipe).regions) if paired else ()
    holes, pieces = _pieces(recipe, source, field, regions)
    return Description(
        name=name,
        shape=field.given,
        spacing=field.spacing,
        classes=() if paired else tuple(source.classes),
        pictures=count_learned(source, FEW_VOLUMES) if recipe.augment.name == "auto" else None,
        regions=regions,
        names=_names(regions, source.classes),
        pieces=pieces,
        holes=holes,
    )


def _pieces(
    recipe: Recipe, source: Source, like: VolumeField, regions: tuple[int, ...]
) -> tuple[int | None, tuple[int, ...]]:
    """Tell how many holes there are, and pieces each region but the first has, by a few label volumes as they are
    learned from."""
    if _config(recipe).pieces == "any":
        return None, (0,) * len(regions[1:])
    across, deep, high = like.given[1:]
    field = label_volume.medium.field((across, deep, high), recipe.data.checked(Options))
    volumes = readable(source, 1, COUNTED) if regions else iter(())
    return usual_pieces((label_volume.medium.fit(one, field) for one in volumes), regions[1:])


def _names(regions: tuple[int, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """Name the regions, by what the data call them where they do."""
    return tuple(known[number] if number < len(known) else str(number) for number in regions)


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Say what volumes and labels are brought to: the same size, in the same way."""
    across, deep, high = description.shape[1:]
    size, options, spacing = (across, deep, high), recipe.data.checked(Options), description.spacing
    of_labels = label_volume.medium.field(size, options, spacing, known=description.regions)
    return {VOLUME: volume.medium.field(size, options, spacing), **({LABELS: of_labels} if description.regions else {})}


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, width, augmentation, and whether there are labels, into the recipe."""
    known_keys(recipe.optimizer, PLAYERS, "optimizer")
    augment, network = _augment(recipe, description), choose_network(recipe.network).sized(description.made)
    learned = {"labels": bool(description.regions), "regions": description.regions or "auto"}
    config = _config(recipe).model_copy(update=learned)
    updates: dict[str, Any] = {
        "task": Choice(name=recipe.task.name, **config.model_dump(mode="json")),
        "data": recipe.data.with_options(**_brought(recipe, description).model_dump(mode="json")),
        "network": Choice(name=recipe.network.name, **asdict(network)),
        "augment": Choice(name=augment.name, **asdict(augment)),
        "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in PLAYERS},
    }
    return recipe.model_copy(update=updates)


def _brought(recipe: Recipe, description: Description) -> Options:
    """Say how volumes are brought to size, once that is chosen."""
    across, deep, high = description.shape[1:]
    return recipe.data.checked(Options).model_copy(update={"size": (across, deep, high)})


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape, regions by their numbers, and whether it draws labels and classes."""
    regions = config.description.regions
    kept = {"labels": bool(regions), "regions": list(regions) or "auto", "conditional": config.conditional}
    return recipe.model_copy(
        update={
            "task": Choice(name=recipe.task.name, **{**recipe.task.options, **kept}),
            "network": config.network,
            "data": recipe.data.with_options(**config.data.model_dump(mode="json")),
        }
    )


def game(recipe: Recipe, description: Description) -> Game:
    """Build the generator, the discriminator and their turns."""
    classes = len(description.classes) if _config(recipe).conditional else 0
    network, shape = choose_network(recipe.network), description.made
    players = network.generator(shape, classes), network.discriminator(shape, classes)
    view = _augment(recipe, description).view(find_loss(recipe.loss.name))
    return build_game(recipe, *players, view, description.regions)


def _augment(recipe: Recipe, description: Description) -> Augment:
    """How the discriminator sees volumes: by itself only shifted, and brighter or darker."""
    return choose_augment(
        recipe.augment, description.shape[0], total_images(recipe), description.pictures, suits=is_usual
    )


def observers(
    recipe: Recipe, description: Description, played: Game, model: Pipeline, samples: Sides
) -> dict[str, Observer]:
    """Appoint the referee, who looks at held-out volumes with their labels."""
    rule = Rule(recipe.referee.window, recipe.referee.share, recipe.referee.every)
    loss, count = find_loss(recipe.loss.name), min(audited(description), *map(len, samples))
    conditional = _config(recipe).conditional
    training, held_out = (_exhibits(side, count, description, conditional) for side in samples)
    draw, score = _drawn_for(model.networks[GENERATOR], count), scored_by(played.networks[DISCRIMINATOR])
    audit = Audit(draw, lambda sample, exhibits: score(*_placed(sample, exhibits)), loss, training, held_out)
    return {"referee": Referee(rule, loss, audit, {"batch": recipe.batch, "conditional": conditional})}


def audited(description: Description) -> int:
    """Give at how many volumes the referee looks: fewer of large ones, which are held side by side."""
    return min(AUDITED, max(FEWEST_AUDITED, MOST_AUDITED // prod(description.made)))


def _exhibits(samples: Samples, count: int, description: Description, conditional: bool) -> dict[str, Tensor]:
    """Give volumes of all that there are as the discriminator sees them, with their classes where one is asked for."""
    shown = samples.spread(count)
    classes = {"label": shown["label"]} if conditional else {}
    return {VOLUME: seen_together(description.regions)(shown), **classes}


def _drawn_for(generator: nn.Module, count: int) -> Callable[[Exhibits], Tensor]:
    """Draw fakes of the classes of exhibits, from the same noise at every look, some at a time."""
    noise, draw = latents(generator, seed=0, first=0, count=count), drawn_by(generator)

    def drawn(exhibits: Exhibits) -> Tensor:
        device, label = next(generator.parameters()).device, exhibits.get("label")
        classes = [None] * count if label is None else list(label.to(device).split(PART))
        return torch.cat([draw(*parts) for parts in zip(noise.to(device).split(PART), classes, strict=False)])

    return drawn


def _placed(sample: Tensor, exhibits: Exhibits) -> tuple[Tensor, Tensor | None]:
    """Give samples and their classes, where they have any, on one device."""
    label = exhibits.get("label")
    return sample, None if label is None else label.to(sample.device)


def sheet(
    recipe: Recipe, description: Description, model: VolumeGenerationPipeline, samples: Sides
) -> Callable[[], Shown]:
    """Show the middle planes of volumes of the same latent vectors, and of their labels below them."""

    def look() -> Shown:
        drawn = model(num=ON_SHEETS)
        planes = middle_planes(drawn.values).expand(-1, -1, 3, -1, -1)
        if LABELS in drawn.further:
            numbers = middle_planes(drawn.further[LABELS].together()[:, None], 0)
            told = coloured(numbers.flatten(0, 2)).unflatten(0, numbers.shape[:2])
            planes = torch.cat([planes, told], 3)
        return Shown(image.medium, torch.cat(tuple(planes.unbind(1)), 3), drawn.facts)

    return look


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> VolumeGenerationPipeline:
    """Wrap the averaged generator."""
    config = Settings(
        description=description,
        network=recipe.network,
        conditional=_config(recipe).conditional,
        data=_brought(recipe, description),
    )
    return VolumeGenerationPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def example() -> Recipe:
    """Give a tiny game on the embedded ellipsoids."""
    return example_recipe(
        Choice(name="volume-generation"),
        data=RecipeData(source="ellipsoids", size=[12, 8, 12], spacing=4.0, limit=64),
        network=Choice(name="volumes", width=4, latent=8),
        loss=Loss(r1=Penalty(weight=0.1, every=4), lecam=LeCam()),
        augment=Choice(name="ada", target=-1.0, climb=256),
    )


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")
