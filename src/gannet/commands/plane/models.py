"""Generative beside discriminative models of the same points: P(X, Y), which can be drawn from, and P(Y | X)."""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

import numpy as np

from gannet.commands.plane.distributions import Labelled, choose_distribution, plane
from gannet.commands.plane.options import PlaneOptions
from gannet.metrics.utility import CLASSIFIERS
from gannet.runtime.later import later
from gannet.runtime.randomness import address

mixture = later("sklearn.mixture")

LEARNED, TESTED, DRAWN, GAUSSIANS, CELLS = 400, 1_000, 200, 6, 48
"""Points to learn from, to test on and to draw, Gaussians a class, and cells a side of the plane that is shown."""
FEWEST_OF_CLASS = 2 * GAUSSIANS
"""Points of a class that a mixture can be fitted to."""
DISCRIMINATIVE = ("decision tree", "random forest", "k-nearest neighbours", "neural network")


class Model(Protocol):
    """A model of labelled points in the plane."""

    def fit(self, points: np.ndarray, label: np.ndarray) -> object:
        """Learn from points (n, 2) and their classes (n,), 0 or 1."""

    def predict_proba(self, points: np.ndarray) -> np.ndarray:
        """Give P(Y | X) of points (n, 2), (n, 2)."""


class Generative(Model, Protocol):
    """A model that new points can be drawn from."""

    def draw(self, count: int, seed: int) -> Labelled:
        """Give new points (count, 2) and their classes (count,)."""


@dataclass(frozen=True)
class Portrait:
    """What a model made of the points.

    Attributes:
        name: of the model.
        kind: whether it learned P(X, Y) or P(Y | X).
        accuracy: on points that it did not learn from.
        seconds: that it learned.
        field: P(Y = 1 | X) over the plane, (cells, cells), rows from the top and columns from the left.
        drawn: points (n, 2) and classes (n,) that it drew; None where it cannot.
    """

    name: str
    kind: Literal["generative", "discriminative"]
    accuracy: float
    seconds: float
    field: np.ndarray
    drawn: Labelled | None


class NaiveBayes:
    """A Gaussian a class and an axis: within a class, x tells nothing of y."""

    def __init__(self, seed: int) -> None:
        self.model = CLASSIFIERS["naive Bayes"](seed)

    def fit(self, points: np.ndarray, label: np.ndarray) -> Self:
        """Estimate means and variances of each class."""
        self.model.fit(points, label)
        return self

    def predict_proba(self, points: np.ndarray) -> np.ndarray:
        """Give P(Y | X) by Bayes' rule."""
        found: np.ndarray = self.model.predict_proba(points)
        return found

    def draw(self, count: int, seed: int) -> Labelled:
        """Draw the class, then each axis by itself."""
        random = np.random.default_rng(seed)
        label = random.choice(2, count, p=self.model.class_prior_)
        deviations = np.sqrt(self.model.var_[label])
        return self.model.theta_[label] + deviations * random.standard_normal((count, 2)), label


class Mixture:
    """Six Gaussians a class, fitted by expectation maximization."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, points: np.ndarray, label: np.ndarray) -> Self:
        """Fit the Gaussians of each class, and count the classes."""
        self.prior = np.bincount(label, minlength=2) / len(label)
        self.parts = [
            mixture.GaussianMixture(GAUSSIANS, reg_covar=1e-4, n_init=3, random_state=self.seed).fit(
                points[label == one]
            )
            for one in (0, 1)
        ]
        return self

    def _gaussians(self) -> Any:
        return mixture.GaussianMixture(GAUSSIANS, reg_covar=1e-4, n_init=3, random_state=self.seed)

    def predict_proba(self, points: np.ndarray) -> np.ndarray:
        """Give P(Y | X) by Bayes' rule."""
        joint = np.stack([part.score_samples(points) for part in self.parts], 1) + np.log(self.prior)
        shares = np.exp(joint - joint.max(1, keepdims=True))
        found: np.ndarray = shares / shares.sum(1, keepdims=True)
        return found

    def draw(self, count: int, seed: int) -> Labelled:
        """Draw the class, then one of its Gaussians, then a point of that."""
        label = np.random.default_rng(seed).choice(2, count, p=self.prior)
        points = np.zeros((count, 2))
        for one, part in enumerate(self.parts):
            if wanted := int((label == one).sum()):
                part.random_state = seed
                points[label == one] = part.sample(wanted)[0]
        return points, label


GENERATIVE: Mapping[str, Callable[[int], Generative]] = {"naive Bayes": NaiveBayes, "Gaussian mixture": Mixture}


def labelled_points(options: PlaneOptions) -> Labelled:
    """Give the points (n, 2) that the models learn from, and their classes (n,).

    Raises:
        ValueError: too few of a class were drawn; one sentence.
    """
    points, label = choose_distribution(options).draw(LEARNED, address(options.seed, "models"))
    if min(np.bincount(label, minlength=2)) < FEWEST_OF_CLASS:
        raise ValueError("Models that tell two classes apart need points of both; draw more of the rarer colour.")
    return points, label


def portray(options: PlaneOptions) -> list[Portrait]:
    """Let every model learn the same points, the generative ones first.

    Args:
        options: which distribution, and the seed; the rest is about the game.

    Raises:
        ValueError: too few of a class were drawn; one sentence.
    """
    known = labelled_points(options)
    unseen = choose_distribution(options).draw(TESTED, address(options.seed, "models", "held-out"))
    portraits = []
    for name, make in GENERATIVE.items():
        model = make(options.seed)
        learned = _learned(model, known, unseen)
        portraits.append(Portrait(name, "generative", *learned, model.draw(DRAWN, options.seed)))
    for name in DISCRIMINATIVE:
        learned = _learned(_classifier(name, options.seed), known, unseen)
        portraits.append(Portrait(name, "discriminative", *learned, None))
    return portraits


def _classifier(name: str, seed: int) -> Any:
    """A classifier as the others measure with, for few points and one of several users of this machine."""
    model = CLASSIFIERS[name](seed)
    # So few points have none to spare for stopping early, and threads cost more than they save.
    wanted = {"n_jobs": 1, "early_stopping": False, "max_iter": 300, "learning_rate_init": 0.01}
    return model.set_params(**{key: value for key, value in wanted.items() if key in model.get_params()})


def _learned(model: Model, known: Labelled, unseen: Labelled) -> tuple[float, float, np.ndarray]:
    """Accuracy on what was not learned from, seconds to learn, and the field."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # A network that is not done is shown as it is.
        model.fit(*known)
    seconds = time.perf_counter() - start
    right = model.predict_proba(unseen[0]).argmax(1) == unseen[1]
    return float(right.mean()), seconds, model.predict_proba(plane(CELLS))[:, 1].reshape(CELLS, CELLS)
