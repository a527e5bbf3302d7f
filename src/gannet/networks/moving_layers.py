"""The future of a picture, laid together of what moves in it: parts of the last given frame on paths of their own.

A U-Net tells which parts of the given frames will move, and what lies behind them; a recurrent network, started by what
is seen coarsely and by noise, tells frame by frame where each part has gone. So pixels are moved and not drawn anew
(after Finn et al., 2016, "Unsupervised Learning for Physical Interaction through Video Prediction", section 3, and
Wang and Adelson, 1994, "Representing Moving Images with Layers").
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import log
from typing import Annotated, Literal, NamedTuple, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, grid_sample, interpolate, max_pool2d

from gannet.networks.convolution import Convolution, side_by_side
from gannet.networks.pair import Discriminator, Shape, halvings
from gannet.networks.two_stream import MASK_SHARE, Layers, TwoStream, checked_clip
from gannet.networks.unet import SLOPE, he_init
from gannet.schema import STRICT, Positive

STATE, MOST_TIMES = 128, 4
"""Numbers that the recurrent network remembers, and how many times more channels the smallest size has at most."""
STEP, TURN = 1 / 16, 1 / 64
"""What a velocity of one is of half a side a frame; and a turn of one in radians, a growth of one in its logarithm."""
GROWTH = 0.2
"""The logarithm of how much larger or smaller a part may become unless told otherwise: without a bound, what is not
sure would vanish."""
OF_PLACE, OF_MOTION = 6, 4
"""Numbers that tell where a part is (middle, spread, velocity), and how it moves (velocity, turn, growth)."""


class Parted(NamedTuple):
    """What was told apart in given frames.

    Attributes:
        picture: (b, c, h, w), the last given frame.
        masks: (b, n, h, w) in [0, 1], where each part is in it.
        background: (b, c, h, w), what stands still: the picture itself but for what the parts cover.
        coarse: (b, f), what was seen in small.
        velocity: (b, n, 2), how far the parts went a frame in the given ones, in halves of a side; None: of one frame
            nobody can tell.
    """

    picture: Tensor
    masks: Tensor
    background: Tensor
    coarse: Tensor
    velocity: Tensor | None = None

    def repeated(self, times: int) -> "Parted":
        """Give the same so many times over, one batch behind the other."""
        picture, masks, background, coarse = (_repeated(one, times) for one in self[:4])
        velocity = None if self.velocity is None else _repeated(self.velocity, times)
        return Parted(picture, masks, background, coarse, velocity)

    def smaller(self, factor: int) -> "Parted":
        """Give the same so many times smaller."""
        picture, masks, background = (avg_pool2d(one, factor) for one in self[:3])
        return self._replace(picture=picture, masks=masks, background=background)


def _repeated(values: Tensor, times: int) -> Tensor:
    return values.repeat(times, *[1] * (values.ndim - 1))


class Motion(NamedTuple):
    """How the parts move; lengths are halves of a side. No part fades: what is not sure would, and nothing be left.

    Attributes:
        middles: (b, n, 2), where the parts are in the picture, (x, y) in [-1, 1].
        moved: (b, t, n, 2), how far each has gone.
        forms: (b, t, n, 2, 2), what maps places about a part's middle to those in the picture.
    """

    middles: Tensor
    moved: Tensor
    forms: Tensor

    def between(self, start: int, end: int) -> "Motion":
        """Give the same of some of the frames."""
        return Motion(self.middles, *(one[:, start:end] for one in self[1:]))

    def at(self, frames: Tensor) -> "Motion":
        """Give the same of some of the frames, of each clip of its own (b, n)."""
        rows = torch.arange(len(frames), device=frames.device)[:, None]
        return Motion(self.middles, *(one[rows, frames] for one in self[1:]))


class MovingParts(nn.Module):
    """Moves parts of a picture on paths that a recurrent network draws, frame by frame."""

    def build_motion(self, features: int, latent: int, parts: int, growth: float = GROWTH) -> None:
        """Build the recurrent network, started by so many features and by a latent vector."""
        self.parts, self.growth = parts, growth
        self.start = nn.Linear(features, STATE)
        self.noise = nn.Linear(latent, STATE)
        self.cell = nn.GRUCell(OF_PLACE * parts, STATE)
        self.steps = nn.Linear(STATE, OF_MOTION * parts)

    def initialize_motion(self) -> None:
        """Let noise tell paths apart from the first: of equal ones none would be the nearest."""
        nn.init.normal_(self.steps.weight, 0.0, 0.5 / STATE**0.5)
        nn.init.zeros_(self.steps.bias)
        nn.init.normal_(self.noise.weight)

    def moved(self, parted: Parted, latent: Tensor, count: int, begin: Tensor | None = None) -> Motion:
        """Tell how the parts move over so many frames, as noise (b, latent) wants it.

        Args:
            begin: how far each has gone before, (b, n, 2), in halves of a side; None: not at all.
        """
        with torch.autocast(latent.device.type, enabled=False):  # In bf16 paths would be steps.
            middles, spreads = _places(parted.masks.detach())
            state = (self.start(parted.coarse) + self.noise(latent)).tanh()
            seen = torch.zeros_like(middles) if parted.velocity is None else parted.velocity
            velocity, moved = seen, torch.zeros_like(middles) if begin is None else begin
            found, gone = [], []
            for _ in range(count):
                # Where parts are is an observation: through it no error flows back.
                place = torch.cat([middles + moved.detach(), spreads, velocity.detach() / STEP], 2)
                state = self.cell(place.flatten(1), state)
                step = self.steps(state).unflatten(1, (self.parts, OF_MOTION))
                velocity = seen + STEP * step[..., :2]
                moved = moved + velocity
                found.append(step)
                gone.append(moved)
            turned = (TURN * torch.stack(found, 1)[..., 2:]).cumsum(1)
            return Motion(middles, torch.stack(gone, 1), _forms(turned[..., 0], turned[..., 1], self.growth))


class MovingLayersGenerator(MovingParts):
    """Maps given frames and latent vectors to clips that begin with those frames.

    Attributes:
        latent: length of a latent vector.
        shape: of a clip, (c, t, h, w).
        given: frames of it that are given.
    """

    def __init__(self, shape: Shape, given: int, options: "MovingLayers") -> None:
        super().__init__()
        self.latent, self.shape, self.given = options.latent, shape, given
        channels, _, height, width = shape
        self.unet = _Look(channels * given, options.parts + channels, options.size(shape), halvings(shape[1:]))
        levels = halvings(shape[1:])
        features = self.unet.widest * (height >> levels) * (width >> levels)
        self.build_motion(features, options.latent, options.parts, options.growth)
        self._initialize()

    def _initialize(self) -> None:
        """Let parts begin small in share."""
        share = MASK_SHARE / self.parts
        nn.init.normal_(self.unet.exit.weight, 0.0, 0.02)
        assert self.unet.exit.bias is not None
        nn.init.zeros_(self.unet.exit.bias)
        nn.init.constant_(self.unet.exit.bias[: self.parts], log(share / (1 - share)))
        self.initialize_motion()

    def forward(self, frames: Tensor, latent: Tensor) -> Tensor:
        """Map given frames (b, c, g, h, w) and (b, latent) to clips (b, c, t, h, w) in [-1, 1]."""
        return self.continued(frames, self.layers(frames, latent))

    def continued(self, frames: Tensor, layers: Layers) -> Tensor:
        """Put the given frames, as they are, before what comes."""
        return torch.cat([frames, layers.clip()], 2)

    def layers(self, frames: Tensor, latent: Tensor, length: int | None = None) -> Layers:
        """Tell what the frames that come are laid together of, up to the clip's length or so many."""
        parted = self.parted(frames)
        return laid(parted, self.motion(parted, latent, length))

    def parted(self, frames: Tensor) -> Parted:
        """Tell apart what moves in given frames (b, c, g, h, w), and what lies behind it."""
        coarse, fine = self.unet(frames.flatten(1, 2))
        picture, fine = frames[:, :, -1], fine.float()
        masks, change = fine[:, : self.parts].sigmoid(), 2 * fine[:, self.parts :].tanh()
        covered = max_pool2d(masks.amax(1, keepdim=True), 3, 1, 1)  # Edges are half one, half the other.
        # What is covered begins as it is: were it painted anew from the first, masks would rather go than be of use.
        background = (picture + covered * change).clamp(-1, 1)
        return Parted(picture, masks, background, coarse.float(), self._velocity(frames, masks))

    def _velocity(self, frames: Tensor, masks: Tensor) -> Tensor | None:
        """Tell how far parts went a frame: seen in reverse order, the given frames show where they were at first."""
        if self.given == 1:
            return None
        with torch.no_grad():
            first = self.unet(frames.flip(2).flatten(1, 2))[1][:, : self.parts].float().sigmoid()
            return (_places(masks)[0] - _places(first)[0]) / (self.given - 1)

    def motion(self, parted: Parted, latent: Tensor, length: int | None = None) -> Motion:
        """Tell how the parts move, as noise (b, latent) wants it."""
        return self.moved(parted, latent, self.shape[1] - self.given if length is None else length)


