"""The doctor: what is in a data set, what is wrong with it, and how to train on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gannet.augmentation.amount import FEW_PICTURES, fitting_augmentation
from gannet.data.cache import Dataset
from gannet.data.duplicates import Copies, find_exact, find_near
from gannet.data.records import Source
from gannet.data.survey import Survey, count_learned, fitting_size

FEW_OF_CLASS = 50
MOST_GROUPS = 10
MOST_NAMES = 6  # of one group
LARGEST_SIDE, SIDE_ON_CPU = 256, 64


_AUGMENTED = {
    "ada": "So few pictures are augmented in the game, as much as the critic's learning by heart calls for "
    "(augment.name=auto becomes ada).",
    "diffaugment": "So few pictures are augmented in the game, strongly and always (augment.name=auto becomes "
    "diffaugment).",
}


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
    count: int
    held_out: int
    classes: dict[str, int]
    """Pictures by class."""
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
    """Held-out pictures of which an exact copy is trained on."""
    advice: Advice

    def to_json(self) -> dict[str, Any]:
        """Give plain data for `json.dumps`."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Give the report in words, a sentence a line."""
        return [
            f"{self.name}: {self.count:,} pictures, {self.held_out:,} of them held out.",
            *_class_lines(self),
            f"Sizes: {_most_common(self.sizes)}. Modes: {_most_common(self.modes)}.",
            *_defect_lines(self),
            f"Recipe: {self.advice.recipe}{_settings(self.advice.settings)}.",
            f"Augmentation: {self.advice.augmentation}",
            *self.advice.reasons,
        ]


def examine(source: Source, dataset: Dataset, survey: Survey) -> Report:
    """Examine a cached data set; `survey` tells the sizes before the cache made them equal."""
    exact = find_exact(dataset.digests)
    near = find_near(dataset.images, dataset.digests)
    names = _name_members(source, dataset, [exact, near])
    classes = _count_classes(dataset)
    smallest = min(classes.values(), default=0)
    trained = dataset.digests[~dataset.held_out]
    return Report(
        name=dataset.name,
        count=len(dataset.images),
        held_out=int(dataset.held_out.sum()),
        classes=classes,
        imbalance=max(classes.values()) / smallest if smallest else None,
        sizes=dataset.sizes,
        modes=dataset.modes,
        unreadable=dataset.skipped,
        unreadable_count=dataset.skipped_count,
        exact_duplicates=_named(exact, names),
        near_duplicates=_named(near, names),
        leaked=int(np.isin(dataset.digests[dataset.held_out], trained).sum()),
        advice=advise(source, dataset, survey, classes),
    )


def _count_classes(dataset: Dataset) -> dict[str, int]:
    labels = dataset.labels[dataset.labels >= 0]
    counts = np.bincount(labels, minlength=len(dataset.classes)).tolist()
    return dict(zip(dataset.classes, counts, strict=False))


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
    names = {index: f"picture {index}" for index in wanted}
    if not wanted or dataset.skipped_count > len(dataset.skipped):
        return names
    unreadable = {name for name, _ in dataset.skipped}
    readable = (record.name for record in source.records() if record.name not in unreadable)
    for index, name in zip(range(max(wanted) + 1), readable, strict=False):
        if index in wanted:
            names[index] = name
    return names


def advise(source: Source, dataset: Dataset, survey: Survey, classes: dict[str, int]) -> Advice:
    """Recommend a recipe, its size and augmentation, with reasons."""
    recipe = _known_recipe(survey, dataset)
    settings: dict[str, int | str] = {}
    reasons = []
    if recipe:
        reasons.append(f"These pictures have the size, colours and classes that the recipe {recipe} is made for.")
    else:
        recipe = "images"
        settings["data.size"], reason = _choose_size(survey.median_side)
        reasons.append(reason)
        if classes:
            settings["task.conditional"] = "true"
            reasons.append(f"With {len(classes):,} classes it can learn to draw the one that is asked for.")
        if few := _AUGMENTED.get(fitting_augmentation(count_learned(source, FEW_PICTURES))):
            reasons.append(few)
    small = [name for name, count in classes.items() if count < FEW_OF_CLASS]
    if small:
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        reasons.append(f"Fewer than {FEW_OF_CLASS} pictures: {', '.join(small[:5])}{more}; they will be learned badly.")
    return Advice(recipe, settings, _advise_augmentation(dataset, survey), tuple(reasons))


def _known_recipe(survey: Survey, dataset: Dataset) -> str:
    """Give the recipe made for data of just this kind, or nothing."""
    sizes, classes = set(dataset.sizes), len(dataset.classes)
    if survey.channels == 1 and sizes == {"28x28"} and classes == 10:
        return "fashion-mnist" if "fashion" in dataset.name.lower() else "mnist"
    if survey.channels == 1 and sizes == {"8x8"} and classes == 10:
        return "digits"
    if survey.channels == 3 and sizes == {"32x32"} and classes:
        return "cifar10"
    return ""


def _choose_size(median_side: int) -> tuple[int, str]:
    full = fitting_size(median_side, LARGEST_SIDE)
    if full <= SIDE_ON_CPU:
        return (
            full,
            f"Half of the pictures have a shorter side of at least {median_side}, so data.size={full} fits.",
        )
    return SIDE_ON_CPU, (
        f"The pictures would allow data.size={full}, but time grows with the number of pixels: without a GPU "
        f"{SIDE_ON_CPU} is the most that trains in hours; with one, set data.size={full}."
    )


def _advise_augmentation(dataset: Dataset, survey: Survey) -> str:
    count = int((~dataset.held_out).sum())
    if count < FEW_PICTURES:
        need = f"strongly advised: {count:,} pictures to train on are few, which the critic learns by heart"
    else:
        need = f"not urgent with {count:,} pictures to train on"
    if survey.channels == 1:
        return f"{need}; no mirroring while the pictures may be digits or text, which it would change."
    return f"{need}; mirroring is right where left and right mean the same, as in faces and scenery."


def _class_lines(report: Report) -> list[str]:
    if not report.classes:
        return ["No classes."]
    counts = report.classes.values()
    spread = f"{min(counts):,} to {max(counts):,} pictures each"
    ratio = f", the largest {report.imbalance:.1f} times the smallest" if report.imbalance else ""
    return [f"{len(report.classes):,} classes of {spread}{ratio}."]


def _defect_lines(report: Report) -> list[str]:
    lines = []
    if report.unreadable_count:
        name, reason = report.unreadable[0]
        lines.append(f"{report.unreadable_count:,} unreadable, left out; the first is {name}: {reason}.")
    for word, found in (("exact", report.exact_duplicates), ("near", report.near_duplicates)):
        example = f", such as {' = '.join(found.groups[0])}" if found.groups else ""
        lines.append(f"{found.count:,} {word} duplicates{example}.")
    if report.leaked:
        lines.append(f"{report.leaked:,} held-out pictures are trained on as exact copies; scores will flatter.")
    return lines


def _most_common(counts: dict[str, int]) -> str:
    shown = [f"{word} ({count:,})" for word, count in list(counts.items())[:3]]
    return ", ".join(shown) + (f" and {len(counts) - 3} more" if len(counts) > 3 else "")


def _settings(settings: dict[str, int | str]) -> str:
    return "".join(f" --set {key}={value}" for key, value in settings.items())
