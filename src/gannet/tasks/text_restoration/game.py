"""The game of text restoration, in two stages: first the likelihood of what is lost, then also a discriminator.

The discriminator reads a whole text and judges every place that was filled in (Fedus et al., 2018, "MaskGAN"); samples
are signs whose gradients are those of probabilities (Jang et al., 2017, "Categorical Reparameterization with
Gumbel-Softmax", section 2.2).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from gannet.adversarial.game import Game, Outcome, Pass, Turn
from gannet.adversarial.lecam import hold_scores
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import DISCRIMINATOR, GENERATOR, Discriminator, Penalties, Scores, TwoPlayer
from gannet.recipe import Recipe
from gannet.schedule import stages
from gannet.tasks.text_restoration.alphabet import FIRST, Alphabet
from gannet.tasks.text_restoration.config import Config, Description
from gannet.tasks.text_restoration.damage import NOTHING, Damage, Damaged
from gannet.tasks.text_restoration.evidence import Evidence

GAME = "game"
"""The stage with a discriminator."""
TINY = 1e-9
"""What keeps logarithms of noise finite."""


class Prepared(NamedTuple):
    """What a pass is about: damaged texts, their languages (b,), and what n-grams tell of them (b, t, 2, signs)."""

    run: Pass
    damaged: Damaged
    language: Tensor
    chances: Tensor


def build_game(
    recipe: Recipe,
    description: Description,
    networks: dict[str, nn.Module],
    config: Config,
    find_evidence: Callable[[], Evidence],
) -> Game:
    """Build the turns of both stages.

    Args:
        find_evidence: gives the n-grams of what is learned from, when the first turn is taken.
    """
    alphabet, numbers = Alphabet(description.characters), language_numbers(description)
    generator = networks[GENERATOR]

    def prepared(run: Pass, damage: Damage) -> Prepared:
        codes = run.sample["text"]
        damaged, language = damage(alphabet.read(codes), run), languages_of(run.sample, numbers)
        return Prepared(run, damaged, language, find_evidence().told(damaged.shown, language, true_signs(damaged)))

    def learn(run: Pass) -> Outcome:
        given = prepared(run, Damage(config.reach))
        logits, lengths = generator(given.damaged.shown, given.language, given.chances)
        return Outcome({GENERATOR: likelihood(logits, lengths, given.damaged, config.length_weight)})

    def generate(given: Prepared) -> Tensor:
        logits, _ = generator(given.damaged.shown, given.language, given.chances)
        noise = given.run.uniform(*logits.shape[1:])
        filled = sampled(logits.float(), noise, config.gumbel)
        known = one_hot(given.damaged.shown, len(alphabet)).to(filled.dtype)
        samples = torch.where(given.damaged.filled[..., None], filled, known)
        return torch.cat([samples, logits.float()], -1)

    def beside(fake: Tensor, given: Prepared) -> dict[str, Tensor]:
        losses = likelihood(fake[..., len(alphabet) :], None, given.damaged, 0.0)
        return {name: config.likelihood * loss for name, loss in losses.items()}

    lecam = hold_scores(recipe.loss.lecam, find_loss(recipe.loss.name)) if recipe.loss.lecam else None
    players = TwoPlayer(
        find_loss(recipe.loss.name),
        [Discriminator(DISCRIMINATOR, _score_by(networks[DISCRIMINATOR]), lambda one, _: one[..., : len(alphabet)])],
        prepare=lambda run: prepared(run, Damage(config.reach, contracted=0.0, replaced=0.0)),
        real=lambda given: one_hot(true_signs(given.damaged), len(alphabet)).float(),
        generate=generate,
        extra_losses=beside,
        weight=config.adversarial,
        lecam=lecam,
    )
    turns = players.turns(Penalties(recipe.loss.r1, recipe.loss.r2, recipe.loss.gradient_penalty), recipe.loss.update)
    first = tuple(stage.name for stage in stages(recipe) if stage.name != GAME)
    alone = (Turn("learn", (GENERATOR,), learn, stages=first),) if first else ()
    played = (*alone, *(replace(turn, stages=(GAME,)) for turn in turns))
    return Game(networks, played, (GENERATOR,), lecam.observers if lecam else {})


def _score_by(discriminator: nn.Module) -> Any:
    """Score places that were filled in; elsewhere the score is zero."""

    def score(sample: Tensor, given: Prepared) -> Scores:
        filled = given.damaged.filled
        logits: Tensor = discriminator(sample, filled.to(sample.dtype), given.language).float()
        return Scores(logits * filled)

    return score


def likelihood(logits: Tensor, lengths: Tensor | None, damaged: Damaged, weight: float) -> dict[str, Tensor]:
    """Give the cross entropy of what is lost in nats a sign, and with `weight` that of the lengths of gaps.

    Args:
        logits: (b, t, signs).
        lengths: (b, t, reach).
    """
    losses = {"likelihood": mean_entropy(logits, damaged.wanted)}
    if lengths is not None:
        losses["length"] = weight * mean_entropy(lengths, damaged.lengths)
    return losses


def mean_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    """Give the mean cross entropy where something is wanted, zero where nothing is."""
    told = cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=NOTHING, reduction="sum")
    return told / (wanted != NOTHING).sum().clamp_min(1)


def sampled(logits: Tensor, noise: Tensor, temperature: float) -> Tensor:
    """Draw signs of an alphabet (b, t, signs) by uniform noise: ones and zeros, whose gradients are those of the
    softmax."""
    allowed = logits.clone()
    allowed[..., :FIRST] = -torch.inf
    gumbel = -(-(noise + TINY).log() + TINY).log()
    soft = ((allowed + gumbel) / temperature).softmax(-1)
    hard = one_hot(soft.argmax(-1), logits.shape[-1]).to(soft.dtype)
    return hard + soft - soft.detach()


def true_signs(damaged: Damaged) -> Tensor:
    """Give the signs (b, t) of texts before they were damaged, but for gaps of unknown length."""
    return torch.where(damaged.wanted == NOTHING, damaged.shown, damaged.wanted)


def language_numbers(description: Description) -> tuple[int, ...]:
    """Give the number of the language of each of the data's classes; last that of what has none."""
    unknown = len(description.languages)
    known = {name: number for number, name in enumerate(description.languages)}
    return (*(known.get(name, unknown) for name in description.classes), unknown)


def languages_of(sample: Any, numbers: tuple[int, ...]) -> Tensor:
    """Give the language of each text of a batch, (b,)."""
    text = sample["text"]
    label = sample.get("label")
    if label is None:
        return torch.full((len(text),), numbers[-1], device=text.device)
    return torch.tensor(numbers, device=text.device)[label.clamp_max(len(numbers) - 1)]
