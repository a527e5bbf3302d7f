"""Evenly spaced items of a stream."""

import numpy as np
import pytest

from gannet.runtime.selection import evenly_spaced


@pytest.mark.parametrize("most", [1, 2, 5, 8, 10])
def test_chosen_positions_lie_at_one_distance_from_the_first_item_to_the_end(most: int) -> None:
    for count in range(1, 200):
        found = np.array(evenly_spaced(iter(range(count)), most))
        distances = np.diff([*found, count])
        assert found[0] == 0 and len(set(distances[:-1].tolist())) <= 1 and distances[-1] <= distances[0]
        assert most / 2 <= len(found) <= most if count > most else len(found) == count


def test_of_nothing_nothing_is_chosen() -> None:
    assert evenly_spaced(iter(()), 4) == []
