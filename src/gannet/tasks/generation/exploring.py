"""Looking around in what a generator of pictures can draw: walks between seeds and classes, and strong directions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gannet.adversarial.two_player import GENERATOR
from gannet.networks.latent_space import blends_classes, closed_form_directions, entering_weight, generate_blended
from gannet.networks.pair import Generator
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.samples import latents
from gannet.pipelines.walks import walk_through
from gannet.tasks.generation.pipeline import GenerationPipeline


@dataclass(frozen=True)
class Point:
    """What a picture is drawn of.

    Attributes:
        latent: (latent,).
        label: the number of its class; None for a generator without classes.
    """

    latent: Tensor
    label: int | None = None


def check_explored(pipeline: Pipeline) -> GenerationPipeline:
    """Take a model that can be explored; ValueError for any other."""
    if not isinstance(pipeline, GenerationPipeline) or not pipeline.settings.description.pictured:
        raise ValueError(
            f"{pipeline.name or 'This'} is a model for {pipeline.task}; what is explored is a generator of pictures, "
            "such as fashion-mnist or a run of the recipe images."
        )
    return pipeline


class Explorer:
    """Draws pictures of points in the latent space of a generator.

    Args:
        pipeline: the generator's.
        engine: what computes it, as its pipeline names it.
    """

    def __init__(self, pipeline: GenerationPipeline, engine: str = "auto") -> None:
        self.pipeline, self.engine = pipeline, pipeline.engine(engine)
        self.network = cast(Generator, pipeline.networks[GENERATOR])

    def point(self, seed: int, label: str | None = None, truncation: float = 1.0) -> Point:
        """Give the point of a seed: of its first sample, as `gannet apply --seed` draws it.

        Args:
            label: its class, by name or number; None: the first one, where there are any.
            truncation: what its latent vector is multiplied by. Less than one is nearer to what is usual (Brock et al.,
                2019, "Large Scale GAN Training ...", section 3.1, scale in place of drawing anew).
        """
        labels = self.pipeline.labels(1, label)
        vector = truncation * latents(self.network, seed, first=0, count=1)[0]
        return Point(vector, None if labels is None else int(labels[0]))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty where the generator knows none."""
        return self.pipeline.settings.description.classes if self.pipeline.settings.conditional else ()

    @cached_property
    def _factorized(self) -> tuple[Tensor, Tensor]:
        try:
            return closed_form_directions(entering_weight(self.network).cpu())
        except ValueError as error:
            raise ValueError(
                f"{self.pipeline.name} has no directions to be told by its weights, for {error}; walk between seeds."
            ) from None

    def directions(self, numbers: Sequence[int]) -> Tensor:
        """Give directions of unit length (n, latent) by their numbers, 1 the strongest.

        Raises:
            ValueError: there are not so many, or none at all.
        """
        found = self._factorized[0] if numbers else torch.empty(0, self.network.latent)
        for number in numbers:
            if not 1 <= number <= len(found):
                raise ValueError(
                    f"Direction {number} is none of the {len(found)} that the latent vector has, from 1 on."
                )
        return found[[number - 1 for number in numbers]]

    def shares(self, numbers: Sequence[int]) -> dict[int, float]:
        """Tell which share directions have, by number, of all that a latent vector changes at the first layer.

        Raises:
            ValueError: there are not so many, or none at all.
        """
        self.directions(numbers)
        return {number: float(self._factorized[1][number - 1]) for number in numbers}

    def moved(self, point: Point, moves: Mapping[int, float]) -> Point:
        """Move a point along directions, by number, each so far: in standard deviations of a latent vector."""
        if not moves:
            return point
        reach = torch.tensor(list(moves.values()))
        return replace(point, latent=point.latent + reach @ self.directions(list(moves)))

    def along(self, point: Point, numbers: Sequence[int], reach: Tensor) -> Tensor:
        """Draw a point moved along each of n directions by each of m distances: (n * m, c, h, w)."""
        ways = self.directions(numbers)[:, None] * reach[None, :, None]
        vectors = (point.latent + ways).flatten(0, 1)
        return self._drawn(vectors, None if point.label is None else torch.full((len(vectors),), point.label))

    def walk(self, points: Sequence[Point], frames: int) -> Tensor:
        """Draw a walk from the first point to the last, (n, c, h, w), as `walk_through` steps.

        Where the class changes it does so step by step, along straight lines between what the network knows of classes.

        Raises:
            ValueError: the class is to change, and this network has nothing between two of them.
        """
        vectors = walk_through(torch.stack([point.latent for point in points]), frames)
        labels = [point.label for point in points]
        if labels[0] is None:
            return self._drawn(vectors, None)
        if len(set(labels)) == 1:
            return self._drawn(vectors, torch.full((len(vectors),), labels[0]))
        if not blends_classes(self.network):
            raise ValueError(f"{self.pipeline.name} has nothing between two classes; name one of them.")
        return self._blended(vectors, _straight(one_hot(torch.tensor(labels), self.network.classes).float(), frames))

    def _drawn(self, vectors: Tensor, labels: Tensor | None) -> Tensor:
        return self.pipeline.generate(vectors, labels, self.engine)

    @torch.no_grad()
    def _blended(self, vectors: Tensor, shares: Tensor) -> Tensor:
        size, device = self.pipeline.BATCH, self.pipeline.device
        parts = zip(vectors.split(size), shares.split(size), strict=True)
        drawn = [generate_blended(self.network, one.to(device), part.to(device)).float().cpu() for one, part in parts]
        return torch.cat(drawn)


def _straight(points: Tensor, frames: int) -> Tensor:
    """Walk from the first of n points to the last along straight lines, with as many steps as `walk_through`."""
    steps = torch.arange(1, frames)[:, None] / (frames - 1)
    ways = [start + steps * (end - start) for start, end in pairwise(points)]
    return torch.cat([points[:1], *ways])
