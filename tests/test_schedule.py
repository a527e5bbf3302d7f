"""The schedule: pure functions of a recipe and the images seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.recipe import Average, Recipe, RefereeSettings, Stage
from gannet.schedule import average_decay, crossed, measures_updates, position, stages, total_images

lengths = st.lists(st.integers(1, 1000), min_size=1, max_size=6)


def staged(images: list[int]) -> Recipe:
    return Recipe(name="staged", stages=tuple(Stage(name=f"s{i}", images=n) for i, n in enumerate(images)))


def test_without_stages_one_lasts_the_whole_run() -> None:
    recipe = Recipe(name="plain", images=77)
    assert [stage.images for stage in stages(recipe)] == [77]
    assert total_images(recipe) == 77
    assert stages(recipe)[0].learning_rate_scale == 1


@given(lengths, st.integers(0, 10_000))
def test_a_position_is_the_stage_that_holds_the_image(images: list[int], seen: int) -> None:
    recipe = staged(images)
    owner = [f"s{i}" for i, count in enumerate(images) for _ in range(count)]
    found = position(recipe, seen)
    assert found.stage.name == owner[min(seen, len(owner) - 1)]
    assert found.ends_at == sum(images[: int(found.stage.name[1:]) + 1])
    assert total_images(recipe) == sum(images)


@given(lengths)
def test_stages_change_exactly_at_their_ends(images: list[int]) -> None:
    recipe = staged(images)
    for index in range(len(images) - 1):
        end = sum(images[: index + 1])
        assert position(recipe, end - 1).stage.name == f"s{index}"
        assert position(recipe, end).stage.name == f"s{index + 1}"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 100))
def test_crossed_agrees_with_counting(before: int, length: int, every: int) -> None:
    multiples = [image for image in range(before + 1, before + length + 1) if image % every == 0]
    assert crossed(before, before + length, every) == bool(multiples)


def test_updates_are_measured_in_the_first_rounds_of_each_stage_and_where_the_referee_looks() -> None:
    looks = RefereeSettings(every=90, window=40)
    recipe = staged([150, 100]).model_copy(update={"batch": 16, "referee": looks})
    rounds = range(0, 256, 16)
    assert [start for start in rounds if measures_updates(recipe, start)] == [0, 16, 32, 80, 160, 176, 192]
    rare = recipe.model_copy(update={"referee": RefereeSettings(every=10**6)})
    assert [start for start in rounds if measures_updates(rare, start)] == [0, 16, 32, 160, 176, 192]


@given(st.integers(1, 10**6), st.integers(1, 500), st.integers(0, 10**9))
def test_after_a_half_life_half_is_left(half_life: int, rounds: int, images: int) -> None:
    average = Average(half_life=half_life, ramp=0)
    assert average_decay(average, images, half_life) == pytest.approx(0.5)
    kept = average_decay(average, images, max(1, half_life // rounds)) ** rounds
    assert kept == pytest.approx(0.5 ** (max(1, half_life // rounds) * rounds / half_life))


@given(st.integers(1, 10**6), st.floats(0.001, 1), st.integers(1, 10**9), st.integers(1, 1024))
def test_the_ramp_shortens_and_then_lets_go(half_life: int, ramp: float, images: int, batch: int) -> None:
    average = Average(half_life=half_life, ramp=ramp)
    decay = average_decay(average, images, batch)
    settled = average_decay(Average(half_life=half_life, ramp=0), images, batch)
    assert 0 <= decay <= settled < 1
    assert decay == pytest.approx(0.5 ** (batch / min(half_life, ramp * images)))
    assert average_decay(average, images + batch, batch) >= decay


def test_the_first_average_is_not_the_initial_noise() -> None:
    assert average_decay(Average(), images=64, batch=64) < 1e-5
    assert average_decay(Average(), images=0, batch=64) == 0
