"""The game of all tasks that make a better photograph of a lesser one, in two stages, and who else learns beside it.

First the network learns to come near each pixel; then, in the stage called `game`, a discriminator of patches keeps it
honest, and a perceptual distance near (Ledig et al., 2017, "Photo-Realistic Single Image Super-Resolution ...").
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Generic

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from gannet.adversarial.game import Game, Outcome, Pass, Turn
from gannet.adversarial.lecam import hold_scores
from gannet.adversarial.losses import find_loss
from gannet.adversarial.similarity import Frozen, perceptual_distance, pixel_distance
from gannet.adversarial.two_player import DISCRIMINATOR, GENERATOR, Discriminator, Penalties, Scores, TwoPlayer
from gannet.metrics.measure import Measure
from gannet.networks.patch import PatchDiscriminator
from gannet.networks.vgg import Vgg
from gannet.pipelines.hub import load
from gannet.recipe import Recipe
from gannet.runtime.files import read_tensors
from gannet.runtime.names import at_home
from gannet.schedule import stages
from gannet.task import Exam
from gannet.tasks._image_restoration.config import LOSS_NETWORK, Keys, PhotographConfig
from gannet.tasks._image_restoration.training_pairs import Pairing, PreparedPair, TrainingPair, shifted

GAME, NEAR, PATCH = "game", 8, 8
"""The stage with a discriminator; how near to holes it scores, and how far apart, in pixels."""
LEAST = 1e-3
"""How much a pixel counts where only what is lost does."""


@dataclass(frozen=True)
class Auxiliary(Generic[Keys]):
    """Another network that learns in every stage beside the one that makes pictures, and is kept with it.

    Attributes:
        name: the network's.
        stages: those in which nobody else learns.
        turn: gives the turn in which the network learns.
        measure: tells how well the network does on held-out pictures (b, c, h, w), while it learns.
        judge: tells how well it does as a part of a pipeline, on the photographs of an exam.
    """

    name: str
    stages: tuple[str, ...]
    turn: Callable[[nn.Module, Keys], Turn]
    measure: Callable[[nn.Module, Tensor, Keys], dict[str, float]]
    judge: Callable[[Any, Exam, Keys], list[Measure]]


def build_game(
    recipe: Recipe,
    networks: dict[str, nn.Module],
    channels: int,
    config: Keys,
    pair: Pairing[Keys],
    auxiliaries: tuple[Auxiliary[Keys], ...],
) -> Game:
    """Build the turns of both stages.

    Args:
        networks: what is kept, by name.
        channels: of the pictures that are made.
        pair: makes what is learned from.
        auxiliaries: who else learns.
    """
    masked, network = pair.masked(config), networks[GENERATOR]
    discriminator = PatchDiscriminator(channels + masked, config.discriminator_width)

    def prepare(run: Pass) -> PreparedPair:
        return PreparedPair(run, pair.make(run.sample["real"], run, config))

    def make(prepared: PreparedPair) -> Tensor:
        picture: Tensor = network(prepared.pair.input)
        return picture

    def learn(run: Pass) -> Outcome:
        prepared = prepare(run)
        losses = dict(pair.task_losses(network, prepared.pair, config))
        where = _counted(prepared.pair) if masked else None
        return Outcome({GENERATOR: losses or {"pixel": pixel_distance(make(prepared), prepared.pair.target, where)}})

    def beside(picture: Tensor, prepared: PreparedPair) -> dict[str, Tensor]:
        losses = pair.task_losses(network, prepared.pair, config)
        return {**_extra_losses(picture, prepared, pair, config), **losses}

    adversarial, strength = find_loss(recipe.loss.name), recipe.loss.lecam
    lecam = hold_scores(strength, adversarial) if strength else None
    players = TwoPlayer(
        adversarial,
        [Discriminator(DISCRIMINATOR, _score_by(discriminator, masked))],
        prepare=prepare,
        real=lambda prepared: prepared.pair.target,
        generate=make,
        extra_losses=beside,
        weight=config.adversarial,
        lecam=lecam,
    )
    turns = players.turns(Penalties(recipe.loss.r1, recipe.loss.r2, recipe.loss.gradient_penalty), recipe.loss.update)
    others = {GAME, *(stage for one in auxiliaries for stage in one.stages)}
    first = tuple(stage.name for stage in stages(recipe) if stage.name not in others)
    alone = (Turn("learn", (GENERATOR,), learn, stages=first),) if first else ()
    auxiliary = (one.turn(networks[one.name], config) for one in auxiliaries)
    played = (*alone, *(replace(turn, stages=(GAME,)) for turn in turns), *auxiliary)
    observers = lecam.observers if lecam else {}
    return Game({**networks, DISCRIMINATOR: discriminator}, played, tuple(networks), observers)


def _score_by(discriminator: nn.Module, masked: bool) -> Callable[[Tensor, PreparedPair], Scores]:
    """Score pictures; with a mask, which the discriminator sees, there and near where something is lost."""

    def score(picture: Tensor, prepared: PreparedPair) -> Scores:
        if not masked:
            return Scores(discriminator(shifted(picture, prepared.run)).float())
        shown = torch.cat([picture, prepared.pair.lost], 1)
        return Scores(scores_near(discriminator, shifted(shown, prepared.run)))

    return score


def _counted(pair: TrainingPair) -> Tensor:
    """Give what is lost of pictures (b, 1, h, w); of those that lost nothing all pixels count alike, and so nothing."""
    return pair.lost + LEAST


def scores_near(discriminator: nn.Module, shown: Tensor) -> Tensor:
    """Score pictures with what is lost of them (b, c + 1, h, w), there and near; elsewhere the score is zero."""
    near = max_pool2d(shown[:, -1:], 2 * NEAR + 1, PATCH, NEAR).flatten(1)
    scores: Tensor = discriminator(shown).float()
    return scores * near


def _extra_losses(picture: Tensor, prepared: PreparedPair, pair: Pairing[Keys], config: Keys) -> dict[str, Tensor]:
    """Measure how far what was made is from what it should be, which the generator descends besides."""
    target = prepared.pair.target
    where = _counted(prepared.pair) if pair.masked(config) else None
    losses = {"pixel": config.pixel * pixel_distance(picture, target, where)}
    if config.perceptual:
        shown = [picture, target] if where is None else [picture, target, where.expand_as(picture)]
        ours, theirs, *counted = shifted(torch.cat(shown), prepared.run).chunk(len(shown))
        seen = seen_distance(ours, theirs, pair, config, *(one[:, :1] for one in counted))
        losses["perceptual"] = config.perceptual * seen
    return losses


def seen_distance(
    made: Tensor, target: Tensor, pair: Pairing[Keys], config: Keys, where: Tensor | None = None
) -> Tensor:
    """Give the mean perceptual distance of what the network makes from its targets (b, c, h, w), as they are seen;
    `where` (b, 1, h, w) says how much each pixel counts.
    """
    network = perceptual_network(config.perceptual_network)
    return perceptual_distance(pair.seen(made), pair.seen(target), network, where).mean()


def with_whole_path(config: PhotographConfig) -> PhotographConfig:
    """Give the options with a file's whole path, so that the run goes on from any folder; ValueError if it is none."""
    if config.perceptual_network == LOSS_NETWORK:
        return config
    path = str(at_home(config.perceptual_network).resolve())
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
