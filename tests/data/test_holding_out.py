"""What is held out: of a group that is much of what there is the end, of others whole ones."""

import numpy as np
import pytest

from gannet.data.holding_out import hold_out_groups, part_large

NOBODY = np.zeros(60, np.bool_)


def groups(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(1, len(counts) + 1, dtype=np.uint64), counts)


def parted(found: np.ndarray, sizes: np.ndarray | None = None, is_test: np.ndarray = NOBODY) -> list[int]:
    """The rows held out of these groups."""
    usual = hold_out_groups(found, is_test)
    sizes = np.ones(len(found), np.int64) if sizes is None else sizes
    return np.flatnonzero(part_large(usual, found, sizes, is_test[: len(found)])).tolist()


def test_the_last_tenth_of_a_large_group_is_held_out_in_one_piece() -> None:
    assert parted(groups(40, 4, 4, 4, 4, 4)) == [*range(36, 40), *range(40, 48)]
    assert parted(groups(1, 59)) == [*range(55, 60)]
    assert parted(groups(30, 30)) == [27, 28, 29, 57, 58, 59]


def test_groups_of_few_samples_stay_whole_and_so_do_those_that_are_little() -> None:
    few, small = groups(9, 9), groups(*[10] * 6)
    assert parted(few, is_test=NOBODY[:18]) == np.flatnonzero(hold_out_groups(few, NOBODY[:18])).tolist()
    assert parted(small) == np.flatnonzero(hold_out_groups(small, NOBODY)).tolist()


def test_a_group_is_as_large_as_what_is_in_it() -> None:
    found = groups(*[10] * 6)
    sizes = np.where(found == 6, 20, 1)
    assert parted(found, sizes) == [*range(20), 59]


@pytest.mark.parametrize("place", [0, 30])
def test_test_samples_of_the_sources_own_go_before(place: int) -> None:
    own = np.arange(60) == place
    assert parted(groups(40, 20), is_test=own) == [place]
