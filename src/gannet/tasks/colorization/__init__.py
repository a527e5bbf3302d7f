"""Colorization: colours for grey photographs.

The network is shown the lightness of photographs and learns their colours in Lab. With `task.classes` it says how
likely each class of colour is at each place, rare ones weighing more (Zhang, Isola, Efros, 2016); without it gives
a colour (Isola et al., 2017), first pixel by pixel, then against a discriminator. Colours are found on a copy as
small as the pictures it learned from and brought up to the photograph's size, so that no two parts of it disagree; its
lightness stays as it is.
"""

from collections.abc import Mapping
from copy import copy
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gannet.adversarial.similarity import pixel_distance
from gannet.adversarial.two_player import GENERATOR
from gannet.augmentation.colour_classes import class_loss, expected
from gannet.augmentation.draws import Draws
from gannet.augmentation.lab import from_lab, to_lab
from gannet.media import photograph
from gannet.media.photograph import Photograph
from gannet.media.pyramid import visible
from gannet.media.tiling import as_tensor, as_values, enlarged_rows
from gannet.networks.unet import Unet
from gannet.pipelines.pipeline import Input
from gannet.schema import Section, check
from gannet.tasks._image_restoration import (
    Evaluation,
    ImageRestoration,
    Pairing,
    PhotographConfig,
    TrainingPair,
    cut_upright,
    near_and_far,
)
from gannet.tasks._image_restoration.evaluation import EvaluationPair, colour_figures
from gannet.tasks._image_restoration.hints import drawn_hints, no_hints, read_hints
from gannet.tasks._image_restoration.pipeline import PHOTOGRAPH, PhotographPipeline, Settings, check_strength
from gannet.tasks.colorization.colourist import ClassColourist, Colourist, InformedUnet

NETWORKS = {"unet": Unet, "informed-unet": InformedUnet}
ROWS, LARGEST, MOST_EXPOSED = 256, 512, 1.6
"""Rows that are coloured at once, pixels of the longer side of the copy that colours are found on, at most, and the
power of the strongest change of exposure."""
CHROMA, FAINTEST = 2, 0.5
"""Channels of chroma, and the least share of a photograph's contrast."""


class Classes(Section):
    """What is vivid of a distribution over classes of colour."""

    rare: Annotated[float, Field(ge=0, le=2)] = 1.0
    """How much rare colours are preferred: 0 as photographs have them, 2 as if all were as frequent but for the very
    rarest."""
    temperature: Annotated[float, Field(ge=0.05, le=1)] = 0.38
    """The lower, the more the likeliest colours count (of the annealed mean)."""


class Config(PhotographConfig):
    """The keys of `task` for colorization."""

    classes: Annotated[Classes | None, Field(exclude_if=lambda given: given is None)] = None
    """Give a distribution over classes of colour, of which `strength` 0 is the mean, and take hints; null: a colour."""


HINTS = Input(
    photograph.medium, "dots or strokes of colour, transparent elsewhere, as large as the photograph", required=False
)


class ColorizationPipeline(PhotographPipeline):
    """Colours photographs: `pipeline("grey.jpg").save("coloured.jpg")`."""

    task: ClassVar[str] = "colorization"
    coloured: ClassVar[bool] = False
    expected: ClassVar[str] = "expect faint or wrong colours"
    offered: ClassVar[dict[str, Any]] = NETWORKS
    inputs: ClassVar[Mapping[str, Input]] = {"photograph": PHOTOGRAPH, "hints": HINTS}

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the colouring network."""
        task, options = cls.task_options(config), cls.choice(config.network)
        if task.classes:
            return ClassColourist(options, task.classes.rare, task.classes.temperature)
        if isinstance(options, InformedUnet):
            raise ValueError("network.name=informed-unet gives classes of colours; set task.classes={}.")
        return Colourist(options.unet(1, 2))

    @classmethod
    def task_options(cls, config: Any) -> Config:
        """Check the options of the task that it was learned by."""
        return check(Config, config.task.options, "task")

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:
        """Keep what the network gives."""
        return {"classes": cls.task_options(config).model_dump().get("classes")}

    @property
    def by_classes(self) -> bool:
        """Whether the network gives a distribution, and may be given hints."""
        return self.task_options(self.config).classes is not None

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, and a `lightness` (1, 1, h, w), with hints where it takes some."""
        network, inputs = super().traced()
        lightness = inputs["picture"][:, :1]
        if self.by_classes:
            return network, {"lightness_and_hints": torch.cat([lightness, no_hints(lightness, CHROMA)], 1)}
        return network, {"lightness": lightness}

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:  # noqa: ARG002
        """Colour a photograph, by hints where some are given."""
        return {"photograph": self._coloured(inputs["photograph"], inputs.get("hints"))}

    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:  # noqa: ARG002
        """Colour a photograph, grey or not."""
        return self._coloured(given, None)

    def _coloured(self, given: Photograph, hints: Photograph | None) -> Photograph:
        """Colour a photograph; a strip at a time, but for the network's part."""
        given = visible(given)
        values = given.values
        height, width = values.shape[:2]
        settings: Any = self.config
        shrink = min(1.0, settings.description.shape[1] / min(height, width), LARGEST / max(height, width))
        size = [max(1, round(side * shrink)) for side in (height, width)]
        small = as_tensor(_small(given, size))
        told = None if hints is None else read_hints(hints, given, size, _chroma, "photograph")
        chroma = self._made(self._shown(_lightness(small), told))[:, 1:]
        made = np.empty((height, width, 3), values.dtype)
        for top in range(0, height, ROWS):
            strip = as_tensor(values[top : top + ROWS])
            colours = enlarged_rows(chroma, top, strip.shape[2], (height, width))
            made[top : top + ROWS] = as_values(from_lab(torch.cat([_lightness(strip), colours], 1)), values.dtype)
        return given.with_values(made)

    def _shown(self, lightness: Tensor, hints: Tensor | None = None) -> Tensor:
        """Give what the network is shown: lightness, and hints where it learned from some."""
        if self.by_classes:
            return torch.cat([lightness, no_hints(lightness, CHROMA) if hints is None else hints], 1)
        if hints is not None:
            name = self.name or "The model"
            raise ValueError(f"{name} did not learn from hints (models with task.classes do); leave the hints out.")
        return lightness

    def compute(self, given: Tensor) -> Tensor:
        """Give pictures (b, c, h, w) in [-1, 1], grey or colour, colours by their lightness."""
        return from_lab(self._made(self._shown(_lightness(given))))

    def earlier(self) -> PhotographPipeline | None:
        """Give the model that is true to pixels: of a distribution its mean, else as it was before the game."""
        return self.blended(0.0) if self.by_classes else super().earlier()

    def blended(self, strength: float) -> Self:
        """Give the model with colours as vivid as that: between the mean of the distribution and its vivid mean."""
        if not self.by_classes:
            return super().blended(strength)
        check_strength(strength)
        network: Any = copy(self.networks[GENERATOR])
        network.strength = strength
        return self.variant({GENERATOR: network})


