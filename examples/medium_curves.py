"""A medium: curves, a `.csv` file each, a number a line. Lines that begin with # say where a file came from."""

import json
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pydantic
from PIL import Image, ImageDraw
from torch import Tensor

from gannet.media.medium import Field, Findings, Medium
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, Facts
from gannet.schema import Section

Curve = npt.NDArray[np.float32]
WIDTH, HEIGHT = 256, 48
"""Pixels of one curve in a preview."""


class Options(Section):
    """The keys of `data` for curves; the line below a key is its help."""

    length: int = pydantic.Field(32, ge=2)
    """How many points a curve is brought to."""


class CurveMedium(Medium[Curve]):
    """Curves: float32 (length,), with values as they are in the file."""

    name: ClassVar[str] = "curve"
    noun: ClassVar[str] = "curve"
    plural: ClassVar[str] = "curves"
    endings: ClassVar[frozenset[str]] = frozenset({".csv"})
    Options: ClassVar[type[Section]] = Options

    def read(self, content: bytes) -> Curve:
        """Read a file; what is wrong with it is said in a few words, and Gannet puts the file's name before them."""
        lines = [line for line in content.decode("utf-8").splitlines() if line.strip() and not line.startswith("#")]
        values = np.array(lines, np.float32)
        if len(values) < 2 or not np.isfinite(values).all():
            raise ValueError("a curve is two finite numbers or more, one a line")
        return values

    def describe(self, value: Curve) -> tuple[str, str]:
        """Name a curve's size and kind."""
        return str(len(value)), "float32"

    def field(self, length: int) -> Field:
        """Describe curves of so many points."""
        return Field(self, (length,), "float32")

    def choose(self, values: Iterator[Curve], options: Section) -> Field:
        """Choose what curves are brought to, where nobody says it."""
        assert isinstance(options, Options)
        return self.field(options.length)

    def fit(self, value: Curve, field: Field) -> Curve:
        """Bring a curve to the field's length by linear interpolation; this is what the cache keeps."""
        places = np.linspace(0, len(value) - 1, field.given[0])
        return np.interp(places, np.arange(len(value)), value).astype(np.float32)

    def preview(self, values: Tensor) -> Image.Image:
        """Draw curves (n, length) below each other, on one scale."""
        sheet = Image.new("L", (WIDTH, HEIGHT * len(values)), 255)
        pen, low, high = ImageDraw.Draw(sheet), float(values.min()), float(values.max())
        across = np.linspace(0, WIDTH - 1, values.shape[1]).tolist()
        heights = (1 - (values - low) / max(high - low, 1e-6)) * (HEIGHT - 1)
        for row, curve in enumerate(heights.tolist()):
            pen.line([(x, row * HEIGHT + y) for x, y in zip(across, curve, strict=True)], fill=0)
        return sheet

    def encode(self, value: Curve | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a curve, with a comment that says that it is synthetic and by which model; nothing without facts."""
        if ending.lower() != ".csv":
            raise ValueError(f"Curves are saved as .csv, not {ending or 'without an ending'}.")
        said = f"# {json.dumps({SOURCE_TYPE: SYNTHETIC, **facts})}\n" if facts else ""
        return (said + "".join(f"{number:.7g}\n" for number in value.tolist())).encode()

    def examine(self, values: Sequence[Curve] | Curve) -> Findings:
        """Tell `gannet doctor` what the curves of a data set span."""
        low, high = min(float(row.min()) for row in values), max(float(row.max()) for row in values)
        return Findings((f"The values lie between {low:.3g} and {high:.3g}.",))


medium = CurveMedium()
