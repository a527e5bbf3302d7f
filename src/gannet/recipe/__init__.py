"""A recipe: what to learn, from what, and how long. Plain data, frozen and validated; unknown keys are errors."""

from gannet.recipe.loading import dump_yaml, is_preset, load_recipe, parse_change, preset_names, recipe_origins, today
from gannet.recipe.sections import (
    Average,
    Checkpoints,
    Data,
    LeCam,
    Logging,
    Loss,
    Optimizer,
    Penalty,
    Recipe,
    RefereeSettings,
    Stage,
    Weighted,
    lengthened,
    stretched,
)

__all__ = [
    "Average",
    "Checkpoints",
    "Data",
    "LeCam",
    "Logging",
    "Loss",
    "Optimizer",
    "Penalty",
    "Recipe",
    "RefereeSettings",
    "Stage",
    "Weighted",
    "dump_yaml",
    "is_preset",
    "lengthened",
    "load_recipe",
    "parse_change",
    "preset_names",
    "recipe_origins",
    "stretched",
    "today",
]
