"""Inpainting: holes in photographs filled with what might have been there.

The network is shown photographs with holes (free-form strokes and boxes) and which pixels are lost, first pixel by
pixel, then against a discriminator (Pathak et al., 2016; Yu et al., 2019). The user names what is lost by a mask; all
else comes back untouched, bit for bit.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from gannet.augmentation.damage import holes
from gannet.augmentation.kinds import Drawn, Draws
from gannet.networks.unet import Unet
from gannet.photographs import Photograph
from gannet.randomness import generator
from gannet.schema import check, choose
from gannet.tasks._photographs import Lesson, PhotographConfig, PhotographTask, cut
from gannet.tasks._photographs.judging import Trial
from gannet.tasks._photographs.pipeline import PhotographPipeline, Settings
from gannet.tiling import Local, as_tensor, in_tiles

NETWORKS = {"unet": Unet}


class Config(PhotographConfig):
    """The keys of `task` for inpainting."""


class Inpainter(nn.Module):
    """Fills holes, and leaves all else as it is."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, given: Tensor) -> Tensor:
        """Map pictures and their masks (b, c + 1, h, w), one where something is lost, to pictures (b, c, h, w)."""
        picture, lost = given[:, :-1].float(), given[:, -1:].float()
        made: Tensor = self.unet(given)
        return picture * (1 - lost) + made * lost


def spoilt(pictures: Tensor, lost: Tensor) -> Tensor:
    """Pictures less what is lost (b, 1, h, w), and that: (b, c + 1, h, w)."""
    return torch.cat([pictures * (1 - lost), lost], 1)


class InpaintingPipeline(PhotographPipeline):
    """Fills holes: `pipeline("photo.jpg", mask="mask.png").save("whole.jpg")`."""

    task: ClassVar[str] = "inpainting"

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """The network that fills holes."""
        choice: Any = check(choose(config.network.name, NETWORKS, "network"), config.network.options, "network")
        channels = config.description.shape[0]
        return Inpainter(choice.unet(channels + 1, channels))

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:  # noqa: ARG003
        """Nothing."""
        return {}

    def improve(self, photograph: Photograph, mask: Photograph | None = None) -> Photograph:
        """Fill the holes of a photograph, a tile at a time.

        Args:
            mask: of the photograph's size, light where something is lost.
        """
        if mask is None:
            raise ValueError("Which pixels are lost is not known: give a mask, light where something is lost.")
        values, lost = photograph.values, lost_pixels(mask, photograph)
        unet: Any = self.networks["generator"].unet
        marked = np.concatenate([values, lost[..., None] * values.dtype.type(photograph.largest)], 2)
        filled = in_tiles(Photograph(marked), Local(self._fill, unet.reach, 1, unet.step)).values
        return photograph.with_values(np.where(lost[..., None], filled, values))

    def compute(self, given: Tensor) -> Tensor:
        """Pictures (b, c, h, w) in [-1, 1] with their holes filled: those pixels that are not a number."""
        lost = given.isnan().any(1, keepdim=True).float()
        return super().compute(spoilt(given.nan_to_num(), lost))

    def _fill(self, tile: Tensor) -> Tensor:
        picture, lost = tile[:, :-1], tile[:, -1:] > 0
        return self.compute_any(picture.masked_fill(lost, torch.nan)) if bool(lost.any()) else picture


def lost_pixels(mask: Photograph, photograph: Photograph) -> np.ndarray:
    """Where a mask is light, (h, w).

    Raises:
        ValueError: its size is another, or it is dark all over.
    """
    if mask.values.shape[:2] != photograph.values.shape[:2]:
        sizes = [f"{one.values.shape[1]}x{one.values.shape[0]}" for one in (mask, photograph)]
        raise ValueError(f"The mask has {sizes[0]} pixels and the photograph {sizes[1]}; give one of the same size.")
    lost: np.ndarray = mask.values.max(2) > mask.largest // 2
    if not lost.any():
        raise ValueError("The mask is dark all over, so nothing is lost; make it light where something is.")
    return lost


class Inpainting(PhotographTask):
    """Holes in photographs filled with what might have been there."""

    Config = Config
    networks: ClassVar[dict[str, Any]] = NETWORKS
    pipeline_class: ClassVar[type[PhotographPipeline]] = InpaintingPipeline
    protocol: ClassVar[str] = "Y of BT.601, eight bits, within the holes"

    def smallest(self, config: Any) -> int:  # noqa: ARG002
        """So that pieces pass through the discriminator."""
        return 8

    def lesson(self, pictures: Tensor, draws: Draws, config: Any) -> Lesson:
        """A piece with holes, and the whole piece."""
        aim = cut(pictures, config.piece, draws)
        return Lesson(spoilt(aim, holes(aim, draws)), aim)

    def trial(self, real: Photograph, config: Any) -> Trial:  # noqa: ARG002
        """A photograph with holes, the same for the same photograph."""
        picture = as_tensor(real.values)
        address = int(np.frombuffer(real.values.tobytes()[:8].ljust(8), np.uint32)[0])
        lost = holes(picture, Drawn(1, generator(address, "holes")))[0, 0].numpy() > 0
        mean = real.values.reshape(-1, real.values.shape[2]).mean(0).astype(real.values.dtype)
        flat = Photograph(np.where(lost[..., None], mean, real.values))
        return Trial(flat, real, {"mean colour": flat}, mask=Photograph(lost.astype(np.uint8)[..., None] * 255))


task = Inpainting()
