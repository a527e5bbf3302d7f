"""From a recipe's data to samples: opened, brought to shape, split, limited, and what lacks a label left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from gannet.data.cache import Dataset, build_dataset
from gannet.data.columns import Array, Column
from gannet.data.doctor import parted_by
from gannet.data.holding_out import hold_out
from gannet.data.loader import Loader, Mixture, Samples
from gannet.data.records import Source, notes_of
from gannet.data.sources import open_source
from gannet.data.sources.several import Several, parts_of
from gannet.media.medium import Field, Medium
from gannet.recipe import Recipe, Weighted
from gannet.runtime.progress import Watch
from gannet.runtime.randomness import address
from gannet.runtime.wording import short
from gannet.schema import Section

__all__ = ["Labels", "Split", "load_samples", "load_whole", "noise", "open_data"]


class Labels(Enum):
    """What a task does with the classes of samples.

    A missing label is never an index of -1: where labels are looked at it is a class of its own behind the last; where
    they are needed the sample is left out.
    """

    UNUSED = "unused"
    LOOKED_AT = "looked at"
    NEEDED = "needed"


@dataclass(frozen=True)
class Split:
    """The samples of a run.

    Attributes:
        training, held_out: what is learned from and what is not, with `label` (b,) where there are classes that
            matter, and `group` (b,) where it is known what belongs together.
        notes: how samples are read where that is not plain, and what was left out, in words.
    """

    training: Samples
    held_out: Samples
    notes: tuple[str, ...] = ()


def open_data(
    recipe: Recipe, media: Mapping[str, Medium], options: Section, labels: Labels = Labels.LOOKED_AT
) -> Source:
    """Open the recipe's data, or several with weights; ValueError when it names none, or they are not there.

    Several have the same classes, unless those are unused.
    """
    data = recipe.data
    if data.sources:
        parts = tuple(open_source(one.source, media, options) for one in data.sources)
        return parts[0] if len(parts) == 1 else _together(parts, data.sources, labels)
    if not data.source:
        raise ValueError(
            f"The recipe {recipe.name} has no data of its own: give a folder, gannet train {recipe.name} DATA."
        )
    return open_source(data.source, media, options)


def _together(parts: tuple[Source, ...], given: Sequence[Weighted], labels: Labels) -> Several:
    several = Several(parts, tuple(one.weight for one in given), tuple(one.source for one in given))
    if labels is not Labels.UNUSED:
        several.check_classes()
    return several


def load_samples(
    recipe: Recipe, source: Source, fields: Mapping[str, Field], labels: Labels, watch: Watch | None = None
) -> Split:
    """Bring a source to the shape of the fields and split it; see `build_dataset` for what is held out."""
    parts = parts_of(source)
    datasets = [build_dataset(part, fields, recipe.data.group, watch=watch) for part in parts]
    # Where one of several sources knows what belongs together, the others' samples belong to themselves.
    grouped = bool(recipe.data.group) or any(dataset.groups.any() for dataset in datasets)
    found = [_split(recipe, dataset, labels, grouped) for dataset in datasets]
    read = tuple(note for part in parts for note in notes_of(part))
    read += tuple(note for part, dataset in zip(parts, datasets, strict=True) for note in parted_by(part, dataset))
    notes = read + tuple(note for split in found for note in split.notes)
    if not isinstance(source, Several):
        return Split(found[0].training, found[0].held_out, notes)
    sides = [[split.training for split in found], [split.held_out for split in found]]
    training, held_out = (
        Mixture(tuple(part for part in side if isinstance(part, Loader)), source.weights, recipe.seed) for side in sides
    )
    return Split(training, held_out, notes)


def load_whole(
    recipe: Recipe, source: Source, fields: Mapping[str, Field], labels: Labels, watch: Watch | None = None
) -> Loader:
    """Bring all of a source to the shape of the fields, whatever its split; what lacks a label that is needed is left
    out."""
    dataset = build_dataset(source, fields, recipe.data.group, watch=watch)
    columns, usable = _columns(dataset, labels, bool(recipe.data.group) or bool(dataset.groups.any()))
    if not usable.any():
        raise ValueError(f"{dataset.name}: none of the {len(dataset):,} samples has a class; give labelled data.")
    return Loader(columns, np.flatnonzero(usable), recipe.seed)


def _columns(
    dataset: Dataset, labels: Labels, grouped: bool
) -> tuple[dict[str, Column | Array], npt.NDArray[np.bool_]]:
    """Give what samples hold, and which of them can be used."""
    columns: dict[str, Column | Array] = {**dataset.columns}
    usable = np.ones(len(dataset), np.bool_)
    if dataset.classes and labels is not Labels.UNUSED:
        columns["label"] = _never_negative(dataset)
        if labels is Labels.NEEDED:
            usable = dataset.labels >= 0
    if grouped:
        columns["group"] = np.where(dataset.groups == 0, dataset.digests, dataset.groups).view(np.int64)
    return columns, usable


def _split(recipe: Recipe, dataset: Dataset, labels: Labels, grouped: bool) -> Split:
    """Split one data set."""
    columns, usable = _columns(dataset, labels, grouped)
    unseen = dataset.held_out if grouped else _held_out(dataset, usable)
    known, unknown = np.flatnonzero(~unseen & usable), np.flatnonzero(unseen & usable)
    if not (len(known) and len(unknown)):
        raise ValueError(
            f"{dataset.name}: too few of the {len(dataset):,} samples have a class; at least one on each side of the "
            "split must. Put those of each class into a sub-folder of its own."
        )
    if recipe.data.limit:
        random = np.random.default_rng(address(recipe.seed, "limit"))
        known = np.sort(random.permutation(known)[: recipe.data.limit])
    training, exam = (Loader(columns, rows, recipe.seed) for rows in (known, unknown))
    return Split(training, exam, tuple(_left_out(dataset, int((~usable).sum()))))


def class_numbers(theirs: Sequence[str], known: Sequence[str]) -> tuple[int, ...] | None:
    """Give the number that each of their classes has among those known; None where some are not known.

    They go by their names; as many that are only numbered on one side go by their numbers.
    """
    if set(theirs) <= set(known):
        return tuple(known.index(name) for name in theirs)
    numbers = tuple(map(str, range(len(known))))
    return tuple(range(len(known))) if len(theirs) == len(known) and numbers in (tuple(theirs), tuple(known)) else None


def _held_out(dataset: Dataset, usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Give what is held out; where nothing that can be used is on one side, those that can be are split anew."""
    rows = np.flatnonzero(usable)
    if len(rows) < 2 or len(np.unique(dataset.held_out[rows])) == 2:
        return dataset.held_out
    held_out = np.zeros(len(dataset), np.bool_)
    held_out[rows] = hold_out(dataset.digests[rows], held_out[rows])
    return held_out


