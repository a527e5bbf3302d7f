"""Super-resolution: photographs two or four times as large, with the detail that they would have.

The network learns from photographs and from what bicubic reduction leaves of them (SRGAN: Ledig et al., 2017), first
pixel by pixel, then against a discriminator. `gannet apply` enlarges photographs of any size; `--strength` goes from
true to pixels (0) to sharp (1).
"""

from typing import Any, ClassVar, Literal

from PIL import Image
from torch import Tensor, nn

from gannet.adversarial.contest import GENERATOR
from gannet.augmentation.kinds import Draws
from gannet.networks.srresnet import Srresnet, reduce
from gannet.photographs import Photograph
from gannet.schema import Choice, check, choose
from gannet.tasks._photographs import Lesson, PhotographConfig, PhotographTask, cut
from gannet.tasks._photographs.judging import Trial, resized, whole_multiple
from gannet.tasks._photographs.pipeline import PhotographPipeline, Settings, refuse_mask
from gannet.tiling import Local, in_tiles

NETWORKS = {"srresnet": Srresnet}


class Config(PhotographConfig):
    """The keys of `task` for super-resolution."""

    scale: Literal[2, 4] = 4
    """How many times larger photographs become."""


class SuperResolutionPipeline(PhotographPipeline):
    """Enlarges photographs: `pipeline("small.png").save("large.png")`."""

    task: ClassVar[str] = "super-resolution"

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """The enlarging network."""
        choice: Any = check(choose(config.network.name, NETWORKS, "network"), config.network.options, "network")
        enlarger: nn.Module = choice.enlarger(config.description.shape[0], _scale(config))
        return enlarger

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:
        """The scale."""
        return {"scale": _scale(config)}

    def improve(self, photograph: Photograph, mask: Photograph | None = None) -> Photograph:
        """Enlarge a photograph, a tile at a time."""
        refuse_mask(mask)
        network: Any = self.networks[GENERATOR]
        return in_tiles(photograph, Local(self.compute_any, network.reach, network.scale))


def _scale(config: Settings) -> int:
    options: Config = check(Config, config.task.options, "task")
    return options.scale


class SuperResolution(PhotographTask):
    """Photographs two or four times as large, with the detail that they would have."""

    Config = Config
    networks: ClassVar[dict[str, Any]] = NETWORKS
    pipeline_class: ClassVar[type[PhotographPipeline]] = SuperResolutionPipeline
    tiny: ClassVar[Choice] = Choice(name="srresnet", width=8, blocks=1)
    modest: ClassVar[dict[str, Any]] = {"scale": 2}

    def smallest(self, config: Any) -> int:
        """So that reduced pieces have whole sides, and pass through the discriminator."""
        return 8 * int(config.scale)

    def lesson(self, pictures: Tensor, draws: Draws, config: Any) -> Lesson:
        """A piece, and what bicubic reduction leaves of it."""
        aim = cut(pictures, config.piece, draws)
        return Lesson(reduce(aim, config.scale), aim)

    def trial(self, real: Photograph, config: Any) -> Trial:
        """A photograph reduced by Pillow's bicubic, beside its bicubic and its Lanczos enlargement."""
        real = whole_multiple(real, config.scale)
        height, width = real.values.shape[:2]
        given = resized(real, (width // config.scale, height // config.scale), Image.Resampling.BICUBIC)
        ways = {"bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS}
        return Trial(
            given, real, {name: resized(given, (width, height), way) for name, way in ways.items()}, config.scale
        )


task = SuperResolution()
