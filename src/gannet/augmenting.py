"""Augmenting data that are kept: healthy samples and changed copies, each with a record of where it came from."""

import csv
import io
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from statistics import fmean

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gannet import __version__
from gannet.adversarial.energy import energy_distance, flat
from gannet.augmentation.kinds import KINDS, Chosen, Drawn, augment, choose_kinds, named_strengths, suited
from gannet.augmentation.mixing import HIGHEST_ALPHA, LOWEST_ALPHA, MIXES, Mix, mix
from gannet.data.pictures import fit_picture, natural_pixels, open_picture, read_picture
from gannet.data.records import Chunked, Record, Source
from gannet.data.sources import open_source
from gannet.data.survey import sample, survey
from gannet.delivery import RECORD, Entry, Order, deliver, folders, record_line
from gannet.randomness import generator
from gannet.synthesizing import forger, synthetic_parts
from gannet.texting import augment_texts, is_text
from gannet.wishes import Augmented, Wish

RECORDS_IN_PART, PARTNERS, QUALITY, MARK = 32, 256, 95, "~"
COMPARED, SIDE, HALVINGS = 512, 32, 8
MOVES: dict[str, Callable[[Tensor], Tensor]] = {
    "flip": lambda pictures: pictures.flip(3),
    "vertical-flip": lambda pictures: pictures.flip(2),
    "quarter-turn": lambda pictures: pictures.rot90(1, (2, 3)),
}
GROUP = r"^(.*?)(?:~\d+(?:\.[^./]+)?)?\.[^.]+$"
"""Tells by a picture's name what it was made from."""
KEEP_TOGETHER = f"Train with --set 'data.group={GROUP}', so that no copy of a held-out picture is learned from."
COLUMNS = ("file", "source", "augmentation", "strength", "other", "share", "seed")
KEPT_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


@dataclass(frozen=True)
class Change:
    """What is done to one copy: kinds one after the other, or a mixture with another picture.

    Attributes:
        name, strength: as they are recorded.
    """

    name: str
    strength: str
    chosen: Chosen = ()
    mix: tuple[Mix, float] | None = None


@dataclass
class Augmentation:
    """How a data set is augmented, and what came of it."""

    source: Source
    changes: list[Change]
    wish: Wish
    partners: list[Record]
    left_out: list[str] = field(default_factory=list)

    def parts(self) -> Iterator[Callable[[], list[Entry]]]:
        """The parts of an order."""
        records, first = self.source.records(), 0
        while some := list(islice(records, RECORDS_IN_PART)):
            yield partial(self._part, some, first)
            first += len(some)

    def _part(self, records: list[Record], first: int) -> list[Entry]:
        entries: list[Entry] = []
        for index, record in enumerate(records, first):
            try:
                entries += self._family(record, index)
            except (OSError, ValueError, SyntaxError) as error:
                self.left_out.append(f"{record.name} ({error})")
        return entries

    def _family(self, record: Record, index: int) -> list[Entry]:
        """A picture as it is, and its copies; what the data keep for tests has none."""
        pixels, content = _read(record)
        path = _path(record, self.source.classes)
        entries = [Entry(str(path), content, record.label, record_line(path, record.name, *[""] * 5))]
        for copy in range(1, self.wish.times if self.changes and record.split != "test" else 1):
            change = self.changes[(index * (self.wish.times - 1) + copy - 1) % len(self.changes)]
            draws = Drawn(1, generator(self.wish.seed, "augment", record.name, copy))
            pictures = _as_tensor(pixels.transpose(2, 0, 1))
            other, share = "", 1.0
            if change.mix:
                other, pictures, share = self._mixed(pictures, change.mix, draws)
            pictures = augment(pictures, change.chosen, 1.0, draws)
            ending = path.suffix if path.suffix.lower() in KEPT_FORMATS else f"{path.suffix}.png"
            named = path.with_name(f"{path.stem}{MARK}{copy}{ending}")
            facts = (change.name, change.strength, other, f"{share:.3f}" if other else "", str(self.wish.seed))
            entries.append(
                Entry(str(named), _encode(pictures, named), record.label, record_line(named, record.name, *facts))
            )
        return entries

    def _mixed(self, pictures: Tensor, how: tuple[Mix, float], draws: Drawn) -> tuple[str, Tensor, float]:
        """Mixed with another picture, brought to the same size: its name, the mixture, and the picture's own share."""
        kind, alpha = how
        partner = self.partners[int(draws.uniform() * len(self.partners))]
        channels, height, width = pictures.shape[1:]
        others = _as_tensor(fit_picture(read_picture(partner.read(), channels), height, width, "crop"))
        mixed, own = mix(pictures, others, kind, alpha, draws)
        return partner.name, mixed, float(own)


