"""The pipeline of a trained generator of volumes, and what its config keeps."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field as Constraint
from torch import Tensor

from gannet.adversarial.two_player import GENERATOR
from gannet.data import image_dataset
from gannet.media.label_volume import GROUND, LARGEST, LabelVolumeMedium
from gannet.media.medium import Medium
from gannet.media.volume import Options, VolumeMedium
from gannet.networks import chosen
from gannet.networks.pair import Shape
from gannet.networks.volumes import Volumes
from gannet.pipelines.settings import SettingsOf
from gannet.schema import Choice, Section
from gannet.tasks.generation.one_by_one import OneByOnePipeline
from gannet.tasks.generation.pipeline import Settings as GeneratorSettings
from gannet.tasks.volume_generation.regions import decide_in_pieces

VOLUME, LABELS = "volume", "labels"
NETWORKS: dict[str, type[Volumes]] = {"volumes": Volumes}
Region = Annotated[int, Constraint(ge=GROUND, le=LARGEST)]


class Config(Section):
    """The keys of `task` for the generation of volumes."""

    labels: bool | Literal["auto"] = "auto"
    """Generate the label of each voxel together with the volume; needs label volumes in `labels/` beside `images/`.
    `auto`: where the data have them."""
    conditional: bool = False
    """Generate volumes of a class that is asked for; needs a sub-folder for each class, and no labels."""
    regions: tuple[Region, ...] | Literal["auto"] = "auto"
    """Numbers of the regions that are learned, 0 to 255; `auto`: those that 256 of the label volumes hold. A scan whose
    label volume holds another one is left out."""
    pieces: Literal["auto", "any"] = "auto"
    """How many pieces, connected by faces, a region has in what is generated, and how many holes there are; the largest
    are kept. `auto`: as many as in nine of ten label volumes; `any`: as drawn, with stray voxels."""


class Description(image_dataset.Description):
    """What the volumes are: their shape is (1, x, y, z).

    Attributes:
        spacing: millimetres from voxel to voxel.
        regions: the numbers of the regions in label volumes, that of what is none first; empty without labels.
        names: of these regions.
        pieces: how many pieces each region but the first one has at most, 0 where any number will do; empty for models
            that do not say, whose regions are of one piece each.
        holes: how many pieces of the first region do not reach the edge at most; None: any number. Models that do not
            say have none.
    """

    spacing: tuple[float, float, float]
    regions: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    pieces: tuple[int, ...] = ()
    holes: int | None = 0

    @property
    def made(self) -> Shape:
        """The shape of what the generator makes and the discriminator sees: the volume, then a channel a region."""
        return (self.shape[0] + len(self.regions), *self.shape[1:])


class Settings(GeneratorSettings):
    """What `config.json` keeps of a generator of volumes.

    Attributes:
        data: how scans were brought to size.
    """

    description: Description
    data: Options


class VolumeGenerationPipeline(OneByOnePipeline):
    """Draws volumes: `pipeline(num=4, seed=0)`; the labels of their voxels go beside them."""

    task: ClassVar[str] = "volume-generation"
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Volumes, and where it learned from pairs their label volumes."""
        spacing, regions = self.settings.description.spacing, self.settings.description.regions
        labels: dict[str, Medium] = {LABELS: LabelVolumeMedium(spacing)} if regions else {}
        return {VOLUME: VolumeMedium(spacing), **labels}

    @property
    def always(self) -> tuple[str, ...]:
        """The labels, without which a volume is half of what was made."""
        return (LABELS,) if self.settings.description.regions else ()

    def drawn(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Draw volumes and the logits of their regions (b, 1 + regions, x, y, z)."""
        drawn: Tensor = self.generator(latent, label)
        return drawn

    def output(self, name: str, drawn: Tensor) -> Tensor:
        """Give volumes (b, 1, x, y, z) in [-1, 1], or the numbers of their regions (b, x, y, z)."""
        if name == VOLUME:
            return drawn[:, :1].float()
        description = self.settings.description
        most = description.pieces or (1,) * (len(description.regions) - 1)
        holes = description.holes if any(most) else None  # Where any number of pieces is kept, holes are, too.
        decided = decide_in_pieces(drawn[:, 1:], most, holes)
        return torch.tensor(description.regions, device=drawn.device)[decided]

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained generator."""
        assert isinstance(config, Settings)
        classes = len(config.description.classes) if config.conditional else 0
        network = choose_network(config.network).generator(config.description.made, classes)
        return cls(config, {GENERATOR: network})


def choose_network(network: Choice) -> Volumes:
    """Give the networks that a recipe or a config names, with their options."""
    return chosen(network, NETWORKS)
