"""What is lost filled smoothly by what is known around it: the cheapest filling, and one that never overshoots."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


def smoothly_filled(pictures: Tensor, lost: Tensor) -> Tensor:
    """Fill what is lost (b, 1, h, w) of pictures by the mean of what is known around, pulled from ever coarser copies.

    Gortler et al. (1996), "The Lumigraph", section 3.4.
    """
    size = pictures.shape[2:]
    if max(size) == 1:
        return pictures * (1 - lost)  # Nothing is known at all: grey.
    weight, total = (
        avg_pool2d(values, 2, ceil_mode=True, count_include_pad=False) for values in (1 - lost, pictures * (1 - lost))
    )
    coarse = smoothly_filled(total / weight.clamp_min(1e-6), (weight == 0).float())
    return torch.where(lost > 0, interpolate(coarse, size, mode="bilinear"), pictures)
