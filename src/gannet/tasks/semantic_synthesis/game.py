"""The game of painting label maps: a generator, and a discriminator that tells the class of each pixel, or a fake.

OASIS (Schonfeld et al., 2021, "You Only Need Adversarial Supervision for Semantic Image Synthesis").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate, one_hot

from gannet.adversarial.game import Game, Outcome, Pass, Turn
from gannet.adversarial.penalties import squared_gradient
from gannet.adversarial.similarity import activation_distance, pixel_distance
from gannet.networks.painting import REGION_NOISE
from gannet.networks.place_norm import PlaceNorm
from gannet.networks.style import averaged, completed
from gannet.networks.unet import Unet
from gannet.recipe import Penalty, Recipe
from gannet.schedule import stages
from gannet.tasks._image_restoration import perceptual_network
from gannet.tasks._image_restoration.config import LOSS_NETWORK
from gannet.tasks.segmentation import as_shares, counted
from gannet.tasks.semantic_synthesis.config import GENERATOR, Config, PaintingNetwork

DISCRIMINATOR = "discriminator"
SMALL = "small"
"""The stage in which pictures are painted at half the size."""
COARSE = 8
"""Pixels a side of what is compared where the true picture's style is asked for: how it is filled in is left free."""
SMALLEST = 0.005
"""The part of a picture that a class fills at least whose texture counts."""
BROADEST = 17
"""Pixels a side of the square over which the most of a map decides, at the most, an odd number."""
FAINT = 1e-3
"""The mean square up to which a layer or a band is taken to be that large: of flat pictures nothing is asked."""
BANDS = 4
"""Bands of frequencies whose energy is compared, each half as high as the one before it."""
OWN = 0.5
"""The share of pictures that are painted in their own style; the others take another's of the batch."""


@dataclass(frozen=True)
class Painting:
    """What a pass is about, and what was painted.

    Attributes:
        real: true pictures (b, 3, h, w).
        shares: their maps, (b, n, h, w), all 0 where nobody counts.
        style: that was asked for, (b, n, s).
        own: (b,), 1 where that is the true picture's.
        fake: what was painted, of the size of the real ones.
        truth: the maps at that size, (b, n, h, w).
    """

    real: Tensor
    shares: Tensor
    style: Tensor
    own: Tensor
    fake: Tensor
    truth: Tensor


def balanced_loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Give the cross-entropy of the true classes, in which every class that is there counts the same.

    OASIS, equations 1 and 2: a pixel counts by the inverse of how many pixels of the batch are of its class.

    Args:
        logits: (b, n + 1, h, w), of the classes and of fakes.
        shares: what part of each pixel each class has, (b, n, h, w).
    """
    classes = shares.shape[1]
    likely = logits.float().log_softmax(1)[:, :classes]
    there = shares.sum((0, 2, 3))
    each = -(likely * shares).sum((0, 2, 3)) / there.clamp_min(1e-6)
    return (each * (there > 0)).sum() / (there > 0).sum().clamp_min(1)


def fake_loss(logits: Tensor) -> Tensor:
    """Give the cross-entropy of the class of fakes, the last one, of logits (b, n + 1, h, w)."""
    return -logits.float().log_softmax(1)[:, -1].mean()


def mixed(real: Tensor, fake: Tensor, mask: Tensor) -> Tensor:
    """Mix reals and fakes by a mask (b, 1, h, w), 1 where the real is seen: OASIS, equation 3."""
    return mask * real + (1 - mask) * fake


def class_mask(shares: Tensor, picked: Tensor) -> Tensor:
    """Give a mask (b, 1, h, w) of whole regions: 1 where classes lie that are picked, (b, n) of zeros and ones."""
    return (shares * picked[:, :, None, None]).sum(1, keepdim=True)


def texture_distance(ours: Sequence[Tensor], theirs: Sequence[Tensor], shares: Tensor) -> Tensor:
    """Tell how far the means and spreads of activations are apart in each class, wherever in it they lie, (b,).

    Matched statistics of activations are matched texture (Li et al., 2017, "Demystifying Neural Style Transfer",
    section 4.2). Every layer counts by its own size, every class that fills a part of the picture the same.

    Args:
        ours, theirs: activations or bands (b, c, h', w') of what was painted and of the true pictures.
        shares: what part of each pixel each class has, (b, n, h, w).
    """
    fills = (shares.mean((2, 3)) > SMALLEST).float()
    total = torch.zeros(len(shares), device=shares.device)
    for layer, true in zip(ours, theirs, strict=True):
        around = adaptive_avg_pool2d(shares, (layer.shape[2], layer.shape[3]))
        apart = sum(
            (one - other).square().mean(2)
            for one, other in zip(_moments(layer, around), _moments(true, around), strict=True)
        )
        size = true.float().square().mean().clamp_min(FAINT)
        total = total + (apart * fills).sum(1) / fills.sum(1).clamp_min(1) / size
    return total


def bands(picture: Tensor) -> list[Tensor]:
    """Part pictures (b, c, h, w) into bands of frequencies, each of half the size of the one before it.

    What varies over many pixels hardly shows in activations (Burt & Adelson, 1983, "The Laplacian Pyramid").
    """
    found = []
    for _ in range(BANDS):
        if min(picture.shape[2:]) < 2:
            break
        below = avg_pool2d(picture, 2)
        found.append(picture - interpolate(below, list(picture.shape[2:]), mode="bilinear"))
        picture = below
    return found


def _moments(values: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean and the spread of values (b, c, h, w) in each class, (b, n, c) each."""
    values = values.float()
    mean = averaged(values, shares)
    return mean, (averaged(values.square(), shares) - mean.square()).clamp_min(1e-6).sqrt()


