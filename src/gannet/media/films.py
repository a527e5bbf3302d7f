"""Films: files of moving pictures, which PyAV (an extra) decodes one frame after the other, in bounded memory.

A file is believed in nothing: its format is told by its first bytes and not by its name, so that none of FFmpeg's that
lead elsewhere (playlists, scripts) is ever tried; what it claims of its length is held to its packets.
"""

from __future__ import annotations

import io
import math
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any, Protocol, TypeAlias

import numpy as np
from PIL import Image

from gannet.media.medium import Pixels
from gannet.media.pixels import convert_channels, most_pixels, natural_pixels, open_picture, refuse_huge_sides
from gannet.provenance.boxes import Box, inside, read_packet, within
from gannet.provenance.metadata import Facts, facts_of

NEEDS = "films need PyAV; run: pip install 'gannet[video]'"
NO_FILM = "it is no film in a format that Gannet reads (MP4, MOV, WebM, MKV, AVI or GIF)"
MOV, USUAL_RATE, LONGEST = "mov", 25.0, 24 * 3600
"""FFmpeg's name of MP4 and MOV; frames a second where a file does not say; seconds that a film may last."""
ROUNDING = 1e-6
"""Seconds by which sums of times are off at most: at half a film's rate every middle lies between two frames."""
BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
"""What MP4 and MOV begin with."""
PICTURES = int.from_bytes(b"vide", "big")
"""The kind of what an MP4 keeps for the eyes."""
Frame: TypeAlias = tuple[Pixels, float]
"""Pixels (h, w, 3), and the seconds for which they are shown."""
Decoded: TypeAlias = tuple[Callable[[], Pixels], float, float]
"""What converts a frame to pixels, when it is shown, and for how many seconds by its own words."""
Opens: TypeAlias = Callable[[], IO[bytes]]


class Video(Protocol):
    """Anything whose frames come one after the other."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the first frame, as it is shown."""

    @property
    def rate(self) -> float | None:
        """Frames a second; None where nobody knows, and each frame counts as one."""

    def frames(self) -> Iterator[Frame]:
        """Decode the frames, in order."""


def at_rate(video: Video, rate: float) -> Iterator[Pixels]:
    """Give what is shown in the middle of each of `rate` parts of a second, so many times as it is shown.

    Whatever the frames' own times are: rates that vary come out even. Frames without times are given as they are. What
    is over before the first middle is its last frame.
    """
    if video.rate is None:
        yield from (pixels for pixels, _ in video.frames())
        return
    given, until, last = 0, 0.0, None
    for pixels, seconds in video.frames():
        until, last = until + seconds, pixels
        while (given + 0.5) / rate < until - ROUNDING:
            yield pixels
            given += 1
    if not given and last is not None:
        yield last


@dataclass(frozen=True)
class VideoArray:
    """A clip in memory, uint8 (t, h, w, c)."""

    pixels: Pixels
    rate: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[2], self.pixels.shape[1]

    def frames(self) -> Iterator[Frame]:
        """Give them one by one."""
        return ((one, 0.0) for one in self.pixels)


@dataclass(frozen=True)
class Series:
    """Pictures that follow one another, a file each.

    Attributes:
        readers: give the content of each.
        names: what they are called.
    """

    readers: tuple[Callable[[], bytes], ...]
    names: tuple[str, ...]
    rate: None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the first one."""
        pixels, _ = next(self.frames())
        return pixels.shape[1], pixels.shape[0]

    def frames(self) -> Iterator[Frame]:
        """Decode them one by one; ValueError names the first that cannot be read."""
        for name, read in zip(self.names, self.readers, strict=True):
            try:
                yield convert_channels(natural_pixels(open_picture(read())), 3), 0.0
            except (OSError, ValueError, SyntaxError, EOFError) as error:
                raise ValueError(f"its frame {name} cannot be read ({error})") from None


@dataclass(frozen=True)
class Film:
    """A film in a file, or a part of one.

    Attributes:
        opens: opens the file anew, to be read from its beginning.
        form: FFmpeg's name of its format.
        size: width and height as it is shown: upright, of square pixels.
        rate: frames a second, on average.
        seconds: how long it is by its own words; None where it does not say.
        sounds: whether it has sound.
        facts: what it says of a model that had a hand in it.
        part: the seconds from which on and up to which it is shown.
    """

    opens: Opens
    form: str
    size: tuple[int, int]
    rate: float
    seconds: float | None
    sounds: bool
    facts: Facts
    part: tuple[float, float] = (0.0, math.inf)

    @property
    def lasts(self) -> float | None:
        """Seconds for which the part is shown, by the film's own words; None where it does not say."""
        end = self.part[1] if self.seconds is None else min(self.part[1], self.seconds)
        return max(0.0, end - self.part[0]) if math.isfinite(end) else None

    def between(self, start: float, end: float) -> Film:
        """Give a part of it, in seconds."""
        return replace(self, part=(start, end))

    def frames(self) -> Iterator[Frame]:
        """Decode what is shown within the part; ValueError where the file is damaged."""
        before: Decoded | None = None
        with _opened(self.opens, self.form) as (container, stream):  # Until the last frame is converted.
            for shown in _decoded(container, stream, self):
                if before is not None:
                    yield from _within(before, shown[1], self.part)
                if shown[1] >= self.part[1]:
                    return
                before = shown
            if before is not None:
                yield from _within(before, before[1] + before[2], self.part)

    def measured(self) -> float:
        """Tell by its packets how many seconds it lasts, without decoding; ValueError where that is too long."""
        times = array("d")
        with _opened(self.opens, self.form) as (container, stream):
            zero = _zero(stream)
            for packet in container.demux(stream):
                if packet.pts is not None:
                    times.append(float((packet.pts + (packet.duration or 0)) * packet.time_base) - zero)
        return _bounded(max(times, default=0.0))


