"""Generation: new samples like those in the data, from noise, optionally of a class that is asked for.

Two networks play the classic game: the generator makes samples, the discriminator tells them from real ones (Goodfellow
et al., 2014). The data are pictures of one size, or points in the plane. The generator's running average is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gannet.adversarial.discriminator_augment import AUGMENTS, Augment, choose_augment
from gannet.adversarial.game import Game, Observer
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import DISCRIMINATOR, GENERATOR
from gannet.data import image_dataset
from gannet.data.image_dataset import Description
from gannet.data.loader import Samples, Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.data.sources.points import POINTS
from gannet.media import points
from gannet.media.image import Options
from gannet.media.medium import Field, Medium, Shown
from gannet.monitoring.audit import Audit, Exhibits
from gannet.monitoring.referee import Referee, Rule
from gannet.monitoring.updates import Updates
from gannet.networks import PAIRS
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.samples import PLAIN, latents
from gannet.recipe import Data as RecipeData
from gannet.recipe import Loss, Optimizer, Penalty, Recipe
from gannet.schedule import total_images
from gannet.schema import Choice, Section, check, known_keys
from gannet.task import example_recipe
from gannet.tasks.generation.data_checks import inspect
from gannet.tasks.generation.evaluation import evaluate
from gannet.tasks.generation.pipeline import SHEET_SAMPLES, GenerationPipeline, Settings, choose_pair
from gannet.tasks.generation.players import build_game

AUDIT_SAMPLES = 256

__all__ = ["Config", "Data", "GenerationPipeline", "Settings", "evaluate"]

judged_by = "referee/energy_distance"
Data = Options
choices = {"network": PAIRS, "augment": AUGMENTS}


class Config(Section):
    """The keys of `task` for generation."""

    conditional: bool = False
    """Generate samples of a class that is asked for; needs labelled data."""


def media(recipe: Recipe) -> Mapping[str, Medium]:
    """Name the samples: pictures, or points where the data are a set of those."""
    names = [one.source for one in recipe.data.sources] or [recipe.data.source]
    return {"real": points.medium} if all(name in POINTS for name in names) else image_dataset.MEDIA


def labels(recipe: Recipe) -> Labels:
    """Need classes where one is asked for, else only look at them."""
    return Labels.NEEDED if _config(recipe).conditional else Labels.LOOKED_AT


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size and channels, from a survey of the data where the recipe leaves them open."""
    if media(recipe)["real"] is points.medium:
        return Description(name=source.name, shape=(2,))
    if _config(recipe).conditional and not source.classes:
        raise ValueError(
            f"{Path(source.name).name} has no labels, which task.conditional needs; put the pictures of each class "
            "into a sub-folder of its own, give (pictures, labels) in Python, or set task.conditional=false."
        )
    return square(image_dataset.describe(recipe, source))


def square(description: Description) -> Description:
    """Refuse pictures that are not square, which these networks do not make."""
    _, height, width = description.shape
    if height != width:
        raise ValueError(
            f"data.size is {height} x {width}; pictures that are drawn anew are square, so give one number."
        )
    return description


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Say what samples are brought to."""
    if len(description.shape) == 1:
        return {"real": points.medium.field(*description.shape)}
    return image_dataset.fields(recipe, description)


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, channels and width into the recipe."""
    pair, augment = choose_pair(recipe.network).sized(description.shape), _augment(recipe, description)
    known_keys(recipe.optimizer, (GENERATOR, DISCRIMINATOR), "optimizer")
    data = image_dataset.resolved_data(recipe, description) if len(description.shape) == 3 else _plain(recipe)
    updates: dict[str, Any] = {
        "task": Choice(name=recipe.task.name, **_config(recipe).model_dump()),
        "data": data,
        "network": Choice(name=recipe.network.name, **asdict(pair)),
        "augment": Choice(name=augment.name, **asdict(augment)),
        "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in (GENERATOR, DISCRIMINATOR)},
    }
    return recipe.model_copy(update=updates)


