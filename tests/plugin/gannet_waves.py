"""A third party's task: a generator of waves, against two discriminators that see all of a signal and a part of it."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gannet_signals as signals
import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Observer, Pass
from gannet.adversarial.losses import LOSSES
from gannet.adversarial.two_player import Discriminator, Penalties, Scores, TwoPlayer, of_the_pass
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.media.medium import Field, Medium, Shown
from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Measure
from gannet.monitoring.audit import Audit, Exhibits
from gannet.monitoring.energy import energy_figures
from gannet.monitoring.referee import Referee, Rule
from gannet.pipelines.pipeline import GeneratorPipeline
from gannet.pipelines.samples import Samples, latents
from gannet.recipe import Data as RecipeData
from gannet.recipe import Loss, Optimizer, Penalty, Recipe
from gannet.schema import Choice, Section, check, known_keys
from gannet.task import Exam, example_recipe

PLAYERS = ("generator", "whole", "part")
MEDIA: dict[str, Medium] = {"signal": signals.medium}
judged_by = "referee/energy_distance"
Data = signals.Options


class Config(Section):
    """The keys of `task` for waves."""

    part: int = 8
    """How much of a signal the second discriminator sees."""


class Description(Section):
    """What the signals are."""

    name: str
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return (self.length,)


class Settings(Section):
    """What `config.json` keeps."""

    description: Description


class Generator(nn.Sequential):
    """Maps (b, 4) to (b, length)."""

    latent = 4

    def __init__(self, length: int) -> None:
        super().__init__(nn.Linear(self.latent, 16), nn.LeakyReLU(0.2), nn.Linear(16, length), nn.Tanh())


class WaveDiscriminator(nn.Module):
    """Maps (b, length) to logits (b,) and the features on the way."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(length, 16), nn.Linear(16, 1)

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        features = nn.functional.leaky_relu(self.inner(signal), 0.2)
        return self.outer(features).squeeze(1), features


def media(recipe: Recipe) -> Mapping[str, Medium]:
    """A signal."""
    return MEDIA


def labels(recipe: Recipe) -> Labels:
    """No classes."""
    return Labels.UNUSED


def describe(recipe: Recipe, source: Source) -> Description:
    """The length that is given at a time."""
    return Description(name=source.name, length=check(Data, recipe.data.options, "data").length)


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Signals as long as they are, given by the window."""
    return {"signal": Field(signals.medium, (None,), "float32", window=(description.length,))}


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write every key out."""
    known_keys(recipe.optimizer, PLAYERS, "optimizer")
    return recipe.model_copy(
        update={
            "task": Choice(name="waves", **_config(recipe).model_dump()),
            "data": recipe.data.with_options(length=description.length),
            "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in PLAYERS},
        }
    )


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over the length."""
    return recipe.model_copy(update={"data": recipe.data.with_options(length=config.description.length)})


def game(recipe: Recipe, description: Description) -> Game:
    """Two discriminators against one generator, with feature matching."""
    part = _config(recipe).part
    networks: dict[str, nn.Module] = {"generator": Generator(description.length)}
    networks |= {"whole": WaveDiscriminator(description.length), "part": WaveDiscriminator(part)}

    def begin(signal: Tensor, run: Pass) -> Tensor:
        return signal[:, :part]

    def scored(name: str) -> Callable[[Tensor, Pass], Scores]:
        def score(signal: Tensor, run: Pass) -> Scores:
            logits, features = networks[name](signal)
            return Scores(logits.float(), (features,))

        return score

    players = TwoPlayer(
        LOSSES["non-saturating"],
        [Discriminator("whole", scored("whole")), Discriminator("part", scored("part"), begin)],
        prepare=of_the_pass,
        real=lambda run: run.sample["signal"],
        generate=lambda run: networks["generator"](run.normal(Generator.latent)),
        feature_matching=0.1,
    )
    turns = players.turns(Penalties(r1=recipe.loss.r1), recipe.loss.update)
    return Game(networks, turns, ("generator",))


def observers(
    recipe: Recipe, description: Description, played: Game, model: "WavesPipeline", samples: Sides
) -> dict[str, Observer]:
    """The referee, who watches the discriminator of whole signals."""
    count = min(64, *map(len, samples))
    training, held_out = ({"signal": side.spread(count)["signal"]} for side in samples)

    def scores(signal: Tensor, exhibits: Exhibits) -> Tensor:
        whole = played.networks["whole"]
        logits: Tensor = whole(signal.to(next(whole.parameters()).device))[0]
        return logits

    audit = Audit(lambda _: model(len(held_out["signal"])).values, scores, LOSSES["non-saturating"], training, held_out)
    rule = Rule(recipe.referee.window, recipe.referee.share, recipe.referee.every)
    return {"referee": Referee(rule, LOSSES["non-saturating"], audit, {"batch": recipe.batch}, "whole")}


def sheet(recipe: Recipe, description: Description, model: "WavesPipeline", samples: Sides) -> Callable[[], Shown]:
    """The same waves at every look, to be seen and heard."""
    return lambda: Shown(signals.medium, model(4).values, {"model": model.name})


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> "WavesPipeline":
    """Wrap the averaged generator."""
    return WavesPipeline(Settings(description=description), {"generator": kept["generator"]}, recipe.name)


def evaluate(pipeline: "WavesPipeline", exam: Exam) -> Judgement:
    """The energy distance between held-out signals and as many fakes."""
    real = torch.cat([part["signal"] for part in exam.reals.parts(64, 500)])
    value = energy_figures(real, pipeline(len(real), 1).values)["energy_distance"]
    words = f"{len(real)} held-out windows against as many fakes"
    return Judgement([Measure("energy distance", value, value, value, 0.0, "none", len(real), len(real), words, "low")])


def example() -> Recipe:
    """A tiny game on the embedded sines."""
    return example_recipe(
        Choice(name="waves"),
        data=RecipeData(source="sines"),
        loss=Loss(r1=Penalty(weight=0.1, every=2)),
    )


class WavesOptions(Section):
    """What is asked of a generator of waves."""

    num: int = 1
    """How many."""
    seed: int = 0
    """The same seed gives the same waves."""


class WavesPipeline(GeneratorPipeline):
    """Draws waves: `pipeline(3, seed=0)`."""

    task: ClassVar[str] = "waves"
    Options: ClassVar[type[Section]] = WavesOptions
    Config: ClassVar[type[Section]] = Settings

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """Signals."""
        return MEDIA

    @torch.no_grad()
    def draw(self, options: WavesOptions) -> Samples:
        """Draw waves (num, length)."""
        network: Any = self.networks["generator"]
        drawn: Tensor = network(latents(network, options.seed, 0, options.num).to(self.device))
        return Samples(drawn.cpu(), None, self.facts(options), medium=signals.medium)

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """The generator and a batch of what it is given."""
        network = self.networks["generator"]
        return network, {"latent": latents(network, 0, 0, 4)}

    @classmethod
    def build(cls, config: Settings) -> "WavesPipeline":
        """Build it with an untrained generator."""
        return cls(config, {"generator": Generator(config.description.length)})


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")


pipeline_class = WavesPipeline
