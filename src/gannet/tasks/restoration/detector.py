"""The network that finds damage, and what it learns from."""

from dataclasses import dataclass
from functools import cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits

from gannet.adversarial.game import Outcome, Pass, Turn
from gannet.augmentation.damage import (
    USUAL,
    Damaged,
    Layer,
    Manner,
    change,
    change_near,
    damage,
    fade,
    light_or_dark,
    patches,
    sometimes,
)
from gannet.augmentation.draws import Drawn, Draws, SeveralEach
from gannet.augmentation.pasting import paste
from gannet.media.pyramid import Mask
from gannet.networks.unet import Unet
from gannet.runtime.later import later
from gannet.runtime.randomness import generator
from gannet.tasks._image_restoration import LOOK_SEED
from gannet.tasks.inpainting import near_or_far
from gannet.tasks.restoration.config import Config
from gannet.tasks.restoration.pieces import overlays, prints

metrics = later("sklearn.metrics")

DETECTOR, SEARCHES = "detector", ("search", "settle", "rest")
"""The network, and the stages in which nobody else learns, so that its learning rate may fall in steps."""
MOST_SIDES = 2.0
"""Sides of the largest photographs to learn to find damage in, in sides of the patches of them that are seen."""
AROUND, OUTSTANDING = 5, 4.0
"""Pixels a side of what a pixel is compared with, and how many times larger their difference is shown."""
OVERLAP, FEW_PIXELS = 0.2, 10
"""Weight of the overlap that is lacking beside the cross-entropy, and what is added to both of its sides."""
OVERLAID_WIDTHS, OVERLAID_SIDES = (1.5, 24.0), (0.15, 4.0)
"""Pixels that scanned damage is wide where it is widest, as likely narrow as wide, and sides of a piece of it, at least
and at most, in sides of the patch: at one size for all, blots would cover patches, and hairs be lost in them.
"""
IGNORED = 0.5
"""What stands where nobody could tell whether something is lost."""
PRINTED_SIDES = (0.8, 5.0)
"""Sides of a printed page, at least and at most, in sides of the patch."""
HEAVIEST = 20.0
"""How many times as much as another pixel one that is lost weighs, at most."""
RARE = -3.0
"""The logit of damage before anything is learned: one pixel in twenty."""
GRAIN_SIDE = 512
"""Pixels a side of the grain that is laid over pictures, everywhere another part of it."""


ALWAYS = Manner(1.0)


@dataclass(frozen=True)
class Scans:
    """What the scans are like that are searched.

    Attributes:
        manner: how they are damaged.
        overlaid: how scanned damage is laid over them.
        pieces: how many pieces of scanned damage are, one over the other.
        undamaged, printed, framed, grey, unsharp: shares of them that are spared, printed on, end in a frame or in the
            next picture of a collage, without colours, out of focus.
        grain: the largest deviation of their grain, of values from -1 to 1.
        unseen, seen: change of pixels up to which nobody sees damage, which is none then, and from which on everyone
            does where something is lost; all else that changed is ignored. 0: all that is lost is damage.
        lost_weight: the share of a picture's pixels that what is lost counts as: a stain would drown a hair; 0: as many
            as it has.
    """

    manner: Manner = USUAL
    overlaid: Manner = ALWAYS
    pieces: int = 1
    undamaged: float = 0.0
    printed: float = 0.0
    framed: float = 0.0
    grey: float = 0.0
    unsharp: float = 0.1
    grain: float = 0.0
    unseen: float = 0.0
    seen: float = 0.0
    lost_weight: float = 0.0


SCANS = {
    "clean": Scans(),
    "world": Scans(
        Manner(0.15, soft=0.2),
        Manner(0.35, soft=0.2),
        pieces=2,
        undamaged=0.25,
        printed=0.05,
        framed=0.1,
        grey=0.5,
        unsharp=0.15,
        grain=0.02,
        unseen=0.05,
        seen=0.15,
        lost_weight=0.1,
    ),
}
"""Hairs were not learned where stains made up most of what counts, or where one patch in seven was printed on."""


@dataclass(frozen=True)
class Alike:
    """The same draws for pictures and, after all of them, for as many others."""

    draws: Draws

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal numbers (2 b, *shape)."""
        return torch.cat([self.draws.normal(*shape)] * 2)

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform numbers in [0, 1), (2 b, *shape)."""
        return torch.cat([self.draws.uniform(*shape)] * 2)

    def on_processor(self) -> "Alike":
        """Give the draws that follow on the processor."""
        return Alike(self.draws.on_processor())


