"""Where something moves over a ground that holds still, told by a rule: independent of any network that says so too."""

import torch
from torch import Tensor

USUAL = 1 / 3
"""The share of frames in which a pixel shows the ground at least."""
STRONGEST, HALF = 0.995, 0.5
"""The quantile of differences from the ground that is wholly foreground, and the share of it from which a pixel is."""


def still_ground(clips: Tensor) -> Tensor:
    """Give what each pixel of clips (b, c, t, h, w) shows most often, by its grey level: (b, c, 1, h, w).

    It is the frame in the middle of the narrowest range of levels that a third of the frames lie in. The median over
    time would take what moves slowly for the ground where it is in half of the frames.
    """
    if clips.shape[2] == 1:
        return clips
    grey = clips.mean(1)
    levels, reach = grey.sort(1).values, max(1, round(USUAL * clips.shape[2]))
    narrowest = (levels[:, reach:] - levels[:, :-reach]).argmin(1, keepdim=True)
    middle = (levels.gather(1, narrowest) + levels.gather(1, narrowest + reach)) / 2
    nearest = (grey - middle).abs().argmin(1, keepdim=True)
    return clips.gather(2, nearest[:, None].expand(-1, clips.shape[1], -1, -1, -1))


def tell_moving(clips: Tensor) -> Tensor:
    """Tell where clips (b, c, t, h, w) differ from their still ground, in half as much as they do at most: bool
    (b, t, h, w).
    """
    apart = (clips - still_ground(clips)).abs().amax(1)
    flat = apart.flatten(1)
    most = flat.kthvalue(max(1, round(STRONGEST * flat.shape[1])), dim=1).values  # `quantile` takes no large clips.
    return apart > (HALF * most).clamp_min(1e-6)[:, None, None, None]


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """Give the intersection over union of the masks of each clip, bool (b, t, h, w): (b,); 1 where both are empty."""
    both, either = ((first & second).flatten(1).sum(1), (first | second).flatten(1).sum(1))
    return torch.where(either > 0, both / either.clamp_min(1), 1.0)
