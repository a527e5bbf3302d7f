"""Augmentation of clips: one draw a clip, so that nothing flickers."""

from itertools import groupby

import torch
from torch import Tensor

from gannet.augmentation.draws import Draws
from gannet.augmentation.kinds import SORTS, Chosen

FRAMES, ROWS = 1, 2
"""The axes that time is folded into: frames as channels are moved alike, and frames as rows coloured alike."""
FOLDED = {"geometry": FRAMES, "colour": ROWS}


def augment_clips(clips: Tensor, chosen: Chosen, share: float, draws: Draws) -> Tensor:
    """Apply each of the kinds, at its strength, to all frames of each clip (b, c, t, h, w) with probability `share`.

    Raises:
        ValueError: a kind that is neither of places nor of colours.
    """
    if share <= 0 or not chosen:
        return clips
    with torch.autocast(clips.device.type, enabled=False):
        clips = clips.float()
        for sort, group in groupby(still_kinds(chosen), key=lambda one: one[0].sort):
            axis = FOLDED[sort]
            clips = SORTS[sort](clips.flatten(axis, axis + 1), group, share, draws).view_as(clips)
    return clips


def still_kinds(chosen: Chosen) -> Chosen:
    """Give the kinds; ValueError where one of them would not do the same to all frames."""
    for kind, _ in chosen:
        if kind.sort not in FOLDED:
            raise ValueError(
                f"augment.kinds: {kind.name} is not done to clips, only what moves or colours all frames alike; leave "
                "it out, or name the kinds, as in augment.kinds={brightness: 0.25, contrast: 1.5, shift: 0.125}."
            )
    return chosen
