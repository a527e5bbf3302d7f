"""A picture's changed copies: what is read becomes files, wherever that is done."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
import torch
from torch import Tensor

from gannet.augmentation.draws import Drawn
from gannet.augmentation.kinds import Chosen, augment
from gannet.augmentation.levels import from_levels, to_levels
from gannet.augmentation.mixing import Mix, mix
from gannet.media.photograph import Photograph, as_photograph, with_attachments
from gannet.media.pixels import Pixels, fit_picture, is_sideways, natural_pixels, open_picture, read_picture
from gannet.media.pyramid import visible
from gannet.pipelines.packing import Entry, record_line
from gannet.provenance.formats import written
from gannet.runtime.broken import unless_broken
from gannet.runtime.names import shortened
from gannet.runtime.randomness import generator

MARK = "~"
KEPT = written(lambda form: form.shown and form.full)
"""The formats that copies keep; of other pictures they are PNG."""


@dataclass(frozen=True)
class Change:
    """What is done to one copy: kinds one after the other, or a mixture with another picture.

    Attributes:
        name, strength: as they are recorded.
    """

    name: str
    strength: str
    chosen: Chosen = ()
    mix: tuple[Mix, float] | None = None


@dataclass(frozen=True)
class Sample:
    """A picture that was read: its file as it is, or the pixels of one that has no file."""

    name: str
    content: bytes | Pixels

    def pixels(self, channels: int) -> Pixels:
        """Give (h, w, channels); raises ValueError or OSError when it is broken."""
        return read_picture(open_picture(self.content) if isinstance(self.content, bytes) else self.content, channels)

    def photograph(self) -> Photograph:
        """Give it in eight bits, with all that its file holds beside the pixels; raises the same."""
        if not isinstance(self.content, bytes):
            return as_photograph(natural_pixels(self.content))
        picture = open_picture(self.content)
        sideways = is_sideways(picture)
        return with_attachments(as_photograph(natural_pixels(picture)), picture, sideways)


@dataclass(frozen=True)
class Copy:
    """A copy to be made: its number among those of its picture, and what it is mixed with."""

    number: int
    change: Change
    other: Sample | None = None


@dataclass(frozen=True)
class Family:
    """A picture, where it goes, its class, and its copies to be made."""

    sample: Sample
    path: PurePosixPath
    label: int
    copies: tuple[Copy, ...]


def make_families(seed: int, families: list[Family]) -> list[Entry]:
    """Give the files of pictures and of their copies; what cannot be decoded is left out."""
    entries: list[Entry] = []
    with _one_thread():
        for family in families:
            with unless_broken():  # A broken file makes decoders raise anything; the record has no line of it.
                entries += _make_family(family, seed)
    return entries


@contextmanager
def _one_thread() -> Iterator[None]:
    """More processes share out the pictures; threads that share out the pixels of one would stand in their way."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _make_family(family: Family, seed: int) -> list[Entry]:
    path, name, label = family.path, family.sample.name, family.label
    photograph, content = family.sample.photograph(), family.sample.content
    file = content if isinstance(content, bytes) else to_file(as_pixels(photograph), ".png")
    entries = [Entry(str(path), file, label, record_line(path, name, *[""] * 5))]
    seen = visible(photograph) if family.copies else photograph
    for copy in family.copies:
        with suppress(ValueError, RuntimeError):  # The picture itself stays.
            entries.append(_make_copy(family, seen, copy, seed))
    return entries


def _make_copy(family: Family, photograph: Photograph, copy: Copy, seed: int) -> Entry:
    path, name = family.path, family.sample.name
    draws = Drawn(1, generator(seed, "augment", name, copy.number))
    pictures = as_tensor(as_pixels(photograph).transpose(2, 0, 1))
    other, share = "", ""
    if copy.change.mix and copy.other:
        pictures, own = _mixed(pictures, copy.other, copy.change.mix, draws)
        other, share = copy.other.name, f"{own:.3f}"
    pictures = augment(pictures, copy.change.chosen, 1.0, draws)
    form = KEPT.get(path.suffix.lower())
    kept = form is not None and (form.transparent or pictures.shape[1] < 4)
    ending = path.suffix if kept else f"{path.suffix}.png"
    named = path.with_name(shortened(path.stem, f"{MARK}{copy.number}{ending}"))
    line = record_line(named, name, copy.change.name, copy.change.strength, other, share, seed)
    levels = to_levels(pictures[0]).byte().movedim(0, 2).contiguous().numpy()
    return Entry(str(named), to_file(levels, named.suffix, photograph), family.label, line)


def _mixed(pictures: Tensor, other: Sample, how: tuple[Mix, float], draws: Drawn) -> tuple[Tensor, float]:
    """Mixed with another picture, brought to the same size; and the picture's own share."""
    kind, alpha = how
    channels, height, width = pictures.shape[1:]
    others = as_tensor(fit_picture(other.pixels(channels), height, width, "crop"))
    mixed, own = mix(pictures, others, kind, alpha, draws)
    return mixed, float(own)


def as_tensor(pixels: Pixels) -> Tensor:
    """Give uint8 (c, h, w) as (1, c, h, w) in [-1, 1]."""
    return torch.from_numpy(from_levels(pixels))[None]


def as_pixels(photograph: Photograph) -> Pixels:
    """Give the pixels of a photograph of eight bits (h, w, c), a fourth channel its transparency."""
    values, alpha = photograph.values, photograph.alpha
    pixels = values if alpha is None else np.concatenate([values, alpha[..., None]], 2)
    return pixels.astype(np.uint8, copy=False)


def to_file(pixels: Pixels, ending: str, like: Photograph | None = None) -> bytes:
    """Give pixels (h, w, c) as a file of the format that an ending stands for.

    Args:
        like: what they were made of, whose file held what theirs holds beside them.
    """
    made = as_photograph(pixels)
    return replace(like or made, values=made.values, alpha=made.alpha).encode(ending, {})
