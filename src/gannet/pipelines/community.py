"""Community networks: what others trained to enlarge, improve or complete photographs, as one file of weights.

spandrel tells the architecture by the weights and builds the network. Files are data to us: safetensors, or pickles of
which nothing but tensors is taken.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache, partial
from math import lcm
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NoReturn, Self, TypeAlias, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from gannet.media import photograph
from gannet.media.medium import Medium
from gannet.media.photograph import LOSSY, Photograph, check_size
from gannet.media.pyramid import as_mask, lost_pixels, visible
from gannet.media.tiling import TiledOperation, as_learned, in_tiles
from gannet.pipelines.community_files import Descriptor, read_network
from gannet.pipelines.pipeline import ConverterPipeline, Input
from gannet.pipelines.reach import receptive_radius
from gannet.pipelines.settings import SettingsOf
from gannet.runtime.plain_data import Json
from gannet.runtime.process import drawing
from gannet.schema import Section

Kind: TypeAlias = Literal["SR", "Restoration", "Inpainting"]
"""What a network is for, in spandrel's words."""
NETWORK = "network"
TRUSTED, FADE, ALIGNED = 16, 16, 32
"""Of tiles of a network whose reach is not known, in pixels: how far from the end of what it sees a result is taken
from, over how many pixels to either side two tiles pass into each other, and what tiles begin at multiples of: windows
of attention are then the same in all of them."""
SEED = 0
"""What networks that draw noise draw it by, so that a photograph becomes the same again."""


class Settings(Section):
    """What spandrel tells of a network."""

    architecture: str
    kind: Kind
    scale: int
    """How many times larger photographs become."""
    channels: int
    multiple: int = 1
    """What the sides of what it is given are brought to multiples of."""
    minimum: int = 0
    """Pixels a side that it is given at least; what is smaller is mirrored."""


class CommunityOptions(Section):
    """What is asked of a community network."""

    tile: Annotated[int, Field(ge=64, le=8192)] = 256
    """Pixels a side of the parts that a photograph goes through in; smaller ones need less memory."""


class FillingOptions(Section):
    """What is asked of a community network that fills holes."""

    tile: Annotated[int, Field(ge=64, le=8192)] = 1024
    """Pixels a side of the parts that a photograph goes through in: a hole is filled by what its part shows; smaller
    ones need less memory."""


class CommunityPipeline(ConverterPipeline):
    """Puts photographs through a network that others trained: `pipeline("photo.jpg").save("better.png")`."""

    task: ClassVar[str] = "improvement"
    inputs: ClassVar[Mapping[str, Input]] = {"photograph": Input(photograph.medium, "a photograph of any size")}
    Options: ClassVar[type[Section]] = CommunityOptions
    Config: ClassVar[type[Section]] = Settings
    settings = SettingsOf(Settings)
    descriptor: Descriptor | None = None

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build what tells of a network, without it."""
        assert isinstance(config, Settings)
        return cls(config, {})

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """A photograph."""
        return {"photograph": photograph.medium}

    def interface(self) -> Json:
        """Tell of the network as well."""
        told, colours = self.settings, "grey" if self.settings.channels == 1 else "colour"
        what = f"A community network: {told.architecture}, {colours} ({told.channels} channels), scale {told.scale}."
        return {**super().interface(), "about": what}

    def facts(self, options: Section) -> dict[str, object]:
        """Say what the metadata of results tell: the network's file, and its architecture."""
        told = {"model": self.name, "architecture": self.settings.architecture}
        return {**told, **options.model_dump(exclude_defaults=True)}

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:
        """Put a photograph through the network, whatever its size."""
        assert isinstance(options, CommunityOptions | FillingOptions)
        drawn = [self.device] if self.device.type == "cuda" else []
        with drawing, torch.random.fork_rng(drawn), torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of what is old in a network its author should know.
            torch.manual_seed(SEED)
            return {"photograph": self.improve(inputs, options.tile)}

    def improve(self, inputs: Mapping[str, Photograph], tile: int) -> Photograph:
        """Put a photograph through the network, a tile at a time."""
        given = visible(inputs["photograph"])
        compute = partial(as_learned, channels=self.settings.channels, compute=self.compute)
        return in_tiles(given, self._operation(compute, given, tile), tile)

    def check_result(self, inputs: Mapping[str, Any], ending: str) -> None:
        """Raise ValueError where a format takes no photograph so large."""
        check_size(ending, *(self.settings.scale * side for side in inputs["photograph"].values.shape[:2]))

    def save_pretrained(self, folder: str | Path, weights: str = "model") -> NoReturn:  # noqa: ARG002
        """Refuse: it stays the file that it is."""
        raise ValueError(f"{self.name} is a community network, which stays the file that it is: copy {self.file}.")

    def traced(self) -> NoReturn:
        """Refuse: those who made it have it in other formats."""
        raise ValueError(f"{self.name} is a community network, which is not exported; use the file as it is.")

    def compute(self, pictures: Tensor, *more: Tensor) -> Tensor:
        """Put pictures (b, c, h, w) in [-1, 1] through the network, one by one, each with what else goes in."""
        assert self.descriptor is not None, "what tells of a network computes nothing"
        made = [self.descriptor(self._moved(picture[None] / 2 + 0.5), *map(self._moved, more)) for picture in pictures]
        return torch.cat(made).float().cpu() * 2 - 1

    def _moved(self, given: Tensor) -> Tensor:
        """A tensor where the network is, as precise as that."""
        return given.to(next(self.networks[NETWORK].parameters()))

    def _operation(self, compute: Callable[[Tensor], Tensor], given: Photograph, tile: int) -> TiledOperation:
        """How a photograph goes through: by the network's own reach, or with tiles that pass into each other."""
        told = self.settings
        if max(given.values.shape[:2]) <= tile:
            return TiledOperation(compute, 0, told.scale)
        if self.reach is None:
            return TiledOperation(compute, max(TRUSTED, told.minimum), told.scale, lcm(told.multiple, ALIGNED), FADE)
        return TiledOperation(compute, max(self.reach, told.minimum), told.scale, told.multiple)

    @cached_property
    def reach(self) -> int | None:
        """How many pixels away a pixel still matters, where that is little and the same everywhere."""
        told = self.settings
        return receptive_radius(self._probed, told.channels, told.multiple, told.scale)

    def _probed(self, pictures: Tensor) -> Tensor:
        return self.compute(pictures)


