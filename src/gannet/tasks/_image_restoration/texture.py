"""Texture for large holes: they are filled anew by patches that the same photograph has elsewhere.

A network fills large holes with tones and edges, and without texture. From that on every patch that touches a hole is
replaced by the known one most like it, pixels become the mean of the patches over them, and so on, from a small copy to
a larger one (Wexler, Shechtman & Irani, 2007, "Space-Time Completion of Video"). Blurred patches are most like blurred
ones: they are compared also by how much texture they have, which goes on smoothly into holes (Newson et al., 2014,
"Video Inpainting of Complex Scenes", section 3.3). Nothing is drawn at random.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter, label, maximum_filter, minimum_filter

from gannet.media.photograph import Photograph, Values
from gannet.media.pyramid import Mask, as_mask, halved, hidden, visible
from gannet.networks.biharmonic import filled_biharmonically

Floats: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int64]

THIN = 6
"""Pixels from what is known up to which a network fills better; a hole is left alone that is nowhere wider."""
PATCH = 7
"""Pixels a side of the patches that are compared and copied."""
LARGEST, SMALLEST, ROUNDS = 192, 48, 3
"""Pixels of the longer side of the copies in which patches are looked for, and how often in each; larger ones copy from
the same places.
"""
FEWEST, MOST, DIMENSIONS = 64, 12_000, 32
"""How many known patches a copy must have, how many are looked through, and the principal components compared."""
TEXTURE = 2.0
"""How much differences of texture count beside those of tones."""
GUIDED, BLUR = 1.0, 2.0
"""How much blurred tones of what was filled at first count beside those of each round, and the blur's deviation."""
OCCUPIED = 1.0
"""How much farther off a patch counts that is used once more than patches are on the mean: tiles repeat otherwise."""
COHERENT, NEARER = 1.5, 1.15
"""How many times as far off a patch may be that goes on with its neighbour's; how much more one counts in the mean that
is a pixel nearer to what is known.
"""
AT_A_TIME, AROUND, JOINED = 1 << 18, 64, 33
"""Pixels computed together; the fewest around a hole that are looked at; the square within which holes are one."""


