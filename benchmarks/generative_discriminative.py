"""P(X | Y) P(Y) beside P(Y | X): generative models used as classifiers, and the discriminative five. A table.

    GANNET_DATA=... python benchmarks/generative_discriminative.py --data mnist --samples 10000

Every model learns from the same pictures, as principal components where it is a discriminative one; tested are
held-out pictures. Reported: accuracy, seconds to learn, milliseconds to classify one picture, and whether it can draw.
"""

import argparse
import datetime
import os
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gannet.commands.train import configure, prepare, split_of
from gannet.metrics.baselines import ByClass, ChowLiuTree, Mixture, NaiveBayes
from gannet.metrics.features import fit_components
from gannet.metrics.utility import CLASSIFIERS

GENERATIVE = {"naive Bayes": NaiveBayes, "Gaussian mixture": Mixture, "Bayesian network (tree)": ChowLiuTree}
Answer = Callable[[np.ndarray], np.ndarray]


def timed(learn: Callable[[], Answer], pictures: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Accuracy, seconds to learn, milliseconds a picture."""
    start = time.perf_counter()
    answer = learn()
    learnt = time.perf_counter()
    right = answer(pictures) == labels
    return float(right.mean()), learnt - start, 1000 * (time.perf_counter() - learnt) / len(labels)


def generative(kind: Any, known: np.ndarray, labels: np.ndarray) -> Answer:
    """argmax P(X | Y) P(Y)."""
    model = ByClass.fit(kind, known, labels, 0)
    return lambda pictures: model.classify(pictures).argmax(1)


def discriminative(name: str, known: np.ndarray, labels: np.ndarray) -> Answer:
    """P(Y | X), learned as it is."""
    answer: Answer = CLASSIFIERS[name](0).fit(known, labels).predict
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--samples", type=int, default=10_000)
    options = parser.parse_args()
    changes = {"task.conditional": True, "data.limit": options.samples}
    prepared = prepare(configure("mnist", options.data, changes, ""))
    split = split_of(prepared)
    training, test = (side.spread(10_000) for side in (split.training, split.held_out))
    components = fit_components(training["real"])
    (known, labels), (unseen, truth) = (
        (part["real"].flatten(1).numpy() / 2 + 0.5, part["label"].numpy()) for part in (training, test)
    )
    print(f"{options.data}, {len(known):,} pictures to learn from, {len(unseen):,} to test on; ", end="")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {datetime.date.today()}\n")
    print("| model | learns | accuracy | seconds to learn | ms a picture | draws |\n|---|---|---|---|---|---|")
    for name, kind in GENERATIVE.items():
        row = timed(lambda kind=kind: generative(kind, known, labels), unseen, truth)
        print(f"| {name} | P(X, Y) | {row[0]:.1%} | {row[1]:.1f} | {row[2]:.3f} | yes |", flush=True)
    small, small_unseen = (components(part["real"]).numpy() for part in (training, test))
    for name in CLASSIFIERS:
        if name not in GENERATIVE:
            row = timed(lambda name=name: discriminative(name, small, labels), small_unseen, truth)
            print(f"| {name} | P(Y \\| X) | {row[0]:.1%} | {row[1]:.1f} | {row[2]:.3f} | no |", flush=True)


if __name__ == "__main__":
    main()
