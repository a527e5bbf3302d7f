"""The game of clips: a generator in two streams against a discriminator of clips and one of frames."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gannet.adversarial.discriminator_augment import DiscriminatorAugment
from gannet.adversarial.game import Curve, Game, Observer, Pass, Seen, State
from gannet.adversarial.lecam import hold_scores
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import Discriminator, Penalties, Scores, TwoPlayer, of_the_pass
from gannet.augmentation.clips import augment_clips, still_kinds
from gannet.recipe import Recipe
from gannet.schedule import total_images

GENERATOR, CLIP, FRAME = "generator", "clip", "frame"
GROWS = 0.5
"""The share of a run in which the penalty of the mask grows to its weight."""


class Sparsity:
    """Raises the weight of the mask's penalty from nothing to `weight` over so many images, and keeps it there."""

    curves = (Curve("Weight of the mask's penalty", ("weight",)),)

    def __init__(self, weight: float, images: float) -> None:
        self.full, self.over, self.images = weight, max(1.0, images), 0

    @property
    def weight(self) -> float:
        """The weight now."""
        return self.full * min(1.0, self.images / self.over)

    def observe(self, seen: Seen) -> None:
        """Take note of the images seen."""
        self.images = seen.images

    def measures(self) -> dict[str, float]:
        """Give the weight."""
        return {"weight": self.weight}

    def state_dict(self) -> State:
        """Give the images seen."""
        return {"images": self.images}

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.images = state["images"]


def build_game(recipe: Recipe, networks: dict[str, nn.Module], view: DiscriminatorAugment, sparsity: float) -> Game:
    """Build the game; fakes carry their mask behind their colours, which no discriminator sees.

    Raises:
        ValueError: a kind of augmentation that is not done to clips, or a loss that does not go with `loss.lecam`.
    """
    still_kinds(view.kinds)
    loss, adversarial = recipe.loss, find_loss(recipe.loss.name)
    lecam = hold_scores(loss.lecam, adversarial) if loss.lecam else None
    penalty = Sparsity(sparsity, GROWS * total_images(recipe))
    generator: Any = networks[GENERATOR]
    channels = generator.shape[0]

    def generate(run: Pass) -> Tensor:
        layers = generator.layers(run.normal(generator.latent), run.sample.get("label"))
        return torch.cat([layers.clip(), layers.mask], 1)

    def clips(sample: Tensor, run: Pass) -> Tensor:
        return augment_clips(sample[:, :channels], view.kinds, view.share(), run)

    def frames(sample: Tensor, run: Pass) -> Tensor:
        return view(_some_frame(sample[:, :channels], run), run)

    players = TwoPlayer(
        adversarial,
        [
            Discriminator(CLIP, _scored(networks[CLIP]), clips),
            Discriminator(FRAME, _scored(networks[FRAME]), frames),
        ],
        prepare=of_the_pass,
        real=lambda run: run.sample["real"],
        generate=generate,
        extra_losses=lambda fake, _: {"mask": penalty.weight * fake[:, channels:].abs().mean()},
        lecam=lecam,
    )
    turns = players.turns(Penalties(loss.r1, loss.r2, loss.gradient_penalty), loss.update)
    watching: Mapping[str, Observer] = {**view.observers, **(lecam.observers if lecam else {}), "sparsity": penalty}
    return Game(networks, turns, (GENERATOR,), dict(watching))


def _scored(discriminator: nn.Module) -> Callable[[Tensor, Pass], Scores]:
    def score(sample: Tensor, run: Pass) -> Scores:
        logits: Tensor = discriminator(sample, run.sample.get("label"))
        return Scores(logits.float())

    return score


def _some_frame(clips: Tensor, run: Pass) -> Tensor:
    """Give a frame of each clip (b, c, t, h, w), drawn anew in each pass: (b, c, h, w)."""
    which = (run.uniform() * clips.shape[2]).long().clamp_max(clips.shape[2] - 1)
    return clips[torch.arange(len(clips), device=clips.device), :, which.to(clips.device)]
