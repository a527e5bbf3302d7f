"""Pipelines of generators whose samples are dear, each of several parts: drawn one by one, its parts beside it."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from gannet.adversarial.two_player import GENERATOR
from gannet.networks.pair import Generator
from gannet.pipelines.pipeline import GeneratorPipeline
from gannet.pipelines.samples import Batches, Further, Samples, class_labels, latents
from gannet.pipelines.settings import SettingsOf
from gannet.schema import Section
from gannet.tasks.generation.pipeline import DrawOptions, Settings


class OneByOneOptions(DrawOptions):
    """What is asked of a generator of what is dear."""

    most: ClassVar[int] = 10**6


class OneByOnePipeline(GeneratorPipeline):
    """Draws samples one by one: `pipeline(num=4, seed=0)`; their further outputs go beside them."""

    Options: ClassVar[type[Section]] = OneByOneOptions
    settings = SettingsOf(Settings)
    BATCH: ClassVar[int] = 1
    """Drawn at once: one, which takes little longer than one of several, and does not depend on their number."""

    @abstractmethod
    def drawn(self, latent: Tensor, label: Tensor | None) -> Any:
        """Draw from latent vectors (b, latent) and classes (b,) what all outputs are taken from."""

    @abstractmethod
    def output(self, name: str, drawn: Any) -> Tensor:
        """Take one of the outputs from what was drawn: (b, ...)."""

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where the model does not know the class."""
        options = super().options(given)
        assert isinstance(options, OneByOneOptions)
        self.labels(1, options.label)
        return options

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Name the classes."""
        return {"class": self.settings.description.classes} if self.settings.conditional else {}

    def draw(self, options: Section) -> Samples:
        """Draw samples; sample i of a seed is the same whatever their number is."""
        return self.batches(options).together()

    def batches(self, options: Section) -> Batches:
        """Give the same samples one by one, each drawn when it is called for, and further outputs when those are."""
        assert isinstance(options, OneByOneOptions)
        labels, (first, *others) = self.labels(options.num, options.label), list(self.outputs.items())
        draw = self._drawing(options.seed, labels)
        makes = {name: self._makes(draw, options.num, name) for name in self.outputs}
        further = {name: Further(medium, makes[name]) for name, medium in others}
        description = self.settings.description
        return Batches(
            makes[first[0]],
            self.BATCH,
            description.shape,
            self.facts(options),
            labels,
            description.classes,
            first[1],
            further,
        )

    def parts(self, num: int, seed: int, labels: Tensor | None = None, name: str = "") -> list[Callable[[], Tensor]]:
        """Give an output, the first by default, sample by sample, each drawn when it is called: (1, ...)."""
        labels, name = self.labels(num) if labels is None else labels, name or next(iter(self.outputs))
        return self._makes(self._drawing(seed, labels), num, name)

    def _drawing(self, seed: int, labels: Tensor | None) -> Callable[[int], Any]:
        """Give what draws a sample, and keeps it until the next: its outputs are asked for one after the other."""

        @torch.no_grad()
        def draw(number: int) -> Any:
            vectors = latents(self.generator, seed, number, self.BATCH).to(self.device)
            label = None if labels is None else labels[number : number + self.BATCH].to(self.device)
            return self.drawn(vectors, label)

        return lru_cache(maxsize=1)(draw)

    def _makes(self, draw: Callable[[int], Any], num: int, name: str) -> list[Callable[[], Tensor]]:
        @torch.no_grad()
        def make(number: int) -> Tensor:
            return self.output(name, draw(number)).cpu().contiguous()

        return [partial(make, number) for number in range(num)]

    @property
    def generator(self) -> Generator:
        """The network."""
        return cast(Generator, self.networks[GENERATOR])

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the generator, and a batch of `latent` (b, latent) and, for classes, `label` (b,)."""
        inputs, labels = {"latent": latents(self.generator, 0, 0, self.BATCH)}, self.labels(self.BATCH)
        return self.generator, inputs if labels is None else {**inputs, "label": labels}

    def labels(self, num: int, label: str | None = None) -> Tensor | None:
        """Give the classes of `num` samples (num,): all in turn or the one asked for; None without classes."""
        return class_labels(self.settings.description.classes if self.settings.conditional else (), num, label)