def augment_data(data: str, out: Path, wish: Wish) -> Augmented:
    """Write a data set with its augmented copies; see `gannet.api.augment`."""
    wish.check()
    if is_text(Path(data)):
        return augment_texts(Path(data), out, wish)
    if out.suffix.lower() not in ("", ".zip"):
        raise ValueError(f"{out} is neither a folder's name nor a .zip; files keep their own formats in one of these.")
    source = open_source(data)
    _refuse_copies(source)
    looked = survey(source)
    changes = [] if wish.model else choose_changes(wish.kinds, source, looked.channels)
    fakes = synthetic_parts(forger(wish.model, wish.keep, wish.seed), source, wish.times - 1) if wish.model else ()
    partners = list(islice(sample(source, PARTNERS), PARTNERS)) if any(change.mix for change in changes) else []
    work = Augmentation(source, changes, wish, partners)
    asked = {**asdict(wish), "data": source.fingerprint(), "gannet": __version__}
    # One thread a picture: more of them share out the pictures, not the pixels.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        first_line = ",".join(COLUMNS) + "\n"
        deliver(out, Order(asked, chain(work.parts(), fakes), source.classes, first_line, workers=os.cpu_count() or 1))
    finally:
        torch.set_num_threads(threads)
    healthy, copies = _count(out)
    names = tuple(change.name for change in changes) or (f"the fakes of {wish.model}",)
    advice = f"{RECORD} says which through what. {KEEP_TOGETHER}"
    return Augmented(out, healthy, copies, names, "pictures", tuple(work.left_out), advice)


def _refuse_copies(source: Source) -> None:
    """Copies of copies would take the names of the first; arrays have none."""
    names = () if isinstance(source, Chunked) else (record.name for record in source.records())
    if copy := next((name for name in names if re.search(rf"{MARK}\d+\.", name)), ""):
        raise ValueError(f"{source.name} was augmented before ({copy}); give the healthy pictures.")


def _count(out: Path) -> tuple[int, int]:
    """How many healthy pictures and how many copies the record of a data set tells of."""
    if out.is_dir():
        lines = (out / RECORD).read_text(encoding="utf-8")
    else:
        with zipfile.ZipFile(out) as archive:
            lines = archive.read(RECORD).decode()
    rows = list(csv.DictReader(io.StringIO(lines)))
    copies = sum(bool(row["augmentation"]) for row in rows)
    return len(rows) - copies, copies


def choose_changes(words: str, source: Source, channels: int) -> list[Change]:
    """What copies go through in turn.

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
    chosen = choose_kinds(asked, channels)
    return Change("+".join(asked), "+".join(f"{strength:g}" for _, strength in chosen), chosen)


def symmetries(source: Source) -> set[str]:
    """Which mirrorings and turns the data do not mind: one half moved is as near to the other half as it is unmoved.

    Looked at are up to 512 pictures at 32 pixels a side, by the energy distance of their pixels; halves are drawn anew
    several times, which tells how far apart halves lie by chance.
    """
    read = [_small(record) for record in islice(sample(source, COMPARED), COMPARED)]
    pictures = torch.cat([picture for picture in read if picture is not None])
    random = torch.Generator().manual_seed(0)
    apart: dict[str, list[float]] = {name: [] for name in ("", *MOVES)}
    for _ in range(HALVINGS):
        one, other = pictures[torch.randperm(len(pictures), generator=random)].chunk(2)
        for name, move in {"": lambda some: some, **MOVES}.items():
            apart[name].append(float(energy_distance(flat(one), flat(move(other)))))
    return {name for name in MOVES if fmean(apart[name]) <= max(apart[""])}


def _small(record: Record) -> Tensor | None:
    try:
        return _as_tensor(fit_picture(read_picture(record.read(), 3), SIDE, SIDE, "stretch"))
    except (OSError, ValueError, SyntaxError):
        return None  # The delivery names it.


def _read(record: Record) -> tuple[np.ndarray, bytes]:
    """The pixels (h, w, c) of a picture, and its file: as it is, or as a PNG where there is none."""
    if record.encoded:
        content = record.encoded()
        return natural_pixels(open_picture(content)), content
    pixels = natural_pixels(record.read())
    return pixels, _to_file(pixels, ".png")


def _path(record: Record, classes: tuple[str, ...]) -> PurePosixPath:
    """Where a picture goes: where it lay, or into a folder of its split and class."""
    if record.encoded:
        return PurePosixPath(record.name)
    plain = re.sub(r"[^\w.-]+", "-", record.name).strip("-")
    return PurePosixPath(record.split or "train", folders(classes)[record.label], f"{plain}.png")


def _as_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (c, h, w) as (1, c, h, w) in [-1, 1]."""
    return torch.from_numpy(np.array(pixels))[None] / 127.5 - 1  # Decoded pixels may be read-only.


def _encode(pictures: Tensor, path: PurePosixPath) -> bytes:
    """The one picture of a batch in the format of its name."""
    levels = ((pictures[0].clamp(-1, 1) + 1) * 127.5).round().byte().movedim(0, 2).contiguous().numpy()
    return _to_file(levels, path.suffix)


def _to_file(pixels: np.ndarray, ending: str) -> bytes:
    content = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    form = KEPT_FORMATS[ending.lower()]
    (picture.convert("RGB") if form == "JPEG" and picture.mode == "RGBA" else picture).save(
        content, form, quality=QUALITY
    )
    return content.getvalue()
