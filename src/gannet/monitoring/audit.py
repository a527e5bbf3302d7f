"""The audit: what fakes and scores look like beside held-out reals, for the referee."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from gannet.adversarial.losses import AdversarialLoss
from gannet.monitoring.data_checks import Facts
from gannet.monitoring.energy import energy_figures
from gannet.monitoring.light_judgement import LightJudge

Exhibits: TypeAlias = Mapping[str, Tensor]
Fakes: TypeAlias = Callable[[Tensor], Facts]


@dataclass(frozen=True)
class Audit:
    """Compares averaged fakes with held-out reals, and the discriminator's grip on training and held-out reals.

    Attributes:
        draw: the averaged generator's samples (n, ...) for held-out reals, the same noise at every look.
        scores: the discriminator's logits (n, ...) of samples that stand beside what else is known of reals: their
            classes, their condition.
        loss: says which scores pass for real.
        training, held_out: as many reals each, the samples first, and what else is known of them.
        looks: further looks at the fakes (n, ...), such as for lost classes.
    """

    draw: Callable[[Exhibits], Tensor]
    scores: Callable[[Tensor, Exhibits], Tensor]
    loss: AdversarialLoss
    training: Exhibits
    held_out: Exhibits
    looks: Sequence[Fakes] = ()

    @torch.no_grad()
    def __call__(self) -> Facts:
        """Take the figures of one look."""
        real, fake = _first(self.held_out), self.draw(self.held_out)
        fake_score = self.scores(fake, self.held_out).float()
        known, unknown = (self.scores(_first(part), part).float() for part in (self.training, self.held_out))
        # One threshold for both kinds of reals, or a shift between them would be hidden.
        threshold, _ = self.loss.decide(known, fake_score)
        figures: Facts = dict(energy_figures(real, fake, self.held_out.get("label")))
        figures |= {
            "accuracy_train": float((known > threshold).float().mean()),
            "accuracy_held_out": float((unknown > threshold).float().mean()),
            "separation": float((unknown.flatten()[:, None] > fake_score.flatten()).float().mean()),
        }
        for look in self.looks:
            figures |= look(fake.cpu())
        return figures

    @property
    def light_judge(self) -> LightJudge:
        """Who judges the same fakes beside the same reals."""
        return LightJudge(partial(self.draw, self.held_out), _first(self.held_out), _first(self.training))


def _first(exhibits: Exhibits) -> Tensor:
    """The samples themselves, before what else is known of them."""
    return next(iter(exhibits.values()))
