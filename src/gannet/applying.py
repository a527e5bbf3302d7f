"""Applying: what a model makes, streamed to where it is wanted."""

import os
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor, distributed

from gannet.delivery import FORMATS, Order, Share, deliver
from gannet.engines import make_engine
from gannet.launch import is_first, join, processes
from gannet.loading import load
from gannet.provenance import check_format
from gannet.samples import Request, facts_of
from gannet.sheets import to_pictures
from gannet.storage import digest

PART_BYTES = 2**25
"""Of samples in a part, which is held in memory."""


def apply(target: str | Path, out: str | Path, request: Request, weights: str) -> dict[str, Any]:
    """Draw samples and save them; see `gannet.api.apply`."""
    path, sheet = Path(out), Path(out).suffix.lower() not in FORMATS or request.frames > 1
    if sheet:
        check_format(path, request.frames)
    pipeline: Any = load(target, weights)
    if not pipeline.draws:
        raise ValueError(f"{target} is a model for {pipeline.task}; it draws nothing. Use it from Python: gannet.load.")
    request.check()
    labels, told_by = pipeline.labels(request.num, request.label), digest(pipeline.tensors(), {})
    join()
    pipeline.engine = make_engine(request.engine, pipeline)
    facts = facts_of(pipeline.name, request, pipeline.engine.name)
    if sheet:
        if is_first():
            pipeline(request.num, request.seed, request.label, request.frames).save(path)
        return facts
    description = pipeline.settings.description
    batch_bytes = 4 * pipeline.BATCH * prod(description.shape)
    parts = pipeline.parts(request.num, request.seed, labels)
    order = Order(
        asked={**facts, "num": request.num, "weights": told_by},
        facts=facts,
        batches=[partial(_pictures, part) for part in parts],
        sizes=[min(pipeline.BATCH, request.num - first) for first in range(0, request.num, pipeline.BATCH)],
        labels=labels,
        classes=description.classes,
        together=max(1, min(Order.together, PART_BYTES // batch_bytes)),
    )
    deliver(path, order, _share())
    return facts


def _pictures(part: Callable[[], Tensor]) -> list[Image.Image]:
    return to_pictures(part())


def _share() -> Share:
    """The share of this process among those that torchrun started."""
    if processes() == 1:
        return Share()
    return Share(int(os.environ["RANK"]), processes(), distributed.barrier)
