"""Who moves, and how: one optimizer a player."""

from collections.abc import Mapping

import torch
from torch import nn

from gannet.recipe import Optimizer


def make_optimizer(network: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """Give AdamW over all of a network's parameters; without weight decay it is Adam."""
    return torch.optim.AdamW(
        network.parameters(),
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=next(network.parameters()).device.type in {"cpu", "cuda"},
    )


def let_move(networks: Mapping[str, nn.Module], players: tuple[str, ...]) -> None:
    """Let only the players' parameters ask for gradients."""
    for name, network in networks.items():
        network.requires_grad_(name in players)
