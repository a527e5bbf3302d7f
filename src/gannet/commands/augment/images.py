"""Augmenting data that are kept: healthy samples and changed copies, each with a record of where it came from."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, takewhile
from pathlib import Path, PurePosixPath
from statistics import fmean
from typing import TextIO, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from gannet import __version__
from gannet.augmentation.kinds import KINDS, choose_kinds, named_strengths, suited
from gannet.augmentation.mixing import HIGHEST_ALPHA, LOWEST_ALPHA, MIXES
from gannet.commands.augment.copies import MARK, Change, Copy, Family, Sample, as_tensor, make_families
from gannet.commands.augment.fakes import FAKE, drawn_classes, open_fake_source, synthetic_parts
from gannet.commands.augment.options import Augmented, AugmentOptions
from gannet.commands.augment.texts import augment_texts, is_text
from gannet.data.records import VALUE, Chunked, Counted, Record, Source, left_out_of, listed
from gannet.data.sources import open_source
from gannet.data.survey import sample, survey
from gannet.media.pixels import Picture, fit_picture, natural_pixels, read_picture
from gannet.monitoring.energy import flat
from gannet.pipelines.packing import RECORD, Entry, folders
from gannet.pipelines.writer import Order, deliver, tidy
from gannet.runtime.broken import unless_broken
from gannet.runtime.files import check_free
from gannet.runtime.names import format_ending, shortened
from gannet.runtime.progress import Watch
from gannet.runtime.randomness import generator
from gannet.runtime.wording import legible
from gannet.runtime.workers import cores

RECORDS_IN_PART, PARTNERS = 8, 256
COMPARED, FEWEST_COMPARED, MOST_COMPARED, SIDE, HALVINGS = 512, 100, 8192, 32, 8
MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "flip": lambda pictures: pictures.flip(3),
    "vertical-flip": lambda pictures: pictures.flip(2),
    "quarter-turn": lambda pictures: pictures.rot90(1, (2, 3)),
}
GROUP = r"^(.*?)(?:~\d+(?:\.[^./]+)?)?\.[^.]+$"
"""Tells by a picture's name what it was made from."""
KEEP_TOGETHER = f"Train with --set 'data.group={GROUP}', so that no copy of a held-out picture is learned from."
Part = TypeVar("Part")
COLUMNS = ("file", "source", "augmentation", "strength", "other", "share", "seed")


@dataclass(frozen=True)
class Augmentation:
    """How a data set is augmented."""

    source: Source
    changes: list[Change]
    wish: AugmentOptions
    partners: list[Record]

    def parts(self) -> Iterator[Callable[[], list[Family]]]:
        """Give the parts of an order: what is read of some pictures, to be made into files."""
        records, first = self.source.records(), 0
        while some := list(islice(records, RECORDS_IN_PART)):
            yield partial(self._families, some, first)
            first += len(some)

    def _families(self, records: list[Record], first: int) -> list[Family]:
        families = []
        for index, record in enumerate(records, first):
            with unless_broken():  # A broken file raises anything; the record has no line of it.
                path = _path(record, self.source.classes)
                families.append(Family(_read(record), path, record.label, self._copies(record, index)))
        return families

    def _copies(self, record: Record, index: int) -> tuple[Copy, ...]:
        """What a picture's copies go through; what the data keep for tests has none."""
        if record.split == "test" or not self.changes:
            return ()
        copies = []
        for number in range(1, self.wish.times):
            change = self.changes[(index * (self.wish.times - 1) + number - 1) % len(self.changes)]
            drawn = torch.rand(1, generator=generator(self.wish.seed, "partner", record.name, number))
            other = _read(self.partners[int(drawn * len(self.partners))]) if change.mix else None
            copies.append(Copy(number, change, other))
        return tuple(copies)


