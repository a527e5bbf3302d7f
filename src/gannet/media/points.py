"""Points in the plane or in space, as coordinates: for distributions that are known, to see what a game covers."""

import io
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gannet.media.grids import draw_points
from gannet.media.medium import Array, Field, Medium
from gannet.provenance.metadata import Facts, comment, metadata
from gannet.schema import Section


class PointsMedium(Medium[Array]):
    """Points: float32 (d,), as they are."""

    name: ClassVar[str] = "points"
    noun: ClassVar[str] = "point"
    plural: ClassVar[str] = "points"
    endings: ClassVar[frozenset[str]] = frozenset()
    saved: ClassVar[tuple[str, ...]] = (".png", ".csv")

    def field(self, dimensions: int) -> Field:
        """Describe points of so many coordinates."""
        return Field(self, (dimensions,), "float32")

    def read(self, content: bytes) -> Array:
        """Read what `encode` wrote."""
        return np.loadtxt(io.BytesIO(content), np.float32, delimiter=",")

    def describe(self, value: Array) -> tuple[str, str]:
        """Name the number of coordinates."""
        return str(len(value)), "float32"

    def choose(self, values: Iterator[Array], options: Section) -> Field:  # noqa: ARG002
        """Count the coordinates."""
        return self.field(len(next(values)))

    def fit(self, value: Array, field: Field) -> Array:
        """Take a point as it is."""
        return np.asarray(value, field.dtype).reshape(field.given)

    def preview(self, values: Tensor) -> Image.Image:
        """Show points (n, 2) as dots in the plane."""
        return draw_points(values)

    def encode(self, value: Array | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a point as a line of numbers, below a comment that says by which model, or as a dot in the plane."""
        if ending.lower() not in self.saved:
            raise ValueError(f"Points are saved as {', '.join(self.saved)}, not {ending or 'without an ending'}.")
        if ending.lower() == ".png":
            content = io.BytesIO()
            draw_points(torch.as_tensor(value)[None]).save(content, "PNG", **metadata(".png", facts))
            return content.getvalue()
        said = f"# {comment(facts)}\n" if facts else ""
        return (said + ",".join(f"{number:.8g}" for number in value.tolist()) + "\n").encode()


medium = PointsMedium()
