"""Video prediction: what comes after a still, or after the last frames of a film; several futures, by noise.

The data are films, animations or folders of numbered pictures, as for video generation. A network is given the first
frames of clips, tells apart what will move, and moves it over what stands still, on paths that noise chooses (after
Vondrick et al., 2016, section "Future generation"). First it learns to come near what came, then also against a
discriminator of clips, which sees given and following frames together, and one of frames. The given frames stay as
they are.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gannet.adversarial.discriminator_augment import AUGMENTS
from gannet.adversarial.game import Game, Observer
from gannet.adversarial.losses import find_loss
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.media.clip import ClipMedium, Options
from gannet.media.medium import Shown
from gannet.monitoring.periodic import Periodic
from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Data as RecipeData
from gannet.recipe import Loss, Penalty, Recipe, Stage
from gannet.schema import Choice, check
from gannet.task import example_recipe
from gannet.tasks._video import data
from gannet.tasks._video.data import Description, augment_of, chosen_data, fields, media
from gannet.tasks._video.game import CLIP, FRAME, GENERATOR
from gannet.tasks.video_prediction.config import NETWORKS, Config, Settings, choose_network
from gannet.tasks.video_prediction.evaluation import evaluate
from gannet.tasks.video_prediction.game import GAME, build_game, clip_distance, parts_of
from gannet.tasks.video_prediction.pipeline import VideoPredictionPipeline

LOOKED_AT, ON_SHEETS = 16, 8
"""Held-out clips that a run is watched by, and those that a sheet shows."""

__all__ = ["Config", "Data", "Settings", "VideoPredictionPipeline", "evaluate", "fields", "media"]

judged_by = "held_out/nearest"
Data = Options
choices = {"network": NETWORKS, "augment": AUGMENTS}
pipeline_class = VideoPredictionPipeline


def labels(recipe: Recipe) -> Labels:
    """Pass classes over."""
    return Labels.UNUSED


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size, channels and frames a second, by looking at some clips where the recipe leaves them open."""
    description, given = data.describe(recipe, source), _config(recipe).given
    length = description.shape[1]
    if given >= length:
        raise ValueError(
            f"task.given is {given} and data.length {length}: nothing would be left to predict; give fewer frames, or "
            "take longer clips."
        )
    return description.model_copy(update={"classes": ()})


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, rate, channels, widths and augmentation into the recipe."""
    network = choose_network(recipe.network).sized(description.shape)
    return data.resolved(recipe, description, _config(recipe), network)


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape, rate and given frames, so that its weights fit."""
    options = check(Config, {**recipe.task.options, "given": config.given}, "task")
    task = Choice(name=recipe.task.name, **options.model_dump(mode="json"))
    kept = chosen_data(recipe, config.description).with_options(fit=config.fit)
    return recipe.model_copy(update={"task": task, "network": config.network, "data": kept})


def game(recipe: Recipe, description: Description) -> Game:
    """Build the generator, the discriminators of clips and of frames, and the turns of both stages."""
    network, shape, config = choose_network(recipe.network), description.shape, _config(recipe)
    networks: dict[str, nn.Module] = {
        GENERATOR: network.generator(shape, config.given),
        CLIP: network.discriminator(shape),
        FRAME: network.frame_discriminator(shape),
    }
    view = augment_of(recipe, description).view(find_loss(recipe.loss.name), CLIP)
    return build_game(recipe, networks, view, config)


def observers(
    recipe: Recipe, description: Description, played: Game, model: VideoPredictionPipeline, samples: Sides
) -> dict[str, Observer]:
    """Look how far the first future, and the nearest of some, lies from what came in held-out clips."""
    frames, future = parts_of(samples[1].spread(LOOKED_AT)["real"], model.settings.given)
    draws = _config(recipe).draws

    def look() -> dict[str, float]:
        made = [[_apart(model, frames, future, row, number) for number in range(draws)] for row in range(len(frames))]
        apart = torch.tensor(made)
        return {"error": float(apart[:, 0].mean()), "nearest": float(apart.amin(1).mean())}

    return {"held_out": Periodic(look, recipe.referee.every)}


def _apart(model: VideoPredictionPipeline, frames: Tensor, future: Tensor, row: int, number: int) -> float:
    """Tell how far one future of a clip is from what came."""
    made = model.future(frames[row : row + 1], 0, number).clip()
    return float(clip_distance(made, future[row : row + 1]))


def sheet(
    recipe: Recipe, description: Description, model: VideoPredictionPipeline, samples: Sides
) -> Callable[[], Shown]:
    """Show held-out clips, each above its future as the model tells it."""
    clips = samples[1].spread(ON_SHEETS)["real"]
    frames, _ = parts_of(clips, model.settings.given)

    def look() -> Shown:
        made = torch.cat([model.clip(one[None], 0, 0) for one in frames])
        shown = torch.stack([clips, made], 1).flatten(0, 1)
        return Shown(ClipMedium(description.rate), shown, {"model": model.name, "seed": 0})

    return look


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> Pipeline:
    """Wrap the averaged generator."""
    fit = recipe.data.checked(Options).fit
    config = Settings(description=description, network=recipe.network, given=_config(recipe).given, fit=fit)
    return VideoPredictionPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def example() -> Recipe:
    """Give a tiny game on the embedded moving digits."""
    return example_recipe(
        Choice(name="video-prediction", given=2, draws=2),
        data=RecipeData(source="moving-digits", size=8, channels=3, rate=25, length=4, limit=64),
        network=Choice(name="moving-layers", width=4, latent=4, parts=2, discriminator_width=2),
        loss=Loss(r1=Penalty(weight=0.1, every=4), update="shared"),
        stages=(Stage(name="pixel", images=256), Stage(name=GAME, images=256)),
    )


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")
