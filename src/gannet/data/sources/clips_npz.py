"""Clips in NumPy's .npz files: `images` uint8 (n, t, h, w, c) or (n, t, h, w), and `labels`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gannet.data.records import VALUE, Chunk, Source
from gannet.data.sources.npz import NpzFile
from gannet.media.arrays import CHANNELS
from gannet.media.medium import Medium
from gannet.media.pixels import refuse_huge_sides
from gannet.schema import Section

FORM = "uint8 of shape (n, time, height, width) or (n, time, height, width, channels) with 1, 3 or 4 channels"


class NpzClips(NpzFile):
    """An .npz of clips of one length, with labels and a test split where it names them."""

    def arrays(self) -> Iterator[Chunk]:
        """Give the samples in chunks, channels last."""
        for part in self._parts:
            start, labels = 0, self._labels(part)
            for values in self._blocks(part.images):
                clips = values if values.ndim == 5 else values[..., None]
                yield Chunk({VALUE: clips}, labels[start : start + len(clips)], part.split, start)
                start += len(clips)

    def _only_pictures(self, members: dict[str, Any]) -> Any:
        clips = [member for member in members.values() if len(member.shape) in (4, 5)]
        if len(clips) != 1:
            held = ", ".join(f"{name} {member.shape}" for name, member in members.items()) or "nothing"
            raise ValueError(f"{self._path} holds {held}, in which the clips are not clear; name their array 'images'.")
        return clips[0]

    def _checked(self, member: Any) -> Any:
        shape = member.shape
        fine = len(shape) == 4 or (len(shape) == 5 and shape[4] in CHANNELS)
        if not fine or 0 in shape[1:] or member.dtype != np.uint8:
            raise ValueError(
                f"{self._path} holds {member.name} of {member.dtype} with shape {shape}; clips are {FORM}."
            )
        try:
            refuse_huge_sides(*shape[2:4])
        except ValueError as error:
            raise ValueError(f"{self._path} holds {member.name} with shape {shape}: {error}.") from None
        self._refuse_claims(member)
        return member


MEDIA = (("clip",),)
EMBEDDED = ()
ALLOWED = "an .npz of clips"


def open_name(target: str) -> Source | None:  # noqa: ARG001
    """Open nothing: these are files."""
    return None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:  # noqa: ARG001
    """Open an .npz file."""
    return NpzClips(path) if path.is_file() and path.suffix.lower() == ".npz" else None


def finished(source: Source, options: Section | None) -> Source:  # noqa: ARG001
    """Change nothing."""
    return source
