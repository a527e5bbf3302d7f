"""The game of prediction, in two stages: first near the truth, then also against discriminators of clips and frames.

From one still many futures may come. Of several that noise gives only the one nearest to the truth is brought nearer
(Fan et al., 2017, "A Point Set Generation Network ...", equation 5), so that noise tells futures apart; one alone would
become their mean, in which all that moves fades.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gannet.adversarial.discriminator_augment import DiscriminatorAugment
from gannet.adversarial.game import Game, Outcome, Pass, Turn
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import TwoPlayer
from gannet.networks.moving_layers import MovingLayersGenerator, laid
from gannet.networks.two_stream import Layers
from gannet.recipe import Recipe
from gannet.schedule import stages
from gannet.tasks._video.game import GENERATOR, Sparsity, discriminators, lecam_of, penalties_of, watching
from gannet.tasks._video.symmetries import seen_by
from gannet.tasks.video_prediction.config import Config

GAME = "game"
"""The stage with discriminators."""
SCALES = (1, 4, 8)
"""How many times smaller frames are compared: in small what lies beside its place is near, and not only wrong."""
SMALL = 4
"""How many times smaller futures are compared, of which the nearest is looked for."""
LOOKED_AT = 8
"""Frames of a clip that are held against the truth at a time: others next time, at a quarter of the work of all."""


class Nearest(NamedTuple):
    """The nearest future.

    Attributes:
        layers: of some of its frames.
        true: those frames as they came, (b, c, n, h, w).
    """

    layers: Layers
    true: Tensor

    def losses(self) -> tuple[Tensor, Tensor]:
        """Give how far it is from the truth, and how much of it is foreground."""
        return clip_distance(self.layers.clip(), self.true), self.layers.mask.mean()


def build_game(recipe: Recipe, networks: dict[str, nn.Module], view: DiscriminatorAugment, config: Config) -> Game:
    """Build the turns of both stages; made clips carry their mask behind their colours, which no discriminator sees.

    Raises:
        ValueError: a kind of augmentation that is not done to clips, or a loss that does not go with `loss.lecam`.
    """
    generator = networks[GENERATOR]
    assert isinstance(generator, MovingLayersGenerator)
    channels, given = generator.shape[0], generator.given
    lecam, penalty = lecam_of(recipe), Sparsity.of(config.sparsity, recipe)
    nearest = nearest_by(generator, config.draws)

    seen = seen_by(config.symmetries)

    def learn(given_pass: Pass) -> Outcome:
        run = seen(given_pass)
        frames, future = parts_of(run.sample["real"], given)
        apart, mask = nearest(frames, future, run).losses()
        return Outcome({GENERATOR: {"pixel": apart, "mask": penalty.weight * mask}})

    def generate(run: Pass) -> Tensor:
        frames, _ = parts_of(run.sample["real"], given)
        layers = generator.layers(frames, run.normal(generator.latent))
        masks = torch.cat([torch.zeros_like(frames[:, :1]), layers.mask], 2)
        return torch.cat([generator.continued(frames, layers), masks], 1)

    def beside(fake: Tensor, run: Pass) -> dict[str, Tensor]:
        frames, future = parts_of(run.sample["real"], given)
        apart, _ = nearest(frames, future, run).losses()
        return {"pixel": config.pixel * apart, "mask": penalty.weight * fake[:, channels:].mean()}

    players = TwoPlayer(
        find_loss(recipe.loss.name),
        discriminators(networks, view, channels, given),
        prepare=seen,
        real=lambda run: run.sample["real"],
        generate=generate,
        extra_losses=beside,
        lecam=lecam,
    )
    turns = players.turns(penalties_of(recipe), recipe.loss.update)
    first = tuple(stage.name for stage in stages(recipe) if stage.name != GAME)
    alone = (Turn("learn", (GENERATOR,), learn, stages=first),) if first else ()
    played = (*alone, *(replace(turn, stages=(GAME,)) for turn in turns))
    return Game(networks, played, (GENERATOR,), watching(view, lecam, penalty))


def parts_of(clips: Tensor, given: int) -> tuple[Tensor, Tensor]:
    """Part clips (b, c, t, h, w) into the given frames and those that come."""
    return clips[:, :, :given], clips[:, :, given:]


def nearest_by(generator: MovingLayersGenerator, draws: int) -> Callable[[Tensor, Tensor, Pass], Nearest]:
    """Give what makes the nearest of so many futures, by noise of a pass; some frames of it, drawn anew every time."""

    def nearest(frames: Tensor, future: Tensor, run: Pass) -> Nearest:
        parted, latent = generator.parted(frames), run.normal(draws, generator.latent)
        at = some_frames(run, future.shape[2])
        rows, true = torch.arange(len(frames), device=frames.device), frames_at(future, at)
        chosen = torch.zeros_like(rows)
        if draws > 1:
            with torch.no_grad():
                small = parted.smaller(min(SMALL, *future.shape[3:])).repeated(draws)
                motion = generator.motion(small, latent.transpose(0, 1).flatten(0, 1)).at(at.repeat(draws, 1))
                made, wanted = laid(small, motion).clip(), smaller(true, SMALL)
                apart = (made.unflatten(0, (draws, -1)) - wanted).abs().mean((2, 3, 4, 5))
                chosen = apart.argmin(0)
        return Nearest(laid(parted, generator.motion(parted, latent[rows, chosen]).at(at)), true)

    return nearest


def some_frames(run: Pass, length: int) -> Tensor:
    """Draw which frames of each clip are looked at, (b, n), one from each of equal parts of it."""
    count = min(LOOKED_AT, length)
    drawn = run.uniform(count)
    parts = torch.arange(count, device=drawn.device)
    return ((parts + drawn) * (length / count)).long().clamp_max(length - 1)


def frames_at(clips: Tensor, at: Tensor) -> Tensor:
    """Give frames (b, n) of clips (b, c, t, h, w): (b, c, n, h, w)."""
    return clips[torch.arange(len(clips), device=clips.device)[:, None], :, at].transpose(1, 2)


def clip_distance(made: Tensor, true: Tensor) -> Tensor:
    """Give the mean absolute difference of clips (b, c, t, h, w), at full size and in small."""
    apart = made - true
    return torch.stack([smaller(apart, scale).abs().mean() for scale in SCALES]).mean()


def smaller(clips: Tensor, factor: int) -> Tensor:
    """Give clips (b, c, t, h, w) so many times smaller, at least of a pixel."""
    factor = min(factor, *clips.shape[3:])
    return clips if factor == 1 else avg_pool2d(clips.flatten(1, 2), factor).unflatten(1, clips.shape[1:3])
