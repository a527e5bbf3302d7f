"""Each diagnosis from looks made by hand, and none from a run that goes well."""

from typing import Any

import pytest

from gannet.monitoring.diagnosis import ENOUGH_LOOKS, Case, diagnose, swing

FACTS = {"samples": 5_000, "batch": 32, "highest": 1.0, "absent": ""}
GOOD = {
    "fool_rate": 0.35,
    "accuracy_real": 0.7,
    "diversity": 0.95,
    "accuracy_train": 0.7,
    "accuracy_held_out": 0.68,
    "separation": 0.8,
    "lost": "",
    "near_copies": 0.01,
    "closer": 0.5,
}
FALLING = [0.6, 0.3, 0.15, 0.08, 0.05, 0.03, 0.02, 0.015, 0.012, 0.01]


def case(distances: list[float] = FALLING, facts: dict[str, Any] | None = None, **figures: Any) -> Case:
    """A run of so many looks; a list gives a figure of each look, a value that of all."""
    looks = [
        GOOD
        | {name: value[at] if isinstance(value, list) else value for name, value in figures.items()}
        | {"energy_distance": distance}
        for at, distance in enumerate(distances)
    ]
    return Case(looks, FACTS | (facts or {}))


def test_a_run_that_goes_well_is_healthy() -> None:
    assert diagnose(case()) == ["healthy"]


def test_a_run_whose_fakes_start_alike_and_far_away_is_healthy_once_they_are_not() -> None:
    diversity = [0.05, 0.1, 0.15, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.9]
    slow = [0.9, 0.7, 0.5, 0.35, 0.2, 0.12, 0.06, 0.03, 0.04, 0.03]
    for count in range(ENOUGH_LOOKS, 11):
        assert diagnose(case(slow[:count], diversity=diversity[:count])) == ["healthy"]


def test_nothing_is_said_of_the_game_before_enough_looks_but_bad_input_is() -> None:
    looks = FALLING[: ENOUGH_LOOKS - 1]
    assert diagnose(case(looks, diversity=0.0)) == ["too-early"]
    assert diagnose(case(looks, {"highest": 255.0}, diversity=0.0)) == ["values-out-of-range"]


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({"fool_rate": 0.81}, "discriminator-too-weak"),
        ({"accuracy_real": 0.19}, "discriminator-too-weak"),
        ({"separation": 0.1}, "discriminator-too-weak"),
        ({"accuracy_train": 0.9, "accuracy_held_out": 0.69}, "discriminator-overfitting"),
        ({"diversity": 0.4}, "mode-collapse"),
        ({"diversity": 1e-9}, "mode-collapse"),
        ({"distances": [0.5, 0.4, 0.45, 0.5, 0.42, 0.41]}, "divergence"),
        ({"distances": [0.5, 0.1, 0.02, 0.01, 0.12, 0.02, 0.01]}, "oscillation"),
        ({"lost": "three, five"}, "modes-lost"),
        ({"leak": 0.5}, "augmentation-leak"),
        ({"near_copies": 0.3}, "memorization"),
        ({"closer": 0.95}, "memorization"),
        ({"fool_rate": 0.01}, "discriminator-winning"),
        ({"distances": [0.5, 0.2, 0.15, 0.16, 0.15, 0.155]}, "plateaued"),
    ],
)
def test_each_symptom_has_its_name(figures: dict[str, Any], found: str) -> None:
    assert diagnose(case(**figures))[0] == found


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"highest": 255.0}, "values-out-of-range"),
        ({"samples": 60}, "too-few-samples"),
        ({"batch": 2}, "batch-too-small"),
        ({"absent": "three"}, "modes-lost"),
    ],
)
def test_bad_input_has_its_name(facts: dict[str, Any], found: str) -> None:
    assert diagnose(case(facts=facts)) == [found]


@pytest.mark.parametrize(
    ("conditional", "accuracy", "found"), [(1, 0.105, True), (1, 0.14, False), (0, 0.105, False), (1, 0.3, False)]
)
def test_labels_mean_nothing_when_neighbours_tell_them_no_better_than_chance(
    conditional: int, accuracy: float, found: bool
) -> None:
    facts = {"conditional": conditional, "inspected": 1_000, "label_chance": 0.1, "label_accuracy": accuracy}
    assert ("labels-without-meaning" in diagnose(case(facts=facts))) == found


@pytest.mark.parametrize(
    "figures",
    [
        {"accuracy_train": 0.69, "accuracy_held_out": 0.9},
        {"accuracy_train": [0.9] * 2 + [0.7] * 8, "accuracy_held_out": [0.2] * 2 + [0.65] * 8},
        {"lost": ["three"] * 8 + ["", "three"]},
        {"lost": ["one", "two"] * 5},
        {"fool_rate": 0.03},
        {"diversity": 0.55},
        {"distances": [0.5, 0.1, 0.02, 0.04, 0.02, 0.03, 0.02]},
    ],
)
def test_what_passes_or_is_slight_is_no_symptom(figures: dict[str, Any]) -> None:
    assert diagnose(case(**figures)) == ["healthy"]


def test_the_classes_lost_are_those_that_training_lacks_and_those_that_stay_away() -> None:
    run = case(FALLING[:6], {"absent": "nine"}, lost=["", "", "", "one, three", "three", "three, five"])
    assert run.lost == ["nine", "three"] and run.evidence()["lost_for_good"] == "nine, three"


@pytest.mark.parametrize(
    ("updates", "found"),
    [
        ({"generator": 0.0001, "discriminator": 0.01}, "hardly-moves"),
        ({"generator": 0.01, "discriminator": 1.0}, "moves-too-much"),
        ({"generator": 0.003, "discriminator": 0.01}, "modes-lost"),
        ({"generator": 0.01}, "modes-lost"),
        ({}, "modes-lost"),
    ],
)
def test_a_learning_rate_out_of_proportion_is_named_where_something_is_amiss(
    updates: dict[str, float], found: str
) -> None:
    facts = {"learning_rates": {"generator": 2e-4, "discriminator": 2e-4}}
    assert diagnose(case(facts=facts, lost="three", updates=updates))[0] == found
    assert diagnose(case(facts=facts, updates=updates)) == ["healthy"]


def test_steps_of_several_times_the_weights_are_named_whatever_else_is_seen() -> None:
    facts = {"learning_rates": {"generator": 2e-4, "discriminator": 0.2}}
    assert diagnose(case(facts=facts, updates={"generator": 0.1, "discriminator": 10.0})) == ["moves-too-much"]


def test_the_swing_is_the_widest_way_up_from_the_best_so_far() -> None:
    assert swing([0.5, 0.1, 0.02, 0.3, 0.01, 0.2]) == (0.02, 0.3)
    assert swing([0.5, 0.4]) == (0.5, 0.5) or swing([0.5, 0.4])[0] == swing([0.5, 0.4])[1]
    assert swing([]) == (0.0, 0.0)