def log_odds(logits: Tensor) -> Tensor:
    """Tell how much likelier than a fake each picture is to be real, summed over pixels: (b,).

    Over the root of their number, so that a penalty of its gradient means the same at every size.
    """
    odds = logits.float()[:, :-1].logsumexp(1) - logits.float()[:, -1]
    total: Tensor = odds.flatten(1).sum(1) / odds[0].numel() ** 0.5
    return total


def build_game(recipe: Recipe, config: Config, network: PaintingNetwork, classes: int) -> Game:
    """Build the turns: those of the stage `small` at half the size, those of others at the whole."""
    discriminator = Unet(config.discriminator_width, depth=4, fold=2, overview=True).unet(3, classes + 1, PlaceNorm)
    names = [stage.name for stage in stages(recipe)]
    halves = [(True, tuple(name for name in names if name == SMALL)), (False, tuple(n for n in names if n != SMALL))]
    turns: list[Turn] = []
    for halved, during in halves:
        if during:
            turns += _Players(network, discriminator, config, classes, halved).turns(recipe.loss.r1, during)
    return Game({GENERATOR: network, DISCRIMINATOR: discriminator}, tuple(turns), (GENERATOR,))


@dataclass(frozen=True)
class _Players:
    """Both players, at one size."""

    network: PaintingNetwork
    discriminator: nn.Module
    config: Config
    classes: int
    halved: bool

    def turns(self, r1: Penalty | None, during: tuple[str, ...]) -> list[Turn]:
        """Give the discriminator's turn, its penalty, and the generator's."""
        before = "small_" if self.halved else ""
        turns = [
            Turn(before + DISCRIMINATOR, (DISCRIMINATOR,), self._discriminate, stages=during, records=(GENERATOR,))
        ]
        if r1 is not None:
            turns.append(Turn(f"{before}r1", (DISCRIMINATOR,), self._penalize(r1), r1.every, during))
        return [*turns, Turn(before + GENERATOR, (GENERATOR,), self._generate, stages=during)]

    def _painting(self, run: Pass) -> Painting:
        return run.shared("painting" + str(self.halved), self._paint)

    def _paint(self, run: Pass) -> Painting:
        """Paint the maps of a pass, some in their own style and some in another's of the batch."""
        flipped = run.uniform() < 0.5
        picture = _flipped(run.sample["image"], flipped)
        maps = counted(_flipped(run.sample["map"], flipped), self.config.ignore, self.classes)
        _, shares = as_shares(maps, self.classes)
        if self.config.coarse:
            draws = run.on_processor()  # What is asked of each picture; a GPU would have to be waited for.
            shares = coarsened(shares, draws.uniform() < self.config.coarse, draws.uniform())
        real = avg_pool2d(picture, 2) if self.halved else picture
        there = shares.sum((2, 3)) > 0
        seen = self.network.encoder(self._whole(real), shares)
        self.network.bank.keep(seen, there)
        own = (run.uniform() < OWN).float()
        others = completed(seen.detach(), there).roll(1, 0)
        style = torch.where(own[:, None, None] > 0, seen, others)
        region_noise, noise = run.normal(self.classes, REGION_NOISE), run.normal(1, *real.shape[2:])
        fake = self.network.painter(shares, style, region_noise, noise, self.halved)
        truth = shares[:, :, ::2, ::2] if self.halved else shares
        return Painting(real, shares, style, own, fake, truth)

    def _whole(self, picture: Tensor) -> Tensor:
        """Give pictures at the size of the maps."""
        return interpolate(picture, scale_factor=2.0, mode="bilinear") if self.halved else picture

    def _discriminate(self, run: Pass) -> Outcome:
        painting = self._painting(run)
        fake, real = painting.fake.detach(), painting.real
        picked = (run.uniform(self.classes) < 0.5).float()
        mask = class_mask(painting.truth, picked)
        shown = [real, fake, mixed(real, fake, mask)] if self.config.label_mix else [real, fake]
        of_real, of_fake, *of_mixture = self.discriminator(torch.cat(shown)).chunk(len(shown))
        losses = {"real": balanced_loss(of_real, painting.truth), "fake": fake_loss(of_fake)}
        for logits in of_mixture:
            apart = (logits - mixed(of_real, of_fake, mask)).square().mean()
            losses["label_mix"] = self.config.label_mix * apart
        watched = {"discriminator/real": log_odds(of_real), "discriminator/fake": log_odds(of_fake)}
        return Outcome({DISCRIMINATOR: losses}, watched)

    def _penalize(self, r1: Penalty) -> Callable[[Pass], Outcome]:
        def play(run: Pass) -> Outcome:
            real = self._painting(run).real
            penalty = squared_gradient(lambda seen: log_odds(self.discriminator(seen)), real)
            return Outcome({DISCRIMINATOR: {"r1": r1.weight * r1.every * penalty}})

        return play

    def _generate(self, run: Pass) -> Outcome:
        painting, config = self._painting(run), self.config
        adversarial = balanced_loss(self.discriminator(painting.fake), painting.truth)
        losses = {"adversarial": config.adversarial * adversarial}
        losses["style"] = config.keeping_style * self._style_lost(painting)
        own = painting.own[:, None, None, None]
        coarse = COARSE // 2 if self.halved else COARSE
        ours, theirs = (avg_pool2d(one, coarse) for one in (painting.fake * own, painting.real * own))
        share = painting.own.mean().clamp_min(1e-6)
        losses["pixel"] = config.pixel * pixel_distance(ours, theirs) / share
        if config.perceptual or config.texture:
            losses |= {
                name: (one * painting.own).mean() / share for name, one in self._perceptual_losses(painting).items()
            }
        return Outcome({GENERATOR: losses})

    def _perceptual_losses(self, painting: Painting) -> dict[str, Tensor]:
        """Tell how far what was painted looks from the true picture, place by place and class by class, (b,) each."""
        look, config = perceptual_network(LOSS_NETWORK), self.config
        ours, theirs = look(painting.fake), look(painting.real)
        found = dict[str, Tensor]()
        if config.perceptual:
            found["perceptual"] = config.perceptual * activation_distance(ours, theirs)
        if config.texture:
            ours, theirs = [*ours, *bands(painting.fake)], [*theirs, *bands(painting.real)]
            found["texture"] = config.texture * texture_distance(ours, theirs, painting.truth)
        return found

    def _style_lost(self, painting: Painting) -> Tensor:
        """Tell how far the style that is seen in what was painted is from the one that was asked for.

        What sees it does not learn from this: it would learn to see nothing.
        """
        encoder: Any = self.network.encoder
        fixed = {name: parameter.detach() for name, parameter in encoder.named_parameters()}
        seen = functional_call(encoder, fixed, (self._whole(painting.fake), painting.shares))
        there = (painting.shares.sum((2, 3)) > 0).float()[..., None]
        apart = (seen - painting.style.detach()).abs() * there
        mean: Tensor = apart.sum() / (there.sum() * encoder.size).clamp_min(1)
        return mean


