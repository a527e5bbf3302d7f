"""What all tasks share that make a better photograph of a lesser one: each is one `ImageRestoration`, put together.

How training pairs are made, how a model is judged, who learns beside it, and what it is used through are its parts;
the game in two stages and the look at held-out photographs are the same for all.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Generic

import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Observer
from gannet.adversarial.similarity import pixel_distance
from gannet.adversarial.two_player import DISCRIMINATOR, GENERATOR
from gannet.data import image_dataset
from gannet.data.image_dataset import Description
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.media import image
from gannet.media.medium import Field, Medium, Shown
from gannet.metrics.judgement import Judgement
from gannet.monitoring.periodic import Periodic
from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Data as RecipeData
from gannet.recipe import Optimizer, Recipe, Stage
from gannet.schema import Choice, Section, check, known_keys
from gannet.task import Exam, example_recipe
from gannet.tasks._image_restoration.config import Keys, PhotographConfig
from gannet.tasks._image_restoration.evaluation import Evaluation
from gannet.tasks._image_restoration.game import (
    GAME,
    Auxiliary,
    build_game,
    perceptual_network,
    seen_distance,
    with_whole_path,
)
from gannet.tasks._image_restoration.pipeline import PhotographPipeline, Settings
from gannet.tasks._image_restoration.training_pairs import (
    LOOK_SEED,
    MOST_SHIFTED,
    Pairing,
    TrainingPair,
    cut,
    cut_upright,
    near_and_far,
)

SHOWN, ON_SHEETS = 32, 16
SMALL_UNET = Choice(name="unet", width=4, depth=2)
"""The network of most examples."""


@dataclass(frozen=True)
class ImageRestoration(Generic[Keys]):
    """A task that makes a better photograph of a lesser one.

    Attributes:
        Config: the keys of `task`.
        pipeline_class: what its models are used through.
        pair: how training pairs are made of whole pictures.
        evaluation: how its models are judged.
        auxiliaries: the networks that learn, and are kept, beside the one that makes pictures.
        example_network, example_options: the network of the example, and options of its task.
    """

    Config: type[Keys]
    pipeline_class: type[PhotographPipeline]
    pair: Pairing[Keys]
    evaluation: Evaluation[Keys]
    auxiliaries: tuple[Auxiliary[Keys], ...] = ()
    example_network: Choice = SMALL_UNET
    example_options: Mapping[str, Any] = field(default_factory=dict)

    Data: ClassVar[type[Section]] = image.Options
    judged_by: ClassVar[str] = "held_out/perceptual"

    @property
    def choices(self) -> Mapping[str, Mapping[str, type]]:
        """The networks by name."""
        return {"network": self.pipeline_class.offered}

    def options(self, recipe: Recipe) -> Keys:
        """Check the keys of `task`."""
        return check(self.Config, recipe.task.options, "task")

    def media(self, recipe: Recipe) -> Mapping[str, Medium]:  # noqa: ARG002
        """Name the samples: pictures."""
        return image_dataset.MEDIA

    def labels(self, recipe: Recipe) -> Labels:  # noqa: ARG002
        """Pass classes over."""
        return Labels.UNUSED

    def fields(self, recipe: Recipe, description: Description) -> dict[str, Field]:
        """Say what photographs are brought to."""
        return image_dataset.fields(recipe, description)

    def describe(self, recipe: Recipe, source: Source) -> Description:
        """Choose size and channels where the recipe leaves them open."""
        description = image_dataset.describe(recipe, source)
        config, (channels, *sides) = self.options(recipe), description.shape
        side = min(sides)
        if channels not in self.pair.channels:
            allowed = " or ".join(map(str, self.pair.channels))
            raise ValueError(f"{recipe.task.name} learns from pictures of {allowed} channels; set data.channels.")
        multiple = self.pair.patch_multiple(config)
        if not 2 * MOST_SHIFTED <= config.patch <= side or config.patch % multiple:
            raise ValueError(
                f"task.patch is {config.patch}; it is a multiple of {multiple}, at least {2 * MOST_SHIFTED}, at most "
                f"the {side} pixels of data.size."
            )
        return description

    def resolve(self, recipe: Recipe, description: Description) -> Recipe:
        """Write the chosen size and channels into the recipe."""
        if recipe.augment.name != "none" or recipe.loss.update == "simultaneous":
            raise ValueError(f"{recipe.task.name} knows neither augment nor loss.update=simultaneous; leave them out.")
        config = with_whole_path(self.options(recipe).on_this_machine())
        players = (GENERATOR, *(one.name for one in self.auxiliaries), DISCRIMINATOR)
        known_keys(recipe.optimizer, players, "optimizer")
        return recipe.model_copy(
            update={
                "task": Choice(name=recipe.task.name, **config.model_dump(mode="json")),
                "data": image_dataset.resolved_data(recipe, description),
                "network": Choice(name=recipe.network.name, **asdict(self.pipeline_class.choice(recipe.network))),
                "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in players},
            }
        )

    def adopt(self, recipe: Recipe, config: Settings) -> Recipe:
        """Take over a model's network, channels and options, so that its weights fit."""
        kept = {**recipe.task.options, **self.pipeline_class.fixed(config)}
        data = recipe.data.with_options(channels=config.description.shape[0])
        task = Choice(name=recipe.task.name, **kept)
        return recipe.model_copy(update={"network": config.network, "data": data, "task": task})

    def game(self, recipe: Recipe, description: Description) -> Game:
        """Build the turns of both stages."""
        networks = self.pipeline_class.build_networks(self.settings(recipe, description))
        channels, config = description.shape[0], self.options(recipe)
        return build_game(recipe, networks, channels, config, self.pair, self.auxiliaries)

    def observers(
        self,
        recipe: Recipe,
        description: Description,  # noqa: ARG002
        played: Game,  # noqa: ARG002
        model: Any,
        samples: Sides,
    ) -> dict[str, Observer]:
        """Look how far the averaged network is from held-out photographs, by pixels and by perception."""
        config, shown = self.options(recipe), samples[1].spread(SHOWN)["real"]
        pair = self.pair.shown(shown, config)

        @torch.no_grad()
        def look() -> dict[str, float]:
            made = _made(model, pair.input)
            near = seen_distance(made, pair.target, self.pair, config)
            found = {"error": float(pixel_distance(made, pair.target)), "perceptual": float(near)}
            found |= self.pair.figures(made, pair.target, config)
            found |= _task_losses(model, pair, self.pair, config)
            for one in self.auxiliaries:
                found |= one.measure(model.networks[one.name], shown, config)
            return found

        return {"held_out": Periodic(look, recipe.referee.every)}

    def sheet(
        self,
        recipe: Recipe,
        description: Description,  # noqa: ARG002
        model: Any,
        samples: Sides,
    ) -> Callable[[], Shown]:
        """Show what it makes of some of the held-out photographs, beside what it is shown where that says something."""
        given, looks = self.pair.shown(samples[1].spread(SHOWN)["real"], self.options(recipe)).input, self.pair.looks
        given = given[: ON_SHEETS // (2 if looks else 1)]

        def look() -> Shown:
            made = self.pair.seen(_made(model, given))
            shown = torch.stack([looks(given), made], 1).flatten(0, 1) if looks else made
            return Shown(image.medium, shown, {"model": model.name})

        return look

    def evaluate(self, pipeline: Any, exam: Exam) -> Judgement:
        """Measure how near the model comes to photographs that it did not learn from, beside what needs no learning."""
        config = check(self.Config, pipeline.config.task.options, "task")
        judgement = self.evaluation.judge(pipeline, exam, config)
        beside = [measure for one in self.auxiliaries for measure in one.judge(pipeline, exam, config)]
        return replace(judgement, measures=[*judgement.measures, *beside])

    def settings(self, recipe: Recipe, description: Description) -> Settings:
        """Say what `config.json` keeps."""
        kept = {key: value for key, value in recipe.task.options.items() if key not in self.Config.of_this_machine}
        return Settings(description=description, network=recipe.network, task=Choice(name=recipe.task.name, **kept))

    def pipeline(self, recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> Pipeline:
        """Wrap the averaged network."""
        settings = self.settings(recipe, description)
        return self.pipeline_class(settings, dict(kept), recipe.name)

    def example(self) -> Recipe:
        """Give a tiny network for the embedded digits, or for three of them as colours, in both stages."""
        channels = self.pair.channels[0]
        return example_recipe(
            Choice(name=self.pipeline_class.task, patch=16, discriminator_width=8, **self.example_options),
            data=RecipeData(source="digits", size=16, channels=channels, stack=channels),
            network=self.example_network,
            stages=(Stage(name="pixel", images=256), Stage(name=GAME, images=256)),
        )


@torch.no_grad()
def _made(model: Pipeline, given: Tensor) -> Tensor:
    """Give what the averaged network makes of what it is given (b, c, h, w), on the CPU."""
    network = model.networks[GENERATOR].eval()
    picture: Tensor = network(given.to(next(network.parameters()).device)).float().cpu().clamp(-1, 1)
    return picture


@torch.no_grad()
def _task_losses(model: Pipeline, shown: TrainingPair, pair: Pairing[Keys], config: Keys) -> dict[str, float]:
    """Give the losses of its task that the averaged network descends besides, where there are some."""
    network = model.networks[GENERATOR].eval()
    device = next(network.parameters()).device
    moved = TrainingPair(shown.input.to(device), shown.target.to(device))
    return {name: float(loss) for name, loss in pair.task_losses(network, moved, config).items()}


__all__ = [
    "LOOK_SEED",
    "Auxiliary",
    "Evaluation",
    "ImageRestoration",
    "Pairing",
    "PhotographConfig",
    "TrainingPair",
    "cut",
    "cut_upright",
    "near_and_far",
    "perceptual_network",
]
