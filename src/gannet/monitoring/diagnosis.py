"""Diagnosis: what the audits of a run show together, by name; causes come before what they bring about.

The thresholds were chosen on small planted faults; `benchmarks/planted_faults.py` tells how they fare on others.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from statistics import fmean, median
from typing import Any

from gannet.monitoring.updates import Misstep, find_misstep

Look = dict[str, Any]
ENOUGH_LOOKS, RECENT, SWING, SPAN, FEWEST_HELD_OUT = 5, 3, 0.03, 20, 100
MEANS = ("fool_rate", "accuracy_real", "diversity", "energy_distance", "near_copies", "closer", "leak", "augmented")


@dataclass(frozen=True)
class Case:
    """What is known of a run.

    Attributes:
        looks: the figures of every audit and of the window before it, the oldest first.
        facts: what the data are like, and the batch.
    """

    looks: Sequence[Look]
    facts: Look

    def all(self, name: str) -> list[float]:
        """Give a figure at every look that has it."""
        return [float(look[name]) for look in self.looks if name in look]

    def recent(self, name: str, default: float) -> float:
        """Give the mean of a figure over the newest looks."""
        return fmean(self.all(name)[-RECENT:] or [default])

    def evidence(self) -> Look:
        """Give what the diagnosis rests on: means of the newest looks, lost classes, the widest swing of the
        distance.
        """
        nearest, farthest = swing(self.all("energy_distance"))
        means = {name: self.recent(name, 0.0) for name in MEANS if self.all(name)}
        misstep = asdict(self.misstep) if self.misstep else {}
        return {"lost_for_good": ", ".join(self.lost), "nearest": nearest, "farthest": farthest} | means | misstep

    @property
    def misstep(self) -> Misstep | None:
        """The player who steps too far or hardly at all, as the newest look has it."""
        updates = self.looks[-1].get("updates", {}) if self.looks else {}
        return find_misstep(updates, self.facts.get("learning_rates", {}))

    @property
    def lost(self) -> list[str]:
        """Classes that the training samples lack, and those that the fakes lacked at all of the newest looks."""
        looks = [_words(look.get("lost", "")) for look in self.looks[-RECENT:]]
        lasting = [name for name in looks[-1] if all(name in look for look in looks)] if looks else []
        return list(dict.fromkeys([*_words(self.facts.get("absent", "")), *lasting]))


def diagnose(case: Case) -> list[str]:
    """Name what the case shows, the most telling first; `healthy` when nothing is wrong, `too-early` to tell."""
    found = [name for name, shows in BAD_INPUT.items() if shows(case)]
    if len(case.looks) >= ENOUGH_LOOKS:
        found += causes(case, symptoms := [name for name, shows in SYMPTOMS.items() if shows(case)]) + symptoms
        return found or ["healthy"]
    return found or ["too-early"]


def causes(case: Case, symptoms: Sequence[str]) -> list[str]:
    """Name a player's steps as the cause; where nothing else is amiss they may be as they are, unless beyond doubt."""
    misstep = case.misstep
    return [misstep.state] if misstep and (symptoms or misstep.certain) else []


def out_of_range(case: Case) -> bool:
    """Tell whether pictures have values far outside [-1, 1], which a generator cannot give."""
    return float(case.facts.get("highest", 1.0)) > 1.5


def labels_mean_nothing(case: Case) -> bool:
    """Tell whether neighbours tell the classes that are asked for no better than chance does (two deviations)."""
    facts = case.facts
    if not facts.get("conditional") or facts.get("inspected", 0) < 200:
        return False
    chance, count = facts["label_chance"], facts["inspected"]
    # Where one class is most of the data, its neighbours outvote the others whatever the labels mean.
    return bool(chance < 0.6 and facts["label_accuracy"] < chance + 2 * (chance * (1 - chance) / count) ** 0.5)


def leaks(case: Case) -> bool:
    """Tell whether fakes look augmented as training samples do; classes that these lack would explain it otherwise."""
    return case.recent("leak", 0.0) > 0.2 and not case.facts.get("absent")


