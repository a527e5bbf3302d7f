"""Which samples are held out: never to be trained on."""

import numpy as np
import numpy.typing as npt


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
    # The numbers of groups are hashes of their names, so their order is as good as random.
    enough = int(np.searchsorted(np.cumsum(sizes), len(groups) / 10)) + 1
    return np.isin(groups, names[: max(enough, 2 if len(names) >= 5 else 1)])
