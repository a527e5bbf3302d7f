"""Samples: what a generator gives, where it came from, and the latent vectors it was asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from gannet.media.grids import draw, draw_frame, to_pictures
from gannet.pipelines.writer import FORMATS, Entry, Order, deliver, folders
from gannet.provenance.metadata import encode_picture, save_film, save_picture
from gannet.runtime.files import digest
from gannet.runtime.randomness import generator as addressed

BATCH, PLAIN = 64, "torch"
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
class Request:
    """What is asked of a generator.

    Attributes:
        num: how many samples; sample i of a seed is the same whatever `num` is.
        seed: the same seed gives the same samples.
        label: a class by name or number; None goes through all classes in turn.
        frames: pictures from one sample to the next; more than one makes a closed walk of `num * frames`.
        engine: `torch`, `bf16`, `onnx`, or `auto` for the fastest.
    """

    num: int = 1
    seed: int = 0
    label: str | int | None = None
    frames: int = 1
    engine: str = "auto"

    def check(self) -> None:
        """Raise ValueError for numbers that are out of range."""
        if self.num < 1 or self.frames < 1 or self.seed < 0:
            given = f"{self.num}, {self.frames} and {self.seed}"
            raise ValueError(f"num and frames are 1 or more and seed 0 or more; given: {given}.")


def facts_of(model: str, request: Request, engine: str) -> dict[str, Any]:
    """What the metadata of a file say of where it came from; of the engine only what is not the usual one."""
    known = {
        "model": model,
        "seed": request.seed,
        "class": request.label,
        "engine": None if engine == PLAIN else engine,
    }
    return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True)
class Samples:
    """Generated samples and where they came from.

    Attributes:
        values: (n, *shape), pictures in [-1, 1].
        labels: the class of each, (n,), or None.
        facts: the model and the seed, for the metadata of files.
        animated: whether they are the frames of a walk.
        classes: the names of the classes.
    """

    values: Tensor
    labels: Tensor | None
    facts: dict[str, Any]
    animated: bool = False
    classes: tuple[str, ...] = ()

    def pictures(self) -> list[Image.Image]:
        """Each sample as a picture."""
        return to_pictures(self.values)

    def sheet(self) -> Image.Image:
        """All samples in one picture."""
        return draw(self.values)

    def save(self, path: str | Path) -> Path:
        """Save: a walk as an animation, a picture file's name as one sheet, any other as single pictures.

        Those go to a folder, or to the file where the name ends in .zip or .parquet; by class where there are classes.

        Raises:
            ValueError: the format is not known, the path exists, or it cannot be written.
        """
        path = Path(path)
        if path.exists():
            raise ValueError(f"{path} exists; choose another name or remove it first.")
        if self.animated:
            save_film([draw_frame(value) for value in self.values], path, self.facts)
        elif path.suffix.lower() not in FORMATS:
            save_picture(self.sheet(), path, self.facts)
        else:
            asked = {**self.facts, "digest": digest({"values": self.values}, {})}
            batches = [partial(_given, part) for part in self.values.split(BATCH)]
            drawing = Drawing(batches, BATCH, self.facts, self.labels, self.classes)
            deliver(path, Order(asked, drawing.parts(self.values.shape[1:]), self.classes))
        return path


@dataclass(frozen=True)
class Drawing:
    """Pictures that are made batch by batch, and what is known of them.

    Attributes:
        batches: each makes samples (size, c, h, w), the last perhaps fewer.
        size: of a batch.
        facts: for the metadata of every file.
        labels: (n,) the class of each, or None.
        classes: their names.
    """

    batches: Sequence[Callable[[], Tensor]]
    size: int
    facts: dict[str, Any]
    labels: Tensor | None
    classes: tuple[str, ...]

    def parts(self, shape: Sequence[int]) -> Iterator[Callable[[], list[Entry]]]:
        """The parts of an order of samples of `shape`; what one of them holds in memory has a bound."""
        together = max(1, min(MOST_BATCHES, PART_BYTES // (4 * self.size * prod(shape))))
        for first in range(0, len(self.batches), together):
            yield partial(self._part, range(first, min(first + together, len(self.batches))))

    def _part(self, numbers: range) -> list[Entry]:
        named, entries = folders(self.classes), []
        for number in numbers:
            # In one thread: small pictures are encoded mostly by Python itself, and threads wait for one another.
            for index, picture in enumerate(to_pictures(self.batches[number]()), number * self.size):
                label = -1 if self.labels is None else int(self.labels[index])
                content = encode_picture(picture, {**self.facts, "index": index})
                entries.append(Entry(f"{named[label]}{index:06d}.png", content, label))
        return entries


def _given(values: Tensor) -> Tensor:
    return values


def latents(network: nn.Module, seed: int, first: int, count: int) -> Tensor:
    """Latent vectors `first`, ... of a seed, (count, latent); each is drawn by its own address."""
    size = int(network.latent)  # type: ignore[arg-type]
    drawn = [torch.randn(size, generator=addressed(seed, "sample", first + i)) for i in range(count)]
    return torch.stack(drawn)


def walk(vectors: Tensor, frames: int) -> Tensor:
    """A closed walk along great circles through latent vectors (n, latent): (n * frames, latent) (Shoemake, 1985)."""
    steps = torch.arange(frames)[:, None] / frames
    pieces = []
    for start, end in zip(vectors, vectors.roll(-1, 0), strict=True):
        cosine = torch.dot(start, end) / (start.norm() * end.norm())
        angle = torch.arccos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
        mixed = torch.sin((1 - steps) * angle) * start + torch.sin(steps * angle) * end
        pieces.append(mixed / torch.sin(angle))
    return torch.cat(pieces)


def padded(rows: Tensor, count: int) -> Tensor:
    """The rows (n, ...) and zeros below them, (count, ...)."""
    return torch.cat([rows, rows.new_zeros(count - len(rows), *rows.shape[1:])])
