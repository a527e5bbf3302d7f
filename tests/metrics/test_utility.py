"""Utility: a generator that adds what reals lack helps, one that mislabels harms, and one that repeats does neither."""

import numpy as np
import pytest

from gannet.metrics import utility as module
from gannet.metrics.utility import Labelled, measure_utility

CENTRES = 1.3 * np.random.default_rng(99).standard_normal((4, 6))


def drawn(count: int, seed: int) -> Labelled:
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    return CENTRES[labels] + random.standard_normal((count, 6)), labels


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {name: module.CLASSIFIERS[name] for name in ("naive Bayes", "k-nearest neighbours")}
    monkeypatch.setattr(module, "CLASSIFIERS", chosen)


REAL, TEST = drawn(16, 0), drawn(2000, 1)


def answer(fake: Labelled) -> str:
    return measure_utility(REAL, fake, TEST, lambda seed: REAL[0], seed=0).answer  # noqa: ARG005


def test_new_samples_of_the_true_distribution_help_where_reals_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEEDS", 8)
    assert answer(drawn(4000, 2)).startswith("Yes")


def test_wrong_labels_harm() -> None:
    samples, labels = drawn(400, 2)
    assert answer((samples, (labels + 1) % 4)).startswith("No: they lower")


def test_copies_of_the_reals_help_nobody() -> None:
    said = answer((np.tile(REAL[0], (10, 1)), np.tile(REAL[1], 10)))
    assert said.startswith("No") or "depends" in said


def test_every_arm_is_tested_on_the_same_reals_and_generated_ones_are_as_many_as_the_reals() -> None:
    found = measure_utility(REAL, drawn(64, 2), TEST, lambda seed: REAL[0], seed=0)  # noqa: ARG005
    arms = {score.learned_from for score in found.scores}
    assert arms == {"real", "augmented", "generated", "real + generated"}
    assert "16 samples" in found.protocol and "2,000 held-out reals" in found.protocol
    gain = {gain.classifier: gain.value for gain in found.gains}
    score = {(score.classifier, score.learned_from): score.value for score in found.scores}
    for name in ("naive Bayes", "k-nearest neighbours"):
        assert gain[name] == pytest.approx(score[name, "real + generated"] - score[name, "real"])
