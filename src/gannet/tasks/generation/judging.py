"""How a generator is judged: by held-out samples, by what it does for classifiers, and beside other models."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gannet.augmentation.distortions import vary
from gannet.data.loader import Loader
from gannet.metrics.features import Features, extract, fit_components, suits
from gannet.metrics.judgement import FEWEST, Evidence, Judgement, Query, judge_samples
from gannet.metrics.rivals import MOST_NUMBERS, MOST_SAMPLES, Rival, judge_briefly, judge_rivals
from gannet.metrics.utility import MOST, Utility, measure_utility
from gannet.tasks.generation.drawing import GenerationPipeline

JUDGED, AUDITED, FEWEST_FAKES, COMPONENT_SAMPLES, PART = 10_000, 100_000, 1_000, 5_000, 100
Own = tuple[Loader, Loader]


def judge(
    pipeline: GenerationPipeline, reals: Loader, own: Own | None, features: Features | None, query: Query
) -> Judgement:
    """Compare as many fakes as there are reals with them, by features that suit their size; see `judge_samples`.

    Fakes are of the classes of the reals, in the same shares.
    """
    _check(pipeline, reals, own, query)
    description = pipeline.settings.description
    if features is None or not suits(description.shape):
        features = fit_components(reals.spread(COMPONENT_SAMPLES)["real"])
    count = query.num or max(FEWEST_FAKES, min(len(reals), JUDGED))
    real_label = _labels(reals)
    fake_label = _in_the_shares_of(real_label, count, query.seed) if pipeline.settings.conditional else None
    real = _extracted(features, reals, JUDGED)
    evidence = Evidence(
        real=real,
        fake=extract(features, pipeline.stream(count, query.seed, fake_label)),
        training=_extracted(features, own[0], AUDITED) if own else None,
        held_out=(real if reals is own[1] else _extracted(features, own[1], JUDGED)) if own else None,
        features=features.name,
        real_label=real_label,
        fake_label=fake_label,
        classes=description.classes,
    )
    judgement = judge_samples(evidence, query.seed)
    if query.baselines and own:
        judgement = replace(judgement, rivals=tuple(_rivals(pipeline, own[0], evidence, features, query)))
    if query.utility and own:
        judgement = replace(judgement, utility=_utility(pipeline, reals, own[0], query.seed))
    return judgement


def _check(pipeline: GenerationPipeline, reals: Loader, own: Own | None, query: Query) -> None:
    """Refuse at once what would be refused after minutes."""
    asked = "Utility" if query.utility else "Baselines"
    if (query.utility or query.baselines) and own is None:
        raise ValueError(f"{asked} need what the model learned from; judge its run, with its own data still there.")
    if query.baselines and own:
        numbers = int(np.prod(pipeline.settings.description.shape))
        if numbers > MOST_NUMBERS or len(reals) < 2 * FEWEST:
            raise ValueError(
                f"Baselines take samples of at most {MOST_NUMBERS:,} numbers (these have {numbers:,}) and at least "
                f"{2 * FEWEST} reals (there are {len(reals):,}); give more data, or train at a smaller data.size."
            )
    if query.utility and own:
        if not pipeline.settings.conditional or "label" not in reals.arrays:
            raise ValueError("Utility needs a model with task.conditional=true, and reals of its classes.")
        if len(own[0]) > MOST:
            raise ValueError(
                f"This run learned from {len(own[0]):,} samples, too many for the classifiers, which must learn from "
                f"the same; train it with data.limit of at most {MOST:,}."
            )


def _extracted(features: Features, samples: Loader, most: int) -> Tensor:
    return extract(features, (part["real"] for part in samples.parts(PART, most)))


def _labels(reals: Loader) -> Tensor | None:
    if "label" not in reals.arrays:
        return None
    return torch.cat([part["label"] for part in reals.parts(PART, JUDGED)])


def _in_the_shares_of(known: Tensor | None, count: int, seed: int) -> Tensor | None:
    """Labels (count,) in the shares of known ones, in random order; None, all classes in turn, without them."""
    if known is None:
        return None
    spread = known.sort().values[(torch.arange(count) * len(known)) // count]
    return spread[torch.randperm(count, generator=torch.Generator().manual_seed(seed))]


def _rivals(
    pipeline: GenerationPipeline, training: Loader, evidence: Evidence, features: Features, query: Query
) -> Iterator[Rival]:
    """The model itself first, by the fewer measures that it is compared in, then the others."""
    count = min(len(evidence.fake), len(evidence.real), MOST_SAMPLES)
    start = time.perf_counter()
    for _ in pipeline.stream(count, query.seed):
        pass
    taken = 1000 * (time.perf_counter() - start) / count
    yield Rival("this model", None, taken, judge_briefly(evidence.real, evidence.fake, features.name, query.seed))
    known = training.spread(MOST_SAMPLES)
    yield from judge_rivals(known["real"], known.get("label"), evidence.real, features, count, query.seed)


def _utility(pipeline: GenerationPipeline, reals: Loader, training: Loader, seed: int) -> Utility:
    """Classifiers in the principal components of the pixels, on all that the generator has seen and no more."""
    known, unseen = training.spread(len(training)), reals.spread(JUDGED)
    components, count = fit_components(known["real"]), 2 * len(training)
    labels = _in_the_shares_of(known["label"], count, seed)
    assert labels is not None
    fake = extract(components, pipeline.stream(count, seed, labels))

    def augment(repeat: int) -> np.ndarray:
        return components(vary(known["real"], torch.Generator().manual_seed(repeat))).numpy()

    real, test = ((components(part["real"]).numpy(), part["label"].numpy()) for part in (known, unseen))
    return measure_utility(real, (fake.numpy(), labels.numpy()), test, augment, seed)
