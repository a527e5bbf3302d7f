"""VGG, by whose activations pictures are compared: its convolutions, built by the weights that somebody trained."""

import re
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours, in [0, 1], that it was trained on."""
WITHIN, POOLED = 2, 3
"""How far apart convolutions are numbered: with a ReLU between them, and with pooling as well."""


class Vgg(nn.Module):
    """The convolutions of a VGG of any depth (Simonyan & Zisserman, 2015, "Very Deep Convolutional Networks ...").

    Args:
        tensors: weights by the names that torchvision and timm give them (`features.0.weight`, ...); others are not
            looked at.

    Raises:
        ValueError: they are not a VGG's without batch normalization; one sentence.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        places = sorted(int(name.split(".")[1]) for name in tensors if re.fullmatch(r"features\.\d+\.weight", name))
        gaps = [after - before for before, after in pairwise(places)]
        if places[:1] != [0] or not set(gaps) <= {WITHIN, POOLED}:
            raise ValueError("it holds no weights of a VGG without batch normalization (features.0.weight, ...)")
        layers, channels = list[list[nn.Module]](), 3
        for place, gap in zip(places, [POOLED, *gaps], strict=True):
            convolution = _convolution(tensors, f"features.{place}", channels)
            channels = convolution.out_channels
            layers += [[]] if gap == POOLED else []
            layers[-1] += [convolution, nn.ReLU()]
        self.blocks = nn.ModuleList(nn.Sequential(*block) for block in layers)
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1))

    def activations(self, picture: Tensor) -> list[Tensor]:
        """Give what each block makes of colours (b, 3, h, w) in [-1, 1] before it is pooled; none below one pixel."""
        found = []
        values = ((picture + 1) / 2 - self.mean) / self.deviation
        for block in self.blocks:
            values = block(values)
            found.append(values)
            if min(values.shape[2:]) < 2:
                break
            values = max_pool2d(values, 2)
        return found


def _convolution(tensors: Mapping[str, Tensor], name: str, channels: int) -> nn.Conv2d:
    weight, bias = tensors[f"{name}.weight"], tensors.get(f"{name}.bias")
    if bias is None or weight.shape[1:] != (channels, 3, 3) or bias.shape != weight.shape[:1]:
        raise ValueError(f"{name} is no convolution of three by three over {channels} channels with a bias")
    layer = nn.Conv2d(channels, len(weight), 3, 1, 1)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)  # type: ignore[union-attr]
    return layer
