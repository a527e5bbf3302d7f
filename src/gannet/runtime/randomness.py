"""Randomness is addressed, not carried: a draw depends on where in the run it is, never on what was drawn before."""

import torch

from gannet.runtime.digests import number


def address(seed: int, *where: int | str) -> int:
    """Give a 63-bit seed for one place, the same on every machine:
    a hash of `seed` and the words that name the place.
    """
    text = "/".join(map(str, (seed, *where)))
    return number(text.encode()) >> 1


def generator(seed: int, *where: int | str) -> torch.Generator:
    """Give a CPU generator standing at that place."""
    return torch.Generator().manual_seed(address(seed, *where))
