"""Numbered pictures are told by their folder, and none of them is lost where two series would be called alike."""

import pytest

from gannet.media.series import numbered_series

ONE, TWO = ["a/one1.png", "a/one2.png"], ["a/two1.png", "a/two2.png"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (ONE, {"a": ONE}),
        ([*ONE, *TWO], {"a/one": ONE, "a/two": TWO}),
        (
            [*ONE, *TWO, "a/one/1.png", "a/one/2.png"],
            {"a/one1.png": ONE, "a/two": TWO, "a/one": ["a/one/1.png", "a/one/2.png"]},
        ),
        (["1.png", "2.png", "b1.png", "b2.png"], {"": ["1.png", "2.png"], "b": ["b1.png", "b2.png"]}),
    ],
)
def test_every_series_has_a_name_of_its_own(given: list[str], found: dict[str, list[str]]) -> None:
    assert numbered_series(given) == found
    assert numbered_series(given[::-1]) == found
