"""The keys of `task` for video prediction, and what a model keeps of itself."""

from typing import Literal

from gannet.networks import chosen
from gannet.networks.moving_layers import MovingLayers
from gannet.schema import Choice, Positive, Section, Weight
from gannet.tasks._video.data import Description
from gannet.tasks._video.symmetries import Symmetry

NETWORKS = {"moving-layers": MovingLayers}


class Config(Section):
    """The keys of `task` for video prediction."""

    given: Positive = 1
    """Frames that are given; those that follow, up to data.length, are predicted."""
    draws: Positive = 8
    """Futures that are drawn of each clip, of which the one nearest to the truth learns to be nearer. With 1 all that
    is not sure fades."""
    symmetries: tuple[Symmetry, ...] = ("left-right",)
    """What half of the clips are turned by, each by each, for they are as likely so: left-right, up-down, diagonal
    (rows become columns), time (backwards). Where there are few, it keeps the network from knowing their futures by
    heart."""
    pixel: Weight = 20.0
    """Weight of the mean difference to the nearest future in the stage `game`."""
    sparsity: Weight = 0.02
    """Weight of the penalty that holds the mask of what moves small (lambda), reached after half of the run."""


class Settings(Section):
    """What `config.json` keeps of a model: its clips, its network, and how many frames are given."""

    description: Description
    network: Choice
    given: Positive
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """What is done to frames of another shape."""


def choose_network(network: Choice) -> MovingLayers:
    """Give the networks that a recipe or a config names, with their options."""
    return chosen(network, NETWORKS)
