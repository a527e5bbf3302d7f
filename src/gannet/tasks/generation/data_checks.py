"""What the data of a run are like, and what to look for in its fakes."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gannet.data.image_dataset import Description
from gannet.data.loader import Samples, Sides
from gannet.metrics.memorization import CopyAudit
from gannet.monitoring.audit import Fakes
from gannet.monitoring.data_checks import Facts, find_augmentation, rows, tell_classes

INSPECTED, COMPARED, SEARCHED = 1_000, 512, 5_000
FEWEST, FEWEST_OF_CLASS, MOST_CLASSES = 100, 10, 100
Found = tuple[list[Fakes], Facts]


def inspect(samples: Sides, description: Description) -> Found:
    """Inspect the training and the held-out samples: looks at the fakes of every audit, and facts for the referee."""
    training, held_out = samples
    facts: Facts = {"samples": len(training), "held_out": len(held_out)}
    looks: list[Fakes] = []
    parts = []
    if 0 < len(description.classes) <= MOST_CLASSES and training.values("label") is not None:
        parts.append(_classes(training, held_out, description.classes))
    if len(description.shape) == 3:
        parts.append(_pictures(training, held_out))
    if FEWEST <= len(training) <= SEARCHED:
        parts.append(_copies(training, held_out))
    for found, more in parts:
        looks += found
        facts |= more
    return looks, facts


def _classes(training: Samples, held_out: Samples, names: Sequence[str]) -> Found:
    """Which classes training lacks, and whether neighbours can tell those that there are."""
    known, there = (_counted(side, len(names)) for side in (training, held_out))
    absent = np.flatnonzero((there >= FEWEST_OF_CLASS) & (known == 0))
    if len(absent) and training.values("group") is not None:
        return [], {}  # Each class is a person, whom the split has kept to one side.
    facts: Facts = {"absent": ", ".join(names[int(index)] for index in absent)}
    shown = held_out.spread(INSPECTED)
    real, label = (shown[name][shown["label"] < len(names)] for name in ("real", "label"))
    if len(label) < FEWEST:
        return [], facts
    classes, told = tell_classes(real, label, names)
    return [classes.look], facts | told | {"inspected": len(label)}


def _counted(samples: Samples, count: int) -> np.ndarray:
    """How many samples there are of each class; those without a label are not counted."""
    label = samples.values("label")
    assert label is not None
    return np.bincount(label[label < count], minlength=count)


def _pictures(training: Samples, held_out: Samples) -> Found:
    """How far their values go, and whether something was done to training pictures that was not to held-out ones."""
    known, unknown = (side.spread(COMPARED)["real"] for side in (training, held_out))
    facts: Facts = {"highest": float(known.abs().max())}
    if min(len(known), len(unknown)) < FEWEST:
        return [], facts
    augmentation, found = find_augmentation(known, unknown)
    return [augmentation.look] if augmentation else [], facts | found


def _copies(training: Samples, held_out: Samples) -> Found:
    """How far fakes copy training samples, in pixels; nothing where there are too few to tell."""
    audit = CopyAudit(rows(training.spread(SEARCHED)["real"]), rows(held_out.spread(INSPECTED)["real"]))

    def look(fake: Tensor) -> Facts:
        found = audit(rows(fake))
        return {"near_copies": found.near_copies, "closer": found.closer} if found else {}

    return [look], {}
