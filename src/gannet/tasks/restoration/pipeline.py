"""What restored photographs are made through: damage is found, and filled, and fading undone."""

from collections.abc import Mapping
from dataclasses import replace
from math import log
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from pydantic import Field
from scipy.ndimage import binary_propagation, maximum_filter
from torch import Tensor, nn

from gannet.adversarial.two_player import GENERATOR
from gannet.media import photograph
from gannet.media.medium import Medium
from gannet.media.photograph import Photograph
from gannet.media.pyramid import Mask, as_mask, doubled, halved, hidden, marked, visible
from gannet.media.tiling import SIDE, TiledOperation, in_tiles
from gannet.pipelines.pipeline import Input
from gannet.schema import Choice, Section, check
from gannet.tasks._image_restoration.pipeline import PHOTOGRAPH, PhotographOptions, PhotographPipeline, Settings
from gannet.tasks.inpainting import MASK, NETWORKS, Filler, all_lost, filling_network
from gannet.tasks.restoration.config import Config, Sensitivity
from gannet.tasks.restoration.detector import DETECTOR, Detector
from gannet.tasks.restoration.fading import unfaded

WIDER = 2
"""Pixels by which what is found is widened: the edges of a scratch are damaged as well."""
LARGE = 768
"""Pixels of the longer side above which a photograph is searched in a copy of half the size as well."""
WIDE_TILE = 2 * SIDE
"""Pixels a side of the tiles that are searched: what they share with their neighbours is a smaller part of them."""
LOW = 0.0
"""The low threshold of hysteresis, a logit: from even chances on what touches damage is damaged (Canny, 1986)."""
SHAPE = {DETECTOR, "detector_depth", "detector_fold"}
"""The keys of the task that the detector's shape follows from."""


