"""Context frames, which a clip goes on from: a still picture, or a film whose last frames count."""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image
from torch import Tensor

from gannet.media import clip, image
from gannet.media.clip import as_video
from gannet.media.films import Film, Video, VideoArray, at_rate, film_format, read_film
from gannet.media.medium import Array, Field, Medium, Pixels
from gannet.media.pixels import NO_PICTURE, convert_channels, natural_pixels, open_picture
from gannet.provenance.metadata import Facts, read_facts
from gannet.schema import Section

BEFORE = 1.0
"""Seconds of a film that are decoded beside those that are wanted: key frames and rates lie between frames."""


@dataclass(frozen=True)
class Context:
    """A still picture, or a film.

    Attributes:
        shown: its frames.
        facts: what its file says of a model that had a hand in it.
        notices: what of its file is not kept, a few words each.
    """

    shown: Video
    facts: Facts = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def last(self, count: int, rate: float) -> list[Pixels]:
        """Give its last frames, at so many a second, each (h, w, c); ValueError where it has fewer."""
        frames = list(deque(at_rate(self._end(count / rate), rate), count))
        if len(frames) < count:  # Its last packets may hold nothing that is shown.
            frames = list(deque(at_rate(self.shown, rate), count))
        if len(frames) < count:
            raise ValueError(
                f"What is given has {len(frames)} frame{'s' * (len(frames) != 1)}, and the model goes on from {count}; "
                "give a film, an animation or a folder of numbered pictures with as many."
            )
        return frames

    def _end(self, seconds: float) -> Video:
        """Give the end of a film, of which the rest need not be decoded."""
        if not isinstance(self.shown, Film):
            return self.shown
        return self.shown.between(max(0.0, self.shown.measured() - seconds - BEFORE), math.inf)


class ContextMedium(Medium[Context]):
    """Pictures of any size and mode, and films; of those the last frames count."""

    name: ClassVar[str] = "context"
    noun: ClassVar[str] = "picture or film"
    plural: ClassVar[str] = "pictures or films"
    in_data: ClassVar[bool] = False
    endings: ClassVar[frozenset[str]] = clip.medium.endings | image.medium.endings
    foreign: ClassVar[Mapping[str, str]] = image.medium.foreign

    def check_beginning(self, head: bytes) -> None:
        """Go by what films and pictures begin with."""
        if _is_film(head):
            return
        try:
            image.medium.check_beginning(head)
        except ValueError as error:
            told = str(error).replace(NO_PICTURE, "it is neither a picture nor a film that Gannet reads")
            raise ValueError(told) from None

    def read(self, content: bytes) -> Context:
        """Look at a film, or decode a picture."""
        if _is_film(content[:32]):
            film = read_film(content)
            return Context(film, film.facts, tuple(clip.medium.notices(film)))
        picture = open_picture(content)
        return Context(VideoArray(natural_pixels(picture)[None]), read_facts(picture))

    def taken(self, given: object) -> Context:
        """Take Pillow's picture, an array of one, uint8 (h, w) or (h, w, c), or of a clip (t, h, w, c)."""
        if isinstance(given, Context):
            return given
        if isinstance(given, Image.Image):
            return Context(VideoArray(natural_pixels(given)[None]), read_facts(given))
        if isinstance(given, np.ndarray):
            return Context(as_video(given if given.ndim == 4 else natural_pixels(given)[None]))
        raise ValueError(
            f"{type(given).__name__} is no picture and no film; give a path, a picture or uint8 of a clip."
        )

    def size(self, value: Context) -> tuple[int, int]:
        """Give (width, height)."""
        return value.shown.size

    def describe(self, value: Context) -> tuple[str, str]:
        """Name the size, and frames a second of a film."""
        return clip.medium.describe(value.shown) if isinstance(value.shown, Film) else (_size(value), "still")

    def picture(self, value: Context | Tensor) -> Image.Image:
        """Show a still, or a sheet of a film's frames."""
        if isinstance(value, Tensor):
            return clip.medium.picture(value)
        shown = value.shown
        still = isinstance(shown, VideoArray) and len(shown.pixels) == 1
        return Image.fromarray(convert_channels(next(shown.frames())[0], 3)) if still else clip.medium.picture(shown)

    def marks(self, value: Context | Tensor) -> Facts:
        """Give what its file said."""
        return value.facts if isinstance(value, Context) else {}

    def notices(self, value: Context | Tensor) -> Sequence[str]:
        """Tell of sound."""
        return value.notices if isinstance(value, Context) else ()

    def choose(self, values: Iterator[Context], options: Section) -> Field:
        """Choose as of clips."""
        return clip.medium.choose((value.shown for value in values), options)

    def fit(self, value: Context, field: Field) -> Array:
        """Bring it to rate, size and channels as a clip."""
        return clip.medium.fit(value.shown, field)

    def preview(self, values: Tensor) -> Image.Image:
        """Show given frames (n, c, t, h, w)."""
        return clip.medium.preview(values)

    def encode(self, value: Context | Tensor, ending: str, facts: Facts) -> bytes:
        """Write it as a clip."""
        return clip.medium.encode(value.shown if isinstance(value, Context) else value, ending, facts)


def _is_film(head: bytes) -> bool:
    """Tell by its first bytes whether something is a film; an animation counts as one."""
    with suppress(ValueError):
        film_format(head)
        return True
    return False


def _size(value: Context) -> str:
    return "x".join(map(str, value.shown.size))


class MotionMedium(ContextMedium):
    """Films, of which several last frames count; numbered pictures of a folder are the frames of one."""

    noun: ClassVar[str] = "film"
    plural: ClassVar[str] = "films"

    def series(self, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Find numbered pictures that follow one another."""
        return clip.medium.series(names)

    def read_folder(self, folder: Path) -> Context:
        """Take the numbered pictures of a folder for a film."""
        return Context(clip.medium.read_folder(folder))


medium = ContextMedium()
motion = MotionMedium()
