"""Restoration: scratches, tears, stains and dust on old photographs found, and filled with what might have been there.

Two networks learn side by side from damage that is drawn on photographs: one finds it, in the photograph and in
smaller copies of a large one, the other fills what is lost (Wan et al., 2020, "Bringing Old Photos Back to Life", has
both). What was not damaged comes back untouched, bit for bit. A mask of the user's own goes before what is found.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import AfterValidator, Field
from scipy.ndimage import maximum_filter
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits, max_pool2d

from gannet.adversarial.game import Outcome, Pass, Turn
from gannet.adversarial.similarity import Frozen
from gannet.adversarial.two_player import GENERATOR
from gannet.augmentation.damage import DAMAGES, damage, fade, patches
from gannet.augmentation.kinds import Drawn, Draws
from gannet.media import photograph
from gannet.media.medium import Medium
from gannet.media.photograph import Photograph
from gannet.media.pyramid import Mask, as_mask, doubled, halved, hidden, visible
from gannet.media.tiling import TiledOperation, as_tensor, as_values, in_tiles
from gannet.metrics.measure import Measure
from gannet.networks.unet import Unet
from gannet.pipelines.pipeline import Input
from gannet.runtime.later import later
from gannet.runtime.randomness import generator
from gannet.schema import Section, check, nearest
from gannet.task import Exam
from gannet.tasks._image_restoration import (
    LOOK_SEED,
    Auxiliary,
    Evaluation,
    ImageRestoration,
    Pairing,
    PhotographConfig,
    TrainingPair,
)
from gannet.tasks._image_restoration.evaluation import (
    MOST_JUDGED,
    EvaluationPair,
    draws_for,
    fidelity_figures,
    measures,
    photographs,
)
from gannet.tasks._image_restoration.pipeline import PHOTOGRAPH, PhotographPipeline, Settings
from gannet.tasks.inpainting import MASK, NETWORKS, Filler, all_lost, filling_network, hole_pair, near_or_far

metrics = later("sklearn.metrics")

DETECTOR, SEARCH, WIDER = "detector", "search", 2
"""Pixels by which what is found is widened: the edges of a scratch are damaged as well."""
MOST_SIDES = 2.0
"""Sides of the largest photographs to learn to find damage in, in sides of the patches of them that are seen."""
AROUND, OUTSTANDING = 5, 4.0
"""Pixels a side of what a pixel is compared with, and how many times larger their difference is shown."""
LARGE = 768
"""Pixels of the longer side above which a photograph is searched in a copy of half the size as well."""
SOFT = 0.1
"""Share of what is learned from that is a little out of focus."""
MISTAKEN = "share of a whole photograph taken for damage"
"""What the judge calls it."""
OVERLAP, FEW_PIXELS = 0.2, 10
"""Weight of the overlap that is lacking beside the cross-entropy, and what is added to both of its sides."""


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError(f"there is no damage in it; give some of {', '.join(DAMAGES)}")
    if unknown := [name for name in names if name not in DAMAGES]:
        raise ValueError(f"there is no damage {unknown[0]!r}; {nearest(unknown[0], DAMAGES)}")
    return names


class Config(PhotographConfig):
    """The keys of `task` for restoration."""

    damages: Annotated[tuple[str, ...], AfterValidator(_known)] = tuple(DAMAGES)
    """What is drawn on photographs to learn from: scratches, tears, stains, dust, hairs, creases."""
    detector: Annotated[int, Field(ge=1, le=256)] = 16
    """Channels of the first layer of the network that finds damage, 1 to 256."""


class Detector(nn.Module):
    """Scores each pixel for damage, by the picture and by what is lighter or darker than all around it."""

    def __init__(self, channels: int, options: Unet) -> None:
        super().__init__()
        self.unet = options.unet(channels + 1, 1, batch=True)
        self.stride, self.receptive_radius = self.unet.stride, self.unet.receptive_radius + AROUND // 2

    def forward(self, picture: Tensor) -> Tensor:
        """Map (b, c, h, w) to logits (b, 1, h, w)."""
        light = picture.mean(1, keepdim=True)
        around = avg_pool2d(light, AROUND, 1, AROUND // 2, count_include_pad=False)
        scores: Tensor = self.unet(torch.cat([picture, OUTSTANDING * (light - around)], 1))
        return scores


class RestorationPipeline(PhotographPipeline):
    """Restores photographs: `pipeline("old.jpg").save("restored.jpg")`."""

    task: ClassVar[str] = "restoration"
    offered: ClassVar[dict[str, Any]] = NETWORKS
    sparing: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Input]] = {"photograph": PHOTOGRAPH, "mask": replace(MASK, required=False)}

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the network that fills what is lost."""
        return filling_network(config.description.shape[0], cls.choice(config.network))

    @classmethod
    def build_networks(cls, config: Settings) -> dict[str, nn.Module]:
        """Build the network that fills what is lost, and the one that finds it."""
        options = replace(cls.choice(config.network), width=cls.fixed(config)[DETECTOR])
        detector = Detector(config.description.shape[0], options)
        return {**super().build_networks(config), DETECTOR: detector}

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:
        """Keep how wide the detector is."""
        return {DETECTOR: check(Config, config.task.options, "task").detector}

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Name a photograph, and where it was damaged."""
        return {**super().outputs, "mask": photograph.medium}

    @property
    def filler(self) -> Filler:
        """Hold what fills what is lost."""
        settings: Any = self.config
        return Filler(self.networks[GENERATOR], settings.description.shape[0], self._made)

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network that fills, and a `picture_and_mask` (1, c + 1, h, w), all of it lost."""
        network, inputs = super().traced()
        return network, {"picture_and_mask": all_lost(inputs["picture"])}

    def compute(self, given: Tensor) -> Tensor:
        """Fill what is lost of pictures (b, c, h, w) in [-1, 1]: those pixels that are not a number."""
        return self.filler.complete(given)

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:  # noqa: ARG002
        """Restore a photograph, by the user's mask or else by what is found."""
        given, mask = inputs["photograph"], inputs.get("mask")
        if mask:
            return {"photograph": self.improve(given, mask), "mask": mask}
        found = self.find(given)
        return {"photograph": self._repaired(given, found), "mask": found}

    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:
        """Fill what is lost: what the mask says, or what is found, if it is not all of it."""
        return self.filler.fill(given, mask) if mask else self._repaired(given, self.find(given))

    def _repaired(self, given: Photograph, found: Photograph) -> Photograph:
        """Fill what was found; where that is nothing or all, the photograph is as it was."""
        lost = found.values[~hidden(given)]
        return self.filler.fill(given, found) if lost.any() and not lost.all() else given

    def find(self, photograph: Photograph) -> Photograph:
        """Find where a photograph is damaged, with the edges of that: white there, black elsewhere.

        What is fully transparent is not.
        """
        found = self.damaged(visible(photograph)) & ~hidden(photograph)
        return Photograph(maximum_filter(as_mask(found), 2 * WIDER + 1, axes=(0, 1)))

    def damaged(self, photograph: Photograph) -> Mask:
        """Find where a photograph is damaged, (h, w).

        A large one is searched in a copy of half the size as well, and so on: some of it is wide.
        """
        detector: Any = self.networks[DETECTOR]
        operation = TiledOperation(self._seen, detector.receptive_radius, 1, detector.stride)
        seen = in_tiles(photograph, operation).values
        found: Mask = seen[..., 0] > photograph.largest // 2
        if max(found.shape) > LARGE:
            half, _ = halved(photograph.values, np.zeros_like(found))
            found |= doubled(self.damaged(Photograph(half)), found.shape)
        return found

    @torch.inference_mode()
    def _seen(self, tile: Tensor) -> Tensor:
        """Give what is light where a tile is damaged."""
        settings: Any = self.config
        channels, network = settings.description.shape[0], self.networks[DETECTOR]
        picture = tile.expand(-1, channels, -1, -1) if tile.shape[1] == 1 else tile
        picture = picture.mean(1, keepdim=True) if channels == 1 else picture
        damaged: Tensor = network(picture.to(next(network.parameters()).device)).cpu()
        return damaged.sign()


