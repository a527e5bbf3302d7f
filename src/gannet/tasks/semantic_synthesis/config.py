"""The keys of `task` for painting label maps, and what a model keeps of itself."""

from typing import Annotated, Any, Literal

from pydantic import Field as Constraint
from torch import nn

from gannet.data.image_dataset import Description
from gannet.media import label_map
from gannet.networks import chosen
from gannet.networks.painting import COLOURS, Clade, Painter, Spade
from gannet.networks.style import StyleBank, StyleEncoder
from gannet.schema import Choice, Positive, Section, Share, Weight, check

NETWORKS = {"clade": Clade, "spade": Spade}
GENERATOR = "generator"


class Config(Section):
    """The keys of `task` for painting label maps."""

    classes: Annotated[int, Constraint(ge=2, le=255)] | Literal["auto"] = "auto"
    """How many classes the maps number, from 0 on; `auto` goes by `classes.txt` beside the pictures, else it looks."""
    ignore: tuple[Annotated[int, Constraint(ge=0, le=255)], ...] = (label_map.NOTHING,)
    """Numbers of what is nobody's: there anything may be painted; 255 always is."""
    palette: tuple[Annotated[str, Constraint(pattern="^#[0-9a-fA-F]{6}$")], ...] = ()
    """The colours that maps are drawn in, one a class (#87ceeb); empty: those of label maps, or the data's own."""
    style: Annotated[int, Constraint(ge=4, le=64)] = 8
    """Numbers that say how a class is painted: its mean colour, and what is learned to matter."""
    discriminator_width: Positive = 48
    """Channels of the discriminator's largest size."""
    label_mix: Weight = 5.0
    """Weight of the consistency of the discriminator on mixtures of reals and fakes (OASIS)."""
    adversarial: Weight = 1.0
    """Weight of the adversarial loss."""
    keeping_style: Weight = 2.0
    """Weight of the difference between the style that was asked for and the one that is seen in what was painted."""
    pixel: Weight = 2.0
    """Weight of the mean difference to the true picture, seen coarsely, where the style is the true one's."""
    perceptual: Weight = 0.5
    """Weight of the perceptual distance to the true picture, there."""
    coarse: Share = 0.0
    """The share of maps that are made coarser, as people draw them, so that edges are painted naturally."""
    texture: Weight = 0.0
    """Weight of the distance of each class's texture to that of the true picture, there."""


class PaintedDescription(Description):
    """What pictures and their maps are.

    Attributes:
        palette: the colour of each class in maps that are drawn (#87ceeb).
    """

    palette: tuple[str, ...] = ()


class Settings(Section):
    """What `config.json` keeps of a painter."""

    description: PaintedDescription
    network: Choice
    task: Choice


class PaintingNetwork(nn.Module):
    """What paints, what sees styles, and the styles that were seen."""

    def __init__(self, painter: Painter, encoder: StyleEncoder, bank: StyleBank) -> None:
        super().__init__()
        self.painter, self.encoder, self.bank = painter, encoder, bank


def config_of(task: Choice) -> Config:
    """Check the keys of `task`."""
    return check(Config, task.options, "task")


def choice_of(network: Choice) -> Any:
    """Check what builds the network."""
    return chosen(network, NETWORKS)


def build_network(network: Choice, classes: int, style: int) -> PaintingNetwork:
    """Build the network, untrained."""
    painter = choice_of(network).painter(classes, style)
    return PaintingNetwork(painter, StyleEncoder(style), StyleBank(classes, style))


__all__ = ["COLOURS", "GENERATOR", "NETWORKS", "Config", "PaintingNetwork", "Settings", "build_network"]
