"""Networks that recognize clips: blocks that look at frames first and then along time, with features on the way.

To part a kernel of space and time in two takes fewer numbers, and learns better (Tran et al., 2018, "A Closer Look at
Spatiotemporal Convolutions for Action Recognition", section 3.5).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, NamedTuple

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from gannet.networks.pair import Shape
from gannet.schema import STRICT


class Step(NamedTuple):
    """How a block looks: the side of its kernel in space, and how many times it shrinks space and time."""

    side: int
    space: int
    time: int


STEPS = (Step(7, 4, 1), Step(3, 2, 2), Step(3, 2, 2), Step(3, 2, 1))
"""The first block keeps every frame, or the fastest changes would be gone before anything looks at them."""


class ClipBlock(nn.Module):
    """A convolution in space and one in time, added to a shrunk copy of what they are given."""

    def __init__(self, before: int, after: int, step: Step) -> None:
        super().__init__()
        side, space, time = step
        self.body = nn.Sequential(
            nn.Conv3d(before, after, (1, side, side), (1, space, space), (0, side // 2, side // 2), bias=False),
            nn.BatchNorm3d(after),
            nn.ReLU(),
            nn.Conv3d(after, after, (3, 1, 1), (time, 1, 1), (1, 0, 0), bias=False),
            nn.BatchNorm3d(after),
        )
        self.past = nn.Conv3d(before, after, 1, (time, space, space), bias=False)

    def forward(self, clip: Tensor) -> Tensor:
        """Map (b, before, t, h, w) to (b, after, t / time, h / space, w / space), rounded up."""
        changed: Tensor = self.body(clip) + self.past(clip)
        return changed.relu()


class ClipRecognizer(nn.Module):
    """Blocks that shrink the clip, each twice as wide, and a linear layer on the mean of the last one's output.

    Attributes:
        shape: of the clips it learns from, (c, t, h, w), values in [-1, 1]; longer ones may be given later.
        classes: how many.
    """

    def __init__(self, shape: Shape, classes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes
        sizes = zip(pairwise([shape[0], *widths]), STEPS, strict=False)
        self.blocks = nn.ModuleList(ClipBlock(before, after, step) for (before, after), step in sizes)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, clip: Tensor) -> Tensor:
        """Map clips (b, c, t, h, w) to logits (b, classes)."""
        logits: Tensor = self.head(self.activations(clip)[-1].mean((2, 3, 4)))
        return logits

    def activations(self, clip: Tensor, blocks: int | None = None) -> list[Tensor]:
        """Give the output of the first so many blocks, or of every one, (b, width, t', h', w') each."""
        # Convolutions in three dimensions take two thirds of the time with the channels of a place side by side.
        clip, found = clip.contiguous(memory_format=torch.channels_last_3d), []
        for block in list(self.blocks)[:blocks]:
            clip = block(clip)
            found.append(clip)
        return found

    def features(self, clip: Tensor) -> Tensor:
        """Give the mean over the clip of every block's output but the last, (b, sum of their widths)."""
        return torch.cat([found.mean((2, 3, 4)) for found in self.activations(clip, max(1, len(self.blocks) - 1))], 1)


@dataclass(frozen=True)
class ClipRecognizerChoice:
    """How wide and deep a recognizer of clips is."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=1, le=128)] = 24
    """Channels of the first block; every further one has twice as many."""
    depth: Annotated[int, Field(ge=1, le=len(STEPS))] = 4
    """Blocks; the first takes a fourth of the frames' sides, all others half of what they are given."""

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 128 and 1 <= self.depth <= len(STEPS)):
            raise ValueError(f"network.width must be 1 to 128 and network.depth 1 to {len(STEPS)}.")

    def build(self, shape: Shape, classes: int) -> ClipRecognizer:
        """Build the network for clips of `shape` (c, t, h, w)."""
        return ClipRecognizer(shape, classes, tuple(self.width * 2**level for level in range(self.depth)))
