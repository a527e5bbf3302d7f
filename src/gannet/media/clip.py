"""Clips: a second or more of moving pictures, out of films, animations, or folders of numbered pictures."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from PIL import Image
from pydantic import Field as Constraint
from torch import Tensor

from gannet.augmentation import colours, geometry
from gannet.augmentation.levels import from_levels, to_levels
from gannet.media.film_encoding import encode_gif, encode_mp4
from gannet.media.films import USUAL_RATE, Film, Series, Video, VideoArray, at_rate, film_format, read_film
from gannet.media.grids import draw_grid
from gannet.media.image import auto_size
from gannet.media.medium import Array, Field, Findings, Medium, Pixels
from gannet.media.pixels import convert_channels, fit_picture
from gannet.media.series import numbered_series, read_series
from gannet.provenance.metadata import Facts
from gannet.runtime.broken import unless_broken
from gannet.runtime.selection import evenly_spaced
from gannet.schema import Section

Side = Annotated[int, Constraint(ge=8, le=256)]
LARGEST_RATE, SHORTEST, SHOWN, COLOURED = 30.0, 2, 8, 2.0
"""Frames a second that are chosen at most; frames of a clip at least, and on a sheet; levels between channels that are
a colour."""
CUT, SUDDEN, STILL = 40.0, 4.0, 0.5
"""Levels by which frames differ from those before them on average where the scene changes, how many times as much as
usually in the clip, and levels where nothing moves."""
SOUND = "its sound is not kept"
DECODING = "3"
"""A change of which frames of a film are taken, of their pixels, or of which films are held out, raises it, and so
decodes anew what the cache holds of clips."""
Given: TypeAlias = Video | Pixels
"""What a clip may be: something whose frames are decoded when asked for, or uint8 (t, h, w, c)."""


class Options(Section):
    """The keys of `data` that say what clips are taken out of films."""

    size: Side | Literal["auto"] = "auto"
    """Pixels a side, 8 to 256; `auto` chooses from the data."""
    channels: Literal[1, 3, "auto"] = "auto"
    """1 grey, 3 colour; `auto` looks."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """What is done to frames of another shape: `crop` takes the largest middle part, `pad` and `stretch` keep all."""
    rate: Annotated[float, Constraint(gt=0, le=120)] | Literal["auto"] = "auto"
    """Frames a second, whatever the films have; `auto` takes the median over the seconds of all films, halved or so
    where it is above 30. Folders of pictures know none: each picture is a frame."""
    length: Annotated[int, Constraint(ge=SHORTEST, le=256)] = 32
    """Frames of a clip; a film gives as many clips as it takes to see all of it."""


@dataclass(frozen=True)
class ClipField(Field):
    """What clips are brought to: uint8 (t, h, w, c), of which windows of so many frames are given.

    Attributes:
        rate: frames a second.
    """

    rate: float = USUAL_RATE

    @property
    def words(self) -> tuple[str, ...]:
        """Tell the rate, and the window, below which clips are left out."""
        return (*super().words, f"{self.rate:g}", *map(str, self.window))

    @property
    def told(self) -> tuple[str, ...]:
        """Say the rate, and how long a clip is."""
        return (f"Taken at {self.rate:g} frames a second (data.rate), {self.window[0]} to a clip (data.length).",)


class ClipMedium(Medium[Given]):
    """Clips: uint8 (t, h, w, c) in the cache, floats (c, t, h, w) in [-1, 1] for networks.

    Args:
        rate: frames a second of what networks give, when it is written.
    """

    name: ClassVar[str] = "clip"
    noun: ClassVar[str] = "clip"
    plural: ClassVar[str] = "clips"
    endings: ClassVar[frozenset[str]] = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif"})
    saved: ClassVar[tuple[str, ...]] = (".mp4", ".gif")
    Options: ClassVar[type[Section]] = Options

    def __init__(self, rate: float = USUAL_RATE) -> None:
        self.rate = rate

    @property
    def words(self) -> tuple[str, ...]:
        """Tell also which version of decoding a cache is of; 1 took no account of how times are rounded."""
        return (*super().words, DECODING)

    def field(self, sides: tuple[int, int], channels: int, rate: float, length: int, fit: str = "crop") -> ClipField:
        """Describe clips of (height, width) and so many frames."""
        return ClipField(self, (None, *sides, channels), "uint8", fit, window=(length,), rate=rate)

    def check_beginning(self, head: bytes) -> None:
        """Go by what formats of films begin with."""
        film_format(head)

    def read(self, content: bytes) -> Film:
        """Look at a film's header and first frame."""
        film_format(content[:32])
        return read_film(content)

    def series(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Find numbered pictures that follow one another."""
        return numbered_series(names)

    def read_folder(self, folder: Path) -> Series:
        """Take the numbered pictures of a folder for a clip."""
        return read_series(folder)

    def taken(self, given: object) -> Given:
        """Take a clip in memory, uint8 (t, h, w, c), or what was opened."""
        if isinstance(given, np.ndarray):
            return as_video(given)
        assert hasattr(given, "frames"), "no clip"
        return given  # type: ignore[return-value]

    def describe(self, value: Given) -> tuple[str, str]:
        """Name the size, and the frames a second."""
        clip = as_video(value)
        width, height = clip.size
        return f"{width}x{height}", "frames" if clip.rate is None else f"{clip.rate:.4g} frames/s"

    def choose(self, values: Iterator[Given], options: Section) -> ClipField:
        """Choose size, rate and channels by what the clips have."""
        assert isinstance(options, Options)
        if "auto" in (options.size, options.channels, options.rate):
            options = _chosen(values, options)
        assert options.size != "auto" and options.channels != "auto" and options.rate != "auto", "chosen now"
        sides = options.size, options.size
        return self.field(sides, options.channels, options.rate, options.length, options.fit)

    def fit(self, value: Given, field: Field) -> Pixels:
        """Bring a clip to rate, size and channels; ValueError where it is shorter than a window."""
        assert isinstance(field, ClipField)
        _, height, width, channels = field.given
        fitted: list[Pixels] = []
        last: Pixels | None = None
        clip = as_video(value)
        for pixels in at_rate(clip, field.rate):
            if pixels is not last:  # What is shown for long is brought to size once.
                one = fit_picture(convert_channels(pixels, channels), height, width, field.how)
                last, shown = pixels, one.transpose(1, 2, 0)
            fitted.append(shown)
        if len(fitted) < field.window[0]:
            raise ValueError(_too_short(len(fitted), clip, field))
        return np.stack(fitted)

    def fit_many(self, values: Array, field: Field) -> Pixels:
        """Bring clips (n, t, h, w) or (n, t, h, w, c) to shape, all at once where they have the size already."""
        pixels = values if values.ndim == 5 else values[..., None]
        _, *sides, channels = field.given
        if list(pixels.shape[2:4]) == sides and pixels.shape[1] >= field.window[0]:
            return convert_channels(pixels, channels)
        return np.stack([self.fit(one, field) for one in pixels])

    def to_array(self, rows: Array) -> Array:
        """Turn levels (b, t, h, w, c) into floats (b, c, t, h, w) in [-1, 1]."""
        return np.moveaxis(from_levels(rows), -1, 1)

    def preview(self, values: Tensor) -> Image.Image:
        """Show clips (n, c, t, h, w) below each other, each as a row of frames; one alone as a sheet of them."""
        which = torch.linspace(0, values.shape[2] - 1, min(SHOWN, values.shape[2])).round().long()
        frames = values[:, :, which].transpose(1, 2)
        return draw_grid(frames.flatten(0, 1).float(), 0 if len(values) == 1 else len(which))

    def picture(self, value: Given | Tensor) -> Image.Image:
        """Show one clip as a sheet of frames."""
        if isinstance(value, Tensor):
            return self.preview(value[None])
        clip = as_video(value)
        frames = evenly_spaced(at_rate(clip, clip.rate or USUAL_RATE), SHOWN)
        return self.preview(torch.from_numpy(self.to_array(np.stack(frames)[None])))

    def film(self, values: Tensor, facts: Facts) -> tuple[str, bytes]:
        """Give the clips side by side, playing, as a GIF."""
        frames = [draw_grid(values[:, :, at].float()) for at in range(values.shape[2])]
        return ".gif", encode_gif(frames, self.rate, facts)

    def marks(self, value: Given | Tensor) -> Facts:
        """Read a film's metadata."""
        return value.facts if isinstance(value, Film) else {}

    def remarks(self, value: Given | Tensor) -> Sequence[str]:
        """Tell of sound as well, of which nothing is learned."""
        return [*super().remarks(value), *([SOUND] if isinstance(value, Film) and value.sounds else [])]

    def notices(self, value: Given | Tensor) -> Sequence[str]:
        """Tell of sound."""
        return [SOUND] if isinstance(value, Film) and value.sounds else []

    def encode(self, value: Given | Tensor, ending: str, facts: Facts) -> bytes:
        """Write a clip, floats (c, t, h, w) or as it was read, as MP4 (H.264) or GIF; both say where it came from."""
        if ending.lower() not in self.saved:
            raise ValueError(f"Clips are saved as {', '.join(self.saved)}, not {ending or 'without an ending'}.")
        if isinstance(value, Tensor):
            levels = to_levels(value.detach().float()).byte().permute(1, 2, 3, 0).cpu().numpy()
            frames, rate = convert_channels(levels, 3), self.rate
        else:
            clip = as_video(value)
            rate = clip.rate or self.rate
            frames = np.stack([convert_channels(one, 3) for one in at_rate(clip, rate)])
        if ending.lower() == ".gif":
            return encode_gif([Image.fromarray(one) for one in frames], rate, facts)
        return encode_mp4(frames, rate, facts)

    def move(self, values: Tensor, places: Tensor) -> Tensor:
        """Resample all frames of a clip (b, c, t, h, w) alike."""
        return geometry.warp(values.flatten(1, 2), places).view_as(values)

    def recolour(self, values: Tensor, colours_: Tensor) -> Tensor:
        """Change the colours of all frames of a clip (b, c, t, h, w) alike."""
        return colours.recolour(values.flatten(2, 3), colours_).view_as(values)

    def examine(self, values: Sequence[Array] | Array) -> Findings:
        """Tell lengths, cuts and what stands still; by four of its frames in one picture a clip is known again."""
        lengths = [len(row) for row in values]
        changes = [_changes(row) for row in values]
        cut = [_cuts(one) for one in changes]
        still = sum(bool(len(one)) and float(one.mean()) < STILL for one in changes)
        lines = [f"Lengths: {_spread(lengths)}."]
        if any(cut):
            lines.append(f"{sum(map(bool, cut)):,} of them hold cuts, {sum(cut):,} in all; clips go across them.")
        if still:
            lines.append(f"{still:,} of them stand still.")
        return Findings(tuple(lines), np.stack([_summary(row) for row in values]))


def as_video(value: Given) -> Video:
    """Give something whose frames come one by one; ValueError for an array that is no clip."""
    if not isinstance(value, np.ndarray):
        return value
    pixels = value[..., None] if value.ndim == 3 else value
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[-1] not in (1, 3, 4) or 0 in pixels.shape:
        raise ValueError(
            f"An array of {value.dtype} with shape {value.shape} is no clip; give uint8 of time x height x width, with "
            "1, 3 or 4 channels last."
        )
    return VideoArray(pixels)


def _too_short(count: int, clip: Video, field: ClipField) -> str:
    """Say that a clip has fewer frames than are wanted, and what would take it in."""
    length, own = field.window[0], _sensible(clip.rate) if clip.rate else 0.0
    ways = [f"data.length={count}"] if count >= SHORTEST else []
    if (count - 0.5) * own >= length * field.rate:  # So long it is at least.
        ways.append(f"data.rate={own:g}")
    frames = f"{count} frame{'s' * (count != 1)} at {field.rate:g} a second"
    with_it = f"; {' or '.join(ways)} would take it in" if ways else ""
    return f"it has {frames}, fewer than the {length} of a clip{with_it}"


def _chosen(values: Iterator[Given], options: Options) -> Options:
    """Choose what is open by what clips look like; ValueError where none can be read."""
    sides, rates, coloured = [], [], False
    for value in values:
        with unless_broken():  # The cache will name it.
            clip = as_video(value)
            sides.append(min(clip.size))
            rates += [(clip.rate, _seconds(clip))] if clip.rate else []
            coloured = coloured or _has_colour(clip)
    if not sides:
        raise ValueError("None of the clips can be read; give at least two, and hundreds to learn anything.")
    found = {
        "size": auto_size(statistics.median(sides)),
        "channels": 3 if coloured else 1,
        "rate": _sensible(_usual(rates)) if rates else USUAL_RATE,
    }
    return options.model_copy(update={name: one for name, one in found.items() if getattr(options, name) == "auto"})


def _has_colour(clip: Video) -> bool:
    """Tell by the first frame; encoders tint grey a little."""
    pixels = convert_channels(next(clip.frames())[0], 3).astype(np.float32)
    return bool(np.ptp(pixels, axis=2).mean() > COLOURED)


def _seconds(clip: Video) -> float:
    """Give how long a film is; as a second counts what does not say."""
    told = clip.lasts if isinstance(clip, Film) else None
    return 1.0 if told is None else told


def _usual(rates: Sequence[tuple[float, float]]) -> float:
    """Give the median of rates over the seconds that have them: one of those there are."""
    ordered = sorted(rates)
    until = np.cumsum([seconds for _, seconds in ordered])
    return ordered[int(np.searchsorted(until, until[-1] / 2))][0]


def _sensible(rate: float) -> float:
    """Divide a rate until it is at most 30: every so-manieth frame then, evenly."""
    return round(rate / -(-rate // LARGEST_RATE), 3)


def _spread(lengths: Sequence[int]) -> str:
    """Tell lengths in frames; of all alike one number."""
    least, most = min(lengths), max(lengths)
    if least == most:
        return f"{least:,} frames each"
    return f"{least:,} to {most:,} frames, half of them {statistics.median_low(lengths):,} or more"


def _changes(clip: Array) -> Array:
    """Measure how much frames of a clip (t, h, w, c) differ from those before them, in levels: (t - 1,)."""
    small = clip[:, ::2, ::2].astype(np.int16)
    changes: Array = np.abs(np.diff(small, axis=0)).mean((1, 2, 3))
    return changes


def _cuts(changes: Array) -> int:
    """Count the frames that differ more from those before them than what moves in the clip makes them."""
    return int((changes > max(CUT, SUDDEN * float(np.median(changes)))).sum())


def _summary(clip: Array) -> Pixels:
    """Give four frames of a clip, at half their size, in one picture (c, h, w)."""
    four = clip[np.linspace(0, len(clip) - 1, 4).round().astype(int)][:, ::2, ::2]
    return np.concatenate([np.concatenate(list(four[:2]), 1), np.concatenate(list(four[2:]), 1)]).transpose(2, 0, 1)


medium = ClipMedium()
