"""One sentence on the samples: by what reals score, by the worst figure, and by how much of the plan was seen."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from gannet.monitoring.light_judgement import FEWEST, LightJudge
from gannet.monitoring.nearness import FAR, NEAR, Outlook, closeness, tell_nearness


def measured(name: str, value: float, floor: float | None, **more: float) -> dict[str, Any]:
    return {"name": name, "value": value, "floor": floor, **more}


def judged(*measures: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"measures": list(measures), "plural": "pictures", **more}


PRECISION, COVERAGE = measured("precision", 0.0, 0.71), measured("coverage", 0.9, 0.95)


@pytest.mark.parametrize(
    ("judgement", "outlook", "words"),
    [
        (
            judged(COVERAGE, PRECISION),
            Outlook(0.04, 2_705),
            "Far from your pictures: precision 0 (reals: 0.71); only 4% of the plan seen; at this rate 45 min more.",
        ),
        (judged(COVERAGE), Outlook(1.0, 0), "Near your pictures: coverage 0.9 (reals: 0.95)."),
        (judged(COVERAGE), Outlook(0.5, 90), "Near your pictures: coverage 0.9 (reals: 0.95); 50% of the plan seen; at "
         "this rate 1 min 30 s more."),
        (judged(measured("precision", 0.5, 0.8)), None, "On the way to your pictures: precision 0.5 (reals: 0.8)."),
        (judged(measured("energy distance", 0.004, 0)), None, "Near your pictures: energy distance 0.004 (reals: 0)."),
        (judged(measured("energy distance", 0.3, 0)), None, "Far from your pictures: energy distance 0.3 (reals: 0)."),
        (
            judged(COVERAGE, measured("energy distance of motion", 3.2, 0.01)),
            None,
            "Far from your pictures: energy distance of motion 3.2 (reals: 0.01).",
        ),
        (
            judged(COVERAGE, memorization={"memorizes": True, "words": "Half of the fakes are copies."}),
            None,
            "Near your pictures, but by copying them: Half of the fakes are copies.",
        ),
        (
            judged(
                COVERAGE, measured("clipped coverage", 0.754, 0.97), measured("clipped density", 0.909, 0.99),
                memorization={"memorizes": True, "extent": "some", "copied": 0.012, "words": "Some are copies."},
            ),
            Outlook(0.5, 90),
            "Near your pictures: coverage 0.9 (reals: 0.95), as if 91% of them were good and 75% of yours were reached"
            "; 1.2% of the fakes copy what was learned from; 50% of the plan seen; at this rate 1 min 30 s more.",
        ),
        (
            judged(COVERAGE, measured("clipped density", 0.909, 0.99), measured("clipped coverage", float("nan"), 1)),
            None,
            "Near your pictures: coverage 0.9 (reals: 0.95).",
        ),
        (
            judged(PRECISION, measured("clipped density", 0.0, 0.99), measured("clipped coverage", 0.004, 0.99)),
            None,
            "Far from your pictures: precision 0 (reals: 0.71).",
        ),
        (
            judged(COVERAGE, memorization={"memorizes": True, "extent": "many", "words": "Half are copies."}),
            None,
            "Near your pictures, but by copying them: Half are copies.",
        ),
        (
            judged(
                measured("PSNR", 25.0, None),
                measured("perceptually nearer than bicubic", 0.91, None, low=0.8),
                measured("perceptually nearest of all", 0.85, None, low=0.7),
            )
            | {"plural": "photographs"},
            None,
            "Nearer to your photographs than what needs no learning: perceptually nearest of all in 85%.",
        ),
        (
            judged(measured("perceptually nearer than bicubic", 0.55, None, low=0.45)),
            None,
            "No nearer to your pictures than what needs no learning: perceptually nearer than bicubic in 55%.",
        ),
        (judged(measured("accuracy", 0.953, None)), None, "Held against your pictures: accuracy 0.95."),
        (
            {},
            Outlook(0.001, 7_300),
            "How near it is to your samples is not measured; less than 1% of the plan seen; "
            "at this rate 2 h 2 min more.",
        ),
    ],
)  # fmt: skip
def test_the_sentence_says_what_is_known(judgement: dict[str, Any], outlook: Outlook | None, words: str) -> None:
    assert tell_nearness(judgement, outlook).words == words


@pytest.mark.parametrize("extent", ["some", "many"])
def test_whoever_copies_is_not_shown_as_good(extent: str) -> None:
    copies = {"memorizes": True, "extent": extent, "copied": 0.05, "words": "Some are copies."}
    assert tell_nearness(judged(COVERAGE, memorization=copies)).kind == "bad"


def test_by_pixels_alone_nothing_is_near_for_blurred_fakes_pass_them() -> None:
    found = tell_nearness(judged(COVERAGE), light=True)
    assert found.words == "No longer far from your pictures, as far as their pixels tell: coverage 0.9 (reals: 0.95)."
    assert found.short == "no longer far from your pictures" and found.kind == "open"
    assert tell_nearness(judged(measured("coverage", 0.1, 0.95)), light=True).state == "far"


@given(some.floats(0, 1), some.floats(0.05, 1), some.floats(-0.1, 2))
def test_what_is_far_by_any_figure_is_never_called_near_or_good(
    precision: float, floor: float, distance: float
) -> None:
    measures = [measured("precision", precision, floor), measured("energy distance", distance, 0.0)]
    found, close = tell_nearness(judged(*measures)), [closeness(one) for one in measures]
    assert (found.state == "far") == any(one < FAR for one in close)
    assert (found.kind == "good") == (found.state == "near") == all(one >= NEAR for one in close)


@pytest.mark.parametrize("name", ["precision", "energy distance"])
def test_fakes_that_cannot_be_measured_are_far(name: str) -> None:
    assert tell_nearness(judged(measured(name, float("nan"), 0.5))).state == "far"


def test_a_light_judge_tells_equals_from_others_and_reals_score_their_floor() -> None:
    real = torch.randn(400, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    held_out, training, other = real[:150], real[150:300], real[250:]

    def state(fake: torch.Tensor) -> str:
        return tell_nearness(judged(*LightJudge(lambda: fake, held_out, training)())).state

    assert state(other) == "near"
    assert state(other * 0.05) == state(other + 3) == state(other[:1].expand(150, -1, -1, -1)) == "far"
    again = LightJudge(lambda: training, held_out, training)()
    assert all(one["value"] == one["floor"] for one in again)


@pytest.mark.parametrize("count", [FEWEST - 1, FEWEST])
def test_a_light_judge_needs_reals(count: int) -> None:
    assert LightJudge(lambda: torch.zeros(count, 2), torch.zeros(count, 2), torch.zeros(99, 2)).able == (
        count >= FEWEST
    )


@pytest.mark.parametrize(
    ("best", "value", "others", "told"),
    [
        ("high", 0.98, {"model": 0.98, "n-gram": 1.0}, "accuracy 0.98; n-gram does better: 1."),
        ("high", 0.98, {"model": 0.98, "n-gram": 0.9}, "accuracy 0.98."),
        ("low", 0.3, {"n-gram": 0.25, "last": 0.2, "mean": 0.4}, "accuracy 0.3; last does better: 0.2."),
        (1.0, 0.3, {"n-gram": 0.9}, "accuracy 0.3."),
    ],
)
def test_a_headline_says_which_other_model_does_better(
    best: Any, value: float, others: dict[str, float], told: str
) -> None:
    def figures(figure: float) -> dict[str, Any]:
        return {**measured("accuracy", figure, None), "best": best}

    rivals = [{"name": name, "measures": [figures(one)]} for name, one in others.items()]
    found = tell_nearness({"measures": [figures(value)], "plural": "texts", "rivals": rivals})
    assert found.words == f"Held against your texts: {told}"