@dataclass(frozen=True)
class Level:
    """A copy of a photograph, filled (h, w, c); what is to be filled anew, and what nothing is copied from (h, w)."""

    values: Values
    hole: Mask
    lost: Mask

    def whole(self) -> Mask:
        """Tell around which pixels (h, w) a whole patch is known."""
        return np.asarray(~maximum_filter(self.lost, PATCH, mode="constant", cval=True))

    def known(self) -> Places:
        """Give the places of some of those, evenly spread."""
        places = np.flatnonzero(self.whole())
        return places[:: -(-len(places) // MOST) or 1]

    def halved(self) -> "Level":
        """Give the half of it; what is partly lost there counts as lost."""
        masks, nothing = (as_mask(self.hole), as_mask(self.lost)), np.zeros_like(self.hole)
        values, hole, lost = (halved(part, nothing)[0] for part in (self.values, *masks))
        return Level(values, hole[..., 0] > 0, lost[..., 0] > 0)


def textured(filled: Photograph, lost: Mask, share: float) -> Photograph:
    """Fill the large holes among what is lost (h, w) of a photograph, which were filled, with texture; else it stays.

    Args:
        share: how much of that is mixed into what was filled, 0 to 1.
    """
    shown, unusable = visible(filled).values, lost | hidden(filled)
    made = filled.values.copy()
    for place, hole in large_holes(lost) if share else ():
        found = _copied(Level(shown[place], hole, unusable[place]))
        if found is not None:
            there = shown[place][hole]
            made[place][hole] = np.rint(there + share * (found - there)).clip(0, filled.largest)
    return filled if np.array_equal(made, filled.values) else filled.with_values(made)


def large_holes(lost: Mask) -> Iterator[tuple[tuple[slice, slice], Mask]]:
    """Find the holes that have pixels farther than `THIN` from what is known: where they and what is around lie, and
    their pixels there.
    """
    wide = minimum_filter(lost, 2 * THIN + 1, mode="constant", cval=True)
    apart, count = label(lost, np.ones((3, 3)))
    kept = np.zeros(count + 1, bool)
    kept[apart[wide]] = True
    large = kept[apart]
    groups, _ = label(maximum_filter(large, JOINED), np.ones((3, 3)))
    for number, box in enumerate(find_objects(groups), 1):
        margin = max(AROUND, *(side.stop - side.start for side in box))
        rows, columns = (slice(max(0, side.start - margin), side.stop + margin) for side in box)
        yield (rows, columns), large[rows, columns] & (groups[rows, columns] == number)


def _copied(level: Level) -> Floats | None:
    """Give the values (n, c) of a level's hole, copied from what is known; None where that is too little."""
    levels = [level]
    while max(levels[-1].hole.shape) > SMALLEST:
        levels.append(levels[-1].halved())
    sources: Places | None = None
    for one in levels[::-1]:
        if max(one.hole.shape) <= LARGEST and len(one.known()) >= FEWEST:
            sources = _searched(one, sources)
        elif sources is not None:
            sources = _doubled(sources, one.hole.shape)
    evenly = np.ones(level.hole.shape, np.float32)
    return None if sources is None else _mean(level.values, level.hole, sources, evenly)


def _searched(level: Level, begun: Places | None) -> Places:
    """Give each pixel (h, w) near a hole the place of the known patch that its own becomes, begun by those of half the
    size; None: by what was filled.
    """
    shape, weights, known = level.hole.shape, _nearness(level.hole), level.known()
    near, whole = maximum_filter(level.hole, PATCH), level.whole()
    targets, used = np.flatnonzero(near), np.zeros(level.hole.size, np.float32)
    true, blurred = _appearance(level)
    current, sources = true.copy(), np.zeros(shape, np.int64)
    if begun is not None:
        sources = _doubled(begun, shape)
        current[level.hole] = _mean(true, level.hole, sources, weights)
    for _ in range(ROUNDS):
        projected = _projected(np.concatenate([current, blurred], 2), known)
        chosen, far = _most_alike(projected[targets], projected[known], used[known])
        distances = np.zeros(shape, np.float32)
        sources.flat[targets], distances.flat[targets] = known[chosen], far
        sources = _cohering(sources, distances, near, whole, projected)
        used = _occupied(sources.flat[targets], shape)
        trust = weights * (np.exp(-distances / (2 * np.percentile(far, 75) + 1e-6)) + 1e-6)
        current[level.hole] = _mean(true, level.hole, sources, trust)
    return sources


def _appearance(level: Level) -> tuple[Floats, Floats]:
    """Give tones and texture (h, w, c + 2), and blurred tones, which stay those that were filled at first."""
    tones = (level.values / np.iinfo(level.values.dtype).max).astype(np.float32)
    blurred = GUIDED * gaussian_filter(tones, (BLUR, BLUR, 0))
    return np.concatenate([tones, TEXTURE * texture(level)], 2), blurred.astype(np.float32)


def texture(level: Level) -> Floats:
    """Measure how much tones change across and down (h, w, 2) nearby, which goes on smoothly in what is lost."""
    grey = level.values.mean(2) / np.iinfo(level.values.dtype).max
    changes = np.stack([np.abs(np.diff(grey, axis=axis, append=grey.take([-1], axis))) for axis in (1, 0)], 2)
    known = ~maximum_filter(level.lost, 3)
    share = gaussian_filter(known.astype(np.float32), 2)[..., None] + 1e-6
    near = np.where(known[..., None], gaussian_filter(changes * known[..., None], (2, 2, 0)) / share, 0)
    picture, lost = (torch.from_numpy(part.transpose(2, 0, 1)[None]).float() for part in (near, ~known[..., None]))
    smooth = filled_biharmonically(picture, lost)[0].clamp_min(0)
    return smooth.numpy().transpose(1, 2, 0)


def _most_alike(targets: Floats, known: Floats, used: Floats) -> tuple[Places, Floats]:
    """Find the known patch most like each target, and how far off it is (squared).

    Args:
        used: how often more than on the mean the known ones are used already.
    """
    squares, typical, chosen = (known**2).sum(1), 0.0, np.zeros(len(targets), np.int64)
    for begin in range(0, len(targets), 2048):
        part = targets[begin : begin + 2048]
        distances = squares - 2 * part @ known.T + (part**2).sum(1)[:, None]
        typical = typical or float(np.median(distances.min(1)))
        distances += np.float32(OCCUPIED * typical) * used
        chosen[begin : begin + 2048] = distances.argmin(1)
    return chosen, ((targets - known[chosen]) ** 2).sum(1)


def _cohering(sources: Places, apart: Floats, near: Mask, whole: Mask, projected: Floats) -> Places:
    """Let each patch be copied from beside where its neighbour is, above and then at the left, where that is as alike.

    Ashikhmin (2001), "Synthesizing Natural Textures"; Hertzmann et al. (2001), "Image Analogies", equation 2.
    """
    found = sources.copy()
    for step, lines in ((sources.shape[1], near), (1, near.T)):
        for line in range(1, len(lines)):
            both = np.flatnonzero(lines[line] & lines[line - 1])
            places = line * sources.shape[1] + both if step > 1 else both * sources.shape[1] + line
            beside = np.minimum(found.take(places - step) + step, whole.size - 1)
            far = ((projected[places] - projected[beside]) ** 2).sum(1)
            taken = whole.take(beside) & (far <= COHERENT * apart.take(places))
            found.flat[places[taken]] = beside[taken]
    return found


def _occupied(places: Places, shape: tuple[int, ...]) -> Floats:
    """Tell for each place how often more it and those around are copied than places that are copied are on the mean."""
    counts = np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    around = gaussian_filter(counts, 1)
    mean = float(around[counts > 0].mean())
    return np.asarray(np.maximum(around.reshape(-1) / mean - 1, 0), np.float32)


def _projected(values: Floats, known: Places) -> Floats:
    """Give the principal components (h * w, n) of the patch around each pixel of values, by the known ones."""
    reach = PATCH // 2
    padded = np.pad(values, [(reach, reach), (reach, reach), (0, 0)], "edge")
    patches = sliding_window_view(padded, (PATCH, PATCH), (0, 1)).reshape(values.shape[0] * values.shape[1], -1)
    middle = patches[known].mean(0)
    axes = np.linalg.eigh(np.cov(patches[known].T))[1][:, -DIMENSIONS:].astype(np.float32)
    return np.asarray((patches - middle) @ axes)


def _mean(values: npt.NDArray[np.generic], hole: Mask, sources: Places, weights: Floats) -> Floats:
    """Give each pixel of a hole the weighted mean (n, c) of what the patches over it are copied from."""
    (height, width), reach = hole.shape, PATCH // 2
    flat, steps = values.reshape(-1, values.shape[2]), range(-reach, reach + 1)
    everywhere, parts = np.flatnonzero(hole), []
    for begin in range(0, len(everywhere), AT_A_TIME):
        places = everywhere[begin : begin + AT_A_TIME]
        rows, columns = np.divmod(places, width)
        total, count = np.zeros((len(places), flat.shape[1]), np.float32), np.zeros((len(places), 1), np.float32)
        for down, across in ((down, across) for down in steps for across in steps):
            inside = (rows + down >= 0) & (rows + down < height) & (columns + across >= 0) & (columns + across < width)
            middles = np.where(inside, places + down * width + across, places)
            weight = (weights.take(middles) * inside)[:, None]
            from_there = sources.take(middles) - np.where(inside, down * width + across, 0)
            total += weight * flat.take(from_there, 0)
            count += weight
        parts.append(total / count)
    return np.concatenate(parts)


def _nearness(hole: Mask) -> Floats:
    """Weigh patches by how near to what is known they are, (h, w)."""
    far = distance_transform_edt(hole)
    return np.asarray(np.power(NEARER, -np.minimum(far, 100)), np.float32)


def _doubled(sources: Places, shape: tuple[int, ...]) -> Places:
    """Give the places, in a copy of twice the size, that the pixels of it are copied from."""
    (rows, columns), (height, width) = np.divmod(sources, sources.shape[1]), shape
    down, across = (2 * part.repeat(2, 0)[:height].repeat(2, 1)[:, :width] for part in (rows, columns))
    down += np.arange(height)[:, None] % 2
    across += np.arange(width) % 2
    return np.asarray(down * width + across)
