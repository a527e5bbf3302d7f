"""Detectors of augmentations, each a small classifier of healthy and augmented pictures, applied to fakes."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from gannet.augmentation.draws import Drawn
from gannet.augmentation.geometry import shift, warp
from gannet.augmentation.kinds import Kind, Strengths, augment, choose_kinds, named_strengths
from gannet.augmentation.levels import from_levels, to_levels
from gannet.data.loader import Sides
from gannet.metrics.augmentation_leak import Leak, Rate, rate
from gannet.recipe import Recipe
from gannet.runtime.randomness import generator

LEARNED_FROM, SHOWN, BATCH, EXAMPLE_BYTES = 20_000, 10_000, 500, 2**29
HEALTHY, AUGMENTED = 0, 1
INTERPOLATING = {"rotation", "zoom", "stretch", "shear", "perspective", "crop", "elastic"}
"""Kinds that move pixels between pixels; flips, quarter turns and shifts move whole ones."""
Detector: TypeAlias = Callable[[Tensor], Tensor]
"""Maps pictures (b, c, h, w) to the probabilities of healthy and augmented, (b, 2)."""
Fit: TypeAlias = Callable[[Path], Detector]


def strengths_of(words: str, recipe: Recipe) -> Strengths:
    """Give the augmentations to look for: names with or without strengths, or `own`, those of the run.

    Raises:
        ValueError: the run has none of its own, an unknown name, or a strength out of range; one sentence.
    """
    if words != "own":
        return {kind.name: strength for kind, strength in choose_kinds(named_strengths(words), 4)}
    if "kinds" not in recipe.augment.options:
        raise ValueError("This run augmented nothing in its game; name what to look for, as in --leaks rotation,noise.")
    return dict(recipe.augment.options["kinds"])


def measure_leaks(fakes: Iterable[Tensor], own: Sides, fit: Fit, strengths: Strengths, seed: int) -> list[Leak]:
    """Tell how many fakes look augmented, in each of several ways.

    Args:
        fakes: batches (b, c, h, w).
        own: what the model learned from, and what was held out of it.
        fit: trains a classifier on the labelled pictures of a file.
        strengths: the ways by name.
    """
    drawn, held_out = torch.cat(list(fakes)), own[1].spread(1)["real"]
    most = max(2, min(LEARNED_FROM, EXAMPLE_BYTES // (4 * held_out.numel())))
    known, unknown = own[0].spread(most)["real"], own[1].spread(min(SHOWN, most))["real"]
    leaks = []
    for kind, strength in choose_kinds(strengths, unknown.shape[1]):
        detector = learn_detector(kind, strength, known, fit, seed)
        shown = (drawn, unknown, _augmented(unknown, kind, strength, seed + 1))
        leaks.append(Leak(kind.name, strength, *(looking_augmented(detector, part) for part in shown)))
    return leaks


def learn_detector(kind: Kind, strength: float, known: Tensor, fit: Fit, seed: int) -> Detector:
    """Give a classifier of healthy pictures and of others to each of which the kind was done."""
    healthy, other = known[::2], known[1::2]  # By turns: data may lie class by class.
    other = _augmented(other, kind, strength, seed)
    if kind.name in INTERPOLATING:
        healthy, other = (_resampled(part, seed + index) for index, part in enumerate((healthy, other)))
    examples = torch.cat([healthy, other])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "examples.npz"
        np.savez(path, images=_levels(examples), labels=np.repeat([HEALTHY, AUGMENTED], [len(healthy), len(other)]))
        return fit(path)


def _augmented(pictures: Tensor, kind: Kind, strength: float, seed: int) -> Tensor:
    parts = pictures.split(BATCH)
    draws = [Drawn(len(part), generator(seed, "leak", kind.name, index)) for index, part in enumerate(parts)]
    changed = [augment(part, [(kind, strength)], 1.0, drawn) for part, drawn in zip(parts, draws, strict=True)]
    return torch.cat(changed).clamp(-1, 1)


def _resampled(pictures: Tensor, seed: int) -> Tensor:
    """Every second one moved by up to half a pixel: interpolation blurs, and blur alone is no sign of a turn."""
    moved = pictures[::2]
    across, down = (Drawn(len(moved), generator(seed, "resample")).uniform(2) - 0.5).unbind(1)
    longest = max(pictures.shape[2:])
    pictures = pictures.clone()
    pictures[::2] = warp(moved, shift(across / longest, down / longest)).clamp(-1, 1)
    return pictures


def looking_augmented(detector: Detector, pictures: Tensor) -> Rate:
    """Give the share of pictures (n, c, h, w) that a detector takes for augmented."""
    told = torch.cat([detector(_rounded(part)).argmax(1) for part in pictures.split(BATCH)])
    return rate(int((told == AUGMENTED).sum()), len(told))


def _rounded(pictures: Tensor) -> Tensor:
    """As whole levels, which is how the detector knows pictures."""
    return from_levels(to_levels(pictures))


def _levels(pictures: Tensor) -> np.ndarray:
    return to_levels(pictures).byte().movedim(1, 3).numpy()
