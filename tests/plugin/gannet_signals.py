"""A third party's medium: signals of any length, one-dimensional arrays in `.npy` files; and a set of its own."""

import io
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from gannet.data.records import Record, Source
from gannet.media.medium import Array, Field, Findings, Medium
from gannet.provenance.metadata import Facts
from gannet.schema import Section

HEIGHT, RATE, COUNT = 64, 8_000, 120


class Options(Section):
    """The keys of `data` for signals."""

    length: int = 32
    """How much of a signal is given at a time."""


class SignalMedium(Medium[Array]):
    """Signals: float32, as long as they are; networks are given windows (length,)."""

    name: ClassVar[str] = "signal"
    noun: ClassVar[str] = "signal"
    plural: ClassVar[str] = "signals"
    endings: ClassVar[frozenset[str]] = frozenset({".npy"})
    Options: ClassVar[type[Section]] = Options

    def read(self, content: bytes) -> Array:
        """Read an array, which cannot run code."""
        values = np.load(io.BytesIO(content), allow_pickle=False)
        if values.ndim != 1 or values.dtype.kind not in "iuf":
            raise ValueError(f"it holds {values.dtype} of shape {values.shape}, and a signal is one row of numbers")
        return values

    def describe(self, value: Array) -> tuple[str, str]:
        """Name its length and type."""
        return str(len(value)), str(value.dtype)

    def choose(self, values: Iterator[Array], options: Section) -> Field:
        """Keep signals as long as they are."""
        assert isinstance(options, Options)
        next(values)
        return Field(self, (None,), "float32", window=(options.length,))

    def fit(self, value: Array, field: Field) -> Array:
        """Take a signal as it is."""
        return np.asarray(value, field.dtype)

    def preview(self, values: Tensor) -> Image.Image:
        """Draw signals (n, length) below each other."""
        sheet = Image.new("L", (values.shape[1], HEIGHT * len(values)), 255)
        pen = ImageDraw.Draw(sheet)
        for row, signal in enumerate(values.clamp(-1, 1).tolist()):
            middle = HEIGHT * row + HEIGHT / 2
            pen.line([(at, middle - value * HEIGHT / 2) for at, value in enumerate(signal)], fill=0)
        return sheet

    def film(self, values: Tensor, facts: Facts) -> tuple[str, bytes]:
        """Give the signals one after another, to be heard."""
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((values.clamp(-1, 1).flatten() * 32767).short().numpy().tobytes())
        return ".wav", content.getvalue()

    def encode(self, value: Array | Tensor, ending: str, facts: Facts) -> bytes:
        """Write an array; what is known of it has no room in the file."""
        if ending != ".npy":
            raise ValueError(f"Signals are saved as .npy, not {ending}.")
        content = io.BytesIO()
        np.save(content, np.asarray(value))
        return content.getvalue()

    def examine(self, values: Sequence[Array] | Array) -> Findings:
        """Tell how loud they are."""
        return Findings((f"The loudest reaches {max(float(np.abs(row).max()) for row in values):.2f}.",))


medium = SignalMedium()


@dataclass(frozen=True)
class Sines:
    """Sines of one frequency each, of differing length."""

    name: str = "sines"
    classes: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        return "sines 1"

    def count(self) -> int:
        return COUNT

    def records(self) -> Iterator[Record]:
        for number in range(COUNT):
            yield Record(f"sine {number}", {"signal": partial(sine, number)})


def sine(number: int) -> Array:
    """The signal of a number."""
    random = np.random.default_rng(number)
    time = np.arange(random.integers(20, 100))
    return np.sin(random.uniform(0.3, 0.6) * time + random.uniform(0, 6)).astype(np.float32)


MEDIA = (("signal",),)
EMBEDDED = ("sines",)
ALLOWED = "a folder or zip of signals (.npy), or sines"


def open_name(target: str) -> Source | None:
    """Open the embedded set."""
    return Sines() if target in EMBEDDED else None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open nothing: signals are plain files."""
    return None


def finished(source: Source, options: Section | None) -> Source:
    """Change nothing."""
    return source
