"""How generated volumes are judged: by their planes, by the volumes and shapes of what they label, and by copies."""

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.data.loader import Samples, Sides
from gannet.metrics.anatomy import FEWEST, measure_anatomy
from gannet.metrics.copies import audit_disguised
from gannet.metrics.features import Features, PlaneFeatures, fit_components
from gannet.metrics.judgement import Evidence, Judgement, glance_at, judge_samples
from gannet.metrics.measure import Measure
from gannet.monitoring.data_checks import rows
from gannet.task import Exam
from gannet.tasks.generation.evaluation import Traces, in_the_shares_of
from gannet.tasks.volume_generation.pipeline import LABELS, VOLUME, Description, VolumeGenerationPipeline
from gannet.tasks.volume_generation.regions import refuse_unknown

PART, JUDGED, FEWEST_FAKES, FEWEST_OF_HALF, COMPONENT_VOLUMES = 16, 500, 64, 4, 300
"""Volumes looked at at once; reals and fakes at most, fakes at least, what a half has at least, and what components
are fitted to."""
FEWEST_KNOWN = 50
"""Training volumes, among which copies are looked for."""
PART_VOXELS, KEPT_SIDE = 1 << 22, 64
"""Voxels that are looked at at once, and the longest side of what is kept of a volume to tell copies by, where it is
shrunk further: so that hundreds of large ones fit into memory."""


def evaluate(pipeline: VolumeGenerationPipeline, exam: Exam) -> Judgement:
    """Compare fakes with reals by features of their planes, labelled regions by volume and shape, and look for copies
    in disguise.
    """
    _check(exam, pipeline.settings.description)
    query, reals, description = exam.query, exam.reals, pipeline.settings.description
    judged = query.reach(JUDGED)
    count = query.num or max(query.reach(FEWEST_FAKES), min(len(reals), judged))
    features = _features(exam)
    real_label = _values(reals, "label", judged)
    fake_label = in_the_shares_of(real_label, count, query.seed) if pipeline.settings.conditional else None
    part = part_of(description)
    looked, fake = _drawn(pipeline.parts(count, query.seed, fake_label), features, part)
    evidence = Evidence(
        real=torch.cat([features(some[VOLUME]) for some in reals.parts(part, judged)]),
        fake=looked,
        training=None,
        features=features.name,
        real_label=real_label,
        fake_label=fake_label,
        classes=description.classes,
        groups=_groups(reals, judged),
        fewest=FEWEST_OF_HALF,
    )
    judgement = (glance_at if query.fast else judge_samples)(evidence, query.seed)
    if exam.own and not query.fast:
        judgement = _audited(judgement, fake, exam.own, judged, part)
    if not description.regions:
        return judgement
    drawn = pipeline.parts(count, query.seed, fake_label, LABELS)
    found, left_out = _anatomy(reals, drawn, description, judged, query.seed)
    return replace(judgement, measures=[*judgement.measures, *found], left_out={**judgement.left_out, **left_out})


def part_of(description: Description) -> int:
    """Give how many volumes are looked at at once: fewer of large ones."""
    return min(PART, max(1, PART_VOXELS // prod(description.shape)))


def _drawn(makes: list[Callable[[], Tensor]], features: Features, part: int) -> tuple[Tensor, Tensor]:
    """Draw volumes, some at a time: their features, and what copies are told by."""
    looked, kept = [], []
    for first in range(0, len(makes), part):
        volumes = torch.cat([make() for make in makes[first : first + part]])
        looked.append(features(volumes))
        kept.append(small(volumes))
    return torch.cat(looked), torch.cat(kept)


def small(volumes: Tensor) -> Tensor:
    """Shrink volumes (n, 1, x, y, z) of more than 64 voxels a side to that, by means."""
    share = KEPT_SIDE / max(volumes.shape[2:])
    if share >= 1:
        return volumes
    return interpolate(volumes, [max(1, round(side * share)) for side in volumes.shape[2:]], mode="area")


def _audited(judgement: Judgement, fake: Tensor, own: Sides, most: int, part: int = PART) -> Judgement:
    """Add what is found of copies in disguise, in place of why they were not looked for."""
    known, held_out = (torch.cat([small(some[VOLUME]) for some in side.parts(part, most)]) for side in own)
    reason = {"memorization": f"it needs {FEWEST_KNOWN} training volumes; there are {len(known)}"}
    found = audit_disguised(fake, known, held_out) if len(known) >= FEWEST_KNOWN else None
    left_out = {name: words for name, words in judgement.left_out.items() if name != "memorization"}
    return replace(judgement, memorization=found, left_out=left_out if found else left_out | reason)


def _check(exam: Exam, description: Description) -> None:
    """Refuse what is asked of pictures only, and data with regions that the model does not know."""
    asked = [name for name in ("utility", "baselines", "leaks", "features") if getattr(exam.query, name)]
    if asked:
        raise ValueError(f"{asked[0]} is for models of pictures, and this one makes volumes; leave it out.")
    if exam.source is not None and description.regions:
        refuse_unknown(exam.source, description.regions)


def _features(exam: Exam) -> Features:
    """Take the judge's of planes, or where that does not ship fit the components of the voxels."""
    if exam.features is not None:
        return PlaneFeatures(exam.features)
    known = (exam.own[0] if exam.own else exam.reals).parts(PART, COMPONENT_VOLUMES)
    return Traces(fit_components(torch.cat([rows(part[VOLUME]) for part in known])))


def _values(samples: Samples, name: str, most: int) -> Tensor | None:
    """Give what is known of samples by a name; None where it is not."""
    if samples.values(name) is None:
        return None
    return torch.cat([part[name] for part in samples.parts(PART, most)])


def _groups(samples: Samples, most: int) -> np.ndarray | None:
    found = _values(samples, "group", most)
    return None if found is None else found.numpy()


def _anatomy(
    reals: Samples, drawn: list[Callable[[], Tensor]], description: Description, most: int, seed: int
) -> tuple[list[Measure], dict[str, str]]:
    """Hold labelled regions of fakes against those of reals, or say why that cannot be done."""
    if reals.values(LABELS) is None or min(len(reals), most, len(drawn)) < FEWEST:
        return [], {"anatomy": f"it takes {FEWEST} label volumes of reals and of fakes"}
    regions = dict(list(zip(description.regions, description.names, strict=True))[1:])
    # Bytes, of which eight times as many fit as of whole numbers.
    real = torch.cat([part[LABELS].to(torch.uint8) for part in reals.parts(part_of(description), most)])
    fake = torch.cat([make().to(torch.uint8) for make in drawn])
    return measure_anatomy(real.numpy(), fake.numpy(), regions, description.spacing, seed), {}
