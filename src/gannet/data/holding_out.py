"""Which samples are held out: never to be trained on."""

import numpy as np
import numpy.typing as npt

SEVERAL = 5
"""Groups of which two are held out at least."""
LARGEST_WHOLE, FEWEST_PARTED = 0.2, 10
"""The share of all that a group has at most to be on one side, and samples of one that is parted at least, of each so
many of which one is held out."""


def hold_out(digests: npt.NDArray[np.uint64], is_test: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Choose what is not trained on: bool (n,), with neither side empty for two pictures or more.

    The source's own test pictures, else a tenth by digest. Copies stay together unless all are copies.
    """
    if is_test.any() and not is_test.all():
        return is_test
    held_out: npt.NDArray[np.bool_] = digests % np.uint64(10) == 0
    if held_out.all() or not held_out.any():
        held_out = digests == digests.min()
    if held_out.all():
        held_out = np.arange(len(digests)) == len(digests) - 1
    return held_out


def hold_out_groups(groups: npt.NDArray[np.uint64], is_test: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Choose whole groups, at least a tenth of the samples and, of five groups or more, two: bool (n,).

    Raises ValueError when no two pictures belong together, or all do.
    """
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) in (1, len(groups)):
        raise ValueError(
            f"data.group puts the {len(groups):,} pictures into {len(names):,} groups; its first brackets must find "
            "what the names of one person's pictures have in common."
        )
    if is_test.any() and not is_test.all():
        return is_test
    return np.isin(groups, _a_tenth(names, sizes))


def _a_tenth(names: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Choose groups of at least a tenth of the samples, and of five groups or more at least two."""
    # The numbers of groups are hashes of their names, so their order is as good as random.
    enough = int(np.searchsorted(np.cumsum(sizes), sizes.sum() / 10)) + 1
    return names[: max(enough, 2 if len(names) >= SEVERAL else 1)]


def part_large(
    held_out: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.uint64],
    sizes: npt.NDArray[np.int64],
    is_test: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Choose anew where a group is too large to be on one side: of such the last tenth, in one piece, and of five
    others or more whole ones, at least a tenth of their samples: bool (n,). Copies within a group may be on both sides.

    Args:
        held_out: what is held out where no group is so large, or the source has test samples of its own.
        groups: of samples that follow one another, such as the parts of a film.
        sizes: what each sample counts, such as its frames.
    """
    names, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    large = (np.bincount(which, sizes) > LARGEST_WHOLE * sizes.sum()) & (counts >= FEWEST_PARTED)
    if not large.any() or (is_test.any() and not is_test.all()):
        return held_out
    small = names[~large]
    whole = _a_tenth(small, counts[~large]) if len(small) >= SEVERAL else small[:0]
    chosen: npt.NDArray[np.bool_] = np.isin(groups, whole)
    for group in np.flatnonzero(large):
        rows = np.flatnonzero(which == group)
        chosen[rows[-(len(rows) // FEWEST_PARTED) :]] = True
    return chosen