def _small(photograph: Photograph, size: list[int]) -> np.ndarray:
    picture = Photograph(photograph.values).shown()
    values = np.asarray(picture.resize((size[1], size[0]), reducing_gap=3.0))
    return values if values.ndim == 3 else values[..., None]


def _lightness(picture: Tensor) -> Tensor:
    return to_lab(picture.expand(-1, 3, -1, -1))[:, :1]


def _chroma(colours: Tensor) -> Tensor:
    return to_lab(colours)[:, 1:]


def training_pair(pictures: Tensor, draws: Draws, config: Config) -> TrainingPair:
    """Give a patch's lightness, with hints where the network takes some, and all of its Lab."""
    if config.classes is None:
        target = to_lab(cut_upright(pictures, config.patch, draws))
        target[:, :1] = exposed(target[:, :1], draws)
        return TrainingPair(target[:, :1], target)
    target = to_lab(near_and_far(pictures, config.patch, draws))
    target[:, :1] = faded(exposed(target[:, :1], draws), draws)
    return TrainingPair(torch.cat([target[:, :1], drawn_hints(target[:, 1:], draws)], 1), target)


def faded(lightness: Tensor, draws: Draws) -> Tensor:
    """Take contrast from some of the lightness in [-1, 1], towards a tone of its own: old prints fade."""
    contrast = FAINTEST + (1 - FAINTEST) * draws.uniform().sqrt()
    tone = (2 * draws.uniform() - 1) * (1 - contrast)
    return lightness * contrast[:, None, None, None] + tone[:, None, None, None]


def task_losses(network: nn.Module, pair: TrainingPair, config: Config) -> dict[str, Tensor]:
    """Give what a distribution descends: the cross-entropy of the classes, and how far its mean is off, enlarged."""
    if config.classes is None:
        return {}
    assert isinstance(network, ClassColourist)
    true = pair.target[:, 1:]
    features, logits = network.distribution(pair.input)
    fold = network.unet.fold
    coarse = avg_pool2d(true, fold)
    height, width = coarse.shape[2:]
    mean = network.enlarged(features, expected(logits.detach()))[:, :, : true.shape[2], : true.shape[3]]
    return {"classes": class_loss(logits[:, :, :height, :width], coarse), "enlarged": pixel_distance(mean, true)}


def exposed(lightness: Tensor, draws: Draws) -> Tensor:
    """Give lightness in [-1, 1] another curve of exposure: films and scanners differ."""
    power = (MOST_EXPOSED ** (2 * draws.uniform() - 1))[:, None, None, None]
    return ((lightness + 1) / 2).clamp_min(0) ** power * 2 - 1


def evaluation_pair(real: Photograph, config: Config) -> EvaluationPair:
    """Take a photograph's colours away; one baseline leaves it grey, one gives the mean colour to all of it."""
    grey = Photograph(as_values(from_lab(_grey(as_tensor(real.values))), real.values.dtype))
    true = to_lab(as_tensor(real.values).expand(-1, 3, -1, -1))
    true[:, 1:] = true[:, 1:].mean((2, 3), keepdim=True)
    mean = Photograph(as_values(from_lab(true), real.values.dtype))
    return EvaluationPair(Photograph(grey.values[..., :1]), real, {"grey": grey, "the true mean chroma": mean})


def _grey(picture: Tensor) -> Tensor:
    """Give the lightness alone, as Lab."""
    lightness = _lightness(picture)
    return torch.cat([lightness, torch.zeros_like(lightness), torch.zeros_like(lightness)], 1)


task = ImageRestoration(
    Config,
    ColorizationPipeline,
    Pairing(training_pair, seen=from_lab, channels=(3,), task_losses=task_losses),
    Evaluation(evaluation_pair, colour_figures, "L*a*b* under D65"),
    example_options={"classes": {}},
)
