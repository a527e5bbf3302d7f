"""Copies in disguise: training scans given back shifted, mirrored, in another size, brightness or contrast.

Each sample is brought to lie upon the training samples that resemble it most: by the best of a lattice of changes
first, at few pixels, then by steps of Gauss and Newton (as in registration: Lucas and Kanade, 1981). What of it the
training sample does not explain then is its distance. Samples and reals that were not learned from are treated alike,
so that what any two scans have in common convicts nobody.
"""

from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from gannet.metrics.memorization import FEWEST, NEIGHBOUR, CopyCriterion, Memorization

COARSE, FINE = {2: 16, 3: 8}, {2: 32, 3: 16}
"""The longer side in pixels at which changes are tried, and at which they are refined, by the number of axes."""
CANDIDATES, FINALISTS = 32, 6
"""Training samples that a sample is brought to lie upon at few pixels, and those of them at more, of which
the fifth is one."""
SHIFTS, SIZES = {2: 3, 3: 1}, {2: 5, 3: 3}
"""Of the lattice: steps to either side that shifts take, and sizes in all, by the number of axes."""
FURTHEST, LARGEST = 0.2, 0.14
"""The largest shift of the lattice as a share of half a side, and logarithm of a size; what lies between is refined."""
STEPS, LARGEST_STEP, NUDGE, DAMPING = 4, 0.1, 0.02, 1e-3
"""Steps of refinement, the largest, how far changes are moved to see what it does, and how much steps are damped."""
POWERS = 3
"""Of a training sample's brightness, which explain that of a copy: contrast and gamma are bent no more than that."""
NEARER = 0.75
"""In which share of comparisons with reals a copier's fakes are the nearer ones: what is moved is never quite the same,
and where data hold many twins, reals are near, too. Poor generators come to 0.65."""
MARGIN = 0.1
"""What is left out at every side, as a share of it: a shift brings in what nobody knows."""
QUERIES = 4
"""Samples that are looked for at once: as many variants of each are held against all training samples."""


class Change(NamedTuple):
    """How samples are moved: (n, a) signs of their axes, -1 where mirrored; (n, a) shifts as shares of half a side;
    (n,) logarithms of sizes. Axes are from the last to the first.
    """

    signs: Tensor
    shifts: Tensor
    sizes: Tensor

    def take(self, rows: Tensor) -> "Change":
        """Give those of some rows."""
        return Change(*(part[rows] for part in self))

    def moved(self, by: Tensor) -> "Change":
        """Add to the shifts and the logarithms of sizes, (n, a + 1)."""
        return Change(self.signs, self.shifts + by[:, :-1], self.sizes + by[:, -1])


def change(samples: Tensor, made: Change) -> Tensor:
    """Mirror, size and shift samples (n, 1, ...), with edges repeated beyond themselves."""
    axes = samples.ndim - 2
    matrix = torch.diag_embed(made.signs * made.sizes.neg().exp()[:, None])
    grid = affine_grid(torch.cat([matrix, made.shifts[..., None]], 2), [len(samples), 1, *samples.shape[2:]], False)
    assert grid.shape[-1] == axes
    return grid_sample(samples, grid.to(samples), mode="bilinear", padding_mode="border", align_corners=False)


