"""Augmentation of volumes and of the labels that lie over them: moved alike; brightness is of what is seen only.

Kinds that move are done to the planes seen from above, but for the shift, which goes along all three axes.
"""

from itertools import groupby

import torch
from torch import Tensor

from gannet.augmentation.draws import Draws
from gannet.augmentation.kinds import SORTS, Chosen, Kind

SHIFT = "shift"
USUAL = {SHIFT, "brightness", "contrast"}
"""What leaves anatomy as it is: a body is not the same on both sides, and scanners lay it as they do."""


def augment_volumes(volumes: Tensor, chosen: Chosen, share: float, draws: Draws) -> Tensor:
    """Apply each of the kinds, at its strength, to each volume (b, c, x, y, z) with probability `share`.

    The first channel is what is seen; the others lie over it and only move with it.

    Raises:
        ValueError: a kind that is neither of places nor of brightness.
    """
    if share <= 0 or not chosen:
        return volumes
    with torch.autocast(volumes.device.type, enabled=False):
        volumes = volumes.float()
        for (sort, shifts), group in groupby(volume_kinds(chosen), key=lambda one: (one[0].sort, one[0].name == SHIFT)):
            if shifts:
                for _, strength in group:
                    volumes = _shifted(volumes, strength, share, draws)
            elif sort == "geometry":
                planes = volumes.permute(0, 1, 4, 3, 2)
                moved = SORTS[sort](planes.flatten(1, 2), group, share, draws)
                volumes = moved.view(planes.shape).permute(0, 1, 4, 3, 2)
            else:
                seen = SORTS[sort](volumes[:, :1].flatten(2, 3), group, share, draws)
                volumes = torch.cat([seen.view_as(volumes[:, :1]), volumes[:, 1:]], 1)
    return volumes


def volume_kinds(chosen: Chosen) -> Chosen:
    """Give the kinds; ValueError where labels could not follow one of them."""
    for kind, _ in chosen:
        if kind.sort not in ("geometry", "colour") or kind.coloured:
            raise ValueError(
                f"augment.kinds: {kind.name} is not done to volumes, only what moves all planes alike or changes their "
                "brightness; leave it out, or name the kinds, as in augment.kinds={brightness: 0.2, shift: 0.06}."
            )
    return chosen


def is_usual(kind: Kind) -> bool:
    """Tell whether a kind is done to volumes where nobody names any."""
    return kind.name in USUAL


def _shifted(volumes: Tensor, strength: float, share: float, draws: Draws) -> Tensor:
    """Shift by whole voxels along each axis, by up to a share of its side; what lies beyond the edge is repeated."""
    near = draws.on_processor()
    steps, hits = (2 * near.uniform(3) - 1) * strength, near.uniform() < share
    for axis in range(3):
        side = volumes.shape[axis + 2]
        moved = (steps[:, axis] * side).round().long() * hits
        places = (torch.arange(side) - moved[:, None]).clamp(0, side - 1).to(volumes.device)
        shape = [len(volumes), 1, *(side if other == axis else 1 for other in range(3))]
        volumes = volumes.gather(axis + 2, places.view(shape).expand(*volumes.shape))
    return volumes
