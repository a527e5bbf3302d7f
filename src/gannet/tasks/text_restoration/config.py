"""The keys of `task` for text restoration, and what a model keeps of itself."""

from typing import Annotated

from pydantic import AfterValidator, Field

from gannet.data import image_dataset
from gannet.networks import chosen
from gannet.networks.text_restorer import TextNetworks
from gannet.schema import Choice, FrozenDict, Positive, Section, Share, Weight

Fading = Annotated[dict[str, Share], AfterValidator(FrozenDict)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Scaling = Annotated[dict[str, tuple[Finite, Finite]], AfterValidator(FrozenDict)]
NETWORKS = {"text-transformer": TextNetworks}


class Config(Section):
    """The keys of `task` for text restoration."""

    alphabet: Annotated[int, Field(ge=8, le=4096)] = 192
    """Characters that are learned at most, the commonest; the others are one sign."""
    characters: str = ""
    """Which they are, the commonest first; empty: they are found in the data."""
    languages: tuple[str, ...] = ()
    """The languages, as folders are called; empty: those of the data's folders."""
    reach: Annotated[int, Field(ge=1, le=64)] = 20
    """Characters of the longest gap of unknown length."""
    length_weight: Weight = 0.1
    """Weight of the cross entropy of the lengths of gaps."""
    likelihood: Weight = 1.0
    """Weight of the cross entropy in the stage `game`."""
    adversarial: Weight = 0.1
    """Weight of the adversarial loss there."""
    fading: Fading = Field(default_factory=dict, validate_default=True)
    """By language: how much less sure longer fillings are, 0 to 1: the power of their length that divides chances.
    It is 1 where nothing is said, as for verse; 0.25 fits inscriptions, which are made of formulae."""
    confidence: Scaling = Field(default_factory=dict, validate_default=True)
    """By language: what the logits of confidences are multiplied by, and what is added then (Platt, 1999); as they are
    where nothing is said. `benchmarks/lost_words.py --calibrate` fits both to texts that were not learned from."""
    gumbel: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Temperature of the samples there: the lower, the nearer are gradients to those of signs (Jang et al., 2017)."""


class Description(image_dataset.Description):
    """What the texts are: their shape is (length,).

    Attributes:
        characters: the alphabet, the commonest first.
        languages: that a model tells apart.
    """

    characters: str
    languages: tuple[str, ...] = ()


class Settings(Section):
    """What `config.json` keeps of a model: its alphabet and languages, its network, and the reach of its gaps."""

    description: Description
    network: Choice
    reach: Positive
    fading: Fading = Field(default_factory=dict, validate_default=True)
    confidence: Scaling = Field(default_factory=dict, validate_default=True)


def choose_network(network: Choice) -> TextNetworks:
    """Give the networks that a recipe or a config names, with their options."""
    return chosen(network, NETWORKS)
