"""Does a generator help? Classifiers learn with and without its samples, and are tested on reals they have not seen."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gannet.runtime.later import later

stats = later("scipy.stats")
ensemble = later("sklearn.ensemble")
naive_bayes = later("sklearn.naive_bayes")
neighbors = later("sklearn.neighbors")
neural_network = later("sklearn.neural_network")
tree = later("sklearn.tree")

SEEDS, MOST, MARGIN = 5, 10_000, 0.005
Labelled = tuple[np.ndarray, np.ndarray]

CLASSIFIERS: Mapping[str, Callable[[int], Any]] = {
    "naive Bayes": lambda seed: naive_bayes.GaussianNB(var_smoothing=0.01),  # noqa: ARG005
    "decision tree": lambda seed: tree.DecisionTreeClassifier(random_state=seed),
    "random forest": lambda seed: ensemble.RandomForestClassifier(100, random_state=seed, n_jobs=-1),
    "k-nearest neighbours": lambda seed: neighbors.KNeighborsClassifier(5),  # noqa: ARG005
    "neural network": lambda seed: neural_network.MLPClassifier(
        (128,), early_stopping=True, max_iter=100, random_state=seed
    ),
}
"""The discriminative models, and naive Bayes, each made from a seed."""


@dataclass(frozen=True)
class Score:
    """A classifier's accuracy on held-out reals: the mean over seeds, and its 95 % interval."""

    classifier: str
    learned_from: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Utility:
    """What came out.

    Attributes:
        scores: of every classifier and every arm.
        gains: by classifier, of real + generated over real alone, paired by seed.
        answer: yes, no or undecided, in a sentence.
        protocol: how it was done.
    """

    scores: list[Score]
    gains: list[Score]
    answer: str
    protocol: str

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Give the answer first, then a line a score."""
        rows = [
            f"{score.classifier:22} {score.learned_from:18} {score.value:.1%}  ({score.low:.1%} to {score.high:.1%})"
            for score in self.scores
        ]
        return [self.answer, *rows, f"{self.protocol}."]


def measure_utility(
    real: Labelled, fake: Labelled, test: Labelled, augment: Callable[[int], np.ndarray], seed: int
) -> Utility:
    """Let each classifier learn from real, augmented, generated, and real + generated samples, with several seeds.

    Args:
        real: all samples (n, d) that the generator has seen, with their labels (n,).
        fake: at least as many generated ones, from which each seed draws n.
        test: held-out reals.
        augment: gives the reals (n, d), classically augmented, for a seed.
    """
    count = len(real[0])
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for repeat in range(SEEDS):
        arms = _arms(real, fake, augment, seed + repeat)
        for name, make in CLASSIFIERS.items():
            for arm, (samples, labels) in arms.items():
                right = make(seed + repeat).fit(samples, labels).predict(test[0]) == test[1]
                found.setdefault((name, arm), []).append(right.astype(float))
    gains = [
        _score(
            name, "gain", np.subtract(found[name, "real + generated"], found[name, "real"]), questions=len(CLASSIFIERS)
        )
        for name in CLASSIFIERS
    ]
    scores = [_score(name, arm, np.array(values), questions=1) for (name, arm), values in found.items()]
    protocol = f"{SEEDS} seeds, {count:,} samples an arm and as many more, tested on {len(test[0]):,} held-out reals"
    return Utility(scores, gains, _answer(gains), protocol)


def _arms(real: Labelled, fake: Labelled, augment: Callable[[int], np.ndarray], seed: int) -> dict[str, Labelled]:
    random = np.random.default_rng(seed)
    rows = random.permutation(len(fake[0]))[: len(real[0])]
    made = fake[0][rows], fake[1][rows]
    return {
        "real": real,
        "augmented": _both(real, (augment(seed), real[1])),
        "generated": made,
        "real + generated": _both(real, made),
    }


def _both(one: Labelled, other: Labelled) -> Labelled:
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _score(name: str, arm: str, right: np.ndarray, questions: int) -> Score:
    """The mean over seeds and test samples (seeds, n), and an interval that allows for the chance in both.

    By Student's t, at 95 % for so many questions together (Bonferroni).
    """
    seeds, tests = right.shape
    middle = float(right.mean())
    variance = right.mean(1).var(ddof=1) / seeds + right.mean(0).var(ddof=1) / tests
    reach = float(stats.t.ppf(1 - 0.025 / questions, seeds - 1) * variance**0.5)
    return Score(name, arm, middle, middle - reach, middle + reach)


def _answer(gains: list[Score]) -> str:
    helped = [gain.classifier for gain in gains if gain.low > MARGIN]
    harmed = [gain.classifier for gain in gains if gain.high < -MARGIN]
    said = f"by more than {MARGIN:.1%} (95 % sure of all together)"
    if helped and not harmed:
        return f"Yes: generated samples beside the reals raise the accuracy {said} of: {', '.join(helped)}."
    if helped:
        return (
            f"It depends: they raise the accuracy {said} of {', '.join(helped)} and lower that of {', '.join(harmed)}."
        )
    if harmed:
        return f"No: they lower the accuracy {said} of: {', '.join(harmed)}."
    return f"No: generated samples beside the reals raise no classifier's accuracy {said}."
