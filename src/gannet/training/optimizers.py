"""Who moves, and how: one optimizer a player."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from gannet.adversarial.game import State
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


def restore_optimizer(optimizer: torch.optim.Optimizer, state: State) -> None:
    """Load what an optimizer remembers, its moments laid out in memory as their parameters are.

    Files hold them row by row, and PyTorch's fused step reads both from first to last without asking.
    """
    optimizer.load_state_dict(state)
    for parameter, moments in optimizer.state.items():
        for name, moment in moments.items():
            if moment.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter, dtype=moment.dtype).copy_(moment)


@torch.no_grad()
def measured_step(optimizer: torch.optim.Optimizer) -> Tensor:
    """Step; give |change| / |weights before| of the median kernel or matrix, a scalar on their device.

    Biases start at zero and gains and embeddings at one, whatever the network; they say nothing about a rate. The copy
    that this takes lives during the step only, when what the passes kept is gone. NaN where all stay at zero.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    weights = [parameter for parameter in parameters if parameter.ndim > 1] or parameters
    copies = [weight.clone() for weight in weights]
    optimizer.step()
    pairs = zip(weights, copies, strict=True)
    return torch.stack([(after - before).norm() / before.norm() for after, before in pairs]).nanmedian()


def let_move(
    parameters: Mapping[str, Iterable[nn.Parameter]], players: tuple[str, ...], records: tuple[str, ...] = ()
) -> None:
    """Let only the players' parameters ask for gradients, and those of networks whose passes a later turn needs.

    Args:
        parameters: by network.
    """
    for name, some in parameters.items():
        for parameter in some:
            parameter.requires_grad_(name in players or name in records)
