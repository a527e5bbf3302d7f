"""Recognition of clips: which class a clip is of, by what is in it and how it moves. A game with one player.

The data are labelled clips: films in a folder a class. The recognizer's running average is what is kept; the
activations on its way to an answer serve as features in which clips are compared (`judge-clips-v1`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from math import prod
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from gannet.adversarial.game import Game, Observer
from gannet.augmentation.levels import from_levels
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.media import clip
from gannet.media.clip import ClipMedium, Options
from gannet.metrics.judgement import Judgement
from gannet.monitoring.periodic import Periodic
from gannet.networks import chosen
from gannet.networks.clip_recognizer import ClipRecognizerChoice
from gannet.pipelines.pipeline import Input, Pipeline
from gannet.recipe import Data as RecipeData
from gannet.recipe import Loss, Recipe
from gannet.schema import Choice, Section
from gannet.task import Exam, example_recipe
from gannet.tasks import recognition
from gannet.tasks._video import data
from gannet.tasks._video.data import Description, chosen_data, fields, media
from gannet.tasks.recognition import RECOGNIZER, Config, RecognitionPipeline, check_labels, labels, resolved, sheet

HELD_OUT_CLIPS, BATCH = 400, 20
NETWORKS = {"clip-recognizer": ClipRecognizerChoice}

__all__ = ["Config", "Data", "Settings", "fields", "labels", "media", "sheet"]

judged_by = "held_out/error"
Data = Options
choices = {"network": NETWORKS}


class Settings(Section):
    """What `config.json` keeps of a recognizer of clips."""

    description: Description
    network: Choice


def describe(recipe: Recipe, source: Source) -> Description:
    """Choose size, rate and channels where the recipe leaves them open; ValueError when the clips have no labels."""
    check_labels(recipe, source, "put the clips of each class into a sub-folder of its own")
    return data.describe(recipe, source)


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the chosen size, rate and channels into the recipe."""
    return resolved(recipe, chosen_data(recipe, description), asdict(_choice(recipe.network)))


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over a model's network, shape and rate, so that its weights fit."""
    return recipe.model_copy(update={"network": config.network, "data": chosen_data(recipe, config.description)})


def game(recipe: Recipe, description: Description) -> Game:
    """Give one player, who descends the cross entropy of its answers."""
    return recognition.game_of(_choice(recipe.network).build(description.shape, len(description.classes)))


def observers(
    recipe: Recipe, description: Description, played: Game, model: Pipeline, samples: Sides
) -> dict[str, Observer]:
    """Name who looks how often the averaged recognizer errs on held-out clips."""
    network, held_out = model.networks[RECOGNIZER], samples[1]

    def look() -> dict[str, float]:
        parts = held_out.parts(BATCH, HELD_OUT_CLIPS)
        wrong = [recognition.recognize(network, part["real"]).argmax(1) != part["label"] for part in parts]
        return {"error": float(torch.cat(wrong).float().mean())}

    return {"held_out": Periodic(look, recipe.referee.every)}


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> "ClipRecognitionPipeline":
    """Wrap the averaged recognizer."""
    config = Settings(description=description, network=recipe.network)
    return ClipRecognitionPipeline(config, {RECOGNIZER: kept[RECOGNIZER]}, recipe.name)


def evaluate(pipeline: "ClipRecognitionPipeline", exam: Exam) -> Judgement:
    """Measure the share of clips that are given the right class, with Wilson's interval."""
    return recognition.evaluate(pipeline, exam)


def example() -> Recipe:
    """Give a tiny recognizer of the embedded moving digits."""
    return example_recipe(
        Choice(name="clip-recognition"),
        data=RecipeData(source="moving-digits", size=16, channels=1, rate=25, length=4, limit=64),
        network=Choice(name="clip-recognizer", width=4, depth=2),
        loss=Loss(),
    )


class ClipRecognitionPipeline(RecognitionPipeline):
    """Names what clips are of: `pipeline("walk.mp4").value` gives the probability of each class."""

    task: ClassVar[str] = "clip-recognition"
    inputs: ClassVar[Mapping[str, Input]] = {"clip": Input(clip.medium, "a clip of what it learned to name")}
    Config: ClassVar[type[Section]] = Settings

    def run(self, inputs: Mapping[str, Any], options: Section) -> Mapping[str, Any]:  # noqa: ARG002
        """Name what a clip is of: the mean over as many windows of it as it takes to see all of it."""
        description: Description = self.config.description  # type: ignore[attr-defined]
        channels, length, *sides = description.shape
        field = ClipMedium(description.rate).field((sides[0], sides[1]), channels, description.rate, length)
        levels = torch.from_numpy(clip.medium.fit(inputs["clip"], field)).permute(3, 0, 1, 2)
        count = -(-levels.shape[1] // length)
        starts = torch.linspace(0, levels.shape[1] - length, count).long().tolist()
        windows = torch.stack([levels[:, start : start + length] for start in starts])
        found = self.probabilities(from_levels(windows.float())).mean(0)
        return {"scores": dict(zip(description.classes, found.tolist(), strict=True))}

    def probabilities(self, clips: Tensor) -> Tensor:
        """Give the probability of each class, (b, classes).

        Args:
            clips: (b, c, t, h, w) in [-1, 1], with as many channels as the model learned from.
        """
        channels = self.config.description.shape[0]  # type: ignore[attr-defined]
        if clips.ndim != 5 or clips.shape[1] != channels:
            raise ValueError(f"This model takes clips (b, {channels}, t, h, w), not {tuple(clips.shape)}.")
        parts = [recognition.recognize(self.networks[RECOGNIZER], part) for part in clips.split(BATCH)]
        return torch.cat(parts)

    def traced(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """Give the recognizer, and a batch of a `clip` (b, c, t, h, w); its result are logits (b, classes)."""
        shape = self.config.description.shape  # type: ignore[attr-defined]
        return self.networks[RECOGNIZER], {"clip": torch.linspace(-1, 1, BATCH * prod(shape)).view(BATCH, *shape)}

    @classmethod
    def build(cls, config: Section) -> Self:
        """Build the pipeline with an untrained recognizer."""
        assert isinstance(config, Settings)
        network = _choice(config.network).build(config.description.shape, len(config.description.classes))
        return cls(config, {RECOGNIZER: network})


def _choice(network: Choice) -> ClipRecognizerChoice:
    return chosen(network, NETWORKS)


pipeline_class = ClipRecognitionPipeline
