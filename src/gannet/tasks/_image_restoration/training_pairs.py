"""Training pairs of photographs: a patch of one as the target, and what the network is shown of it as the input."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Generic

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from gannet.adversarial.game import Pass
from gannet.augmentation.draws import Drawn, Draws
from gannet.runtime.randomness import generator
from gannet.tasks._image_restoration.config import Keys, PhotographConfig

MOST_SHIFTED, LOOK_SEED = 8, 0
NEAREST = 0.55
"""The least share of a photograph's shorter side that is seen of it, by those who learn what whole things look like."""


@dataclass(frozen=True)
class TrainingPair:
    """Patches of photographs.

    Attributes:
        input: what the network is shown, (b, c, h, w).
        target: what it should make of that, the ground truth (b, c', h', w') in [-1, 1].
    """

    input: Tensor
    target: Tensor

    @property
    def lost(self) -> Tensor:
        """Give where something is lost (b, 1, h, w), of inputs whose last channel says so."""
        return (self.input[:, -1:] > 0).float()


@dataclass(frozen=True)
class PreparedPair:
    """The training pair of a pass, with the pass's noise."""

    run: Pass
    pair: TrainingPair


def as_made(picture: Tensor) -> Tensor:
    """Give what the network makes as it is: a picture already."""
    return picture


def halved_thrice(config: PhotographConfig) -> int:
    """Let patches pass through the discriminator."""
    return 8


def no_task_losses(network: nn.Module, pair: TrainingPair, config: PhotographConfig) -> dict[str, Tensor]:
    """Let a network learn by what it makes alone."""
    return {}


def no_figures(made: Tensor, target: Tensor, config: PhotographConfig) -> dict[str, float]:
    """Tell nothing else of what was made."""
    return {}


@dataclass(frozen=True)
class Pairing(Generic[Keys]):
    """How training pairs are made of whole pictures.

    Attributes:
        make: gives the input and the target of whole pictures (b, c, h, w).
        patch_multiple: gives the number of pixels that the side of a patch is a multiple of.
        seen: gives what the network makes as a picture that can be looked at, in [-1, 1].
        looks: gives the input as a picture that sheets show beside what is made; None: they show that alone.
        figures: gives what else is told of what the network makes of held-out pictures beside the target, by name.
        task_losses: gives what the network descends, by name: alone before the game, where there is any, and in it
            beside how far what it makes is from the target.
        channels: that pictures to learn from may have; the first is the example's.
        masked: whether only what is lost counts, which the last channel of the input says, as much of each picture;
            the discriminator is told where that is, and scores there and near.
    """

    make: Callable[[Tensor, Draws, Keys], TrainingPair]
    patch_multiple: Callable[[Keys], int] = halved_thrice
    seen: Callable[[Tensor], Tensor] = as_made
    looks: Callable[[Tensor], Tensor] | None = None
    figures: Callable[[Tensor, Tensor, Keys], Mapping[str, float]] = no_figures
    task_losses: Callable[[nn.Module, TrainingPair, Keys], Mapping[str, Tensor]] = no_task_losses
    channels: tuple[int, ...] = (1, 3)
    masked: Callable[[Keys], bool] = lambda _: False

    def shown(self, pictures: Tensor, config: Keys) -> TrainingPair:
        """Draw the pair of pictures that are looked at, always the same, with the ground truth as the target."""
        return self.make(pictures, Drawn(len(pictures), generator(LOOK_SEED, "look")), config.by_the_truth())


def shifted(pictures: Tensor, draws: Draws) -> Tensor:
    """Crop pictures (b, c, h, w), or several times as many, by up to seven rows and columns in front, eight in all.

    Networks that halve pictures see each pixel in one way, by its place; one that learned from them whole would draw a
    grid that they do not mind.
    """
    corners = (MOST_SHIFTED * draws.uniform(2)).long().tolist()
    height, width = (side - MOST_SHIFTED for side in pictures.shape[2:])
    places = zip(pictures, cycle(corners), strict=False)
    return torch.stack([picture[:, top : top + height, left : left + width] for picture, (top, left) in places])


def cut(pictures: Tensor, side: int, draws: Draws) -> Tensor:
    """Cut a square patch of each picture (b, c, h, w), (b, c, side, side), mirrored and turned by quarters."""
    which, rows, columns = _places(pictures, side, draws)
    rows = torch.where(draws.uniform()[:, None] < 0.5, rows.flip(1), rows)
    patches = pictures[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return torch.where(draws.uniform()[:, None, None, None] < 0.5, patches.transpose(2, 3), patches).contiguous()


def cut_upright(pictures: Tensor, side: int, draws: Draws) -> Tensor:
    """Cut a patch of each picture, only mirrored, left to right: for those who learn what things look like."""
    which, rows, columns = _places(pictures, side, draws)
    return pictures[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def near_and_far(pictures: Tensor, side: int, draws: Draws) -> Tensor:
    """Cut a square of each picture (b, c, h, w), of half of it or more, mirrored at times, (b, c, side, side)."""
    seen = NEAREST + (1 - NEAREST) * draws.uniform()
    mirrored = torch.where(draws.uniform() < 0.5, -1.0, 1.0)
    middles, shorter = 2 * draws.uniform(2) - 1, min(pictures.shape[2:])
    shares = torch.stack([seen * shorter / length for length in pictures.shape[2:]], 1)
    return looked_at(pictures, Windows(middles * (1 - shares), shares, mirrored), side, "reflection")


@dataclass(frozen=True)
class Windows:
    """Parts of pictures that are looked at, down and across.

    Attributes:
        middles: (b, 2), from -1 to 1 over a picture.
        shares: (b, 2), of the picture's sides.
        mirrored: (b,), -1 where left and right are exchanged, else 1.
    """

    middles: Tensor
    shares: Tensor
    mirrored: Tensor


def looked_at(pictures: Tensor, windows: Windows, side: int, beyond: str) -> Tensor:
    """Bring parts of pictures (b, c, h, w) to (b, c, side, side), smoothly; `beyond` is the way to go on over their
    sides that `grid_sample` calls so.
    """
    along = (torch.arange(side, device=pictures.device) + 0.5) * (2 / side) - 1
    signs = (torch.ones_like(windows.mirrored), windows.mirrored)
    rows, columns = (
        windows.middles[:, axis, None] + (windows.shares[:, axis] * sign)[:, None] * along
        for axis, sign in enumerate(signs)
    )
    grid = torch.stack([columns[:, None, :].expand(-1, side, -1), rows[:, :, None].expand(-1, -1, side)], 3)
    return grid_sample(pictures, grid, padding_mode=beyond, align_corners=False)


def _places(pictures: Tensor, side: int, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
    """Each picture's number, and the rows and columns of a patch of it, mirrored left to right at times."""
    count, _, height, width = pictures.shape
    device = pictures.device
    room = torch.tensor([height - side + 1, width - side + 1], device=device)
    corner = (draws.uniform(2) * room).long()
    along = torch.arange(side, device=device)
    rows, columns = (corner[:, axis, None] + along for axis in range(2))
    columns = torch.where(draws.uniform()[:, None] < 0.5, columns.flip(1), columns)
    return torch.arange(count, device=device)[:, None, None], rows, columns
