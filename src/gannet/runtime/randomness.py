"""Randomness is addressed, not carried: a draw depends on where in the run it is, never on what was drawn before."""

import hashlib

import torch


def address(seed: int, *where: int | str) -> int:
    """A 63-bit seed for one place, the same on every machine: a hash of `seed` and the words that name the place."""
    text = "/".join(map(str, (seed, *where)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *where: int | str) -> torch.Generator:
    """A CPU generator standing at that place."""
    return torch.Generator().manual_seed(address(seed, *where))
