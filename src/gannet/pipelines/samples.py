"""What pipelines give: samples from nothing or something made of inputs, where it came from, and how it is saved."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gannet.media import image
from gannet.media.film_encoding import MP4, check_animation, encode_mp4
from gannet.media.grids import enlarged_frame
from gannet.media.medium import Medium
from gannet.pipelines.packing import FORMATS, Entry, folders
from gannet.pipelines.sample_places import beside_samples, check_many_files, check_one_file
from gannet.pipelines.writer import ALONE, Order, Share, deliver
from gannet.provenance.metadata import SOURCE_TYPE, Facts, encode_picture, save_film, save_picture
from gannet.runtime.files import check_free, digest, write_bytes
from gannet.runtime.names import format_ending, whole_suffix
from gannet.runtime.progress import Watch
from gannet.runtime.randomness import generator as addressed
from gannet.schema import choose, nearest

BATCH, PLAIN = 64, "torch"
LARGEST_SHOWN = 2048
"""Pixels a side of what a notebook shows."""
FRAME_SECONDS = 0.06
"""That a walk shows each of its pictures."""
PART_BYTES, MOST_BATCHES = 2**25, 16
"""Of samples in a part of a delivery, which is held in memory."""


@dataclass(frozen=True)
class Engine:
    """A generator's computation and its name: maps (b, latent) and labels (b,) to samples (b, *shape)."""

    name: str
    compute: Callable[[Tensor, Tensor | None], Tensor]

    def __call__(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Compute (b, *shape)."""
        return self.compute(latent, label)


@dataclass(frozen=True)
class Details:
    """What is told of what was made.

    Attributes:
        data: plain data, by name.
        lines: the same in words, a line each.
    """

    data: Mapping[str, object] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """What was made of inputs.

    Attributes:
        values: by the names of the outputs; the first is what the pipeline is for.
        media: what they are, by the same names.
        facts: the model and how it was used, for the metadata of files, by the same names; empty for what is an input
            as it was given.
        shares: what is told of it in shares of one, by name.
        warnings: why less may be expected of it, a few words each.
        details: what else there is to say of it.
    """

    values: Mapping[str, object]
    media: Mapping[str, Medium]
    facts: Mapping[str, Facts]
    shares: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    details: Details = field(default_factory=Details)

    @property
    def value(self) -> object:
        """The first output."""
        return next(iter(self.values.values()))

    def __iter__(self) -> Iterator[str]:
        """Give the names of the outputs."""
        return iter(self.values)

    def __getitem__(self, name: str) -> object:
        """Give an output by its name; ValueError names those that there are."""
        return choose(name, self.values, "output")

    def __repr__(self) -> str:
        """Name the outputs with their sizes and kinds, and what their metadata say."""
        sizes = [f"{name}: {' '.join(self.media[name].describe(value))}" for name, value in self.values.items()]
        return _shortly("Made", sizes, next(iter(self.facts.values())))

    def _repr_png_(self) -> bytes:
        """Show itself in a notebook: the first output as a picture."""
        name = next(iter(self.values))
        return _shown(self.media[name].picture(self.value), self.facts[name])

    def notices(self) -> Sequence[str]:
        """Say what the first output does not keep of the file that it was made of, a few words each."""
        return next(iter(self.media.values())).notices(self.value)

    def encode(self, ending: str, name: str = "", more: Facts | None = None) -> bytes:
        """Write an output as a file of that ending; `more` is told in its metadata beside the facts."""
        name = name or next(iter(self.values))
        value = self[name]
        facts = {**self.facts[name], **(more or {})} if self.facts[name] else {}
        return self.media[name].encode(value, ending, facts)

    def save(self, path: str | Path, name: str = "") -> Path:
        """Save an output, the first by default, in the format that the path's ending names.

        Raises:
            ValueError: no format has that ending, or the path exists or cannot be written.
        """
        path = Path(path)
        check_free(path)
        write_new(path, self.encode(whole_suffix(path), name))
        return path


@dataclass(frozen=True)
class Further:
    """A further output of samples, which is made when it is called for.

    Attributes:
        medium: what it is.
        makes: each makes it of a batch of samples (size, ...), as those of the samples themselves do.
    """

    medium: Medium
    makes: Sequence[Callable[[], Tensor]] = field(repr=False)

    def together(self) -> Tensor:
        """Make it of all samples (n, ...)."""
        return torch.cat([make() for make in self.makes])


@dataclass(frozen=True)
class Samples:
    """Generated samples and where they came from.

    Attributes:
        values: (n, *shape), pictures in [-1, 1].
        labels: the class of each, (n,), or None.
        facts: the model and the seed, for the metadata of files.
        animated: whether they are the frames of a walk.
        classes: the names of the classes.
        medium: what they are.
        further: their further outputs, by name.
    """

    values: Tensor
    labels: Tensor | None
    facts: Facts
    animated: bool = False
    classes: tuple[str, ...] = ()
    medium: Medium = image.medium
    further: Mapping[str, Further] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Count them."""
        return len(self.values)

    def __repr__(self) -> str:
        """Say how many of what size, and what their metadata say."""
        noun = self.medium.noun if len(self) == 1 else self.medium.plural
        kind = "a walk through " if self.animated else ""
        size = "x".join(map(str, self.values.shape[1:]))
        return _shortly("Samples", [f"{kind}{len(self):,} {noun} of {size}"], self.facts)

    def __iter__(self) -> Iterator[Image.Image]:
        """Show one after the other as a picture."""
        return map(self.medium.picture, self.values)

    @overload
    def __getitem__(self, which: int) -> Image.Image: ...

    @overload
    def __getitem__(self, which: slice) -> "Samples": ...

    def __getitem__(self, which: int | slice) -> "Image.Image | Samples":
        """Show one as a picture, or give some of them; their numbers are in `values`."""
        if not isinstance(which, slice):
            return self.medium.picture(self.values[operator.index(which)])
        rows = torch.tensor(range(len(self))[which], dtype=torch.long)
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, values=self.values[rows], labels=labels, further={})

    def _repr_png_(self) -> bytes:
        """Show itself in a notebook: all samples in one picture."""
        return _shown(self.sheet(), self.facts)

    def pictures(self) -> list[Image.Image]:
        """Show each sample as a picture."""
        return list(self)

    def sheet(self) -> Image.Image:
        """Show all samples in one picture."""
        return self.medium.preview(self.values)

    def batches(self) -> "Batches":
        """Give them batch by batch."""
        parts = [partial(_given, part) for part in self.values.split(BATCH)]
        return Batches(parts, BATCH, tuple(self.values.shape[1:]), self.facts, self.labels, self.classes, self.medium)

    def files(self) -> dict[str, bytes]:
        """Encode each as the file that it is in a folder of them, by its name there."""
        return {entry.path: entry.content for entries in self.batches().written() for entry in entries}

    def save(self, path: str | Path, further: Sequence[str] = ()) -> Path:
        """Save: a walk as an animation, a picture file's name as one sheet, any other as single files.

        Those go to a folder, or to the file where the name ends in .zip or .parquet; by class where there are classes.

        Args:
            further: names of further outputs to save beside a file, as `stem.name.ending`.

        Raises:
            ValueError: the format is not known, the path exists, or it cannot be written.
        """
        path = Path(path)
        ending = format_ending(path, self.medium.saved)
        beside = {name: beside_samples(path, name, choose(name, self.further, "output").medium) for name in further}
        for place in (path, *beside.values()):
            check_free(place)
        if self.animated:
            self._save_film(path)
        elif ending in FORMATS:
            self.batches().deliver(path, {"digest": digest({"values": self.values}, {})})
        elif len(self) == 1 and ending in self.medium.saved:
            write_new(path, self.medium.encode(self.values[0], ending, self.facts))
        elif (film := self.medium.film(self.values, self.facts)) and film[0] == ending:
            write_new(path, film[1])
        else:
            check_one_file(path, self.medium, len(self), False)
            save_picture(self.sheet(), path, self.facts)
        for name, place in beside.items():
            one = self.further[name]
            replace(self, values=one.together(), medium=one.medium, further={}).save(place)
        return path

    def _save_film(self, path: Path) -> None:
        check_animation(path)
        pictures = [enlarged_frame(picture) for picture in self.pictures()]
        if path.suffix.lower() != MP4:
            save_film(pictures, path, self.facts, FRAME_SECONDS)
            return
        frames = np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])
        write_new(path, encode_mp4(frames, 1 / FRAME_SECONDS, self.facts))


