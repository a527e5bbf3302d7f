"""What clips that are learned from are brought to: size, channels, frames a second, and how many frames."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field as Constraint

from gannet.adversarial.discriminator_augment import Augment, choose_augment
from gannet.augmentation.clips import FOLDED
from gannet.data import image_dataset
from gannet.data.records import Source
from gannet.data.survey import count_learned, readable
from gannet.media import clip
from gannet.media.clip import ClipField, Options
from gannet.media.medium import Field, Medium
from gannet.recipe import Data, Optimizer, Recipe
from gannet.schedule import total_images
from gannet.schema import Choice, Section, known_keys
from gannet.tasks._video.game import PLAYERS

LEARNED_AT_MOST = 5_000
"""Clips that are counted at most."""
MEDIA: Mapping[str, Medium] = {"real": clip.medium}
"""What a sample holds."""


class Description(image_dataset.Description):
    """What the clips are: their shape is (c, t, h, w).

    Attributes:
        rate: frames a second.
    """

    rate: Annotated[float, Constraint(gt=0)]


def media(recipe: Recipe) -> Mapping[str, Medium]:
    """Name the samples: clips."""
    return MEDIA


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size, channels and frames a second, by looking at some clips where the recipe leaves them open."""
    field = clip.medium.choose(readable(source), recipe.data.checked(Options))
    length, height, width, channels = field.given
    return Description(
        name=Path(source.name).name,
        shape=(channels, length, height, width),
        rate=field.rate,
        classes=tuple(source.classes),
        pictures=count_learned(source, LEARNED_AT_MOST) if recipe.augment.name == "auto" else None,
    )


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Say what clips are brought to."""
    return {"real": _field(recipe.data.checked(Options), description)}


def _field(options: Options, description: Description) -> ClipField:
    channels, length, *sides = description.shape
    return clip.medium.field((sides[0], sides[1]), channels, description.rate, length, options.fit)


def chosen_data(recipe: Recipe, description: Description) -> Data:
    """Write the chosen size, rate, channels and length into the recipe's data, and every other key with its value."""
    channels, length, size, _ = description.shape
    options = recipe.data.checked(Options).model_dump()
    chosen = {"size": size, "channels": channels, "rate": description.rate, "length": length}
    return recipe.data.with_options(**{**options, **chosen})


def resolved(recipe: Recipe, description: Description, task: Section, network: Any) -> Recipe:
    """Write the chosen size, rate, channels, widths and augmentation into a recipe.

    Args:
        task: its checked keys.
        network: the choice of networks, a dataclass, as it is for these clips.
    """
    known_keys(recipe.optimizer, PLAYERS, "optimizer")
    augment = augment_of(recipe, description)
    updates: dict[str, Any] = {
        "task": Choice(name=recipe.task.name, **task.model_dump(mode="json")),
        "data": chosen_data(recipe, description),
        "network": Choice(name=recipe.network.name, **asdict(network)),
        "augment": Choice(name=augment.name, **asdict(augment)),
        "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in PLAYERS},
    }
    return recipe.model_copy(update=updates)


def augment_of(recipe: Recipe, description: Description) -> Augment:
    """Say how the discriminators see clips; of what is chosen by itself only what does the same to all frames."""
    return choose_augment(
        recipe.augment,
        description.shape[0],
        total_images(recipe),
        description.pictures,
        lambda kind: kind.sort in FOLDED,
    )
