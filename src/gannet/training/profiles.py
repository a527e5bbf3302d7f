"""Profiles of averages: which share each moment of a run has in them, as powers of the images seen.

After T images the moment t has the share (g + 1) t^g / T^(g + 1). Such an average is as wide at the end of a run as at
its beginning, as a share of what the run has seen (Karras et al., 2024, "Analyzing and Improving the Training Dynamics
of Diffusion Models", section 3 and appendix C).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """The profile of an average.

    Attributes:
        images: how many the run had seen.
        width: standard deviation of the moments averaged, as a share of those images.
        noise: how far the average's numbers are off, as a share of them.
    """

    images: int
    width: float
    noise: float = 0.0


def exponent(width: float) -> float:
    """Give the power g of the profile of a width in (0, 0.28], the root > 0 of width^2 (g + 2)^2 (g + 3) = g + 1."""
    squared = width**-2
    return float(np.roots([1, 7, 16 - squared, 12 - squared]).real.max())


def decay(power: float, before: int, images: int) -> float:
    """Give the share that an average of `before` images keeps once what lies between them and `images` is added.

    Exact where the weights stand still in between, however long that is.
    """
    return float((before / images) ** (power + 1))


def overlaps(times: Numbers, powers: Numbers) -> Numbers:
    """Give the inner products (n, n) of profiles that end at some times (n,), with powers (n,)."""
    end, power = times[:, None], powers[:, None]
    both = power + powers + 1
    # By logarithms, since powers of hundreds overflow.
    logs = both * np.log(np.minimum(end, times)) - (power + 1) * np.log(end) - (powers + 1) * np.log(times)
    product: Numbers = (power + 1) * (powers + 1) / both * np.exp(logs)
    return product


def combine(kept: Sequence[Profile], wanted: Profile) -> tuple[Numbers, float]:
    """Give the shares (n,) in which averages add up to one of another profile, and how far off its profile is.

    By least squares (the same, algorithm 3), here with shares that sum to one, so that what never moved stays where it
    was, and with noise that counts as distance.

    Returns:
        the shares, and the distance of the profiles as a share of the wanted one's norm.
    """
    profiles, count = [*kept, wanted], len(kept)
    among = overlaps(
        np.array([one.images / wanted.images for one in profiles]), np.array([exponent(one.width) for one in profiles])
    )
    gram, moments, norm = among[:count, :count], among[:count, count], among[count, count]
    system = np.ones((count + 1, count + 1))
    system[:count, :count] = gram + np.diag([one.noise**2 for one in kept])
    system[count, count] = 0
    shares: Numbers = np.linalg.lstsq(system, np.append(moments, 1))[0][:count]
    return shares, float(np.sqrt(max(0.0, shares @ gram @ shares - 2 * shares @ moments + norm) / norm))
