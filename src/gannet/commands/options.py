"""What is asked of the verbs that have no room of their own; no torch is needed to read it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from gannet.schema import Options, shown

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


def _several(given: Any) -> Any:
    """Take one value for a row of one, and moves by direction as they are written."""
    if isinstance(given, Mapping):
        return tuple(f"{direction}={strength}" for direction, strength in given.items())
    return (given,) if isinstance(given, str | int) else given


def _move(given: str) -> str:
    """Take a direction's number and how far to go along it; ValueError for anything else."""
    if not re.fullmatch(r"[1-9]\d{0,5}=[-+]?(\d{1,6}(\.\d{0,9})?|\.\d{1,9})", given):
        raise ValueError(f"{shown(given)} is no move; write DIRECTION=STRENGTH, such as 2=-1.5")
    return given


def _words(given: Any) -> Any:
    """Take numbers of classes for words."""
    many = _several(given)
    return tuple(str(one) if isinstance(one, int) else one for one in many) if isinstance(many, tuple | list) else many


MOST_FRAMES = 4096
"""Of a walk, which lies in memory as a whole."""
Seed = Annotated[int, Field(ge=0)]
DirectionNumber = Annotated[int, Field(ge=1)]
Move = Annotated[str, AfterValidator(_move)]


class ExploreOptions(Options):
    """Where to look in what a generator of pictures can draw."""

    model_config: ClassVar[ConfigDict] = ConfigDict(populate_by_name=True)

    seed: Seed = 0
    """The picture to start from, as `gannet apply --seed` draws it; with a picture, the seed of the search for it."""
    to: Annotated[tuple[Seed, ...], BeforeValidator(_several), Field(max_length=64)] = ()
    """A seed to walk to; repeatable."""
    frames: int = Field(60, ge=2, le=600)
    """Pictures from one seed to the next, both included; of an animation along a direction all of them."""
    label: Annotated[tuple[str, ...], BeforeValidator(_words), Field(max_length=64)] = Field((), alias="class")
    """The class, by name or number; given several times, one for each seed of a walk."""
    truncation: float = Field(1.0, gt=0, le=2)
    """What seeds' latent vectors are multiplied by: below 1 more usual, above 1 more unusual pictures."""
    direction: Annotated[tuple[DirectionNumber, ...], BeforeValidator(_several), Field(max_length=64)] = ()
    """Show the picture moved along this direction, 1 the strongest, a row of a sheet; repeatable."""
    strength: float = Field(3.0, gt=0, le=100)
    """How far a row goes to both sides, in standard deviations of a latent vector."""
    move: Annotated[tuple[Move, ...], BeforeValidator(_several), Field(max_length=64)] = ()
    """DIRECTION=STRENGTH: move every picture along a direction first, as in 2=-1.5; repeatable."""
    picture: Annotated[str, BeforeValidator(str)] = ""
    """Start from what is nearest to this picture, a file, in place of a seed."""
    steps: int = Field(200, ge=1, le=10_000)
    """Of the search for that picture, at most."""
    seconds: float = Field(60.0, gt=0, le=3600)
    """That the search lasts at most."""
    weights: str = "model"
    """model (the last), best, a stage, average-WIDTH."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.to and self.direction:
            raise ValueError("to walks between seeds and direction shows one picture moved; give one of the two")
        places = 1 + len(self.to)
        if len(self.label) > 1 and places > 1 and len(self.label) != places:
            raise ValueError(f"{len(self.label)} classes are given for {places} seeds; give one, or one for each seed")
        if len(self.label) > 1 and self.direction:
            raise ValueError("a sheet of directions shows one class; give one")
        drawn = (max(places, len(self.label)) - 1) * (self.frames - 1)
        if drawn > MOST_FRAMES:
            raise ValueError(
                f"{drawn:,} pictures are asked for; give fewer frames or seeds, for {MOST_FRAMES:,} at most"
            )
        return self

    @property
    def moves(self) -> dict[int, float]:
        """How far every picture is moved along directions, by their numbers."""
        return {int(number): float(reach) for number, _, reach in (one.partition("=") for one in self.move)}


class ExportOptions(Options):
    """What is asked of a model that other programs are to run."""

    to: Literal["onnx", "spandrel"] = "onnx"
    """The format: spandrel: weights for programs that run community networks; of network.name=compact."""
    strength: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    """Of a model for photographs, as `gannet apply --strength`; left out, as the model is."""
    weights: str = "model"
    """model (the last), best, a stage, average-WIDTH."""
