"""Fading undone: contrast stretched, and the tone of the paper taken away, as far as a photograph has lost any."""

import numpy as np
import numpy.typing as npt

from gannet.media.photograph import Photograph
from gannet.media.pyramid import hidden

ENDS = (0.5, 99.5)
"""Percent of the pixels that are darker than black and than white are."""
BLACK, WHITE = 0.02, 0.98
"""What they become, of the range, where they are not darker, or lighter, already."""
MOST_GAIN = 4.0
LIGHT = np.array([0.299, 0.587, 0.114])
MANY = 1_000_000
"""Pixels beyond which only some are looked at."""
TONED, COLOURED = 0.1, 0.3
"""Deviation of colours from a tone that follows lightness, in deviations of that: up to which a photograph is a toned
one, and from which on its colours are its own."""
FLAT, FULL = 0.4, 0.75
"""Range of lightness up to which a photograph has faded wholly, and from which on not at all."""
Floats = npt.NDArray[np.float64]


def unfaded(photograph: Photograph, strength: float) -> Photograph:
    """Stretch contrast to all of the range; channel by channel where a photograph is toned or flat: paper is white.

    A photograph that has all of the range, and colours of its own, hardly changes.

    Args:
        strength: from 0, as it is, to 1.
    """
    seen = photograph.values[~hidden(photograph)]
    if not strength or not len(seen):
        return photograph
    curves = _curves(seen[:: len(seen) // MANY + 1] / photograph.largest, photograph.largest + 1)
    before = np.linspace(0, 1, photograph.largest + 1)[:, None]
    levels = np.rint(photograph.largest * (before + strength * (curves - before))).astype(photograph.values.dtype)
    channels = range(photograph.values.shape[2])
    return photograph.with_values(np.stack([levels[photograph.values[..., one], one] for one in channels], 2))


def _curves(seen: Floats, count: int) -> Floats:
    """What becomes of so many levels, (count, c), by pixels that are seen (n, c), all from 0 to 1."""
    light = seen @ LIGHT if seen.shape[1] == 3 else seen[:, 0]
    dark, bright = np.percentile(light, ENDS)
    toned = _toned(seen, light) if seen.shape[1] == 3 else 0.0
    apart = max(toned, float(np.clip((FULL - (bright - dark)) / (FULL - FLAT), 0, 1)))
    low, high = np.percentile(seen, ENDS, 0)
    # Stretched alike, colours stay; apart, black and paper lose their tone.
    low, high = low.min() + apart * (low - low.min()), high.max() + apart * (high - high.max())
    black, white = np.minimum(low, BLACK), np.maximum(high, WHITE)
    gain = np.minimum((white - black) / np.maximum(high - low, 1e-6), MOST_GAIN)
    middle = (black + white) / 2 - gain * (low + high) / 2
    curves = (gain * np.linspace(0, 1, count)[:, None] + middle).clip(0, 1)
    means = (gain * seen.mean(0) + middle).clip(0, 1)
    neutral: Floats = (curves + toned * (means.mean() - means)).clip(0, 1)
    return neutral


def _toned(seen: Floats, light: Floats) -> float:
    """How much of a toned photograph it is, from 0 to 1: its channels follow lightness."""
    spread = max(float(light.std()), 1e-6)
    beside = seen - seen.mean(0)
    follow = (beside * (light - light.mean())[:, None]).mean(0) / spread**2
    apart = float(np.sqrt(((beside - follow * (light - light.mean())[:, None]) ** 2).mean())) / spread
    return float(np.clip((COLOURED - apart) / (COLOURED - TONED), 0, 1))
