"""What holds after so many images: pure functions of a recipe and the images seen."""

from dataclasses import dataclass

from gannet.recipe import Average, Recipe, Stage

FIRST_ROUNDS = 3
"""Rounds of each stage whose updates are measured."""


@dataclass(frozen=True)
class Position:
    """Where in the run a round lies: its stage, and how many images the stage's end is at."""

    stage: Stage
    ends_at: int


def stages(recipe: Recipe) -> tuple[Stage, ...]:
    """Give the recipe's stages; one that lasts the whole run when it names none."""
    return recipe.stages or (Stage(name="train", images=recipe.images),)


def total_images(recipe: Recipe) -> int:
    """Tell how many images the run is shown in all."""
    return sum(stage.images for stage in stages(recipe))


def position(recipe: Recipe, images: int) -> Position:
    """Give the stage that the round beginning at `images` belongs to; the last one after the end."""
    end = 0
    for stage in stages(recipe):
        end += stage.images
        if images < end:
            return Position(stage, end)
    return Position(stages(recipe)[-1], end)


def cut_short(recipe: Recipe, images: int) -> Recipe:
    """Give the recipe of the run that a budget ended after so many images."""
    kept, left = [], images
    for stage in recipe.stages:
        if left > 0:
            kept.append(stage.model_copy(update={"images": min(stage.images, left)}))
            left -= stage.images
    return recipe.model_copy(update={"images": images, "minutes": None, "stages": tuple(kept)})


def crossed(before: int, after: int, every: int) -> bool:
    """Tell whether a multiple of `every` lies in (before, after]."""
    return before // every != after // every


def measures_updates(recipe: Recipe, images: int) -> bool:
    """Tell whether the round beginning at `images` is one whose updates are measured.

    These are those that the referee looks at, and the first few of each stage, where Adam steps by its whole rate;
    behind a layer that starts at zero nothing moves in the very first.
    """
    here = position(recipe, images)
    into_the_stage = images - (here.ends_at - here.stage.images)
    return into_the_stage < FIRST_ROUNDS * recipe.batch or crossed(images, images + recipe.batch, recipe.referee.every)


def average_decay(average: Average, images: int, batch: int) -> float:
    """Give the share of the old average kept after a round of `batch` images ending at `images`.

    The half-life is in images and ramps up with them (Karras et al., 2020, "Analyzing and improving ...", appendix B).
    """
    half_life = min(average.half_life, average.ramp * images) if average.ramp else average.half_life
    return float(0.5 ** (batch / max(half_life, 1e-8)))
