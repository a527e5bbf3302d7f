"""Curves: new curves like those in the data, of the class that is asked for.

A generator plays against one discriminator; both are told the class. The data are `.csv` files (the medium of
`medium_curves.py`) in sub-folders, one a class. The generator's running average is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import medium_curves as curves
import pydantic
import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Observer, Pass
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import Discriminator, Penalties, Scores, TwoPlayer, of_the_pass
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.media.medium import Field, Medium, Shown
from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Best, draw_halves, measure
from gannet.monitoring.audit import Audit, Exhibits
from gannet.monitoring.energy import energy_figures
from gannet.monitoring.referee import Referee, Rule
from gannet.pipelines.pipeline import GeneratorPipeline
from gannet.pipelines.samples import Samples, latents, padded
from gannet.recipe import Data as RecipeData
from gannet.recipe import Optimizer, Recipe
from gannet.schema import Choice, Section, check, known_keys, nearest
from gannet.task import Exam, example_recipe

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
BATCH, MOST_LOOKED_AT, FEWEST_JUDGED, MOST_JUDGED = 64, 256, 8, 2_000
BEST: dict[str, Best] = {"energy distance": "low", "diversity": 1.0}
Data = curves.Options
judged_by = "referee/energy_distance"


class Config(Section):
    """The keys of `task` besides its name; the line below a key is its help."""

    latent: int = pydantic.Field(8, ge=1)
    """Length of the latent vector."""
    width: int = pydantic.Field(64, ge=1)
    """Units of the hidden layers."""


class Description(Section):
    """What was found out about the data; the recipe and this are all that networks are built from."""

    name: str
    length: int
    classes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return (self.length,)


class Settings(Section):
    """What a model's `config.json` keeps: enough to build its networks again."""

    description: Description
    task: Config


# 1. The data


def media(recipe: Recipe) -> Mapping[str, Medium]:
    """Name the parts of a sample, each with its medium: one curve."""
    return {"curve": curves.medium}


def labels(recipe: Recipe) -> Labels:
    """Need the class of every sample; those without one are left out and counted."""
    return Labels.NEEDED


