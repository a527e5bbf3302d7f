"""Distances between sets of samples by the mean distances of their pairs (Szekely and Rizzo, 2013, "Energy ...")."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from gannet.metrics.distances import among, energy_distance, mean_distance, mean_unpaired_distance


def energy_figures(real: Tensor, fake: Tensor, label: Tensor | None = None) -> dict[str, float]:
    """Tell how far fakes lie from reals and how unlike each other they are, in pixels.

    The energy distance is given over E|X-X'| of the reals; diversity is E|Y-Y'| / E|X-X'| within a class, about 1 for
    fakes as varied as the reals.

    Args:
        real, fake: (n, ...), (m, ...), at least two each.
        label: (n,), the classes of both, so m is n; None where there are none.
    """
    real, fake = flat(real), flat(fake)
    label = None if label is None else label.cpu()
    return {
        "energy_distance": float(energy_distance(real, fake) / among(real).clamp_min(1e-12)),
        "diversity": float(among(fake, label) / among(real, label).clamp_min(1e-12)),
    }


@dataclass(frozen=True)
class Between:
    """Two kinds of samples, healthy ones and others, and what share of others a mixture has.

    Attributes:
        healthy, other: (m, d); row i of `other` was made from row i of `healthy`.
    """

    healthy: Tensor
    other: Tensor

    @cached_property
    def gap(self) -> Tensor:
        """The energy distance between the two."""
        return 2 * self._across - self._among_healthy - among(self.other)

    def share_in(self, samples: Tensor) -> tuple[float, float]:
        """Give the share of others in the mixture of both that lies nearest to samples (n, d).

        The energy distance to (1 - s) healthy + s other is quadratic in s, so the best s has a closed form.

        Returns:
            the share, and what part of the distance between `samples` and `healthy` it explains.
        """
        near = mean_distance(samples, self.healthy)
        apart = 2 * near - among(samples) - self._among_healthy
        along = near + self._across - mean_distance(samples, self.other) - self._among_healthy
        share = along / self.gap.clamp_min(1e-12)
        return float(share), float(along * share / apart.clamp_min(1e-12))

    @cached_property
    def _across(self) -> Tensor:
        return mean_unpaired_distance(self.healthy, self.other)

    @cached_property
    def _among_healthy(self) -> Tensor:
        return among(self.healthy)


def flat(samples: Tensor) -> Tensor:
    """Give samples (n, ...) as rows (n, d) in double precision on the CPU.

    `cdist` multiplies matrices, which loses small differences of large numbers in single precision.
    """
    return samples.flatten(1).cpu().double()
