"""Generation: new samples like those in the data, from noise, optionally of a class that is asked for.

Two networks play the classic game: the generator forges, the discriminator polices (Goodfellow et al., 2014). The data
are pictures of one size, or points in the plane. The generator's running average is what is kept.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gannet.adversarial.audit import Audit
from gannet.adversarial.contest import DISCRIMINATOR, GENERATOR, Contest
from gannet.adversarial.eyes import AUGMENTS, Augment
from gannet.adversarial.game import Game, Observer, Pass
from gannet.adversarial.losses import LOSSES
from gannet.adversarial.referee import Referee, Rule
from gannet.augmentation.amount import FEW_PICTURES
from gannet.data.cache import build_dataset
from gannet.data.loader import Loader
from gannet.data.points import POINTS, PointSource
from gannet.data.sources import Source
from gannet.data.sources import open_source as open_pictures
from gannet.data.survey import count_learned, fitting_size, survey
from gannet.pipeline import Pipeline
from gannet.randomness import address
from gannet.recipe import Checkpoints, Data, Loss, Optimizer, Penalty, Recipe, Record
from gannet.recipe import Referee as RefereeSettings
from gannet.samples import latents
from gannet.schedule import total_images
from gannet.schema import Choice, Section, check, choose, nearest
from gannet.tasks.generation.drawing import Description, GenerationPipeline, Settings, choose_pair
from gannet.tasks.generation.inspecting import inspect
from gannet.tasks.generation.judging import judge

AUDIT_SAMPLES = 256
POINT_COUNT, HELD_OUT_POINTS = 100_000, 10_000
LARGEST_AUTO_SIZE = {"cuda": 128, "cpu": 64}

__all__ = ["Config", "Description", "GenerationPipeline", "Settings", "judge"]

judged_by = "referee/energy_distance"


class Config(Section):
    """The keys of `task` for generation."""

    conditional: bool = False
    """Generate samples of a class that is asked for; needs labelled data."""


def open_source(recipe: Recipe) -> Source | PointSource:
    """Open the pictures or points that the recipe names; nothing is decoded yet."""
    name = recipe.data.source
    if not name:
        raise ValueError(
            f"The recipe {recipe.name} has no data of its own: give a folder, gannet train {recipe.name} DATA."
        )
    return POINTS[name] if name in POINTS else open_pictures(name, recipe.data.stack)


def describe(recipe: Recipe, source: Source | PointSource) -> Description:
    """Choose size and channels, from a survey of the data where the recipe leaves them open."""
    if isinstance(source, PointSource):
        return Description(name=source.name, shape=(2,))
    data = recipe.data
    looked = survey(source) if "auto" in (data.size, data.channels) else None
    size = auto_size(looked.median_side) if looked and data.size == "auto" else data.size
    channels = looked.channels if looked and data.channels == "auto" else data.channels
    if _config(recipe).conditional and not source.classes:
        raise ValueError(
            f"{source.name} has no labels, which task.conditional needs; put the pictures of each class into a "
            "sub-folder of its own, or set task.conditional=false."
        )
    return Description(
        name=Path(source.name).name,
        shape=(int(channels), int(size), int(size)),
        classes=source.classes,
        pictures=count_learned(source, data.limit or FEW_PICTURES) if recipe.augment.name == "auto" else None,
    )


def auto_size(median_side: float) -> int:
    """The pixels a side to train at: near the pictures' own, within what the device can do."""
    return fitting_size(median_side, LARGEST_AUTO_SIZE["cuda" if torch.cuda.is_available() else "cpu"])


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, channels and width into the recipe."""
    pair, augment = choose_pair(recipe.network).sized(description.shape), _augment(recipe, description)
    updates: dict[str, Any] = {
        "task": Choice(name=recipe.task.name, **_config(recipe).model_dump()),
        "network": Choice(name=recipe.network.name, **asdict(pair)),
        "augment": Choice(name=augment.name, **asdict(augment)),
        "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in (GENERATOR, DISCRIMINATOR)},
    }
    if len(description.shape) == 3:
        channels, size, _ = description.shape
        updates["data"] = Data(**{**recipe.data.model_dump(), "channels": channels, "size": size})
    if unknown := set(recipe.optimizer) - {GENERATOR, DISCRIMINATOR}:
        raise ValueError(f"Unknown key 'optimizer.{min(unknown)}'; {nearest(min(unknown), (GENERATOR, DISCRIMINATOR))}")
    return recipe.model_copy(update=updates)


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape and classes, so that its weights fit."""
    updates: dict[str, Any] = {
        "network": config.network,
        "task": Choice(name=recipe.task.name, conditional=config.conditional),
    }
    if len(config.description.shape) == 3:
        channels, size, _ = config.description.shape
        updates["data"] = recipe.data.model_copy(update={"channels": channels, "size": size})
    return recipe.model_copy(update=updates)


def samples(recipe: Recipe, source: Source | PointSource, description: Description) -> tuple[Loader, Loader]:
    """The training and the held-out samples: `real` (b, *shape) and, for labelled data, `label` (b,)."""
    if isinstance(source, PointSource):
        arrays = {"real": source.draw(POINT_COUNT, 0)}
        held_out = np.arange(POINT_COUNT) < HELD_OUT_POINTS
    else:
        channels, height, width = description.shape
        dataset = build_dataset(source, height, width, channels, recipe.data.fit, recipe.data.group)
        held_out, arrays = dataset.held_out, {"real": dataset.images}
        if dataset.classes:
            arrays["label"] = dataset.labels
        if recipe.data.group:
            arrays["group"] = dataset.groups.view(np.int64)
    known = np.flatnonzero(~held_out)
    if recipe.data.limit:
        random = np.random.default_rng(address(recipe.seed, "limit"))
        known = np.sort(random.permutation(known)[: recipe.data.limit])
    return Loader(arrays, known, recipe.seed), Loader(arrays, np.flatnonzero(held_out), recipe.seed)