def _never_negative(dataset: Dataset) -> Array:
    """Give the labels, that of a sample without one as the number behind the last class."""
    return np.where(dataset.labels < 0, len(dataset.classes), dataset.labels)


def _left_out(dataset: Dataset, unlabelled: int) -> list[str]:
    """Say what is not learned from, and what there is to know of what is."""
    notes = list(dataset.notes())
    if dataset.skipped_count:
        name, reason = dataset.skipped[0]
        notes.append(f"{dataset.name}: {dataset.skipped_count:,} left out; first {short(name)}: {reason}.")
    if unlabelled:
        notes.append(f"{dataset.name}: {unlabelled:,} have no class, left out.")
    return notes


def noise(fields: Mapping[str, Field], classes: int, count: int) -> Loader:
    """Give meaningless samples of the right names, shapes and types, to time a game without its data."""
    random = np.random.default_rng(0)
    columns: dict[str, Column | Array] = {
        name: Column(field.noise(count, random), convert=field.medium.to_array) for name, field in fields.items()
    }
    for name, field in fields.items():
        if field.ragged:
            columns[f"{name}_length"] = np.full(count, field.window[0], np.int64)
    if classes:
        columns["label"] = np.arange(count) % classes
    return Loader(columns, np.arange(count), seed=0)
