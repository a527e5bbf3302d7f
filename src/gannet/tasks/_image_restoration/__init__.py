"""What all tasks share that make a better photograph of a lesser one: pairs, a game in two stages, and a judge.

First the network learns to come near each pixel; then, in the stage called `game`, a discriminator of patches keeps it
honest, and a perceptual distance near (Ledig et al., 2017, "Photo-Realistic Single Image Super-Resolution ...").
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Observer, Outcome, Pass, Turn
from gannet.adversarial.losses import find_loss
from gannet.adversarial.similarity import Frozen, perceptual_distance, pixel_distance
from gannet.adversarial.two_player import DISCRIMINATOR, GENERATOR, Discriminator, Penalties, Scores, TwoPlayer
from gannet.augmentation.kinds import Drawn, Draws
from gannet.data import image_dataset
from gannet.data.image_dataset import Description
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.media import image
from gannet.media.medium import Field, Medium, Shown
from gannet.media.photograph import Photograph
from gannet.metrics.judgement import Judgement
from gannet.monitoring.periodic import Periodic
from gannet.networks.patch import PatchDiscriminator
from gannet.networks.vgg import Vgg
from gannet.pipelines.hub import load
from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Checkpoints, Logging, Optimizer, Recipe, RefereeSettings, Stage
from gannet.recipe import Data as RecipeData
from gannet.runtime.files import read_tensors
from gannet.runtime.randomness import generator
from gannet.schedule import stages
from gannet.schema import Choice, Positive, Section, Weight, check, known_keys
from gannet.task import Exam
from gannet.tasks._image_restoration.evaluation import EvaluationPair, fidelity_figures, judge_pairs, photographs
from gannet.tasks._image_restoration.pipeline import PhotographPipeline, Settings
from gannet.tasks._image_restoration.training_pairs import (
    MOST_SHIFTED,
    PreparedPair,
    TrainingPair,
    cut,
    cut_upright,
    shifted,
)

GAME, LOSS_NETWORK = "game", "loss-v1"
SHOWN, ON_SHEETS, LOOK_SEED, MOST_JUDGED = 32, 16, 0, 500


class PhotographConfig(Section):
    """The keys of `task` that these tasks share."""

    former_names: ClassVar[Mapping[str, str]] = {"piece": "patch", "police": "discriminator_width"}

    patch: Positive = 96
    """Pixels a side of the patches that are learned from."""
    pixel: Weight = 0.05
    """Weight of the mean difference of pixels in the stage `game`."""
    perceptual: Weight = 1.0
    """Weight of the perceptual distance in the stage `game`."""
    adversarial: Weight = 0.1
    """Weight of the adversarial loss in the stage `game`."""
    perceptual_network: str = LOSS_NETWORK
    """Whose activations the perceptual distance compares in learning: loss-v1, or a .safetensors file with a VGG's
    weights as torchvision and timm name them (features.0.weight, ...)."""
    discriminator_width: Positive = 48
    """Channels of the discriminator's first layer."""