class Detector(nn.Module):
    """Scores each pixel for damage, by the picture and by what is lighter or darker than all around it."""

    def __init__(self, channels: int, options: Unet) -> None:
        super().__init__()
        self.unet = options.unet(channels + 1, 1, nn.BatchNorm2d)
        # At even chances all weights of the exit would first learn the same: that damage is rare.
        nn.init.constant_(cast(Tensor, self.unet.exit.bias), RARE)
        self.stride, self.receptive_radius = self.unet.stride, self.unet.receptive_radius + AROUND // 2

    def forward(self, picture: Tensor) -> Tensor:
        """Map (b, c, h, w) to logits (b, 1, h, w)."""
        light = picture.mean(1, keepdim=True)
        around = avg_pool2d(light, AROUND, 1, AROUND // 2, count_include_pad=False)
        scores: Tensor = self.unet(torch.cat([picture, OUTSTANDING * (light - around)], 1))
        return scores


def search(pictures: Tensor, draws: Draws, config: Config) -> tuple[Tensor, Tensor]:
    """Give patches, or all of small copies (b, c, h, w), many of them damaged, and where (b, 1, h, w).

    Photographs fade after they are damaged, too, and scans are soft at times.
    """
    scans = SCANS[config.scans]
    pictures, draws = pictures.repeat_interleave(config.views, 0), SeveralEach(draws, config.views)
    with torch.autocast(pictures.device.type, enabled=False):  # In bf16 places would be off by pixels.
        patch = near_or_far(pictures, config.patch, (draws.uniform() < 0.5).float(), draws)
        view = patches(1 / (1 + (MOST_SIDES - 1) * draws.uniform()), draws)
        if scans.printed:
            patch = printed(patch, draws, scans.printed)
        if scans.framed:
            patch = framed(patch, draws, scans.framed)
        spoiled = damage(patch, config.damages, draws, view, scans.manner)
        if config.overlays:
            spoiled = overlaid(spoiled, draws, config, scans)
        if scans.undamaged:
            spared = sometimes(draws, scans.undamaged)
            spoiled = Damaged(torch.where(spared, patch, spoiled.pictures), spoiled.lost * ~spared)
        return scanned(patch, spoiled, draws, scans)


def printed(pictures: Tensor, draws: Draws, share: float) -> Tensor:
    """Print words on some of the pictures (b, c, h, w); they belong to them."""
    cover = paste(pictures, prints(pictures.device), draws, PRINTED_SIDES)
    ink = Layer(cover, _tinted(pictures, draws), 0.6 + 0.4 * draws.uniform())
    return Manner(share).lay(Damaged(pictures, torch.zeros_like(cover)), ink, draws).pictures


def framed(pictures: Tensor, draws: Draws, share: float) -> Tensor:
    """Let some of the pictures (b, c, h, w) end in a frame of one colour, wide or thin, and in another picture beyond.

    As scans of mounted photographs and collages do; the edges are upright or level, and belong to the pictures. The
    other picture is the same upside down: one of the batch would be another where several processes share that.
    """
    height, width = pictures.shape[2:]
    columns, rows = torch.arange(width, device=pictures.device), torch.arange(height, device=pictures.device)[:, None]
    across = torch.where(sometimes(draws, 0.5), columns / width, rows / height)
    edge, thickness = (draws.uniform()[:, None, None, None] for _ in range(2))
    edge, turned = 1.4 * edge - 0.2, sometimes(draws, 0.5)
    beyond = torch.where(turned, edge - across, across - edge)
    colour = _tinted(pictures, draws)[:, :, None, None]
    other = torch.where(beyond > thickness**4, pictures.flip((2, 3)), torch.where(beyond > 0, colour, pictures))
    return torch.where(sometimes(draws, share), other, pictures)


def overlaid(spoiled: Damaged, draws: Draws, config: Config, scans: Scans) -> Damaged:
    """Lay pieces of scanned damage over some of the pictures."""
    pieces = overlays(config.overlays, config.overlay_kinds, spoiled.pictures.device)
    pixels = pieces.widths * max(spoiled.pictures.shape[2:])
    narrowest, widest = ((width / pixels).clamp(*OVERLAID_SIDES) for width in OVERLAID_WIDTHS)
    for _ in range(scans.pieces):
        cover = paste(spoiled.pictures, pieces.covers, draws, (narrowest, widest))
        layer = Layer(cover, _tinted(spoiled.pictures, draws), 0.4 + 0.6 * draws.uniform())
        spoiled = scans.overlaid.lay(spoiled, layer, draws)
    return spoiled


def _tinted(pictures: Tensor, draws: Draws) -> Tensor:
    """Light or dark colours (b, c), few of them strong."""
    return (light_or_dark(draws, 0.55, 0.3) + 0.3 * draws.normal(pictures.shape[1]).pow(3) / 3).clamp(-1, 1)


def scanned(patch: Tensor, spoiled: Damaged, draws: Draws, scans: Scans) -> tuple[Tensor, Tensor]:
    """Give damaged patches (b, c, h, w) as scans show them, and where damage is seen in those: 1; `IGNORED` where some
    would see it; 0 where it is too faint for anyone, or none.

    What stood out in colours may not in greys, nor what was faint before it faded.
    """
    if not scans.seen:
        return shown(spoiled.pictures, draws, scans), spoiled.lost
    before, after = shown(torch.cat([patch, spoiled.pictures]), Alike(draws), scans).chunk(2)
    seen = spoiled.lost * (change_near(before, after) > scans.seen)
    ignored = (change(before, after) > scans.unseen) & (seen == 0)
    return after, torch.where(ignored, IGNORED, seen)


def shown(pictures: Tensor, draws: Draws, scans: Scans) -> Tensor:
    """Give pictures (b, c, h, w) as scans show them: faded at times, grey, grainy, out of focus."""
    if scans.grey:
        pictures = torch.where(sometimes(draws, scans.grey), pictures.mean(1, keepdim=True), pictures)
    scan = faded(pictures, draws)
    if scans.grain:
        scan = scan + _grain_of(scan, draws) * (scans.grain * draws.uniform().square()[:, None, None, None])
    return torch.where(sometimes(draws, scans.unsharp), softened(scan), scan)


def _grain_of(pictures: Tensor, draws: Draws) -> Tensor:
    """A part of the grain for each picture, (b, 1, h, w)."""
    grain, (height, width) = _grain(pictures.device), pictures.shape[2:]
    corner = (draws.uniform(2) * GRAIN_SIDE).long()
    rows, columns = (
        (corner[:, axis, None] + torch.arange(side, device=pictures.device)) % GRAIN_SIDE
        for axis, side in enumerate((height, width))
    )
    return grain[rows[:, :, None], columns[:, None, :]][:, None]


@cache
def _grain(device: torch.device) -> Tensor:
    """Normal numbers, two thirds of them by clumps."""
    numbers = torch.randn(2, 1, 1, GRAIN_SIDE, GRAIN_SIDE, generator=generator(0, "grain"))
    clumps = 3 * avg_pool2d(numbers[1], 3, 1, 1)
    return ((numbers[0] + clumps) / 2**0.5)[0, 0].to(device)


def faded(pictures: Tensor, draws: Draws) -> Tensor:
    """Fade half of the pictures (b, c, h, w)."""
    return torch.where(sometimes(draws, 0.5), fade(pictures, draws), pictures)


def softened(pictures: Tensor) -> Tensor:
    """Bring pictures (b, c, h, w) a little out of focus: each pixel the mean of nine."""
    return avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)


