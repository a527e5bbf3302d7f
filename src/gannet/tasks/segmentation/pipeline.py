"""The pipeline of a trained segmenter, what its config keeps, and how it tells photographs of any size."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import Field as Constraint
from torch import Tensor, nn

from gannet.augmentation.kinds import Strengths
from gannet.augmentation.levels import from_levels
from gannet.data.image_dataset import Description
from gannet.media import label_map, photograph
from gannet.media.medium import Medium
from gannet.media.photograph import Photograph
from gannet.media.pixels import fit_picture, read_picture
from gannet.media.tiling import enlarged_rows
from gannet.networks import chosen
from gannet.networks.unet import Unet
from gannet.pipelines.pipeline import ConverterPipeline, Input
from gannet.pipelines.settings import SettingsOf
from gannet.schema import Choice, Section, Share, Weight, check

SEGMENTER, BATCH, ROWS = "segmenter", 16, 256
NETWORKS = {"unet": Unet}


class Config(Section):
    """The keys of `task` for segmentation."""

    classes: Annotated[int, Constraint(ge=2, le=255)] | Literal["auto"] = "auto"
    """How many classes the maps number, from 0 on; `auto` goes by `classes.txt` beside the pictures, else it looks."""
    ignore: tuple[Annotated[int, Constraint(ge=0, le=255)], ...] = (label_map.NOTHING,)
    """Numbers of what is nobody's: their pixels count neither in learning nor in judging; 255 never counts."""
    kinds: Strengths | list[str] | Literal["auto"] = "auto"
    """Augmentations of picture and map together, by name or with strengths; `auto`: flip, zoom, rotation, brightness,
    contrast, saturation. An empty list: none."""
    share: Share = 0.5
    """The probability of each of them."""
    overlap: Weight = 1.0
    """Weight of the overlap that is lacking, class by class, beside the cross-entropy: so that small classes count."""


class Settings(Section):
    """What `config.json` keeps of a segmenter."""

    description: Description
    network: Choice
    task: Choice
    fit: str = "crop"
    """How pictures were brought to size."""


def config_of(task: Choice) -> Config:
    """Check the keys of `task`."""
    return check(Config, task.options, "task")


def choice_of(network: Choice) -> Unet:
    """Check what builds the network."""
    return chosen(network, NETWORKS)


def build_network(network: Choice, description: Description) -> nn.Module:
    """Build the network, untrained."""
    return choice_of(network).unet(description.shape[0], len(description.classes), nn.BatchNorm2d)


class SegmentationPipeline(ConverterPipeline):
    """Tells what pictures show: `pipeline("street.jpg").save("classes.png")`."""

    task: ClassVar[str] = "segmentation"
    inputs: ClassVar[Mapping[str, Input]] = {"photograph": Input(photograph.medium, "a photograph of any size")}
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """The class of each pixel."""
        return {"map": label_map.medium}

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:  # noqa: ARG002
        """Tell the class of each pixel of a photograph of any size, (h, w)."""
        return {"map": self._map(inputs["photograph"])}

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, by their numbers."""
        return self.settings.description.classes

    @torch.inference_mode()
    def scores(self, pictures: Tensor) -> Tensor:
        """Score the classes of pictures (b, c, h, w) in [-1, 1], some at a time: (b, classes, h, w), on the CPU."""
        network = self.networks[SEGMENTER].eval()
        device = next(network.parameters()).device
        found = torch.cat([network(part.to(device)).float().cpu() for part in pictures.split(BATCH)])
        nobodys = [one for one in config_of(self.settings.task).ignore if one < found.shape[1]]
        found[:, nobodys] = -torch.inf
        return found

    def told(self, pictures: Tensor) -> Tensor:
        """Tell the class of each pixel of pictures (b, c, h, w): (b, h, w)."""
        return self.scores(pictures).argmax(1)

    def _map(self, given: Photograph) -> Tensor:
        """Tell a photograph at the scale that was learned from, and bring the scores up to its size, row by row."""
        height, width = given.values.shape[:2]
        pixels = read_picture(given.shown(), self.settings.description.shape[0])
        small = fit_picture(pixels, *self._scaled(height, width), "stretch")
        scores = self.scores(torch.from_numpy(from_levels(small))[None])
        rows = range(0, height, ROWS)
        parts = [enlarged_rows(scores, top, min(ROWS, height - top), (height, width)).argmax(1)[0] for top in rows]
        return torch.cat(parts)

    def _scaled(self, height: int, width: int) -> tuple[int, int]:
        """Give the height and width at which things are as large as they were in learning."""
        _, rows, columns = self.settings.description.shape
        down, across = rows / height, columns / width
        match self.settings.fit:
            case "stretch":
                return rows, columns
            case "middle" if down <= 1 and across <= 1:
                return height, width
            case "pad":
                scale = min(down, across)
            case _:
                scale = max(down, across)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, and a `picture` (1, c, h, w); its result are scores (1, classes, h, w)."""
        return self.networks[SEGMENTER], {"picture": torch.zeros(1, *self.settings.description.shape)}

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained network."""
        assert isinstance(config, Settings)
        return cls(config, {SEGMENTER: build_network(config.network, config.description)})
