"""Clips in files: films, animations, and numbered pictures that follow one another in a folder.

A long film is cut into parts of some seconds, a record each: no more than a part is decoded at a time, and all parts of
a film are on one side of a split, unless there is but one film, or one that is much of what there is.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from gannet.data.records import LeftOut, Record, Source, digest
from gannet.data.sources.folder import BESIDE, Folder, Storage, Zip, fingerprint_of, has_ending, only_seeming
from gannet.data.sources.layout import in_utf8, read_layout
from gannet.media import image
from gannet.media.clip import Options, as_video
from gannet.media.films import Film, Series, open_film, require
from gannet.media.medium import Medium
from gannet.media.series import numbered_series
from gannet.runtime.broken import is_defect
from gannet.schema import Section

FEWEST_FRAMES, WINDOWS, USUAL_SIDE = 256, 8, 64
"""Frames of a part at least, windows that it holds at least, and pixels a side where nobody has chosen them yet."""


@dataclass(frozen=True)
class Cut:
    """How films are cut into parts.

    Attributes:
        frames: of a part.
        rate: frames a second; None: as the film has them.
        bytes: that a part takes once it is decoded, about.
    """

    frames: int = FEWEST_FRAMES
    rate: float | None = None
    bytes: int = FEWEST_FRAMES * 3 * USUAL_SIDE**2

    def parts(self, film: Film) -> list[tuple[float, float]]:
        """Give the seconds from which on and up to which each part of a film is shown: equally many whole frames."""
        rate = self.rate or film.rate
        span = self.frames / rate
        if film.seconds is not None and film.seconds <= 1.5 * span:
            return [(0.0, 2 * span)]  # Should it be longer than it says, this much of it is used.
        seconds = film.measured()
        count = max(1, round(seconds / span))
        ends = [round(seconds * rate * number / count) / rate for number in range(1, count)]
        return list(zip([0.0, *ends], [*ends, seconds + span], strict=True))

    def slices(self, count: int) -> list[slice]:
        """Give which of so many pictures each part holds."""
        parts = max(1, round(count / self.frames))
        return [slice(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


class ClipSource:
    """Films and series of pictures in a folder or a zip; `read_layout` tells what the folders around them mean."""

    continuous = True

    def __init__(self, storage: Storage, name: str, medium: Medium, cut: Cut | None = None) -> None:
        self.name = storage.name
        self._storage, self._field, self._medium, self._cut = storage, name, medium, cut or Cut()
        names = storage.names()
        films = {path: [path] for path in names if has_ending(path, medium)}
        self._files = dict(sorted({**_frames(names), **films}.items()))
        self._layout = read_layout(list(self._files))
        beside = [path for path in self._files if not self._layout.covers(path)]
        self._left_out = sorted([*only_seeming(storage, [medium]), *((path, BESIDE) for path in beside)])
        self._files = {path: files for path, files in self._files.items() if self._layout.covers(path)}
        self.ignored = len(names) - sum(map(len, self._files.values()))
        if films:
            require()

    @property
    def classes(self) -> tuple[str, ...]:
        return self._layout.classes

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes, or how it is cut."""
        files = [path for files in self._files.values() for path in files]
        return digest(["clips", fingerprint_of(self._storage, files, self._left_out), str(self._cut)])

    def with_cut(self, cut: Cut) -> "ClipSource":
        """Give the same, cut otherwise."""
        return ClipSource(self._storage, self._field, self._medium, cut)

    def records(self) -> Iterator[Record]:
        """Give every part of every clip, in order; of a film the header is read to tell how many it has."""
        for path, files in self._files.items():
            yield from self._films(path) if files == [path] else self._pictures(path, files)

    def left_out(self) -> Iterator[LeftOut]:
        """Name what only seems to be a clip."""
        return ((in_utf8(path), reason) for path, reason in self._left_out)

    def _films(self, path: str) -> Iterator[Record]:
        try:
            parts = self._cut.parts(self._film(path, (0.0, math.inf)))
        except Exception as error:  # A broken file makes decoders raise anything.
            if is_defect(error):
                raise
            yield self._record(path, path, False, partial(_fail, error))
            return
        for part in parts:
            named = f"{path} {part[0]:.0f} s" if len(parts) > 1 else path
            yield self._record(path, named, len(parts) > 1, partial(self._film, path, part))

    def _pictures(self, path: str, files: Sequence[str]) -> Iterator[Record]:
        slices = self._cut.slices(len(files))
        for part in slices:
            named = f"{path} {part.start + 1}" if len(slices) > 1 else path
            readers = tuple(partial(self._storage.read, file, image.medium.check_beginning) for file in files[part])
            series = Series(readers, tuple(in_utf8(PurePosixPath(file).name) for file in files[part]))
            yield self._record(path, named, len(slices) > 1, partial(as_video, series))

    def _record(self, path: str, named: str, grouped: bool, read: Callable[[], object]) -> Record:
        label, split = self._layout.place(path)
        group = in_utf8(path) if grouped else ""
        return Record(in_utf8(named), {self._field: read}, label, split, group=group, size=lambda: self._cut.bytes)

    def _film(self, path: str, part: tuple[float, float]) -> Film:
        return open_film(partial(self._storage.open, path)).between(*part)


def _fail(error: Exception) -> None:
    """Tell why a film cannot be read, when it is."""
    raise error


def _frames(names: Sequence[str]) -> dict[str, list[str]]:
    """Find the clips among pictures; those that lie in no folder are called by what they are."""
    return {own or "frames": files for own, files in numbered_series(names).items()}


MEDIA = (("clip",),)
EMBEDDED = ()
ALLOWED = (
    "a folder or zip of films (.mp4, .mov, .webm, .mkv, .avi, .gif) or of folders of numbered pictures, or "
    "moving-digits"
)


def open_name(target: str) -> Source | None:  # noqa: ARG001
    """Open nothing: these lie in folders."""
    return None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open a folder or a zip."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    ((name, medium),) = media.items()
    return ClipSource(Folder(path) if path.is_dir() else Zip(path), name, medium)


def finished(source: Source, options: Section | None) -> Source:
    """Cut films as the length of a clip and the frames a second ask for."""
    if not isinstance(source, ClipSource) or not isinstance(options, Options):
        return source
    side = USUAL_SIDE if options.size == "auto" else options.size
    frames = max(FEWEST_FRAMES, WINDOWS * options.length)
    return source.with_cut(Cut(frames, None if options.rate == "auto" else options.rate, frames * 3 * side**2))
