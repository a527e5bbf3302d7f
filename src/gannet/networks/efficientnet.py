"""The layers of EfficientNet-lite0 that tell what is seen, with weights that never change.

Who learns from few photographs learns more from what a network found in a million that were named (Tan & Le, 2019,
"EfficientNet: Rethinking Model Scaling ..."; lite: without gates, ReLU6 throughout).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

STEM, REDUCTIONS = 32, (4, 8, 16, 32)
"""Channels of the first layer, and how much smaller than the picture what is given is."""


@dataclass(frozen=True)
class Block:
    """An inverted residual: channels are multiplied, each is filtered alone, and they are brought together again."""

    before: int
    after: int
    times: int
    kernel: int
    stride: int = 1


BLOCKS = (
    Block(32, 16, 1, 3),
    Block(16, 24, 6, 3, 2),
    Block(24, 24, 6, 3),
    Block(24, 40, 6, 5, 2),
    Block(40, 40, 6, 5),
    Block(40, 80, 6, 3, 2),
    Block(80, 80, 6, 3),
    Block(80, 80, 6, 3),
    Block(80, 112, 6, 5),
    Block(112, 112, 6, 5),
    Block(112, 112, 6, 5),
    Block(112, 192, 6, 5, 2),
    Block(192, 192, 6, 5),
)
"""All but the last three: those hold half of the weights."""


class FrozenConvolution(nn.Module):
    """A convolution that does not learn, as large as TensorFlow's "same" makes it; its normalization is part of it."""

    weight: Tensor
    bias: Tensor

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.stride, self.groups, beyond = stride, groups, kernel - stride
        self.beyond = (beyond // 2, beyond - beyond // 2) * 2
        self.register_buffer("weight", torch.zeros(after, before // groups, kernel, kernel))
        self.register_buffer("bias", torch.zeros(after))

    def forward(self, picture: Tensor) -> Tensor:
        """Map (b, c, h, w) to (b, c', h / stride, w / stride); sides are multiples of the stride."""
        return conv2d(pad(picture, self.beyond), self.weight, self.bias, self.stride, 0, 1, self.groups)

    def take(self, convolution: Any, normalization: Any) -> None:
        """Take the weights of a convolution, and of the batch normalization behind it."""
        scale = normalization.weight / (normalization.running_var + normalization.eps).sqrt()
        self.weight.copy_(convolution.weight * scale[:, None, None, None])
        self.bias.copy_(normalization.bias - normalization.running_mean * scale)


class InvertedResidual(nn.Module):
    """Sandler et al. (2018), "MobileNetV2: Inverted Residuals and Linear Bottlenecks", section 3.3."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        inner = block.before * block.times
        self.expand = FrozenConvolution(block.before, inner, 1) if block.times > 1 else None
        self.filter = FrozenConvolution(inner, inner, block.kernel, block.stride, inner)
        self.project = FrozenConvolution(inner, block.after, 1)
        self.adds = block.stride == 1 and block.before == block.after

    def forward(self, before: Tensor) -> Tensor:
        """Map (b, before, h, w) to (b, after, h / stride, w / stride)."""
        inner = before if self.expand is None else self.expand(before).clamp(0, 6)
        after: Tensor = self.project(self.filter(inner).clamp(0, 6))
        return before + after if self.adds else after


class Encoder(nn.Module):
    """What EfficientNet-lite0 finds in pictures, from a quarter of their sides to a thirty-second."""

    channels: ClassVar[tuple[int, ...]] = (24, 40, 112, 192)

    def __init__(self) -> None:
        super().__init__()
        self.stem = FrozenConvolution(3, STEM, 3, 2)
        self.blocks = nn.ModuleList(map(InvertedResidual, BLOCKS))

    @torch.no_grad()
    def forward(self, picture: Tensor) -> list[Tensor]:
        """Map colours (b, 3, h, w) in [-1, 1], sides multiples of 32, to (b, c, h / r, w / r) for each reduction r."""
        found = [self.stem(picture).clamp(0, 6)]
        for block in self.blocks:
            after = block(found[-1])
            if after.shape[2:] == found[-1].shape[2:]:
                found.pop()
            found.append(after)
        return found[1:]

    @torch.no_grad()
    def take(self, network: Any) -> None:
        """Take the weights of the network of `efficientnet_lite_pytorch`."""
        self.stem.take(network._conv_stem, network._bn0)
        ours: Any
        for ours, theirs in zip(self.blocks, network._blocks, strict=False):
            if ours.expand is not None:
                ours.expand.take(theirs._expand_conv, theirs._bn0)
            ours.filter.take(theirs._depthwise_conv, theirs._bn1)
            ours.project.take(theirs._project_conv, theirs._bn2)
