"""What is learned from: things on white, and line drawings of them with what a user may tell."""

from typing import Literal

import torch
from torch import Tensor

from gannet.augmentation.draws import Draws
from gannet.augmentation.line_drawings import line_drawing
from gannet.augmentation.regions import told_apart
from gannet.schema import Positive
from gannet.tasks._image_restoration import PhotographConfig, TrainingPair
from gannet.tasks._image_restoration.hints import drawn_hints, no_hints
from gannet.tasks._image_restoration.training_pairs import Windows, looked_at

COLOURS = 3
"""Channels that a hint tells: all of a colour."""
GIVEN = 1 + COLOURS + 1 + 1
"""Channels of what the network is shown: the drawing, hints and where they are, and what lies within the outline."""
OUTLINED = 0.75
"""The share of things whose outline is told."""
ROOM = (1.05, 1.4)
"""How much larger than a thing the square is that is looked at."""
PARTS = (0.55, 0.85)
"""The shares of the shorter side that are seen of a picture whose thing is not told from its background."""


class Config(PhotographConfig):
    """The keys of `task` for edges-to-object."""

    patch: Positive = 128
    """Pixels a side of the squares that are learned from, and that drawings are brought to."""
    background: Literal["white", "own"] = "white"
    """`white`: what can be told from its background is learned from on white paper, of other pictures parts; `own`: all
    pictures are learned from as they are."""


def training_pair(pictures: Tensor, draws: Draws, config: Config) -> TrainingPair:
    """Give a drawing of each thing, for some with hints and outline, and the thing."""
    with torch.autocast(pictures.device.type, enabled=False):  # In bf16 places and low edges would be off.
        target, thing, known = things(pictures, draws, config)
        told = (known & (draws.uniform() < OUTLINED)).float()[:, None, None, None]
        drawing = line_drawing(target, draws, thing)
        return TrainingPair(torch.cat([drawing, drawn_hints(target, draws), told * (2 * thing - 1)], 1), target)


def things(pictures: Tensor, draws: Draws, config: Config) -> tuple[Tensor, Tensor, Tensor]:
    """Look at the things of pictures (b, 3, h, w), mirrored at times.

    Returns:
        them on white where they are told from their background, else parts of the pictures, (b, 3, side, side); how
        much of each pixel is the thing, (b, 1, side, side); and which are told so, (b,).
    """
    thing, known = told_apart(pictures)
    if config.background == "own":
        known = torch.zeros_like(known)
    thing = torch.where(known[:, None, None, None], thing, 1.0)
    white = torch.lerp(torch.ones_like(pictures), pictures, thing)
    mirrored = torch.where(draws.uniform() < 0.5, -1.0, 1.0)
    around, part = _around(thing, draws), _part(pictures, draws)
    middles, shares = (torch.where(known[:, None], one, other) for one, other in zip(around, part, strict=True))
    chosen = Windows(middles, shares, mirrored)
    # Beyond a picture lies white, which is not the thing.
    seen = looked_at(torch.cat([white - 1, thing], 1), chosen, config.patch, "zeros")
    return seen[:, :-1] + 1, seen[:, -1:], known


def _around(thing: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """Draw a square around each thing: middles and shares, (b, 2) each."""
    middles, lengths = (torch.stack(found, 1) for found in zip(*(_reach(thing, axis) for axis in (3, 2)), strict=True))
    longest, room = lengths.amax(1), ROOM[0] + (ROOM[1] - ROOM[0]) * draws.uniform()
    window = (longest * room)[:, None]
    middles = middles + (window - longest[:, None]) / 2 * (2 * draws.uniform(2) - 1)
    size = torch.tensor(thing.shape[2:], device=thing.device)
    return 2 * middles / size - 1, window / size


def _reach(thing: Tensor, across: int) -> tuple[Tensor, Tensor]:
    """Give the middle and the length of things along the other axis than `across`, (b,) each, in pixels."""
    there = (thing > 0.5).any(across)[:, 0].float()
    first, after = there.argmax(1), there.shape[1] - there.flip(1).argmax(1)
    return (first + after) / 2, (after - first).float()


def _part(pictures: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """Draw a part of each picture, within it: middles and shares, (b, 2) each."""
    seen = PARTS[0] + (PARTS[1] - PARTS[0]) * draws.uniform()
    shorter = min(pictures.shape[2:])
    shares = torch.stack([seen * shorter / length for length in pictures.shape[2:]], 1)
    return (2 * draws.uniform(2) - 1) * (1 - shares), shares


def as_given(drawing: Tensor, hints: Tensor | None = None, within: Tensor | None = None) -> Tensor:
    """Give what the network is shown of drawings (b, 1, h, w), of which nothing else need be told."""
    told = no_hints(drawing, COLOURS) if hints is None else hints
    return torch.cat([drawing, told, torch.zeros_like(drawing) if within is None else within], 1)


def drawing_of(given: Tensor) -> Tensor:
    """Give the drawings among what the network is shown, as pictures, with the hints laid over them."""
    drawing, colours, told = given[:, :1], given[:, 1 : 1 + COLOURS], given[:, 1 + COLOURS : 2 + COLOURS]
    return torch.lerp(drawing.expand(-1, 3, -1, -1), colours, told)
