"""The doctor: what is in a data set, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np

from gannet.data.cache import Dataset
from gannet.data.columns import Column
from gannet.data.decoding import Fields
from gannet.data.duplicates import Copies, find_exact, find_near
from gannet.data.records import Source, Unclassed, listed, notes_of
from gannet.media.medium import Findings
from gannet.runtime.wording import short

MOST_GROUPS = 10
MOST_NAMES = 6  # of one group, or of classes
MOST_REASONS = 8  # for which samples are left out


@dataclass(frozen=True)
class Advice:
    """How to train on the data, and why."""

    recipe: str
    settings: dict[str, int | str]
    """What to `--set` beyond the recipe."""
    augmentation: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Duplicates:
    """Copies of pictures."""

    count: int
    """Pictures that could go while one of each group stays."""
    groups: tuple[tuple[str, ...], ...]
    """Names in the largest groups: at most ten groups of six names."""


@dataclass(frozen=True)
class Report:
    """What the doctor found."""

    name: str
    kind: str
    """What it holds, in the plural."""
    count: int
    held_out: int
    classes: dict[str, int]
    """Samples by class."""
    unclassed: str
    """Why there are none though it looks as if there were; mostly empty."""
    unlabelled: int
    """Samples without a class, where others have one."""
    splits: dict[str, int]
    """Samples by the split that the source puts them into, with those that cannot be read; empty without any."""
    imbalance: float | None
    """Largest class over smallest; None without classes or with an empty one."""
    sizes: dict[str, int]
    modes: dict[str, int]
    unreadable: tuple[tuple[str, str], ...]
    """(name, reason), the first of `unreadable_count`."""
    unreadable_count: int
    exact_duplicates: Duplicates
    near_duplicates: Duplicates
    leaked: int
    """Held-out samples of which an exact copy is trained on."""
    findings: tuple[str, ...]
    """What else there is to say of its media."""
    advice: Advice

    def to_json(self) -> dict[str, Any]:
        """Give plain data for `json.dumps`."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Give the report in words, a sentence a line."""
        return [
            f"{self.name}: {self.count:,} {self.kind}, {self.held_out:,} of them held out.",
            *_class_lines(self),
            *_split_lines(self),
            f"Sizes: {_most_common(self.sizes)}. Modes: {_most_common(self.modes)}.",
            *self.findings,
            *_defect_lines(self),
            f"Recipe: {self.advice.recipe}{_settings(self.advice.settings)}.",
            f"Augmentation: {self.advice.augmentation}",
            *self.advice.reasons,
        ]


def examine(source: Source, dataset: Dataset, fields: Fields, advice: Advice) -> Report:
    """Examine a cached data set, all of which is held to what was once decoded; near copies are found where a medium
    shows its values as pictures."""
    for column in dataset.columns.values():
        column.verify(np.arange(len(column)))
    found = [fields[name].medium.examine(rows_of(column)) for name, column in dataset.columns.items()]
    exact = find_exact(dataset.digests)
    near = Copies(()) if found[0].pictures is None else find_near(found[0].pictures, dataset.digests)
    names = _name_members(source, dataset, [exact, near])
    classes = count_classes(dataset)
    smallest = min(classes.values(), default=0)
    trained = dataset.digests[~dataset.held_out]
    return Report(
        name=dataset.name,
        kind=" with ".join(field.medium.plural for field in fields.values()),
        count=len(dataset),
        held_out=int(dataset.held_out.sum()),
        classes=classes,
        unclassed=source.unclassed() if isinstance(source, Unclassed) else "",
        unlabelled=int((dataset.labels < 0).sum()) if classes else 0,
        splits=count_splits(source),
        imbalance=max(classes.values()) / smallest if smallest else None,
        sizes=dataset.sizes,
        modes=dataset.modes,
        unreadable=dataset.skipped,
        unreadable_count=dataset.skipped_count,
        exact_duplicates=_named(exact, names),
        near_duplicates=_named(near, names),
        leaked=int(np.isin(dataset.digests[dataset.held_out], trained).sum()),
        findings=(
            *notes_of(source),
            *dataset.notes(),
            *(line for one in found for line in _told(one, dataset)),
            *_across_groups([exact, near], dataset),
            *parted_by(source, dataset),
        ),
        advice=advice,
    )


def rows_of(column: Column) -> Any:
    """Give the rows of a column one by one: an array where they are equally long."""
    if column.offsets is None:
        return column.values
    return [column.values[start:end] for start, end in pairwise(column.offsets.tolist())]


def _told(found: Findings, dataset: Dataset) -> Iterator[str]:
    """Give the sentences of a medium, and the shares of its classes, by names where the source's are theirs."""
    yield from found.lines
    names = dict(enumerate(dataset.classes)) if (dataset.labels < 0).all() else {}
    shares = ", ".join(f"{names.get(number, number)}: {share:.1%}" for number, share in found.shares.items())
    if shares:
        yield f"Classes by their share of the pixels: {shares}."


