"""Colorization: colours for grey photographs.

The network is shown the lightness of photographs and learns their colours (Lab; Isola et al., 2017), first pixel by
pixel, then against a discriminator. Colours are found on a copy as small as the pictures it learned from and brought up
to the photograph's size, so that no two parts of it disagree; its lightness stays as it is.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from gannet.augmentation.kinds import Draws
from gannet.augmentation.lab import from_lab, to_lab
from gannet.media.photograph import Photograph
from gannet.media.pyramid import visible
from gannet.media.tiling import as_tensor, as_values, enlarged_rows
from gannet.networks.unet import Unet
from gannet.tasks._image_restoration import (
    Evaluation,
    ImageRestoration,
    Pairing,
    PhotographConfig,
    TrainingPair,
    cut_upright,
)
from gannet.tasks._image_restoration.evaluation import EvaluationPair, colour_figures
from gannet.tasks._image_restoration.pipeline import PhotographPipeline, Settings

NETWORKS = {"unet": Unet}
ROWS, LARGEST, MOST_EXPOSED = 256, 512, 1.6
"""Rows that are coloured at once, pixels of the longer side of the copy that colours are found on, at most, and the
power of the strongest change of exposure."""


class Config(PhotographConfig):
    """The keys of `task` for colorization."""


class Colourist(nn.Module):
    """Finds colours by lightness, and gives them back with it."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, lightness: Tensor) -> Tensor:
        """Map the lightness (b, 1, h, w) to Lab (b, 3, h, w), all in [-1, 1]."""
        return torch.cat([lightness.float(), self.unet(lightness)], 1)


class ColorizationPipeline(PhotographPipeline):
    """Colours photographs: `pipeline("grey.jpg").save("coloured.jpg")`."""

    task: ClassVar[str] = "colorization"
    offered: ClassVar[dict[str, Any]] = NETWORKS

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the colouring network."""
        return Colourist(cls.choice(config.network).unet(1, 2))

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:  # noqa: ARG003
        """Keep nothing."""
        return {}

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, and a `lightness` (1, 1, h, w)."""
        network, inputs = super().traced()
        return network, {"lightness": inputs["picture"][:, :1]}

    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:  # noqa: ARG002
        """Colour a photograph, grey or not; a strip at a time, but for the network's part."""
        given = visible(given)
        values = given.values
        height, width = values.shape[:2]
        settings: Any = self.config
        shrink = min(1.0, settings.description.shape[1] / min(height, width), LARGEST / max(height, width))
        size = [max(1, round(side * shrink)) for side in (height, width)]
        small = as_tensor(_small(given, size))
        chroma = self._made(_lightness(small))[:, 1:]
        made = np.empty((height, width, 3), values.dtype)
        for top in range(0, height, ROWS):
            strip = as_tensor(values[top : top + ROWS])
            colours = enlarged_rows(chroma, top, strip.shape[2], (height, width))
            made[top : top + ROWS] = as_values(from_lab(torch.cat([_lightness(strip), colours], 1)), values.dtype)
        return given.with_values(made)

    def compute(self, given: Tensor) -> Tensor:
        """Give pictures (b, c, h, w) in [-1, 1], grey or colour, colours by their lightness."""
        return from_lab(self._made(_lightness(given)))


def _small(photograph: Photograph, size: list[int]) -> np.ndarray:
    picture = Photograph(photograph.values).shown()
    values = np.asarray(picture.resize((size[1], size[0]), reducing_gap=3.0))
    return values if values.ndim == 3 else values[..., None]


def _lightness(picture: Tensor) -> Tensor:
    return to_lab(picture.expand(-1, 3, -1, -1))[:, :1]


def training_pair(pictures: Tensor, draws: Draws, config: Config) -> TrainingPair:
    """Give a patch's lightness, and all of its Lab."""
    target = to_lab(cut_upright(pictures, config.patch, draws))
    target[:, :1] = exposed(target[:, :1], draws)
    return TrainingPair(target[:, :1], target)


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
    Pairing(training_pair, seen=from_lab, channels=(3,)),
    Evaluation(evaluation_pair, colour_figures, "L*a*b* under D65"),
)
