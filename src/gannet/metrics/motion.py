"""Statistics of how clips move, independent of any network: a distance over them sees what spoils clips in time.

Published distances of clips go by the features of networks, which hardly notice damage in time; see also Ge et al.,
2024, "On the Content Bias in Frechet Video Distance".
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gannet.metrics.distances import among, energy_distance
from gannet.metrics.measure import Best, Halves, Measure, measure

FEWEST_FRAMES = 4
"""Frames that a third difference needs."""
STILL, LEAST = 8.0, 0.05
"""Levels of 255 within which a pixel holds still, and those below which motion is none."""
HALTED = 0.2
"""The share of a clip's usual motion below which it stands still for a frame."""
SCALES, BANDS, FARTHEST = (1, 2, 4), 4, 5.0
"""Sides of the squares that pixels are averaged over, bands of the spectrum in time, and deviations of the reals at
which a statistic counts as no farther away."""
STATISTICS = (
    *("motion", "flicker", "stillness", "acceleration", "jerk", "succession", "unevenness", "persistence", "halts"),
    *("growth", "arrow", "coarse motion", "coarser motion"),
    *(f"band {band + 1} of {BANDS} at scale {scale}" for scale in SCALES for band in range(BANDS)),
)
"""What the columns of `Motion.statistics` are called."""
DISTANCE = "energy distance of motion"
PLAIN = ("motion", "flicker", "stillness")
"""What is also shown by itself: of 255 levels a frame the first two, a share of pixels the last."""


class Motion(NamedTuple):
    """How clips move.

    Attributes:
        statistics: (n, k), see `STATISTICS`.
        plain: (n, 3), see `PLAIN`: the first three, before logarithms are taken.
    """

    statistics: Tensor
    plain: Tensor

    def rows(self, chosen: Tensor) -> "Motion":
        """Give some of the clips."""
        return Motion(self.statistics[chosen], self.plain[chosen])


def motion_of(clips: Tensor) -> Motion:
    """Measure how clips move, by the differences of their grey frames.

    Motion is the mean change of a pixel from frame to frame, flicker that of the frame's mean brightness, stillness the
    share of pixels that stay within 8 levels. Acceleration and jerk are the second and third differences over the
    first. Succession is the correlation of a pixel's changes with the next ones; unevenness, persistence, halts and
    growth say how motion itself varies: its deviation, its correlation with the next frame's, the share of frames in
    which it halts, and its correlation with time. The arrow is the third moment of two successive changes; like growth
    it turns its sign when clips are played backwards. Motion of averages over squares over that of pixels tells what
    moves as a whole from what changes by itself, and so do the shares of the bands of spectra in time at three scales.

    Args:
        clips: (n, c, t, h, w) in [-1, 1], at least four frames.
    """
    if clips.shape[2] < FEWEST_FRAMES:
        raise ValueError(f"Motion is measured in clips of {FEWEST_FRAMES} frames or more, not {clips.shape[2]}.")
    frames = 127.5 * clips.float().mean(1)
    change = frames.diff(dim=1)
    motion = change.abs().mean((1, 2, 3))
    flicker = frames.mean((2, 3)).diff(dim=1).abs().mean(1)
    still = (frames.amax(1) - frames.amin(1) < STILL).float().mean((1, 2))
    pooled = [avg_pool2d(frames, scale, ceil_mode=True).diff(dim=1) for scale in SCALES]
    succession, arrow = _in_pairs(change)
    *varying, growth = _over_time(change.abs().mean((2, 3)))
    acceleration, jerk = (_ratio(change.diff(n=order, dim=1).abs().mean((1, 2, 3)), motion) for order in (1, 2))
    coarse = [_ratio(one.abs().mean((1, 2, 3)), motion) for one in pooled[1:]]
    found = [(motion + LEAST).log(), (flicker + LEAST).log(), still, acceleration, jerk, succession, *varying]
    statistics = torch.cat([_columns([*found, growth, arrow, *coarse]), *map(_spectrum, pooled)], 1)
    return Motion(statistics.double(), _columns([motion, flicker, still]).double())


def _columns(found: list[Tensor]) -> Tensor:
    return torch.stack(found, 1)


def _ratio(over: Tensor, under: Tensor) -> Tensor:
    """The logarithm of a ratio of levels; 0 where both are nothing."""
    return ((over + LEAST) / (under + LEAST)).log()


def _in_pairs(change: Tensor) -> tuple[Tensor, Tensor]:
    """Succession and arrow of changes (n, t, h, w): moments of what changes and what changes next."""
    now, then = change[:, :-1], change[:, 1:]
    squares = change.square().mean((1, 2, 3)) + LEAST**2
    arrow = (now * then * (now + then)).mean((1, 2, 3)) / squares.pow(1.5)
    return (now * then).mean((1, 2, 3)) / squares, arrow


def _over_time(moved: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Unevenness, persistence, halts and growth of motion (n, t)."""
    usual = moved.mean(1, keepdim=True) + LEAST
    swing = (moved - moved.mean(1, keepdim=True)) / usual
    spread = swing.square().mean(1)
    # Of motion that hardly varies nothing is said of how it does: 1 % of it counts as if by chance.
    persistence = (swing[:, 1:] * swing[:, :-1]).mean(1) / (spread + 1e-4)
    time = torch.linspace(-1, 1, moved.shape[1])
    growth = (swing * time).mean(1) / ((spread + 1e-4) * time.square().mean()).sqrt()
    return spread.sqrt(), persistence, (moved < HALTED * usual).float().mean(1), growth


def _spectrum(change: Tensor) -> Tensor:
    """Logarithms of the shares that bands of frequencies in time have of the power of changes (n, t, h, w): (n, 4)."""
    power = torch.fft.rfft(change, dim=1).abs().square().mean((2, 3))
    edges = torch.linspace(0, power.shape[1], BANDS + 1).round().long().tolist()
    bands = _columns([power[:, low:high].sum(1) for low, high in pairwise(edges)])
    shares: Tensor = bands / (power.sum(1, keepdim=True) + LEAST**2)
    return (shares + 0.01).log()


def on_one_scale(real: Motion, *others: Motion) -> tuple[Tensor, ...]:
    """Give the statistics of each, first the reals', in deviations of the reals about their median."""
    middle = real.statistics.median(0).values
    deviation = real.statistics.std(0).clamp_min(1e-3)
    return tuple(((one.statistics - middle) / deviation).clamp(-FARTHEST, FARTHEST) for one in (real, *others))


def motion_distance(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Give the energy distance of statistics on one scale (n, k), (m, k), over the mean distance of two reals."""
    return {DISTANCE: float(energy_distance(real, fake) / among(real).clamp_min(1e-12))}


def measure_motion(real: Motion, fake: Motion, halves: Halves) -> list[Measure]:
    """Measure how far fakes move otherwise than reals, and what both hold still, flicker and move."""
    ours, theirs = on_one_scale(real, fake)
    usual: Mapping[str, Best] = {name: float(real.plain[:, at].mean()) for at, name in enumerate(PLAIN)}

    def means(_: Tensor, some: Tensor) -> dict[str, float]:
        return dict(zip(PLAIN, some.mean(0).tolist(), strict=True))

    apart = measure(motion_distance, ours, theirs, halves, "none", "low")
    return [*apart, *measure(means, real.plain, fake.plain, halves, "none", usual)]
