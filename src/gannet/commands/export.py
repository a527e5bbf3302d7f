"""Exporting: a model as a file that other programs run."""

from pathlib import Path
from typing import cast

from gannet.commands.options import ExportOptions
from gannet.pipelines import community_export, onnx
from gannet.pipelines.exported import STEPS, Exported, check_path
from gannet.pipelines.hub import load
from gannet.pipelines.pipeline import ConverterPipeline, Pipeline
from gannet.runtime.progress import Watch

ENDINGS = {"onnx": ".onnx", "spandrel": ".safetensors"}
"""Of the file, by format."""


def export(target: str | Path, path: Path, options: ExportOptions, watch: Watch) -> Exported:
    """Write a model in a format; see `gannet.api.export`."""
    check_path(path, ENDINGS[options.to])
    watch.step(0, STEPS, "Loading")
    write = {"onnx": onnx.export, "spandrel": community_export.export}[options.to]
    return write(_tuned(load(target, options.weights), options.strength), path, watch)


def _tuned(pipeline: Pipeline, strength: float | None) -> Pipeline:
    """Blend a model's weights as `apply` does; ValueError for one that has no strength."""
    if strength is None:
        return pipeline
    options = pipeline.options({"strength": strength})
    return cast(ConverterPipeline, pipeline).tuned(options)
