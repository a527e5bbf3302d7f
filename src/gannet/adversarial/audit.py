"""The audit: what fakes and scores look like beside held-out reals, for the referee."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gannet.adversarial.energy import energy_figures
from gannet.adversarial.inspection import Facts
from gannet.adversarial.losses import AdversarialLoss

Fakes = Callable[[Tensor], Facts]


@dataclass(frozen=True)
class Audit:
    """Compares averaged fakes with held-out reals, and the discriminator's grip on training and held-out reals.

    Attributes:
        generator: the running average.
        discriminator: its opponent.
        noise: the same latent vectors (n, latent) at every look, as many as there are held-out reals.
        loss: says which scores pass for real.
        training, held_out: as many reals each, `real` (n, ...) and `label` (n,) where there are classes.
        looks: further looks at the fakes (n, ...), such as for lost classes.
    """

    generator: nn.Module
    discriminator: nn.Module
    noise: Tensor
    loss: AdversarialLoss
    training: Mapping[str, Tensor]
    held_out: Mapping[str, Tensor]
    looks: Sequence[Fakes] = ()

    @torch.no_grad()
    def __call__(self) -> Facts:
        """The figures of one look."""
        device = next(self.discriminator.parameters()).device
        training, held_out = ({k: v.to(device) for k, v in part.items()} for part in (self.training, self.held_out))
        real, label = held_out["real"], held_out.get("label")
        fake = self.generator(self.noise.to(device), label)
        self.discriminator.eval()
        fake_score = self.discriminator(fake, label).float()
        known, unknown = (self.discriminator(part["real"], part.get("label")).float() for part in (training, held_out))
        self.discriminator.train()
        # One threshold for both kinds of reals, or a shift between them would be hidden.
        threshold, _ = self.loss.decide(known, fake_score)
        figures: Facts = dict(energy_figures(real, fake, label))
        figures |= {
            "accuracy_train": float((known > threshold).float().mean()),
            "accuracy_held_out": float((unknown > threshold).float().mean()),
            "separation": float((unknown[:, None] > fake_score).float().mean()),
        }
        for look in self.looks:
            figures |= look(fake.cpu())
        return figures
