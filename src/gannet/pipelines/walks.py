"""Walks through the latent space of a generator: along great circles, as long vectors all have about one length."""

from itertools import pairwise

import torch
from torch import Tensor


def walk(vectors: Tensor, frames: int) -> Tensor:
    """Walk along great circles through latent vectors (n, latent) and back to the first: (n * frames, latent)."""
    steps = torch.arange(frames)[:, None] / frames
    return torch.cat([great_circle(*pair, steps) for pair in zip(vectors, vectors.roll(-1, 0), strict=True)])


def walk_through(vectors: Tensor, frames: int) -> Tensor:
    """Walk through latent vectors (n, latent) from the first to the last: ((n - 1) * (frames - 1) + 1, latent).

    Args:
        frames: from each to the next, both of them included; 2 or more.
    """
    steps = torch.arange(1, frames)[:, None] / (frames - 1)
    # The last step of a way is its end itself, which the formula gives but for rounding.
    parts = [torch.cat([great_circle(start, end, steps[:-1]), end[None]]) for start, end in pairwise(vectors)]
    return torch.cat([vectors[:1], *parts])


def great_circle(start: Tensor, end: Tensor, steps: Tensor) -> Tensor:
    """Give what lies between two latent vectors (latent,) at steps (n, 1) of 0 to 1, (n, latent) (Shoemake, 1985)."""
    cosine = torch.dot(start, end) / (start.norm() * end.norm())
    angle = torch.arccos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
    return (torch.sin((1 - steps) * angle) * start + torch.sin(steps * angle) * end) / torch.sin(angle)
