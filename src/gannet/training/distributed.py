"""What several processes share: gradients after each turn, buffers before each checkpoint; and the running average."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import Parameter

from gannet.recipe import Average, Recipe
from gannet.schedule import average_decay


def share_gradients(parameters: Sequence[Parameter], fabric: Fabric) -> None:
    """Average the gradients over all processes, in one flat all-reduce.

    A parameter that the turn did not reach gets a zero gradient, on one process as on many, so that every process
    takes the same step whatever the turn was made of.
    """
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    if fabric.world_size == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    mean = fabric.all_reduce(flat, reduce_op="mean")
    assert isinstance(mean, Tensor)
    for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def share_buffers(networks: Mapping[str, nn.Module], fabric: Fabric) -> None:
    """Give every process the first one's buffers, such as the statistics of batch normalization."""
    if fabric.world_size == 1:
        return
    for network in networks.values():
        for buffer in network.buffers():
            buffer.copy_(fabric.broadcast(buffer, src=0))


def gather(watched: Mapping[str, Tensor], fabric: Fabric) -> dict[str, Tensor]:
    """Gather per-sample tensors (b, ...) of all processes as one (world * b, ...)."""
    if fabric.world_size == 1:
        return dict(watched)
    gathered = {name: fabric.all_gather(tensor) for name, tensor in watched.items()}
    return {name: tensor.flatten(0, 1) for name, tensor in gathered.items() if isinstance(tensor, Tensor)}


class RunningAverage:
    """Exponential moving averages of the kept networks, with a half-life in images.

    Attributes:
        networks: by name, the averaged copies, in evaluation mode.
    """

    def __init__(self, networks: Mapping[str, nn.Module], settings: Average) -> None:
        self.settings = settings
        self.networks = {name: copy.deepcopy(network).eval() for name, network in networks.items()}
        for network in self.networks.values():
            network.requires_grad_(False)

    @torch.no_grad()
    def update(self, networks: Mapping[str, nn.Module], images: int, batch: int) -> None:
        """Move towards the networks' weights and buffers as they are after a round of `batch` ending at `images`."""
        step = 1 - average_decay(self.settings, images, batch)
        for name, average in self.networks.items():
            old, new = _floats(average), _floats(networks[name])
            torch._foreach_lerp_(old, new, step)
            for counter, current in zip(_counters(average), _counters(networks[name]), strict=True):
                counter.copy_(current)


def _floats(network: nn.Module) -> list[Tensor]:
    return [tensor for tensor in network.state_dict(keep_vars=True).values() if tensor.is_floating_point()]


def _counters(network: nn.Module) -> list[Tensor]:
    return [tensor for tensor in network.state_dict(keep_vars=True).values() if not tensor.is_floating_point()]


def environment(fabric: Fabric) -> dict[str, Any]:
    """Give what bit-exactness depends on besides the recipe."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "precision": fabric.strategy.precision.precision,
        "processes": fabric.world_size,
        "device": fabric.device.type,
    }


def slices(recipe: Recipe, fabric: Fabric) -> list[slice]:
    """Give the parts of a round's batch that this process passes through, one after the other."""
    parts = fabric.world_size * recipe.accumulate
    if recipe.batch % parts or recipe.batch == parts:
        raise ValueError(
            f"batch {recipe.batch} must be a multiple, at least twofold, of processes x accumulate = {parts}; "
            f"set batch={max(2, round(recipe.batch / parts)) * parts}."
        )
    size = recipe.batch // parts
    first = fabric.global_rank * recipe.accumulate
    return [slice((first + index) * size, (first + index + 1) * size) for index in range(recipe.accumulate)]
