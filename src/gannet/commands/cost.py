"""What a run costs in memory, told before any of it is taken."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from gannet.augmentation.amount import VERY_FEW_PICTURES
from gannet.data.cache_space import readable
from gannet.data.records import Source
from gannet.data.sources.several import parts_of
from gannet.data.survey import count_learned, survey
from gannet.media.image import fitting_size

if TYPE_CHECKING:
    from gannet.commands.train import Prepared

COPIES = 4
"""Of every weight there is its gradient and Adam's two moments besides; what is kept has its averages as well."""
SINGLE = 4
"""Bytes of a number in single precision."""
CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Weights:
    """The numbers to learn, and the bytes that they take with all that belongs to them."""

    parameters: dict[str, int]
    size: int


def weigh(prepared: "Prepared") -> Weights:
    """Count what a run's networks take, without making them."""
    with torch.device("meta"):
        game = prepared.task.game(prepared.recipe, prepared.description)
    parameters = {name: sum(one.numel() for one in network.parameters()) for name, network in game.networks.items()}
    kept, averages = sum(parameters[name] for name in game.kept), 1 + len(prepared.recipe.average.widths)
    return Weights(parameters, SINGLE * (COPIES * sum(parameters.values()) + averages * kept))


def check_networks(prepared: "Prepared", device: torch.device) -> Weights:
    """Count what a run's networks take; ValueError where that is more memory than there is."""
    weights = weigh(prepared)
    check_memory(weights.size, device, "The networks, with their gradients and moments,")
    return weights


def check_surely(prepared: "Prepared", device: torch.device, processes: int) -> None:
    """Refuse what surely takes more memory than there is, without playing a round; ValueError with both figures.

    Beside the networks a batch takes at least what its own samples do; how much more, only a dry run tells.
    """
    recipe, weights = prepared.recipe, check_networks(prepared, device)
    fields = prepared.task.fields(recipe, prepared.description).values()
    a_sample = SINGLE * sum(math.prod(field.given) for field in fields)
    check_memory(weights.size + a_sample * recipe.batch // recipe.accumulate // processes, device, "The batch")


def check_memory(needed: int, device: torch.device, what: str) -> None:
    """Refuse what takes more memory than there is; ValueError with both figures."""
    available = memory_of(device)
    if needed > available:
        raise ValueError(
            f"{what} would take about {readable(needed)} of memory, more than the {readable(available)} there are; "
            "lower batch, data.size or the network's width, or raise accumulate."
        )


def memory_of(device: torch.device) -> int:
    """Give the bytes of memory of a device; of this machine what the process may have of it."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    found = [2**63]
    with suppress(ValueError, OSError, AttributeError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ValueError, OSError):  # It may say "max".
        found.append(int(CGROUP.read_text()))
    return min(found)


def most_tried(device: torch.device) -> int:
    """Give the bytes that an estimate may take: little of a machine that others use, half of a GPU."""
    return memory_of(device) // 2 if device.type == "cuda" else 2**30


def cautions(prepared: "Prepared") -> tuple[str, ...]:
    """Say what of the data lets expect little, with the figure."""
    return tuple(note for part in parts_of(prepared.source) for note in (_few(part), _small(part, prepared)) if note)


def _few(source: Source) -> str:
    count = count_learned(source, VERY_FEW_PICTURES)
    told = f"{source.name} has {count:,} samples, a part of which is held out; fewer than {VERY_FEW_PICTURES:,} are "
    return "" if count >= VERY_FEW_PICTURES else f"{told}learned by heart rather than understood, so give more."


def _small(source: Source, prepared: "Prepared") -> str:
    """Pictures that were enlarged have nothing to teach about their details."""
    first = next(iter(prepared.task.fields(prepared.recipe, prepared.description).values()))
    if first.medium.name != "image" or (median := survey(source).median_side) >= min(first.given[1:]):
        return ""
    side = min(first.given[1:])
    told = f"Half of the pictures in {source.name} have a shorter side of at most {median} pixels and are enlarged to "
    smaller = fitting_size(median, side)
    instead = f", or set data.size={smaller}" if _allows(prepared, smaller) else ""
    return f"{told}{side}, which teaches blur; give larger ones{instead}."


def _allows(prepared: "Prepared", size: int) -> bool:
    """Tell whether a recipe can have another size of its pictures: a task may look at larger parts of them."""
    data = prepared.recipe.data.with_options(size=size)
    with suppress(ValueError):
        prepared.task.describe(prepared.recipe.model_copy(update={"data": data}), prepared.source)
        return True
    return False


class Activations:
    """Counts what is kept for gradients.

    Attributes:
        most: the most bytes that were kept at once.
    """

    def __init__(self) -> None:
        self.now = self.most = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count in the block."""
        with saved_tensors_hooks(self._keep, lambda kept: kept.tensor):
            yield

    def _keep(self, tensor: Tensor) -> "_Kept":
        return _Kept(self, tensor)


class _Kept:
    """A tensor that is kept until its gradient is known; weights are there anyway."""

    def __init__(self, counter: Activations, tensor: Tensor) -> None:
        self.counter, self.tensor = counter, tensor
        self.size = 0 if tensor.is_leaf and tensor.requires_grad else tensor.nbytes
        counter.now += self.size
        counter.most = max(counter.most, counter.now)

    def __del__(self) -> None:
        self.counter.now -= self.size