class RestorationOptions(PhotographOptions):
    """What is asked of a model that restores photographs."""

    sensitivity: Sensitivity | None = None
    """How readily a pixel is taken for damaged, between 0 and 1; left out, as the model was set."""
    fading: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much of fading, yellowing and low contrast is undone, from 0 (nothing) to 1."""


class RestorationPipeline(PhotographPipeline):
    """Restores photographs: `pipeline("old.jpg").save("restored.jpg")`."""

    task: ClassVar[str] = "restoration"
    coloured: ClassVar[bool] = False
    expected: ClassVar[str] = "expect mistakes in what is taken for damage"
    offered: ClassVar[dict[str, Any]] = NETWORKS
    sparing: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Input]] = {"photograph": PHOTOGRAPH, "mask": replace(MASK, required=False)}
    Options: ClassVar[type[Section]] = RestorationOptions

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the network that fills what is lost."""
        return filling_network(config.description.shape[0], cls.choice(config.network))

    @classmethod
    def build_networks(cls, config: Settings) -> dict[str, nn.Module]:
        """Build the network that fills what is lost, and the one that finds it."""
        detector = Detector(config.description.shape[0], _keys(config).unet(cls.choice(config.network)))
        return {**super().build_networks(config), DETECTOR: detector}

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:
        """Keep what the detector is like; what only fills holes has none."""
        return _keys(config).model_dump(include=SHAPE) if config.task.name == cls.task else {}

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Name a photograph, and where it was damaged."""
        return {**super().outputs, "mask": photograph.medium}

    @property
    def filler(self) -> Filler:
        """Hold what fills what is lost."""
        settings: Any = self.config
        return Filler(self.networks[GENERATOR], settings.description.shape[0], self._made)

    @property
    def sensitivity(self) -> float:
        """How readily a pixel is taken for damaged, between 0 and 1."""
        settings: Any = self.config
        return _keys(settings).sensitivity

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network that fills, and a `picture_and_mask` (1, c + 1, h, w), all of it lost."""
        network, inputs = super().traced()
        return network, {"picture_and_mask": all_lost(inputs["picture"])}

    def compute(self, given: Tensor) -> Tensor:
        """Fill what is lost of pictures (b, c, h, w) in [-1, 1]: those pixels that are not a number."""
        return self.filler.complete(given)

    def tuned(self, options: Section) -> Self:
        """Blend the weights, and be as sensitive, as is asked for."""
        assert isinstance(options, RestorationOptions)
        made = super().tuned(options)
        return made if options.sensitivity is None else made.at(options.sensitivity)

    def at(self, sensitivity: float) -> Self:
        """Give the model with another sensitivity."""
        settings: Any = self.config
        options = Choice(name=self.task, **{**settings.task.options, "sensitivity": sensitivity})
        return self.variant({}, settings.model_copy(update={"task": options}))

    def filled_by(self, other: PhotographPipeline) -> Self:
        """Give the model with the network of another, which fills holes, in place of its own."""
        ours, theirs = (Settings.model_validate(one.config.model_dump()) for one in (self, other))
        if ours.description.shape[0] != theirs.description.shape[0]:
            raise ValueError(f"{other.name} fills pictures of other channels; give a model of as many.")
        unet = _keys(ours).unet(self.choice(ours.network))
        shape = {DETECTOR: unet.width, "detector_depth": unet.depth, "detector_fold": unet.fold}
        options = Choice(name=self.task, **{**ours.task.options, **shape})
        settings = ours.model_copy(update={"network": theirs.network, "task": options})
        made = self.variant({GENERATOR: other.networks[GENERATOR]}, settings)
        made.file = None  # No file holds them together.
        return made

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:
        """Restore a photograph, by the user's mask or else by what is found."""
        assert isinstance(options, RestorationOptions)
        given, mask = inputs["photograph"], inputs.get("mask")
        found = mask or self.find(given)
        whole = self.improve(given, mask) if mask else self._repaired(given, found)
        return {"photograph": unfaded(whole, options.fading), "mask": found}

    def shares(self, made: Mapping[str, object]) -> Mapping[str, float]:
        """Tell the share of a photograph that was taken for damage and filled."""
        mask = made["mask"]
        assert isinstance(mask, Photograph)
        return {"damaged": float(marked(mask).mean())}

    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:
        """Fill what is lost: what the mask says, or what is found, if it is not all of it."""
        return self.filler.fill(given, mask) if mask else self._repaired(given, self.find(given))

    def _repaired(self, given: Photograph, found: Photograph) -> Photograph:
        """Fill what was found; where that is nothing or all, the photograph is as it was."""
        lost = found.values[~hidden(given)]
        return self.filler.fill(given, found) if lost.any() and not lost.all() else given

    def find(self, photograph: Photograph) -> Photograph:
        """Find where a photograph is damaged, with the edges of that: white there, black elsewhere.

        What is fully transparent is not.
        """
        found = self.damaged(visible(photograph)) & ~hidden(photograph)
        return Photograph(maximum_filter(as_mask(found), 2 * WIDER + 1, axes=(0, 1)))

    def damaged(self, photograph: Photograph) -> Mask:
        """Find where a photograph is damaged, (h, w).

        A large one is searched in a copy of half the size as well, and so on: some of it is wide.
        """
        detector: Any = self.networks[DETECTOR]
        operation = TiledOperation(self._seen, detector.receptive_radius, 1, detector.stride)
        seen = in_tiles(photograph, operation, WIDE_TILE).values
        high, low = np.moveaxis(seen > photograph.largest // 2, 2, 0)
        found: Mask = binary_propagation(high, np.ones((3, 3)), low)
        if max(found.shape) > LARGE:
            half, _ = halved(photograph.values, np.zeros_like(found))
            found |= doubled(self.damaged(Photograph(half)), found.shape)
        return found

    @torch.inference_mode()
    def _seen(self, tile: Tensor) -> Tensor:
        """Give (b, 2, h, w): 1 where a tile is damaged by the high threshold, and by the low one; elsewhere -1."""
        settings: Any = self.config
        channels, network = settings.description.shape[0], self.networks[DETECTOR]
        picture = tile.expand(-1, channels, -1, -1) if tile.shape[1] == 1 else tile
        picture = picture.mean(1, keepdim=True) if channels == 1 else picture
        scores: Tensor = network(picture.to(next(network.parameters()).device)).cpu()
        high = log((1 - self.sensitivity) / self.sensitivity)
        return torch.cat([scores - high, scores - min(high, LOW)], 1).sign()


def _keys(config: Settings) -> Config:
    """The keys of the task that a model was made by."""
    return check(Config, config.task.options, "task")
