"""How a generator is judged: by held-out samples, by what it does for classifiers, and beside other models."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from gannet.augmentation.distortions import vary
from gannet.data.loader import Loader
from gannet.metrics.features import Features, extract, fit_components, suits
from gannet.metrics.judgement import Evidence, Judgement, Query, judge_samples
from gannet.metrics.rivals import MOST_SAMPLES, Rival, judge_briefly, judge_rivals
from gannet.metrics.utility import MOST, Utility, measure_utility
from gannet.tasks.generation.drawing import GenerationPipeline

JUDGED, AUDITED, FEWEST_FAKES, COMPONENT_SAMPLES, PART = 10_000, 100_000, 1_000, 5_000, 500


def judge(
    pipeline: GenerationPipeline, reals: Loader, training: Loader | None, features: Features | None, query: Query
) -> Judgement:
    """Compare as many fakes as there are reals with them, by features that suit their size; see `judge_samples`."""
    # First, as it may be refused.
    utility = _utility(pipeline, reals, training, query.seed) if query.utility else None
    description = pipeline.settings.description
    if features is None or not suits(description.shape):
        features = fit_components(reals.spread(COMPONENT_SAMPLES)["real"])
    count = query.num or max(FEWEST_FAKES, min(len(reals), JUDGED))
    labels = pipeline.labels(count)
    judged = reals.parts(PART, JUDGED)
    real_label = torch.cat([part["label"] for part in judged]) if "label" in reals.arrays else None
    evidence = Evidence(
        real=extract(features, (part["real"] for part in reals.parts(PART, JUDGED))),
        fake=extract(features, pipeline.stream(count, query.seed)),
        training=extract(features, (part["real"] for part in training.parts(PART, AUDITED))) if training else None,
        features=features.name,
        real_label=real_label,
        fake_label=labels,
        classes=description.classes,
    )
    rivals = tuple(_rivals(pipeline, training, evidence, features, query)) if query.baselines else ()
    return replace(judge_samples(evidence, query.seed), utility=utility, rivals=rivals)


def _rivals(
    pipeline: GenerationPipeline, training: Loader | None, evidence: Evidence, features: Features, query: Query
) -> Iterator[Rival]:
    """The model itself first, by the fewer measures that it is compared in, then the others."""
    if training is None:
        raise ValueError("Baselines learn from what the model learned from; judge its run, with its data still there.")
    count = min(len(evidence.fake), len(evidence.real), MOST_SAMPLES)
    start = time.perf_counter()
    for _ in pipeline.stream(count, query.seed):
        pass
    taken = 1000 * (time.perf_counter() - start) / count
    fake, real = evidence.fake[:count], evidence.real
    yield Rival("this model", None, taken, judge_briefly(real, fake, features.name, query.seed))
    yield from judge_rivals(training.spread(MOST_SAMPLES)["real"], real, features, count, query.seed)


def _utility(pipeline: GenerationPipeline, reals: Loader, training: Loader | None, seed: int) -> Utility:
    """Classifiers in the principal components of the pixels, on all that the generator has seen and no more."""
    if not pipeline.settings.conditional or training is None:
        raise ValueError("Utility is judged on a run with task.conditional=true, whose own data are still there.")
    if len(training) > MOST:
        raise ValueError(
            f"This run learned from {len(training):,} samples, too many for the classifiers, which must learn from the "
            f"same; train it with data.limit of at most {MOST:,}."
        )
    known, unseen = training.spread(len(training)), reals.spread(JUDGED)
    components, count = fit_components(known["real"]), 2 * len(training)
    labels = pipeline.labels(count)
    assert labels is not None
    fake = extract(components, pipeline.stream(count, seed))

    def augment(repeat: int) -> np.ndarray:
        return components(vary(known["real"], torch.Generator().manual_seed(repeat))).numpy()

    real, test = ((components(part["real"]).numpy(), part["label"].numpy()) for part in (known, unseen))
    return measure_utility(real, (fake.numpy(), labels.numpy()), test, augment, seed)
