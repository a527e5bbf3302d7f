"""Applying: what a model makes, streamed to where it is wanted."""

import os
from pathlib import Path
from typing import Any

from torch import distributed

from gannet import __version__
from gannet.pipelines.backends import make_engine
from gannet.pipelines.hub import load
from gannet.pipelines.samples import Drawing, Request, facts_of
from gannet.pipelines.writer import FORMATS, Order, Share, deliver
from gannet.provenance.metadata import check_format
from gannet.runtime.devices import is_first, join, processes
from gannet.runtime.files import digest


def apply(target: str | Path, out: str | Path, request: Request, weights: str) -> dict[str, Any]:
    """Draw samples and save them; see `gannet.api.apply`."""
    path, sheet = Path(out), Path(out).suffix.lower() not in FORMATS or request.frames > 1
    if sheet:
        check_format(path, request.frames)
    pipeline: Any = load(target, weights)
    if not pipeline.draws:
        raise ValueError(
            f"{target} is a model for {pipeline.task}; it draws nothing: name the photographs to make better, or use "
            "it in Python, with gannet.load."
        )
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
    batches = pipeline.parts(request.num, request.seed, labels)
    drawing = Drawing(batches, pipeline.BATCH, facts, labels, description.classes)
    # Another version may cut parts otherwise, another device rounds otherwise: neither goes on with this beginning.
    where = {"gannet": __version__, "device": next(pipeline.traced()[0].parameters()).device.type}
    asked = {**facts, "num": request.num, "weights": told_by, **where}
    deliver(path, Order(asked, drawing.parts(description.shape), description.classes), _share())
    return facts


def _share() -> Share:
    """The share of this process among those that torchrun started."""
    if processes() == 1:
        return Share()
    return Share(int(os.environ["RANK"]), processes(), distributed.barrier)