def find_turn(network: nn.Module, config: Config) -> Turn:
    """Let the detector learn which pixels are damaged, in every stage."""

    def find(run: Pass) -> Outcome:
        pictures, lost = search(run.sample["real"], run, config)
        scores = network(pictures)
        return Outcome(
            {
                DETECTOR: {
                    "cross_entropy": cross_entropy(scores, lost, SCANS[config.scans].lost_weight),
                    "overlap": OVERLAP * overlap_lacking(scores, lost),
                }
            }
        )

    return Turn("find", (DETECTOR,), find)


def cross_entropy(scores: Tensor, lost: Tensor, weight: float = 0.0) -> Tensor:
    """Give the mean cross-entropy of the pixels that can be told; what is lost weighs as a share of each picture.

    A lost pixel weighs at most `HEAVIEST` times as much as another; without a share all alike. After Xie and Tu (2015),
    "Holistically-Nested Edge Detection", equation 2.
    """
    told, is_lost = lost != IGNORED, lost == 1
    each = told.float()
    if weight:
        share = is_lost.sum((1, 2, 3), keepdim=True) / told.sum((1, 2, 3), keepdim=True)
        each = told * torch.where(is_lost, (weight / share).clamp_max(HEAVIEST), 1.0)
    return (each * binary_cross_entropy_with_logits(scores, lost, reduction="none")).sum() / told.sum().clamp_min(1)


def overlap_lacking(scores: Tensor, lost: Tensor) -> Tensor:
    """Give one less the mean overlap of what is found, by its probability, with what is lost (b, 1, h, w).

    Nearly as much for a hair as for a stain (Dice's; Drozdzal et al., 2016, "The Importance of Skip Connections in
    Biomedical Image Segmentation"); a few pixels more on both sides, so that a whole picture asks for nothing found.
    """
    every = (1, 2, 3)
    told = lost != IGNORED
    found, lost = scores.sigmoid() * told, lost * told
    shared, all_of_both = (found * lost).sum(every), found.sum(every) + lost.sum(every)
    return 1 - ((2 * shared + FEW_PIXELS) / (all_of_both + FEW_PIXELS)).mean()


def found_of_held_out(network: nn.Module, shown: Tensor, config: Config) -> dict[str, float]:
    """Measure how much of the damage on patches of held-out pictures is found, by F1 of the pixels that can be told."""
    pictures, lost = search(shown, Drawn(len(shown), generator(LOOK_SEED, "search")), config)
    found = network.eval()(pictures.to(next(network.parameters()).device)).cpu() > 0
    return {"found_f1": f1_of_masks(lost.numpy() == 1, found.numpy() & (lost.numpy() != IGNORED))}


def f1_of_masks(lost: Mask, found: Mask) -> float:
    """Give the F1 of the pixels that are found; 1 where nothing is lost and nothing found."""
    return float(metrics.f1_score(lost.ravel(), found.ravel(), zero_division=1.0))
