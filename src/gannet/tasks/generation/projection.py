"""Projection: the latent vector of whose pictures one is nearest to a picture that is given.

It is searched for by gradients, from the nearest of many that are drawn (as in Karras et al., 2020, "Analyzing and
Improving the Image Quality of StyleGAN", appendix D, without their noise, as small generators have no layers of it).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.adversarial.similarity import activation_distance
from gannet.adversarial.two_player import GENERATOR
from gannet.media import image
from gannet.networks.pair import Generator
from gannet.runtime.progress import Watch
from gannet.runtime.randomness import generator as addressed
from gannet.runtime.wording import reason
from gannet.tasks._image_restoration.config import LOSS_NETWORK
from gannet.tasks._image_restoration.game import perceptual_network
from gannet.tasks.generation.exploring import Point
from gannet.tasks.generation.pipeline import GenerationPipeline

DRAWN, STARTS = 256, 4
"""Vectors that are drawn, and how many of the nearest the search starts from."""
RATE, LAST_RATE = 0.1, 0.002
"""Learning rates of the search, first and last; a latent vector's numbers have a standard deviation of one."""
PERCEPTUAL, PRIOR = 0.1, 1e-3
"""Weights of the perceptual distance, and of the mean square of a latent vector, beside the pixels' mean square."""
SMALLEST_SEEN = 32
"""Pixels a side that the perceptual network learned from; smaller pictures are enlarged for it."""
NEARNESS = (
    (30.0, "is hardly to be told from it"),
    (22.0, "shows the same, and differs in details"),
    (16.0, "has its shape in the large"),
    (-math.inf, "is far from it: the model has learned nothing like it"),
)
"""Decibels of peak signal-to-noise ratio from which on something is said of two pictures."""
WORDS = "Looking for the picture"


@dataclass(frozen=True)
class Search:
    """How a picture is searched for.

    Attributes:
        seed: of what is drawn to start from.
        steps: of the search, at most.
        seconds: it lasts at most.
    """

    seed: int = 0
    steps: int = 200
    seconds: float = 60.0


@dataclass(frozen=True)
class Projection:
    """What was found.

    Attributes:
        point: whose picture is the nearest.
        psnr: of that picture against the one that was given, in decibels.
        drawn_psnr: of the nearest among pictures drawn at random, of which there were `DRAWN`.
        steps: that the search took.
        in_time: whether these are as many as it was to take.
    """

    point: Point
    psnr: float
    drawn_psnr: float
    steps: int
    in_time: bool

    def lines(self) -> list[str]:
        """Say in words how near it came."""
        near = next(words for least, words in NEARNESS if self.psnr >= least)
        drawn = f"of {DRAWN} drawn at random the nearest has {self.drawn_psnr:.1f} dB"
        lines = [f"The nearest picture that was found {near} (PSNR {self.psnr:.1f} dB; {drawn})."]
        if not self.in_time:
            lines.append(f"Its time was over after {self.steps:,} steps; give more --seconds, and it may come nearer.")
        return lines


def fitted_picture(pipeline: GenerationPipeline, path: str | Path) -> Tensor:
    """Read a picture, and bring it to the size and channels of a generator's: (c, h, w) in [-1, 1].

    Raises:
        ValueError: it is not there, cannot be read, or the model's pictures have channels that no file has.
    """
    channels, height, width = pipeline.settings.description.shape
    if channels == 2:
        raise ValueError(f"{pipeline.name} draws pictures of two channels, which no file of a picture has.")
    opened = image.medium.open(path)
    try:
        levels = image.medium.fit(opened, image.medium.field(height, width, channels))
    except Exception as error:  # A broken file makes decoders raise anything.
        raise ValueError(f"{path} cannot be read: {reason(error)}.") from None
    return torch.from_numpy(image.medium.to_array(levels))


