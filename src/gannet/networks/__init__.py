"""Networks: pairs of a generator and a discriminator that can play one game."""

from gannet.networks.dcgan import Dcgan
from gannet.networks.mlp import Mlp
from gannet.networks.pair import Pair
from gannet.networks.residual import Residual

PAIRS: dict[str, type[Pair]] = {"mlp": Mlp, "dcgan": Dcgan, "residual": Residual}
"""The pairs by name, as `network.name` chooses them; their fields are the other keys of `network`."""

__all__ = ["PAIRS", "Dcgan", "Mlp", "Pair", "Residual"]
