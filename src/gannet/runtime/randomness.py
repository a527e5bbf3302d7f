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


def seed_torch(number: int, device: torch.device) -> None:
    """Seed torch's own randomness on the processor and on a device, as `torch.manual_seed` does on all there are.

    That one formats a stack trace for each kind that is not initialised, which costs up to a millisecond.
    """
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)
    elif device.type == "mps":
        torch.mps.manual_seed(number)
