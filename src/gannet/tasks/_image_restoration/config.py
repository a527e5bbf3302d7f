"""The keys of `task` that all tasks share that make a better photograph of a lesser one."""

from collections.abc import Mapping
from typing import ClassVar, Self, TypeVar

from gannet.schema import Positive, Section, Weight

LOSS_NETWORK = "loss-v1"


class PhotographConfig(Section):
    """The keys of `task` that these tasks share."""

    former_names: ClassVar[Mapping[str, str]] = {"piece": "patch", "police": "discriminator_width"}

    of_this_machine: ClassVar[tuple[str, ...]] = ("perceptual_network",)
    """Keys that may name files of the machine that learns: they are not kept with the model."""

    patch: Positive = 96
    """Pixels a side of the patches that are learned from."""
    pixel: Weight = 0.05
    """Weight of the mean difference of pixels in the stage `game`."""
    perceptual: Weight = 1.0
    """Weight of the perceptual distance in the stage `game`."""
    adversarial: Weight = 0.1
    """Weight of the adversarial loss in the stage `game`."""
    perceptual_network: str = LOSS_NETWORK
    """Whose activations the perceptual distance compares in learning: loss-v1, or a .safetensors file with a VGG's
    weights as torchvision and timm name them (features.0.weight, ...)."""
    discriminator_width: Positive = 48
    """Channels of the discriminator's first layer."""

    def on_this_machine(self) -> Self:
        """Give the keys with whole paths where files are named, so that the run goes on from any folder."""
        return self

    def by_the_truth(self) -> Self:
        """Give the keys by which held-out photographs are looked at: what is made is held against the true ones."""
        return self


Keys = TypeVar("Keys", bound=PhotographConfig)
"""Stands for the keys of one of these tasks."""
