"""Networks compiled for shapes that stay, where the recipe asks for that and it pays.

PyTorch fuses what lies between two convolutions or products, and launches less. How much that saves differs from one
network and processor to the other, so `auto` measures it; where there is no compiler nothing is saved, and all stays as
it is.
"""

import logging
import time
import warnings
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Protocol

import torch
from lightning_fabric import Fabric
from torch import nn

from gannet.recipe import Recipe
from gannet.schedule import total_images
from gannet.training.callbacks import Callbacks

WARM_UP, TIMED = 2, 9
"""Rounds that are played before any counts, and those that do."""
LEAST_SECONDS = 600.0
"""Seconds that a run still lasts at least where `auto` tries: to compile takes up to some minutes."""
GAIN = 1.03
"""By how many times faster rounds must be: less is noise."""
MOST_SHAPES = 256
"""How often a function may be compiled anew: layers share their code, and each has shapes of its own."""
LOGGERS = "torch._dynamo", "torch._inductor"
"""Who would tell at length what could not be compiled."""


class Progress(Protocol):
    """Images and seconds so far."""

    images: int
    seconds: float


class Player(Protocol):
    """What plays rounds: the trainer."""

    recipe: Recipe
    networks: dict[str, nn.Module]
    fabric: Fabric
    callbacks: Callbacks
    compiled: bool | None

    @property
    def progress(self) -> Progress:
        """Tell how far it has come."""

    def round(self) -> None:
        """Play one."""

    def go_back(self) -> None:
        """Take back all that was played since the newest checkpoint."""

    def checkpoint(self) -> None:
        """Save everything."""


def settle(player: Player) -> None:
    """Compile the networks, or leave them as they are, as the recipe says; what `auto` found a run keeps."""
    asked = player.recipe.compile
    if asked == "auto" and player.compiled is None:
        player.compiled = pays(player)
        player.checkpoint()
    elif asked == "always" or (asked == "auto" and player.compiled):
        compile_networks(player.networks.values())


def pays(player: Player) -> bool:
    """Tell whether compiled networks play faster, and leave no trace but that they are compiled then."""
    notify = player.callbacks.notify if player.fabric.is_global_zero else str
    agreed = player.fabric.broadcast
    plain = _pace(player)
    if not agreed(_seconds_left(player, plain) >= LEAST_SECONDS):
        return False
    notify("The networks are compiled, to see whether they train faster so; that takes up to some minutes.")
    compile_networks(player.networks.values())
    gain = plain / _compiled_pace(player)
    faster: bool = agreed(gain >= GAIN)
    if not faster:
        run_as_written(player.networks.values())
    notify(f"They train {gain:.2f} times as fast compiled, and {'stay' if faster else 'do not stay'} so.")
    return faster


def _compiled_pace(player: Player) -> float:
    """Give the seconds of a round of compiled networks; infinite where the compiler makes what does not run."""
    try:
        return _pace(player)
    except Exception:  # Faults of the compiler have no kind of their own.
        return float("inf")


def _pace(player: Player) -> float:
    """Give the seconds of a round, the median of the same rounds each time."""
    seconds = []
    try:
        for _ in range(WARM_UP + TIMED):
            start = time.perf_counter()
            player.round()
            if player.fabric.device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
    finally:
        player.go_back()
    # Now and then one is compiled anew, for a layout in memory that was not met yet.
    return median(seconds[WARM_UP:])


def _seconds_left(player: Player, pace: float) -> float:
    """Give how long a run still lasts where a round takes so many seconds."""
    recipe, progress = player.recipe, player.progress
    left = (total_images(recipe) - progress.images) / recipe.batch * pace
    return left if recipe.minutes is None else min(left, 60 * recipe.minutes - progress.seconds)


def compile_networks(networks: Iterable[nn.Module]) -> None:
    """Let networks be compiled when they are first called; what cannot be compiled runs as it is written."""
    # Imported here: it takes a second.
    from torch._dynamo import config

    config.recompile_limit, config.suppress_errors = MOST_SHAPES, True
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", r"Dynamo (detected|does not know)", UserWarning)
    for part in _called(networks):
        part.compile(dynamic=False)


def run_as_written(networks: Iterable[nn.Module]) -> None:
    """Take back that networks are compiled."""
    for part in _called(networks):
        part._compiled_call_impl = None  # PyTorch has no other way back.
    torch.compiler.reset()


def _called(networks: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """Give what of networks is called: they, or their parts where a game calls those one by one."""
    for network in networks:
        if type(network).forward is not nn.Module.forward:
            yield network
        else:
            yield from _called(network.children())
