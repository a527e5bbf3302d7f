"""Flow matching: a network learns the velocity that carries noise to pictures (Lipman et al., 2023, "Flow ...")."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gannet.networks.convolution import Convolution
from gannet.networks.pair import Generator, Shape
from gannet.schema import STRICT, Positive

FREQUENCIES, GROUPS = 16, 8


class Step(nn.Module):
    """Two convolutions that add to their input, shifted by what time and class say."""

    def __init__(self, before: int, after: int, known: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(GROUPS, before), nn.SiLU(), Convolution(before, after, 3, 1, 1))
        self.shift = nn.Linear(known, after)
        self.second = nn.Sequential(nn.GroupNorm(GROUPS, after), nn.SiLU(), Convolution(after, after, 3, 1, 1))
        self.past = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, picture: Tensor, known: Tensor) -> Tensor:
        """Map (b, before, h, w) and (b, known) to (b, after, h, w)."""
        changed = self.first(picture) + self.shift(known)[:, :, None, None]
        result: Tensor = self.past(picture) + self.second(changed)
        return result


class FlowGenerator(Generator):
    """A small U-Net for the velocity, followed from noise (time 0) to a picture (time 1) in equal steps.

    The latent vector is the noise itself, one number a pixel.
    """

    def __init__(self, shape: Shape, classes: int, width: int, steps: int) -> None:
        channels, height, side = shape
        super().__init__(channels * height * side, shape, classes)
        self.steps, known, widths = steps, 4 * width, (width, 2 * width, 2 * width)
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, known), nn.SiLU(), nn.Linear(known, known))
        self.embedding = nn.Embedding(classes, known) if classes else None
        self.enter = Convolution(channels, width, 3, 1, 1)
        before = (width, *widths[:-1])
        self.downs = nn.ModuleList(Step(*pair, known) for pair in zip(before, widths, strict=True))
        self.middle = Step(widths[-1], widths[-1], known)
        ups = ((4 * width, 2 * width), (4 * width, 2 * width), (3 * width, width))
        self.ups = nn.ModuleList(Step(*pair, known) for pair in ups)
        self.leave = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), Convolution(width, channels, 3, 1, 1))

    def velocity(self, picture: Tensor, time: Tensor, label: Tensor | None) -> Tensor:
        """Tell where a picture (b, c, h, w) moves at time (b,) in [0, 1], for the classes (b,)."""
        angles = time[:, None] * torch.logspace(0, 3, FREQUENCIES, base=10, device=time.device)
        known = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        if self.embedding is not None:
            known = known + self.embedding(label)
        state, passed = self.enter(picture), []
        for level, down in enumerate(self.downs):
            state = down(state if level == 0 else interpolate(state, scale_factor=0.5, mode="area"), known)
            passed.append(state)
        state = self.middle(state, known)
        for up in self.ups:
            beside = passed.pop()
            state = up(torch.cat([interpolate(state, beside.shape[2:]), beside], 1), known)
        result: Tensor = self.leave(state)
        return result

    def synthesize(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """Map noise (b, c * h * w) to pictures (b, c, h, w) in [-1, 1], by the midpoint rule."""
        state, length = latent.view(-1, *self.shape), 1 / self.steps
        for step in range(self.steps):
            time = latent.new_full((latent.shape[0],), step * length)
            middle = state + length / 2 * self.velocity(state, time, label)
            state = state + length * self.velocity(middle, time + length / 2, label)
        return state.clamp(-1, 1)


@dataclass(frozen=True)
class FlowChoice:
    """How wide the network is, and in how many steps it draws."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    width: Annotated[int, Field(ge=GROUPS, multiple_of=GROUPS)] = 32
    """Channels at full size, a multiple of 8; twice as many below."""
    steps: Positive = 10
    """Steps from noise to a picture; each takes two passes."""

    def __post_init__(self) -> None:
        if self.width < GROUPS or self.width % GROUPS or self.steps < 1:
            raise ValueError(f"network.width must be a multiple of {GROUPS} and network.steps at least 1.")

    def build(self, shape: Shape, classes: int) -> FlowGenerator:
        """Build the network for pictures of `shape` (c, h, w)."""
        if len(shape) != 3:
            raise ValueError(f"Flow matching makes pictures, not samples of shape {shape}.")
        return FlowGenerator(shape, classes, self.width, self.steps)
