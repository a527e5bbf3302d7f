"""The players against a generator of clips: a discriminator of clips and one of frames; and what holds masks small."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gannet.adversarial.discriminator_augment import DiscriminatorAugment
from gannet.adversarial.game import Curve, Observer, Pass, Seen, State
from gannet.adversarial.lecam import LeCam, hold_scores
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import Discriminator, Penalties, Scores
from gannet.augmentation.clips import augment_clips, still_kinds
from gannet.augmentation.draws import SeveralEach
from gannet.recipe import Recipe
from gannet.schedule import total_images

GENERATOR, CLIP, FRAME = "generator", "clip", "frame"
PLAYERS = (GENERATOR, CLIP, FRAME)
GROWS = 0.5
"""The share of a run in which the penalty of the mask grows to its weight."""


class Sparsity:
    """Raises the weight of the mask's penalty from nothing to `weight` over so many images, and keeps it there."""

    curves = (Curve("Weight of the mask's penalty", ("weight",)),)

    def __init__(self, weight: float, images: float) -> None:
        self.full, self.over, self.images = weight, max(1.0, images), 0

    @classmethod
    def of(cls, weight: float, recipe: Recipe) -> "Sparsity":
        """Let it grow over the first half of a run."""
        return cls(weight, GROWS * total_images(recipe))

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


def discriminators(
    networks: Mapping[str, nn.Module], view: DiscriminatorAugment, channels: int, first: int = 0, count: int = 1
) -> list[Discriminator[Pass]]:
    """Give what looks at whole clips, and what looks at frames of each, drawn anew every time.

    What lies behind the channels of clips, such as their mask, neither sees.

    Args:
        first: of the frames that are looked at one by one.
        count: of those of each clip that are (after Clark et al., 2019, "Adversarial Video Generation on Complex
            Datasets", section 3.2).

    Raises:
        ValueError: a kind of augmentation that is not done to clips.
    """
    still_kinds(view.kinds)

    def clips(sample: Tensor, run: Pass) -> Tensor:
        return augment_clips(sample[:, :channels], view.kinds, view.share(), run)

    def frames(sample: Tensor, run: Pass) -> Tensor:
        return view(_some_frames(sample[:, :channels, first:], run, count), SeveralEach(run, count))

    return [
        Discriminator(CLIP, _scored(networks[CLIP]), clips),
        Discriminator(FRAME, _scored(networks[FRAME]), frames),
    ]


def _scored(discriminator: nn.Module) -> Callable[[Tensor, Pass], Scores]:
    def score(sample: Tensor, run: Pass) -> Scores:
        rows, label = len(run.sample["real"]), run.sample.get("label")
        label = None if label is None else label.repeat_interleave(len(sample) // rows)
        logits: Tensor = discriminator(sample, label)
        return Scores(logits.float().unflatten(0, (rows, -1)))

    return score


def _some_frames(clips: Tensor, run: Pass, count: int) -> Tensor:
    """Give so many frames of each clip (b, c, t, h, w), drawn anew in each pass: (count * b, c, h, w)."""
    which = (run.uniform(count) * clips.shape[2]).long().clamp_max(clips.shape[2] - 1)
    return clips[torch.arange(len(clips), device=clips.device)[:, None], :, which.to(clips.device)].flatten(0, 1)


def lecam_of(recipe: Recipe) -> LeCam | None:
    """Give what holds scores together where it is asked for; ValueError where the loss does not go with it."""
    loss = recipe.loss
    return hold_scores(loss.lecam, find_loss(loss.name)) if loss.lecam else None


def penalties_of(recipe: Recipe) -> Penalties:
    """Give the gradient penalties of both discriminators."""
    return Penalties(recipe.loss.r1, recipe.loss.r2, recipe.loss.gradient_penalty)


def watching(view: DiscriminatorAugment, lecam: LeCam | None, sparsity: Sparsity) -> dict[str, Any]:
    """Name who watches the game by itself."""
    observers: Mapping[str, Observer] = {
        **view.observers,
        **(lecam.observers if lecam else {}),
        "sparsity": sparsity,
    }
    return dict(observers)
