"""How a generator is judged: by held-out samples, by what it does for classifiers, and beside other models."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gannet.adversarial.two_player import GENERATOR
from gannet.augmentation.distortions import vary
from gannet.data.image_dataset import conversions
from gannet.data.loader import Samples, Sides
from gannet.metrics.baseline_comparison import (
    MOST_DRAWN,
    MOST_NUMBERS,
    MOST_SAMPLES,
    BaselineResult,
    judge_baselines,
    judge_briefly,
)
from gannet.metrics.features import Features, PixelComponents, extract, fit_components, suits
from gannet.metrics.judgement import FEWEST, Evidence, Judgement, glance_at, judge_samples
from gannet.metrics.modes import SAMPLES, SUREST, measure_modes
from gannet.metrics.options import JudgeOptions
from gannet.metrics.utility import MOST, Utility, measure_utility
from gannet.monitoring.data_checks import rows
from gannet.recipe import Checkpoints, Data, Logging, Optimizer, Recipe, RefereeSettings
from gannet.schema import Choice
from gannet.task import Exam, Origin
from gannet.tasks.generation.leak_detectors import Detector, measure_leaks, strengths_of
from gannet.tasks.generation.pipeline import GenerationPipeline

JUDGED, ALL_JUDGED, AUDITED, FEWEST_FAKES, COMPONENT_SAMPLES, PART = 10_000, 50_000, 100_000, 1_000, 5_000, 100
FLOW_RATE, CLASSIFIER_RATE, CLASSIFIER_IMAGES, TIMED = 1e-3, 2e-3, 240_000, 10


def evaluate(pipeline: GenerationPipeline, exam: Exam) -> Judgement:
    """Compare as many fakes as there are reals with them, by features that suit their size; see `judge_samples`.

    Fakes are of the classes of the reals, in the same shares.
    """
    query, own, origin, reals = exam.query, exam.own, exam.origin, exam.reals
    _check(pipeline, exam)
    description = pipeline.settings.description
    features = exam.features if query.features or suits(description.shape) else None
    if features is None:
        features = fit_components(reals.spread(COMPONENT_SAMPLES)["real"])
    evidence = _evidence(pipeline, exam, features)
    take = glance_at if query.fast else judge_samples
    judgement = replace(take(evidence, query.seed), notes=conversions(exam.source, description))
    if query.fast:
        return judgement
    if own and judgement.memorization and len(description.shape) == 3:
        fakes, known = judgement.memorization.pairs.unbind(1)
        shown = [pipeline.pick(fakes, query.seed, evidence.fake_label), own[0].pick(known.numpy(), AUDITED)["real"]]
        judgement = replace(judgement, closest=torch.cat(shown))
    if origin and origin.recipe.data.options.get("stack", 1) != 1:
        judgement = _with_modes(judgement, pipeline, origin, query.seed)
    if query.baselines and own:
        baselines = _baselines(pipeline, own[0], evidence, features, query, origin)
        judgement = replace(judgement, baselines=tuple(baselines))
    if query.utility and own:
        judgement = replace(judgement, utility=_utility(pipeline, reals, own[0], query.seed))
    if query.leaks and own and origin:
        drawn, fit = (
            pipeline.stream(len(evidence.fake), query.seed, evidence.fake_label),
            partial(_fit_detector, origin),
        )
        leaks = measure_leaks(drawn, own, fit, strengths_of(query.leaks, origin.recipe), query.seed)
        judgement = replace(judgement, leaks=tuple(leaks))
    return judgement


def _evidence(pipeline: GenerationPipeline, exam: Exam, features: Features) -> Evidence:
    """Give reals and fakes as features."""
    query, own, reals = exam.query, exam.own, exam.reals
    own = None if query.fast else own  # What was learned from is most of what there is to look at.
    count = query.num or max(FEWEST_FAKES, min(len(reals), query.reach(JUDGED)))
    judged = query.reach(ALL_JUDGED if query.features else JUDGED)
    real_label, groups = (_values(reals, name, judged) for name in ("label", "group"))
    fake_label = in_the_shares_of(real_label, count, query.seed) if pipeline.settings.conditional else None
    traces = _traces(own[0], features) if own else features
    real = _extracted(features, reals, judged)
    # Both at once: to draw takes longer than to look.
    looks = [features] if traces is features else [features, traces]
    parts = pipeline.parts(count, query.seed, fake_label)
    fake = extract(lambda drawn: torch.cat([look(drawn) for look in looks], 1), parts)
    return Evidence(
        real=real,
        fake=fake[:, : real.shape[1]],
        training=_extracted(traces, own[0], AUDITED) if own else None,
        held_out=_extracted(traces, own[1], JUDGED) if own else None,
        features=features.name,
        fake_traced=fake[:, real.shape[1] :] if traces is not features else None,
        real_label=real_label,
        fake_label=fake_label,
        classes=pipeline.settings.description.classes,
        groups=None if groups is None else groups.numpy(),
    )


@dataclass(frozen=True)
class Traces:
    """What pictures are looked for copies in: principal components of their pixels, at up to 32 a side.

    The features of a network that tells pictures from spoiled ones are no help: to it a copy with hardly visible noise
    is far from its original. Pixels are also quicker to compare.
    """

    components: PixelComponents

    @property
    def name(self) -> str:
        """Names the number of components."""
        return self.components.name

    def __call__(self, samples: Tensor) -> Tensor:
        """Map samples (b, ...) to (b, d)."""
        return self.components(rows(samples))


def _traces(training: Samples, features: Features) -> Features:
    """What to look for copies in: principal components of the pixels, which points and small pictures have already."""
    if isinstance(features, PixelComponents):
        return features
    return Traces(fit_components(rows(training.spread(COMPONENT_SAMPLES)["real"])))


def _fit_detector(origin: Origin, data: Path) -> Detector:
    """Train a classifier of the labelled pictures in a file."""
    recipe, learned_from = _recognizer_recipe(origin), origin.recipe.data.options
    known = {"source": str(data), "channels": learned_from["channels"], "size": learned_from["size"]}
    fitted, _ = origin.fit(recipe.model_copy(update={"data": Data(**known)}))
    recognizer: Any = fitted
    detector: Detector = recognizer.probabilities
    return detector


def _check(pipeline: GenerationPipeline, exam: Exam) -> None:
    """Refuse at once what would be refused after minutes."""
    query, own, shape = exam.query, exam.own, pipeline.settings.description.shape
    if query.features and len(shape) != 3:
        raise ValueError(f"{query.features} looks at pictures, and this model makes none; leave the features out.")
    asked = "Utility" if query.utility else "Baselines" if query.baselines else "Leaks"
    if not (query.utility or query.baselines or query.leaks):
        return
    if own is None:
        raise ValueError(f"{asked} need what the model learned from; judge its run, with its own data still there.")
    if query.leaks:
        _check_leaks(query, exam.origin, own, shape)
    if query.baselines:
        _check_baselines(exam.reals, shape)
    if query.utility:
        _check_utility(pipeline, exam.reals, own)


def _check_leaks(query: JudgeOptions, origin: Origin | None, own: Sides, shape: tuple[int, ...]) -> None:
    if origin and len(shape) != 3:
        raise ValueError("Leaks are of augmented pictures, and this model makes points; leave --leaks out.")
    if origin:
        strengths_of(query.leaks, origin.recipe)
    if len(own[1]) < FEWEST:
        raise ValueError(f"Leaks are looked for beside {FEWEST} held-out pictures or more; this run has {len(own[1])}.")


def _check_baselines(reals: Samples, shape: tuple[int, ...]) -> None:
    numbers = int(np.prod(shape))
    if numbers > MOST_NUMBERS or len(reals) < 2 * FEWEST:
        raise ValueError(
            f"Baselines take samples of at most {MOST_NUMBERS:,} numbers (these have {numbers:,}) and at least "
            f"{2 * FEWEST} reals (there are {len(reals):,}); give more data, or train at a smaller data.size."
        )


def _check_utility(pipeline: GenerationPipeline, reals: Samples, own: Sides) -> None:
    if not pipeline.settings.conditional or reals.values("label") is None:
        raise ValueError("Utility needs a model with task.conditional=true, and reals of its classes.")
    if len(own[0]) > MOST:
        raise ValueError(
            f"This run learned from {len(own[0]):,} samples, too many for the classifiers, which must learn from "
            f"the same; train it with data.limit of at most {MOST:,}."
        )


def _extracted(features: Features, samples: Samples, most: int) -> Tensor:
    count = min(most, len(samples))
    rows = [np.arange(start, min(start + PART, count)) for start in range(0, count, PART)]
    return extract(features, [partial(_pick, samples, some, most) for some in rows])


def _pick(samples: Samples, rows: np.ndarray, most: int) -> Tensor:
    return samples.pick(rows, most)["real"]


def _values(reals: Samples, name: str, most: int) -> Tensor | None:
    """The classes or the groups of the reals that are judged by; None where they have none."""
    if reals.values(name) is None:
        return None
    return torch.cat([part[name] for part in reals.parts(PART, most)])


def in_the_shares_of(known: Tensor | None, count: int, seed: int) -> Tensor | None:
    """Give labels (count,) in the shares of known ones, in random order; None, so all classes in turn, without."""
    if known is None:
        return None
    spread = known.sort().values[(torch.arange(count) * len(known)) // count]
    return spread[torch.randperm(count, generator=torch.Generator().manual_seed(seed))]


def _baselines(
    pipeline: GenerationPipeline,
    training: Samples,
    evidence: Evidence,
    features: Features,
    query: JudgeOptions,
    origin: Origin | None,
) -> Iterator[BaselineResult]:
    """The model itself first, by the fewer measures that it is compared in, then the others."""
    count = min(len(evidence.fake), len(evidence.real), MOST_DRAWN)
    yield _drawn("this model", None, pipeline, evidence, features, count, query.seed)
    known = training.spread(MOST_SAMPLES)
    label = known.get("label") if pipeline.settings.conditional else None
    yield from judge_baselines(known["real"], label, evidence.real, features, count, query.seed)
    if origin and origin.minutes and len(pipeline.settings.description.shape) == 3:
        flow, _ = origin.fit(_flow_recipe(origin))
        yield _drawn("flow matching", 60 * origin.minutes, flow, evidence, features, count, query.seed)


def _drawn(
    name: str, seconds: float | None, pipeline: Any, evidence: Evidence, features: Features, count: int, seed: int
) -> BaselineResult:
    """Judge a pipeline beside the baselines: what drawing takes, and how what is drawn measures up."""
    labels = None if evidence.fake_label is None else evidence.fake_label[:count]
    parts = pipeline.parts(count, seed, labels)[:TIMED]
    start = time.perf_counter()
    drawn = sum(len(part()) for part in parts)
    taken = 1000 * (time.perf_counter() - start) / drawn
    fake = extract(features, pipeline.parts(count, seed, labels))
    return BaselineResult(name, seconds, taken, judge_briefly(evidence.real, fake, features.name, seed))


def _flow_recipe(origin: Origin) -> Recipe:
    """Flow matching on the same data, for the same minutes."""
    conditional = bool(origin.recipe.task.options.get("conditional"))
    return Recipe(
        name="flow-matching",
        task=Choice(name="flow-matching", conditional=conditional),
        data=origin.recipe.data,
        network=Choice(name="flow"),
        optimizer={GENERATOR: Optimizer(learning_rate=FLOW_RATE)},
        minutes=origin.minutes,
        **_quietly(origin, images=10**9),
    )


def _recognizer_recipe(origin: Origin) -> Recipe:
    """A classifier of labelled pictures: of the single ones where the run's are stacked."""
    return Recipe(
        name="recognition",
        task=Choice(name="recognition"),
        data=origin.recipe.data.model_copy(update={"limit": None}).with_options(stack=1, channels=1),
        network=Choice(name="recognizer", width=16, depth=3),
        optimizer={"recognizer": Optimizer(learning_rate=CLASSIFIER_RATE)},
        **_quietly(origin, images=CLASSIFIER_IMAGES),
    )


