"""Ways to spoil clips in time, each from not at all (strength 0) to wholly (strength 1).

Clips are (b, c, t, h, w) in [-1, 1], and so is what comes back; the generator draws whatever is random.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

Fault = Callable[[Tensor, float, Generator], Tensor]
JITTER, FLICKER = 2, 0.3
"""Pixels that frames jump by at most, and the deviation of their brightness, of a range of 2."""


def shuffle(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Let a share of the frames change places among themselves, in every clip others."""
    count, length = len(clips), clips.shape[2]
    moved = round(strength * length)
    order = torch.arange(length).repeat(count, 1)
    for row in order:
        places = torch.randperm(length, generator=generator)[:moved]
        row[places] = row[places.sort().values][torch.randperm(moved, generator=generator)]
    return _frames(clips, order)


def freeze(clips: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Let a share of the clip, at its end, show one frame; at full strength the first is all there is."""
    length = clips.shape[2]
    last = max(0, length - 1 - round(strength * (length - 1)))
    return clips[:, :, torch.arange(length).clamp(max=last)]


def reverse(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Play a share of the clips backwards."""
    which = torch.randperm(len(clips), generator=generator)[: round(strength * len(clips))]
    changed = clips.clone()
    changed[which] = clips[which].flip(2)
    return changed


def slow_down(clips: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Play the beginning of a clip at down to half its speed: frames are shown again, as films do it."""
    return clips[:, :, (torch.arange(clips.shape[2]) / (1 + strength)).long()]


def slow_down_smoothly(clips: Tensor, strength: float, generator: Generator) -> Tensor:  # noqa: ARG001
    """Do the same, with frames in between that are mixed of their neighbours."""
    place = torch.arange(clips.shape[2]) / (1 + strength)
    before, share = place.long(), (place - place.floor())[:, None, None]
    earlier, later = clips[:, :, before], clips[:, :, (before + 1).clamp(max=clips.shape[2] - 1)]
    return earlier + share * (later - earlier)


def jitter(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Move every frame by whole pixels, up to 2 each way; its edges go on."""
    count, _, length, height, width = clips.shape
    reach = round(JITTER * strength)
    down, across = torch.randint(-reach, reach + 1, (2, count, length, 1), generator=generator)
    rows = (torch.arange(height) + down).clamp(0, height - 1)[:, None, :, :, None].expand_as(clips)
    columns = (torch.arange(width) + across).clamp(0, width - 1)[:, None, :, None].expand_as(clips)
    return clips.gather(3, rows).gather(4, columns)


def flicker(clips: Tensor, strength: float, generator: Generator) -> Tensor:
    """Make every frame as a whole lighter or darker than it is."""
    drawn = FLICKER * strength * torch.randn(len(clips), 1, clips.shape[2], 1, 1, generator=generator)
    return (clips + drawn).clamp(-1, 1)


def _frames(clips: Tensor, order: Tensor) -> Tensor:
    """Take the frames of each clip in an order of its own, (b, t)."""
    return torch.stack([clip[:, frames] for clip, frames in zip(clips, order, strict=True)])


FAULTS: dict[str, Fault] = {
    "shuffled": shuffle,
    "frozen": freeze,
    "reversed": reverse,
    "half speed": slow_down,
    "half speed, mixed": slow_down_smoothly,
    "jittering": jitter,
    "flickering": flicker,
}
"""The faults by what a clip then is."""
