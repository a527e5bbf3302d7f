"""Halving and doubling photographs: networks of a limited sight see all of a large one, and colours go on over gaps."""

from dataclasses import replace
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from gannet.media.photograph import Photograph, Values

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


def extended(values: Values, unknown: Mask) -> Values:
    """Go on with the known values (h, w, c) over the others, from ever coarser copies; as they are if none is known."""
    if unknown.all() or not unknown.any():
        return values
    coarse = extended(*halved(values, unknown))
    return np.where(unknown[..., None], doubled(coarse, unknown.shape), values)


def marked(mask: Photograph) -> Mask:
    """Tell where a mask is light, and not transparent, (h, w)."""
    light: Mask = mask.values.max(2) > mask.largest // 2
    return light if mask.alpha is None else light & (mask.alpha > mask.largest // 2)


def hidden(photograph: Photograph) -> Mask:
    """Tell where a photograph is fully transparent, (h, w)."""
    found = np.zeros(photograph.values.shape[:2], bool) if photograph.alpha is None else photograph.alpha == 0
    return np.asarray(found)


def visible(photograph: Photograph, lost: Mask | None = None) -> Photograph:
    """Go on with visible colours under what is fully transparent: those that it hides would show along its edges.

    Args:
        lost: (h, w), where colours are of no use either.
    """
    under = hidden(photograph)
    if not under.any():
        return photograph
    found = extended(photograph.values, under if lost is None else under | lost)
    return replace(photograph, values=np.where(under[..., None], found, photograph.values))


def lost_pixels(mask: Photograph, photograph: Photograph) -> Mask:
    """Tell where a mask is light, and not transparent, (h, w).

    Raises:
        ValueError: its size is another, or it is dark or light all over.
    """
    if mask.values.shape[:2] != photograph.values.shape[:2]:
        sizes = [f"{one.values.shape[1]}x{one.values.shape[0]}" for one in (mask, photograph)]
        raise ValueError(f"The mask has {sizes[0]} pixels and the photograph {sizes[1]}; give one of the same size.")
    lost = marked(mask)
    if not lost.any():
        raise ValueError("The mask is dark all over, so nothing is lost; make it light where something is.")
    if (lost | hidden(photograph)).all():
        raise ValueError("The mask is light all over, so there is nothing to go by; make it dark where all is well.")
    return lost
