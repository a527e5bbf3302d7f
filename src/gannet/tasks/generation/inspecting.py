"""What the data of a run are like, and what to look for in its fakes."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gannet.adversarial.audit import Fakes
from gannet.adversarial.energy import flat
from gannet.adversarial.inspection import Facts, find_augmentation, tell_classes
from gannet.data.loader import Loader
from gannet.metrics.memorization import CopyAudit
from gannet.tasks.generation.drawing import Description

INSPECTED, COMPARED, SEARCHED = 1_000, 512, 5_000
FEWEST, FEWEST_OF_CLASS, MOST_CLASSES = 100, 10, 100
Found = tuple[list[Fakes], Facts]


def inspect(loaders: tuple[Loader, Loader], description: Description) -> Found:
    """Inspect the training and the held-out samples: looks at the fakes of every audit, and facts for the referee."""
    training, held_out = loaders
    facts: Facts = {"samples": len(training)}
    looks: list[Fakes] = []
    parts = []
    if description.classes and "label" in training.arrays:
        parts.append(_classes(training, held_out, description.classes))
    if len(description.shape) == 3:
        parts.append(_pictures(training, held_out))
    if len(training) <= SEARCHED:
        parts.append(_copies(training, held_out))
    for found, more in parts:
        looks += found
        facts |= more
    return looks, facts


def _classes(training: Loader, held_out: Loader, names: Sequence[str]) -> Found:
    """Which classes training lacks, and whether neighbours can tell those that there are."""
    known, there = (
        np.bincount(loader.arrays["label"][loader.chosen], minlength=len(names)) for loader in (training, held_out)
    )
    absent = np.flatnonzero((there >= FEWEST_OF_CLASS) & (known == 0))
    facts: Facts = {"absent": ", ".join(names[int(index)] for index in absent)}
    if len(held_out) < FEWEST or len(names) > MOST_CLASSES:
        return [], facts
    shown = held_out.spread(INSPECTED)
    classes, told = tell_classes(shown["real"], shown["label"], names)
    return [classes.look], facts | told | {"inspected": len(shown["label"])}


def _pictures(training: Loader, held_out: Loader) -> Found:
    """How far their values go, and whether something was done to training pictures that was not to held-out ones."""
    known, unknown = (loader.spread(COMPARED)["real"] for loader in (training, held_out))
    facts: Facts = {"highest": float(known.abs().max())}
    if min(len(known), len(unknown)) < FEWEST:
        return [], facts
    augmentation, found = find_augmentation(known, unknown)
    return [augmentation.look] if augmentation else [], facts | found


def _copies(training: Loader, held_out: Loader) -> Found:
    """How far fakes copy training samples, in pixels; nothing where there are too few to tell."""
    audit = CopyAudit(
        *(flat(loader.spread(count)["real"]) for loader, count in ((training, SEARCHED), (held_out, INSPECTED)))
    )

    def look(fake: Tensor) -> Facts:
        found = audit(flat(fake))
        return {"near_copies": found.near_copies, "closer": found.closer} if found else {}

    return [look], {}
