"""The inspection: what the data are like before a game is played on them, and what the fakes take over from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.augmentation.distortions import DISTORTIONS
from gannet.metrics.distances import among, energy_distance
from gannet.monitoring.energy import Between, flat
from gannet.runtime.later import later

stats = later("scipy.stats")

Facts = dict[str, float | str]
Change = Callable[[Tensor, torch.Generator], Tensor]
NEIGHBOURS, CLEAR, LOST, IMPROBABLE = 5, 0.5, 0.2, 0.001
EXPLAINED, LITTLE, NOTABLE, LEAST, MOST, SIDE = 0.5, 0.2, 0.002, 0.15, 1.5, 32


@dataclass(frozen=True)
class Classes:
    """Held-out reals that tell classes by their neighbours.

    Attributes:
        reference: reals as rows (n, d).
        label: their classes (n,).
        names: of the classes.
        usual: (k,) the shares of the classes among the reals, as their own neighbours tell them.
        clear: (k,) which classes their neighbours tell so well that a loss would be seen.
    """

    reference: Tensor
    label: Tensor
    names: Sequence[str]
    usual: Tensor
    clear: Tensor

    def look(self, fake: Tensor) -> Facts:
        """Tell which classes the fakes (n, ...) lack."""
        told = _told(torch.cdist(rows(fake), self.reference), self.label)
        count, few = len(told), torch.bincount(told, minlength=len(self.names))
        by_chance = torch.from_numpy(stats.binom.cdf(few, count, self.usual)) * len(self.names)
        lost = self.clear & (few < LOST * count * self.usual) & (by_chance < IMPROBABLE)
        return {"modes_lost": float(lost.sum()), "lost": ", ".join(self.names[int(index)] for index in lost.nonzero())}


@dataclass(frozen=True)
class FoundAugmentation:
    """What was found to be done to training pictures, shown on held-out ones."""

    shown: Between

    def look(self, fake: Tensor) -> Facts:
        """Tell which share of the fakes (n, c, h, w) looks augmented;
        none where that explains little of what they lack.
        """
        share, explained = self.shown.share_in(rows(fake))
        return {"leak": min(1.0, max(0.0, share)) if explained > LITTLE else 0.0}


def tell_classes(real: Tensor, label: Tensor, names: Sequence[str]) -> tuple[Classes, Facts]:
    """Learn to tell the classes of reals (n, ...) by their neighbours; how often that is right, and by chance."""
    reference = rows(real)
    apart = torch.cdist(reference, reference).fill_diagonal_(torch.inf)
    told, count = _told(apart, label), len(names)
    right = torch.stack([(told[label == index] == index).double().mean() for index in range(count)]).nan_to_num()
    usual = _shares(told, count)
    chance = float((_shares(label, count) * usual).sum())
    facts: Facts = {"label_accuracy": float((told == label).double().mean()), "label_chance": chance}
    return Classes(reference, label, names, usual, right > CLEAR), facts


def find_augmentation(training: Tensor, held_out: Tensor) -> tuple[FoundAugmentation | None, Facts]:
    """Find what explains that training pictures (n, c, h, w) are unlike held-out ones (m, c, h, w), if anything."""
    seen, healthy = rows(training), rows(held_out)
    unit = among(healthy).clamp_min(1e-12)
    shift = float(energy_distance(seen, healthy) / unit)
    best: tuple[float, str, float, Between | None] = (EXPLAINED, "", 0.0, None)
    for name, change in CHANGES.items() if shift > NOTABLE else ():
        found = Between(healthy, rows(change(held_out, torch.Generator().manual_seed(0))))
        share, explained = found.share_in(seen)
        if found.gap / unit > NOTABLE and LEAST < share < MOST and explained > best[0]:
            best = (explained, name, share, found)
    _, name, share, shown = best
    facts: Facts = {"shift": shift, "augmentation": name, "augmented_share": share}
    return FoundAugmentation(shown) if shown else None, facts


def rows(samples: Tensor) -> Tensor:
    """Give samples as rows; pictures (n, c, h, w) at up to 32 pixels a side, or pairs of them would take long to
    compare, and clips (n, c, t, h, w) by such frames, every fourth of them.
    """
    if samples.ndim == 5:
        frames = samples[:, :, ::4].transpose(1, 2)
        return rows(frames.flatten(0, 1)).reshape(len(samples), -1)
    share = SIDE / max(samples.shape[2:]) if samples.ndim == 4 else 1.0
    return flat(samples if share >= 1 else interpolate(samples, scale_factor=share, mode="area"))


def _told(distances: Tensor, label: Tensor) -> Tensor:
    """The class (n,) that most of the nearest neighbours have, by their distances (n, m) and labels (m,)."""
    near = distances.topk(min(NEIGHBOURS, distances.shape[1]), largest=False).indices
    votes: Tensor = label[near].mode(1).values
    return votes


def _shares(label: Tensor, count: int) -> Tensor:
    return torch.bincount(label, minlength=count).double() / max(1, len(label))


def _quarter_turns(pictures: Tensor, generator: torch.Generator) -> Tensor:
    turns = torch.randint(1, 4, (len(pictures),), generator=generator)
    return torch.stack([picture.rot90(int(turn), (1, 2)) for picture, turn in zip(pictures, turns, strict=True)])


def _half_strength(name: str) -> Change:
    return lambda pictures, generator: DISTORTIONS[name](pictures, 0.5, generator)


CHANGES: dict[str, Change] = {
    "quarter turns": _quarter_turns,
    "mirroring": lambda pictures, _: pictures.flip(3),
    "negatives": lambda pictures, _: -pictures,
    **{name: _half_strength(name) for name in DISTORTIONS},
}
"""What may have been done to pictures."""
