"""What may be done to clips so that they are as likely as before: more to learn from, where there are few."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import torch
from torch import Tensor

from gannet.adversarial.game import Pass
from gannet.augmentation.draws import Draws

Made = TypeVar("Made")
Symmetry: TypeAlias = Literal["left-right", "up-down", "diagonal", "time"]
DONE: Mapping[Symmetry, Callable[[Tensor], Tensor]] = {
    "left-right": lambda clips: clips.flip(4),
    "up-down": lambda clips: clips.flip(3),
    "diagonal": lambda clips: clips.transpose(3, 4),
    "time": lambda clips: clips.flip(2),
}
"""What each does to clips (b, c, t, h, w)."""


@dataclass(frozen=True)
class SymmetricPass:
    """A pass whose clips are seen so; it draws, and shares, as the pass that it is of.

    Attributes:
        run: that pass.
        sample: its tensors, with other clips.
    """

    run: Pass
    sample: Mapping[str, Tensor]

    def normal(self, *shape: int) -> Tensor:
        """Give standard normal noise (b, *shape)."""
        return self.run.normal(*shape)

    def uniform(self, *shape: int) -> Tensor:
        """Give uniform noise in [0, 1), (b, *shape)."""
        return self.run.uniform(*shape)

    def on_processor(self) -> Draws:
        """Give the same draws on the processor."""
        return self.run.on_processor()

    def shared(self, name: str, make: Callable[[Pass], Made]) -> Made:
        """Give what an earlier turn of the round made under that name."""
        return self.run.shared(name, make)


def seen_by(symmetries: tuple[Symmetry, ...]) -> Callable[[Pass], Pass]:
    """Give what does each of them to half of the clips of a pass, drawn anew in every one."""

    def seen(run: Pass) -> Pass:
        return SymmetricPass(run, {**run.sample, "real": changed(run.sample["real"], symmetries, run)})

    return seen if symmetries else lambda run: run


def changed(clips: Tensor, symmetries: tuple[Symmetry, ...], run: Pass) -> Tensor:
    """Do each of them to half of the clips (b, c, t, h, w)."""
    for name in symmetries:
        chosen = run.uniform().to(clips.device) < 0.5
        clips = torch.where(chosen.view(-1, 1, 1, 1, 1), DONE[name](clips), clips)
    return clips