class EnlargementPipeline(CommunityPipeline):
    """Enlarges photographs: `pipeline("small.png").save("large.png")`."""

    task: ClassVar[str] = "enlargement"


class FillingPipeline(CommunityPipeline):
    """Fills holes: `pipeline("photo.jpg", mask="mask.png").save("whole.png")`."""

    task: ClassVar[str] = "filling"
    Options: ClassVar[type[Section]] = FillingOptions
    inputs: ClassVar[Mapping[str, Input]] = {
        **CommunityPipeline.inputs,
        "mask": Input(photograph.medium, "light where something is lost, as large as the photograph"),
    }

    def improve(self, inputs: Mapping[str, Photograph], tile: int) -> Photograph:
        """Fill the holes of a photograph; all else stays bit for bit."""
        given = inputs["photograph"]
        lost = lost_pixels(inputs["mask"], given)
        white = as_mask(lost).astype(given.values.dtype) * (given.largest // 255)
        marked = Photograph(np.concatenate([visible(given, lost).values, white], 2))
        filled = in_tiles(marked, self._operation(self._fill, given, tile), tile).values
        return given.with_values(np.where(lost[..., None], filled, given.values))

    def ending(self, given: str) -> str:
        """Keep the ending, but for one whose format would spoil what comes back bit for bit."""
        return ".png" if given.lower() in LOSSY else super().ending(given)

    def _fill(self, tile: Tensor) -> Tensor:
        """Fill the holes of a tile (1, c + 1, h, w) in [-1, 1], whose last channel is light where something is lost."""
        picture, lost = tile[:, :-1], (tile[:, -1:] > 0).float()
        if not lost.any():
            return picture
        return as_learned(picture, self.settings.channels, lambda pictures: self.compute(pictures, lost))

    def _probed(self, pictures: Tensor) -> Tensor:
        return self.compute(pictures, torch.ones_like(pictures[:, :1]))


PIPELINES: Mapping[Kind, type[CommunityPipeline]] = {
    "SR": EnlargementPipeline,
    "Restoration": CommunityPipeline,
    "Inpainting": FillingPipeline,
}


def load_network(file: Path) -> CommunityPipeline:
    """Read a file of weights, and give what applies its network; see `read_network`."""
    descriptor = read_network(file)
    settings = _settings(descriptor, file)
    made = PIPELINES[settings.kind](settings, {NETWORK: descriptor.model}, file.stem)
    made.descriptor, made.file = descriptor, file
    return made


def network_told(file: Path) -> CommunityPipeline:
    """Give what tells of the network in a file, without it."""
    status = file.stat()
    settings = _told(file.resolve(), status.st_mtime_ns, status.st_size)
    return PIPELINES[settings.kind](settings, {}, file.stem)


@lru_cache(maxsize=8)
def _told(file: Path, changed: int, size: int) -> Settings:  # noqa: ARG001
    """What spandrel tells of a file as it is; the command line asks before it loads."""
    return load_network(file).settings


def _settings(descriptor: Descriptor, file: Path) -> Settings:
    """What spandrel tells of a network; ValueError where it is none for photographs."""
    size, name = descriptor.size_requirements, descriptor.architecture.name
    if descriptor.purpose not in PIPELINES:
        raise ValueError(
            f"{file} is a network of {name}, which wants faces that were cut out and set upright, and no photographs; "
            "use it with a program that finds faces."
        )
    channels = descriptor.input_channels, descriptor.output_channels
    if channels not in ((1, 1), (3, 3)):
        raise ValueError(
            f"{file} takes pictures of {channels[0]} channels and makes some of {channels[1]}; Gannet applies networks "
            "that take and make one or three."
        )
    return Settings(
        architecture=name,
        kind=cast(Kind, descriptor.purpose),
        scale=descriptor.scale,
        channels=channels[0],
        multiple=size.multiple_of,
        minimum=size.minimum,
    )
