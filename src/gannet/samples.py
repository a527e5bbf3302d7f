"""Samples: what a generator gives, where it came from, and the latent vectors it was asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from gannet.provenance import save_film, save_picture
from gannet.randomness import generator as addressed
from gannet.sheets import draw, draw_frame, to_picture


@dataclass(frozen=True)
class Samples:
    """Generated samples and where they came from.

    Attributes:
        values: (n, *shape), pictures in [-1, 1].
        labels: the class of each, (n,), or None.
        facts: the model and the seed, for the metadata of files.
        animated: whether they are the frames of a walk.
    """

    values: Tensor
    labels: Tensor | None
    facts: dict[str, Any]
    animated: bool = False

    def pictures(self) -> list[Image.Image]:
        """Each sample as a picture."""
        return [to_picture(value) if self.values.ndim == 4 else draw(value[None]) for value in self.values]

    def sheet(self) -> Image.Image:
        """All samples in one picture."""
        return draw(self.values)

    def save(self, path: str | Path) -> Path:
        """Save: a walk as an animation, a picture file's name as one sheet, any other as a folder of single files.

        Raises:
            ValueError: the format is not known, the path exists, or it cannot be written.
        """
        path = Path(path)
        if path.exists():
            raise ValueError(f"{path} exists; choose another name or remove it first.")
        if self.animated:
            save_film([draw_frame(value) for value in self.values], path, self.facts)
        elif path.suffix:
            save_picture(self.sheet(), path, self.facts)
        else:
            path.mkdir(parents=True)
            for index, picture in enumerate(self.pictures()):
                save_picture(picture, path / f"{index:06d}.png", {**self.facts, "index": index})
        return path


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