def augment_data(data: str, out: Path, wish: AugmentOptions, watch: Watch) -> Augmented:
    """Write a data set with its augmented copies; see `gannet.api.augment`."""
    if is_text(Path(data)):
        if wish.model or wish.sieve:
            raise ValueError("--with and --sieve add pictures that a run draws; leave them out for texts.")
        return augment_texts(Path(data), out, wish, watch)
    _refuse_early(Path(data), out, wish)
    fakes = open_fake_source(wish.model, wish.keep, wish.seed, wish.sieve) if wish.model else None
    source = open_source(data)
    if fakes:
        drawn_classes(fakes, source)
    _refuse_copies(source)
    looked = survey(source)
    changes = [] if fakes else choose_changes(wish.kinds, source, looked.channels)
    partners = _readable(source) if any(change.mix for change in changes) else []
    work, make = Augmentation(source, changes, wish, partners), partial(make_families, wish.seed)
    asked = {**wish.noted(), "data": source.fingerprint(), "gannet": __version__}
    order = Order(asked, work.parts(), source.classes, ",".join(COLUMNS) + "\n", make, cores())
    if fakes:
        drawn = synthetic_parts(fakes, source, wish.times - 1)
        kept: Iterator[Callable[[], list[Entry]]] = (partial(_made, make, part) for part in work.parts())
        # A generator uses all cores by itself. One that was trained on is another.
        order = replace(
            order, asked={**asked, "weights": fakes.weights}, parts=chain(kept, drawn), make=list, workers=1
        )
    total = source.count() // RECORDS_IN_PART if isinstance(source, Counted) and not fakes else 0
    deliver(out, replace(order, parts=_watched(order.parts, total, watch)))
    healthy, copies, left_out = _counted(out, source)
    names = tuple(change.name for change in changes) or (f"the fakes of {wish.model}",)
    advice = f"{RECORD} says which through what." + (f" {KEEP_TOGETHER}" if changes else "")
    return Augmented(out, healthy, copies, names, "pictures", left_out, advice)


def _refuse_early(data: Path, out: Path, wish: AugmentOptions) -> None:
    """Find what is wrong with a wish before anything of the data or of a run is read."""
    if format_ending(out) not in ("", ".zip"):
        raise ValueError(f"{out} is neither a folder's name nor a .zip; files keep their own formats in one of these.")
    if data.is_dir() and out.resolve().is_relative_to(data.resolve()):
        raise ValueError(f"{out} lies within {data}, and would become a part of it; give a place outside.")
    if wish.model and wish.kinds != "auto":
        raise ValueError("--with adds a run's fakes instead of copies; leave out --kinds.")
    tidy(out)
    check_free(out)


def _watched(parts: Iterable[Part], total: int, watch: Watch) -> Iterator[Part]:
    """Parts that are counted as they are begun; the next may be refused, and then goes on another time."""
    for number, part in enumerate(parts):
        watch.step(number, total, "Augmenting, part by part")
        yield part


def _made(make: Callable[[list[Family]], list[Entry]], part: Callable[[], list[Family]]) -> list[Entry]:
    return make(part())


def _refuse_copies(source: Source) -> None:
    """Copies of copies would take the names of the first, and fakes pass for healthy; arrays have no names."""
    names = () if isinstance(source, Chunked) else (record.name for record in listed(source))
    if copy := next((name for name in names if re.search(rf"{MARK}\d+\.|(^|/){FAKE}-\d+\.", name)), ""):
        raise ValueError(f"{source.name} was augmented before ({copy}); give the healthy pictures.")


def _counted(out: Path, source: Source) -> tuple[int, int, tuple[str, ...]]:
    """How many healthy pictures and copies the record tells of, and which it does not, since they could not be read.

    Healthy ones stand in it in the order of the source, so nothing need be remembered; pixels can always be read.
    """
    wanted = iter(()) if isinstance(source, Chunked) else (legible(record.name) for record in listed(source))
    healthy, copies = 0, 0
    left_out: list[str] = []
    with _opened_record(out) as lines:
        for row in csv.DictReader(lines):
            if row["augmentation"]:
                copies += 1
                continue
            healthy += 1
            left_out += takewhile(lambda name, found=row["source"]: name != found, wanted)  # type: ignore[misc]
    return healthy, copies, (*left_out, *wanted, *(legible(name) for name, _ in left_out_of(source)))


@contextmanager
def _opened_record(out: Path) -> Iterator[TextIO]:
    """The record of an augmented data set, to be read line by line."""
    if out.is_dir():
        with (out / RECORD).open(encoding="utf-8", newline="") as lines:
            yield lines
    else:
        with zipfile.ZipFile(out) as archive, archive.open(RECORD) as file:
            yield io.TextIOWrapper(file, encoding="utf-8", newline="")


def choose_changes(words: str, source: Source, channels: int) -> list[Change]:
    """Give what copies go through in turn.

    Raises:
        ValueError: an unknown name, a strength that is none or out of range, or a mixture of unlabelled pictures.
    """
    if words in ("auto", "all"):
        kinds = suited({name: kind.usual for name, kind in KINDS.items()}, channels)
        kept = symmetries(source) if words == "auto" else set(KINDS)
        words = ",".join(name for name in kinds if not KINDS[name].mirrors or name in kept)
    return [_change(group, source, channels) for group in words.split(",")]