def _plain(recipe: Recipe) -> RecipeData:
    """Write every key of `data` out, for samples that none of them concerns."""
    return recipe.data.with_options(**image_dataset.options_of(recipe).model_dump())


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape and classes, so that its weights fit."""
    updates: dict[str, Any] = {
        "network": config.network,
        "task": Choice(name=recipe.task.name, conditional=config.conditional),
    }
    if len(config.description.shape) == 3:
        updates["data"] = image_dataset.adopted_data(recipe, config.description)
    return recipe.model_copy(update=updates)


def game(recipe: Recipe, description: Description) -> Game:
    """Build the two-player game between the pair of networks that the recipe names."""
    pair, loss, classes = (
        choose_pair(recipe.network),
        recipe.loss,
        len(description.classes) if _config(recipe).conditional else 0,
    )
    generator = pair.generator(description.shape, classes)
    discriminator = pair.discriminator(description.shape, classes)
    mixes = any(isinstance(module, _BatchNorm) for module in discriminator.modules())
    if mixes and (loss.r1 or loss.r2 or loss.gradient_penalty):
        raise ValueError(
            "Batch normalization mixes the samples whose gradients a penalty wants apart; leave it out of the "
            "discriminator (network.normalization none or spectral), or set loss.r1, loss.r2 and "
            "loss.gradient_penalty to null."
        )
    view = _augment(recipe, description).view(find_loss(loss.name))
    return build_game(recipe, generator, discriminator, view)


def _augment(recipe: Recipe, description: Description) -> Augment:
    """How the discriminator sees samples; points it sees as they are."""
    resolved = choose_augment(recipe.augment, description.shape[0], total_images(recipe), description.pictures)
    if resolved.name != "none" and len(description.shape) != 3:
        raise ValueError("augment changes pictures, and these samples are points; set augment.name=none.")
    return resolved


def observers(
    recipe: Recipe,
    description: Description,
    played: Game,
    model: Pipeline,
    samples: Sides,
) -> dict[str, Observer]:
    """Appoint the referee, who looks at held-out samples too."""
    rule = Rule(recipe.referee.window, recipe.referee.share, recipe.referee.every)
    loss = find_loss(recipe.loss.name)
    count = min(AUDIT_SAMPLES, *map(len, samples))
    training, held_out = (_exhibits(side, count, _config(recipe).conditional) for side in samples)
    looks, facts = inspect(samples, description)
    steer, cap = played.observers.get("augmentation"), recipe.augment.options.get("cap")
    if steer and cap is not None:
        looks.append(lambda _: {"augmented": steer.measures()["share"], "cap": cap})
    rates = {player: settings.learning_rate for player, settings in recipe.optimizer.items()}
    updates = Updates(rates)
    draw = _drawn_for(model.networks[GENERATOR], len(held_out["real"]))
    audit = Audit(draw, _scored_by(played.networks[DISCRIMINATOR]), loss, training, held_out, looks)
    facts |= {"batch": recipe.batch, "conditional": _config(recipe).conditional}
    return {"referee": Referee(rule, loss, audit, facts, updates=updates), "updates": updates}


def _exhibits(samples: Samples, count: int, conditional: bool) -> dict[str, Tensor]:
    """Samples of all that there are; of training as many as are held out, so that both have the same classes."""
    shown = samples.spread(count)
    return shown if conditional else {name: values for name, values in shown.items() if name != "label"}


def _drawn_for(generator: nn.Module, count: int) -> Callable[[Exhibits], Tensor]:
    """Draw fakes of the classes of exhibits, from the same noise at every look."""
    noise = latents(generator, seed=0, first=0, count=count)

    def draw(exhibits: Exhibits) -> Tensor:
        device, label = next(generator.parameters()).device, exhibits.get("label")
        fake: Tensor = generator(noise.to(device), None if label is None else label.to(device))
        return fake

    return draw


def _scored_by(discriminator: nn.Module) -> Callable[[Tensor, Exhibits], Tensor]:
    """Score samples of the classes of exhibits, by what was learned and not by the batch."""

    def scores(sample: Tensor, exhibits: Exhibits) -> Tensor:
        device, label = next(discriminator.parameters()).device, exhibits.get("label")
        discriminator.eval()
        logits: Tensor = discriminator(sample.to(device), None if label is None else label.to(device))
        discriminator.train()
        return logits

    return scores


def sheet(recipe: Recipe, description: Description, model: GenerationPipeline, samples: Sides) -> Callable[[], Shown]:
    """Show the same latent vectors, all classes in turn."""
    medium = media(recipe)["real"]

    def look() -> Shown:
        drawn = model(num=SHEET_SAMPLES, engine=PLAIN)
        return Shown(medium, drawn.values, drawn.facts)

    return look


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> GenerationPipeline:
    """Wrap the averaged generator."""
    config = Settings(description=description, network=recipe.network, conditional=_config(recipe).conditional)
    return GenerationPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def example() -> Recipe:
    """Give a tiny game on the embedded digits."""
    return example_recipe(
        Choice(name="generation", conditional=True),
        data=RecipeData(source="digits", size=8, channels=1),
        network=Choice(name="dcgan", width=8, latent=8),
        loss=Loss(r1=Penalty(weight=0.1, every=2)),
        # Steered up from the first rounds on, so that what is promised of every game is promised of this too.
        augment=Choice(name="ada", target=-1.0, climb=256),
    )


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")


pipeline_class = GenerationPipeline
