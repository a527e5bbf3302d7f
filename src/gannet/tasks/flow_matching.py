"""Flow matching: new samples from noise by a flow that is learned without an opponent, to compare a GAN with.

A network learns the velocity x - z on the straight way from noise z to a picture x (Lipman et al., 2023, "Flow Matching
for Generative Modeling", equation 23 with a deviation of zero at the end); drawing follows it, many passes a picture
where a GAN takes one. Data, classes and measures are those of generation.
"""

from dataclasses import asdict
from typing import ClassVar, Self

import torch
from torch import nn

from gannet.adversarial.game import Game, Observer, Outcome, Pass, Turn
from gannet.adversarial.two_player import GENERATOR
from gannet.data import image_dataset
from gannet.data.image_dataset import Description
from gannet.data.loader import Sides
from gannet.monitoring.energy import energy_figures
from gannet.monitoring.periodic import Periodic
from gannet.networks import chosen
from gannet.networks.flow import FlowChoice
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.samples import latents
from gannet.recipe import Loss, Optimizer, Recipe
from gannet.schema import Choice, Section, check, known_keys
from gannet.tasks import generation
from gannet.tasks.generation import (
    Config,
    Data,
    GenerationPipeline,
    Settings,
    describe,
    evaluate,
    fields,
    labels,
    media,
    sheet,
)

NETWORKS, LOOKED_AT = {"flow": FlowChoice}, 128

__all__ = ["Config", "Data", "describe", "evaluate", "fields", "labels", "media", "sheet"]

judged_by = "held_out/energy_distance"
choices = {"network": NETWORKS}


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size and channels into the recipe."""
    _choice(recipe.network).build(description.shape, 0)
    if recipe.augment.name != "none":
        raise ValueError(f"A game of {recipe.task.name} has no discriminator whose view to augment; leave augment out.")
    known_keys(recipe.optimizer, [GENERATOR], "optimizer")
    return recipe.model_copy(
        update={
            "task": Choice(name=recipe.task.name, **_config(recipe).model_dump()),
            "data": image_dataset.resolved_data(recipe, description),
            "network": Choice(name=recipe.network.name, **asdict(_choice(recipe.network))),
            "optimizer": {GENERATOR: recipe.optimizer.get(GENERATOR, Optimizer())},
        }
    )


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape and classes, so that its weights fit."""
    if len(config.description.shape) != 3:
        raise ValueError("Flow matching makes pictures, and the model to start from makes none.")
    return generation.adopt(recipe, config)


def game(recipe: Recipe, description: Description) -> Game:
    """Give one player, who descends the squared error of the velocity."""
    classes = len(description.classes) if _config(recipe).conditional else 0
    network = _choice(recipe.network).build(description.shape, classes)

    def flow(run: Pass) -> Outcome:
        real = run.sample["real"]
        start, time = run.normal(*description.shape), run.uniform()
        along = time[:, None, None, None]
        found = network.velocity((1 - along) * start + along * real, time, run.sample.get("label"))
        return Outcome({GENERATOR: {"velocity": (found.float() - (real - start)).square().mean()}})

    return Game({GENERATOR: network}, (Turn("flow", (GENERATOR,), flow),), (GENERATOR,))


def observers(
    recipe: Recipe,
    description: Description,
    played: Game,
    model: Pipeline,
    samples: Sides,
) -> dict[str, Observer]:
    """Name who looks how far what is drawn lies from held-out pictures."""
    network, shown = model.networks[GENERATOR], samples[1].spread(LOOKED_AT)
    start = latents(network, seed=0, first=0, count=len(shown["real"]))

    @torch.no_grad()
    def look() -> dict[str, float]:
        device = next(network.parameters()).device
        label = shown["label"].to(device) if "label" in shown else None
        return energy_figures(shown["real"], network(start.to(device), label))

    return {"held_out": Periodic(look, recipe.referee.every)}


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> "FlowPipeline":
    """Wrap the averaged network."""
    config = Settings(description=description, network=recipe.network, conditional=_config(recipe).conditional)
    return FlowPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def example() -> Recipe:
    """Give a tiny flow to the embedded digits."""
    updates = {
        "task": Choice(name="flow-matching", conditional=True),
        "network": Choice(name="flow", width=8, steps=2),
        "loss": Loss(),
        "augment": Choice(name="none"),
    }
    return generation.example().model_copy(update=updates)


class FlowPipeline(GenerationPipeline):
    """Draws samples as a generator does, in several passes each."""

    task: ClassVar[str] = "flow-matching"

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained network."""
        assert isinstance(config, Settings)
        classes = len(config.description.classes) if config.conditional else 0
        return cls(config, {GENERATOR: _choice(config.network).build(config.description.shape, classes)})


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")


def _choice(network: Choice) -> FlowChoice:
    return chosen(network, NETWORKS)


pipeline_class = FlowPipeline
