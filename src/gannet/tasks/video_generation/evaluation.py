"""How generated clips are judged: by features of a network of clips, by how they move, and beside spoilt real clips."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gannet.augmentation.time_faults import FAULTS
from gannet.data.loader import Samples
from gannet.metrics.baseline_comparison import BaselineResult
from gannet.metrics.distances import among, frechet_distance, kernel_distance
from gannet.metrics.features import Features, fit_components
from gannet.metrics.judgement import FEWEST, Evidence, Judgement, glance_at, judge_samples
from gannet.metrics.measure import Halves, Measure, draw_halves, measure
from gannet.metrics.motion import FEWEST_FRAMES, Motion, measure_motion, motion_distance, motion_of, on_one_scale
from gannet.monitoring.data_checks import rows
from gannet.task import Exam
from gannet.tasks.generation.evaluation import Traces, in_the_shares_of
from gannet.tasks.video_generation.pipeline import VideoGenerationPipeline

PART, JUDGED, FEWEST_FAKES, FEWEST_OF_HALF = 16, 1_000, 200, 20
"""Clips looked at at once; reals and fakes at most, fakes at least, and what a half has at least."""
AUDITED, COMPONENT_CLIPS, TIMED = 2_000, 300, 8
"""Training clips that are searched for what fakes copy, clips that components are fitted to, and whose drawing is
timed."""
BASELINES = {"real clips, frozen": "frozen", "real clips, shuffled in time": "shuffled"}
"""What generated clips are to be better than, by the fault that is planted in reals."""


@dataclass(frozen=True)
class Look:
    """What clips are judged by.

    Attributes:
        features: (n, d).
        traces: what copies are looked for in, (n, k).
        motion: how they move; None of clips too short for it.
    """

    features: Tensor
    traces: Tensor
    motion: Motion | None


@dataclass(frozen=True)
class Looker:
    """Looks at clips part by part.

    Attributes:
        features: what they are compared in.
        traces: principal components of the pixels of some frames in small: to a network that knows damage a copy with
            hardly visible noise is far from its original.
    """

    features: Features
    traces: Traces

    def __call__(self, parts: Iterable[Tensor]) -> Look:
        """Look at clips (b, c, t, h, w), given in parts."""
        seen = [self._look(part) for part in parts]
        features, traces = (torch.cat([getattr(one, name) for one in seen]) for name in ("features", "traces"))
        motions = [one.motion for one in seen if one.motion is not None]
        whole = Motion(*(torch.cat(values) for values in zip(*motions, strict=True))) if motions else None
        return Look(features, traces, whole)

    def _look(self, clips: Tensor) -> Look:
        motion = motion_of(clips) if clips.shape[2] >= FEWEST_FRAMES else None
        return Look(self.features(clips), self.traces(clips), motion)


def evaluate(pipeline: VideoGenerationPipeline, exam: Exam) -> Judgement:
    """Compare about as many fakes as there are reals with them: by features, by how they move, and by what they copy.

    Real clips frozen, and shuffled in time, are held to the same measures.
    """
    _check(exam)
    query, reals = exam.query, exam.reals
    judged = query.reach(JUDGED)
    count = query.num or max(query.reach(FEWEST_FAKES), min(len(reals), judged))
    _check_numbers(exam, min(len(reals), judged), count)
    looker = _looker(exam)
    real_label = _labels(reals, judged)
    fake_label = in_the_shares_of(real_label, count, query.seed) if pipeline.settings.conditional else None
    real = looker(part["real"] for part in reals.parts(PART, judged))
    fake = looker(part() for part in pipeline.parts(count, query.seed, fake_label))
    evidence = _evidence(pipeline, exam, looker, real, fake)
    evidence = replace(evidence, real_label=real_label, fake_label=fake_label, groups=_groups(reals, judged))
    judgement = (glance_at if query.fast else judge_samples)(evidence, query.seed)
    if not judgement.measures:
        return judgement
    halves = draw_halves(len(real.features), len(fake.features), evidence.groups, JUDGED, query.seed)
    varied = measure(_diversity, real.features, fake.features, halves, looker.features.name, 1.0)
    judgement = replace(judgement, measures=[*judgement.measures, *_moving(real, fake, halves), *varied])
    if real.motion is None:
        short = f"it takes {FEWEST_FRAMES} frames, and clips have {pipeline.settings.description.shape[1]}"
        judgement = replace(judgement, left_out=judgement.left_out | {"motion": short})
    if query.fast:
        return judgement
    taken = _milliseconds(pipeline.parts(TIMED, query.seed))
    own = BaselineResult("this model", None, taken, _briefly(real, fake, halves, looker.features.name))
    spoilt = _baselines(reals, judged, looker, real, halves, query.seed)
    return replace(judgement, baselines=(own, *spoilt))


def _check(exam: Exam) -> None:
    """Refuse what is asked of pictures only."""
    query = exam.query
    asked = [name for name in ("utility", "baselines", "leaks", "features") if getattr(query, name)]
    if asked:
        raise ValueError(
            f"{asked[0]} is for models of pictures, and this one makes clips; leave it out: clips are always compared "
            "in judge-clips-v1, and held against frozen and shuffled ones."
        )


def _check_numbers(exam: Exam, real: int, fake: int) -> None:
    """Refuse clips too few for any measure, and for a search for copies as well."""
    audited = exam.own and not exam.query.fast and min(map(len, exam.own)) >= FEWEST
    if fake < 2 * FEWEST_OF_HALF <= real and not audited:
        raise ValueError(f"num is {fake}, of which nothing can be measured; give {2 * FEWEST_OF_HALF} or more.")
    if min(real, fake) < 2 * FEWEST_OF_HALF and not audited:
        raise ValueError(
            f"There are {real:,} real clips and {fake:,} fakes, and {2 * FEWEST_OF_HALF} of each are needed: judge by "
            "more data (gannet judge MODEL DATA), or train on more, a tenth of which is held out."
        )


def _looker(exam: Exam) -> Looker:
    """Choose what clips are compared in: the network of clips, or where none ships components of their pixels."""
    known = (exam.own[0] if exam.own else exam.reals).parts(PART, COMPONENT_CLIPS)
    traces = Traces(fit_components(torch.cat([rows(part["real"]) for part in known])))
    return Looker(exam.features or traces, traces)


def _evidence(pipeline: VideoGenerationPipeline, exam: Exam, looker: Looker, real: Look, fake: Look) -> Evidence:
    own = None if exam.query.fast else exam.own
    sides = [_traced(looker, side, most) for side, most in zip(own, (AUDITED, JUDGED), strict=True)] if own else []
    training, held_out = sides or (None, None)
    return Evidence(
        real=real.features,
        fake=fake.features,
        training=training,
        held_out=held_out,
        features=looker.features.name,
        fake_traced=fake.traces,
        classes=pipeline.settings.description.classes,
        fewest=FEWEST_OF_HALF,
    )


def _traced(looker: Looker, samples: Samples, most: int) -> Tensor:
    return torch.cat([looker.traces(part["real"]) for part in samples.parts(PART, most)])


def _labels(reals: Samples, most: int) -> Tensor | None:
    """The classes of the reals that are judged by; None where they have none."""
    if reals.values("label") is None:
        return None
    return torch.cat([part["label"] for part in reals.parts(PART, most)])


def _groups(reals: Samples, most: int) -> np.ndarray | None:
    """What the reals that are judged by belong to: windows of one film are on one side of a split."""
    if reals.values("group") is None:
        return None
    return torch.cat([part["group"] for part in reals.parts(PART, most)]).numpy()


def _diversity(real: Tensor, fake: Tensor) -> dict[str, float]:
    """The mean distance of two fakes over that of two reals."""
    return {"diversity": float(among(fake.double()) / among(real.double()).clamp_min(1e-12))}


def _moving(real: Look, fake: Look, halves: Halves) -> list[Measure]:
    return measure_motion(real.motion, fake.motion, halves) if real.motion and fake.motion else []


def _briefly(real: Look, fake: Look, halves: Halves, features: str) -> list[Measure]:
    """The distances that models and spoilt reals are compared by."""

    def statistics(some: Tensor, others: Tensor) -> dict[str, float]:
        distances = {"frechet distance": frechet_distance, "kernel distance": kernel_distance}
        return {name: distance(some, others) for name, distance in distances.items()}

    found = measure(statistics, real.features, fake.features, halves, features, "low")
    if real.motion and fake.motion:
        ours, theirs = on_one_scale(real.motion, fake.motion)
        found += measure(motion_distance, ours, theirs, halves, "none", "low")
    return found


def _baselines(
    reals: Samples, most: int, looker: Looker, real: Look, halves: Halves, seed: int
) -> Iterator[BaselineResult]:
    """Reals with faults in time, each half held against the other half as it is."""
    apart = Halves(halves.first, halves.second, halves.second)
    for name, fault in BASELINES.items():
        generator = torch.Generator().manual_seed(seed)
        spoilt = looker(FAULTS[fault](part["real"], 1.0, generator) for part in reals.parts(PART, most))
        yield BaselineResult(name, None, None, _briefly(real, spoilt, apart, looker.features.name))


def _milliseconds(parts: list[Callable[[], Tensor]]) -> float:
    """What drawing a clip takes, the fastest of some, which nothing else got in the way of."""
    return min(map(_timed, parts))


def _timed(part: Callable[[], Tensor]) -> float:
    start = time.perf_counter()
    part()
    return 1000 * (time.perf_counter() - start)