def aligned_nearest(samples: Tensor, known: Tensor, own: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Give the distance of each sample to the nearest training sample that it was brought to lie upon, over that to
    the fifth nearest; which it is: (n,) each.

    Args:
        samples, known: pictures (n, c, h, w) or volumes (n, c, d, h, w), and at least five of the like, (m, c, ...).
        own: rows (n,) of `known` that are the samples themselves, and do not count.
    """
    assert len(known) > NEIGHBOUR, "too few training samples to tell copies by"
    axes = samples.ndim - 2
    small, others = (shrunk(side, COARSE[axes]) for side in (samples, known))
    near, made = _candidates(small, others, own)
    near, made, _ = _best_of(small, others, near, made, FINALISTS)
    large, others = (shrunk(side, FINE[axes]) for side in (samples, known))
    near, _, distances = _best_of(large, others, near, made, FINALISTS)
    return distances[:, 0] / distances[:, NEIGHBOUR - 1].clamp_min(1e-12), near[:, 0]


def _best_of(samples: Tensor, known: Tensor, near: Tensor, made: Change, count: int) -> tuple[Tensor, Change, Tensor]:
    """Refine the changes (n * k) of candidates (n, k) and keep so many that leave the least unexplained, in order.

    Returns:
        Which they are, their changes, and what they leave: (n, count), (n * count), (n, count).
    """
    rows = torch.arange(len(samples)).repeat_interleave(near.shape[1])
    refined = [
        _refined(samples[rows[part]], known[near.flatten()[part]], made.take(part))
        for part in torch.arange(len(rows)).split(1_000)
    ]
    distances = torch.cat([rest for _, rest in refined]).view(near.shape)
    changes = Change(*(torch.cat(parts) for parts in zip(*(moves for moves, _ in refined), strict=True)))
    order = distances.argsort(1)[:, :count]
    flat = (order + near.shape[1] * torch.arange(len(near))[:, None]).flatten()
    return near.gather(1, order), changes.take(flat), distances.gather(1, order)


def shrunk(samples: Tensor, longest: int) -> Tensor:
    """Give samples (n, c, ...) in grey, smoothed, with a longer side of so many pixels at most, (n, 1, ...).

    What is smooth survives being moved by parts of a pixel; sharp edges would look like another scan's.
    """
    grey = samples.float().mean(1, keepdim=True)
    share = longest / max(grey.shape[2:])
    if share < 1:
        grey = interpolate(grey, [max(4, round(side * share)) for side in grey.shape[2:]], mode="area")
    for axis in range(2, grey.ndim):
        places = torch.arange(grey.shape[axis])
        before, after = ((places + step).clamp(0, len(places) - 1) for step in (-1, 1))
        grey = (grey.index_select(axis, before) + 2 * grey + grey.index_select(axis, after)) / 4
    return grey


def _lattice(axes: int) -> Change:
    """No mirroring and that of each axis, with every shift and size."""
    signs = torch.cat([torch.ones(1, axes), 1 - 2 * torch.eye(axes)])
    reach = SHIFTS[axes]
    step = FURTHEST / max(reach, 2)
    shifts = torch.tensor(list(product([step * number for number in range(-reach, reach + 1)], repeat=axes)))
    sizes = torch.linspace(-LARGEST, LARGEST, SIZES[axes])
    which = torch.cartesian_prod(torch.arange(len(signs)), torch.arange(len(shifts)), torch.arange(len(sizes)))
    return Change(signs[which[:, 0]], shifts[which[:, 1]], sizes[which[:, 2]])


def _candidates(samples: Tensor, known: Tensor, own: Tensor | None) -> tuple[Tensor, Change]:
    """Find the training samples (n, k) that correlate best with any variant, and the changes (n * k) that made it."""
    lattice, directions = _lattice(samples.ndim - 2), _direction(_middle(known)).T
    count, near, which = len(lattice.sizes), [], []
    for rows in torch.arange(len(samples)).split(QUERIES):
        repeated = samples[rows].repeat_interleave(count, 0)
        variants = change(repeated, lattice.take(torch.arange(count).repeat(len(rows))))
        best = (_direction(_middle(variants)) @ directions).view(len(rows), count, -1).max(1)
        if own is not None:
            best.values[torch.arange(len(rows)), own[rows]] = -2
        chosen = best.values.topk(min(CANDIDATES, known.shape[0] - 1)).indices
        near.append(chosen)
        which.append(best.indices.gather(1, chosen))
    return torch.cat(near), lattice.take(torch.cat(which).flatten())


def _refined(samples: Tensor, known: Tensor, made: Change) -> tuple[Change, Tensor]:
    """Bring samples (p, 1, ...) to lie upon their partners: the last changes, and what is left unexplained at its
    least, (p,).
    """
    best = _unexplained(change(samples, made), known)
    for _ in range(STEPS):
        made = made.moved(_step(samples, known, made))
        best = torch.minimum(best, _unexplained(change(samples, made), known))
    return made, best


def _step(samples: Tensor, known: Tensor, made: Change) -> Tensor:
    """The damped step of Gauss and Newton, (p, a + 1), for samples of no brightness and contrast of their own."""
    axes = made.shifts.shape[1]
    now, wanted = (_direction(_middle(side)) for side in (change(samples, made), known))
    nudges = NUDGE * torch.eye(axes + 1)
    slopes = torch.stack(
        [
            (_direction(_middle(change(samples, made.moved(by.expand(len(samples), -1))))) - now) / NUDGE
            for by in nudges
        ],
        2,
    )
    damped = slopes.transpose(1, 2) @ slopes + DAMPING * torch.eye(axes + 1)
    step: Tensor = torch.linalg.solve(damped, slopes.transpose(1, 2) @ (wanted - now)[..., None])[..., 0]
    return step.clamp(-LARGEST_STEP, LARGEST_STEP)


def _unexplained(samples: Tensor, known: Tensor) -> Tensor:
    """The share of a sample's deviation that powers of its partner's brightness leave, 0 to 1: (p,)."""
    rows = _middle(samples)
    centred = rows - rows.mean(1, keepdim=True)
    partner = _direction(_middle(known)) * rows.shape[1] ** 0.5
    powers = torch.stack([partner**power for power in range(1, POWERS + 1)], 2)
    basis, _ = torch.linalg.qr(powers - powers.mean(1, keepdim=True))
    rest = centred - (basis @ (basis.transpose(1, 2) @ centred[..., None]))[..., 0]
    whole = centred.norm(dim=1)
    # What has no contrast resembles nothing.
    return torch.where(whole > 1e-6, rest.norm(dim=1) / whole.clamp_min(1e-12), 1.0)


def _middle(samples: Tensor) -> Tensor:
    """The places (n, d) of samples (n, 1, ...) that are compared."""
    for axis in range(2, samples.ndim):
        margin = round(MARGIN * samples.shape[axis])
        samples = samples.narrow(axis, margin, samples.shape[axis] - 2 * margin)
    return samples.flatten(1)


def _direction(rows: Tensor) -> Tensor:
    """Rows (n, d) of no mean and unit length."""
    centred = rows - rows.mean(1, keepdim=True)
    lengths: Tensor = centred.norm(dim=1, keepdim=True)
    return centred / lengths.clamp_min(1e-6)


def audit_disguised(fake: Tensor, training: Tensor, held_out: Tensor) -> Memorization | None:
    """Look for training samples that are given back as they are or in disguise; see `Memorization`.

    With fewer than 50 held-out samples training samples are held against the other training samples, too: what they
    have in common, new samples of the same kind have with them. Data of few patients with many scans each are then
    judged mildly, since the scans of one are alike.

    Args:
        fake, training, held_out: pictures (n, c, h, w) or volumes (n, c, d, h, w) in [-1, 1].

    Returns:
        None where there are fewer than 50 reals to compare.
    """
    usual = calibrate(training, held_out)
    criterion = CopyCriterion(usual, len(training), NEARER)
    return criterion(*aligned_nearest(fake, training)) if criterion.enough else None


def calibrate(training: Tensor, held_out: Tensor) -> Tensor:
    """Give the relative distances (k,) that reals have to training samples that are not theirs; see
    `audit_disguised`.
    """
    parts = [aligned_nearest(held_out, training)[0]] if len(held_out) else []
    if len(held_out) < FEWEST:
        parts.append(aligned_nearest(training, training, torch.arange(len(training)))[0])
    return torch.cat(parts)
