"""The pipeline of a trained generator, and what its config keeps."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from gannet.adversarial.two_player import GENERATOR
from gannet.data.image_dataset import Description
from gannet.networks import PAIRS, Pair, chosen
from gannet.pipelines.pipeline import Pipeline
from gannet.pipelines.samples import PLAIN, Engine, Request, Samples, facts_of, latents, padded, walk
from gannet.schema import Choice, Section, nearest

SHEET_SAMPLES = 64
"""What a sheet shows of a generator."""


class Settings(Section):
    """What `config.json` keeps of a generator."""

    description: Description
    network: Choice
    conditional: bool

    @model_validator(mode="after")
    def _classes_are_known(self) -> Self:
        if self.conditional and not self.description.classes:
            raise ValueError("a conditional generator needs the names of its classes")
        return self


class GenerationPipeline(Pipeline):
    """Draws samples: `pipeline(num=64, seed=0)`, of a class, or as a walk through latent space."""

    task: ClassVar[str] = "generation"
    draws: ClassVar[bool] = True
    Config: ClassVar[type[Section]] = Settings
    BATCH: ClassVar[int] = 64
    """Samples computed at once. Kernels differ by size, so it is fixed and the last batch is padded."""

    engine: Engine | None = None
    """How the generator is computed when not by PyTorch as it stands."""

    def __call__(self, num: int = 1, seed: int = 0, label: str | int | None = None, frames: int = 1) -> Samples:
        """Draw `num` samples; sample i of a seed is the same whatever `num` is.

        Args:
            label: a class by name or number; None goes through all classes in turn.
            frames: pictures from one sample to the next; more than one makes a closed walk of `num * frames`.

        Raises:
            ValueError: a number below one, or a label that the model does not know.
        """
        request = Request(num, seed, label, frames)
        request.check()
        vectors = latents(self.networks[GENERATOR], seed, first=0, count=num)
        labels = self.labels(num, label)
        if frames > 1:
            vectors = walk(vectors, frames)
            labels = labels.repeat_interleave(frames) if labels is not None else None
        classes = self.settings.description.classes
        facts = facts_of(self.name, request, self.engine.name if self.engine else PLAIN)
        return Samples(self._generate(vectors, labels), labels, facts, frames > 1, classes)

    def stream(self, num: int, seed: int, labels: Tensor | None = None) -> Iterator[Tensor]:
        """The values of the same samples, a batch (b, *shape) at a time, so that any number fits into memory.

        Args:
            labels: (num,) the class of each; None goes through all classes in turn.
        """
        for part in self.parts(num, seed, labels):
            yield part()

    def parts(self, num: int, seed: int, labels: Tensor | None = None) -> list[Callable[[], Tensor]]:
        """The batches of `stream`, each made when it is called."""
        labels = self.labels(num) if labels is None else labels
        firsts = range(0, num, self.BATCH)
        return [partial(self._batch, first, min(self.BATCH, num - first), seed, labels) for first in firsts]

    def _batch(self, first: int, count: int, seed: int, labels: Tensor | None) -> Tensor:
        vectors = latents(self.networks[GENERATOR], seed, first, count)
        return self._generate(vectors, None if labels is None else labels[first : first + count])

    def pick(self, indices: Tensor, seed: int, labels: Tensor | None = None) -> Tensor:
        """Samples of a seed by their indices (n,), as `stream` gives them; labels: of all of them."""
        labels = self.labels(int(indices.max()) + 1) if labels is None else labels
        vectors = torch.cat([latents(self.networks[GENERATOR], seed, index, 1) for index in indices.tolist()])
        return self._generate(vectors, None if labels is None else labels[indices])

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """The generator, and a batch of `latent` (b, latent) and, for classes, `label` (b,)."""
        network = self.networks[GENERATOR]
        inputs, labels = {"latent": latents(network, 0, 0, self.BATCH)}, self.labels(self.BATCH)
        return network, inputs if labels is None else {**inputs, "label": labels}

    @property
    def settings(self) -> Settings:
        """The model's config."""
        assert isinstance(self.config, Settings)
        return self.config

    @torch.no_grad()
    def _generate(self, vectors: Tensor, labels: Tensor | None) -> Tensor:
        network = self.networks[GENERATOR]
        device, compute = next(network.parameters()).device, self.engine or network
        parts = []
        for start in range(0, len(vectors), self.BATCH):
            part = padded(vectors[start : start + self.BATCH], self.BATCH).to(device)
            label = None if labels is None else padded(labels[start : start + self.BATCH], self.BATCH).to(device)
            parts.append(compute(part, label)[: len(vectors) - start].float().cpu())
        return torch.cat(parts)

    def labels(self, num: int, label: str | int | None = None) -> Tensor | None:
        """The classes of `num` samples (num,): all in turn or the one asked for; None without classes."""
        classes = self.settings.description.classes
        if not self.settings.conditional:
            if label is not None:
                raise ValueError(
                    "This model was trained without classes; leave the class out, or train with task.conditional."
                )
            return None
        if label is None:
            return torch.arange(num) % len(classes)
        label = str(label)
        if label not in classes and not (label.isdecimal() and int(label) < len(classes)):
            raise ValueError(f"This model does not know the class {label!r}; {nearest(label, classes)}")
        number = classes.index(label) if label in classes else int(label)
        return torch.full((num,), number)

    @classmethod
    def build(cls, config: Settings) -> Self:
        """Build the pipeline with an untrained generator."""
        classes = len(config.description.classes) if config.conditional else 0
        network = choose_pair(config.network).generator(config.description.shape, classes)
        return cls(config, {GENERATOR: network})


def choose_pair(network: Choice) -> Pair:
    """The pair of networks that a recipe or a config names, with its options."""
    return chosen(network, PAIRS)