def _change(group: str, source: Source, channels: int) -> Change:
    asked = named_strengths(group, "+")
    name, strength = next(iter(asked.items()))
    if name in MIXES and len(asked) == 1:
        if not source.classes:
            raise ValueError(f"{name} mixes classes, and {source.name} has none; leave it out.")
        alpha = MIXES[name].usual if strength is None else strength
        if not LOWEST_ALPHA <= alpha <= HIGHEST_ALPHA:
            raise ValueError(
                f"The strength of {name} is {alpha:g}; it goes from {LOWEST_ALPHA:g} to {HIGHEST_ALPHA:g}."
            )
        return Change(name, f"{alpha:g}", mix=(MIXES[name], alpha))
    if mixing := [word for word in asked if word in MIXES]:
        raise ValueError(f"{mixing[0]} is done to a copy alone; put a comma instead of the plus.")
    # Kept copies are all mirrored; in a game half of them are.
    asked = {
        name: KINDS[name].highest if strength is None and name in MOVES else strength
        for name, strength in asked.items()
    }
    chosen = choose_kinds(asked, channels)
    return Change("+".join(asked), "+".join(f"{strength:g}" for _, strength in chosen), chosen)


def symmetries(source: Source) -> set[str]:
    """Tell which mirrorings and turns the data do not mind: one half moved is as near to the other half as it is
    unmoved.

    Each class is asked by itself, as a side may be what tells it from another, by pictures at 32 pixels a side and the
    energy distance of their pixels; halves are drawn anew several times, which tells how far apart they lie by chance.
    Fewer than 100 pictures of a class cannot tell, and none passes.
    """
    most = min(MOST_COMPARED, COMPARED * max(1, len(source.classes)))
    by_class: dict[int, list[Tensor]] = {}
    for record in _spread(source, most):
        if record.split != "test" and (small := _small(record)) is not None:
            by_class.setdefault(record.label, []).append(small)
    found = [_undisturbed(torch.cat(some)) for some in by_class.values()]
    return set.intersection(*found) if found else set()


def _undisturbed(pictures: Tensor) -> set[str]:
    """The same for the pictures (n, c, h, w) of a class."""
    if len(pictures) < FEWEST_COMPARED:
        return set()
    if (pictures == pictures[:, :1]).all():
        pictures = pictures[:, :1]  # Grey, three times.
    random, still = torch.Generator().manual_seed(0), flat(pictures)
    halves = [torch.randperm(len(pictures), generator=random).chunk(2) for _ in range(HALVINGS)]
    distances = torch.cdist(still, still)  # Of thousands of pictures half a gigabyte: one move is looked at at a time.
    within = [_within(distances, one) + _within(distances, other) for one, other in halves]  # Also where all are moved.

    def apart(distances: Tensor) -> list[float]:
        """Give how far each first half lies from the other one, by the distances of pictures to those that move."""
        parted = zip(halves, within, strict=True)
        return [float(2 * distances[one][:, other].mean() - inner) for (one, other), inner in parted]

    by_chance = max(apart(distances))
    del distances
    return {name for name, move in MOVES.items() if fmean(apart(torch.cdist(still, flat(move(pictures))))) <= by_chance}


def _within(distances: Tensor, some: Tensor) -> Tensor:
    """Give the mean distance of two of some pictures, which all lie so far apart (n, n)."""
    return distances[some][:, some].sum() / (len(some) * (len(some) - 1))


def _readable(source: Source) -> list[Record]:
    """Pictures from all over what is learned from, to mix others with."""
    spread = _spread(source, PARTNERS)
    return [record for record in spread if record.split != "test" and _small(record) is not None]


def _spread(source: Source, most: int) -> Iterator[Record]:
    """About so many pictures from all over the data."""
    if not isinstance(source, Chunked) or not isinstance(source, Counted):
        yield from islice(sample(source, most), most)
        return
    for record in islice(source.records(), 0, None, max(1, source.count() // most)):
        yield replace(
            record, fields={VALUE: partial(np.copy, record.read())}
        )  # A view would hold a whole chunk of them.


def _small(record: Record) -> Tensor | None:
    with unless_broken():
        return as_tensor(fit_picture(read_picture(cast(Picture, record.read()), 3), SIDE, SIDE, "stretch"))
    return None


def _read(record: Record) -> Sample:
    return Sample(record.name, record.encoded() if record.encoded else natural_pixels(cast(Picture, record.read())))


def _path(record: Record, classes: tuple[str, ...]) -> PurePosixPath:
    """Where a picture goes: where it lay, or into a folder of its split and class."""
    if record.encoded:
        path = PurePosixPath(record.name)
        return PurePosixPath(*map(shortened, path.parent.parts), shortened(path.stem, path.suffix))
    plain = re.sub(r"[^\w.-]+", "-", record.name).strip("-")
    return PurePosixPath(record.split or "train", folders(classes)[record.label], f"{plain}.png")
