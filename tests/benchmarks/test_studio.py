"""What the studio's benchmark makes of what it sees: percentiles, answers, rates of a training, and how much slower."""

from __future__ import annotations

import json
from types import ModuleType

import numpy as np
import pytest
from benchmark import benchmark


@pytest.fixture(scope="module")
def studio() -> ModuleType:
    """The benchmark."""
    return benchmark("studio")


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 100])
def test_percentiles_are_values_that_were_seen(studio: ModuleType, count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    for percent in (50, 95):
        wanted = np.percentile(values, percent, method="inverted_cdf")
        assert studio.percentile(values.tolist(), percent) == wanted


@pytest.mark.parametrize(
    ("stream", "came"),
    [
        ('event: heartbeat\ndata: null\n\nevent: complete\ndata: [[{"path": "a.png"}], {}]\n\n', True),
        ("event: complete\ndata: [null, null]\n\n", False),
        ('event: error\ndata: {"error": "The queue is full."}\n\n', False),
        ('event: generating\ndata: [[{"path": "a.png"}], {}]\n\n', False),
        ("", False),
    ],
)
def test_an_answer_is_a_file_at_the_end(studio: ModuleType, stream: str, came: bool) -> None:
    assert studio.answered(stream) is came


def test_a_training_is_as_fast_as_its_own_clock_says(studio: ModuleType) -> None:
    told = [(640, 1.0), (1280, 3.0), (2560, 5.0)]
    log = "\n".join(json.dumps({"images": images, "clock": {"seconds": seconds}}) for images, seconds in told)
    assert studio.rate(log) == pytest.approx(480)


def test_blocks_are_held_against_those_that_follow_them(studio: ModuleType) -> None:
    """A machine that slows down by half in the course of it does not look like a page that costs something."""
    unwatched = [1000.0, 900, 800, 700, 500]
    assert studio.slower([0.98 * one for one in unwatched], unwatched) == pytest.approx(2)
    assert studio.slower(unwatched, unwatched) == 0
