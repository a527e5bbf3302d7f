"""Text restoration: what is lost of a text, in any script, is told by a network that reads both ways.

The data are texts, in folders by their languages; a network learns to tell characters that are hidden in them: single
ones, words, spans and half lines, and how long gaps of unknown length are. First it learns by likelihood; in the stage
`game` a discriminator reads the whole text and judges every place that was filled in (Fedus et al., 2018, "MaskGAN").
Gaps in a text that is given are marked as editors do: `[...]`, `[5]` or `-----`. Beside the restored text stands a
record with a confidence for every character, alternatives with their probabilities, and the nearest lines of what was
learned from.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import torch
from torch import nn

from gannet.adversarial.game import Curve, Game, Observer
from gannet.adversarial.two_player import DISCRIMINATOR
from gannet.data.loader import Sides
from gannet.data.records import Source
from gannet.data.samples import Labels, open_data
from gannet.data.survey import readable
from gannet.media import text
from gannet.media.medium import Field, Medium, Shown
from gannet.media.text import Options
from gannet.monitoring.periodic import Periodic
from gannet.pipelines.pipeline import Pipeline
from gannet.recipe import Data as RecipeData
from gannet.recipe import Optimizer, Recipe, Stage
from gannet.schema import Choice, check, known_keys
from gannet.task import example_recipe
from gannet.tasks.text_restoration import reading
from gannet.tasks.text_restoration.alphabet import FIRST, Alphabet, common_characters
from gannet.tasks.text_restoration.config import NETWORKS, Config, Description, Settings, choose_network
from gannet.tasks.text_restoration.corpora import Corpora, lines_of
from gannet.tasks.text_restoration.damage import NOTHING, Damaged, fixed_damage
from gannet.tasks.text_restoration.evaluation import evaluate
from gannet.tasks.text_restoration.evidence import Evidence
from gannet.tasks.text_restoration.game import GAME, build_game, language_numbers, languages_of, mean_entropy
from gannet.tasks.text_restoration.pipeline import BEFORE, GENERATOR, TextRestorationPipeline

LOOKED_AT, ON_SHEETS, READ = 64, 8, 2_000
"""Held-out texts that a run is watched by, those that a sheet shows, and parts in which an alphabet is looked for."""
PLAYERS = (GENERATOR, DISCRIMINATOR)

__all__ = ["Config", "Data", "Settings", "TextRestorationPipeline", "evaluate"]

judged_by = "held_out/cross_entropy"
Data = Options
choices = {"network": NETWORKS}
pipeline_class = TextRestorationPipeline


def media(recipe: Recipe) -> dict[str, Medium]:
    """Name the samples: texts."""
    return {"text": reading.medium}


def labels(recipe: Recipe) -> Labels:
    """Look at classes, which are languages; texts without one are read as of none."""
    return Labels.LOOKED_AT


def describe(recipe: Recipe, source: Source) -> Description:
    """Find the alphabet, by looking at some texts where the recipe leaves it open, and the languages."""
    config, options = _config(recipe), recipe.data.checked(Options)
    characters = config.characters or common_characters(readable(source, most=READ), config.alphabet)
    if not characters:
        raise ValueError(f"{Path(source.name).name} holds no text that can be read; give at least some lines.")
    return Description(
        name=Path(source.name).name,
        shape=(options.length,),
        classes=tuple(source.classes),
        characters=characters,
        languages=config.languages or tuple(source.classes),
    )


def fields(recipe: Recipe, description: Description) -> dict[str, Field]:
    """Say what texts are brought to: the numbers of their characters."""
    return {"text": reading.medium.field(description.shape[0])}


def resolve(recipe: Recipe, description: Description) -> Recipe:
    """Write the alphabet and the languages into the recipe."""
    known_keys(recipe.optimizer, PLAYERS, "optimizer")
    found = {"characters": description.characters, "languages": description.languages}
    config = _config(recipe).model_copy(update=found)
    return recipe.model_copy(
        update={
            "task": Choice(name=recipe.task.name, **config.model_dump(mode="json")),
            "data": recipe.data.with_options(**recipe.data.checked(Options).model_dump()),
            "network": Choice(name=recipe.network.name, **asdict(choose_network(recipe.network))),
            "optimizer": {player: recipe.optimizer.get(player, Optimizer()) for player in PLAYERS},
        }
    )


def adopt(recipe: Recipe, config: Settings) -> Recipe:
    """Take over what a model's weights need, and how sure it is of itself unless the recipe says that."""
    known, said = config.description, recipe.task.options
    kept = {
        "characters": known.characters,
        "languages": known.languages,
        "reach": config.reach,
        "fading": said.get("fading") or config.fading,
        "confidence": said.get("confidence") or config.confidence,
    }
    options = check(Config, {**recipe.task.options, **kept}, "task")
    return recipe.model_copy(
        update={
            "task": Choice(name=recipe.task.name, **options.model_dump(mode="json")),
            "network": config.network,
            "data": recipe.data.with_options(length=known.shape[0]),
        }
    )


