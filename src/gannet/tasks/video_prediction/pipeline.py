"""The pipeline of a trained model of prediction: a still or a film goes on."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from gannet.augmentation.levels import from_levels
from gannet.media import context, image
from gannet.media.context import Context
from gannet.media.medium import Medium
from gannet.media.pixels import convert_channels, fit_picture
from gannet.media.several_clips import SeveralClipsMedium
from gannet.networks.moving_layers import MovingLayersGenerator, Parted, laid
from gannet.networks.two_stream import Layers
from gannet.pipelines.pipeline import ConverterPipeline, Input
from gannet.pipelines.samples import latents
from gannet.pipelines.settings import SettingsOf
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE
from gannet.schema import Section
from gannet.tasks._video.game import GENERATOR
from gannet.tasks.generation.pipeline import SeedOptions
from gannet.tasks.video_prediction.config import Settings, choose_network

CLIP, FOREGROUND, BACKGROUND, MASK = "clip", "foreground", "background", "mask"
MOST_FRAMES, TOGETHER = 4096, 64
"""Frames of all futures that are made at once at most, and those that are laid together at a time."""
DRAWN = 64
"""Draws of noise among which the futures of a seed are chosen."""
PICTURE = Input(context.medium, "a still picture of any size, or a film, which goes on after its last frames")


FILM = Input(context.motion, "a film, or a folder of numbered pictures, which goes on after its last frames")


class PredictionOptions(SeedOptions):
    """What is asked of a model that predicts."""

    most: ClassVar[int] = MOST_FRAMES

    num: int = 1
    """How many futures; future i of a seed is the same whatever their number is. They play side by side."""
    first: int = Field(0, ge=0)
    """The number of the first of them, to get one alone that was seen among others."""
    frames: int | None = None
    """Frames of the clip with the given ones; more than were learned go on in the same way."""

    @model_validator(mode="after")
    def _are_few_enough(self) -> Self:
        if self.frames is not None and self.num * self.frames > MOST_FRAMES:
            given = f"{self.num} and {self.frames}"
            raise ValueError(f"num times frames is {MOST_FRAMES:,} at most; given: {given}")
        return self


def farthest_first(points: Tensor, count: int) -> list[int]:
    """Order points (n, d): the first, then always the one farthest from all before it, up to so many.

    Gonzalez, 1985, "Clustering to Minimize the Maximum Intercluster Distance", section 2.
    """
    chosen, apart = [0], (points - points[0]).square().sum(1)
    while len(chosen) < count:
        apart[chosen] = -1.0  # None twice, also where all are alike.
        chosen.append(int(apart.argmax()))
        apart = torch.minimum(apart, (points - points[chosen[-1]]).square().sum(1))
    return chosen


class VideoPredictionPipeline(ConverterPipeline):
    """Tells what comes after a picture: `pipeline("photo.jpg", num=4).save("futures.mp4")`."""

    task: ClassVar[str] = "video-prediction"
    inputs: ClassVar[Mapping[str, Input]] = {"picture": PICTURE}
    Options: ClassVar[type[Section]] = PredictionOptions
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)

    def __init__(self, config: Section, networks: dict[str, nn.Module], name: str = "") -> None:
        super().__init__(config, networks, name)
        if self.settings.given > 1:  # Of one frame each picture of a folder has a future.
            self.inputs = {"picture": FILM}  # type: ignore[misc]

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Futures with what they begin with; and what the frames that come are laid together of."""
        clips = self._clips
        return {CLIP: clips, FOREGROUND: clips, BACKGROUND: image.medium, MASK: clips}

    @cached_property
    def _clips(self) -> SeveralClipsMedium:
        return SeveralClipsMedium(self.settings.description.rate)

    def options(self, given: Mapping[str, object]) -> Section:
        """Check options; ValueError also where the clip would hold nothing but what is given."""
        options = super().options(given)
        assert isinstance(options, PredictionOptions)
        if options.frames is not None and options.frames <= self.settings.given:
            raise ValueError(
                f"frames is {options.frames}, of which the first {self.settings.given} are given; ask for more."
            )
        return options

    def facts(self, options: Section) -> dict[str, object]:
        """Say also that a picture of somebody's own is part of what was made."""
        return {SOURCE_TYPE: COMPOSITE, **super().facts(options)}

    def warnings(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        """Say what of a picture of another size is taken."""
        _, _, height, width = self.settings.description.shape
        size = inputs["picture"].shown.size
        if size == (width, height):
            return ()
        how = "its middle, brought" if self.settings.fit == "crop" else "it is brought"
        return (f"it is {size[0]}x{size[1]}; what goes on is {how} to {width}x{height}",)

    def ending(self, given: str) -> str:
        """Keep the ending of a film or an animation; a picture becomes a film."""
        ending = super().ending(given)
        return ending if ending.lower() in SeveralClipsMedium.played else SeveralClipsMedium.played[0]

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:
        """Predict futures: (n, c, t, h, w), their layers, and what stands still, the same in all (c, h, w)."""
        assert isinstance(options, PredictionOptions)
        frames, length = self.given(inputs["picture"]), options.frames
        numbers = range(options.first, options.first + options.num)
        made = self.futures(frames, options.seed, numbers, length)
        begun = frames.expand(len(made), -1, -1, -1, -1)
        moving = [torch.cat([one[at] for one in made]) for at in (0, 2)]
        clips = torch.cat([one.clip() for one in made])
        return {
            CLIP: torch.cat([begun, clips], 2),
            FOREGROUND: moving[0],
            BACKGROUND: made[0].background[0],
            MASK: 2 * moving[1] - 1,
        }

    def given(self, value: Context) -> Tensor:
        """Bring the last frames of what is given to what was learned: (1, c, g, h, w) in [-1, 1]."""
        channels, _, height, width = self.settings.description.shape
        last = value.last(self.settings.given, self.settings.description.rate)
        fitted = [fit_picture(convert_channels(one, channels), height, width, self.settings.fit) for one in last]
        return torch.stack([torch.from_numpy(from_levels(one)) for one in fitted], 1)[None]

    def future(self, frames: Tensor, seed: int, number: int, length: int | None = None) -> Layers:
        """Predict what comes after frames (1, c, g, h, w), in layers; up to so many frames with the given ones."""
        return self.futures(frames, seed, [number], length)[0]

    @torch.inference_mode()
    def futures(self, frames: Tensor, seed: int, numbers: Sequence[int], length: int | None = None) -> list[Layers]:
        """Predict the futures of these numbers, each in layers.

        One at a time, for kernels differ by the size of a batch: the same whatever else is asked for.
        """
        parted = self.network.parted(frames.to(self.device))
        return [self._laid(parted, seed, draw, length) for draw in self._draws_of(parted, seed, numbers)]

    def _laid(self, parted: Parted, seed: int, draw: int, length: int | None) -> Layers:
        """Lay together what moves as a draw of noise wants it."""
        latent = latents(self.network, seed, draw, 1).to(self.device)
        motion = self.network.motion(parted, latent, None if length is None else length - self.network.given)
        spans = range(0, motion.moved.shape[1], TOGETHER)
        parts = [laid(parted, motion.between(start, start + TOGETHER)) for start in spans]
        foreground, mask = (torch.cat([part[at] for part in parts], 2).float().cpu() for at in (0, 2))
        return Layers(foreground, parted.background.float().cpu(), mask)

    def _draws_of(self, parted: Parted, seed: int, numbers: Sequence[int]) -> list[int]:
        """Tell which draw of noise each future is: of the first 64 the one whose way is unlike those before it.

        The first is the first draw, so that it is as likely as any.
        """
        last = max((number for number in numbers if number < DRAWN), default=0)
        if not last:
            return list(numbers)
        several = Parted(*(None if one is None else one.expand(DRAWN, *one.shape[1:]) for one in parted))  # type: ignore[arg-type]
        motion = self.network.motion(several, latents(self.network, seed, 0, DRAWN).to(self.device))
        seen = parted.masks.mean((2, 3)).sqrt()[..., None]  # Where a part that nobody sees goes is nothing to go by.
        order = farthest_first((motion.moved * seen).flatten(1), last + 1)
        return [order[number] if number < DRAWN else number for number in numbers]

    def clip(self, frames: Tensor, seed: int, number: int) -> Tensor:
        """Predict a clip that begins with frames (1, c, g, h, w): (1, c, t, h, w)."""
        return torch.cat([frames, self.future(frames, seed, number).clip()], 2)

    @property
    def network(self) -> MovingLayersGenerator:
        """The network that predicts."""
        network = self.networks[GENERATOR]
        assert isinstance(network, MovingLayersGenerator)
        return network

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, `frames` (1, c, g, h, w) and `latent` (1, latent)."""
        channels, _, *sides = self.settings.description.shape
        frames = torch.zeros(1, channels, self.settings.given, *sides)
        return self.networks[GENERATOR], {"frames": frames, "latent": latents(self.network, 0, 0, 1)}

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained network."""
        assert isinstance(config, Settings)
        generator = choose_network(config.network).generator(config.description.shape, config.given)
        return cls(config, {GENERATOR: generator})
