"""The sections of a recipe and their keys, with what each may be."""

from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gannet.schema import (
    Choice,
    FrozenDict,
    Pattern,
    Positive,
    Rate,
    Section,
    Share,
    Weight,
    check,
    formerly,
    known_keys,
    whole,
)


def _free(name: str) -> str:
    if name in {"model", "best"}:
        raise ValueError(f"the name {name} is taken by Gannet's own weights; choose another")
    return name


Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$"), AfterValidator(_free)]
Width = Annotated[float, Field(ge=0.01, le=0.25)]
USUAL = {"task": "generation", "network": "dcgan", "augment": "none"}
"""What is chosen where a recipe does not say."""


Media = TypeVar("Media", bound=Section)


class Weighted(Section):
    """One of several sources."""

    source: str
    """As `data.source`."""
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """How often it is drawn from, relative to the others."""


class Data(BaseModel):
    """Which data; the other keys say how they are brought to shape, and are checked by the task's media."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    source: str = ""
    """A path, a name under $GANNET_DATA, an embedded set, or `hf:owner/name`; empty: the recipe's own name. What was
    given in memory is `memory:` with its digest."""
    sources: Annotated[tuple[Weighted, ...], Field(max_length=100, exclude_if=lambda given: not given)] = ()
    """Several instead of one, as `[{source: photos, weight: 2}, {source: scans}]`: each has its own split, and their
    classes agree, where they matter."""
    limit: Positive | None = None
    """Learn from only so many samples of a source, drawn from the seed; null: from all. The held-out ones stay as they
    are."""
    group: Pattern = ""
    """A regular expression on file names whose first group says whose picture it is: `^([^/]+)/` is the folder. No
    person, patient or film is then both learned from and held out, unless the data come with a split of their own."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if self.source and self.sources:
            raise ValueError("either source or sources, not both")
        return self

    @property
    def options(self) -> dict[str, object]:
        """The keys that the task's media understand."""
        return dict(self.model_extra or {})

    def checked(self, schema: type[Media]) -> Media:
        """Check those keys against a schema; an unknown one is told the nearest of all keys of `data`."""
        known_keys(self.options, [*schema.model_fields, *type(self).model_fields], "data")
        return check(schema, self.options, "data")

    def with_options(self, **changes: object) -> Self:
        """Give another with some of those keys changed."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**own, **self.options, **changes})


class Penalty(Section):
    """A gradient penalty and how often it is applied."""

    weight: Weight = 1.0
    """The penalty's weight gamma."""
    every: Positive = 1
    """Rounds between two applications; the weight is multiplied by it, so the mean strength stays."""


class LeCam(Section):
    """The regularizer of scarce data: scores are held to running averages of those of the other side."""

    weight: Weight = 0.01
    """The term's weight lambda; the less a loss bounds scores, the smaller."""
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """What is left of the running averages after a round."""
    start: Annotated[int, Field(ge=0), BeforeValidator(whole)] = 0
    """Images after which the term sets in."""


class Loss(Section):
    """The adversarial loss and its penalties."""

    former_names: ClassVar[Mapping[str, str]] = {"moves": "update"}

    name: str = "non-saturating"
    """minimax, non-saturating, hinge, least-squares, wasserstein or relativistic."""
    r1: Penalty | None = None
    """Gradient penalty on real samples."""
    r2: Penalty | None = None
    """Gradient penalty on generated samples."""
    gradient_penalty: Penalty | None = None
    """Penalty of gradient norms other than one, between real and generated samples."""
    lecam: Annotated[LeCam | None, Field(exclude_if=lambda given: given is None)] = None
    """What holds the discriminator's scores together, against data learned by heart (LeCam; Tseng et al., 2021)."""
    update: Annotated[
        Literal["alternating", "shared", "simultaneous"],
        formerly({"in-turn": "alternating", "at-once": "simultaneous"}),
    ] = "alternating"
    """`alternating`: the generator answers a discriminator that has stepped; `shared`: so too, on the fakes that were
    stepped on, which saves a pass; `simultaneous`: both step from one shared pass."""


class Optimizer(Section):
    """One player's optimizer."""

    learning_rate: Rate = 2e-4
    """Adam's step size; zero freezes the player."""
    betas: tuple[Share, Share] = (0.5, 0.99)
    """Adam's decay rates of the first and second moment."""
    weight_decay: Weight = 0.0
    """Decoupled weight decay (AdamW)."""


class Stage(Section):
    """A part of the run, so many images long."""

    name: Word
    """Names the stage; its end writes `model/<name>.safetensors`."""
    images: Positive
    """How many images the stage lasts."""
    learning_rate_scale: Rate = 1.0
    """Multiplies every learning rate during the stage."""