def game(recipe: Recipe, description: Description) -> Game:
    """Build the network that restores, the discriminator, and the turns of both stages."""
    network, config = choose_network(recipe.network), _config(recipe)
    signs, languages = len(Alphabet(description.characters)), len(description.languages)
    networks: dict[str, nn.Module] = {
        GENERATOR: network.generator(signs, languages, config.reach),
        DISCRIMINATOR: network.discriminator(signs, languages),
    }

    @cache
    def find_evidence() -> Evidence:
        source = open_data(recipe, media(recipe), recipe.data.checked(Options), labels(recipe))
        corpora = Corpora(lines_of(source, description.languages))
        return corpora.evidence(description.languages, Alphabet(description.characters))

    return build_game(recipe, description, networks, config, find_evidence)


def observers(
    recipe: Recipe, description: Description, played: Game, model: Pipeline, samples: Sides
) -> dict[str, Observer]:
    """Look how likely what is hidden in held-out texts is, and how often it is told rightly."""
    damaged, language = _damaged(recipe, description, samples, LOOKED_AT)
    assert isinstance(model, TextRestorationPipeline)

    def look() -> dict[str, float]:
        logits, lengths = model.told(damaged.shown, language)
        wanted = damaged.wanted.to(model.device)
        right = (logits[..., FIRST:].argmax(-1) + FIRST == wanted)[wanted != NOTHING]
        entropy = {"cross_entropy": float(mean_entropy(logits, wanted))}
        return entropy | {
            "accuracy": float(right.float().mean()),
            "length": float(mean_entropy(lengths, damaged.lengths.to(model.device))),
        }

    curves = (Curve("Held-out texts: nats a hidden character, and the share told rightly"),)
    return {"held_out": Periodic(look, recipe.referee.every, curves=curves)}


def _damaged(recipe: Recipe, description: Description, samples: Sides, count: int) -> tuple[Damaged, torch.Tensor]:
    """Give some held-out texts, damaged always in the same way, and their languages."""
    alphabet, some = Alphabet(description.characters), samples[1].spread(count)
    languages = languages_of(some, language_numbers(description))
    return fixed_damage(alphabet.read(some["text"]), alphabet, _config(recipe).reach), languages


def sheet(
    recipe: Recipe, description: Description, model: TextRestorationPipeline, samples: Sides
) -> Callable[[], Shown]:
    """Show held-out texts as they are damaged, each above what the model tells of it."""
    alphabet = Alphabet(description.characters)
    damaged, language = _damaged(recipe, description, samples, ON_SHEETS)

    def look() -> Shown:
        logits, _ = model.told(damaged.shown, language)
        told = logits[..., FIRST:].argmax(-1).cpu() + FIRST
        filled = torch.where(damaged.filled, told, damaged.shown)
        pairs = torch.stack([damaged.shown, filled], 1).flatten(0, 1)
        return Shown(text.medium, alphabet.code_points(pairs), {"model": model.name})

    return look


def pipeline(recipe: Recipe, description: Description, kept: dict[str, nn.Module]) -> Pipeline:
    """Wrap the averaged network."""
    asked = _config(recipe)
    kept_keys = {"reach": asked.reach, "fading": asked.fading, "confidence": asked.confidence}
    config = Settings(description=description, network=recipe.network, **kept_keys)
    return TextRestorationPipeline(config, {GENERATOR: kept[GENERATOR]}, recipe.name)


def example() -> Recipe:
    """Give a tiny game on the embedded passages."""
    return example_recipe(
        Choice(name="text-restoration", alphabet=64, reach=4),
        data=RecipeData(source="lost-words", length=32),
        network=Choice(
            name="text-transformer", width=16, depth=1, heads=2, discriminator_width=8, discriminator_depth=1
        ),
        stages=(Stage(name=BEFORE, images=256), Stage(name=GAME, images=256)),
    )


def _config(recipe: Recipe) -> Config:
    return check(Config, recipe.task.options, "task")
