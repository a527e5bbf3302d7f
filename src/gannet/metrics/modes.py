"""Modes found and divergence on stacked pictures (Srivastava et al., 2017, "VEEGAN ...", section 5.2).

A stacked picture has three grey pictures of a class each for its channels, so ten classes make a thousand modes.
"""

from statistics import stdev

import numpy as np
from torch import Tensor

from gannet.metrics.measure import SPLITS, Measure
from gannet.runtime.later import later

stats = later("scipy.stats")

SAMPLES, SUREST = 26_000, 0.985

FOUND = "modes found"
"""What the count of them is called."""


def count_modes(modes: np.ndarray, known: np.ndarray) -> dict[str, float]:
    """Tell how many modes are among samples, and KL(samples || reals) over them.

    Args:
        modes: the mode of each sample (n,), from 0.
        known: the shares (m,) of the modes among the reals; a mode without a share is not counted.
    """
    shares = np.bincount(modes, minlength=len(known)) / len(modes)
    there = (shares > 0) & (known > 0)
    divergence = float((shares[there] * np.log(shares[there] / known[there])).sum())
    return {FOUND: float(there.sum()), "mode divergence (KL)": divergence}


def measure_modes(fake: Tensor, told: Tensor, label: Tensor, accuracy: float, seed: int) -> list[Measure]:
    """Measure modes among fakes whose channels a classifier has told; the reals are balanced draws of single pictures.

    Args:
        fake: what the classifier says of the channels, (n, channels).
        told: what it says of single held-out pictures, (m,).
        label: what they are, (m,).
        accuracy: the classifier's share of right answers, for the protocol.
    """
    random, classes = np.random.default_rng(seed), int(label.max()) + 1
    channels, count = fake.shape[1], len(fake)
    known = np.full(classes**channels, classes**-channels)
    found = count_modes(_numbers(fake.numpy(), classes), known)
    halves = [count_modes(_numbers(fake.numpy()[_half(count, random)], classes), known) for _ in range(SPLITS)]
    floors = [count_modes(_balanced(told, label, channels, count, random), known) for _ in range(SPLITS)]
    protocol = (
        f"{count:,} fakes, each channel told by a classifier right in {accuracy:.2%} of held-out pictures; reals: "
        f"{count:,} stacks drawn with balanced classes, told by the same; interval from halves of the fakes"
    )
    reach = {name: float(stats.t.ppf(0.975, SPLITS - 1)) * stdev(half[name] for half in halves) for name in found}
    most = {FOUND: float(len(known))} | dict.fromkeys(set(found) - {FOUND}, np.inf)
    return [
        Measure(
            name,
            value,
            max(value - reach[name], 0.0),
            min(value + reach[name], most[name]),
            float(np.mean([floor[name] for floor in floors])),
            "classifier",
            count,
            count,
            protocol,
            "high" if name == FOUND else "low",
        )
        for name, value in found.items()
    ]


def _balanced(told: Tensor, label: Tensor, channels: int, count: int, random: np.random.Generator) -> np.ndarray:
    """The modes of stacks whose channels are drawn from every class alike."""
    classes = int(label.max()) + 1
    rows = [np.flatnonzero(label.numpy() == number) for number in range(classes)]
    wanted = random.integers(0, classes, (count, channels))
    drawn = np.empty_like(wanted)
    for number in range(classes):
        drawn[wanted == number] = random.choice(rows[number], int((wanted == number).sum()))
    return _numbers(told.numpy()[drawn], classes)


def _numbers(told: np.ndarray, classes: int) -> np.ndarray:
    """The modes (n,) of the classes (n, channels)."""
    numbers: np.ndarray = told @ classes ** np.arange(told.shape[1])[::-1]
    return numbers


def _half(count: int, random: np.random.Generator) -> np.ndarray:
    return random.permutation(count)[: count // 2]
