"""The two players of generation, and who steers them: what a recipe says of loss, augmentation and normalization."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gannet.adversarial.chain import ChainControl
from gannet.adversarial.discriminator_augment import DiscriminatorAugment
from gannet.adversarial.game import Game, Observer, Pass
from gannet.adversarial.lecam import hold_scores
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import (
    DISCRIMINATOR,
    GENERATOR,
    Discriminator,
    Penalties,
    Scores,
    Side,
    TwoPlayer,
    of_the_pass,
)
from gannet.networks.chain import MEANS_WEIGHT, Look
from gannet.networks.dcgan import ChainDiscriminator
from gannet.networks.pair import Generator
from gannet.recipe import Recipe


def build_game(recipe: Recipe, generator: Generator, discriminator: nn.Module, view: DiscriminatorAugment) -> Game:
    """Build the game of two networks that take labels where the samples have them.

    Raises:
        ValueError: the recipe's `loss.lecam` does not go together with its loss.
    """

    def generate(run: Pass) -> Tensor:
        fake: Tensor = generator(run.normal(generator.latent), run.sample.get("label"))
        return fake

    def score(sample: Tensor, run: Pass) -> Scores:
        logits: Tensor = discriminator(sample, run.sample.get("label"))
        return Scores(logits.float())

    loss = recipe.loss
    adversarial, observers, score_side = find_loss(loss.name), dict[str, Observer](view.observers), None
    lecam = hold_scores(loss.lecam, adversarial) if loss.lecam else None
    observers |= lecam.observers if lecam else {}
    if isinstance(discriminator, ChainDiscriminator):
        score_side = _score_side(discriminator)
        observers |= ChainControl(discriminator.links, adversarial, recipe.batch).observers
    players = TwoPlayer(
        adversarial,
        [Discriminator(DISCRIMINATOR, score, view, score_side)],
        prepare=of_the_pass,
        real=lambda run: run.sample["real"],
        generate=generate,
        lecam=lecam,
    )
    turns = players.turns(Penalties(loss.r1, loss.r2, loss.gradient_penalty), loss.update)
    return Game({GENERATOR: generator, DISCRIMINATOR: discriminator}, turns, (GENERATOR,), observers)


def _score_side(discriminator: ChainDiscriminator) -> Callable[[Tensor, Pass, Side], Scores]:
    """Score samples of one side together, as CHAIN normalizes them."""

    def score(sample: Tensor, run: Pass, side: Side) -> Scores:
        look = Look(side)
        logits = discriminator.look_at(sample, run.sample.get("label"), look)
        squared_means = MEANS_WEIGHT * torch.stack(look.squared_means).sum()
        squares = {f"squares/{number}": values.detach() for number, values in enumerate(look.squares)}
        return Scores(logits.float(), losses={"squared_means": squared_means}, watched=squares)

    return score