def discriminator_too_weak(case: Case) -> bool:
    """Tell whether fakes pass though the discriminator should tell them, or pass more readily than reals do."""
    passes = case.recent("fool_rate", 0.5) > 0.8 or case.recent("accuracy_real", 0.5) < 0.2
    return passes or case.recent("separation", 0.5) < 0.3


def overfits(case: Case) -> bool:
    """Tell whether the discriminator takes training samples for real and held-out ones not."""
    gaps = [
        known - unknown
        for known, unknown in zip(case.all("accuracy_train"), case.all("accuracy_held_out"), strict=True)
    ]
    return median(gaps[-ENOUGH_LOOKS:] or [0.0]) > 0.2


def at_the_cap(case: Case) -> bool:
    """Tell whether the discriminator's view is augmented as much as it may be."""
    return 0 < 0.99 * case.recent("cap", 1.0) <= case.recent("augmented", 0.0)


def collapsed(case: Case) -> bool:
    """Tell whether the fakes are much alike, and do not become less so."""
    diversity = case.all("diversity")
    return case.recent("diversity", 1.0) < 0.5 and diversity[-1] < max(0.25, 1.5 * diversity[-RECENT])


def diverges(case: Case) -> bool:
    """Tell whether the fakes are far from the data and do not come nearer, or went far away again."""
    distances = case.all("energy_distance")
    middle = len(distances) // 2
    stuck = min(distances[middle:]) > 0.8 * min(distances[:middle])
    return stuck and case.recent("energy_distance", 0.0) > 0.25


def oscillates(case: Case) -> bool:
    """Tell whether the fakes came near the data and were thrown back."""
    nearest, farthest = swing(case.all("energy_distance"))
    swings = farthest > max(3 * nearest, nearest + SWING)
    # Of fewer samples the distance swings by chance.
    return swings and case.facts.get("held_out", FEWEST_HELD_OUT) >= FEWEST_HELD_OUT


def swing(distances: Sequence[float]) -> tuple[float, float]:
    """Give the best distance so far and a later one, where they lie widest apart, over the newest looks."""
    best = list(accumulate(distances, min))
    pairs = list(zip(best, distances, strict=True))[-SPAN:]
    return max(pairs, key=lambda pair: pair[1] - pair[0], default=(0.0, 0.0))


def plateaued(case: Case) -> bool:
    """Tell whether the fakes come no nearer, at some distance from the data."""
    distances = case.all("energy_distance")
    middle = len(distances) // 2
    return min(distances[middle:]) > max(0.1, 0.9 * min(distances[:middle]))


def memorizes(case: Case) -> bool:
    """Tell whether fakes are nearer to training samples than held-out reals are."""
    return case.recent("near_copies", 0.0) > 0.1 or case.recent("closer", 0.5) > 0.9


BAD_INPUT: dict[str, Callable[[Case], bool]] = {
    "values-out-of-range": out_of_range,
    "labels-without-meaning": labels_mean_nothing,
    "too-few-samples": lambda case: case.facts.get("samples", 1e9) < 100,
    "batch-too-small": lambda case: case.facts.get("batch", 64) < 8,
}
CAUSES = ("moves-too-much", "hardly-moves")
SYMPTOMS: dict[str, Callable[[Case], bool]] = {
    "augmentation-leak": leaks,
    "discriminator-too-weak": discriminator_too_weak,
    "discriminator-overfitting": overfits,
    "mode-collapse": collapsed,
    "divergence": diverges,
    "oscillation": oscillates,
    "modes-lost": lambda case: bool(case.lost),
    "memorization": memorizes,
    # A discriminator that stays sure however much its view is augmented: what is wrong with the fakes explains it.
    "augmentation-at-cap": at_the_cap,
    "discriminator-winning": lambda case: case.recent("fool_rate", 0.5) < 0.02,
    "plateaued": lambda case: plateaued(case) and not diverges(case),
}


def _words(listed: str) -> list[str]:
    return [word for word in listed.split(", ") if word]
