"""The game of clips: a generator in two streams against a discriminator of clips and one of frames."""

from typing import Any

import torch
from torch import Tensor, nn

from gannet.adversarial.discriminator_augment import DiscriminatorAugment
from gannet.adversarial.game import Game, Pass
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import TwoPlayer, of_the_pass
from gannet.recipe import Recipe
from gannet.runtime.devices import processes
from gannet.tasks._video.game import (
    CLIP,
    GENERATOR,
    Sparsity,
    discriminators,
    lecam_of,
    penalties_of,
    watching,
)
from gannet.tasks.video_generation.pipeline import Config


def build_game(recipe: Recipe, networks: dict[str, nn.Module], view: DiscriminatorAugment, config: Config) -> Game:
    """Build the game; fakes carry their mask behind their colours, which no discriminator sees.

    Raises:
        ValueError: a kind of augmentation that is not done to clips, a loss that does not go with `loss.lecam`, or
            groups of clips that a batch is not cut into evenly.
    """
    generator: Any = networks[GENERATOR]
    _check_groups(recipe, getattr(networks[CLIP], "group", 1))
    channels, lecam, penalty = generator.shape[0], lecam_of(recipe), Sparsity.of(config.sparsity, recipe)

    def generate(run: Pass) -> Tensor:
        layers = generator.layers(run.normal(generator.latent), run.sample.get("label"))
        return torch.cat([layers.clip(), layers.mask], 1)

    players = TwoPlayer(
        find_loss(recipe.loss.name),
        discriminators(networks, view, channels, count=config.frames),
        prepare=of_the_pass,
        real=lambda run: run.sample["real"],
        generate=generate,
        extra_losses=lambda fake, _: {"mask": penalty.weight * fake[:, channels:].abs().mean()},
        lecam=lecam,
    )
    turns = players.turns(penalties_of(recipe), recipe.loss.update)
    return Game(networks, turns, (GENERATOR,), watching(view, lecam, penalty))


def _check_groups(recipe: Recipe, group: int) -> None:
    """Hold groups together, so that cutting a batch among passes and processes changes nothing."""
    together = recipe.batch // (recipe.accumulate * processes())
    if together % group:
        raise ValueError(
            f"network.group is {group}, and {together} clips are looked at at a time (batch over accumulate and "
            "processes); choose a group that divides them."
        )