def coarsened(shares: Tensor, which: Tensor, how: Tensor) -> Tensor:
    """Give the maps (b, n, h, w) of some pictures as people draw them: each place has the class of most around it.

    What is fine, such as the edge of a cloud or the twigs of a tree, is then left to whoever paints.

    Args:
        which: (b,), true for those that are coarsened.
        how: (b,), from 0 to 1, how coarsely, up to `BROADEST` pixels a side.
    """
    known = shares.sum(1, keepdim=True)
    made = shares
    for number in which.nonzero()[:, 0].tolist():
        side = 2 * round(1 + float(how[number]) * (BROADEST - 3) / 2) + 1
        around = shares[number : number + 1]
        for _ in range(2):  # Twice a box is nearly round.
            around = avg_pool2d(around, side, 1, side // 2, count_include_pad=False)
        whole = one_hot(around.argmax(1), shares.shape[1]).permute(0, 3, 1, 2).to(shares)
        made = torch.cat([made[:number], whole, made[number + 1 :]])
    return made * known


def _flipped(values: Tensor, which: Tensor) -> Tensor:
    """Mirror some of (b, ..., w) left to right."""
    return torch.where(which.view(-1, *[1] * (values.ndim - 1)), values.flip(-1), values)


def mean_colours(pictures: Tensor, shares: Tensor) -> Tensor:
    """Fill each region of maps (b, n, h, w) with the mean colour of its class over all pictures: (b, 3, h, w)."""
    joined = averaged(pictures.transpose(0, 1).flatten(2)[None], shares.transpose(0, 1).flatten(2)[None])
    filled: Tensor = torch.einsum("bnhw,nc->bchw", shares, joined[0])
    return filled
