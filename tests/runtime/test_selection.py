"""A few out of many, evenly."""

import pytest

from gannet.runtime.selection import evenly


@pytest.mark.parametrize("count", [0, 3, 8, 9, 17, 100, 1000])
def test_few_of_many_are_in_order_from_all_over_and_all_of_few(count: int) -> None:
    found = evenly(iter(range(count)), 8)
    assert len(found) == min(count, 8) and found == sorted(set(found))
    if count > 8:
        assert found[0] == 0 and found[-1] >= count * 0.7
