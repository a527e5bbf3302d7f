"""Recognition: which class a picture is of. A game with one player, and the classifier that judges and audits need.

The data are labelled pictures of one size. The recognizer's running average is what is kept; the activations on its
way to an answer serve as features (`judge-v1`, `loss-v1`).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gannet.adversarial.game import Game, Observer, Outcome, Pass, Turn
from gannet.augmentation.levels import from_levels
from gannet.data import image_dataset
from gannet.data.image_dataset import Description, fields
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.data.samples import Labels
from gannet.media import image, scores
from gannet.media.image import Options
from gannet.media.medium import Medium, Shown
from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Measure
from gannet.monitoring.periodic import Periodic
from gannet.networks import chosen
from gannet.networks.recognizer import Recognizer, RecognizerChoice
from gannet.pipelines.pipeline import ConverterPipeline, Input, Pipeline
from gannet.recipe import Data as RecipeData
from gannet.recipe import Loss, Optimizer, Recipe
from gannet.runtime.later import later
from gannet.schema import Choice, Section, check, known_keys
from gannet.task import Exam
from gannet.tasks import generation

stats = later("scipy.stats")

RECOGNIZER, HELD_OUT_SAMPLES, BATCH = "recognizer", 2_000, 250
NETWORKS = {"recognizer": RecognizerChoice}

__all__ = ["Data", "fields"]

judged_by = "held_out/error"
Data = Options
choices = {"network": NETWORKS}


class Config(Section):
    """Recognition has no keys of its own."""


class Settings(Section):
    """What `config.json` keeps of a recognizer."""

    description: Description
    network: Choice


def media(recipe: Recipe) -> Mapping[str, Medium]:
    """Name the samples: pictures."""
    return image_dataset.MEDIA


def labels(recipe: Recipe) -> Labels:
    """Need classes, which are what is learned."""
    return Labels.NEEDED


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size and channels where the recipe leaves them open; ValueError when the pictures have no labels."""
    check_labels(
        recipe, source, "put the pictures of each class into a sub-folder, or give (pictures, labels) in Python"
    )
    return image_dataset.describe(recipe, source)


def check_labels(recipe: Recipe, source: Source, advice: str) -> None:
    """Refuse samples without labels, and keys of `task`, in a sentence."""
    check(Config, recipe.task.options, "task")
    if not source.classes:
        raise ValueError(f"{Path(source.name).name} has no labels to learn; {advice}.")


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size and channels into the recipe."""
    return resolved(recipe, image_dataset.resolved_data(recipe, description), asdict(_choice(recipe.network)))


def resolved(recipe: Recipe, data: RecipeData, network: Mapping[str, Any]) -> Recipe:
    """Write chosen keys of the data and of the network into a recipe of one player."""
    if recipe.augment.name != "none":
        raise ValueError(f"A game of {recipe.task.name} has no discriminator whose view to augment; leave augment out.")
    known_keys(recipe.optimizer, [RECOGNIZER], "optimizer")
    return recipe.model_copy(
        update={
            "data": data,
            "network": Choice(name=recipe.network.name, **network),
            "optimizer": {RECOGNIZER: recipe.optimizer.get(RECOGNIZER, Optimizer())},
        }
    )


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network and shape, so that its weights fit."""
    data = image_dataset.adopted_data(recipe, config.description)
    return recipe.model_copy(update={"network": config.network, "data": data})


def game(recipe: Recipe, description: Description) -> Game:
    """Give one player, who descends the cross entropy of its answers."""
    return game_of(_choice(recipe.network).build(description.shape, len(description.classes)))


def game_of(network: nn.Module) -> Game:
    """Let a network descend the cross entropy of what it calls samples."""

    def recognize(run: Pass) -> Outcome:
        loss = cross_entropy(network(run.sample["real"]).float(), run.sample["label"])
        return Outcome({RECOGNIZER: {"cross_entropy": loss}})

    return Game({RECOGNIZER: network}, (Turn("recognize", (RECOGNIZER,), recognize),), (RECOGNIZER,))


def observers(
    recipe: Recipe,
    description: Description,
    played: Game,
    model: Pipeline,
    samples: Sides,
) -> dict[str, Observer]:
    """Name who looks how often the averaged recognizer errs on held-out pictures."""
    network, shown = model.networks[RECOGNIZER], samples[1].spread(HELD_OUT_SAMPLES)

    def look() -> dict[str, float]:
        return {"error": float((recognize(network, shown["real"]).argmax(1) != shown["label"]).float().mean())}

    return {"held_out": Periodic(look, recipe.referee.every)}