def noise(recipe: Recipe, description: Description, count: int) -> dict[str, np.ndarray]:
    """Meaningless samples of the right shapes and types."""
    random = np.random.default_rng(0)
    if len(description.shape) == 1:
        return {"real": random.standard_normal((count, *description.shape), dtype=np.float32)}
    arrays = {"real": random.integers(0, 256, (count, *description.shape), dtype=np.uint8)}
    labels = np.arange(count) % max(1, len(description.classes))
    return arrays | ({"label": labels} if _config(recipe).conditional else {})


def game(recipe: Recipe, description: Description) -> Game:
    """The classic contest between the pair of networks that the recipe names."""
    pair, loss, classes = (
        choose_pair(recipe.network),
        recipe.loss,
        len(description.classes) if _config(recipe).conditional else 0,
    )
    forger = pair.generator(description.shape, classes)
    police = pair.discriminator(description.shape, classes)

    def generate(run: Pass) -> Tensor:
        fake: Tensor = forger(run.normal(forger.latent), run.sample.get("label"))
        return fake

    def score(sample: Tensor, run: Pass) -> Tensor:
        logits: Tensor = police(sample, run.sample.get("label"))
        return logits.float()

    if getattr(pair, "normalization", "") == "batch" and (loss.r1 or loss.r2 or loss.gradient_penalty):
        raise ValueError(
            "Batch normalization mixes the samples whose gradients a penalty wants apart; set network.normalization "
            "to none or spectral, or leave out loss.r1, loss.r2 and loss.gradient_penalty."
        )
    eyes = _augment(recipe, description).eyes(choose(loss.name, LOSSES, "loss"))
    contest = Contest(choose(loss.name, LOSSES, "loss"), lambda run: run.sample["real"], generate, score, eyes)
    turns = contest.turns(loss.r1, loss.r2, loss.gradient_penalty, loss.moves)
    return Game({GENERATOR: forger, DISCRIMINATOR: police}, turns, (GENERATOR,), eyes.observers)


def _augment(recipe: Recipe, description: Description) -> Augment:
    """How the discriminator sees samples; points it sees as they are."""
    augment = recipe.augment
    options = check(choose(augment.name, AUGMENTS, "augment"), augment.options, "augment")
    settled = options.settled(description.shape[0], total_images(recipe), description.pictures)
    if settled.name != "none" and len(description.shape) != 3:
        raise ValueError("augment changes pictures, and these samples are points; set augment.name=none.")
    return settled


def observers(
    recipe: Recipe,
    description: Description,
    played: Game,
    model: Pipeline,
    loaders: tuple[Loader, Loader],
) -> dict[str, Observer]:
    """The referee, who looks at held-out samples too."""
    rule = Rule(recipe.referee.window, recipe.referee.share, recipe.referee.every)
    loss = choose(recipe.loss.name, LOSSES, "loss")
    generator, discriminator = model.networks[GENERATOR], played.networks[DISCRIMINATOR]
    count = min(AUDIT_SAMPLES, *map(len, loaders))
    training, held_out = (_exhibits(loader, count, _config(recipe).conditional) for loader in loaders)
    noise = latents(generator, seed=0, first=0, count=len(held_out["real"]))
    looks, facts = inspect(loaders, description)
    steer, cap = played.observers.get("augmentation"), recipe.augment.options.get("cap")
    if steer and cap is not None:
        looks.append(lambda _: {"augmented": steer.measures()["share"], "cap": cap})
    audit = Audit(generator, discriminator, noise, loss, training, held_out, looks)
    facts |= {"batch": recipe.batch, "conditional": _config(recipe).conditional}
    return {"referee": Referee(rule, loss, audit, facts)}


def _exhibits(loader: Loader, count: int, conditional: bool) -> dict[str, Tensor]:
    """Samples of all that there are; of training as many as are held out, so that both have the same classes."""
    shown = loader.spread(count)
    return shown if conditional else {name: values for name, values in shown.items() if name != "label"}


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> GenerationPipeline:
    """Wrap the averaged generator."""
    config = Settings(description=description, network=recipe.network, conditional=_config(recipe).conditional)
    return GenerationPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def example() -> Recipe:
    """A tiny game on the embedded digits."""
    return Recipe(
        name="example",
        task=Choice(name="generation", conditional=True),
        data=Data(source="digits", size=8, channels=1),
        network=Choice(name="dcgan", width=8, latent=8),
        loss=Loss(r1=Penalty(weight=0.1, every=2)),
        # Steered up from the first rounds on, so that what is promised of every game is promised of this too.
        augment=Choice(name="ada", target=-1.0, climb=256),
        images=512,
        batch=16,
        referee=RefereeSettings(window=64, every=128),
        checkpoint=Checkpoints(every=128),
        log=Record(every=64, sheet_every=256),
        precision="32",
        device="cpu",
    )


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")


pipeline_class = GenerationPipeline