def _within(shown: Decoded, until: float, part: tuple[float, float]) -> Iterator[Frame]:
    """Give a frame for as long as it is shown within a part; nothing, and nothing converted, where it is not."""
    convert, since, _ = shown
    seconds = min(until, part[1]) - max(since, part[0])
    if seconds > 0:
        yield convert(), seconds


def _bounded(seconds: float) -> float:
    if seconds > LONGEST:
        raise ValueError(f"it is to last {seconds / 3600:,.0f} hours; films of up to {LONGEST // 3600} hours are read")
    return seconds


def film_format(head: bytes) -> str:
    """Tell by its first bytes how FFmpeg calls a film's format; ValueError where it is none that is read."""
    if not head:
        raise ValueError("its file is empty")
    if head[4:8] in BOXES:
        return MOV
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    raise ValueError(NO_FILM)


def open_film(opens: Opens) -> Film:
    """Look at a film's header and its first frame.

    Raises:
        ValueError: it is none, holds no pictures, is damaged, or has more pixels than a picture may have.
    """
    with opens() as file:
        form = film_format(file.read(32))
        packet = _checked(file) if form == MOV else ""
    with _opened(opens, form) as (container, stream):
        frame = next(container.decode(stream), None)
        if frame is None:
            raise ValueError("it holds no frame that can be decoded")
        height, width = _pixels(frame, stream).shape[:2]
        known = {name.lower(): words for name, words in container.metadata.items()}
        said = facts_of(packet, str(known.get("comment", "")))
        length = float(container.duration) / 1_000_000 if container.duration else None
        sounds = bool(container.streams.audio)
        return Film(opens, form, (width, height), _rate(stream), length, sounds, said)


def _checked(file: IO[bytes]) -> str:
    """Give an MP4's XMP; ValueError where its index claims more samples, or larger ones, than the file could hold."""
    whole = file.seek(0, io.SEEK_END)
    claims = [_numbers(file, box, 2)[1] for box in within(file, b"moof", b"traf", b"trun")]
    for media in within(file, b"moov", b"trak", b"mdia"):
        sizes = [_numbers(file, box, 3) for box in inside(file, media, b"minf", b"stbl", b"stsz")]
        if any(_numbers(file, box, 3)[2] == PICTURES for box in inside(file, media, b"hdlr")):
            claims += [max(size, 1) * count for _, size, count in sizes]
    if sum(claims) > whole:
        raise ValueError(f"its index claims more frames than a file of {whole:,} bytes can hold")
    return read_packet(file)


def _numbers(file: IO[bytes], box: Box, count: int) -> list[int]:
    """Read the first numbers of four bytes in a box."""
    file.seek(box.start)
    return [int.from_bytes(file.read(4), "big") for _ in range(count)]


def _rate(stream: Any) -> float:
    """Give frames a second, where the file says something sensible."""
    told = float(stream.average_rate or stream.guessed_rate or 0)
    return told if 0 < told <= 1000 else USUAL_RATE


def _zero(stream: Any) -> float:
    """Give the time of the first frame."""
    return float(stream.start_time * stream.time_base) if stream.start_time else 0.0


def require() -> Any:
    """Give PyAV; ValueError where it is not installed."""
    try:
        import av
    except ImportError:
        raise ValueError(NEEDS) from None
    return av


@contextmanager
def _opened(opens: Opens, form: str) -> Iterator[tuple[Any, Any]]:
    """Open a film: its container and its stream of pictures."""
    av = require()
    with opens() as file, _said_plainly():
        limit = {"max_pixels": str(most_pixels())} if most_pixels() else {}
        with av.open(file, format=form, options=limit, metadata_errors="replace") as container:
            stream = container.streams.best("video")  # And not the picture of its cover.
            if stream is None or stream.codec_context is None:
                raise ValueError("it holds no moving pictures that FFmpeg decodes")
            refuse_huge_sides(stream.width, stream.height)
            yield container, stream


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn what FFmpeg says of a broken file into a reason."""
    av = require()
    try:
        yield
    except av.error.FFmpegError as error:
        raise ValueError(f"its film is damaged or cut short ({error.strerror or error})") from None


def _decoded(container: Any, stream: Any, film: Film) -> Iterator[Decoded]:
    """Decode frames from the last key frame before the part on."""
    zero, at = _zero(stream), 0.0
    if film.part[0] > 0:
        with suppress(require().error.FFmpegError):  # Where a format has no places, all before is decoded.
            container.seek(int((film.part[0] + zero) / stream.time_base), stream=stream)
    for frame in container.decode(stream):
        told = at if frame.time is None else frame.time - zero
        at = max(at, told)  # Times that run backwards stand still.
        seconds = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 1 / film.rate
        yield partial(_pixels, frame, stream), at, seconds
        at += seconds if frame.time is None else 0.0


def _pixels(frame: Any, stream: Any) -> Pixels:
    """Give a frame as it is shown: in colour, on white where it is transparent, upright, of square pixels."""
    refuse_huge_sides(frame.width, frame.height)
    clear = any(component.is_alpha for component in frame.format.components) or frame.format.name == "pal8"
    pixels = frame.to_ndarray(format="rgba" if clear else "rgb24")
    if clear:
        pixels = convert_channels(pixels, 3)
    stretch = float(stream.sample_aspect_ratio or 1) or 1.0
    if stretch != 1 and 1 / 4 < stretch < 4:
        size = max(1, round(frame.width * stretch)), frame.height
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    return np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90 % 4))


def read_film(content: bytes) -> Film:
    """Look at a film's content; see `open_film`."""
    return open_film(lambda: io.BytesIO(content))