@torch.no_grad()
def recognize(recognizer: nn.Module, pictures: Tensor) -> Tensor:
    """Give the probabilities of the classes, (b, classes), on the CPU; some pictures at a time."""
    device = next(recognizer.parameters()).device
    recognizer.eval()
    parts = [recognizer(part.to(device)).float().softmax(1).cpu() for part in pictures.split(BATCH)]
    return torch.cat(parts)


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> "RecognitionPipeline":
    """Wrap the averaged recognizer."""
    config = Settings(description=description, network=recipe.network)
    return RecognitionPipeline(config, {RECOGNIZER: kept[RECOGNIZER]}, recipe.name)


def sheet(recipe: Recipe, description: Description, model: Pipeline, samples: Sides) -> Callable[[], Shown] | None:
    """Show nothing: a recognizer makes no pictures."""
    return None


def evaluate(pipeline: "RecognitionPipeline", exam: Exam) -> Judgement:
    """Measure the share of pictures that are given the right class, with Wilson's interval."""
    reals, description = exam.reals, pipeline.config.description  # type: ignore[attr-defined]
    if reals.values("label") is None:
        known = ", ".join(description.classes[:5])
        raise ValueError(f"A recognizer is judged by pictures of classes that it knows ({known}, ...); give such data.")
    right = total = 0
    for part in reals.parts(BATCH, len(reals)):
        right += int((pipeline.probabilities(part["real"]).argmax(1) == part["label"]).sum())
        total += len(part["label"])
    interval = stats.binomtest(right, total).proportion_ci(method="wilson")
    words = f"{total:,} pictures that it did not learn from"
    found = Measure("accuracy", right / total, interval.low, interval.high, None, "none", total, 0, words, "high")
    return Judgement([found], notes=image_dataset.conversions(exam.source, description))


def example() -> Recipe:
    """Give a tiny recognizer of the embedded digits."""
    updates = {
        "task": Choice(name="recognition"),
        "network": Choice(name="recognizer", width=8, depth=2),
        "loss": Loss(),
        "augment": Choice(name="none"),
    }
    return generation.example().model_copy(update=updates)


class RecognitionPipeline(ConverterPipeline):
    """Names what pictures are of: `pipeline("cat.jpg").value` gives the probability of each class."""

    task: ClassVar[str] = "recognition"
    inputs: ClassVar[Mapping[str, Input]] = {"picture": Input(image.medium, "a picture of what it learned to name")}
    Config: ClassVar[type[Section]] = Settings

    @property
    def outputs(self) -> Mapping[str, Medium]:
        """The probability of each class."""
        return {"scores": scores.medium}

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:  # noqa: ARG002
        """Name what a picture is of, brought to the size that was learned from."""
        description: Description = self.config.description  # type: ignore[attr-defined]
        channels, height, width = description.shape
        levels = image.medium.fit(inputs["picture"], image.medium.field(height, width, channels))
        found = self.probabilities(torch.from_numpy(from_levels(levels))[None])[0]
        return {"scores": dict(zip(description.classes, found.tolist(), strict=True))}

    def probabilities(self, pictures: Tensor) -> Tensor:
        """Give the probability of each class, (b, classes).

        Args:
            pictures: (b, c, h, w) in [-1, 1], with as many channels as the model learned from.
        """
        channels = self.config.description.shape[0]  # type: ignore[attr-defined]
        if pictures.ndim != 4 or pictures.shape[1] != channels:
            raise ValueError(f"This model takes pictures (b, {channels}, h, w), not {tuple(pictures.shape)}.")
        return recognize(self.networks[RECOGNIZER], pictures)

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the recognizer, and a batch of a `picture` (b, c, h, w); its result are logits (b, classes)."""
        shape = self.config.description.shape  # type: ignore[attr-defined]
        return self.networks[RECOGNIZER], {"picture": torch.linspace(-1, 1, BATCH * prod(shape)).view(BATCH, *shape)}

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained recognizer."""
        assert isinstance(config, Settings)
        network: Recognizer = _choice(config.network).build(config.description.shape, len(config.description.classes))
        return cls(config, {RECOGNIZER: network})


def _choice(network: Choice) -> RecognizerChoice:
    return chosen(network, NETWORKS)


pipeline_class = RecognitionPipeline
