"""The audit: what fakes and scores look like beside held-out reals, for the referee."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gannet.adversarial.losses import AdversarialLoss


@dataclass(frozen=True)
class Audit:
    """Compares averaged fakes with held-out reals, and the discriminator's grip on training and held-out reals.

    Attributes:
        generator, discriminator: the players; the generator's running average.
        noise: the same latent vectors (n, latent) at every look, as many as there are held-out reals.
        loss: says which scores pass for real.
        training, held_out: reals, `real` (n, ...) and `label` (n,) where there are classes.
    """

    generator: nn.Module
    discriminator: nn.Module
    noise: Tensor
    loss: AdversarialLoss
    training: Mapping[str, Tensor]
    held_out: Mapping[str, Tensor]

    @torch.no_grad()
    def __call__(self) -> dict[str, float]:
        """The energy distance and diversity of the fakes, and the accuracies on training and held-out reals."""
        device = next(self.discriminator.parameters()).device
        training, held_out = ({k: v.to(device) for k, v in part.items()} for part in (self.training, self.held_out))
        real, label = held_out["real"], held_out.get("label")
        fake = self.generator(self.noise.to(device), label)
        self.discriminator.eval()
        fake_score = self.discriminator(fake, label).float()
        known, unknown = (self.discriminator(part["real"], part.get("label")).float() for part in (training, held_out))
        self.discriminator.train()
        count = min(len(known), len(unknown))
        # One threshold for both kinds of reals, or a shift between them would be hidden.
        threshold, _ = self.loss.decide(known[:count], fake_score[:count])
        return energy_figures(real, fake, label) | {
            "accuracy_train": float((known[:count] > threshold).float().mean()),
            "accuracy_held_out": float((unknown[:count] > threshold).float().mean()),
        }


def energy_figures(real: Tensor, fake: Tensor, label: Tensor | None = None) -> dict[str, float]:
    """How far fakes lie from reals and how unlike each other they are, in pixels.

    The energy distance 2 E|X-Y| - E|X-X'| - E|Y-Y'| (Szekely and Rizzo, 2013, equation 2), over E|X-X'| of the reals;
    diversity is E|Y-Y'| / E|X-X'| within a class, about 1 for fakes as varied as the reals.

    Args:
        real, fake: (n, ...), (m, ...), at least two each.
        label: (n,), the classes of both, so m is n; None where there are none.
    """
    # cdist multiplies matrices, which loses small differences of large numbers in single precision.
    real, fake = real.flatten(1).cpu().double(), fake.flatten(1).cpu().double()
    label = None if label is None else label.cpu()
    among_real, among_fake = _mean_distance(real, None), _mean_distance(fake, None)
    across = torch.cdist(real, fake).mean()
    return {
        "energy_distance": float((2 * across - among_real - among_fake) / among_real.clamp_min(1e-12)),
        "diversity": float(_mean_distance(fake, label) / _mean_distance(real, label).clamp_min(1e-12)),
    }


def _mean_distance(samples: Tensor, label: Tensor | None) -> Tensor:
    """The mean distance of two samples (n, d) of one class; of any two when no class has two."""
    pairs = ~torch.eye(len(samples), dtype=torch.bool)
    alike = pairs if label is None else pairs & (label[:, None] == label)
    distances = torch.cdist(samples, samples)[alike if alike.any() else pairs]
    return distances.sum() / max(1, len(distances))
