"""What drawings are coloured through: read, brought to what was learned, painted, and put back in their place."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageColor
from pydantic import AfterValidator, Field
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from gannet.media import photograph
from gannet.media.medium import Medium
from gannet.media.photograph import Photograph, as_photograph
from gannet.media.tiling import as_values
from gannet.networks.smooth_filling import smoothly_filled
from gannet.networks.unet import Unet
from gannet.pipelines.pipeline import Input
from gannet.schema import Section, check
from gannet.tasks._image_restoration.hints import check_hints, small_hints
from gannet.tasks._image_restoration.pipeline import PhotographOptions, PhotographPipeline, Settings
from gannet.tasks.edges_to_object.learning import GIVEN, Config, as_given
from gannet.tasks.edges_to_object.reading import Reading, Square, cover, read_any, read_drawing, reduced

if TYPE_CHECKING:
    from gannet.data.records import Source

WHITE, CERTAIN = 255, 0.9
"""The level of paper, and how much of a pixel a thing covers at least whose colour is its own."""
BORDER = 3
"""Pixels from within a thing to its border, at most; what lies farther is a thin part."""
DOTS, BANDS, DOT_RADIUS = 6, 3, 2
"""Dots of one colour that are laid over a thing, as many as it learned from at most; in how many bands from above to
below; and their radius in pixels."""


class Painter(nn.Module):
    """Adds what it lacks to a drawing that hints have filled with colour; what lies without its outline stays white."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, given: Tensor) -> Tensor:
        """Map drawings, hints, and what lies within the outline (b, 6, h, w) to pictures (b, 3, h, w)."""
        made: Tensor = hinted(given[:, :1].float(), given[:, 1:-1].float()) + self.unet(given)
        without = (-given[:, -1:].float()).clamp(0, 1)
        return torch.lerp(made, torch.ones_like(made), without)


def hinted(drawing: Tensor, hints: Tensor) -> Tensor:
    """Fill a drawing (b, 1, h, w) with the colours of its hints (b, 4, h, w), which mix the more the farther they are.

    A colour that is told is then there from the first, and need not be carried about by the network. Lines stay, and
    drawings without hints, (b, 3, h, w).
    """
    colours, told = hints[:, :-1], hints[:, -1:]
    with torch.autocast(drawing.device.type, enabled=False):
        filled = smoothly_filled(colours, (told <= 0).float())
        inked = (filled + 1) * (drawing + 1) / 2 - 1
    return torch.where(told.amax((2, 3), keepdim=True) > 0, inked, drawing)


def _known_colour(colour: str) -> str:
    """Refuse what is neither a colour's name nor six digits."""
    if colour and colour.lower() not in ImageColor.colormap and not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"{colour!r} is no colour; give a name such as crimson, or six digits such as #c03020")
    return colour


class DrawingOptions(PhotographOptions):
    """What is asked of a model that colours drawings."""

    as_: Literal["auto", "drawing", "photograph"] = Field("auto", alias="as")
    """What is given: `drawing`, lines on paper; `photograph`, whose edges are taken; `auto` looks which."""
    colour: Annotated[str, AfterValidator(_known_colour)] = ""
    """The thing's colour, by name or as `#c03020`, where no hints say more; empty: a likely one."""
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
        if hints is not None and options.colour:
            raise ValueError("Hints and a colour were given, and both say what colours are to be; give one of them.")
        side = _side(self.config)
        reading = read_any(given, side, options.as_)
        told = None if hints is None else _small_hints(hints, reading.square, side)
        if options.colour:
            told = dots_of(ImageColor.getrgb(options.colour), reading)
        return {"picture": self._coloured(given, reading, told, options.lines)}

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
        self, given: Photograph, reading: Reading, told: Tensor | None = None, lines: float = 0.0
    ) -> Photograph:
        """Paint what was read, with hints (1, 4, side, side), and put it back in its place, on white."""
        made = self._made(as_given(reading.drawing, told, reading.within)).cpu()
        height, width = given.values.shape[:2]
        values = put_back(made, reading, (height, width))
        if lines and reading.ink is not None:
            ink = np.asarray(Image.fromarray(reading.ink).resize((width, height), Image.Resampling.BICUBIC))
            values = np.rint(values * (1 - lines * ink.clip(0, 1)[..., None])).astype(np.uint8)
        made_whole = replace(given, alpha=None).with_values(values)
        return replace(made_whole, notices=(*made_whole.notices, *reading.words))


