"""Inpainting: holes in photographs filled with what might have been there.

The network is shown photographs with holes (strokes, boxes, scratches, writing, blots) and which pixels are lost, first
pixel by pixel, then against a discriminator (Pathak et al., 2016; Yu et al., 2019). It adds to the smoothest filling
(biharmonic) what that lacks. Holes of any size are filled from coarse to fine: a small copy at once, each larger one
from what was found in the one of half its size. The user names what is lost by a mask; all else comes back untouched,
bit for bit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gannet.adversarial.two_player import GENERATOR
from gannet.augmentation.damage import holes
from gannet.augmentation.draws import Draws
from gannet.augmentation.holes import varied_holes
from gannet.media import photograph
from gannet.media.photograph import Photograph, Values
from gannet.media.pyramid import Mask, as_mask, doubled, halved, lost_pixels, visible
from gannet.media.tiling import TiledOperation, as_learned, as_tensor, as_values, in_tiles
from gannet.networks.biharmonic import filled_biharmonically
from gannet.networks.pyramid import HoleFiller, Pyramid
from gannet.networks.smooth_filling import smoothly_filled
from gannet.networks.unet import Unet
from gannet.pipelines.pipeline import Input
from gannet.schema import Section
from gannet.tasks._image_restoration import (
    Evaluation,
    ImageRestoration,
    Pairing,
    PhotographConfig,
    TrainingPair,
    cut_upright,
)
from gannet.tasks._image_restoration.evaluation import EvaluationPair, draws_for
from gannet.tasks._image_restoration.pipeline import PHOTOGRAPH, PhotographOptions, PhotographPipeline, Settings
from gannet.tasks._image_restoration.texture import textured

NETWORKS = {"unet": Unet, "pyramid": Pyramid}
COARSEST = 192
"""Pixels of the longer side up to which a network sees all of a photograph: filled at once, without a hint."""
MASK = Input(photograph.medium, "light where something is lost, as large as the photograph")
AT_ONCE = 2 * COARSEST
"""Pixels of the longer side up to which one that sees the half of it does so."""
LOST, HINTED = 1.0, 0.5
"""What the mask says of a pixel that is lost, and of one that is lost but for a hint."""


HOLES = {"strokes": holes, "varied": varied_holes}


class Config(PhotographConfig):
    """The keys of `task` for inpainting."""

    holes: Literal["strokes", "varied"] = "strokes"
    """What is cut out of photographs to learn from: `strokes` and boxes; `varied`: these, scratches, writing, and blots
    over up to half of a photograph."""
    within: bool = False
    """Whether only holes count, those of each photograph alike, however small; the discriminator is told where they
    are, and scores there and near."""

    @model_serializer(mode="wrap")
    def _as_then(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what recipes did not say once, while it is as it was then: those of old runs stay as they are."""
        usual = {"holes": "strokes", "within": False}
        return {key: value for key, value in write(self).items() if key not in usual or value != usual[key]}