def training_pair(pictures: Tensor, draws: Draws, config: Config) -> TrainingPair:
    """Make a picture, faded at times, less some damage; and the whole picture."""
    return hole_pair(faded(pictures, draws), config.patch, draws, partial(_lost, kinds=config.damages))


def _lost(pictures: Tensor, draws: Draws, kinds: tuple[str, ...]) -> Tensor:
    """Draw damage of some kinds, with its edges, (b, 1, h, w)."""
    return max_pool2d(damage(pictures, kinds, draws).lost, 2 * WIDER + 1, 1, WIDER)


def search(pictures: Tensor, draws: Draws, config: Config) -> tuple[Tensor, Tensor]:
    """Give patches, or all of small copies (b, c, h, w), most of them damaged, and where (b, 1, h, w).

    Photographs fade after they are damaged, too, and scans are soft at times.
    """
    patch = near_or_far(pictures, config.patch, (draws.uniform() < 0.5).float(), draws)
    view = patches(1 / (1 + (MOST_SIDES - 1) * draws.uniform()), draws)
    spoiled = damage(patch, config.damages, draws, view)
    scan = faded(spoiled.pictures, draws)
    return torch.where(_some(draws, SOFT), softened(scan), scan), spoiled.lost


def find_turn(network: nn.Module, config: Config) -> Turn:
    """Let the detector learn which pixels are damaged, in every stage."""

    def find(run: Pass) -> Outcome:
        pictures, lost = search(run.sample["real"], run, config)
        scores = network(pictures)
        return Outcome(
            {
                DETECTOR: {
                    "cross_entropy": binary_cross_entropy_with_logits(scores, lost),
                    "overlap": OVERLAP * overlap_lacking(scores, lost),
                }
            }
        )

    return Turn("find", (DETECTOR,), find)


