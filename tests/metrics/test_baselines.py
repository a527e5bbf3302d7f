"""Other generative models: known densities are found again, draws follow them, and Bayes' rule classifies."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_digits

from gannet.metrics.baselines import BASELINES, ByClass, ChowLiuTree, Mixture, NaiveBayes


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    loaded = load_digits()
    return loaded.data / 16, loaded.target


def test_naive_bayes_draws_each_pixel_by_its_own_histogram() -> None:
    random = np.random.default_rng(0)
    samples = np.stack([random.random(4000) < 0.3, random.random(4000)], 1).astype(float)
    drawn = NaiveBayes.fit(samples, 0).draw(4000, 1)
    assert drawn[:, 0].mean() == pytest.approx(0.3, abs=0.03) and drawn[:, 1].std() == pytest.approx(0.29, abs=0.02)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.05


def chain(count: int) -> np.ndarray:
    """Four binary pixels: 2 follows 0, 1 follows 2, 3 follows 1, each nine times of ten."""
    random = np.random.default_rng(0)
    values = np.zeros((count, 4))
    values[:, 0] = random.random(count) < 0.5
    for child, parent in ((2, 0), (1, 2), (3, 1)):
        values[:, child] = np.where(random.random(count) < 0.9, values[:, parent], 1 - values[:, parent])
    return values


def test_the_chow_liu_tree_finds_the_chain_that_the_data_were_made_of() -> None:
    tree = ChowLiuTree.fit(chain(5000), 0)
    assert {(pixel, int(parent)) for pixel, parent in enumerate(tree.parents) if parent >= 0} == {
        (2, 0),
        (1, 2),
        (3, 1),
    }
    last = ChowLiuTree.LEVELS - 1
    assert tree.given[2, last, last] == pytest.approx(0.9, abs=0.02)
    drawn = tree.draw(5000, 1)
    for child, parent in ((2, 0), (1, 2), (3, 1)):
        assert (drawn[:, child] == drawn[:, parent]).mean() == pytest.approx(0.9, abs=0.02)


def test_the_trees_probabilities_add_up_to_one() -> None:
    tree = ChowLiuTree.fit(chain(500), 0)
    grid = np.stack(np.meshgrid(*[np.arange(4) / 3] * 4, indexing="ij"), -1).reshape(-1, 4)
    assert np.exp(tree.log_likelihood(grid)).sum() == pytest.approx(1, abs=1e-6)


def test_naive_bayes_probabilities_add_up_to_one() -> None:
    model = NaiveBayes.fit(chain(100)[:, :2], 0)
    grid = np.stack(np.meshgrid(*[np.arange(16) / 15] * 2, indexing="ij"), -1).reshape(-1, 2)
    assert np.exp(model.log_likelihood(grid)).sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_draws_look_like_the_data_more_than_noise_does_and_a_seed_fixes_them(
    name: str, digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, _ = digits
    model = BASELINES[name].fit(samples, 0)
    drawn = model.draw(300, 1)
    assert drawn.shape == (300, 64) and drawn.min() >= 0 and drawn.max() <= 1
    assert np.array_equal(drawn, model.draw(300, 1)) and not np.array_equal(drawn, model.draw(300, 2))
    noise = np.random.default_rng(0).random((300, 64))
    assert np.abs(drawn.mean(0) - samples.mean(0)).mean() < 0.3 * np.abs(noise.mean(0) - samples.mean(0)).mean()


def classify(model: ByClass, samples: np.ndarray) -> np.ndarray:
    """P(Y | X) by Bayes' rule, (n, classes)."""
    joint = np.stack([one.log_likelihood(samples) for one in model.models], 1) + np.log(model.shares)
    return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))


@pytest.mark.parametrize(("kind", "least"), [(NaiveBayes, 0.8), (Mixture, 0.88), (ChowLiuTree, 0.85)])
def test_bayes_rule_classifies(kind: type, least: float, digits: tuple[np.ndarray, np.ndarray]) -> None:
    samples, labels = digits
    model = ByClass.fit(kind, samples[:1200], labels[:1200], 0)
    shares = classify(model, samples[1200:])
    np.testing.assert_allclose(shares.sum(1), 1)
    assert (shares.argmax(1) == labels[1200:]).mean() > least


def test_samples_of_each_class_are_drawn_in_its_share_and_recognized_as_theirs(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    model = ByClass.fit(Mixture, *digits, 0)
    drawn, labels = model.draw(200, 0)
    np.testing.assert_allclose(np.bincount(labels) / 200, np.bincount(digits[1]) / len(digits[1]), atol=0.01)
    assert (classify(model, drawn).argmax(1) == labels).mean() > 0.9