class Inpainter(nn.Module):
    """Adds to what stands in holes what it lacks, and leaves all else as it is."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, given: Tensor) -> Tensor:
        """Map pictures and their masks (b, c + 1, h, w), light where something is lost, to pictures (b, c, h, w)."""
        picture, lost = given[:, :-1].float(), (given[:, -1:] > 0).float()
        added: Tensor = self.unet(given)
        return picture + added * lost


def spoilt(pictures: Tensor, lost: Tensor, hinted: Tensor | None = None) -> Tensor:
    """Give pictures less what is lost (b, 1, h, w), smoothly filled, and that: (b, c + 1, h, w).

    Args:
        hinted: (b,), which pictures get a hint of what is lost: it at half the size.
    """
    known = smoothly_filled(pictures, lost)
    if hinted is None:
        return torch.cat([known, LOST * lost], 1)
    which = hinted[:, None, None, None] > 0
    hint = interpolate(avg_pool2d(pictures, 2), scale_factor=2.0, mode="nearest")
    shown = torch.where(which & (lost > 0), hint, known)
    return torch.cat([shown, torch.where(which, HINTED, LOST) * lost], 1)


def near_or_far(pictures: Tensor, side: int, near: Tensor, draws: Draws) -> Tensor:
    """Cut patches of pictures (b, c, h, w) where `near` (b,) says so, else all of them, shrunk; mirrored at times.

    Large holes are first filled in a small copy of a photograph, where things are as small.
    """
    patch = cut_upright(pictures, side, draws)
    small = cut_upright(interpolate(pictures, (side, side), mode="area"), side, draws)
    return torch.where(near[:, None, None, None] > 0, patch, small)


@dataclass(frozen=True)
class Filler:
    """Fills holes of photographs of any size, from coarse to fine.

    Attributes:
        network: what fills holes, an `Inpainter` or a `HoleFiller`.
        channels: of the pictures that it learned from.
        compute: gives what it makes of pictures and their masks (b, c + 1, h, w), clamped, on the CPU.
    """

    network: nn.Module
    channels: int
    compute: Callable[[Tensor], Tensor]

    def fill(self, given: Photograph, mask: Photograph) -> Photograph:
        """Fill the holes of a photograph; the mask, of its size, is light where something is lost."""
        lost = lost_pixels(mask, given)
        filled = self._filled(visible(given, lost).values, lost)
        return given.with_values(np.where(lost[..., None], filled, given.values))

    def complete(self, given: Tensor) -> Tensor:
        """Fill the holes of pictures (b, c, h, w) in [-1, 1] at once: those pixels that are not a number."""
        lost = given.isnan().any(1, keepdim=True).float()
        return self.compute(spoilt(given.nan_to_num(), lost))

    def _filled(self, values: Values, lost: Mask) -> Values:
        """Fill the lost pixels (h, w) of values (h, w, c); all others stay as they are."""
        if not lost.any():
            return values
        if isinstance(self.network, HoleFiller):
            return self._at_once(values, lost) if max(lost.shape) <= AT_ONCE else self._refined(values, lost)[0]
        white, sign = np.iinfo(values.dtype).max, LOST
        if max(lost.shape) > COARSEST:
            hint = doubled(self._filled(*halved(values, lost)), lost.shape)
            values, sign = np.where(lost[..., None], hint, values), HINTED
        marked = np.concatenate([values, (lost[..., None] * white).astype(values.dtype)], 2)
        unet: Any = self.network.unet
        operation = TiledOperation(partial(self._fill, sign=sign), unet.receptive_radius, 1, unet.stride)
        filled = in_tiles(Photograph(marked), operation).values
        return np.where(lost[..., None], filled, values)

    def _fill(self, tile: Tensor, sign: float) -> Tensor:
        """Fill the holes of a tile (1, c + 1, h, w); the sign says whether they hold a hint."""
        picture, lost = tile[:, :-1], (tile[:, -1:] > 0).float()
        if not lost.any():
            return picture
        picture = picture if sign == HINTED else smoothly_filled(picture, lost)

        def fill(pictures: Tensor) -> Tensor:
            return self.compute(torch.cat([pictures, (sign * lost).expand(len(pictures), -1, -1, -1)], 1))

        return as_learned(picture, self.channels, fill)

    def _refined(self, values: Values, lost: Mask) -> tuple[Values, Values]:
        """Fill the lost pixels (h, w) of values (h, w, c); give them, and the smoothest filling."""
        if not lost.any():
            return values, values
        if max(lost.shape) <= AT_ONCE:
            smooth = as_values(filled_biharmonically(*_hidden(values, lost)), values.dtype)
            return self._at_once(values, lost), np.where(lost[..., None], smooth, values)
        below = (doubled(found, lost.shape) for found in self._refined(*halved(values, lost)))
        shown, begun = (np.where(lost[..., None], found, values) for found in below)
        white = lost[..., None] * np.iinfo(values.dtype).max
        marked = np.concatenate([shown, begun, white.astype(values.dtype)], 2)
        network: Any = self.network
        operation = TiledOperation(self._refine, network.receptive_radius, 1, network.stride)
        found = in_tiles(Photograph(marked), operation).values
        made, smooth = (np.where(lost[..., None], part, values) for part in np.split(found, 2, 2))
        return made, smooth

    def _at_once(self, values: Values, lost: Mask) -> Values:
        """Fill the lost pixels (h, w) of all of a small photograph's values (h, w, c)."""
        picture, hole = _hidden(values, lost)

        def fill(pictures: Tensor) -> Tensor:
            return self.compute(torch.cat([pictures, LOST * hole.expand(len(pictures), -1, -1, -1)], 1))

        made = as_values(as_learned(picture, self.channels, fill), values.dtype)
        return np.where(lost[..., None], made, values)

    def _refine(self, tile: Tensor) -> Tensor:
        """Fill the holes of a tile (1, 2 c + 1, h, w) by what was found at half the size; see `HoleFiller.refined`."""
        both, lost = tile[:, :-1], (tile[:, -1:] > 0).float()
        if not lost.any():
            return both

        def fill(pictures: Tensor) -> Tensor:
            shown, begun = pictures.chunk(2, 2)  # One above the other, for grey and colour are one to `as_learned`.
            signs = (HINTED * lost).expand(len(pictures), -1, -1, -1)
            return torch.cat(self.compute(torch.cat([shown, begun, signs], 1)).chunk(2, 1), 2)

        found = as_learned(torch.cat(both.chunk(2, 1), 2), self.channels, fill)
        return torch.cat(found.chunk(2, 2), 1)


def _hidden(values: Values, lost: Mask) -> tuple[Tensor, Tensor]:
    """Give values (h, w, c) less what is lost, (1, c, h, w) in [-1, 1], and what that is, (1, 1, h, w)."""
    hole = torch.from_numpy(lost[None, None].astype(np.float32))
    return as_tensor(values) * (1 - hole), hole