class PhotographTask(ABC):
    """A task that makes a better photograph of a lesser one.

    Attributes:
        channels: that photographs to learn from may have.
        auxiliary_networks: the names of further networks that are kept beside the one that makes pictures.
        pretraining_stages: stages in which only those learn.
        example_network, example_options: the network of the example, and options of its task.
        protocol: how the judge's figures are taken.
    """

    Config: ClassVar[type[PhotographConfig]]
    Data: ClassVar[type[Section]] = image.Options
    pipeline_class: ClassVar[type[PhotographPipeline]]
    channels: ClassVar[tuple[int, ...]] = (1, 3)
    auxiliary_networks: ClassVar[tuple[str, ...]] = ()
    pretraining_stages: ClassVar[tuple[str, ...]] = ()
    example_network: ClassVar[Choice] = Choice(name="unet", width=4, depth=2)
    example_options: ClassVar[dict[str, Any]] = {}
    judged_by: ClassVar[str] = "held_out/perceptual"
    protocol: ClassVar[str] = "Y of BT.601, eight bits; as many pixels cut from each side as the scale"

    @abstractmethod
    def training_pair(self, pictures: Tensor, draws: Draws, config: Any) -> TrainingPair:
        """Make input and target of whole pictures (b, c, h, w)."""

    def seen(self, picture: Tensor) -> Tensor:
        """Give what the network makes as a picture that can be looked at, in [-1, 1]."""
        return picture

    @abstractmethod
    def patch_multiple(self, config: Any) -> int:
        """Give the number of pixels that the side of a patch is a multiple of."""

    @abstractmethod
    def evaluation_pair(self, real: Photograph, config: Any) -> EvaluationPair:
        """Make an input of a photograph, which is the ground truth, and what the baselines make of that."""

    def figures(self, made: Photograph, pair: EvaluationPair, perceptual: Frozen | None) -> dict[str, float]:
        """Measure what was made of a pair's input; `perceptual` is the network that judges."""
        return fidelity_figures(made, pair, perceptual)

    def options(self, recipe: Recipe) -> Any:
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
        if channels not in self.channels:
            allowed = " or ".join(map(str, self.channels))
            raise ValueError(f"{recipe.task.name} learns from pictures of {allowed} channels; set data.channels.")
        multiple = self.patch_multiple(config)
        if not 2 * MOST_SHIFTED <= config.patch <= side or config.patch % multiple:
            raise ValueError(
                f"task.patch is {config.patch}; it is a multiple of {multiple}, at least {2 * MOST_SHIFTED}, at most "
                f"the {side} pixels of data.size."
            )
        return description

    def resolve(self, recipe: Recipe, description: Description) -> Recipe:
        """Write the chosen size and channels into the recipe."""
        if recipe.augment.name != "none" or recipe.loss.update != "alternating":
            raise ValueError(f"{recipe.task.name} knows neither augment nor loss.update=simultaneous; leave them out.")
        players = (GENERATOR, *self.auxiliary_networks, DISCRIMINATOR)
        known_keys(recipe.optimizer, players, "optimizer")
        return recipe.model_copy(
            update={
                "task": Choice(name=recipe.task.name, **_with_whole_path(self.options(recipe)).model_dump(mode="json")),
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
        config, channels = self.options(recipe), description.shape[0]
        made = self.pipeline_class.build_networks(self.settings(recipe, description))
        network, discriminator = made[GENERATOR], PatchDiscriminator(channels, config.discriminator_width)

        def prepare(run: Pass) -> PreparedPair:
            return PreparedPair(run, self.training_pair(run.sample["real"], run, config))

        def make(prepared: PreparedPair) -> Tensor:
            picture: Tensor = network(prepared.pair.input)
            return picture

        def learn(run: Pass) -> Outcome:
            prepared = prepare(run)
            return Outcome({GENERATOR: {"pixel": pixel_distance(make(prepared), prepared.pair.target)}})

        def score(picture: Tensor, prepared: PreparedPair) -> Scores:
            return Scores(discriminator(shifted(picture, prepared.run)).float())

        players = TwoPlayer(
            find_loss(recipe.loss.name),
            [Discriminator(DISCRIMINATOR, score)],
            prepare=prepare,
            real=lambda prepared: prepared.pair.target,
            generate=make,
            extra_losses=lambda picture, prepared: self.extra_losses(picture, prepared, config),
            weight=config.adversarial,
        )
        turns = players.turns(Penalties(recipe.loss.r1, recipe.loss.r2, recipe.loss.gradient_penalty))
        first = tuple(stage.name for stage in stages(recipe) if stage.name not in {GAME, *self.pretraining_stages})
        alone = (Turn("learn", (GENERATOR,), learn, stages=first),) if first else ()
        played = (*alone, *(replace(turn, stages=(GAME,)) for turn in turns), *self.auxiliary_turns(made, config))
        return Game({**made, DISCRIMINATOR: discriminator}, played, tuple(made))

    def extra_losses(self, picture: Tensor, prepared: PreparedPair, config: Any) -> dict[str, Tensor]:
        """Measure how far what was made is from what it should be, which the generator descends besides."""
        target = prepared.pair.target
        losses = {"pixel": config.pixel * pixel_distance(picture, target)}
        if config.perceptual:
            ours, theirs = shifted(torch.cat([picture, target]), prepared.run).chunk(2)
            near = perceptual_distance(
                self.seen(ours), self.seen(theirs), perceptual_network(config.perceptual_network)
            ).mean()
            losses["perceptual"] = config.perceptual * near
        return losses

    def auxiliary_turns(self, networks: dict[str, nn.Module], config: Any) -> tuple[Turn, ...]:  # noqa: ARG002
        """Give the turns of auxiliary networks."""
        return ()

    def auxiliary_measures(self, networks: dict[str, nn.Module], shown: Tensor, config: Any) -> dict[str, float]:  # noqa: ARG002
        """Measure how well auxiliary networks do on held-out pictures (b, c, h, w)."""
        return {}

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
        pair = self._shown(shown, config)

        @torch.no_grad()
        def look() -> dict[str, float]:
            made = _made(model, pair.input)
            near = perceptual_distance(
                self.seen(made), self.seen(pair.target), perceptual_network(config.perceptual_network)
            ).mean()
            auxiliary = self.auxiliary_measures(model.networks, shown, config)
            return {"error": float(pixel_distance(made, pair.target)), "perceptual": float(near), **auxiliary}

        return {"held_out": Periodic(look, recipe.referee.every)}

    def sheet(
        self,
        recipe: Recipe,
        description: Description,  # noqa: ARG002
        model: Any,
        samples: Sides,
    ) -> Callable[[], Shown]:
        """Show what it makes of some of the held-out photographs."""
        given = self._shown(samples[1].spread(SHOWN)["real"], self.options(recipe)).input[:ON_SHEETS]
        return lambda: Shown(image.medium, self.seen(_made(model, given)), {"model": model.name})

    def _shown(self, pictures: Tensor, config: Any) -> TrainingPair:
        """Draw the training pair of pictures that are looked at, always the same."""
        return self.training_pair(pictures, Drawn(len(pictures), generator(LOOK_SEED, "look")), config)

    def evaluate(self, pipeline: Any, exam: Exam) -> Judgement:
        """Measure how near the model comes to photographs that it did not learn from, beside what needs no learning."""
        config = check(self.Config, pipeline.config.task.options, "task")
        pairs = (self.evaluation_pair(real, config) for real in photographs(exam, exam.query.num or MOST_JUDGED))
        return judge_pairs(pipeline, pairs, self.figures, self.protocol, exam.features)

    def settings(self, recipe: Recipe, description: Description) -> Settings:
        """Say what `config.json` keeps."""
        kept = {key: value for key, value in recipe.task.options.items() if key != "perceptual_network"}
        return Settings(description=description, network=recipe.network, task=Choice(name=recipe.task.name, **kept))

    def pipeline(self, recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> Pipeline:
        """Wrap the averaged network."""
        settings = self.settings(recipe, description)
        return self.pipeline_class(settings, dict(kept), recipe.name)

    def example(self) -> Recipe:
        """Give a tiny network for the embedded digits, or for three of them as colours, in both stages."""
        channels = self.channels[0]
        return Recipe(
            name="example",
            task=Choice(name=self.pipeline_class.task, patch=16, discriminator_width=8, **self.example_options),
            data=RecipeData(source="digits", size=16, channels=channels, stack=channels),
            network=self.example_network,
            stages=(Stage(name="pixel", images=256), Stage(name=GAME, images=256)),
            batch=16,
            referee=RefereeSettings(window=64, every=128),
            checkpoint=Checkpoints(every=128),
            log=Logging(every=64, sheet_every=256),
            precision="32",
            device="cpu",
        )


@torch.no_grad()
def _made(model: Pipeline, given: Tensor) -> Tensor:
    """What the averaged network makes of what it is given (b, c, h, w), on the CPU."""
    network = model.networks[GENERATOR].eval()
    picture: Tensor = network(given.to(next(network.parameters()).device)).float().cpu().clamp(-1, 1)
    return picture


def _with_whole_path(config: PhotographConfig) -> PhotographConfig:
    """The options with a file's whole path, so that the run goes on from any folder; ValueError if it is none."""
    if config.perceptual_network == LOSS_NETWORK:
        return config
    path = str(Path(config.perceptual_network).expanduser().resolve())
    perceptual_network(path)
    return config.model_copy(update={"perceptual_network": path})


@cache
def perceptual_network(name: str) -> Frozen:
    """Load the network whose activations the perceptual loss compares; none that judges.

    Raises:
        ValueError: neither the shipped network nor a file of a VGG's weights has that name.
    """
    if name == LOSS_NETWORK:
        pipeline: Any = load(LOSS_NETWORK)
        return Frozen(pipeline.networks["recognizer"], pipeline.config.description.shape[0])
    try:
        return Frozen(Vgg(read_tensors(Path(name), "features.")), 3)
    except ValueError as error:
        raise ValueError(
            f"task.perceptual_network is {name}: {str(error).rstrip('.')}; give {LOSS_NETWORK}, or a .safetensors file "
            "with the weights of a VGG as torchvision names them."
        ) from None


__all__ = ["PhotographConfig", "PhotographTask", "TrainingPair", "cut", "cut_upright", "perceptual_network"]
