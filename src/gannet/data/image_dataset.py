"""Data sets of pictures of one size, with classes or without: what every task that learns from pictures shares."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field as Constraint

from gannet.augmentation.amount import FEW_PICTURES
from gannet.data.records import Source
from gannet.data.survey import count_learned, survey
from gannet.media.image import Options, medium
from gannet.media.medium import Field, Medium
from gannet.recipe import Data, Recipe
from gannet.schema import Positive, Section

MEDIA: Mapping[str, Medium] = {"real": medium}
"""What a sample holds."""


class Description(Section):
    """What the samples are.

    Attributes:
        name: the data's name, without a path.
        shape: of one sample: (c, h, w) for pictures in [-1, 1], (d,) for points.
        classes: the names of the classes, empty when there are none.
        pictures: how many there are, where something is to be chosen by that; not saved.
    """

    name: str
    shape: tuple[Positive, ...]
    classes: tuple[str, ...] = ()
    pictures: int | None = Constraint(default=None, exclude=True)

    @property
    def pictured(self) -> bool:
        """Whether they are pictures, and not points."""
        return len(self.shape) == 3


def options_of(recipe: Recipe) -> Options:
    """Check the keys of `data` that say how pictures are brought to size."""
    return recipe.data.checked(Options)


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size and channels, from a survey of the data where the recipe leaves them open."""
    options = options_of(recipe)
    if "auto" in (options.size, options.channels):
        options = options.chosen(survey(source))
    assert options.channels != "auto", "chosen now"
    return Description(
        name=Path(source.name).name,
        shape=(options.channels, *options.sides),
        classes=tuple(source.classes),
        pictures=count_learned(source, recipe.data.limit or FEW_PICTURES) if recipe.augment.name == "auto" else None,
    )


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Say what pictures are brought to."""
    channels, height, width = description.shape
    return {name: medium.field(height, width, channels, options_of(recipe).fit) for name in MEDIA}


def resolved_data(recipe: Recipe, description: Description) -> Data:
    """Write the chosen size and channels into the recipe's data, and every other key with its value."""
    return recipe.data.with_options(**{**options_of(recipe).model_dump(), **_chosen(description)})


def adopted_data(recipe: Recipe, description: Description) -> Data:
    """Take over the size and channels of pictures that a model learned from."""
    return recipe.data.with_options(**_chosen(description))


def _chosen(description: Description) -> dict[str, object]:
    channels, height, width = description.shape
    return {"channels": channels, "size": height if height == width else (height, width)}


def conversions(source: Source | None, description: Description) -> tuple[str, ...]:
    """Say what was done to data that were given, so that they are like the model's own."""
    if source is None or len(description.shape) != 3:
        return ()
    looked, (channels, *sides) = survey(source), description.shape
    if (looked.median_side, looked.channels) == (min(sides), channels):
        return ()
    kinds = {1: "grey", 3: "colour", 4: "colour with transparency"}
    size = str(sides[0]) if sides[0] == sides[1] else f"{sides[1]}x{sides[0]}"
    there, here = kinds.get(looked.channels, ""), kinds.get(channels, "")
    return (f"The data, about {looked.median_side} pixels a side in {there}, were brought to {size} in {here}.",)