def filling_network(channels: int, choice: Unet | Pyramid) -> nn.Module:
    """Build the network that fills holes in pictures of so many channels.

    Raises:
        ValueError: it is to have an overview of pictures.
    """
    if isinstance(choice, Pyramid):
        return choice.filler(channels)
    if choice.overview:
        raise ValueError("Holes are filled a part of a photograph at a time; leave network.overview=true out.")
    return Inpainter(choice.unet(channels + 1, channels))


def all_lost(picture: Tensor) -> Tensor:
    """Give pictures with a mask (b, c + 1, h, w) that says that all of them is lost."""
    return torch.cat([picture, LOST * torch.ones_like(picture[:, :1])], 1)


class InpaintingOptions(PhotographOptions):
    """What is asked of a model that fills holes."""

    texture: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much large holes become what is copied from known patches of the photograph, from 0 (nothing) to 1."""


class InpaintingPipeline(PhotographPipeline):
    """Fills holes: `pipeline("photo.jpg", mask="mask.png").save("whole.jpg")`."""

    task: ClassVar[str] = "inpainting"
    expected: ClassVar[str] = "expect vaguer fillings"
    offered: ClassVar[dict[str, Any]] = NETWORKS
    sparing: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Input]] = {"photograph": PHOTOGRAPH, "mask": MASK}
    Options: ClassVar[type[Section]] = InpaintingOptions

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the network that fills holes."""
        return filling_network(config.description.shape[0], cls.choice(config.network))

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:  # noqa: ARG003
        """Keep nothing."""
        return {}

    @property
    def filler(self) -> Filler:
        """Hold what fills holes."""
        settings: Any = self.config
        return Filler(self.networks[GENERATOR], settings.description.shape[0], self._made)

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:
        """Fill the holes of a photograph, the large ones with texture where that is asked for."""
        assert isinstance(options, InpaintingOptions)
        given, mask = inputs["photograph"], inputs["mask"]
        made = self.improve(given, mask)
        return {"photograph": textured(made, lost_pixels(mask, given), options.texture)}

    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:
        """Fill the holes of a photograph, from coarse to fine.

        Args:
            mask: of the photograph's size, light where something is lost.
        """
        assert mask is not None
        return self.filler.fill(given, mask)

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, and a `picture_and_mask` (1, c + 1, h, w), all of it lost."""
        network, inputs = super().traced()
        return network, {"picture_and_mask": all_lost(inputs["picture"])}

    def compute(self, given: Tensor) -> Tensor:
        """Fill the holes of pictures (b, c, h, w) in [-1, 1]: those pixels that are not a number."""
        return self.filler.complete(given)


def hole_pair(pictures: Tensor, side: int, draws: Draws, lose: Callable[[Tensor, Draws], Tensor]) -> TrainingPair:
    """Make pictures with holes, and the whole ones: patches with a hint, or all of a small copy without one.

    Args:
        side: of patches and copies, in pixels.
        lose: draws what is lost of pictures, (b, 1, h, w).
    """
    hinted = (draws.uniform() < 0.5).float()
    target = near_or_far(pictures, side, hinted, draws)
    return TrainingPair(spoilt(target, lose(target, draws), hinted), target)


def training_pair(pictures: Tensor, draws: Draws, config: Config) -> TrainingPair:
    """Make pictures with holes, and the whole ones."""
    return hole_pair(pictures, config.patch, draws, HOLES[config.holes])


def evaluation_pair(real: Photograph, config: Config) -> EvaluationPair:
    """Draw holes in a photograph, the same for the same photograph."""
    draws, values = draws_for(real, "holes"), as_tensor(real.values)
    drawn = (holes(values, draws)[0, 0].numpy() > 0 for _ in count())
    lost = next(mask for mask in drawn if mask.any())  # Strokes may miss a photograph.
    mean = real.values.reshape(-1, real.values.shape[2]).mean(0).astype(real.values.dtype)
    flat = Photograph(np.where(lost[..., None], mean, real.values))
    baselines = {"mean colour": flat, **biharmonic(flat, lost)}
    return EvaluationPair(flat, real, baselines, mask=Photograph(as_mask(lost)), hole_mask=lost)


def biharmonic(photograph: Photograph, lost: Mask) -> dict[str, Photograph]:
    """Fill holes as smoothly as can be (Damelin & Hoang, 2018), where scikit-image is installed."""
    try:
        from skimage.restoration import inpaint_biharmonic
    except ImportError:
        return {}
    if lost.all():
        return {}
    filled = inpaint_biharmonic(photograph.values / photograph.largest, lost, channel_axis=2)
    values = np.rint(filled.clip(0, 1) * photograph.largest).astype(photograph.values.dtype)
    return {"biharmonic": Photograph(np.where(lost[..., None], values, photograph.values))}


task = ImageRestoration(
    Config,
    InpaintingPipeline,
    Pairing(training_pair, masked=lambda config: config.within),
    Evaluation(evaluation_pair, protocol="Y of BT.601, eight bits, within the holes"),
)
