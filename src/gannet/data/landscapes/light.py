"""Times of day: what shines on a landscape, and through which air."""

from dataclasses import dataclass

import numpy as np

from gannet.data.landscapes.noise import Random, Values


@dataclass(frozen=True)
class Light:
    """What shines on a landscape.

    Attributes:
        zenith, horizon: the sky's colours.
        sun, ambient: what falls upon things from where the sun stands, and from all sides.
        place: the sun's, in shares of the width and of the sky's height from above.
        side: from where it shines on things: -1 left to 1 right.
        thickness: of the air; how fast things fade.
    """

    zenith: Values
    horizon: Values
    sun: Values
    ambient: Values
    place: tuple[float, float]
    side: float
    thickness: float

    def hazy(self, colours: Values, depth: float | Values) -> Values:
        """Let colours (h, w, 3) fade into the horizon's, by how far away they are."""
        if isinstance(depth, float) and depth == 0:
            return colours
        left = np.exp(-self.thickness * np.asarray(depth, np.float32))
        share = left[..., None] if left.ndim else left
        found: Values = self.horizon + (colours - self.horizon) * share
        return found

    def lit(self, colours: Values, towards: Values | float) -> Values:
        """Light colours (h, w, 3) of things that look towards the sun by so much, 0 to 1."""
        share = np.asarray(towards, np.float32)
        return colours * (self.ambient + self.sun * (share[..., None] if share.ndim else share))


def _colour(random: Random, *levels: float, spread: float = 0.035) -> Values:
    return (np.array(levels) * (1 + spread * random.standard_normal(3))).clip(0, 2).astype(np.float32)


def day(random: Random) -> Light:
    """Shine from a blue sky."""
    return Light(
        zenith=_colour(random, 0.19, 0.40, 0.74, spread=0.1),
        horizon=_colour(random, 0.70, 0.82, 0.92),
        sun=_colour(random, 0.95, 0.90, 0.78),
        ambient=_colour(random, 0.36, 0.40, 0.47),
        place=(random.uniform(-0.3, 1.3), random.uniform(-0.3, 0.3)),
        side=random.choice([-1, 1]) * random.uniform(0.4, 1),
        thickness=random.uniform(0.25, 0.7),
    )


def dusk(random: Random) -> Light:
    """Shine low and golden or red, morning or evening."""
    warmth = random.uniform(0, 1)
    return Light(
        zenith=_colour(random, 0.20 + 0.10 * warmth, 0.27 + 0.05 * warmth, 0.50 - 0.08 * warmth, spread=0.08),
        horizon=_colour(random, 0.95, 0.74 - 0.18 * warmth, 0.54 - 0.14 * warmth),
        sun=_colour(random, 0.98, 0.72 - 0.12 * warmth, 0.46 - 0.08 * warmth),
        ambient=_colour(random, 0.33, 0.33, 0.42),
        place=(random.uniform(0.1, 0.9), random.uniform(0.72, 1.0)),
        side=random.choice([-1, 1]) * random.uniform(0.6, 1),
        thickness=random.uniform(0.35, 0.9),
    )


def overcast(random: Random) -> Light:
    """Shine from all sides through clouds."""
    grey = random.uniform(0.85, 1.1)
    return Light(
        zenith=grey * _colour(random, 0.50, 0.54, 0.60),
        horizon=grey * _colour(random, 0.74, 0.76, 0.79),
        sun=_colour(random, 0.22, 0.22, 0.21),
        ambient=grey * _colour(random, 0.62, 0.64, 0.67),
        place=(0.5, -2.0),
        side=random.uniform(-0.5, 0.5),
        thickness=random.uniform(0.8, 2.2),
    )


def night(random: Random) -> Light:
    """Shine by the moon."""
    return Light(
        zenith=_colour(random, 0.045, 0.065, 0.15, spread=0.1),
        horizon=_colour(random, 0.16, 0.21, 0.35, spread=0.08),
        sun=_colour(random, 0.30, 0.35, 0.46),
        ambient=_colour(random, 0.15, 0.19, 0.30),
        place=(random.uniform(0.05, 0.95), random.uniform(0.1, 0.6)),
        side=random.choice([-1, 1]) * random.uniform(0.4, 1),
        thickness=random.uniform(0.4, 1.0),
    )


TIMES = {"day": day, "dusk": dusk, "overcast": overcast, "night": night}
SHARES = (0.5, 0.26, 0.14, 0.10)
"""How often each time of day is drawn."""