def describe(recipe: Recipe, source: Source) -> Description:
    """Look at the data before anything is read: here only their classes matter."""
    if not source.classes:
        raise ValueError(f"{Path(source.name).name} has no classes; put the curves of each into a sub-folder.")
    length = recipe.data.checked(Data).length
    return Description(name=Path(source.name).name, length=length, classes=tuple(source.classes))


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Say what each part of a sample is brought to."""
    return {"curve": curves.medium.field(description.length)}


# 2. The recipe


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write every key out, so that the saved recipe leaves nothing open; refuse what would have no effect."""
    known_keys(recipe.optimizer, (GENERATOR, DISCRIMINATOR), "optimizer")
    known_keys(recipe.network.options, (), "network")
    changes = {
        "task": Choice(name=recipe.task.name, **_config(recipe).model_dump()),
        "data": recipe.data.with_options(length=description.length),
        "optimizer": {name: recipe.optimizer.get(name, Optimizer()) for name in (GENERATOR, DISCRIMINATOR)},
    }
    return recipe.model_copy(update=changes)


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over what a model was made with, to judge it or to train on from it."""
    changes = {
        "task": Choice(name=recipe.task.name, **config.task.model_dump()),
        "data": recipe.data.with_options(length=config.description.length),
    }
    return recipe.model_copy(update=changes)


# 3. The game


class Conditional(nn.Module):
    """Two hidden layers over vectors (b, size) and the class (b,); both networks are made of it."""

    def __init__(self, size: int, width: int, out: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.Linear(size + classes, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, out),
        )

    def forward(self, vector: Tensor, label: Tensor) -> Tensor:
        """Map to (b, out)."""
        known: Tensor = self.layers(torch.cat([vector, nn.functional.one_hot(label, self.classes).to(vector)], 1))
        return known


class CurveGenerator(Conditional):
    """Maps latent vectors (b, latent) and classes (b,) to curves (b, length)."""

    def __init__(self, config: Config, description: Description) -> None:
        super().__init__(config.latent, config.width, description.length, len(description.classes))
        self.latent = config.latent


class CurveDiscriminator(Conditional):
    """Maps curves (b, length) and classes (b,) to logits (b, 1)."""

    def __init__(self, config: Config, description: Description) -> None:
        super().__init__(description.length, config.width, 1, len(description.classes))


def game(recipe: Recipe, description: Description) -> Game:
    """Build both networks and the turns; a pass draws its noise by itself, so a resumed run goes on bit for bit."""
    config, loss = _config(recipe), recipe.loss
    generator, discriminator = CurveGenerator(config, description), CurveDiscriminator(config, description)

    def generate(run: Pass) -> Tensor:
        drawn: Tensor = generator(run.normal(generator.latent), run.sample["label"])
        return drawn

    def score(curve: Tensor, run: Pass) -> Scores:
        logits: Tensor = discriminator(curve, run.sample["label"])
        return Scores(logits[:, 0].float())

    players = TwoPlayer(
        find_loss(loss.name),
        [Discriminator(DISCRIMINATOR, score)],
        prepare=of_the_pass,
        real=lambda run: run.sample["curve"],
        generate=generate,
    )
    turns = players.turns(Penalties(loss.r1, loss.r2, loss.gradient_penalty), loss.update)
    return Game({GENERATOR: generator, DISCRIMINATOR: discriminator}, turns, kept=(GENERATOR,))


# 4. What watches it


def observers(
    recipe: Recipe, description: Description, played: Game, model: "CurvePipeline", samples: Sides
) -> dict[str, Observer]:
    """Appoint the referee, who compares averaged fakes with held-out reals of the same classes."""
    count = min(MOST_LOOKED_AT, *map(len, samples))
    training, held_out = (side.spread(count) for side in samples)

    def scores(curve: Tensor, exhibits: Exhibits) -> Tensor:
        discriminator = played.networks[DISCRIMINATOR]
        device = next(discriminator.parameters()).device
        logits: Tensor = discriminator(curve.to(device), exhibits["label"].to(device))
        return logits[:, 0]

    loss = find_loss(recipe.loss.name)
    audit = Audit(lambda exhibits: model.of_classes(exhibits["label"], seed=0), scores, loss, training, held_out)
    rule = Rule(recipe.referee.window, recipe.referee.share, recipe.referee.every)
    return {"referee": Referee(rule, loss, audit, {"batch": recipe.batch, "conditional": True})}


def sheet(recipe: Recipe, description: Description, model: "CurvePipeline", samples: Sides) -> Callable[[], Shown]:
    """Give what is drawn into `samples/` as training goes on: the same curves at every look."""

    def look() -> Shown:
        drawn = model(num=8)
        return Shown(curves.medium, drawn.values, drawn.facts)

    return look


# 5. The model


class CurveOptions(Section):
    """What is asked of a model: keywords in Python, flags of `gannet apply`."""

    model_config = pydantic.ConfigDict(populate_by_name=True)

    num: Annotated[int, pydantic.Field(ge=1)] = 1
    """How many curves."""
    seed: Annotated[int, pydantic.Field(ge=0)] = 0
    """The same seed gives the same curves."""
    label: str | None = pydantic.Field(None, alias="class")
    """Only this class; left out, all classes in turn."""


class CurvePipeline(GeneratorPipeline):
    """Draws curves: `pipeline(num=3, seed=0)`."""

    task: ClassVar[str] = "curves"
    Options: ClassVar[type[Section]] = CurveOptions
    Config: ClassVar[type[Section]] = Settings

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Curves."""
        return {"curve": curves.medium}

    def options(self, given: Mapping[str, object]) -> CurveOptions:
        """Check options, before weights are read; ValueError also where the model does not know the class."""
        options = super().options(given)
        assert isinstance(options, CurveOptions)
        classes = self.settings.description.classes
        if options.label is not None and options.label not in classes:
            raise ValueError(f"This model does not know the class {options.label!r}; {nearest(options.label, classes)}")
        return options

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Name the classes, for the help of `gannet apply`."""
        return {"class": self.settings.description.classes}

    def draw(self, options: CurveOptions) -> Samples:
        """Draw curves (num, length) as the options ask."""
        classes = self.settings.description.classes
        given = torch.arange(options.num) % len(classes)
        label = given if options.label is None else torch.full_like(given, classes.index(options.label))
        facts = {**self.facts(options), "seed": options.seed}
        return Samples(self.of_classes(label, options.seed), label, facts, classes=classes, medium=curves.medium)

    @torch.no_grad()
    def of_classes(self, label: Tensor, seed: int) -> Tensor:
        """Draw a curve for each class in `label` (n,): (n, length), on the CPU."""
        network: Any = self.networks[GENERATOR]
        vectors = latents(network, seed, first=0, count=len(label))
        drawn = [
            # Batches of one size: kernels of other sizes would change the last bits.
            network(padded(vector, BATCH).to(self.device), padded(kind, BATCH).to(self.device))[: len(vector)]
            for vector, kind in zip(vectors.split(BATCH), label.split(BATCH), strict=True)
        ]
        return torch.cat(drawn).float().cpu()

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the network and an example of what it is given, for `gannet export`."""
        network, label = self.networks[GENERATOR], torch.arange(BATCH) % len(self.settings.description.classes)
        return network, {"latent": latents(network, 0, 0, BATCH), "label": label}

    @property
    def settings(self) -> Settings:
        """The model's config."""
        assert isinstance(self.config, Settings)
        return self.config

    @classmethod
    def build(cls, config: Settings) -> "CurvePipeline":
        """Build it with an untrained generator; Gannet fills in the weights."""
        return cls(config, {GENERATOR: CurveGenerator(config.task, config.description)})


pipeline_class = CurvePipeline


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> CurvePipeline:
    """Wrap the averaged generator for use."""
    settings = Settings(description=description, task=_config(recipe))
    return CurvePipeline(settings, {GENERATOR: kept[GENERATOR]}, recipe.name)


# 6. The judgement


def evaluate(pipeline: CurvePipeline, exam: Exam) -> Judgement:
    """Hold curves that were not learned from against as many fakes of the same classes."""
    parts = list(exam.reals.parts(BATCH, MOST_JUDGED))
    real, label = (torch.cat([part[name] for part in parts]) for name in ("curve", "label"))
    if len(real) < FEWEST_JUDGED:
        raise ValueError(f"{len(real)} curves are too few to judge by; give {FEWEST_JUDGED} or more.")
    fake = pipeline.of_classes(label, seed=1)
    halves = draw_halves(len(real), len(fake), groups=None, most=MOST_JUDGED, seed=0)
    return Judgement(measure(distances, real, fake, halves, "the curves themselves", BEST))


def distances(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Compare two sets of curves (n, length); Gannet takes the interval and the floor by calling this again."""
    found = energy_figures(real, fake)
    return {name: found[name.replace(" ", "_")] for name in BEST}


# 7. An example


def example() -> Recipe:
    """Give a recipe that runs in seconds on data of its own; the contract tests play it."""
    return example_recipe(
        Choice(name="curves", latent=4, width=16),
        data=RecipeData(source="bumps-and-steps"),
    )


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")