class _Look(nn.Module):
    """A U-Net that also gives what it sees in small."""

    def __init__(self, before: int, after: int, width: int, levels: int) -> None:
        super().__init__()
        widths = [width * min(2**level, MOST_TIMES) for level in range(levels + 1)]
        self.widest = widths[-1]
        self.entry = _convolved(before, width)
        self.down = nn.ModuleList(
            nn.Sequential(_convolved(fine, coarse, 4, 2), _convolved(coarse, coarse))
            for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(_convolved(fine + coarse, fine) for fine, coarse in reversed(list(pairwise(widths))))
        self.exit = Convolution(width, after, 3, 1, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Map (b, before, h, w) to what is seen in small (b, f), and (b, after, h, w)."""
        seen = [self.entry(side_by_side(picture))]
        for down in self.down:
            seen.append(down(seen[-1]))
        features = coarse = seen.pop()
        for up in self.up:
            beside = seen.pop()
            features = up(torch.cat([interpolate(features, beside.shape[2:]), beside], 1))
        return coarse.flatten(1), self.exit(features)


def _convolved(before: int, after: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(he_init(Convolution(before, after, side, stride, 1)), nn.LeakyReLU(SLOPE))


def axes(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Give the places of columns (w,) and of rows (h,), from -1 to 1 at the edges of a picture."""
    across, down = (
        (torch.arange(side, device=like.device, dtype=torch.float32) * 2 + 1) / side - 1 for side in (width, height)
    )
    return across, down


def _places(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Give the middles of masks (b, n, h, w), and how far they reach (a standard deviation): (b, n, 2) each."""
    height, width = masks.shape[2:]
    both = axes(height, width, masks)
    whole = masks.sum((2, 3)).clamp_min(1e-6)
    middles, spreads = [], []
    for axis, over in zip(both, (2, 3), strict=True):
        along = masks.sum(over)
        middle = (along * axis).sum(2) / whole
        middles.append(middle)
        spreads.append(((along * (axis - middle[..., None]).square()).sum(2) / whole).sqrt())
    return torch.stack(middles, 2), torch.stack(spreads, 2)


def _forms(angles: Tensor, growths: Tensor, most: float) -> Tensor:
    """Give what maps places about the middle of a part that has turned and grown back to the picture: (..., 2, 2)."""
    shrunk = (-most * (growths / most).tanh()).exp() if most else torch.ones_like(growths)
    across, down = shrunk * angles.cos(), shrunk * angles.sin()
    forms: Tensor = torch.stack([across, down, -down, across], -1).unflatten(-1, (2, 2))
    return forms


def laid(parted: Parted, motion: Motion) -> Layers:
    """Move the parts of a picture, and lay later ones over earlier ones."""
    with torch.autocast(parted.picture.device.type, enabled=False):
        total: Tensor | None = None
        for part in range(parted.masks.shape[1]):
            colours, share = _moved(parted, motion, part)
            if total is None:
                total, mask = share * colours, share
            else:
                total, mask = torch.lerp(total, colours, share), mask + share * (1 - mask)
        assert total is not None, "there is a part"
        foreground = colours if parted.masks.shape[1] == 1 else total / mask.clamp_min(1e-4)
        return Layers(foreground, parted.background, mask)


def _moved(parted: Parted, motion: Motion, part: int) -> tuple[Tensor, Tensor]:
    """Move one part: its colours (b, c, t, h, w), and how much of it is seen where (b, 1, t, h, w)."""
    height, width = parted.picture.shape[2:]
    length, across_down = motion.moved.shape[1], axes(height, width, parted.picture)
    middle, form = motion.middles[:, None, part], motion.forms[:, :, part]
    gone = middle + motion.moved[:, :, part]
    across = (across_down[0] - gone[..., :1])[:, :, None, :]
    down = (across_down[1] - gone[..., 1:])[:, :, :, None]
    places = torch.stack(
        [
            middle[..., row, None, None] + form[..., row, :1, None] * across + form[..., row, 1:, None] * down
            for row in range(2)
        ],
        -1,
    )
    # Frame below frame, so that the picture need not be repeated.
    held = torch.cat([parted.picture, parted.masks[:, part : part + 1]], 1)
    seen = grid_sample(held, places.flatten(1, 2), "bilinear", "border", False)
    seen = seen.unflatten(2, (length, height))
    inside = (places.abs() <= 1).all(-1)[:, None].to(seen)  # Nobody knows what comes from without.
    return seen[:, :-1], seen[:, -1:] * inside


@dataclass(frozen=True)
class MovingLayers:
    """The networks for the future of clips of 8 to 256 pixels a side, 2 to 256 frames and 1 or 3 channels."""

    __pydantic_config__ = STRICT

    latent: Positive = 16
    """Length of the latent vector, by which futures differ."""
    width: Positive | Literal["auto"] = "auto"
    """Channels of the generator's layers at full size; each halving doubles them, up to fourfold. `auto`: by size."""
    parts: Annotated[int, Field(ge=1, le=16)] = 2
    """Parts that move on paths of their own; each costs as much again."""
    growth: Annotated[float, Field(ge=0, le=2)] = GROWTH
    """The logarithm of how much larger or smaller a part may become in a clip: 0 where things keep their size."""
    discriminator_width: Positive | Literal["auto"] = "auto"
    """Channels of the discriminators' layers nearest the frames. `auto`: by size."""

    def __post_init__(self) -> None:
        numbers = [self.latent, *(one for one in (self.width, self.discriminator_width) if one != "auto")]
        if min(numbers) < 1 or not 1 <= self.parts <= 16:
            raise ValueError("network.latent and its widths must be at least 1, network.parts 1 to 16.")
        if not 0 <= self.growth <= 2:
            raise ValueError("network.growth must be 0 to 2.")

    def generator(self, shape: Shape, given: int) -> MovingLayersGenerator:
        """Build the generator for clips of `shape` (c, t, h, w), of which so many frames are given."""
        return MovingLayersGenerator(checked_clip(shape), given, self)

    def discriminator(self, shape: Shape) -> Discriminator:
        """Build the discriminator of clips of `shape` (c, t, h, w)."""
        return self._discriminators.discriminator(shape, 0)

    def frame_discriminator(self, shape: Shape) -> Discriminator:
        """Build the discriminator of the frames of such clips, (c, h, w)."""
        return self._discriminators.frame_discriminator(shape, 0)

    def sized(self, shape: Shape) -> Self:
        """Give the same with its widths chosen."""
        judges = self._discriminators.sized(shape).width
        return replace(self, width=self.size(checked_clip(shape)), discriminator_width=judges)

    def size(self, shape: Shape) -> int:
        """Give the channels at full size: 24 up to 64 pixels a side, then less."""
        return self.width if self.width != "auto" else max(8, min(24, 1536 // max(shape[2:])))

    @property
    def _discriminators(self) -> TwoStream:
        return TwoStream(width=self.discriminator_width)