class Average(Section):
    """The running average of the kept networks."""

    half_life: Positive = 10_000
    """Images after which a weight's share in the average has halved."""
    ramp: Share = 0.05
    """The half-life is at most this share of the images seen, so the first average is not the initial noise."""
    widths: Annotated[tuple[Width, ...], Field(max_length=5, exclude_if=lambda given: not given)] = ()
    """Widths, as `[0.05, 0.1, 0.2]` of the images seen, of averages of which `gannet average` makes others between."""


class RefereeSettings(Section):
    """The convergence rule, and how often held-out data are looked at."""

    window: Positive = 20_000
    """Images over which the rule looks back."""
    share: Share = 0.9
    """The fool rate (the share of fakes that pass) from which on the rule says `converged`."""
    every: Positive = 5_000
    """Images between two looks at held-out data and at the diversity of the fakes."""
    stop_on: Literal["never", "rule"] = "never"
    """`rule` ends the run once the rule says `converged`."""


class Checkpoints(Section):
    """How often the run is saved, and what is kept."""

    every: Positive = 20_000
    """Images between two checkpoints."""
    keep: Positive = 2
    """How many of the newest are kept; the best is kept besides."""


class Logging(Section):
    """How often the run is logged and drawn."""

    every: Positive = 2_000
    """Images between two lines of `log.jsonl`."""
    sheet_every: Positive = 20_000
    """Images between two sheets of samples at fixed seeds."""
    tensorboard: bool = False
    """Also write the log for TensorBoard (extra `gannet[tensorboard]`)."""


class Recipe(Section):
    """Everything that defines a run; saved with it as `recipe.yaml`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """The recipe's name."""
    about: str = ""
    """One sentence for `gannet recipes`."""
    task: Choice = Choice(name=USUAL["task"])
    """The kind of problem, and its options."""
    data: Data = Data()
    network: Choice = Choice(name=USUAL["network"])
    """The networks (a pair is mlp, dcgan or residual), and their options."""
    loss: Loss = Loss()
    augment: Choice = Choice(name=USUAL["augment"])
    """What the discriminator sees (none, diffaugment, ada, fixed, or auto, which goes by how many pictures there are),
    and its options."""
    optimizer: Annotated[dict[str, Optimizer], AfterValidator(FrozenDict)] = Field(
        default_factory=dict, validate_default=True
    )
    """By player: `optimizer.generator.learning_rate`."""
    images: Positive = 500_000
    """How many real images are shown in all, repeats counted; stages are stretched to it."""
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """A budget of training time; the images seen by then are recorded as `images`."""
    stages: tuple[Stage, ...] = ()
    """Consecutive stages, in all `images` long; empty: one stage."""
    batch: Annotated[int, Field(ge=2), BeforeValidator(whole)] = 64
    """Images in a round, over all processes and accumulation steps."""
    accumulate: Positive = 1
    """Passes that a round's batch is cut into, to save memory."""
    average: Average = Average()
    referee: RefereeSettings = RefereeSettings()
    checkpoint: Checkpoints = Checkpoints()
    log: Logging = Logging()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Everything random follows from it."""
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(str)] = "auto"
    """`auto` is bf16 where the processor computes in it, else 32 bit."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    start_from: str = ""
    """A run or model whose weights the networks start from (`--from`)."""

    @model_validator(mode="after")
    def _stages_agree(self) -> Self:
        if len({stage.name for stage in self.stages}) < len(self.stages):
            raise ValueError("each of the stages must have a name of its own")
        if self.stages and "images" in self.model_fields_set:
            object.__setattr__(self, "stages", stretched(self.stages, self.images))
        elif self.stages:
            object.__setattr__(self, "images", sum(stage.images for stage in self.stages))
        return self


def lengthened(stages: tuple[Stage, ...], images: int) -> tuple[Stage, ...]:
    """Give the stages of a run that goes on to `images`: only the last is longer, those before it are over.

    Raises:
        ValueError: the run would end before its last stage begins.
    """
    *over, last = stages
    begins = sum(stage.images for stage in over)
    if images <= begins:
        raise ValueError(
            f"images={images} lies before the last stage, {last.name}, which begins at {begins}; give more."
        )
    return (*over, last.model_copy(update={"images": images - begins}))


def stretched(stages: tuple[Stage, ...], images: int) -> tuple[Stage, ...]:
    """Give the stages made longer or shorter in proportion, so that they last `images` in all.

    Raises:
        ValueError: too few images for so many stages.
    """
    ends = list(accumulate(stage.images for stage in stages))
    ends = [0, *(round(images * end / ends[-1]) for end in ends)]
    lengths = [end - start for start, end in pairwise(ends)]
    if min(lengths) < 1:
        raise ValueError(f"{images} images are too few for {len(stages)} stages; give more, or change the stages")
    return tuple(stage.model_copy(update={"images": length}) for stage, length in zip(stages, lengths, strict=True))
