"""Networks: pairs of a generator and a discriminator that can play one game."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

from torch import nn

from gannet.networks.dcgan import Dcgan
from gannet.networks.mlp import Mlp
from gannet.networks.pair import Pair
from gannet.networks.plain import BuildDiscriminator, BuildGenerator, pair_of
from gannet.networks.residual import Residual
from gannet.runtime.plugins import find_part, register
from gannet.schema import Choice, check, known_keys

Builder = TypeVar("Builder")

PAIRS: dict[str, type[Pair]] = {"mlp": Mlp, "dcgan": Dcgan, "residual": Residual}
"""The pairs by name, as `network.name` chooses them; their fields are the other keys of `network`."""

__all__ = ["PAIRS", "Dcgan", "Mlp", "Pair", "Residual", "chosen", "pair_of", "register_network"]


def chosen(network: Choice, own: Mapping[str, type[Builder]]) -> Builder:
    """Check what builds the networks that a recipe or a config names, with its options.

    Third parties offer more by entry points of the group `gannet.networks`.

    Args:
        own: those that a task knows by itself; a third party's offers what these have in common.

    Raises:
        ValueError: there is none of that name, it does not fit the task, or an option is wrong; one sentence.
    """
    found = find_part(network.name, own, "gannet.networks", "network")
    common = set.intersection(*(set(dir(kind)) for kind in own.values()))
    asked = {name for name in common if name[0] != "_" and all(callable(getattr(kind, name)) for kind in own.values())}
    lacking = sorted(name for name in asked if not callable(getattr(found, name, None)))
    if lacking:
        raise ValueError(f"The network {network.name!r} is none for this task: it offers no {', '.join(lacking)}.")
    if is_dataclass(found):  # A plain one would leave unknown keys out without a word.
        known_keys(network.options, [key.name for key in fields(found)], "network")
    return check(found, network.options, "network")


def register_network(name: str, generator: BuildGenerator, discriminator: BuildDiscriminator) -> None:
    """Let recipes of this process choose networks of your own, plain PyTorch modules, by `network.name`.

    With classes the inputs of the generator end with zeros and a one, and the discriminator gives a logit for each.

    Args:
        name: what they go by.
        generator: takes how many inputs there are and the shape of a sample, (c, h, w) or (d,), and builds what maps
            (b, inputs) to (b, *shape), within [-1, 1] for pictures.
        discriminator: takes that shape and how many outputs there are, and builds what maps (b, *shape) to
            (b, outputs), logits.

    Raises:
        ValueError: the name is none, or is taken, or what is given builds nothing.
    """
    for what, build in (("generator", generator), ("discriminator", discriminator)):
        if isinstance(build, nn.Module) or not callable(build):
            raise ValueError(f"The {what} of {name!r} is to be a function that builds a module, for any shape.")
    register("gannet.networks", name, pair_of(generator, discriminator), PAIRS)
