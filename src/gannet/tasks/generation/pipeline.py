"""The pipeline of a trained generator, and what its config keeps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from math import prod
from typing import Annotated, ClassVar, Self, cast

import torch
from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from torch import Tensor, nn

from gannet.adversarial.two_player import GENERATOR
from gannet.data.image_dataset import Description
from gannet.media import image, points
from gannet.media.medium import Medium
from gannet.networks import PAIRS, Pair, chosen
from gannet.pipelines.backends import ENGINES, choose_engine, make_engine
from gannet.pipelines.pipeline import GeneratorPipeline
from gannet.pipelines.samples import PLAIN, Batches, Engine, Samples, class_labels, latents, padded
from gannet.pipelines.settings import SettingsOf
from gannet.pipelines.walks import walk
from gannet.schema import Choice, Section

MOST = 10**9
"""Samples that are drawn at once, which no disk holds."""
SHEET_SAMPLES = 64
"""What a sheet shows of a generator."""
Label = Annotated[str, BeforeValidator(lambda given: str(given) if isinstance(given, int) else given)]
"""A class by name or number."""


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


class SeedOptions(Section):
    """What is asked of anything that draws: how many, and from which seed.

    Attributes:
        counted: the options whose product tells how much is drawn.
        most: what that is at most.
    """

    counted: ClassVar[tuple[str, ...]] = ("num",)
    most: ClassVar[int] = MOST

    num: int = 1
    """How many samples; sample i of a seed is the same whatever their number is."""
    seed: int = 0
    """The same seed gives the same samples."""

    @model_validator(mode="after")
    def _are_in_range(self) -> Self:
        counts = [int(getattr(self, name)) for name in self.counted]
        if min(counts) < 1 or self.seed < 0:
            given = " and ".join([", ".join(map(str, counts)), str(self.seed)])
            are = f"{' and '.join(self.counted)} {'are' if len(counts) > 1 else 'is'}"
            raise ValueError(f"{are} 1 or more and seed 0 or more; given: {given}")
        if prod(counts) > self.most:
            given = " and ".join(map(str, counts))
            raise ValueError(f"{' times '.join(self.counted)} is {self.most:,} at most; given: {given}")
        return self


class DrawOptions(SeedOptions):
    """What is asked of any generator."""

    model_config = ConfigDict(populate_by_name=True)

    label: Label | None = Field(None, alias="class")
    """Only this class, by name or number; left out, all classes in turn."""


class GenerationOptions(DrawOptions):
    """What is asked of a generator of pictures or points."""

    counted: ClassVar[tuple[str, ...]] = ("num", "frames")

    frames: int = 1
    """Pictures from one sample to the next; more than one makes a closed walk, an animation."""
    engine: Annotated[str, Field(json_schema_extra={"enum": list(ENGINES)})] = "auto"
    """How it is computed: torch or onnx (single precision), bf16; auto: the fastest of them."""


class GenerationPipeline(GeneratorPipeline):
    """Draws samples: `pipeline(num=64, seed=0)`, of a class, or as a walk through latent space."""

    task: ClassVar[str] = "generation"
    Options: ClassVar[type[Section]] = GenerationOptions
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)
    BATCH: ClassVar[int] = 64
    """Samples computed at once. Kernels differ by size, so it is fixed and the last batch is padded."""

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Samples: pictures, or points."""
        return {"sample": self.medium}

    @property
    def medium(self) -> Medium:
        """What samples are."""
        return image.medium if self.settings.description.pictured else points.medium

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where the model does not know the class, or nothing the engine."""
        options = super().options(given)
        assert isinstance(options, GenerationOptions)
        self.labels(1, options.label)
        choose_engine(options.engine, self.device.type, self.settings.description.shape)
        return options

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Name the classes."""
        return {"class": self._classes} if self.settings.conditional else {}

    def draw(self, options: Section) -> Samples:
        """Draw samples; sample i of a seed is the same whatever their number is.

        Raises:
            ValueError: a class that the model does not know, or an engine that there is not.
        """
        return self.draw_together([options])[0]

    def draw_together(self, wanted: Sequence[Section]) -> list[Samples]:
        """Draw what each of several options asks for in batches that they share; the engine of all is the first's.

        A batch is computed at its full size however few samples are asked for, so that few of each cost one of all.
        """
        asked = [cast(GenerationOptions, options) for options in wanted]
        vectors, classes = zip(*map(self._points, asked), strict=True)
        labels = None if classes[0] is None else torch.cat(classes)
        values = self.generate(torch.cat(vectors), labels, self.engine(asked[0].engine))
        return [
            Samples(part, label, self.facts(options), self.animated(options), self._classes, self.medium)
            for part, label, options in zip(values.split([*map(len, vectors)]), classes, asked, strict=True)
        ]

    def _points(self, options: GenerationOptions) -> tuple[Tensor, Tensor | None]:
        """Give the latent vectors that options ask for (n, latent), and their classes (n,) where there are any."""
        vectors = latents(self.networks[GENERATOR], options.seed, first=0, count=options.num)
        labels = self.labels(options.num, options.label)
        if options.frames > 1:
            vectors = walk(vectors, options.frames)
            labels = labels.repeat_interleave(options.frames) if labels is not None else None
        return vectors, labels

    def batches(self, options: Section) -> Batches:
        """Give the same samples batch by batch, each drawn when it is called for."""
        assert isinstance(options, GenerationOptions)
        labels, engine = self.labels(options.num, options.label), self.engine(options.engine)
        makes = self.parts(options.num, options.seed, labels, engine)
        shape = self.settings.description.shape
        return Batches(makes, self.BATCH, shape, self.facts(options), labels, self._classes, self.medium)

    def facts(self, options: Section) -> dict[str, object]:
        """Say the model, the seed, the class where one was asked for, and an engine other than PyTorch's own."""
        assert isinstance(options, GenerationOptions)
        engine = self.engine(options.engine).name
        known = {
            "model": self.name,
            "seed": options.seed,
            "class": options.label,
            "engine": None if engine == PLAIN else engine,
        }
        return {name: value for name, value in known.items() if value is not None}

    def animated(self, options: Section) -> bool:
        """Tell whether a walk is asked for."""
        assert isinstance(options, GenerationOptions)
        return options.frames > 1

    def engine(self, name: str) -> Engine:
        """Give what computes the generator, by its name."""
        chosen = choose_engine(name, self.device.type, self.settings.description.shape)
        if chosen not in self._engines:
            self._engines[chosen] = make_engine(chosen, self)
        return self._engines[chosen]

    @cached_property
    def _engines(self) -> dict[str, Engine]:
        return {}

    @property
    def _classes(self) -> tuple[str, ...]:
        return self.settings.description.classes

    def stream(
        self, num: int, seed: int, labels: Tensor | None = None, engine: Engine | None = None
    ) -> Iterator[Tensor]:
        """Give the values of samples, a batch (b, *shape) at a time, so that any number fits into memory.

        Args:
            labels: (num,) the class of each; None goes through all classes in turn.
            engine: what computes them; None: the generator as it stands.
        """
        for part in self.parts(num, seed, labels, engine):
            yield part()

    def parts(
        self, num: int, seed: int, labels: Tensor | None = None, engine: Engine | None = None
    ) -> list[Callable[[], Tensor]]:
        """Give the batches of `stream`, each made when it is called."""
        labels = self.labels(num) if labels is None else labels
        firsts = range(0, num, self.BATCH)
        return [partial(self._batch, first, min(self.BATCH, num - first), seed, labels, engine) for first in firsts]

    def _batch(self, first: int, count: int, seed: int, labels: Tensor | None, engine: Engine | None) -> Tensor:
        vectors = latents(self.networks[GENERATOR], seed, first, count)
        return self.generate(vectors, None if labels is None else labels[first : first + count], engine)

    def pick(self, indices: Tensor, seed: int, labels: Tensor | None = None) -> Tensor:
        """Give samples of a seed by their indices (n,), as `stream` gives them; labels: of all of them."""
        labels = self.labels(int(indices.max()) + 1) if labels is None else labels
        vectors = torch.cat([latents(self.networks[GENERATOR], seed, index, 1) for index in indices.tolist()])
        return self.generate(vectors, None if labels is None else labels[indices])

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the generator, and a batch of `latent` (b, latent) and, for classes, `label` (b,)."""
        network = self.networks[GENERATOR]
        inputs, labels = {"latent": latents(network, 0, 0, self.BATCH)}, self.labels(self.BATCH)
        return network, inputs if labels is None else {**inputs, "label": labels}

    @torch.no_grad()
    def generate(self, vectors: Tensor, labels: Tensor | None, engine: Engine | None = None) -> Tensor:
        """Draw samples (n, *shape) of latent vectors (n, latent) and classes (n,), in batches of one size."""
        network = self.networks[GENERATOR]
        device, compute = next(network.parameters()).device, engine or network
        parts = []
        for start in range(0, len(vectors), self.BATCH):
            part = padded(vectors[start : start + self.BATCH], self.BATCH).to(device)
            label = None if labels is None else padded(labels[start : start + self.BATCH], self.BATCH).to(device)
            parts.append(compute(part, label)[: len(vectors) - start].float().cpu().contiguous())
        return torch.cat(parts)

    def labels(self, num: int, label: str | None = None) -> Tensor | None:
        """Give the classes of `num` samples (num,): all in turn or the one asked for; None without classes."""
        return class_labels(self._classes if self.settings.conditional else (), num, label)

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained generator."""
        assert isinstance(config, Settings)
        classes = len(config.description.classes) if config.conditional else 0
        network = choose_pair(config.network).generator(config.description.shape, classes)
        return cls(config, {GENERATOR: network})


def choose_pair(network: Choice) -> Pair:
    """Give the pair of networks that a recipe or a config names, with its options."""
    return chosen(network, PAIRS)