def _shortly(kind: str, what: list[str], facts: Facts) -> str:
    """Show a result in one line, whatever its size."""
    told = ", ".join(f"{name}={value}" for name, value in facts.items() if name != SOURCE_TYPE)
    return f"<{kind} {', '.join(what)}{'; ' if told else ''}{told}>"


def _shown(picture: Image.Image, facts: Facts) -> bytes:
    """Give a PNG for a notebook, no larger than can be seen there."""
    (small := picture.copy()).thumbnail((LARGEST_SHOWN, LARGEST_SHOWN))
    return encode_picture(small, facts)


def write_new(path: Path, content: bytes) -> None:
    """Write a file, in a folder that is made where there is none; ValueError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}); choose another place.") from None
    write_bytes(path, content)


@dataclass(frozen=True)
class Batches:
    """Samples that are made batch by batch, and what is known of them.

    Attributes:
        makes: each makes samples (size, *shape), the last perhaps fewer.
        size: of a batch.
        shape: of a sample.
        facts: for the metadata of every file.
        labels: (n,) the class of each, or None.
        classes: their names.
        medium: what they are.
        further: their further outputs, by name.
    """

    makes: Sequence[Callable[[], Tensor]] = field(repr=False)
    size: int
    shape: tuple[int, ...]
    facts: Facts
    labels: Tensor | None = field(repr=False)
    classes: tuple[str, ...]
    medium: Medium
    further: Mapping[str, Further] = field(default_factory=dict, repr=False)

    def together(self) -> Samples:
        """Make all of them."""
        values = torch.cat([make() for make in self.makes])
        return Samples(values, self.labels, self.facts, False, self.classes, self.medium, self.further)

    def only(self, further: Sequence[str]) -> "Batches":
        """Give the same with some of the further outputs, which are written beside them; ValueError names them all."""
        return replace(self, further={name: choose(name, self.further, "output") for name in further})

    def deliver(self, path: Path, told: Facts, share: Share = ALONE, watch: Watch | None = None) -> None:
        """Write all of them, a file each; `told` besides the facts is what tells this delivery from others."""
        check_many_files(path, self.medium)
        deliver(path, Order({**self.facts, **told}, self._parts(watch or Watch()), self.classes), share)

    def written(self) -> Iterator[list[Entry]]:
        """Give all of them as files, a few batches at a time."""
        return (part() for part in self._parts(Watch()))

    def _parts(self, watch: Watch) -> Iterator[Callable[[], list[Entry]]]:
        """Cut them into parts; what one of them holds in memory has a bound."""
        together = max(1, min(MOST_BATCHES, PART_BYTES // (4 * self.size * prod(self.shape))))
        for first in range(0, len(self.makes), together):
            watch.step(first * self.size, len(self.makes) * self.size, "Drawing samples")
            yield partial(self._part, range(first, min(first + together, len(self.makes))))

    def _part(self, numbers: range) -> list[Entry]:
        named, entries = folders(self.classes), []
        outputs = {"": Further(self.medium, self.makes)}
        outputs |= {f".{name}": one for name, one in self.further.items()}
        # In one thread: small pictures are encoded mostly by Python itself, and threads wait for one another.
        for number, (name, one) in product(numbers, outputs.items()):
            ending = f"{name}{one.medium.saved[0]}"
            for index, value in enumerate(one.makes[number](), number * self.size):
                label = -1 if self.labels is None else int(self.labels[index])
                content = one.medium.encode(value, one.medium.saved[0], {**self.facts, "index": index})
                entries.append(Entry(f"{named[label]}{index:06d}{ending}", content, label))
        return entries


def _given(values: Tensor) -> Tensor:
    return values


def class_labels(classes: Sequence[str], num: int, label: str | None = None) -> Tensor | None:
    """Give the classes of `num` samples (num,): all in turn or the one asked for, by name or number; None without any.

    Raises:
        ValueError: a class that there is not; one sentence.
    """
    if not classes:
        if label is not None:
            raise ValueError(
                "This model was trained without classes; leave the class out, or train with task.conditional."
            )
        return None
    if label is None:
        return torch.arange(num) % len(classes)
    if label not in classes and not (label.isdecimal() and int(label) < len(classes)):
        raise ValueError(f"This model does not know the class {label!r}; {nearest(label, classes)}")
    number = classes.index(label) if label in classes else int(label)
    return torch.full((num,), number)


def latents(network: nn.Module, seed: int, first: int, count: int) -> Tensor:
    """Latent vectors `first`, ... of a seed, (count, latent); each is drawn by its own address."""
    size = int(network.latent)  # type: ignore[arg-type]
    return torch.stack([torch.randn(size, generator=addressed(seed, "sample", first + i)) for i in range(count)])


def padded(rows: Tensor, count: int) -> Tensor:
    """Give the rows (n, ...) and zeros below them, (count, ...)."""
    return torch.cat([rows, rows.new_zeros(count - len(rows), *rows.shape[1:])])
