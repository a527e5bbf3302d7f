"""Networks for generation: pictures are enlarged, then convolved, which leaves no checkerboard (Odena et al., 2016).

Use them by name: `gannet train images photos --set network.name=resize --set network.width=64`.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

Shape = tuple[int, ...]


class ResizeGenerator(nn.Module):
    """Maps latent vectors (b, latent), and labels (b,) where there are classes, to pictures (b, c, h, w) in [-1, 1]."""

    def __init__(self, latent: int, width: int, shape: Shape, classes: int) -> None:
        super().__init__()
        # Gannet asks for these three.
        self.latent, self.shape, self.classes = latent, shape, classes
        self.start = nn.Linear(latent + classes, width * 4 * 4)
        self.middle = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, shape[0], 3, padding=1)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Draw a picture of 4x4, enlarge it to half the size and to the whole, and convolve each time."""
        if label is not None and self.classes:
            latent = torch.cat([latent, nn.functional.one_hot(label, self.classes).to(latent)], 1)
        height, width = self.shape[1:]
        features = self.start(latent).relu().unflatten(1, (-1, 4, 4))
        features = nn.functional.interpolate(features, (-(-height // 2), -(-width // 2)), mode="nearest")
        features = self.middle(features).relu()
        drawn: Tensor = self.last(nn.functional.interpolate(features, (height, width), mode="nearest"))
        return drawn.tanh()


class ResizeDiscriminator(nn.Module):
    """Maps pictures (b, c, h, w), and labels (b,) where there are classes, to logits (b,)."""

    def __init__(self, width: int, shape: Shape, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(shape[0], width, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
        )
        # A logit a class: the one that is asked about counts.
        self.head = nn.Linear(width * 4 * 4, max(1, classes))

    def forward(self, sample: Tensor, label: Tensor | None = None) -> Tensor:
        """Score pictures."""
        logits: Tensor = self.head(self.features(sample))
        return logits[:, 0] if label is None else logits.gather(1, label[:, None])[:, 0]


@dataclass(frozen=True)
class Resize:
    """The pair; its fields are the keys of `network` besides the name."""

    latent: int = 32
    """Length of the latent vector."""
    width: int | Literal["auto"] = "auto"
    """Channels of the hidden layers; auto: more for larger pictures."""

    def sized(self, shape: Shape) -> "Resize":
        """Replace `auto` by what pictures of this shape call for; the saved recipe has the number."""
        if len(shape) != 3:
            raise ValueError("The network resize makes pictures; choose network.name=mlp for points.")
        return replace(self, width=32 if min(shape[1:]) < 32 else 64) if self.width == "auto" else self

    def generator(self, shape: Shape, classes: int) -> ResizeGenerator:
        """Build the generator; `classes` is 0 where there are none."""
        return ResizeGenerator(self.latent, self._width(shape), shape, classes)

    def discriminator(self, shape: Shape, classes: int) -> ResizeDiscriminator:
        """Build the discriminator."""
        return ResizeDiscriminator(self._width(shape), shape, classes)

    def _width(self, shape: Shape) -> int:
        width = self.sized(shape).width
        assert width != "auto", "sized just now"
        return width
