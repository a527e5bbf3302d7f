"""Steps out of proportion: whom they name, what is suggested, and that a frozen or slower player is left in peace."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gannet.adversarial.game import Seen
from gannet.monitoring.updates import APART, ENOUGH_ROUNDS, TOO_FAR, TOO_NEAR, Updates, find_misstep

RATES = {"generator": 2e-4, "discriminator": 2e-4}
usual = st.floats(2.5e-3, 0.15)


def seen(images: int = 64, **sizes: float) -> Seen:
    return Seen(images, 64, {}, {}, {player: torch.tensor(size) for player, size in sizes.items()})


@given(usual, st.floats(1, 4), st.sampled_from(list(RATES)), st.sampled_from([0.01, 100.0]))
def test_a_rate_a_hundred_times_off_is_named_and_what_is_suggested_brings_it_back(
    step: float, unlike: float, player: str, times: float
) -> None:
    """Players whose steps differ by up to four at the same rate: whichever is off, and to whichever side."""
    steps = {"generator": step, "discriminator": step / unlike if step / unlike > 2.5e-3 else step}
    found = find_misstep(steps | {player: steps[player] * times}, RATES | {player: RATES[player] * times})
    assert found is not None and found.player == player
    assert found.state == ("moves-too-much" if times > 1 else "hardly-moves")
    assert RATES[player] / 5 < found.suggested < RATES[player] * 5


@given(usual, st.floats(1.01 / APART, 0.99 * APART), st.booleans())
def test_players_whose_steps_are_less_than_twenty_times_apart_are_in_proportion(
    step: float, times: float, mirrored: bool
) -> None:
    pair = (step, min(TOO_FAR, max(TOO_NEAR, step * times)))
    sizes = dict(zip(RATES, reversed(pair) if mirrored else pair, strict=True))
    assert find_misstep(sizes, RATES) is None


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ({}, None),
        ({"generator": 0.001}, None),
        ({"generator": 1.9}, None),
        ({"generator": 3.0}, ("moves-too-much", "generator", 1e-6)),
        ({"generator": 5e-5}, ("hardly-moves", "generator", 0.08)),
        ({"generator": 10.0, "discriminator": 20.0}, ("moves-too-much", "discriminator", 2e-7)),
        ({"generator": 1e-5, "discriminator": 5e-5}, ("hardly-moves", "generator", 0.4)),
        ({"generator": 0.01, "frame": 0.012, "clip": 1.2}, ("moves-too-much", "clip", 2e-6)),
        ({"generator": 1e-4, "frame": 0.012, "clip": 0.01}, ("hardly-moves", "generator", 0.02)),
    ],
)
def test_known_steps_and_who_is_named(sizes: dict[str, float], found: tuple[str, str, float] | None) -> None:
    misstep = find_misstep(sizes, dict.fromkeys(sizes, 2e-4))
    assert (misstep and (misstep.state, misstep.player, misstep.suggested)) == found


def test_the_largest_step_counts_and_the_newest_is_logged() -> None:
    updates = Updates(RATES)
    for sizes in ({"generator": 0.02, "discriminator": 0.01}, {"generator": 1e-6}, {}):
        updates.observe(seen(**sizes))
    assert updates.largest == pytest.approx({"generator": 0.02, "discriminator": 0.01})
    assert updates.measures() == pytest.approx({"generator": 1e-6})


@pytest.mark.parametrize("size", [0.0, float("nan"), float("inf")])
def test_who_stands_still_or_started_at_zero_has_no_step(size: float) -> None:
    updates = Updates(RATES)
    updates.observe(seen(generator=0.01, discriminator=size))
    assert set(updates.largest) == set(updates.measures()) == {"generator"}


def test_it_is_told_once_after_enough_rounds_and_not_again_when_resumed() -> None:
    told: list[str] = []
    updates = Updates({"generator": 0.1}, told.append)
    for _ in range(ENOUGH_ROUNDS - 1):
        updates.observe(seen(generator=10.0))
    assert not told
    resumed = Updates({"generator": 0.1}, told.append)
    resumed.load_state_dict(updates.state_dict())
    for _ in range(3):
        resumed.observe(seen(generator=0.001))
    assert len(told) == 1 and "optimizer.generator.learning_rate=0.1" in told[0] and "0.0002" in told[0]


def test_steps_in_proportion_are_not_spoken_of() -> None:
    told: list[str] = []
    updates = Updates(RATES, told.append)
    for _ in range(2 * ENOUGH_ROUNDS):
        updates.observe(seen(generator=0.01, discriminator=0.03))
    assert not told


def test_what_an_earlier_version_saved_holds_no_steps() -> None:
    updates = Updates(RATES)
    updates.load_state_dict({})
    assert updates.measures() == {} and updates.largest == {}


def test_the_state_survives_a_safe_load(tmp_path: Any) -> None:
    updates, restored = Updates(RATES), Updates(RATES)
    updates.observe(seen(generator=0.02))
    torch.save(updates.state_dict(), tmp_path / "state.pt")
    restored.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert restored.state_dict() == updates.state_dict()
