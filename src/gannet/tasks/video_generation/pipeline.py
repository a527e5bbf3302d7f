"""The pipeline of a trained generator of clips, and what its config keeps."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from torch import Tensor

from gannet.media import image
from gannet.media.clip import ClipMedium
from gannet.media.medium import Medium
from gannet.networks import chosen
from gannet.networks.moving_sprites import MovingSprites
from gannet.networks.two_stream import TwoStream
from gannet.pipelines.settings import SettingsOf
from gannet.schema import Choice, Positive, Section, Weight
from gannet.tasks._video.data import Description
from gannet.tasks._video.game import GENERATOR
from gannet.tasks.generation.one_by_one import OneByOnePipeline
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


class VideoGenerationPipeline(OneByOnePipeline):
    """Draws clips: `pipeline(num=4, seed=0)`; what they are laid together of goes beside them."""

    task: ClassVar[str] = "video-generation"
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Clips, and what they are laid together of: two clips and a still picture."""
        clips = ClipMedium(self.settings.description.rate)
        return {CLIP: clips, FOREGROUND: clips, BACKGROUND: image.medium, MASK: clips}

    def drawn(self, latent: Tensor, label: Tensor | None) -> Any:
        """Draw the layers of clips."""
        network: Any = self.generator
        return network.layers(latent, label)

    def output(self, name: str, drawn: Any) -> Tensor:
        """Lay clips together, or give a layer of them."""
        values = drawn.clip() if name == CLIP else 2 * drawn.mask - 1 if name == MASK else getattr(drawn, name)
        given: Tensor = values.float()
        return given

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