def found_of_held_out(network: nn.Module, shown: Tensor, config: Config) -> dict[str, float]:
    """Measure how much of the damage on patches of held-out pictures is found, by F1 of all their pixels."""
    pictures, lost = search(shown, Drawn(len(shown), generator(LOOK_SEED, "search")), config)
    found = network.eval()(pictures.to(next(network.parameters()).device)).cpu() > 0
    return {"found_f1": f1_of_masks(lost.numpy() > 0, found.numpy())}


def found_in_photographs(pipeline: Any, exam: Exam, config: Config) -> list[Measure]:
    """Measure how much of the damage the model finds, and how much else.

    Damage is found by F1 of the pixels, on sharp and on soft scans; else by the share that it would fill anew.
    """
    unknown = tuple(name for name in DAMAGES if name not in config.damages)
    found, most = list[Measure](), exam.query.num or exam.query.reach(MOST_JUDGED)
    for kinds, words in ((config.damages, "learned"), (unknown, "not learned")):
        if kinds:
            rows = [found_shares(pipeline, *_damaged(real, kinds), words) for real in photographs(exam, most)]
            found += measures(rows, None, ", ".join(kinds), dict.fromkeys(rows[0] if rows else (), "high"))
    taken = [{MISTAKEN: float((pipeline.find(real).values > 0).mean())} for real in photographs(exam, most)]
    return found + measures(taken, None, "without damage", {MISTAKEN: "low"})


def evaluation_pair(real: Photograph, config: Config) -> EvaluationPair:
    """Draw damage on a photograph, the same for the same photograph; the model has to find it."""
    damaged, lost = _damaged(real, config.damages)
    return EvaluationPair(damaged, real, {"untouched": damaged}, hole_mask=lost)


def figures(made: Photograph, pair: EvaluationPair, perceptual: Frozen | None) -> dict[str, float]:
    """Measure the whole photograph, for what was whole may suffer, and what was lost."""
    whole = fidelity_figures(made, replace(pair, hole_mask=None), perceptual)
    return {**whole, **fidelity_figures(made, pair, None)}


def faded(pictures: Tensor, draws: Draws) -> Tensor:
    """Fade half of the pictures (b, c, h, w)."""
    return torch.where(_some(draws, 0.5), fade(pictures, draws), pictures)


def softened(pictures: Tensor) -> Tensor:
    """Bring pictures (b, c, h, w) a little out of focus: each pixel the mean of nine."""
    return avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)


def _some(draws: Draws, share: float) -> Tensor:
    """Choose pictures, about a share of them, (b, 1, 1, 1)."""
    return (draws.uniform() < share)[:, None, None, None]


def _damaged(real: Photograph, kinds: tuple[str, ...]) -> tuple[Photograph, Mask]:
    """Give a photograph with damage of some kinds, and where it is; drawn until there is some."""
    draws, values = draws_for(real, "damage"), as_tensor(real.values)
    drawn = (damage(values, kinds, draws) for _ in count())
    spoiled = next(one for one in drawn if one.lost.any())
    return Photograph(as_values(spoiled.pictures, real.values.dtype)), spoiled.lost[0, 0].numpy() > 0


def found_shares(pipeline: RestorationPipeline, spoiled: Photograph, lost: Mask, words: str) -> dict[str, float]:
    """Give the F1 of the pixels that a model finds damaged, as the photograph is and where a scan of it is soft."""
    soft = Photograph(as_values(softened(as_tensor(spoiled.values)), spoiled.values.dtype))
    return {
        f"damage of kinds {words} found{how}, F1": f1_of_masks(lost, pipeline.damaged(scan))
        for how, scan in (("", spoiled), (" on a soft scan", soft))
    }


def f1_of_masks(lost: Mask, found: Mask) -> float:
    """Give the F1 of the pixels that are found; 1 where nothing is lost and nothing found."""
    return float(metrics.f1_score(lost.ravel(), found.ravel(), zero_division=1.0))


def overlap_lacking(scores: Tensor, lost: Tensor) -> Tensor:
    """Give one less the mean overlap of what is found, by its probability, with what is lost (b, 1, h, w).

    Nearly as much for a hair as for a stain (Dice's; Drozdzal et al., 2016, "The Importance of Skip Connections in
    Biomedical Image Segmentation"); a few pixels more on both sides, so that a whole picture asks for nothing found.
    """
    every = (1, 2, 3)
    found = scores.sigmoid()
    shared, all_of_both = (found * lost).sum(every), found.sum(every) + lost.sum(every)
    return 1 - ((2 * shared + FEW_PIXELS) / (all_of_both + FEW_PIXELS)).mean()


task = ImageRestoration(
    Config,
    RestorationPipeline,
    Pairing(training_pair),
    Evaluation(evaluation_pair, figures, "Y of BT.601, eight bits"),
    (Auxiliary(DETECTOR, (SEARCH,), find_turn, found_of_held_out, found_in_photographs),),
)
