"""Restoration: scratches, tears, stains and dust on old photographs found, and filled with what might have been there.

Two networks learn side by side from damage that is drawn on whole photographs: one finds it, the other fills what is
lost (Wan et al., 2020, "Bringing Old Photos Back to Life", has both). What was not damaged comes back untouched, bit
for bit. A mask of the user's own goes before what is found.
"""

from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import AfterValidator
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, max_pool2d

from gannet.adversarial.game import Outcome, Pass, Turn
from gannet.augmentation.damage import DAMAGES, damage, fade
from gannet.augmentation.kinds import Drawn, Draws
from gannet.photographs import Photograph
from gannet.randomness import generator
from gannet.schema import check, choose, nearest
from gannet.tasks import inpainting
from gannet.tasks._photographs import Lesson, cut
from gannet.tasks._photographs.judging import Trial
from gannet.tasks._photographs.lessons import Lessons
from gannet.tasks._photographs.pipeline import PhotographPipeline, Settings
from gannet.tasks.inpainting import NETWORKS, Inpainting, InpaintingPipeline, spoilt
from gannet.tiling import Local, as_tensor, as_values, in_tiles

DETECTOR, WIDER = "detector", 2
"""Pixels by which what is found is widened: the edges of a scratch are damaged as well."""


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in DAMAGES]:
        raise ValueError(f"there is no damage {unknown[0]!r}; {nearest(unknown[0], DAMAGES)}")
    return names


class Config(inpainting.Config):
    """The keys of `task` for restoration."""

    damages: Annotated[tuple[str, ...], AfterValidator(_known)] = tuple(DAMAGES)
    """What is drawn on photographs to learn from: scratches, tears, stains, dust."""


class RestorationPipeline(InpaintingPipeline):
    """Restores photographs: `pipeline("old.jpg").save("restored.jpg")`."""

    task: ClassVar[str] = "restoration"

    @classmethod
    def build_networks(cls, config: Settings) -> dict[str, nn.Module]:
        """The network that fills what is lost, and the one that finds it."""
        choice: Any = check(choose(config.network.name, NETWORKS, "network"), config.network.options, "network")
        return {**super().build_networks(config), DETECTOR: choice.unet(config.description.shape[0], 1)}

    def improve(self, photograph: Photograph, mask: Photograph | None = None) -> Photograph:
        """Fill what is lost: what the mask says, or what is found."""
        mask = mask or self.find(photograph)
        return super().improve(photograph, mask) if mask.values.any() else photograph

    def find(self, photograph: Photograph) -> Photograph:
        """Where a photograph is damaged: white there, black elsewhere."""
        unet: Any = self.networks[DETECTOR]
        found = in_tiles(photograph, Local(self._found, unet.reach + WIDER, 1, unet.step))
        return Photograph((found.values[..., :1] > found.largest // 2).astype(np.uint8) * 255)

    @torch.inference_mode()
    def _found(self, tile: Tensor) -> Tensor:
        settings: Any = self.config
        channels, network = settings.description.shape[0], self.networks[DETECTOR]
        picture = tile.expand(-1, channels, -1, -1) if tile.shape[1] == 1 else tile
        picture = picture.mean(1, keepdim=True) if channels == 1 else picture
        damaged = (network(picture.to(next(network.parameters()).device)) > 0).float().cpu()
        return 2 * max_pool2d(damaged, 2 * WIDER + 1, 1, WIDER) - 1


class Restoration(Inpainting):
    """Damage on old photographs found, and filled with what might have been there."""

    Config = Config
    pipeline_class: ClassVar[type[PhotographPipeline]] = RestorationPipeline
    further: ClassVar[tuple[str, ...]] = (DETECTOR,)

    def lesson(self, pictures: Tensor, draws: Draws, config: Any) -> Lesson:
        """A piece, faded at times, less its damage; the whole piece; and the damage, to be found."""
        whole = cut(pictures, config.piece, draws)
        aim = torch.where((draws.uniform() < 0.5)[:, None, None, None], fade(whole, draws), whole)
        spoiled = damage(aim, config.damages, draws)
        wider = max_pool2d(spoiled.lost, 2 * WIDER + 1, 1, WIDER)
        return Lesson(spoilt(spoiled.pictures, wider), aim, (spoiled.pictures, spoiled.lost))

    def turns_beside(self, networks: dict[str, nn.Module], lessons: Lessons) -> tuple[Turn, ...]:
        """The detector learns which pixels are damaged, in every stage."""
        network = networks[DETECTOR]

        def find(run: Pass) -> Outcome:
            found = lessons(run).found
            assert found is not None
            pictures, lost = found
            return Outcome({DETECTOR: {"cross_entropy": binary_cross_entropy_with_logits(network(pictures), lost)}})

        return (Turn("find", (DETECTOR,), find),)

    def trial(self, real: Photograph, config: Any) -> Trial:
        """A photograph with damage, the same for the same photograph; the model has to find it."""
        picture = as_tensor(real.values)
        address = int(np.frombuffer(real.values.tobytes()[:8].ljust(8), np.uint32)[0])
        spoiled = damage(picture, config.damages, Drawn(1, generator(address, "damage")))
        given = Photograph(as_values(spoiled.pictures, real.values.dtype))
        return Trial(given, real, {"untouched": given})


task = Restoration()
