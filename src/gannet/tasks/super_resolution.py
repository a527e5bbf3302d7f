"""Super-resolution: photographs two or four times as large, with the detail that they would have; or clean as they are.

The network learns from photographs and from what is left of them: by bicubic reduction (SRGAN: Ledig et al., 2017), or
by blur, noise and compression as well, as the world has it; first pixel by pixel, then against a discriminator. With
`task.scale=1` it takes the world's noise and blocks away and enlarges nothing. `gannet apply` takes photographs of any
size; `--strength` goes from true to pixels (0) to sharp (1).
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from PIL import Image
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import Tensor, nn

from gannet.adversarial.two_player import GENERATOR
from gannet.augmentation.degrading import DEGRADATIONS, resampled
from gannet.augmentation.draws import Draws
from gannet.media.photograph import Photograph
from gannet.media.pyramid import visible
from gannet.media.tiling import TiledOperation, as_learned, as_tensor, as_values, in_tiles
from gannet.metrics.restoration import luma
from gannet.metrics.upsampling_grid import grid_energy
from gannet.networks.compact import Compact
from gannet.networks.srresnet import EvenSrresnet, Srresnet
from gannet.pipelines import scales
from gannet.pipelines.hub import absolute
from gannet.recipe import Recipe
from gannet.schema import Choice, Section, Share, check
from gannet.tasks._image_restoration import Evaluation, ImageRestoration, Pairing, PhotographConfig, TrainingPair, cut
from gannet.tasks._image_restoration.evaluation import EvaluationPair, draws_for, resized, whole_multiple
from gannet.tasks._image_restoration.pipeline import PhotographPipeline, Settings
from gannet.tasks._image_restoration.teacher import find_teacher

NETWORKS: dict[str, type[Srresnet] | type[Compact]] = {
    "srresnet": Srresnet,
    "srresnet-even": EvenSrresnet,
    "compact": Compact,
}
TAUGHT = ("teacher", "teacher_strength")
ONCE_UNKNOWN: dict[str, Any] = {"teacher": "", "teacher_strength": None, "reductions": (1,)}
"""What stands for keys of which old recipes do not speak."""


class Config(PhotographConfig):
    """The keys of `task` for super-resolution."""

    of_this_machine: ClassVar[tuple[str, ...]] = (*PhotographConfig.of_this_machine, *TAUGHT)

    scale: Literal[1, 2, 4] = 4
    """How many times larger photographs become; 1 takes noise and JPEG's blocks away and leaves their size."""
    degradation: Literal["bicubic", "world"] = "world"
    """What photographs to learn from undergo: bicubic reduction, or what lenses, cameras and those who pass them on do
    as well (blur, noise, sharpening, resizing, JPEG once or twice)."""
    reductions: Annotated[tuple[Annotated[int, Field(ge=1, le=4)], ...], Field(min_length=1, max_length=4)] = (1,)
    """How many times smaller photographs are made before they are learned from, each as often, as far as data.size has
    room for: [1, 2] takes every other patch from a copy of half the size, where what a photograph already suffered is
    finer."""
    teacher: str = ""
    """A model whose pictures are learned in place of the true ones (distillation): a path, a name, or the file of a
    community network; empty: none."""
    teacher_strength: Share | None = None
    """Its strength, as in `gannet apply --strength`; left out, as the model is."""

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if self.scale == 1 and self.degradation == "bicubic":
            raise ValueError(
                "with task.scale=1 bicubic reduction takes nothing away that could be learned; set "
                "task.degradation=world, or task.scale to 2 or 4"
            )
        return self

    def by_the_truth(self) -> Self:
        """Give the keys without a teacher."""
        return self.model_copy(update={"teacher": ""})

    def on_this_machine(self) -> Self:
        """Give the keys with the teacher's whole path; ValueError where there is none, or it enlarges otherwise."""
        if not self.teacher:
            return self
        whole = self.model_copy(update={"teacher": absolute(self.teacher, "model")})
        if (scale := find_teacher(whole.teacher, self.teacher_strength).scale) != self.scale:
            raise ValueError(
                f"task.teacher={self.teacher} enlarges {scale} times and task.scale is {self.scale}; set it to {scale}."
            )
        return whole

    @model_serializer(mode="wrap")
    def _as_then(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what recipes did not say once, where it is not used: those of old runs stay as they are."""
        return {key: value for key, value in write(self).items() if getattr(self, key) != ONCE_UNKNOWN.get(key, ...)}


class SuperResolutionPipeline(PhotographPipeline):
    """Enlarges photographs: `pipeline("small.png").save("large.png")`."""

    task: ClassVar[str] = "super-resolution"
    expected: ClassVar[str] = "expect detail that does not belong there"
    offered: ClassVar[dict[str, Any]] = NETWORKS

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the enlarging network."""
        enlarger: nn.Module = cls.choice(config.network).enlarger(config.description.shape[0], _scale(config))
        return enlarger

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:
        """Keep the scale."""
        return {"scale": _scale(config)}

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where a scale is asked for, which names the models of others."""
        if asked := next((name for name in scales.SCALES if name in given), ""):
            raise ValueError(f"{self.name or 'The model'} takes no {asked}; {scales.advice()}")
        return super().options(given)

    def enlarged(self, side: int) -> int:
        """Tell how many pixels a side becomes: as many times as the network was made for."""
        network: Any = self.networks[GENERATOR]
        return side * int(network.scale)

    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:  # noqa: ARG002
        """Enlarge a photograph, a tile at a time."""
        network: Any = self.networks[GENERATOR]
        settings: Any = self.config
        enlarge = partial(as_learned, channels=settings.description.shape[0], compute=self.compute)
        return in_tiles(visible(given), TiledOperation(enlarge, network.receptive_radius, network.scale))


def _scale(config: Settings) -> int:
    options: Config = check(Config, config.task.options, "task")
    return options.scale


def patch_multiple(config: Config) -> int:
    """Let reduced patches have whole sides, and pass through the discriminator."""
    return 8 * config.scale


def cut_reduced(pictures: Tensor, config: Config, draws: Draws) -> Tensor:
    """Cut a patch of each picture, of some out of a smaller copy."""
    if config.reductions == (1,):
        return cut(pictures, config.patch, draws)
    which, room = (len(config.reductions) * draws.uniform()).long(), min(pictures.shape[2:])
    sides = (min(config.patch * times, room) for times in config.reductions)
    patches = torch.stack([resampled(cut(pictures, side, draws), config.patch) for side in sides])
    return patches[which, torch.arange(len(pictures), device=pictures.device)]


def training_pair(pictures: Tensor, draws: Draws, config: Config) -> TrainingPair:
    """Cut a patch, and give what its degradation leaves of it; a teacher shows what it would make of that."""
    target = cut_reduced(pictures, config, draws)
    given = DEGRADATIONS[config.degradation](target, config.scale, draws)
    if config.teacher:
        target = find_teacher(config.teacher, config.teacher_strength).shown(given)
    return TrainingPair(given, target)


def figures(made: Tensor, target: Tensor, config: Config) -> dict[str, float]:
    """Tell how much energy lies at the grid of enlargement."""
    found = grid_energy(luma(made), luma(target), config.scale)
    return {} if found is None else {"grid": found}


def evaluation_pair(real: Photograph, config: Config) -> EvaluationPair:
    """Reduce a photograph by Pillow's bicubic, or as the world does it, beside what interpolation makes of it."""
    real = whole_multiple(real, config.scale)
    height, width = real.values.shape[:2]
    if config.degradation == "bicubic":
        given = resized(real, (width // config.scale, height // config.scale), Image.Resampling.BICUBIC)
    else:
        left = DEGRADATIONS[config.degradation](as_tensor(real.values), config.scale, draws_for(real, "given"))
        given = Photograph(as_values(left, real.values.dtype))
    ways = {"bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS}
    baselines = {name: resized(given, (width, height), way) for name, way in ways.items()}
    return EvaluationPair(
        given, real, baselines if config.scale > 1 else {"untouched": given}, border=config.scale, scale=config.scale
    )


class SuperResolution(ImageRestoration[Config]):
    """The task, which a scale is asked of."""

    def adopt(self, recipe: Recipe, config: Section) -> Recipe:
        """Take over a model's network; ValueError where the recipe asks for another scale."""
        assert isinstance(config, Settings)
        asked, has = recipe.task.options.get("scale", _scale(config)), _scale(config)
        if asked != has:
            raise ValueError(
                f"task.scale={asked} does not fit the model to start from, which has {has}; set task.scale={has}, or "
                f"start from one with {asked}."
            )
        return super().adopt(recipe, config)


task = SuperResolution(
    Config,
    SuperResolutionPipeline,
    Pairing(training_pair, patch_multiple, figures=figures),
    Evaluation(evaluation_pair),
    example_network=Choice(name="srresnet", width=8, blocks=1),
    example_options={"scale": 2, "degradation": "bicubic"},
)
