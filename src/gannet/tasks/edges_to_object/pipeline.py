"""What drawings are coloured through: read, brought to what was learned, painted, and put back in their place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn

from gannet.media import photograph
from gannet.media.medium import Medium
from gannet.media.photograph import Photograph, as_photograph
from gannet.media.tiling import as_values
from gannet.networks.unet import Unet
from gannet.pipelines.pipeline import Input
from gannet.schema import Section, check
from gannet.tasks._image_restoration.hints import check_hints, small_hints
from gannet.tasks._image_restoration.pipeline import PhotographOptions, PhotographPipeline, Settings
from gannet.tasks.edges_to_object.learning import GIVEN, Config, as_given
from gannet.tasks.edges_to_object.reading import Reading, Square, read_any, read_drawing, reduced

if TYPE_CHECKING:
    from gannet.data.records import Source

WHITE = 255


class Painter(nn.Module):
    """Adds to a drawing what it lacks, and leaves white what lies without its outline."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, given: Tensor) -> Tensor:
        """Map drawings, hints, and what lies within the outline (b, 6, h, w) to pictures (b, 3, h, w)."""
        made: Tensor = given[:, :1].float() + self.unet(given)
        without = (-given[:, -1:].float()).clamp(0, 1)
        return torch.lerp(made, torch.ones_like(made), without)


class DrawingOptions(PhotographOptions):
    """What is asked of a model that colours drawings."""

    as_: Literal["auto", "drawing", "photograph"] = Field("auto", alias="as")
    """What is given: `drawing`, lines on paper; `photograph`, whose edges are taken; `auto` looks which."""
    lines: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much of the drawing's own lines is laid over the picture, from 0 to 1."""


DRAWING = Input(photograph.medium, "a drawing of lines, or a photograph whose edges are taken")
HINTS = Input(
    photograph.medium, "dots or strokes of colour, transparent elsewhere, as large as the drawing", required=False
)


class DrawingPipeline(PhotographPipeline):
    """Colours drawings: `pipeline("drawing.png").save("coloured.png")`."""

    task: ClassVar[str] = "edges-to-object"
    offered: ClassVar[dict[str, Any]] = {"unet": Unet}
    inputs: ClassVar[Mapping[str, Input]] = {"drawing": DRAWING, "hints": HINTS}
    Options: ClassVar[type[Section]] = DrawingOptions

    @classmethod
    def network(cls, config: Settings) -> nn.Module:
        """Build the painting network."""
        return Painter(cls.choice(config.network).unet(GIVEN, 3))

    @classmethod
    def fixed(cls, config: Settings) -> dict[str, Any]:
        """Keep the size that drawings are brought to."""
        return {"patch": _side(config)}

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """A picture."""
        return {"picture": photograph.medium}

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network, and a `drawing_and_hints` (1, 6, h, w) as it learned from."""
        network, _ = super().traced()
        side = _side(self.config)
        return network, {"drawing_and_hints": as_given(torch.ones(1, 1, side, side))}

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:
        """Colour a drawing, by hints where some are given."""
        assert isinstance(options, DrawingOptions)
        given, hints = inputs["drawing"], inputs.get("hints")
        if hints is not None:
            check_hints(hints, given, "drawing")
        reading = read_any(given, _side(self.config), options.as_)
        return {"picture": self._coloured(given, reading, hints, options.lines)}

    def learn_from(self, source: "Source", name: str) -> None:
        """Keep nothing of it: drawings, which it will be given, are unlike the photographs that it learns from."""

    def improve(self, given: Photograph, mask: Photograph | None = None) -> Photograph:  # noqa: ARG002
        """Colour what is known to be a drawing; one of nothing stays white."""
        try:
            reading = read_drawing(given, _side(self.config))
        except ValueError:
            return Photograph(np.full((*given.values.shape[:2], 3), WHITE, np.uint8))
        return self._coloured(given, reading)

    def compute(self, given: Tensor) -> Tensor:
        """Colour drawings (b, c, h, w) in [-1, 1], of black lines on white."""
        return self._made(as_given(given.mean(1, keepdim=True)))

    def _coloured(
        self, given: Photograph, reading: Reading, hints: Photograph | None = None, lines: float = 0.0
    ) -> Photograph:
        """Paint what was read, and put it back in its place, on white."""
        told = None if hints is None else _small_hints(hints, reading.square, reading.drawing.shape[2])
        made = as_values(self._made(as_given(reading.drawing, told, reading.within)), "uint8")
        height, width = given.values.shape[:2]
        values = np.full((height, width, 3), WHITE, np.uint8)
        reading.square.paste(Image.fromarray(made), values)
        if lines and reading.ink is not None:
            ink = np.asarray(Image.fromarray(reading.ink).resize((width, height), Image.Resampling.BICUBIC))
            values = np.rint(values * (1 - lines * ink.clip(0, 1)[..., None])).astype(np.uint8)
        made_whole = replace(given, alpha=None).with_values(values)
        return replace(made_whole, notices=(*made_whole.notices, *reading.words))


def _side(config: Any) -> int:
    return check(Config, config.task.options, "task").patch


def _small_hints(hints: Photograph, square: Square, side: int) -> Tensor:
    """Bring hints to what the network is shown, (1, 4, side, side)."""
    copy = np.asarray(reduced(hints.shown().convert("RGBA")))
    cut = square.scaled(max(copy.shape) / max(hints.values.shape)).cut(copy, 0)
    within = as_photograph(cut)
    if not cut[..., 3].any():
        raise ValueError("The hints lie beside the drawing; give dots or strokes of colour on it.")
    return small_hints(within, [side, side], lambda colours: colours)