def _across_groups(found: list[Copies], dataset: Dataset) -> Iterator[str]:
    """Tell of copies that do not belong together by what the source says of them."""
    across = sum(len(set(dataset.groups[list(one)].tolist())) > 1 for copies in found for one in copies.groups)
    if across and dataset.groups.any():
        yield f"{across:,} sets of copies are of several groups (patients, films); one may be under a wrong name."


def parted_by(source: Source, dataset: Dataset) -> Iterator[str]:
    """Tell of samples that a source's own splits part from others of their group; Gannet itself parts long films."""
    known = dataset.groups[~dataset.held_out]
    count = int(np.isin(dataset.groups[dataset.held_out], known[known > 0]).sum())
    if count and count_splits(source):
        yield (
            f"{dataset.name}: {count:,} held-out samples are of groups (patients, films) that are trained on, for its "
            "own splits part them; scores will flatter."
        )


def count_classes(dataset: Dataset) -> dict[str, int]:
    """Count the samples of each class."""
    labels = dataset.labels[dataset.labels >= 0]
    if not len(labels):  # What has names then are the classes of pixels.
        return {}
    counts = np.bincount(labels, minlength=len(dataset.classes)).tolist()
    return dict(zip(dataset.classes, counts, strict=False))


def count_splits(source: Source) -> dict[str, int]:
    """Count the samples of each split that the source has of its own."""
    return dict(Counter(record.split for record in listed(source) if record.split))


def _shown(copies: Copies) -> Iterator[tuple[int, ...]]:
    return (group[:MOST_NAMES] for group in copies.groups[:MOST_GROUPS])


def _named(copies: Copies, names: dict[int, str]) -> Duplicates:
    groups = tuple(tuple(names[index] for index in group) for group in _shown(copies))
    return Duplicates(copies.surplus, groups)


def _name_members(source: Source, dataset: Dataset, found: list[Copies]) -> dict[int, str]:
    """Name the pictures of the groups shown, by going through the source once more, without reading pictures.

    With more unreadable pictures than are remembered, positions no longer tell names, and numbers must do.
    """
    wanted = {index for copies in found for group in _shown(copies) for index in group}
    names = {index: f"number {index}" for index in wanted}
    if not wanted or dataset.skipped_count > len(dataset.skipped):
        return names
    unreadable = {name for name, _ in dataset.skipped}
    readable = (record.name for record in listed(source) if record.name not in unreadable)
    for index, name in zip(range(max(wanted) + 1), readable, strict=False):
        if index in wanted:
            names[index] = name
    return names


def _class_lines(report: Report) -> list[str]:
    if not report.classes:
        return [f"No classes: {report.unclassed}." if report.unclassed else "No classes."]
    counts = report.classes.values()
    spread = f"{_from_to(min(counts), max(counts))} {report.kind} each"
    unequal = min(counts) < max(counts) and report.imbalance
    ratio = f", the largest {report.imbalance:.1f} times the smallest" if unequal else ""
    names = _enumerated(report.classes)
    none = [f"{report.unlabelled:,} {report.kind} have no class."] if report.unlabelled else []
    return [f"{len(report.classes):,} classes ({names}) of {spread}{ratio}.", *none]


def _from_to(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _split_lines(report: Report) -> list[str]:
    counts = ", ".join(f"{name} ({count:,})" for name, count in report.splits.items())
    return [f"Splits of its own: {counts}."] if report.splits else []


def _enumerated(names: Collection[str]) -> str:
    """Name the first of many."""
    first = ", ".join(map(short, islice(names, MOST_NAMES)))
    return first + (f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else "")


def _defect_lines(report: Report) -> list[str]:
    lines = []
    if report.unreadable_count:
        lines += _left_out_lines(report)
    for word, found in (("exact", report.exact_duplicates), ("near", report.near_duplicates)):
        example = f", such as {' = '.join(map(short, found.groups[0]))}" if found.groups else ""
        lines.append(f"{found.count:,} {word} duplicates{example}.")
    if report.leaked:
        lines.append(f"{report.leaked:,} held-out {report.kind} are trained on as exact copies; scores will flatter.")
    return lines


def _left_out_lines(report: Report) -> list[str]:
    """Tell what is left out by its reasons, the commonest first; of each how many of those that are remembered."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in report.unreadable:
        by_reason.setdefault(reason, []).append(name)
    common = sorted(by_reason.items(), key=lambda found: -len(found[1]))
    lines = [f"- {len(names):,}, such as {short(names[0])}: {reason}." for reason, names in common[:MOST_REASONS]]
    more = [f"- and for {len(common) - MOST_REASONS:,} more reasons."] if len(common) > MOST_REASONS else []
    return [f"{report.unreadable_count:,} left out:", *lines, *more]


def _most_common(counts: dict[str, int]) -> str:
    first = ", ".join(f"{word} ({count:,})" for word, count in list(counts.items())[:3])
    return first + (f" and {len(counts) - 3} more" if len(counts) > 3 else "")


def _settings(settings: dict[str, int | str]) -> str:
    return "".join(f" --set {key}={value}" for key, value in settings.items())