def project(
    pipeline: GenerationPipeline, picture: Tensor, search: Search, label: int | None, watch: Watch
) -> Projection:
    """Find the point whose picture is nearest to one (c, h, w) in [-1, 1]; the same search finds the same point.

    Args:
        label: the class of the picture; None: any, where there are classes.

    Raises:
        Stopped: `watch` wants it to stop.
    """
    vectors, labels = _drawn(pipeline, search.seed, label)
    watch.step(0, search.steps, WORDS)
    apart = _apart(pipeline.generate(vectors, labels), picture)
    best = _nearest(apart, labels)
    chosen = None if labels is None else labels[best]
    found, steps = _descend(pipeline, picture, (vectors[best], chosen), search, watch)
    reached = _apart(pipeline.generate(found, chosen, pipeline.engine("auto")), picture)
    index = int(reached.argmin())
    point = Point(found[index], None if chosen is None else int(chosen[index]))
    return Projection(point, _decibels(reached[index]), _decibels(apart.min()), steps, steps == search.steps)


def _drawn(pipeline: GenerationPipeline, seed: int, label: int | None) -> tuple[Tensor, Tensor | None]:
    """Vectors (n, latent) and classes (n,) to choose from; none of them is a sample of the seed."""
    size = cast(Generator, pipeline.networks[GENERATOR]).latent
    vectors = torch.randn(DRAWN, size, generator=addressed(seed, "projection"))
    labels = pipeline.labels(DRAWN)
    return vectors, labels if labels is None or label is None else torch.full((DRAWN,), label)


def _nearest(apart: Tensor, labels: Tensor | None) -> Tensor:
    """Choose what to start from by how far pictures are (n,): the nearest, of different classes (n,) where it can be.

    A vector moves by gradients and a class does not, so that a class of which none starts is never found.
    """
    order = apart.argsort(stable=True)
    if labels is None:
        return order[:STARTS]
    classes = labels[order].tolist()
    repeated = [classes.index(one) < place for place, one in enumerate(classes)]
    return order[torch.tensor(repeated).int().argsort(stable=True)][:STARTS]


def _descend(
    pipeline: GenerationPipeline, picture: Tensor, start: tuple[Tensor, Tensor | None], search: Search, watch: Watch
) -> tuple[Tensor, int]:
    """Move vectors (n, latent) of classes (n,) to where their pictures are nearest; give them, and the steps taken."""
    network, device, until = pipeline.networks[GENERATOR], pipeline.device, time.monotonic() + search.seconds
    vectors = start[0].to(device).requires_grad_()
    labels = None if start[1] is None else start[1].to(device)
    distance, taken = _distance(picture.to(device)), 0
    optimizer = torch.optim.Adam([vectors], RATE)
    while taken < search.steps and time.monotonic() < until:
        watch.step(taken, search.steps, WORDS)
        for group in optimizer.param_groups:
            group["lr"] = LAST_RATE + (RATE - LAST_RATE) * (1 + math.cos(math.pi * taken / search.steps)) / 2
        with torch.enable_grad():
            # Each vector goes its own way, for the sum's gradient by one is that of its own distance.
            loss = (distance(network(vectors, labels)) + PRIOR * vectors.square().mean(1)).sum()
            (vectors.grad,) = torch.autograd.grad(loss, [vectors])
        optimizer.step()
        taken += 1
    return vectors.detach().cpu(), taken


def _distance(picture: Tensor) -> Callable[[Tensor], Tensor]:
    """Give what tells how far pictures (n, c, h, w) are from one (c, h, w): by pixels and by perceptual features."""
    network = perceptual_network(LOSS_NETWORK)

    def seen(pictures: Tensor) -> list[Tensor]:
        if min(pictures.shape[2:]) < SMALLEST_SEEN:
            pictures = interpolate(pictures, (SMALLEST_SEEN, SMALLEST_SEEN), mode="bilinear")
        return list(network(pictures))

    wanted = seen(picture[None])

    def distance(pictures: Tensor) -> Tensor:
        activations = [one.expand(len(pictures), -1, -1, -1) for one in wanted]
        return _apart(pictures, picture) + PERCEPTUAL * activation_distance(seen(pictures), activations)

    return distance


def _apart(pictures: Tensor, picture: Tensor) -> Tensor:
    """The mean square of what pictures (n, c, h, w) differ by from one (c, h, w): (n,)."""
    return (pictures - picture).square().mean((1, 2, 3))


def _decibels(mean_square: Tensor) -> float:
    """The peak signal-to-noise ratio, of values between -1 and 1."""
    return 10 * math.log10(4 / max(float(mean_square), 1e-10))
