"""The pipeline of a trained generator of clips, and what its config keeps."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from gannet.media import image
from gannet.media.clip import ClipMedium
from gannet.media.medium import Medium
from gannet.networks import chosen
from gannet.networks.moving_sprites import MovingSprites
from gannet.networks.two_stream import TwoStream
from gannet.pipelines.pipeline import GeneratorPipeline
from gannet.pipelines.samples import Batches, Further, Samples, class_labels, latents
from gannet.pipelines.settings import SettingsOf
from gannet.schema import Choice, Positive, Section, Weight
from gannet.tasks._video.data import Description
from gannet.tasks._video.game import GENERATOR
from gannet.tasks.generation.pipeline import DrawOptions
from gannet.tasks.generation.pipeline import Settings as GeneratorSettings

CLIP, FOREGROUND, BACKGROUND, MASK = "clip", "foreground", "background", "mask"
NETWORKS: dict[str, type[TwoStream | MovingSprites]] = {"two-stream": TwoStream, "moving-sprites": MovingSprites}


class Config(Section):
    """The keys of `task` for video generation."""

    conditional: bool = False
    """Generate clips of a class that is asked for; needs labelled data."""
    sparsity: Weight = 0.1
    """Weight of the penalty that holds the mask of what moves small (lambda), reached after half of the run."""
    frames: Positive = 1
    """Frames of each clip that the discriminator of frames looks at in a round."""


class Settings(GeneratorSettings):
    """What `config.json` keeps of a generator of clips."""

    description: Description


class VideoOptions(DrawOptions):
    """What is asked of a generator of clips."""

    most: ClassVar[int] = 10**6


class VideoGenerationPipeline(GeneratorPipeline):
    """Draws clips: `pipeline(num=4, seed=0)`; what they are laid together of goes beside them."""

    task: ClassVar[str] = "video-generation"
    Options: ClassVar[type[Section]] = VideoOptions
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)
    BATCH: ClassVar[int] = 1
    """Clips drawn at once: one, which takes little longer than one of several, and does not depend on their number."""

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Clips, and what they are laid together of: two clips and a still picture."""
        clips = ClipMedium(self.settings.description.rate)
        return {CLIP: clips, FOREGROUND: clips, BACKGROUND: image.medium, MASK: clips}

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where the model does not know the class."""
        options = super().options(given)
        assert isinstance(options, VideoOptions)
        self.labels(1, options.label)
        return options

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Name the classes."""
        return {"class": self.settings.description.classes} if self.settings.conditional else {}

    def draw(self, options: Section) -> Samples:
        """Draw clips; clip i of a seed is the same whatever their number is."""
        return self.batches(options).together()

    def batches(self, options: Section) -> Batches:
        """Give the same clips batch by batch, each drawn when it is called for, and their layers when those are."""
        assert isinstance(options, VideoOptions)
        labels, (first, *others) = self.labels(options.num, options.label), list(self.outputs.items())
        makes = {name: self.parts(options.num, options.seed, labels, name) for name in self.outputs}
        further = {name: Further(medium, makes[name]) for name, medium in others}
        description = self.settings.description
        return Batches(
            makes[CLIP],
            self.BATCH,
            description.shape,
            self.facts(options),
            labels,
            description.classes,
            first[1],
            further,
        )

    def parts(self, num: int, seed: int, labels: Tensor | None = None, name: str = CLIP) -> list[Callable[[], Tensor]]:
        """Give one of the outputs clip by clip, each drawn when it is called."""
        labels = self.labels(num) if labels is None else labels
        return [partial(self._drawn, number, seed, labels, name) for number in range(num)]

    @torch.no_grad()
    def _drawn(self, number: int, seed: int, labels: Tensor | None, name: str) -> Tensor:
        """Draw one clip, or a layer of it: (1, ...)."""
        network: Any = self.networks[GENERATOR]
        vectors = latents(network, seed, number, self.BATCH).to(self.device)
        label = None if labels is None else labels[number : number + self.BATCH].to(self.device)
        layers = network.layers(vectors, label)
        values = layers.clip() if name == CLIP else 2 * layers.mask - 1 if name == MASK else getattr(layers, name)
        made: Tensor = values.float().cpu().contiguous()
        return made

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the generator, and a batch of `latent` (b, latent) and, for classes, `label` (b,)."""
        network = self.networks[GENERATOR]
        inputs, labels = {"latent": latents(network, 0, 0, self.BATCH)}, self.labels(self.BATCH)
        return network, inputs if labels is None else {**inputs, "label": labels}

    def labels(self, num: int, label: str | None = None) -> Tensor | None:
        """Give the classes of `num` clips (num,): all in turn or the one asked for; None without classes."""
        return class_labels(self.settings.description.classes if self.settings.conditional else (), num, label)

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained generator."""
        assert isinstance(config, Settings)
        classes = len(config.description.classes) if config.conditional else 0
        network = choose_network(config.network).generator(config.description.shape, classes)
        return cls(config, {GENERATOR: network})


def choose_network(network: Choice) -> TwoStream | MovingSprites:
    """Give the networks that a recipe or a config names, with their options."""
    return chosen(network, NETWORKS)
