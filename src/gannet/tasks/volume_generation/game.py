"""The game of volumes: a generator against a discriminator that sees each volume together with its labels."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from gannet.adversarial.discriminator_augment import DiscriminatorAugment
from gannet.adversarial.game import Game, Observer
from gannet.adversarial.lecam import hold_scores
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import (
    DISCRIMINATOR,
    GENERATOR,
    Discriminator,
    Penalties,
    Scores,
    TwoPlayer,
    of_the_pass,
)
from gannet.augmentation.volumes import augment_volumes, volume_kinds
from gannet.networks.pair import Generator
from gannet.recipe import Recipe
from gannet.tasks.volume_generation.pipeline import LABELS, VOLUME


def build_game(
    recipe: Recipe,
    generator: Generator,
    discriminator: nn.Module,
    augment: DiscriminatorAugment,
    regions: tuple[int, ...],
) -> Game:
    """Build the game of two networks that take classes where the samples have them.

    Args:
        regions: their numbers; empty where there are no labels.

    Raises:
        ValueError: `loss.lecam` does not go together with the loss, or volumes are not augmented so.
    """
    volume_kinds(augment.kinds)
    loss = recipe.loss
    adversarial, observers = find_loss(loss.name), dict[str, Observer](augment.observers)
    lecam = hold_scores(loss.lecam, adversarial) if loss.lecam else None
    observers |= lecam.observers if lecam else {}
    draw, read = drawn_by(generator), seen_together(regions)
    score = scored_by(discriminator)
    players = TwoPlayer(
        adversarial,
        [
            Discriminator(
                DISCRIMINATOR,
                lambda sample, run: Scores(score(sample, run.sample.get("label"))),
                lambda sample, run: augment_volumes(sample, augment.kinds, augment.share(), run),
            )
        ],
        prepare=of_the_pass,
        real=lambda run: read(run.sample),
        generate=lambda run: draw(run.normal(generator.latent), run.sample.get("label")),
        lecam=lecam,
    )
    turns = players.turns(Penalties(loss.r1, loss.r2, loss.gradient_penalty), loss.update)
    return Game({GENERATOR: generator, DISCRIMINATOR: discriminator}, turns, (GENERATOR,), observers)


def seen_together(regions: tuple[int, ...]) -> Callable[[Mapping[str, Tensor]], Tensor]:
    """Give what puts samples together as the discriminator sees them: (b, 1 + regions, x, y, z).

    A voxel of a number that is not among the regions is of the first one.
    """

    def read(sample: Mapping[str, Tensor]) -> Tensor:
        volume = sample[VOLUME]
        if not regions:
            return volume
        numbers = torch.tensor(regions[1:], device=volume.device).view(1, -1, 1, 1, 1)
        of_each = (sample[LABELS][:, None] == numbers).to(volume.dtype)
        return torch.cat([volume, 1 - of_each.sum(1, keepdim=True), of_each], 1)

    return read


def drawn_by(generator: nn.Module) -> Callable[[Tensor, Tensor | None], Tensor]:
    """Give what draws samples as the discriminator sees them, of latent vectors and classes."""

    def draw(latent: Tensor, label: Tensor | None) -> Tensor:
        made: Tensor = generator(latent, label)
        return torch.cat([made[:, :1], decided(made[:, 1:])], 1) if made.shape[1] > 1 else made

    return draw


def decided(logits: Tensor) -> Tensor:
    """Decide for the likeliest region of each voxel (b, regions, x, y, z): ones and zeros, as labels are, whose
    gradients are those of the softmax (Bengio et al., 2013, "Estimating or Propagating Gradients ...", section 4).
    """
    soft = logits.float().softmax(1)
    hard = one_hot(soft.argmax(1), soft.shape[1]).movedim(-1, 1).to(soft.dtype)
    return hard + (soft - soft.detach())  # So that they are exact ones and zeros.


def scored_by(discriminator: nn.Module) -> Callable[[Tensor, Tensor | None], Tensor]:
    """Give what scores samples, of classes: (b,)."""

    def score(sample: Tensor, label: Tensor | None) -> Tensor:
        logits: Tensor = discriminator(sample, label)
        return logits.float()

    return score
