"""Networks that recognize: pictures of any size to classes, with the activations on the way as features."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn

from gannet.networks.convolution import Convolution
from gannet.networks.pair import Shape
from gannet.schema import STRICT


class Block(nn.Module):
    """Two convolutions; a residual block adds its input (He et al., 2016, "Deep Residual Learning ...", figure 2)."""

    def __init__(self, before: int, after: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(Convolution(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()),
            *(Convolution(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)),
        )
        self.past = nn.Conv2d(before, after, 1, stride, bias=False) if residual else None

    def forward(self, picture: Tensor) -> Tensor:
        """Map (b, before, h, w) to (b, after, h / stride, w / stride)."""
        changed: Tensor = self.body(picture)
        return (changed if self.past is None else changed + self.past(picture)).relu()


class Recognizer(nn.Module):
    """Blocks that halve the picture, each twice as wide, and a linear layer on the mean of the last one's output.

    Attributes:
        shape: of the pictures it learns from, (c, h, w), values in [-1, 1]; larger ones may be given later.
        classes: how many.
    """

    def __init__(self, shape: Shape, classes: int, widths: tuple[int, ...], residual: bool) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes
        before = [shape[0], *widths]
        self.blocks = nn.ModuleList(Block(before[i], width, 1 + (i > 0), residual) for i, width in enumerate(widths))
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, picture: Tensor) -> Tensor:
        """Map pictures (b, c, h, w) to logits (b, classes)."""
        logits: Tensor = self.head(self.activations(picture)[-1].mean((2, 3)))
        return logits

    def activations(self, picture: Tensor, blocks: int | None = None) -> list[Tensor]:
        """Give the output of the first so many blocks, or of every one, (b, width, h', w') each."""
        found = []
        for block in list(self.blocks)[:blocks]:
            picture = block(picture)
            found.append(picture)
        return found

    def features(self, picture: Tensor) -> Tensor:
        """Give the mean over the picture of every block's output but the last, (b, sum of their widths).

        The last block's is made for the classes: it leaps from one to the next where pictures change little by little.
        """
        return torch.cat([activation.mean((2, 3)) for activation in self.activations(picture, len(self.blocks) - 1)], 1)


@dataclass(frozen=True)
class RecognizerChoice:
    """How wide and deep a recognizer is."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=1, le=256)] = 32
    """Channels of the first block; every further one has twice as many."""
    depth: Annotated[int, Field(ge=1, le=6)] = 4
    """Blocks; all but the first halve the picture."""
    blocks: Literal["residual", "plain"] = "residual"
    """Whether a block adds its input to its output."""

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 256 and 1 <= self.depth <= 6):
            raise ValueError("network.width must be 1 to 256 and network.depth 1 to 6.")

    def build(self, shape: Shape, classes: int) -> Recognizer:
        """Build the network for pictures of `shape` (c, h, w)."""
        widths = tuple(self.width * 2**level for level in range(self.depth))
        return Recognizer(shape, classes, widths, self.blocks == "residual")