def put_back(made: Tensor, reading: Reading, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Lay what was made, (1, 3, side, side), on a white picture of (height, width), with a smooth outline.

    Enlarged as it is, an outline of so few pixels would show them: so the thing's colours go on beyond it, and where it
    ends is told by the drawing.
    """
    values, covers = np.full((*size, 3), WHITE, np.uint8), np.full((*size, 3), WHITE, np.uint8)
    if bool((reading.within > 0).any()):
        covered = cover(reading)
        inside = _own_colours(covered, reading.within > 0)
        made = smoothly_filled(made, 1 - inside) if bool(inside.any()) else made
        covers[:] = 0
        reading.square.paste(Image.fromarray(as_values(2 * covered.expand_as(made) - 1, "uint8")), covers)
    reading.square.paste(Image.fromarray(as_values(made, "uint8")), values)
    pixel = reading.square.side / made.shape[3]
    shares = ((covers.astype(np.float32) / WHITE - 0.5) * max(1.0, pixel) + 0.5).clip(0, 1)
    return np.rint(WHITE + shares * (values.astype(np.float32) - WHITE)).astype(np.uint8)


def _own_colours(covered: Tensor, within: Tensor) -> Tensor:
    """Tell where the colours that were made are a thing's own, and not mixed with white, (1, 1, h, w): ones and zeros.

    That is a pixel within its border; of a part that is too thin to have any such pixels, its middle line.
    """
    inside = -max_pool2d(-(covered > CERTAIN).float(), 3, 1, 1)
    thin = within & (max_pool2d(inside, 2 * BORDER + 1, 1, BORDER) == 0)
    return torch.maximum(inside, (thin & (covered >= max_pool2d(covered, 3, 1, 1))).float())


def _side(config: Any) -> int:
    return check(Config, config.task.options, "task").patch


def dots_of(colour: tuple[int, ...], reading: Reading) -> Tensor:
    """Give dots of one colour (three levels) spread over a thing as hints, (1, 4, side, side)."""
    drawing, thing = reading.drawing[0, 0].cpu(), reading.within[0, 0].cpu() > 0
    for instead in (_between_lines(drawing), drawing < 0):  # An outline may be open, and what is drawn a stroke.
        thing = thing if bool(thing.any()) else instead
    places = torch.stack(torch.meshgrid(*map(torch.arange, thing.shape), indexing="ij"), -1).float()
    dots = torch.zeros_like(thing)
    for band in places[thing].tensor_split(BANDS):
        for part in band[band[:, 1].argsort()].tensor_split(DOTS // BANDS):
            if len(part):
                middle = part[(part - part.mean(0)).square().sum(1).argmin()]
                dots |= (places - middle).square().sum(2) <= DOT_RADIUS**2
    told = (dots & thing).float()
    level = torch.tensor(colour[:3]).view(3, 1, 1) / 127.5 - 1
    return torch.cat([level * told, told[None]])[None].to(reading.drawing)


def _between_lines(drawing: Tensor) -> Tensor:
    """Tell what has ink on all four sides, (h, w): within an outline that is open somewhere."""
    ink = (drawing < 0).float()
    sides = [ink.cummax(axis).values * ink.flip(axis).cummax(axis).values.flip(axis) for axis in (0, 1)]
    return (sides[0] * sides[1] * (1 - ink)) > 0


def _small_hints(hints: Photograph, square: Square, side: int) -> Tensor:
    """Bring hints to what the network is shown, (1, 4, side, side)."""
    copy = np.asarray(reduced(hints.shown().convert("RGBA")))
    cut = square.scaled(max(copy.shape) / max(hints.values.shape)).cut(copy, 0)
    within = as_photograph(cut)
    if not cut[..., 3].any():
        raise ValueError("The hints lie beside the drawing; give dots or strokes of colour on it.")
    return small_hints(within, [side, side], lambda colours: colours)
