"""Features: what samples are compared in. Their name goes with every figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import interpolate

from gannet.runtime.later import later

decomposition = later("sklearn.decomposition")

SMALLEST, LARGEST, COMPONENTS = 28, 64, 64
FEWEST_FRAMES = 16
"""Frames that the network of clips learned to look at; of more it looks at all."""


class Features(Protocol):
    """Maps samples to vectors.

    Attributes:
        name: what a figure is called after.
    """

    @property
    def name(self) -> str:
        """The features' name."""

    def __call__(self, samples: Tensor) -> Tensor:
        """Map samples (b, ...) to (b, d) on the CPU."""


@dataclass(frozen=True)
class PixelComponents:
    """Principal components of the pixels (or coordinates), for samples too small for a network."""

    components: Any

    @property
    def name(self) -> str:
        """Names the number of components."""
        return f"pixel-components-{self.components.n_components_}"

    def __call__(self, samples: Tensor) -> Tensor:
        """Map samples (b, ...) to their components (b, d)."""
        return torch.from_numpy(self.components.transform(samples.flatten(1).double().numpy()))


def fit_components(samples: Tensor) -> PixelComponents:
    """Fit the principal components of samples (n, ...), at most 64."""
    flat = samples.flatten(1).double().numpy()
    count = min(COMPONENTS, *flat.shape)
    with np.errstate(invalid="ignore"):  # A single sample has no variance, and none is asked for.
        return PixelComponents(decomposition.PCA(count, random_state=0).fit(flat))


@dataclass(frozen=True)
class NetworkFeatures:
    """The activations of a network, for grey and colour pictures from 28 pixels up, or for clips."""

    name: str
    network: nn.Module
    features: Callable[[Tensor], Tensor]

    @torch.no_grad()
    def __call__(self, samples: Tensor) -> Tensor:
        """Map pictures (b, c, h, w) or clips (b, c, t, h, w) in [-1, 1] to (b, d)."""
        device = next(self.network.parameters()).device
        self.network.eval()
        prepared = fitted_clips(samples) if samples.ndim == 5 else fitted(samples)
        layout = torch.channels_last_3d if samples.ndim == 5 else torch.channels_last
        return self.features(prepared.to(device).contiguous(memory_format=layout)).float().cpu()


@dataclass(frozen=True)
class PlaneFeatures:
    """Features of volumes by what knows pictures: the means over every second plane across each axis.

    Attributes:
        pictures: features of pictures, of which planes have 28 pixels a side or are enlarged to that.
    """

    pictures: Features

    @property
    def name(self) -> str:
        """Names the pictures' features."""
        return f"{self.pictures.name} on planes"

    def __call__(self, samples: Tensor) -> Tensor:
        """Map volumes (b, 1, x, y, z) in [-1, 1] to (b, 3 d) on the CPU."""
        return torch.cat([self._across(samples.movedim(axis, 1)[:, ::2]) for axis in (2, 3, 4)], 1)

    def _across(self, planes: Tensor) -> Tensor:
        """Map planes (b, n, 1, h, w) to the mean of their features (b, d)."""
        pictures = planes.flatten(0, 1)
        shorter = min(pictures.shape[2:])
        if shorter < SMALLEST:
            size = [round(side * SMALLEST / shorter) for side in pictures.shape[2:]]
            pictures = interpolate(pictures, size, mode="bilinear")
        found: Tensor = self.pictures(pictures).unflatten(0, planes.shape[:2])
        return found.mean(1)


def fitted(pictures: Tensor) -> Tensor:
    """Give pictures (b, c, h, w) as three channels, the shorter side at most 64 pixels; transparency over grey."""
    if pictures.shape[1] in {2, 4}:
        pictures, cover = pictures[:, :-1], (pictures[:, -1:] + 1) / 2
        pictures = pictures * cover
    if pictures.shape[1] == 1:
        pictures = pictures.expand(-1, 3, -1, -1)
    shorter = min(pictures.shape[2:])
    if shorter > LARGEST:
        size = [round(side * LARGEST / shorter) for side in pictures.shape[2:]]
        pictures = interpolate(pictures, size, mode="bilinear", antialias=True)
    return pictures


def fitted_clips(clips: Tensor) -> Tensor:
    """Give clips (b, c, t, h, w) as three channels of 64x64 pixels, the frames of short ones shown again up to 16."""
    colours = clips.expand(-1, 3, -1, -1, -1) if clips.shape[1] == 1 else clips[:, :3]
    length = clips.shape[2]
    if length < FEWEST_FRAMES:
        colours = colours[:, :, torch.arange(FEWEST_FRAMES) * length // FEWEST_FRAMES]
    if clips.shape[3:] == (LARGEST, LARGEST):
        return colours
    frames = colours.transpose(1, 2).flatten(0, 1)
    sized: Tensor = interpolate(frames, (LARGEST, LARGEST), mode="bilinear", antialias=True)
    return sized.reshape(len(clips), -1, *sized.shape[1:]).transpose(1, 2)


def as_patches(picture: Tensor) -> Tensor:
    """Give the squares of 64 pixels a side that a picture (1, c, h, w) has room for, next to each other:
    (n, c, 64, 64).
    """
    channels, height, width = picture.shape[1:]
    rows, columns = height // LARGEST, width // LARGEST
    whole = picture[0, :, : rows * LARGEST, : columns * LARGEST]
    cut = whole.reshape(channels, rows, LARGEST, columns, LARGEST)
    return cut.permute(1, 3, 0, 2, 4).reshape(-1, channels, LARGEST, LARGEST)


def extract(features: Callable[[Tensor], Tensor], parts: Sequence[Callable[[], Tensor]]) -> Tensor:
    """Give the features (n, d) of samples that are made part by part and not kept;
    several processes share the parts.
    """
    several = distributed.is_available() and distributed.is_initialized()
    rank, world = (distributed.get_rank(), distributed.get_world_size()) if several else (0, 1)
    found = [features(part()) for part in parts[rank::world]]
    if world == 1:
        return torch.cat(found)
    shares: list[Any] = [None] * world
    distributed.all_gather_object(shares, found)
    return torch.cat([shares[index % world][index // world] for index in range(len(parts))])


def suits(shape: Any) -> bool:
    """Tell whether a network can look at samples of this shape."""
    return len(shape) == 3 and min(shape[1:]) >= SMALLEST