def _quietly(origin: Origin, images: int) -> dict[str, Any]:
    """The rest of a recipe that is only played to compare or to measure: no looks, no sheets, no checkpoints."""
    never = 10**12
    return {
        "images": images,
        "seed": origin.recipe.seed,
        "precision": origin.recipe.precision,
        "device": "auto",
        "referee": RefereeSettings(every=never),
        "log": Logging(sheet_every=never),
        "checkpoint": Checkpoints(every=never),
    }


def _with_modes(judgement: Judgement, pipeline: GenerationPipeline, origin: Origin, seed: int) -> Judgement:
    """Count the modes of stacked pictures, told by a classifier that learns single ones for it."""
    try:
        fitted, held_out = origin.fit(_recognizer_recipe(origin))
        recognizer: Any = fitted
    except ValueError as error:
        return replace(judgement, left_out=judgement.left_out | {"modes found": f"the single pictures: {error}"})
    parts = list(held_out.parts(PART, len(held_out)))
    told = torch.cat([recognizer.probabilities(part["real"]).argmax(1) for part in parts])
    label = torch.cat([part["label"] for part in parts])
    accuracy = float((told == label).float().mean())
    if accuracy < SUREST:
        reason = f"the classifier of single pictures is right in {accuracy:.2%} only, it needs {SUREST:.1%}"
        return replace(judgement, left_out=judgement.left_out | {"modes found": reason})
    fakes = pipeline.stream(SAMPLES, seed)
    fake = torch.cat(
        [recognizer.probabilities(part.flatten(0, 1)[:, None]).argmax(1).view(part.shape[:2]) for part in fakes]
    )
    config: Any = recognizer.config
    if len(label.unique()) < len(config.description.classes):
        reason = f"held-out pictures lack some of the {len(config.description.classes)} classes"
        return replace(judgement, left_out=judgement.left_out | {"modes found": reason})
    modes = measure_modes(fake, told, label, accuracy, seed)
    return replace(judgement, measures=[*judgement.measures, *modes])


def _utility(pipeline: GenerationPipeline, reals: Samples, training: Samples, seed: int) -> Utility:
    """Classifiers in the principal components of the pixels, on all that the generator has seen and no more."""
    known, unseen = training.spread(len(training)), reals.spread(JUDGED)
    components, count = fit_components(known["real"]), 2 * len(training)
    labels = in_the_shares_of(known["label"], count, seed)
    assert labels is not None
    fake = extract(components, pipeline.parts(count, seed, labels))

    def augment(repeat: int) -> np.ndarray:
        return components(vary(known["real"], torch.Generator().manual_seed(repeat))).numpy()

    real, test = ((components(part["real"]).numpy(), part["label"].numpy()) for part in (known, unseen))
    return measure_utility(real, (fake.numpy(), labels.numpy()), test, augment, seed)
