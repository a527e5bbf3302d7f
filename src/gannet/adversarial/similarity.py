"""How far a picture is from the one that it should be: losses beside the adversarial one."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

Activations = Callable[[Tensor], Sequence[Tensor]]


def pixel_distance(picture: Tensor, target: Tensor, where: Tensor | None = None) -> Tensor:
    """Give the mean absolute difference of (b, c, h, w): sharper than the mean square (Zhao et al., 2017).

    Args:
        where: (b, 1, h, w), how much each pixel of a picture counts, of each picture alike; None: all of them the same.
    """
    apart = (picture - target).abs()
    if where is None:
        return apart.mean()
    return ((apart.mean(1, keepdim=True) * where).sum((1, 2, 3)) / where.sum((1, 2, 3))).mean()


def perceptual_distance(
    picture: Tensor, target: Tensor, activations: Activations, where: Tensor | None = None
) -> Tensor:
    """Tell how far a network's activations on the way are apart, (b,).

    Each layer's activations have unit length over the channels; summed over layers are the mean squares of their
    differences (Zhang et al., 2018, "The Unreasonable Effectiveness of Deep Features ...", equation 1, with equal
    weights).

    Args:
        picture, target: (b, c, h, w) in [-1, 1].
        activations: maps pictures to one tensor (b, c', h', w') a layer.
        where: (b, 1, h, w), how much each pixel counts; None: all of them the same.
    """
    return activation_distance(activations(picture), activations(target), where)


def activation_distance(ours: Sequence[Tensor], theirs: Sequence[Tensor], where: Tensor | None = None) -> Tensor:
    """Tell how far the activations (b, c', h', w') of every layer are apart, (b,); see `perceptual_distance`."""
    total = torch.zeros(len(ours[0]), device=ours[0].device)
    for one, other in zip(ours, theirs, strict=True):
        apart = (normalize(one.float(), dim=1) - normalize(other.float(), dim=1)).square().sum(1, keepdim=True)
        if where is None:
            total = total + apart.mean((1, 2, 3))
        else:
            weight = interpolate(where, apart.shape[2:], mode="area")
            total = total + (apart * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    return total


def feature_distance(features: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Average the absolute difference of a discriminator's features (b, ...) over layers (Wang et al., 2018,
    "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", equation 4)."""
    assert len(features) == len(target) > 0, "feature matching needs a discriminator that gives its features"
    apart = [(ours.float() - theirs.float()).abs().mean() for ours, theirs in zip(features, target, strict=True)]
    return torch.stack(apart).mean()


def as_colour(picture: Tensor, channels: int) -> Tensor:
    """Give a grey picture (b, 1, h, w) as one of so many equal channels; transparency is left out."""
    return picture.expand(-1, channels, -1, -1) if picture.shape[1] == 1 else picture[:, :channels]


class Frozen:
    """A trained network that looks and does not learn; it follows the pictures to their device."""

    def __init__(self, network: nn.Module, channels: int) -> None:
        self.network, self.channels = network.eval().requires_grad_(False), channels

    def __call__(self, picture: Tensor) -> Sequence[Tensor]:
        """The activations of every layer."""
        self.network.to(picture.device)
        activations: Sequence[Tensor] = self.network.activations(as_colour(picture, self.channels))  # type: ignore[operator]
        return activations
