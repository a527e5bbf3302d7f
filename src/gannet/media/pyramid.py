"""Halving and doubling photographs, so that networks of a limited sight see all of a large one."""

from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from gannet.media.photograph import Values

Mask: TypeAlias = npt.NDArray[np.bool_]
Kind = TypeVar("Kind", bound=np.generic)


def as_mask(lost: Mask) -> npt.NDArray[np.uint8]:
    """Give a mask (h, w) as a picture (h, w, 1), white where something is lost."""
    return lost[..., None].astype(np.uint8) * 255


def halved(values: Values, lost: Mask) -> tuple[Values, Mask]:
    """Give the mean of the known pixels of every two by two (odd sides end in one), and where none of them is known.

    Args:
        values: (h, w, c).
        lost: (h, w), where values are not known.
    """
    odd = [(0, side % 2) for side in lost.shape]
    whole, lost = np.pad(values, [*odd, (0, 0)], "edge"), np.pad(lost, odd, "edge")
    count = np.zeros([side // 2 for side in lost.shape], np.uint32)
    total = np.zeros((*count.shape, values.shape[2]), np.uint32)
    for row in range(2):
        for column in range(2):
            known = ~lost[row::2, column::2]
            count += known
            total += whole[row::2, column::2] * known[..., None]
    several = np.maximum(count, 1)[..., None]
    return ((total + several // 2) // several).astype(values.dtype), count == 0


def doubled(values: npt.NDArray[Kind], size: tuple[int, ...]) -> npt.NDArray[Kind]:
    """Give every value (h, w, ...) as two by two, less what is beyond a size (h', w')."""
    return values.repeat(2, 0)[: size[0]].repeat(2, 1)[:, : size[1]]
