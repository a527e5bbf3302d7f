"""What is asked of the verbs that have no room of their own; no torch is needed to read it."""

from typing import Literal

from pydantic import Field

from gannet.schema import Options

WIDEST = 100_000
"""Pixels; how many there are in all is bounded besides."""


class TrainOptions(Options):
    """What may be asked of training beside recipe, data and folder."""

    start_from: str = Field("", json_schema_extra={"flag": "--from"})
    """Start from this model's weights."""
    resume: str = ""
    """Continue this run instead."""
    stop_on: str = ""
    """`rule`: stop once the convergence rule is met."""


class PlanOptions(Options):
    """How exactly a plan is made."""

    rounds: int = Field(8, ge=1, le=1000)
    """Rounds of each stage that are timed."""


class BenchOptions(Options):
    """How long is measured."""

    blocks: int = Field(5, ge=1, le=100)
    """How often training, sampling and matrix products take turns."""
    seconds: float = Field(2.0, gt=0, le=600)
    """Seconds that each turn takes."""


class DoctorOptions(Options):
    """What is asked of the examination of a data set."""

    size: int = Field(0, ge=0)
    """Pixels a side to look at; 0 chooses from the data."""


class ResultOptions(Options):
    """How the files of photographs are written that a model makes."""

    format: Literal["png", "jpg", "webp", "keep"] | None = None
    """What results are written as; keep: as what each is made of, by its content, or PNG; left out, by its ending."""
    quality: int | None = Field(None, ge=1, le=100)
    """Of JPEG and WebP; left out, JPEG has 95, and WebP loses nothing."""
    width: int | None = Field(None, ge=1, le=WIDEST)
    """Pixels that results are brought to in width, in proportion, after the model."""


class AverageOptions(Options):
    """What is asked of an average of a run's weights."""

    width: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Standard deviation of the moments averaged, as a share of the images seen; left out, the judge picks one."""


class ExportOptions(Options):
    """What is asked of a model that other programs are to run."""

    to: Literal["onnx", "spandrel"] = "onnx"
    """The format: spandrel: weights for programs that run community networks; of network.name=compact."""
    weights: str = "model"
    """model (the last), best, a stage, average-WIDTH."""
