"""Generative models other than GANs, to ask whether a GAN is worth its minutes.

Each learns a density of vectors (n, d) in [0, 1], draws new ones, and, where it can, gives their log likelihood, so
that one model a class makes a classifier: argmax P(X | Y) P(Y).
"""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from gannet.runtime.later import later

decomposition = later("sklearn.decomposition")
graphs = later("scipy.sparse.csgraph")
mixture_models = later("sklearn.mixture")
neural_network = later("sklearn.neural_network")

Array = np.ndarray[Any, Any]


class Baseline(Protocol):
    """A generative model of vectors."""

    @classmethod
    def fit(cls, samples: Array, seed: int, whole: Array | None = None) -> Self:
        """Learn from samples (n, d) in [0, 1]; `whole`: those of all classes, for what their models share."""

    def draw(self, count: int, seed: int) -> Array:
        """Give new samples (count, d) in [0, 1]."""


@dataclass(frozen=True)
class NaiveBayes:
    """Every pixel by itself: a histogram of grey levels, (d, levels)."""

    shares: Array
    LEVELS = 16

    @classmethod
    def fit(cls, samples: Array, seed: int, whole: Array | None = None) -> Self:
        """Count the levels of every pixel, one more each than were seen."""
        counts = np.stack([(_levels(samples, cls.LEVELS) == level).sum(0) for level in range(cls.LEVELS)], 1)
        return cls((counts + 1) / (len(samples) + cls.LEVELS))

    def draw(self, count: int, seed: int) -> Array:
        """Draw every pixel by itself."""
        random = np.random.default_rng(seed)
        passed = random.random((count, len(self.shares), 1)) > self.shares.cumsum(1)[None]
        found: Array = passed.sum(2).clip(max=self.LEVELS - 1) / (self.LEVELS - 1)
        return found

    def log_likelihood(self, samples: Array) -> Array:
        """Give the sum over the pixels, (n,)."""
        pixels = np.arange(len(self.shares))
        found: Array = np.log(self.shares[pixels, _levels(samples, self.LEVELS)]).sum(1)
        return found


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture over the principal components of the pixels."""

    components: Any
    mixture: Any
    KEPT, GAUSSIANS = 48, 24

    @classmethod
    def fit(cls, samples: Array, seed: int, whole: Array | None = None) -> Self:
        """Fit by expectation maximization, in the components of `whole`: likelihoods compare in the same ones only."""
        whole = samples if whole is None else whole
        components = decomposition.PCA(min(cls.KEPT, *whole.shape), random_state=seed).fit(whole)
        gaussians = max(1, min(cls.GAUSSIANS, len(samples) // 200))
        mixture = mixture_models.GaussianMixture(
            gaussians, covariance_type="full", reg_covar=1e-4, random_state=seed, max_iter=50
        )
        return cls(components, mixture.fit(components.transform(samples)))

    def draw(self, count: int, seed: int) -> Array:
        """Draw components, and bring them back to pixels."""
        mixture = self.mixture
        mixture.random_state = seed
        found: Array = self.components.inverse_transform(mixture.sample(count)[0]).clip(0, 1)
        return np.random.default_rng(seed).permutation(found)

    def log_likelihood(self, samples: Array) -> Array:
        """Give it in the components, (n,)."""
        found: Array = self.mixture.score_samples(self.components.transform(samples))
        return found


@dataclass(frozen=True)
class ChowLiuTree:
    """A Bayesian network in which every pixel has one parent: the best tree there is (Chow and Liu, 1968).

    Attributes:
        order: pixels from the root outwards.
        parents: of each pixel; the root's is negative.
        given: P(level | level of the parent), (d, levels of the parent, levels); the root has equal rows.
    """

    order: Array
    parents: Array
    given: Array
    LEVELS = 4

    @classmethod
    def fit(cls, samples: Array, seed: int, whole: Array | None = None) -> Self:
        """Give the tree of the largest total mutual information (equation 18)."""
        levels = _levels(samples, cls.LEVELS)
        joint = _pair_shares(levels, cls.LEVELS)
        # A spanning tree of least weight leaves out edges of weight zero, so all weights are above it.
        tree = graphs.minimum_spanning_tree(1 + cls.LEVELS - _mutual_information(joint))
        order, parents = graphs.breadth_first_order(tree, 0, directed=False)
        before = np.where(parents < 0, np.arange(len(parents)), parents)
        pairs = joint[before, :, np.arange(len(parents)), :]
        root = np.repeat(np.einsum("aa->a", pairs[0])[None], cls.LEVELS, 0)
        pairs = np.concatenate([root[None], pairs[1:]])
        return cls(order, parents, pairs / pairs.sum(2, keepdims=True))

    def draw(self, count: int, seed: int) -> Array:
        """Draw from the root outwards, each pixel given its parent."""
        random = np.random.default_rng(seed)
        levels = np.zeros((count, len(self.parents)), np.int64)
        for pixel in self.order:
            rows = self.given[pixel, levels[:, self.parents[pixel]] if self.parents[pixel] >= 0 else 0]
            passed = random.random((count, 1)) > np.broadcast_to(rows.cumsum(-1), (count, self.LEVELS))
            levels[:, pixel] = passed.sum(1).clip(max=self.LEVELS - 1)
        return levels / (self.LEVELS - 1)

    def log_likelihood(self, samples: Array) -> Array:
        """Give the sum over the pixels, each given its parent, (n,)."""
        levels = _levels(samples, self.LEVELS)
        before = np.where(self.parents < 0, 0, levels[:, self.parents.clip(0)])
        found: Array = np.log(self.given[np.arange(len(self.parents)), before, levels]).sum(1)
        return found


@dataclass(frozen=True)
class BoltzmannMachine:
    """A Markov random field: a restricted Boltzmann machine (Smolensky, 1986), drawn from by Gibbs sampling."""

    machine: Any
    start: Array
    HIDDEN, STEPS = 256, 500

    @classmethod
    def fit(cls, samples: Array, seed: int, whole: Array | None = None) -> Self:
        """Fit by persistent contrastive divergence (Tieleman, 2008)."""
        machine = neural_network.BernoulliRBM(
            cls.HIDDEN, learning_rate=0.05, batch_size=50, n_iter=15, random_state=seed
        )
        return cls(machine.fit(samples), samples.mean(0))

    def draw(self, count: int, seed: int) -> Array:
        """Run chains of 500 steps from noise with the mean of the data;
        the last step's probabilities are the pixels.
        """
        machine, random = self.machine, np.random.default_rng(seed)
        visible = random.random((count, len(self.start))) < self.start
        for _ in range(self.STEPS):
            hidden = random.random((count, self.HIDDEN)) < machine.transform(visible.astype(float))
            shares = _logistic(hidden @ machine.components_ + machine.intercept_visible_)
            visible = random.random(shares.shape) < shares
        return shares


BASELINES: dict[str, type[Baseline]] = {
    "naive Bayes": NaiveBayes,
    "Gaussian mixture": Mixture,
    "Bayesian network": ChowLiuTree,
    "Markov random field": BoltzmannMachine,
}


@dataclass(frozen=True)
class ByClass:
    """One model a class, and the shares of the classes: P(X | Y) and P(Y)."""

    models: list[Baseline]
    shares: Array

    @classmethod
    def fit(cls, kind: type[Baseline], samples: Array, labels: Array, seed: int) -> Self:
        """Fit a model of this kind to each class."""
        counts = np.bincount(labels)
        return cls(
            [kind.fit(samples[labels == number], seed, samples) for number in range(len(counts))], counts / len(labels)
        )

    def draw(self, count: int, seed: int) -> tuple[Array, Array]:
        """Give new samples (count, d), the classes in their shares and in random order, and their labels (count,)."""
        places = (np.arange(count) + 0.5) / count
        labels = np.searchsorted(self.shares.cumsum(), places).clip(max=len(self.shares) - 1)
        labels = np.random.default_rng(seed).permutation(labels)
        parts = [model.draw(int((labels == number).sum()), seed + number) for number, model in enumerate(self.models)]
        found = np.zeros((count, parts[0].shape[1]))
        for number, part in enumerate(parts):
            found[labels == number] = part
        return found, labels


def _levels(samples: Array, levels: int) -> Array:
    """Values in [0, 1] as whole levels."""
    found: Array = (samples * (levels - 1)).round().astype(np.int64).clip(0, levels - 1)
    return found


def _pair_shares(levels: Array, many: int) -> Array:
    """P(level of one pixel, level of another), (d, levels, d, levels); a little more than zero everywhere."""
    count, pixels = levels.shape
    hot = np.zeros((count, pixels, many), np.float32)
    np.put_along_axis(hot, levels[:, :, None], 1, 2)
    flat = hot.reshape(count, -1)
    joint = (flat.T @ flat).reshape(pixels, many, pixels, many)
    found: Array = (joint + 0.1) / (count + 0.1 * many**2)
    return found


def _mutual_information(joint: Array) -> Array:
    """Of every pair of pixels, (d, d), in nats."""
    own = joint.sum(3).mean(2)
    independent = own[:, :, None, None] * own[None, None]
    found: Array = (joint * np.log(joint / independent)).sum((1, 3))
    return found


def _logistic(values: Array) -> Array:
    found: Array = 1 / (1 + np.exp(-values))
    return found
